-- Messages that the bot took on, so that none is answered twice and none that a kill interrupted is forgotten. Neither
-- words nor photos nor people: only where to say what became of it. Times are milliseconds since 1970 (UTC).

CREATE TABLE inbox (
    platform TEXT    NOT NULL,
    chat     INTEGER NOT NULL,
    message  INTEGER NOT NULL,                   -- its number; that of the interaction for a command of Discord's
    thread   INTEGER,
    lang     TEXT    NOT NULL,
    photos   INTEGER NOT NULL CHECK (photos IN (0, 1)),
    state    TEXT    NOT NULL CHECK (state IN ('open', 'telling', 'owed', 'doubtful', 'told')),
    at       INTEGER NOT NULL,
    PRIMARY KEY (platform, chat, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_unfinished ON inbox (state) WHERE state <> 'told';
CREATE INDEX inbox_age ON inbox (at);

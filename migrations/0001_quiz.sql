-- Scores of "beat the model". Times are milliseconds since 1970 (UTC). Enumerations are the lower-case names of
-- src/domain/quiz.rs. Append only: a migration that has landed is never edited.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A person with all their identities, or a version of the model.
CREATE TABLE players (
    id              INTEGER NOT NULL PRIMARY KEY,
    model           TEXT    UNIQUE,              -- SHA-256 of the network; NULL for people
    name            TEXT    NOT NULL,            -- last seen name; name and version for a model
    time_zone       TEXT    NOT NULL,            -- IANA name
    day_starts_hour INTEGER NOT NULL DEFAULT 0 CHECK (day_starts_hour BETWEEN 0 AND 23),
    opted_out       INTEGER NOT NULL DEFAULT 0 CHECK (opted_out IN (0, 1)),
    rating          REAL    NOT NULL DEFAULT 1500,
    rated_rounds    INTEGER NOT NULL DEFAULT 0,
    streak_days     INTEGER NOT NULL DEFAULT 0,
    streak_best     INTEGER NOT NULL DEFAULT 0,
    streak_last     TEXT,                        -- ISO 8601 date in the person's own days
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE identities (
    platform    TEXT    NOT NULL,
    external_id INTEGER NOT NULL,
    player_id   INTEGER NOT NULL REFERENCES players (id),
    PRIMARY KEY (platform, external_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_player ON identities (player_id);

-- One-time codes that join two identities; only their hashes are kept.
CREATE TABLE link_codes (
    code_sha256 BLOB    NOT NULL PRIMARY KEY,
    player_id   INTEGER NOT NULL REFERENCES players (id),
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_codes_of_player ON link_codes (player_id);

CREATE TABLE chats (
    id          INTEGER NOT NULL PRIMARY KEY,
    platform    TEXT    NOT NULL,
    external_id INTEGER NOT NULL,
    UNIQUE (platform, external_id)
) STRICT;

-- Who has left a chat, until they come back.
CREATE TABLE departures (
    chat_id   INTEGER NOT NULL REFERENCES chats (id),
    player_id INTEGER NOT NULL REFERENCES players (id),
    PRIMARY KEY (chat_id, player_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX departures_of_player ON departures (player_id);

-- Photos that belong together: several rounds may play the same (daily, rematch).
CREATE TABLE sets (
    id     INTEGER NOT NULL PRIMARY KEY,
    code   TEXT    NOT NULL UNIQUE,              -- for /rematch
    day    TEXT    UNIQUE,                       -- ISO 8601 date of a daily set
    areas  TEXT    NOT NULL,                     -- JSON: full Japanese names
    photos TEXT    NOT NULL                      -- JSON: keys in the quiz pool
) STRICT;

CREATE TABLE rounds (
    id            INTEGER NOT NULL PRIMARY KEY,
    chat_id       INTEGER NOT NULL REFERENCES chats (id),
    thread        INTEGER,
    set_id        INTEGER NOT NULL REFERENCES sets (id),
    kind          TEXT    NOT NULL,
    alone         INTEGER NOT NULL CHECK (alone IN (0, 1)),
    starter_id    INTEGER REFERENCES players (id),  -- NULL once that person is forgotten
    lang          TEXT    NOT NULL,
    model_id      INTEGER NOT NULL REFERENCES players (id),
    model_name    TEXT    NOT NULL,
    model_version TEXT    NOT NULL,
    areas         TEXT    NOT NULL,              -- JSON array of areas, in the order of the buttons
    cut_seed      INTEGER NOT NULL,
    seconds       INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    opened_at     INTEGER,
    deadline_at   INTEGER,
    bell_at       INTEGER,
    closed_at     INTEGER,
    periods       TEXT,                          -- the standings that it counts in, apart by spaces
    message       INTEGER,
    told          INTEGER NOT NULL DEFAULT 0,    -- steps of the reveal that were delivered
    untold        INTEGER NOT NULL DEFAULT 0,    -- 1 from the bell until the reveal is delivered
    -- Sums over the people's answers; /forget subtracts.
    answers       INTEGER NOT NULL DEFAULT 0,
    right_answers INTEGER NOT NULL DEFAULT 0,
    points        INTEGER NOT NULL DEFAULT 0
) STRICT;
-- One round a chat at a time.
CREATE UNIQUE INDEX rounds_running ON rounds (chat_id) WHERE state IN ('preparing', 'open');
CREATE INDEX rounds_by_bell ON rounds (bell_at) WHERE state = 'open';
CREATE INDEX rounds_untold ON rounds (id) WHERE untold = 1;
CREATE INDEX rounds_of_chat ON rounds (chat_id, id);
CREATE INDEX rounds_of_set ON rounds (set_id);
CREATE INDEX rounds_of_starter ON rounds (starter_id);

CREATE TABLE questions (
    round_id    INTEGER NOT NULL REFERENCES rounds (id),
    number      INTEGER NOT NULL,
    photo       TEXT    NOT NULL,
    truth       INTEGER NOT NULL,                -- index into the round's areas
    guess       INTEGER NOT NULL,                -- the model's, sealed before the round opens
    probability REAL    NOT NULL,
    source      TEXT    NOT NULL,
    licence     TEXT    NOT NULL,
    url         TEXT,
    PRIMARY KEY (round_id, number)
) STRICT, WITHOUT ROWID;

-- Who joined a round, by answering.
CREATE TABLE entries (
    round_id      INTEGER NOT NULL REFERENCES rounds (id),
    player_id     INTEGER NOT NULL REFERENCES players (id),
    answered      INTEGER NOT NULL DEFAULT 0,
    right_answers INTEGER,                       -- from here on NULL until the bell
    points        INTEGER,
    rating_change REAL,
    scored        INTEGER,                       -- 0: the person knew these photos, or keeps no scores
    PRIMARY KEY (round_id, player_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_of_player ON entries (player_id, round_id);

CREATE TABLE answers (
    round_id    INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    player_id   INTEGER NOT NULL,
    choice      INTEGER NOT NULL,
    answered_at INTEGER NOT NULL,
    is_right    INTEGER,                         -- NULL until the bell
    points      INTEGER,
    PRIMARY KEY (round_id, player_id, number),
    FOREIGN KEY (round_id, number) REFERENCES questions (round_id, number),
    FOREIGN KEY (round_id, player_id) REFERENCES entries (round_id, player_id)
) STRICT, WITHOUT ROWID;

-- Photos that a chat has seen since its pool was last used up.
CREATE TABLE seen (
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    photo   TEXT    NOT NULL,
    PRIMARY KEY (chat_id, photo)
) STRICT, WITHOUT ROWID;

-- Sums of scored answers, kept at the bell, so that a leaderboard is one walk along an index.
-- chat_id 0: all chats. period: 'all', a month '2026-11' or an ISO week '2026-W48'.
CREATE TABLE standings (
    chat_id       INTEGER NOT NULL,
    period        TEXT    NOT NULL,
    player_id     INTEGER NOT NULL REFERENCES players (id),
    answers       INTEGER NOT NULL,
    right_answers INTEGER NOT NULL,
    points        INTEGER NOT NULL,
    hidden        INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),  -- opted out, or a model
    PRIMARY KEY (chat_id, period, player_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX standings_ranked ON standings (chat_id, period, points DESC, right_answers DESC, player_id)
    WHERE hidden = 0 AND answers >= 5;
CREATE INDEX standings_of_player ON standings (player_id);

-- Long work that admins ask for, and what admins did. Times are milliseconds since 1970 (UTC). Enumerations are the
-- lower-case names of src/domain/job.rs. People and chats are the services' own numbers.

CREATE TABLE jobs (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used again: buttons hold it
    kind       TEXT    NOT NULL,
    request    TEXT    NOT NULL,                 -- JSON, of the kind's own shape
    platform   TEXT    NOT NULL,                 -- where it was asked, and where its news go
    chat       INTEGER NOT NULL,
    thread     INTEGER,
    asker      INTEGER NOT NULL,
    lang       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    stopping   INTEGER NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1)),  -- 1 once an admin wants it ended while it runs
    message    INTEGER,                          -- the message that shows the progress
    progress   TEXT,                             -- JSON, of the kind's own shape: the last that was noted
    outcome    TEXT,                             -- JSON of what came of it, or in words why nothing did
    told       INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),  -- 1 once the chat knows how it ended
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at   INTEGER
) STRICT;
-- One of a kind at a time, and nothing twice.
CREATE UNIQUE INDEX jobs_running ON jobs (kind) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_same ON jobs (kind, request) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_waiting ON jobs (kind, id) WHERE state = 'queued';
CREATE INDEX jobs_of_kind ON jobs (kind, id);
CREATE INDEX jobs_offered ON jobs (created_at) WHERE state = 'offered';
CREATE INDEX jobs_untold ON jobs (id) WHERE told = 0;

CREATE TABLE audit (
    id       INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    platform TEXT    NOT NULL,
    person   INTEGER NOT NULL,
    name     TEXT    NOT NULL,                   -- the name that they showed; never used to tell people apart
    chat     INTEGER NOT NULL,
    action   TEXT    NOT NULL,                   -- the command, with its words
    outcome  TEXT    NOT NULL                    -- 'begun' while it is carried out
) STRICT;

-- Which model is live: the last row says. Append only, so that it also tells who changed it, when and why. Times are
-- milliseconds since 1970 (UTC).
CREATE TABLE promotions (
    id       INTEGER NOT NULL PRIMARY KEY,
    folder   TEXT    NOT NULL,                   -- its folder among the models; '' for the one that the configuration names
    name     TEXT    NOT NULL,
    version  TEXT    NOT NULL,
    sha256   TEXT    NOT NULL,                   -- of the network
    kind     TEXT    NOT NULL CHECK (kind IN ('better', 'forced', 'rollback')),
    reason   TEXT,                               -- in the admin's words, where it was forced
    verdict  TEXT,                               -- JSON: the comparison that it was promoted for
    previous INTEGER REFERENCES promotions (id), -- where a rollback leads; NULL: to the configured model
    actor    TEXT    NOT NULL,                   -- who: telegram:1234, discord:1234, terminal
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX promotions_previous ON promotions (previous);

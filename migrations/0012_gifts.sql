-- Photos that people gave as test photos when they were asked. A row is its giver's consent; it goes, and the file with it,
-- when they take it back. Times are milliseconds since 1970 (UTC).
CREATE TABLE gifts (
    id       INTEGER NOT NULL PRIMARY KEY,
    offer    INTEGER NOT NULL,                   -- the question that was answered with yes, for all photos of a message
    sha256   TEXT    NOT NULL UNIQUE,            -- of the file, a JPEG made anew without what the original said of itself
    platform TEXT    NOT NULL,                   -- who gave it, by the service's own number
    person   INTEGER NOT NULL,
    area     TEXT    NOT NULL,                   -- full Japanese name
    lat      REAL    NOT NULL,                   -- degrees, rounded to a thousandth: some 100 metres
    lng      REAL    NOT NULL,
    given_at INTEGER NOT NULL
) STRICT;
CREATE INDEX gifts_of_person ON gifts (platform, person);
CREATE INDEX gifts_of_offer ON gifts (offer);

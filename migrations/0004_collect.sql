-- Street imagery: what was asked, what was seen, what was paid, what is kept. Times are milliseconds since 1970 (UTC),
-- money is in millionths of the currency that the configuration names.

-- A run collects one plan from one source; whoever starts the same plan again while it is open goes on with it.
CREATE TABLE collect_runs (
    id         INTEGER NOT NULL PRIMARY KEY,
    source     TEXT    NOT NULL,
    plan       TEXT    NOT NULL,                 -- fingerprint of the plan
    started_at INTEGER NOT NULL,
    ended_at   INTEGER                           -- NULL while it may be gone on with
) STRICT;
CREATE UNIQUE INDEX collect_runs_open ON collect_runs (source, plan) WHERE ended_at IS NULL;

-- Towns, each in one split for ever, also when the rule for new ones changes.
CREATE TABLE places (
    id    INTEGER NOT NULL PRIMARY KEY,
    area  TEXT    NOT NULL,                      -- full Japanese name
    town  TEXT    NOT NULL,                      -- empty where the area is not divided
    split TEXT    NOT NULL CHECK (split IN ('train', 'validation', 'test', 'quiz')),
    UNIQUE (area, town)
) STRICT;

-- Planned points that a source was asked about.
CREATE TABLE points (
    source   TEXT    NOT NULL,
    place_id INTEGER NOT NULL REFERENCES places (id),
    number   INTEGER NOT NULL,                   -- within the town
    lat      REAL    NOT NULL,
    lng      REAL    NOT NULL,
    outcome  TEXT    NOT NULL,
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (source, place_id, number)
) STRICT, WITHOUT ROWID;

-- Panoramas and images that a source offered: each belongs to the point that saw it first.
CREATE TABLE sightings (
    source      TEXT    NOT NULL,
    id          TEXT    NOT NULL,                -- the source's own
    place_id    INTEGER NOT NULL REFERENCES places (id),  -- where it was taken
    of_place_id INTEGER REFERENCES places (id),  -- with `number`: the point that saw it first, if a point did
    number      INTEGER,
    lat         REAL    NOT NULL,
    lng         REAL    NOT NULL,
    captured    TEXT,                            -- 2024-05 or 2024-05-17
    heading     REAL,                            -- degrees, of images with a direction of their own
    attribution TEXT    NOT NULL,
    licence     TEXT    NOT NULL,
    link        TEXT,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sightings_of_point ON sightings (source, of_place_id, number);

-- The ledger: a row before the call, settled after it. A row that is never settled was left by a kill and is in doubt.
--   open         reserved; counts as spent
--   lost         the answer never came; counts as spent
--   billed       the service bills it
--   free         the service bills nothing; the picture may be asked for again
--   written_off  the service billed fewer than were in doubt, nobody knows which: not spent, and not asked for again
CREATE TABLE purchases (
    id          INTEGER NOT NULL PRIMARY KEY,
    run_id      INTEGER NOT NULL REFERENCES collect_runs (id),
    source      TEXT    NOT NULL,
    image       TEXT    NOT NULL,                -- the source's own number of the panorama or image
    look        TEXT    NOT NULL,                -- heading/fov/pitch/WxH; empty for images with a direction of their own
    price       INTEGER NOT NULL CHECK (price >= 0),
    day         TEXT    NOT NULL,                -- ISO 8601 date on which it counts
    state       TEXT    NOT NULL CHECK (state IN ('open', 'lost', 'billed', 'free', 'written_off')),
    reserved_at INTEGER NOT NULL,
    settled_at  INTEGER
) STRICT;
-- No picture is bought twice, whichever run or program asks.
CREATE UNIQUE INDEX purchases_once ON purchases (source, image, look) WHERE state <> 'free';
CREATE INDEX purchases_in_doubt ON purchases (source, id) WHERE state IN ('open', 'lost');

-- Sums of the ledger, so that a cap is a few look-ups. period: 'all', a day '2026-11-26', a month '2026-11' or 'run 7'.
CREATE TABLE spend (
    period          TEXT    NOT NULL,
    source          TEXT    NOT NULL,
    images_billed   INTEGER NOT NULL,
    images_in_doubt INTEGER NOT NULL,
    billed          INTEGER NOT NULL,
    in_doubt        INTEGER NOT NULL,
    PRIMARY KEY (period, source)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER purchases_reserved AFTER INSERT ON purchases
BEGIN
    INSERT INTO spend (period, source, images_billed, images_in_doubt, billed, in_doubt)
        VALUES ('all', new.source, 0, 0, 0, 0), ('run ' || new.run_id, new.source, 0, 0, 0, 0),
               (new.day, new.source, 0, 0, 0, 0), (substr(new.day, 1, 7), new.source, 0, 0, 0, 0)
        ON CONFLICT DO NOTHING;
    UPDATE spend SET
        images_billed = images_billed + (new.state = 'billed'),
        images_in_doubt = images_in_doubt + (new.state IN ('open', 'lost')),
        billed = billed + new.price * (new.state = 'billed'),
        in_doubt = in_doubt + new.price * (new.state IN ('open', 'lost'))
    WHERE source = new.source AND period IN ('all', 'run ' || new.run_id, new.day, substr(new.day, 1, 7));
END;

CREATE TRIGGER purchases_settled AFTER UPDATE OF state ON purchases
BEGIN
    UPDATE spend SET
        images_billed = images_billed + (new.state = 'billed') - (old.state = 'billed'),
        images_in_doubt = images_in_doubt + (new.state IN ('open', 'lost')) - (old.state IN ('open', 'lost')),
        billed = billed + new.price * ((new.state = 'billed') - (old.state = 'billed')),
        in_doubt = in_doubt + new.price * ((new.state IN ('open', 'lost')) - (old.state IN ('open', 'lost')))
    WHERE source = new.source AND period IN ('all', 'run ' || new.run_id, new.day, substr(new.day, 1, 7));
END;

-- A ledger is not rewritten.
CREATE TRIGGER purchases_settle_once BEFORE UPDATE OF state ON purchases
WHEN old.state NOT IN ('open', 'lost') OR new.state = 'open'
BEGIN
    SELECT RAISE(ABORT, 'a purchase is settled once');
END;
CREATE TRIGGER purchases_stand BEFORE UPDATE OF run_id, source, image, look, price, day, reserved_at ON purchases
BEGIN
    SELECT RAISE(ABORT, 'a purchase is not rewritten');
END;
CREATE TRIGGER purchases_stay BEFORE DELETE ON purchases
BEGIN
    SELECT RAISE(ABORT, 'a purchase is not forgotten');
END;

-- Pictures that lie in the folder, each under its SHA-256; the row comes after the file.
CREATE TABLE images (
    id           INTEGER NOT NULL PRIMARY KEY,
    sha256       TEXT    NOT NULL UNIQUE,
    format       TEXT    NOT NULL,               -- the end of the file's name: jpg, png or webp
    source       TEXT    NOT NULL,
    image        TEXT    NOT NULL,
    look         TEXT    NOT NULL,               -- as in purchases
    bytes        INTEGER NOT NULL,
    width        INTEGER NOT NULL,
    height       INTEGER NOT NULL,
    collected_at INTEGER NOT NULL,
    run_id       INTEGER NOT NULL REFERENCES collect_runs (id),
    UNIQUE (source, image, look),
    FOREIGN KEY (source, image) REFERENCES sightings (source, id)
) STRICT;

-- How many pictures there are of each town and month of capture, and their size. month: '2024-05', or empty when the
-- source does not say.
CREATE TABLE image_sums (
    place_id INTEGER NOT NULL REFERENCES places (id),
    month    TEXT    NOT NULL,
    images   INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (place_id, month)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER images_came AFTER INSERT ON images
BEGIN
    INSERT INTO image_sums (place_id, month, images, bytes)
        SELECT place_id, COALESCE(substr(captured, 1, 7), ''), 1, new.bytes FROM sightings
        WHERE source = new.source AND id = new.image
        ON CONFLICT DO UPDATE SET images = images + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER images_went AFTER DELETE ON images
BEGIN
    UPDATE image_sums SET images = images - 1, bytes = bytes - old.bytes
    WHERE (place_id, month) = (SELECT place_id, COALESCE(substr(captured, 1, 7), '') FROM sightings
                               WHERE source = old.source AND id = old.image);
END;

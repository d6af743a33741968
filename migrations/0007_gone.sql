-- Pictures that were billed and whose files are gone from the disk: what a repair found missing or damaged.
--   0  its file stands, or there never was one
--   1  gone, and not bought again unless an admin says so
--   2  gone, and may be bought again, as another purchase
ALTER TABLE purchases ADD COLUMN gone INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1, 2));
DROP INDEX purchases_once;
CREATE UNIQUE INDEX purchases_once ON purchases (source, image, look) WHERE state <> 'free' AND gone < 2;
CREATE INDEX purchases_gone ON purchases (gone) WHERE gone = 1;

CREATE TRIGGER purchases_go BEFORE UPDATE OF gone ON purchases
WHEN old.state <> 'billed' OR new.gone < old.gone
BEGIN
    SELECT RAISE(ABORT, 'only what was billed is gone, and it does not come back');
END;

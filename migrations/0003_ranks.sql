-- How many ranked people stand in each band of points, so that a person's rank and the first row of any page are a
-- few short sums, however many people are ranked: bands of 1024 points lead to one of them, its bands of 32 to the
-- few people around the row.
-- Triggers keep it: whatever changes the standings (a bell, /forget, /optout, /link) changes it in the same statement.
CREATE TABLE ranks (
    chat_id INTEGER NOT NULL,
    period  TEXT    NOT NULL,
    width   INTEGER NOT NULL CHECK (width IN (32, 1024)),
    band    INTEGER NOT NULL,                    -- points / width
    people  INTEGER NOT NULL CHECK (people > 0),
    PRIMARY KEY (chat_id, period, width, band)
) STRICT, WITHOUT ROWID;

INSERT INTO ranks (chat_id, period, width, band, people)
    SELECT chat_id, period, 1024, points / 1024, COUNT(*) FROM standings
    WHERE hidden = 0 AND answers >= 5 GROUP BY chat_id, period, points / 1024
    UNION ALL
    SELECT chat_id, period, 32, points / 32, COUNT(*) FROM standings
    WHERE hidden = 0 AND answers >= 5 GROUP BY chat_id, period, points / 32;

-- The index of a leaderboard, now with the columns of its condition: rows of equal points are counted and skipped
-- without a look at the table.
DROP INDEX standings_ranked;
CREATE INDEX standings_ranked
    ON standings (chat_id, period, points DESC, right_answers DESC, player_id, answers, hidden)
    WHERE hidden = 0 AND answers >= 5;

-- A player that goes (/forget, /link) is looked for in every column that refers to one.
CREATE INDEX rounds_of_model ON rounds (model_id);

CREATE TRIGGER ranks_joined AFTER INSERT ON standings
WHEN new.hidden = 0 AND new.answers >= 5
BEGIN
    INSERT INTO ranks (chat_id, period, width, band, people)
        VALUES (new.chat_id, new.period, 1024, new.points / 1024, 1), (new.chat_id, new.period, 32, new.points / 32, 1)
        ON CONFLICT DO UPDATE SET people = people + 1;
END;

CREATE TRIGGER ranks_left AFTER DELETE ON standings
WHEN old.hidden = 0 AND old.answers >= 5
BEGIN
    -- The last one takes the band along.
    DELETE FROM ranks WHERE people = 1
        AND chat_id = old.chat_id AND period = old.period AND width = 1024 AND band = old.points / 1024;
    UPDATE ranks SET people = people - 1 WHERE people > 1
        AND chat_id = old.chat_id AND period = old.period AND width = 1024 AND band = old.points / 1024;
    DELETE FROM ranks WHERE people = 1
        AND chat_id = old.chat_id AND period = old.period AND width = 32 AND band = old.points / 32;
    UPDATE ranks SET people = people - 1 WHERE people > 1
        AND chat_id = old.chat_id AND period = old.period AND width = 32 AND band = old.points / 32;
END;

-- A change of points, or of being ranked at all, is a leaving and a joining.
CREATE TRIGGER ranks_moved_from AFTER UPDATE ON standings
WHEN old.hidden = 0 AND old.answers >= 5
    AND NOT (new.hidden = 0 AND new.answers >= 5
             AND (new.chat_id, new.period, new.points) = (old.chat_id, old.period, old.points))
BEGIN
    DELETE FROM ranks WHERE people = 1
        AND chat_id = old.chat_id AND period = old.period AND width = 1024 AND band = old.points / 1024;
    UPDATE ranks SET people = people - 1 WHERE people > 1
        AND chat_id = old.chat_id AND period = old.period AND width = 1024 AND band = old.points / 1024;
    DELETE FROM ranks WHERE people = 1
        AND chat_id = old.chat_id AND period = old.period AND width = 32 AND band = old.points / 32;
    UPDATE ranks SET people = people - 1 WHERE people > 1
        AND chat_id = old.chat_id AND period = old.period AND width = 32 AND band = old.points / 32;
END;

CREATE TRIGGER ranks_moved_to AFTER UPDATE ON standings
WHEN new.hidden = 0 AND new.answers >= 5
    AND NOT (old.hidden = 0 AND old.answers >= 5
             AND (new.chat_id, new.period, new.points) = (old.chat_id, old.period, old.points))
BEGIN
    INSERT INTO ranks (chat_id, period, width, band, people)
        VALUES (new.chat_id, new.period, 1024, new.points / 1024, 1), (new.chat_id, new.period, 32, new.points / 32, 1)
        ON CONFLICT DO UPDATE SET people = people + 1;
END;

-- A person against the model by true area, summed at the bell: whoever played every day has thousands of answers.
CREATE TABLE duels (
    player_id INTEGER NOT NULL REFERENCES players (id),
    area      TEXT    NOT NULL,                  -- JSON, as in the areas of a round
    both      INTEGER NOT NULL,                  -- photos that both had right
    person    INTEGER NOT NULL,                  -- only the person
    model     INTEGER NOT NULL,                  -- only the model
    neither   INTEGER NOT NULL,
    PRIMARY KEY (player_id, area)
) STRICT, WITHOUT ROWID;

INSERT INTO duels (player_id, area, both, person, model, neither)
    SELECT e.player_id, json_extract(r.areas, '$[' || q.truth || ']'),
           SUM(a.is_right AND q.guess = q.truth), SUM(a.is_right AND q.guess <> q.truth),
           SUM(NOT a.is_right AND q.guess = q.truth), SUM(NOT a.is_right AND q.guess <> q.truth)
    FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
         JOIN answers AS a ON a.round_id = e.round_id AND a.player_id = e.player_id
         JOIN questions AS q ON q.round_id = a.round_id AND q.number = a.number
    WHERE e.scored = 1 AND r.state = 'closed' GROUP BY 1, 2;

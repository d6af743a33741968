//! The bell: points, ratings, streaks and standings of a round, all in one transaction and once.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::people::{drop_entry, sum_up};
use super::scores::keys;
use super::{Store, StoreError, ms, row};
use crate::domain::quiz::{PlayerId, Round, RoundId};
use crate::domain::score::{self, RIGHT, Streak};

/// A person's part in a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who.
    pub player: PlayerId,
    /// Their name.
    pub name: String,
    /// Photos answered.
    pub answered: u8,
    /// Right answers.
    pub right: u8,
    /// Points.
    pub points: u32,
    /// How far the round moved their rating.
    pub rating_change: f64,
    /// Whether it counts for their scores: not for who knew these photos, or wants none kept.
    pub scored: bool,
    /// Their answers by photo: indices into the round's areas.
    pub choices: Vec<Option<u8>>,
}

/// A closed round with everybody's part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The round.
    pub round: Round,
    /// The people, the best first.
    pub entries: Vec<Entry>,
    /// Right guesses of the model.
    pub model_right: u8,
    /// Steps of the reveal that were delivered.
    pub told: u8,
}

/// A person's sums in the round that is being closed.
struct Part {
    player: i64,
    answered: i64,
    right: i64,
    points: i64,
    opted_out: bool,
    knew: bool,
    rating: f64,
}

impl Part {
    fn is_scored(&self) -> bool {
        !self.opted_out && !self.knew
    }
}

impl Store {
    /// Closes an open round whose bell has rung and gives its points; weeks and months begin in `zone`. Whether this
    /// call closed it: an answer may have moved the bell since it was looked at.
    ///
    /// # Errors
    /// When the database fails; then the round is as it was.
    pub async fn settle(&self, round: RoundId, now: Timestamp, zone: &TimeZone) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let at = ms(now);
        let periods = keys(now, zone).join(" ");
        let close = sqlx::query!(
            "UPDATE rounds SET state = 'closed', closed_at = ?, untold = 1, periods = ?
             WHERE id = ? AND state = 'open' AND bell_at < ?",
            at,
            periods,
            round.0,
            at
        );
        if close.execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let played = row::round(&mut tx, round.0).await?;
        let played = played.ok_or_else(|| StoreError::Content(format!("no round {}", round.0)))?;
        give_points(&mut tx, &played).await?;
        sum_up(&mut tx, round.0).await?;
        let parts = parts(&mut tx, round.0).await?;
        rate(&mut tx, &played, &parts).await?;
        stand(&mut tx, &played, &parts, &periods).await?;
        count_duels(&mut tx, round.0).await?;
        for part in &parts {
            if part.is_scored() {
                streak(&mut tx, part.player, now).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// A closed round with everybody's part in it; `None` while it runs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outcome(&self, round: RoundId) -> Result<Option<Outcome>, StoreError> {
        let mut db = self.reader.acquire().await?;
        let told = sqlx::query_scalar!("SELECT told FROM rounds WHERE id = ? AND state = 'closed'", round.0);
        let Some(told) = told.fetch_optional(&mut *db).await? else { return Ok(None) };
        let Some(played) = row::round(&mut db, round.0).await? else { return Ok(None) };
        let entries = entries(&mut db, &played).await?;
        let model_right = played.model_right();
        let told = u8::try_from(told).unwrap_or(u8::MAX);
        Ok(Some(Outcome { round: played, entries, model_right, told }))
    }

    /// Closed rounds whose results are not told to the end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn untold(&self) -> Result<Vec<RoundId>, StoreError> {
        let rounds = sqlx::query_scalar!("SELECT id FROM rounds WHERE untold = 1 ORDER BY id");
        Ok(rounds.fetch_all(&self.reader).await?.into_iter().map(RoundId).collect())
    }

    /// Notes that so many steps of a reveal were told. With the last one the answers of people who want no scores
    /// kept are removed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told(&self, round: RoundId, steps: u8, finished: bool) -> Result<(), StoreError> {
        let (steps, untold) = (i64::from(steps), i64::from(!finished));
        let mut tx = self.write().await?;
        let note = sqlx::query!("UPDATE rounds SET told = ?, untold = ? WHERE id = ?", steps, untold, round.0);
        note.execute(&mut *tx).await?;
        if finished {
            let out = sqlx::query_scalar!(
                "SELECT player_id FROM entries JOIN players ON players.id = player_id
                 WHERE round_id = ? AND opted_out = 1 AND scored = 0",
                round.0
            );
            for player in out.fetch_all(&mut *tx).await? {
                drop_entry(&mut tx, round.0, player).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

async fn give_points(tx: &mut Transaction<'_, Sqlite>, round: &Round) -> Result<(), StoreError> {
    let answers =
        sqlx::query!("SELECT number, player_id, choice, answered_at FROM answers WHERE round_id = ?", round.id.0);
    let opened = round.opened_at.map_or(0, ms);
    let allowed = SignedDuration::from_secs(i64::from(round.seconds));
    for answer in answers.fetch_all(&mut **tx).await? {
        let Some(question) = round.questions.iter().find(|q| i64::from(q.number) == answer.number) else { continue };
        let right = question.truth as i64 == answer.choice;
        let elapsed = SignedDuration::from_millis(answer.answered_at - opened);
        let points = i64::from(score::points(right, question.model_is_right(), elapsed, allowed));
        let right = i64::from(right);
        let give = sqlx::query!(
            "UPDATE answers SET is_right = ?, points = ? WHERE round_id = ? AND player_id = ? AND number = ?",
            right,
            points,
            round.id.0,
            answer.player_id,
            answer.number
        );
        give.execute(&mut **tx).await?;
    }
    Ok(())
}

async fn parts(tx: &mut Transaction<'_, Sqlite>, round: i64) -> Result<Vec<Part>, StoreError> {
    let rows = sqlx::query!(
        "SELECT e.player_id AS \"player_id!\", p.opted_out AS \"opted_out!\", p.rating AS \"rating!\",
                COUNT(a.number) AS \"answered!: i64\", COALESCE(SUM(a.is_right), 0) AS \"right!: i64\",
                COALESCE(SUM(a.points), 0) AS \"points!: i64\",
                EXISTS (SELECT 1 FROM entries AS o JOIN rounds AS r ON r.id = o.round_id
                        WHERE o.player_id = e.player_id AND r.id <> e.round_id AND r.state = 'closed' AND r.set_id =
                            (SELECT set_id FROM rounds WHERE id = e.round_id)) AS \"knew!: bool\"
         FROM entries AS e JOIN players AS p ON p.id = e.player_id
              LEFT JOIN answers AS a ON a.round_id = e.round_id AND a.player_id = e.player_id
         WHERE e.round_id = ? GROUP BY e.player_id ORDER BY e.player_id",
        round
    );
    let rows = rows.fetch_all(&mut **tx).await?.into_iter().map(|row| Part {
        player: row.player_id,
        answered: row.answered,
        right: row.right,
        points: row.points,
        opted_out: row.opted_out != 0,
        knew: row.knew,
        rating: row.rating,
    });
    Ok(rows.collect())
}

/// Moves the ratings of the people whose round counts, and of the model; stores each person's part.
async fn rate(tx: &mut Transaction<'_, Sqlite>, round: &Round, parts: &[Part]) -> Result<(), StoreError> {
    let model = sqlx::query!(
        "SELECT p.id, p.rating FROM players AS p JOIN rounds AS r ON r.model_id = p.id WHERE r.id = ?",
        round.id.0
    );
    let model = model.fetch_one(&mut **tx).await?;
    let rated: Vec<&Part> = parts.iter().filter(|part| part.is_scored()).collect();
    let people = rated.iter().map(|part| (part.rating, u32::try_from(part.right).unwrap_or(0)));
    let before: Vec<(f64, u32)> = people.chain([(model.rating, u32::from(round.model_right()))]).collect();
    let after = score::ratings(&before);
    let mut players: Vec<i64> = rated.iter().map(|part| part.player).collect();
    if !players.is_empty() {
        players.push(model.id);
    }
    for (player, rating) in players.iter().zip(&after) {
        let update =
            sqlx::query!("UPDATE players SET rating = ?, rated_rounds = rated_rounds + 1 WHERE id = ?", rating, player);
        update.execute(&mut **tx).await?;
    }
    for part in parts {
        let at = rated.iter().position(|rated| rated.player == part.player);
        let change = at.map_or(0.0, |at| after[at] - part.rating);
        let scored = i64::from(part.is_scored());
        let store = sqlx::query!(
            "UPDATE entries SET right_answers = ?, points = ?, rating_change = ?, scored = ?
             WHERE round_id = ? AND player_id = ?",
            part.right,
            part.points,
            change,
            scored,
            round.id.0,
            part.player
        );
        store.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Adds the round to the standings: the people whose round counts, and, hidden, the model.
async fn stand(
    tx: &mut Transaction<'_, Sqlite>,
    round: &Round,
    parts: &[Part],
    periods: &str,
) -> Result<(), StoreError> {
    let ids =
        sqlx::query!("SELECT chat_id, model_id FROM rounds WHERE id = ?", round.id.0).fetch_one(&mut **tx).await?;
    let model_right = i64::from(round.model_right());
    let scored = parts.iter().filter(|part| part.is_scored());
    let people = scored.map(|part| (part.player, part.answered, part.right, part.points, 0_i64));
    let questions = round.questions.len() as i64;
    let mut all: Vec<(i64, i64, i64, i64, i64)> = people.collect();
    if !all.is_empty() {
        all.push((ids.model_id, questions, model_right, model_right * i64::from(RIGHT), 1));
    }
    let places: Vec<(i64, &str)> =
        [0, ids.chat_id].into_iter().flat_map(|chat| periods.split(' ').map(move |period| (chat, period))).collect();
    for (player, answers, right, points, hidden) in all {
        for (chat, period) in &places {
            let add = sqlx::query!(
                "INSERT INTO standings (chat_id, period, player_id, answers, right_answers, points, hidden)
                 VALUES (?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET answers = answers + excluded.answers,
                     right_answers = right_answers + excluded.right_answers, points = points + excluded.points",
                chat,
                period,
                player,
                answers,
                right,
                points,
                hidden
            );
            add.execute(&mut **tx).await?;
        }
    }
    Ok(())
}

/// Adds a round to the duels of the people whose round counts.
async fn count_duels(tx: &mut Transaction<'_, Sqlite>, round: i64) -> Result<(), StoreError> {
    let add = sqlx::query!(
        "INSERT INTO duels (player_id, area, both, person, model, neither)
             SELECT e.player_id, json_extract(r.areas, '$[' || q.truth || ']'),
                    SUM(a.is_right AND q.guess = q.truth), SUM(a.is_right AND q.guess <> q.truth),
                    SUM(NOT a.is_right AND q.guess = q.truth), SUM(NOT a.is_right AND q.guess <> q.truth)
             FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
                  JOIN answers AS a ON a.round_id = e.round_id AND a.player_id = e.player_id
                  JOIN questions AS q ON q.round_id = a.round_id AND q.number = a.number
             WHERE e.round_id = ? AND e.scored = 1 GROUP BY 1, 2
         ON CONFLICT DO UPDATE SET both = both + excluded.both, person = person + excluded.person,
             model = model + excluded.model, neither = neither + excluded.neither",
        round
    );
    add.execute(&mut **tx).await?;
    Ok(())
}

async fn streak(tx: &mut Transaction<'_, Sqlite>, player: i64, now: Timestamp) -> Result<(), StoreError> {
    let person = sqlx::query!(
        "SELECT time_zone, day_starts_hour, streak_days, streak_best, streak_last FROM players WHERE id = ?",
        player
    );
    let person = person.fetch_one(&mut **tx).await?;
    let zone = TimeZone::get(&person.time_zone).unwrap_or(TimeZone::UTC);
    let day = score::day_of(now, &zone, i8::try_from(person.day_starts_hour).unwrap_or(0));
    let before = Streak {
        days: u32::try_from(person.streak_days).unwrap_or(0),
        best: u32::try_from(person.streak_best).unwrap_or(0),
        last: person.streak_last.and_then(|day| day.parse().ok()),
    };
    let after = before.played_on(day);
    let last = after.last.map(|day| day.to_string());
    let update = sqlx::query!(
        "UPDATE players SET streak_days = ?, streak_best = ?, streak_last = ? WHERE id = ?",
        after.days,
        after.best,
        last,
        player
    );
    update.execute(&mut **tx).await?;
    Ok(())
}

async fn entries(db: &mut SqliteConnection, round: &Round) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query!(
        "SELECT e.player_id, p.name, e.answered, COALESCE(e.right_answers, 0) AS \"right!: i64\",
                COALESCE(e.points, 0) AS \"points!: i64\", COALESCE(e.rating_change, 0.0) AS \"change!: f64\",
                COALESCE(e.scored, 0) AS \"scored!: bool\"
         FROM entries AS e JOIN players AS p ON p.id = e.player_id WHERE e.round_id = ?
         ORDER BY e.points DESC, e.right_answers DESC, p.name, e.player_id",
        round.id.0
    );
    let rows = rows.fetch_all(&mut *db).await?;
    let answers = sqlx::query!("SELECT player_id, number, choice FROM answers WHERE round_id = ?", round.id.0);
    let answers = answers.fetch_all(&mut *db).await?;
    let entry = |row: usize| {
        let row = &rows[row];
        let mut choices = vec![None; round.questions.len()];
        for answer in answers.iter().filter(|answer| answer.player_id == row.player_id) {
            let at = usize::try_from(answer.number - 1).ok();
            if let Some(slot) = at.and_then(|at| choices.get_mut(at)) {
                *slot = u8::try_from(answer.choice).ok();
            }
        }
        Entry {
            player: PlayerId(row.player_id),
            name: row.name.clone(),
            answered: u8::try_from(row.answered).unwrap_or(0),
            right: u8::try_from(row.right).unwrap_or(0),
            points: u32::try_from(row.points).unwrap_or(0),
            rating_change: row.change,
            scored: row.scored,
            choices,
        }
    };
    Ok((0..rows.len()).map(entry).collect())
}

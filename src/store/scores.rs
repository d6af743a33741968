//! What people ask of the scores: leaderboards, their own, and theirs against the model's.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::rounds::known_chat;
use super::{Store, StoreError, row};
use crate::domain::quiz::PlayerId;
use crate::domain::score::{self, Duel, Streak};
use crate::domain::{Area, ChatRef};

/// A page of a leaderboard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The people on it, the best first.
    pub rows: Vec<Row>,
    /// Whether there is another page.
    pub more: bool,
    /// The model that played most in these rounds.
    pub model: Option<ModelRow>,
}

/// A person on a leaderboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Their place, from 1.
    pub rank: u32,
    /// Who.
    pub player: PlayerId,
    /// Their name.
    pub name: String,
    /// Points.
    pub points: i64,
    /// Answers.
    pub answers: i64,
    /// Right answers.
    pub right: i64,
    /// Rating.
    pub rating: f64,
}

/// The model beside a leaderboard.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRow {
    /// Name and version.
    pub name: String,
    /// Guesses.
    pub answers: i64,
    /// Right guesses.
    pub right: i64,
    /// Rating.
    pub rating: f64,
}

/// A person's own scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Answers.
    pub answers: i64,
    /// Right answers.
    pub right: i64,
    /// Points.
    pub points: i64,
    /// Their place; `None` for who is not ranked (yet).
    pub rank: Option<u32>,
    /// Rating.
    pub rating: f64,
    /// Rounds that moved it.
    pub rated_rounds: i64,
    /// Days in a row.
    pub streak: Streak,
}

/// The periods that a moment belongs to: `all`, its month `2026-11` and its ISO week `2026-W48`, in `zone`.
#[must_use]
pub fn keys(at: Timestamp, zone: &TimeZone) -> [String; 3] {
    let day = score::day_of(at, zone, 0);
    let week = day.iso_week_date();
    [
        "all".to_owned(),
        format!("{:04}-{:02}", day.year(), day.month()),
        format!("{:04}-W{:02}", week.year(), week.week()),
    ]
}

impl Store {
    /// A page of the leaderboard of a chat, or of all; `period` is one of [`keys`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn board(
        &self,
        chat: Option<&ChatRef>,
        period: &str,
        page: u32,
        per_page: u32,
    ) -> Result<Board, StoreError> {
        let Some(scope) = self.scope(chat).await? else { return Ok(Board::default()) };
        let skipped = page.saturating_mul(per_page);
        let mut rows = self.ranked(scope, period, skipped, per_page.saturating_add(1)).await?;
        let more = rows.len() > per_page as usize;
        rows.truncate(per_page as usize);
        Ok(Board { rows, more, model: self.model(scope, period).await? })
    }

    /// So many people of a leaderboard after the first so many.
    async fn ranked(&self, scope: i64, period: &str, skipped: u32, count: u32) -> Result<Vec<Row>, StoreError> {
        // Bands of points lead to the page: first the wide one that its first row is in, then the narrow one of that,
        // then past the few people above it there.
        let found = sqlx::query!(
            "WITH wide (band, before) AS MATERIALIZED (
                 SELECT band, up_to - people
                 FROM (SELECT band, people, SUM(people) OVER (ORDER BY band DESC) AS up_to FROM ranks
                       WHERE chat_id = ?1 AND period = ?2 AND width = 1024)
                 WHERE up_to > ?3 ORDER BY band DESC LIMIT 1),
             narrow (points, before) AS MATERIALIZED (
                 SELECT n.band * 32 + 31, wide.before + n.up_to - n.people
                 FROM wide CROSS JOIN
                      (SELECT band, people, SUM(people) OVER (ORDER BY band DESC) AS up_to FROM ranks
                       WHERE chat_id = ?1 AND period = ?2 AND width = 32
                         AND band >= (SELECT band * 32 FROM wide) AND band < (SELECT (band + 1) * 32 FROM wide)) AS n
                 WHERE wide.before + n.up_to > ?3 ORDER BY n.band DESC LIMIT 1)
             SELECT s.player_id AS \"player_id!\", p.name AS \"name!\", s.points AS \"points!\", s.answers AS \"answers!\",
                    s.right_answers AS \"right_answers!\", p.rating AS \"rating!\"
             FROM (SELECT player_id, points, right_answers FROM standings INDEXED BY standings_ranked
                   WHERE chat_id = ?1 AND period = ?2 AND hidden = 0 AND answers >= 5
                     AND points <= (SELECT points FROM narrow)
                   ORDER BY points DESC, right_answers DESC, player_id
                   LIMIT ?4 OFFSET ?3 - COALESCE((SELECT before FROM narrow), ?3)) AS r
                  CROSS JOIN standings AS s
                      ON s.chat_id = ?1 AND s.period = ?2 AND s.player_id = r.player_id
                  CROSS JOIN players AS p ON p.id = r.player_id
             ORDER BY r.points DESC, r.right_answers DESC, r.player_id",
            scope,
            period,
            skipped,
            count
        );
        let found = found.fetch_all(&self.reader).await?;
        let rows = found.into_iter().zip(skipped.saturating_add(1)..).map(|(row, rank)| Row {
            rank,
            player: PlayerId(row.player_id),
            name: row.name,
            points: row.points,
            answers: row.answers,
            right: row.right_answers,
            rating: row.rating,
        });
        Ok(rows.collect())
    }

    async fn model(&self, scope: i64, period: &str) -> Result<Option<ModelRow>, StoreError> {
        // `> ''` finds models by their index, which `IS NOT NULL` would not.
        let found = sqlx::query!(
            "SELECT p.name, s.answers, s.right_answers, p.rating
             FROM players AS p CROSS JOIN standings AS s ON s.player_id = p.id AND s.chat_id = ? AND s.period = ?
             WHERE p.model > '' ORDER BY s.answers DESC LIMIT 1",
            scope,
            period
        );
        let found = found.fetch_optional(&self.reader).await?;
        let model = |name, answers, right, rating| ModelRow { name, answers, right, rating };
        Ok(found.map(|row| model(row.name, row.answers, row.right_answers, row.rating)))
    }

    /// A person's scores in a chat, or in all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn score(&self, player: PlayerId, chat: Option<&ChatRef>) -> Result<Score, StoreError> {
        let person = sqlx::query!(
            "SELECT rating, rated_rounds, streak_days, streak_best, streak_last FROM players WHERE id = ?",
            player.0
        );
        let person = person.fetch_one(&self.reader).await?;
        let scope = self.scope(chat).await?;
        // The place is one more than stand above: those in higher bands of points, wide and then narrow, and the few in
        // the same one; in the order of the index, so that leaderboard and score agree.
        let sums = sqlx::query!(
            "SELECT s.answers, s.right_answers, s.points, CASE WHEN s.hidden = 0 AND s.answers >= 5 THEN 1
                 + (SELECT COALESCE(SUM(people), 0) FROM ranks
                    WHERE chat_id = s.chat_id AND period = s.period AND width = 1024 AND band > s.points / 1024)
                 + (SELECT COALESCE(SUM(people), 0) FROM ranks
                    WHERE chat_id = s.chat_id AND period = s.period AND width = 32
                      AND band > s.points / 32 AND band < (s.points / 1024 + 1) * 32)
                 + (SELECT COUNT(*) FROM standings AS o INDEXED BY standings_ranked
                    WHERE o.chat_id = s.chat_id AND o.period = s.period AND o.hidden = 0 AND o.answers >= 5
                      AND o.points > s.points AND o.points < (s.points / 32 + 1) * 32)
                 + (SELECT COUNT(*) FROM standings AS o INDEXED BY standings_ranked
                    WHERE o.chat_id = s.chat_id AND o.period = s.period AND o.hidden = 0 AND o.answers >= 5
                      AND o.points = s.points AND o.right_answers > s.right_answers)
                 + (SELECT COUNT(*) FROM standings AS o INDEXED BY standings_ranked
                    WHERE o.chat_id = s.chat_id AND o.period = s.period AND o.hidden = 0 AND o.answers >= 5
                      AND o.points = s.points AND o.right_answers = s.right_answers AND o.player_id < s.player_id)
                 END AS \"rank?: i64\"
             FROM standings AS s WHERE s.chat_id = ? AND s.period = 'all' AND s.player_id = ?",
            scope,
            player.0
        );
        let sums = sums.fetch_optional(&self.reader).await?;
        Ok(Score {
            answers: sums.as_ref().map_or(0, |sums| sums.answers),
            right: sums.as_ref().map_or(0, |sums| sums.right_answers),
            points: sums.as_ref().map_or(0, |sums| sums.points),
            rank: sums.and_then(|sums| sums.rank).map(|rank| u32::try_from(rank).unwrap_or(u32::MAX)),
            rating: person.rating,
            rated_rounds: person.rated_rounds,
            streak: Streak {
                days: u32::try_from(person.streak_days).unwrap_or(0),
                best: u32::try_from(person.streak_best).unwrap_or(0),
                last: person.streak_last.and_then(|day| day.parse().ok()),
            },
        })
    }

    /// A person against the model by true area, over all photos whose answers were scored; most photos first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn duels(&self, player: PlayerId) -> Result<Vec<(Area, Duel)>, StoreError> {
        let rows = sqlx::query!(
            "SELECT area, both, person, model, neither FROM duels WHERE player_id = ?
             ORDER BY both + person + model + neither DESC, area",
            player.0
        );
        let rows = rows.fetch_all(&self.reader).await?;
        let count = |value: i64| u32::try_from(value).unwrap_or(0);
        let duel = |json: &str, [both, person, model, neither]: [i64; 4]| -> Result<(Area, Duel), StoreError> {
            let mut area = row::areas(&format!("[{json}]"))?;
            let area = area.pop().ok_or_else(|| StoreError::Content("no area".to_owned()))?;
            let (both, person, model, neither) = (count(both), count(person), count(model), count(neither));
            Ok((area, Duel { both, person, model, neither }))
        };
        rows.iter().map(|row| duel(&row.area, [row.both, row.person, row.model, row.neither])).collect()
    }

    /// The number under which standings keep a chat, 0 for all; `None` for a chat without a round.
    pub(super) async fn scope(&self, chat: Option<&ChatRef>) -> Result<Option<i64>, StoreError> {
        let Some(chat) = chat else { return Ok(Some(0)) };
        known_chat(&mut *self.reader.acquire().await?, chat).await
    }
}

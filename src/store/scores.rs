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
        let (limit, offset) = (i64::from(per_page) + 1, i64::from(skipped));
        let found = sqlx::query!(
            "SELECT s.player_id, p.name, s.points, s.answers, s.right_answers, p.rating
             FROM (SELECT * FROM standings INDEXED BY standings_ranked
                   WHERE chat_id = ? AND period = ? AND hidden = 0 AND answers >= 5
                   ORDER BY points DESC, right_answers DESC, player_id LIMIT ? OFFSET ?) AS s
                  CROSS JOIN players AS p ON p.id = s.player_id",
            scope,
            period,
            limit,
            offset
        );
        let found = found.fetch_all(&self.reader).await?;
        let more = found.len() > per_page as usize;
        let rows = found.into_iter().take(per_page as usize).zip(skipped + 1..).map(|(row, rank)| Row {
            rank,
            player: PlayerId(row.player_id),
            name: row.name,
            points: row.points,
            answers: row.answers,
            right: row.right_answers,
            rating: row.rating,
        });
        Ok(Board { rows: rows.collect(), more, model: self.model(scope, period).await? })
    }

    async fn model(&self, scope: i64, period: &str) -> Result<Option<ModelRow>, StoreError> {
        let found = sqlx::query!(
            "SELECT p.name, s.answers, s.right_answers, p.rating
             FROM players AS p CROSS JOIN standings AS s ON s.player_id = p.id AND s.chat_id = ? AND s.period = ?
             WHERE p.model IS NOT NULL ORDER BY s.answers DESC LIMIT 1",
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
        let sums = sqlx::query!(
            "SELECT answers, right_answers, points, hidden FROM standings
             WHERE chat_id = ? AND period = 'all' AND player_id = ?",
            scope,
            player.0
        );
        let sums = sums.fetch_optional(&self.reader).await?;
        let mut found = Score {
            answers: sums.as_ref().map_or(0, |sums| sums.answers),
            right: sums.as_ref().map_or(0, |sums| sums.right_answers),
            points: sums.as_ref().map_or(0, |sums| sums.points),
            rank: None,
            rating: person.rating,
            rated_rounds: person.rated_rounds,
            streak: Streak {
                days: u32::try_from(person.streak_days).unwrap_or(0),
                best: u32::try_from(person.streak_best).unwrap_or(0),
                last: person.streak_last.and_then(|day| day.parse().ok()),
            },
        };
        let is_ranked = found.answers >= score::MIN_RANKED_ANSWERS && sums.is_some_and(|sums| sums.hidden == 0);
        if let (true, Some(scope)) = (is_ranked, scope) {
            found.rank = Some(self.rank(scope, player, &found).await?);
        }
        Ok(found)
    }

    /// One more than stand above: in the order of the index, so that leaderboard and score agree.
    async fn rank(&self, scope: i64, player: PlayerId, of: &Score) -> Result<u32, StoreError> {
        let above = sqlx::query_scalar!(
            "SELECT (SELECT COUNT(*) FROM standings INDEXED BY standings_ranked
                     WHERE chat_id = ? AND period = 'all' AND hidden = 0 AND answers >= 5 AND points > ?)
                  + (SELECT COUNT(*) FROM standings INDEXED BY standings_ranked
                     WHERE chat_id = ? AND period = 'all' AND hidden = 0 AND answers >= 5 AND points = ?
                       AND (right_answers > ? OR (right_answers = ? AND player_id < ?))) AS \"above!: i64\"",
            scope,
            of.points,
            scope,
            of.points,
            of.right,
            of.right,
            player.0
        );
        Ok(u32::try_from(above.fetch_one(&self.reader).await?).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// A person against the model by true area, over all photos whose answers were scored; most photos first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn duels(&self, player: PlayerId) -> Result<Vec<(Area, Duel)>, StoreError> {
        let rows = sqlx::query!(
            "SELECT json_extract(r.areas, '$[' || q.truth || ']') AS \"area!: String\",
                    SUM(a.is_right AND q.guess = q.truth) AS \"both!: i64\",
                    SUM(a.is_right AND q.guess <> q.truth) AS \"person!: i64\",
                    SUM(NOT a.is_right AND q.guess = q.truth) AS \"model!: i64\",
                    SUM(NOT a.is_right AND q.guess <> q.truth) AS \"neither!: i64\"
             FROM entries AS e JOIN rounds AS r ON r.id = e.round_id
                  JOIN answers AS a ON a.round_id = e.round_id AND a.player_id = e.player_id
                  JOIN questions AS q ON q.round_id = a.round_id AND q.number = a.number
             WHERE e.player_id = ? AND e.scored = 1 AND r.state = 'closed'
             GROUP BY 1 ORDER BY COUNT(*) DESC, 1",
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
    async fn scope(&self, chat: Option<&ChatRef>) -> Result<Option<i64>, StoreError> {
        let Some(chat) = chat else { return Ok(Some(0)) };
        known_chat(&mut *self.reader.acquire().await?, chat).await
    }
}

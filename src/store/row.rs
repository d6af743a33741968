//! Rows of rounds and questions as the domain's values.

use std::str::FromStr;

use sqlx::SqliteConnection;

use super::{StoreError, moment};
use crate::domain::quiz::{Credit, ModelVersion, PlayerId, Question, Round, RoundId};
use crate::domain::{Area, ChatRef, Platform};

/// A row of `rounds` with what hangs on it.
pub(super) struct RoundRow {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) platform: String,
    pub(super) external_id: i64,
    pub(super) thread: Option<i64>,
    pub(super) alone: i64,
    pub(super) starter_id: Option<i64>,
    pub(super) lang: String,
    pub(super) model_sha256: Option<String>,
    pub(super) model_name: String,
    pub(super) model_version: String,
    pub(super) areas: String,
    pub(super) cut_seed: i64,
    pub(super) code: String,
    pub(super) seconds: i64,
    pub(super) state: String,
    pub(super) opened_at: Option<i64>,
    pub(super) deadline_at: Option<i64>,
    pub(super) bell_at: Option<i64>,
    pub(super) message: Option<i64>,
}

/// A stored name as its value.
pub(super) fn named<T: FromStr>(name: &str) -> Result<T, StoreError> {
    name.parse().map_err(|_| StoreError::Content(format!("the unknown word {name:?}")))
}

/// A stored service.
pub(super) fn platform(name: &str) -> Result<Platform, StoreError> {
    Platform::parse(name).ok_or_else(|| StoreError::Content(format!("the service {name:?}")))
}

impl RoundRow {
    fn into_round(self, questions: Vec<Question>) -> Result<Round, StoreError> {
        let platform = platform(&self.platform)?;
        Ok(Round {
            id: RoundId(self.id),
            kind: named(&self.kind)?,
            chat: ChatRef { platform, id: self.external_id },
            thread: self.thread,
            alone: self.alone != 0,
            starter: self.starter_id.map(PlayerId),
            lang: self.lang,
            model: ModelVersion {
                sha256: self.model_sha256.unwrap_or_default(),
                name: self.model_name,
                version: self.model_version,
            },
            areas: areas(&self.areas)?,
            questions,
            cut_seed: self.cut_seed.cast_unsigned(),
            code: self.code,
            seconds: u32::try_from(self.seconds).unwrap_or(0),
            state: named(&self.state)?,
            opened_at: self.opened_at.map(moment).transpose()?,
            deadline: self.deadline_at.map(moment).transpose()?,
            bell: self.bell_at.map(moment).transpose()?,
            message: self.message,
        })
    }
}

/// Areas from the JSON of a round.
pub(super) fn areas(json: &str) -> Result<Vec<Area>, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Content(format!("areas that cannot be read: {error}")))
}

/// The round of that number.
pub(super) async fn round(db: &mut SqliteConnection, id: i64) -> Result<Option<Round>, StoreError> {
    let row = sqlx::query_as!(
        RoundRow,
        "SELECT r.id, r.kind, c.platform, c.external_id, r.thread, r.alone, r.starter_id, r.lang,
                p.model AS model_sha256, r.model_name, r.model_version, r.areas, r.cut_seed, s.code, r.seconds,
                r.state, r.opened_at, r.deadline_at, r.bell_at, r.message
         FROM rounds AS r JOIN chats AS c ON c.id = r.chat_id JOIN sets AS s ON s.id = r.set_id
              JOIN players AS p ON p.id = r.model_id
         WHERE r.id = ?",
        id
    );
    let Some(row) = row.fetch_optional(&mut *db).await? else { return Ok(None) };
    let questions = questions(db, id).await?;
    row.into_round(questions).map(Some)
}

async fn questions(db: &mut SqliteConnection, round: i64) -> Result<Vec<Question>, StoreError> {
    let rows = sqlx::query_as!(
        QuestionRow,
        "SELECT number, photo, truth, guess, probability, source, licence, url FROM questions
         WHERE round_id = ? ORDER BY number",
        round
    );
    rows.fetch_all(&mut *db).await?.into_iter().map(QuestionRow::into_question).collect()
}

struct QuestionRow {
    number: i64,
    photo: String,
    truth: i64,
    guess: i64,
    probability: f64,
    source: String,
    licence: String,
    url: Option<String>,
}

impl QuestionRow {
    fn into_question(self) -> Result<Question, StoreError> {
        let index =
            |value: i64| usize::try_from(value).map_err(|_| StoreError::Content(format!("the negative index {value}")));
        Ok(Question {
            number: u8::try_from(self.number).unwrap_or(0),
            photo: self.photo,
            truth: index(self.truth)?,
            guess: index(self.guess)?,
            probability: self.probability as f32,
            credit: Credit { source: self.source, licence: self.licence, url: self.url },
        })
    }
}

//! Rounds while they are prepared and played.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::people::sum_up;
use super::{Store, StoreError, moment, ms, row};
use crate::domain::quiz::{Kind, ModelVersion, PlayerId, Question, Refusal, Round, RoundId, bell, judge};
use crate::domain::{Area, ChatRef};

/// A round to be stored, the model's guesses in its questions.
#[derive(Clone, Debug)]
pub struct NewRound {
    /// Why it has the photos that it has.
    pub kind: Kind,
    /// Where it is played.
    pub chat: ChatRef,
    /// The topic of a forum.
    pub thread: Option<i64>,
    /// Whether one person plays alone.
    pub alone: bool,
    /// Who begins it.
    pub starter: PlayerId,
    /// Language of its announcements: `ja` or `en`.
    pub lang: String,
    /// Which model plays.
    pub model: ModelVersion,
    /// The areas on the buttons.
    pub areas: Vec<Area>,
    /// The photos, in their order.
    pub questions: Vec<Question>,
    /// Seeds how the photos are cut.
    pub cut_seed: u64,
    /// How long answers will count, seconds.
    pub seconds: u32,
    /// The set that the photos are.
    pub set: NewSet,
    /// Whether the chat has seen all photos and begins anew.
    pub forget_seen: bool,
}

/// A set of photos.
#[derive(Clone, Debug)]
pub enum NewSet {
    /// One that is stored, by its number.
    Stored(i64),
    /// A new one.
    New {
        /// Its code for rematches.
        code: String,
        /// The day whose set it is.
        day: Option<Date>,
    },
}

/// A stored set of photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSet {
    /// Its number.
    pub id: i64,
    /// Full Japanese names of the areas, in the order of the buttons.
    pub areas: Vec<String>,
    /// Keys of the photos.
    pub photos: Vec<String>,
}

/// A round is running in the chat already.
#[derive(Clone, Debug)]
pub struct Busy(pub Round);

/// An answer that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Photos that the person has answered.
    pub answered: u8,
    /// Photos of the round.
    pub of: u8,
    /// The first photo that they have not answered.
    pub next: Option<u8>,
    /// Whether the bell rings at another time now.
    pub bell_moved: bool,
}

impl Store {
    /// The photos that a chat has seen since its pool was last used up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen(&self, chat: &ChatRef) -> Result<HashSet<String>, StoreError> {
        let platform = chat.platform.name();
        let seen = sqlx::query_scalar!(
            "SELECT photo FROM seen WHERE chat_id = (SELECT id FROM chats WHERE platform = ? AND external_id = ?)",
            platform,
            chat.id
        );
        Ok(seen.fetch_all(&self.reader).await?.into_iter().collect())
    }

    /// Stores a round, not yet open, in one transaction.
    ///
    /// # Errors
    /// When the database fails; the inner error is the round that runs in the chat already.
    pub async fn prepare(&self, new: NewRound, now: Timestamp) -> Result<Result<Round, Busy>, StoreError> {
        let mut tx = self.write().await?;
        let chat = chat_id(&mut tx, &new.chat).await?;
        if let Some(running) = running(&mut tx, chat).await? {
            return Ok(Err(Busy(running)));
        }
        let set = set_id(&mut tx, &new).await?;
        let round = insert(&mut tx, &new, chat, set, ms(now)).await?;
        if new.forget_seen {
            sqlx::query!("DELETE FROM seen WHERE chat_id = ?", chat).execute(&mut *tx).await?;
        }
        for question in &new.questions {
            insert_question(&mut tx, round, chat, question).await?;
        }
        let stored = row::round(&mut tx, round).await?;
        tx.commit().await?;
        stored.map(Ok).ok_or_else(|| StoreError::Content("no round that was just stored".to_owned()))
    }

    /// The set of a day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_of_day(&self, day: Date) -> Result<Option<StoredSet>, StoreError> {
        let day = day.to_string();
        let found = sqlx::query!("SELECT id, areas, photos FROM sets WHERE day = ?", day);
        let found = found.fetch_optional(&self.reader).await?;
        found.map(|row| stored_set(row.id, &row.areas, &row.photos)).transpose()
    }

    /// The set with this code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_by_code(&self, code: &str) -> Result<Option<StoredSet>, StoreError> {
        let found = sqlx::query!("SELECT id, areas, photos FROM sets WHERE code = ?", code);
        let found = found.fetch_optional(&self.reader).await?;
        found.map(|row| stored_set(row.id, &row.areas, &row.photos)).transpose()
    }

    /// Whether a chat has played a set to the end, or is playing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn played_set(&self, chat: &ChatRef, set: i64) -> Result<bool, StoreError> {
        let platform = chat.platform.name();
        let played = sqlx::query_scalar!(
            "SELECT EXISTS (SELECT 1 FROM rounds JOIN chats ON chats.id = rounds.chat_id
                 WHERE chats.platform = ? AND chats.external_id = ? AND set_id = ? AND state IN ('open', 'closed'))
                 AS \"played!: bool\"",
            platform,
            chat.id,
            set
        );
        Ok(played.fetch_one(&self.reader).await?)
    }

    /// Opens a prepared round: answers count for its seconds from `now`.
    ///
    /// # Errors
    /// When the database fails, and for a round that is not being prepared.
    pub async fn opened(&self, round: RoundId, message: Option<i64>, now: Timestamp) -> Result<Round, StoreError> {
        let now = ms(now);
        let mut tx = self.write().await?;
        let open = sqlx::query!(
            "UPDATE rounds SET state = 'open', opened_at = ?, deadline_at = ? + 1000 * seconds,
                 bell_at = ? + 1000 * seconds, message = ?
             WHERE id = ? AND state = 'preparing'",
            now,
            now,
            now,
            message,
            round.0
        );
        let changed = open.execute(&mut *tx).await?.rows_affected();
        let found = row::round(&mut tx, round.0).await?.filter(|_| changed == 1);
        tx.commit().await?;
        found.ok_or_else(|| StoreError::Content(format!("no round {} that is being prepared", round.0)))
    }

    /// Ends a round without points; its answers are gone. Whether it was still running.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&self, round: RoundId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_running = cancel(&mut tx, round.0, ms(now)).await?;
        tx.commit().await?;
        Ok(was_running)
    }

    /// Calls off rounds that were about to begin when the program ended: whether their pictures reached their chats is
    /// not known. The rounds, to be told of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_unopened(&self, now: Timestamp) -> Result<Vec<Round>, StoreError> {
        let mut tx = self.write().await?;
        // The first condition is that of the index.
        let rounds = sqlx::query_scalar!(
            "SELECT id FROM rounds INDEXED BY rounds_running
             WHERE state IN ('preparing', 'open') AND state = 'preparing'"
        );
        let mut called_off = Vec::new();
        for round in rounds.fetch_all(&mut *tx).await? {
            cancel(&mut tx, round, ms(now)).await?;
            called_off.extend(row::round(&mut tx, round).await?);
        }
        tx.commit().await?;
        Ok(called_off)
    }

    /// The round that runs in a chat, open or about to be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn running(&self, chat: &ChatRef) -> Result<Option<Round>, StoreError> {
        let mut db = self.reader.acquire().await?;
        match known_chat(&mut db, chat).await? {
            Some(chat) => running(&mut db, chat).await,
            None => Ok(None),
        }
    }

    /// The round that a chat played last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_closed(&self, chat: &ChatRef) -> Result<Option<Round>, StoreError> {
        let mut db = self.reader.acquire().await?;
        let Some(chat) = known_chat(&mut db, chat).await? else { return Ok(None) };
        let last = sqlx::query_scalar!(
            "SELECT id FROM rounds WHERE chat_id = ? AND state = 'closed' ORDER BY id DESC LIMIT 1",
            chat
        );
        match last.fetch_optional(&mut *db).await? {
            Some(id) => row::round(&mut db, id).await,
            None => Ok(None),
        }
    }

    /// The round of that number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn round(&self, round: RoundId) -> Result<Option<Round>, StoreError> {
        let mut db = self.reader.acquire().await?;
        row::round(&mut db, round.0).await
    }

    /// The areas on the buttons of a round, if it is played in that chat: all that a press needs to know of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn areas(&self, round: RoundId, chat: &ChatRef) -> Result<Option<Vec<Area>>, StoreError> {
        let platform = chat.platform.name();
        let found = sqlx::query_scalar!(
            "SELECT r.areas FROM rounds AS r JOIN chats AS c ON c.id = r.chat_id
             WHERE r.id = ? AND c.platform = ? AND c.external_id = ?",
            round.0,
            platform,
            chat.id
        );
        found.fetch_optional(&self.reader).await?.map(|areas| row::areas(&areas)).transpose()
    }

    /// Counts an answer in one transaction: once, however often it arrives; a later one replaces it.
    ///
    /// # Errors
    /// When the database fails; the inner error says why it does not count.
    #[expect(clippy::too_many_arguments, reason = "each is one plain fact about one press")]
    pub async fn answer(
        &self,
        round: RoundId,
        number: u8,
        choice: u8,
        player: PlayerId,
        present: bool,
        now: Timestamp,
        last_call: SignedDuration,
    ) -> Result<Result<Accepted, Refusal>, StoreError> {
        let mut tx = self.write().await?;
        let sheet = match desk(&mut tx, round, player, present, now).await? {
            Ok(sheet) => sheet,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !(1..=sheet.photos).contains(&i64::from(number)) || i64::from(choice) >= sheet.choices {
            return Ok(Err(Refusal::Unknown));
        }
        put(&mut tx, round, player, number, choice, ms(now)).await?;
        let (answered, next) = progress(&mut tx, round, player, sheet.photos).await?;
        let bell_moved = move_bell(&mut tx, round, &sheet, now, last_call).await?;
        tx.commit().await?;
        let of = u8::try_from(sheet.photos).unwrap_or(u8::MAX);
        Ok(Ok(Accepted { answered, of, next, bell_moved }))
    }

    /// A person's answers in a round by photo: indices into its areas.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn choices(&self, round: &Round, player: PlayerId) -> Result<Vec<Option<u8>>, StoreError> {
        let answers = sqlx::query!(
            "SELECT number, choice FROM answers WHERE round_id = ? AND player_id = ?",
            round.id.0,
            player.0
        );
        let mut choices = vec![None; round.questions.len()];
        for answer in answers.fetch_all(&self.reader).await? {
            let slot = usize::try_from(answer.number - 1).ok().and_then(|at| choices.get_mut(at));
            slot.into_iter().for_each(|slot| *slot = u8::try_from(answer.choice).ok());
        }
        Ok(choices)
    }

    /// When the next bell rings.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_bell(&self) -> Result<Option<Timestamp>, StoreError> {
        let next = sqlx::query_scalar!("SELECT MIN(bell_at) AS \"bell: i64\" FROM rounds WHERE state = 'open'");
        next.fetch_one(&self.reader).await?.map(moment).transpose()
    }

    /// The rounds whose bell has rung: not in this very millisecond, in which answers still count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&self, now: Timestamp) -> Result<Vec<RoundId>, StoreError> {
        let now = ms(now);
        let due = sqlx::query_scalar!("SELECT id FROM rounds WHERE state = 'open' AND bell_at < ?", now);
        Ok(due.fetch_all(&self.reader).await?.into_iter().map(RoundId).collect())
    }
}

fn stored_set(id: i64, areas: &str, photos: &str) -> Result<StoredSet, StoreError> {
    let read = |json: &str| serde_json::from_str(json).map_err(|error| StoreError::Content(format!("a set: {error}")));
    Ok(StoredSet { id, areas: read(areas)?, photos: read(photos)? })
}

pub(super) async fn known_chat(db: &mut SqliteConnection, chat: &ChatRef) -> Result<Option<i64>, StoreError> {
    let platform = chat.platform.name();
    let found = sqlx::query_scalar!("SELECT id FROM chats WHERE platform = ? AND external_id = ?", platform, chat.id);
    Ok(found.fetch_optional(db).await?)
}

async fn chat_id(tx: &mut Transaction<'_, Sqlite>, chat: &ChatRef) -> Result<i64, StoreError> {
    if let Some(id) = known_chat(&mut *tx, chat).await? {
        return Ok(id);
    }
    let platform = chat.platform.name();
    let new = sqlx::query!("INSERT INTO chats (platform, external_id) VALUES (?, ?)", platform, chat.id);
    Ok(new.execute(&mut **tx).await?.last_insert_rowid())
}

async fn running(db: &mut SqliteConnection, chat: i64) -> Result<Option<Round>, StoreError> {
    let found = sqlx::query_scalar!("SELECT id FROM rounds WHERE chat_id = ? AND state IN ('preparing', 'open')", chat);
    match found.fetch_optional(&mut *db).await? {
        Some(id) => row::round(db, id).await,
        None => Ok(None),
    }
}

async fn set_id(tx: &mut Transaction<'_, Sqlite>, new: &NewRound) -> Result<i64, StoreError> {
    let (code, day) = match &new.set {
        NewSet::Stored(id) => return Ok(*id),
        NewSet::New { code, day } => (code, day.map(|day| day.to_string())),
    };
    // Two chats may draw the set of the day at the same moment: they draw the same.
    let same = sqlx::query_scalar!("SELECT id FROM sets WHERE day = ?", day);
    if let Some(id) = same.fetch_optional(&mut **tx).await? {
        return Ok(id);
    }
    let areas: Vec<&str> = new.areas.iter().map(|area| area.area.as_str()).collect();
    let photos: Vec<&str> = new.questions.iter().map(|question| question.photo.as_str()).collect();
    let (areas, photos) = (json(&areas)?, json(&photos)?);
    let insert =
        sqlx::query!("INSERT INTO sets (code, day, areas, photos) VALUES (?, ?, ?, ?)", code, day, areas, photos);
    Ok(insert.execute(&mut **tx).await?.last_insert_rowid())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Content(error.to_string()))
}

async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    new: &NewRound,
    chat: i64,
    set: i64,
    now: i64,
) -> Result<i64, StoreError> {
    let model = model_id(tx, &new.model, now).await?;
    let (kind, areas) = (new.kind.name(), json(&new.areas)?);
    let (alone, cut_seed, seconds) = (i64::from(new.alone), new.cut_seed.cast_signed(), i64::from(new.seconds));
    let (starter, lang) = (new.starter.0, &new.lang);
    let (model_name, model_version) = (&new.model.name, &new.model.version);
    let insert = sqlx::query!(
        "INSERT INTO rounds (chat_id, thread, set_id, kind, alone, starter_id, lang, model_id, model_name,
             model_version, areas, cut_seed, seconds, state, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'preparing', ?)",
        chat,
        new.thread,
        set,
        kind,
        alone,
        starter,
        lang,
        model,
        model_name,
        model_version,
        areas,
        cut_seed,
        seconds,
        now
    );
    Ok(insert.execute(&mut **tx).await?.last_insert_rowid())
}

/// The model as a player: each version is one.
async fn model_id(tx: &mut Transaction<'_, Sqlite>, model: &ModelVersion, now: i64) -> Result<i64, StoreError> {
    let found = sqlx::query_scalar!("SELECT id FROM players WHERE model = ?", model.sha256);
    if let Some(id) = found.fetch_optional(&mut **tx).await? {
        return Ok(id);
    }
    let name = format!("{} {}", model.name, model.version);
    let new = sqlx::query!(
        "INSERT INTO players (model, name, time_zone, created_at) VALUES (?, ?, 'UTC', ?)",
        model.sha256,
        name,
        now
    );
    Ok(new.execute(&mut **tx).await?.last_insert_rowid())
}

async fn insert_question(
    tx: &mut Transaction<'_, Sqlite>,
    round: i64,
    chat: i64,
    question: &Question,
) -> Result<(), StoreError> {
    let (number, truth, guess) = (i64::from(question.number), question.truth as i64, question.guess as i64);
    let (photo, probability, credit) = (&question.photo, f64::from(question.probability), &question.credit);
    let insert = sqlx::query!(
        "INSERT INTO questions (round_id, number, photo, truth, guess, probability, source, licence, url)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        round,
        number,
        photo,
        truth,
        guess,
        probability,
        credit.source,
        credit.licence,
        credit.url
    );
    insert.execute(&mut **tx).await?;
    let seen = sqlx::query!("INSERT INTO seen (chat_id, photo) VALUES (?, ?) ON CONFLICT DO NOTHING", chat, photo);
    seen.execute(&mut **tx).await?;
    Ok(())
}

async fn cancel(tx: &mut Transaction<'_, Sqlite>, round: i64, now: i64) -> Result<bool, StoreError> {
    let end = sqlx::query!(
        "UPDATE rounds SET state = 'cancelled', closed_at = ? WHERE id = ? AND state IN ('preparing', 'open')",
        now,
        round
    );
    if end.execute(&mut **tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("DELETE FROM answers WHERE round_id = ?", round).execute(&mut **tx).await?;
    sqlx::query!("DELETE FROM entries WHERE round_id = ?", round).execute(&mut **tx).await?;
    sum_up(tx, round).await?;
    Ok(true)
}

/// What an answer is judged by.
struct Sheet {
    photos: i64,
    choices: i64,
    alone: bool,
    deadline: Timestamp,
    bell: Timestamp,
}

async fn desk(
    tx: &mut Transaction<'_, Sqlite>,
    round: RoundId,
    player: PlayerId,
    present: bool,
    now: Timestamp,
) -> Result<Result<Sheet, Refusal>, StoreError> {
    let found = sqlx::query!(
        "SELECT state, alone, bell_at, deadline_at, json_array_length(areas) AS \"choices!: i64\",
                (SELECT COUNT(*) FROM questions WHERE round_id = rounds.id) AS \"photos!: i64\",
                EXISTS (SELECT 1 FROM departures WHERE chat_id = rounds.chat_id AND player_id = ?)
                    AS \"departed!: bool\"
         FROM rounds WHERE id = ?",
        player.0,
        round.0
    );
    let Some(found) = found.fetch_optional(&mut **tx).await? else { return Ok(Err(Refusal::Unknown)) };
    let bell = found.bell_at.map(moment).transpose()?;
    let left = !present || found.departed;
    if let Err(refusal) = judge(row::named(&found.state)?, bell, now, left) {
        return Ok(Err(refusal));
    }
    let deadline = found.deadline_at.map(moment).transpose()?;
    let (Some(bell), Some(deadline)) = (bell, deadline) else { return Ok(Err(Refusal::NotOpen)) };
    Ok(Ok(Sheet { photos: found.photos, choices: found.choices, alone: found.alone != 0, deadline, bell }))
}

async fn put(
    tx: &mut Transaction<'_, Sqlite>,
    round: RoundId,
    player: PlayerId,
    number: u8,
    choice: u8,
    now: i64,
) -> Result<(), StoreError> {
    let (number, choice) = (i64::from(number), i64::from(choice));
    let join = sqlx::query!(
        "INSERT INTO entries (round_id, player_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        round.0,
        player.0
    );
    join.execute(&mut **tx).await?;
    // The same choice again keeps the time of the first.
    let put = sqlx::query!(
        "INSERT INTO answers (round_id, number, player_id, choice, answered_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET choice = excluded.choice, answered_at = excluded.answered_at
             WHERE choice <> excluded.choice",
        round.0,
        number,
        player.0,
        choice,
        now
    );
    put.execute(&mut **tx).await?;
    Ok(())
}

/// How many photos the person has answered, and the first that they have not.
async fn progress(
    tx: &mut Transaction<'_, Sqlite>,
    round: RoundId,
    player: PlayerId,
    photos: i64,
) -> Result<(u8, Option<u8>), StoreError> {
    let numbers =
        sqlx::query_scalar!("SELECT number FROM answers WHERE round_id = ? AND player_id = ?", round.0, player.0);
    let numbers: HashSet<i64> = numbers.fetch_all(&mut **tx).await?.into_iter().collect();
    let answered = numbers.len() as i64;
    let update = sqlx::query!(
        "UPDATE entries SET answered = ? WHERE round_id = ? AND player_id = ? AND answered <> ?",
        answered,
        round.0,
        player.0,
        answered
    );
    update.execute(&mut **tx).await?;
    let next = (1..=photos).find(|number| !numbers.contains(number)).and_then(|number| u8::try_from(number).ok());
    Ok((u8::try_from(answered).unwrap_or(u8::MAX), next))
}

async fn move_bell(
    tx: &mut Transaction<'_, Sqlite>,
    round: RoundId,
    sheet: &Sheet,
    now: Timestamp,
    last_call: SignedDuration,
) -> Result<bool, StoreError> {
    let waiting = sqlx::query_scalar!(
        "SELECT EXISTS (SELECT 1 FROM entries AS e WHERE e.round_id = ? AND e.answered < ? AND NOT EXISTS
             (SELECT 1 FROM departures AS d JOIN rounds AS r ON r.chat_id = d.chat_id
              WHERE r.id = e.round_id AND d.player_id = e.player_id)) AS \"waiting!: bool\"",
        round.0,
        sheet.photos
    );
    let all_done = !waiting.fetch_one(&mut **tx).await?;
    // A last call that has begun goes on while people change their minds.
    let has_begun = sheet.bell < sheet.deadline;
    let rings =
        if all_done && has_begun { sheet.bell } else { bell(sheet.deadline, now, all_done, sheet.alone, last_call) };
    if rings == sheet.bell {
        return Ok(false);
    }
    let rings = ms(rings);
    sqlx::query!("UPDATE rounds SET bell_at = ? WHERE id = ?", rings, round.0).execute(&mut **tx).await?;
    Ok(true)
}

//! The queue of long work: one of a kind runs, the others wait in the order in which they were asked.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};

use super::row::{named, platform};
use super::{Store, StoreError, moment, ms};
use crate::domain::job::{Client, Job, JobId, JobKind, JobState};
use crate::domain::{ChatRef, UserRef};

/// A row of `jobs`.
struct JobRow {
    id: i64,
    kind: String,
    request: String,
    platform: String,
    chat: i64,
    thread: Option<i64>,
    asker: i64,
    lang: String,
    state: String,
    message: Option<i64>,
    progress: Option<String>,
    outcome: Option<String>,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

impl JobRow {
    fn into_job(self) -> Result<Job, StoreError> {
        let platform = platform(&self.platform)?;
        let client = Client {
            user: UserRef { platform, id: self.asker },
            chat: ChatRef { platform, id: self.chat },
            thread: self.thread,
            lang: self.lang,
        };
        Ok(Job {
            id: JobId(self.id),
            kind: named(&self.kind)?,
            request: self.request,
            client,
            state: named(&self.state)?,
            message: self.message,
            progress: self.progress,
            outcome: self.outcome,
            created: moment(self.created_at)?,
            started: self.started_at.map(moment).transpose()?,
            ended: self.ended_at.map(moment).transpose()?,
        })
    }
}

/// What became of a confirmed offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It is queued.
    Queued(JobId),
    /// The same waits or runs already.
    Same(JobId),
    /// There is no such offer any more.
    Gone,
}

/// How a job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// With a result, JSON of the kind's own shape.
    Done(String),
    /// In words, why it could not be done.
    Failed(String),
    /// An admin ended it.
    Cancelled,
}

impl Store {
    /// Puts a job at the end of the queue, unless the same waits or runs already: then it is that one. Whether it is
    /// new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_job(
        &self,
        kind: JobKind,
        request: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<(JobId, bool), StoreError> {
        let kind = kind.name();
        let mut tx = self.write().await?;
        let same = sqlx::query_scalar!(
            "SELECT id FROM jobs WHERE kind = ? AND request = ? AND state IN ('queued', 'running')",
            kind,
            request
        );
        if let Some(id) = same.fetch_optional(&mut *tx).await? {
            return Ok((JobId(id), false));
        }
        let id = insert(&mut tx, kind, request, client, JobState::Queued, now).await?;
        tx.commit().await?;
        Ok((id, true))
    }

    /// Keeps a job until an admin confirms it; those that were offered before `since` are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer_job(
        &self,
        kind: JobKind,
        request: &str,
        client: &Client,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<JobId, StoreError> {
        let (kind, since) = (kind.name(), ms(since));
        let mut tx = self.write().await?;
        let old = sqlx::query!("DELETE FROM jobs WHERE state = 'offered' AND created_at < ?", since);
        old.execute(&mut *tx).await?;
        let id = insert(&mut tx, kind, request, client, JobState::Offered, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Queues a job that was offered in a chat at `since` or later, unless the same waits or runs already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_job(&self, id: JobId, chat: &ChatRef, since: Timestamp) -> Result<Confirmed, StoreError> {
        let (platform, since) = (chat.platform.name(), ms(since));
        let mut tx = self.write().await?;
        let offered = sqlx::query!(
            "SELECT kind, request FROM jobs
             WHERE id = ? AND state = 'offered' AND created_at >= ? AND platform = ? AND chat = ?",
            id.0,
            since,
            platform,
            chat.id
        );
        let Some(offered) = offered.fetch_optional(&mut *tx).await? else { return Ok(Confirmed::Gone) };
        let same = sqlx::query_scalar!(
            "SELECT id FROM jobs WHERE kind = ? AND request = ? AND state IN ('queued', 'running')",
            offered.kind,
            offered.request
        );
        if let Some(same) = same.fetch_optional(&mut *tx).await? {
            return Ok(Confirmed::Same(JobId(same)));
        }
        sqlx::query!("UPDATE jobs SET state = 'queued', told = 0 WHERE id = ?", id.0).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Confirmed::Queued(id))
    }

    /// Begins the first job of a kind that waits, unless one runs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start_job(&self, kind: JobKind, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let (kind, now) = (kind.name(), ms(now));
        let mut tx = self.write().await?;
        let running = sqlx::query_scalar!("SELECT id FROM jobs WHERE kind = ? AND state = 'running'", kind);
        if running.fetch_optional(&mut *tx).await?.is_some() {
            return Ok(None);
        }
        let first =
            sqlx::query_scalar!("SELECT id FROM jobs WHERE kind = ? AND state = 'queued' ORDER BY id LIMIT 1", kind);
        let Some(id) = first.fetch_optional(&mut *tx).await? else { return Ok(None) };
        // A job of before a restart was begun already.
        let begin = sqlx::query!(
            "UPDATE jobs SET state = 'running', started_at = COALESCE(started_at, ?) WHERE id = ?",
            now,
            id
        );
        begin.execute(&mut *tx).await?;
        let job = job(&mut tx, id).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Has a job of before a restart wait again: it is the oldest, and the first to be begun. One that was to be ended
    /// is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume_jobs(&self, kind: JobKind, now: Timestamp) -> Result<(), StoreError> {
        let (kind, now) = (kind.name(), ms(now));
        let resume = sqlx::query!(
            "UPDATE jobs SET state = IIF(stopping, 'cancelled', 'queued'), ended_at = IIF(stopping, ?, NULL)
             WHERE kind = ? AND state = 'running'",
            now,
            kind
        );
        resume.execute(&self.writer).await?;
        Ok(())
    }

    /// Ends a job that waits, and notes of one that runs that it is to be ended; whether it does either.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stop_job(&self, id: JobId, now: Timestamp) -> Result<bool, StoreError> {
        let now = ms(now);
        let stop = sqlx::query!(
            "UPDATE jobs SET stopping = 1, ended_at = IIF(state = 'queued', ?, NULL),
                 state = IIF(state = 'queued', 'cancelled', state)
             WHERE id = ? AND state IN ('queued', 'running')",
            now,
            id.0
        );
        Ok(stop.execute(&self.writer).await?.rows_affected() == 1)
    }

    /// Ends a job that waits or runs; whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_job(&self, id: JobId, end: &JobEnd, now: Timestamp) -> Result<bool, StoreError> {
        let (state, outcome) = match end {
            JobEnd::Done(result) => (JobState::Done, Some(result)),
            JobEnd::Failed(words) => (JobState::Failed, Some(words)),
            JobEnd::Cancelled => (JobState::Cancelled, None),
        };
        let (state, now) = (state.name(), ms(now));
        let ended = sqlx::query!(
            "UPDATE jobs SET state = ?, outcome = ?, ended_at = ? WHERE id = ? AND state IN ('queued', 'running')",
            state,
            outcome,
            now,
            id.0
        );
        Ok(ended.execute(&self.writer).await?.rows_affected() == 1)
    }

    /// Notes how far a job has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_progress(&self, id: JobId, progress: &str) -> Result<(), StoreError> {
        sqlx::query!("UPDATE jobs SET progress = ? WHERE id = ?", progress, id.0).execute(&self.writer).await?;
        Ok(())
    }

    /// Notes which message shows a job's progress.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_job_message(&self, id: JobId, message: i64) -> Result<(), StoreError> {
        sqlx::query!("UPDATE jobs SET message = ? WHERE id = ?", message, id.0).execute(&self.writer).await?;
        Ok(())
    }

    /// Notes that the chat knows how a job ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job_told(&self, id: JobId) -> Result<(), StoreError> {
        sqlx::query!("UPDATE jobs SET told = 1 WHERE id = ?", id.0).execute(&self.writer).await?;
        Ok(())
    }

    /// Jobs of which a chat does not know yet how they ended, those included that have not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn untold_jobs(&self) -> Result<Vec<JobId>, StoreError> {
        let found = sqlx::query_scalar!("SELECT id FROM jobs INDEXED BY jobs_untold WHERE told = 0 ORDER BY id");
        Ok(found.fetch_all(&self.reader).await?.into_iter().map(JobId).collect())
    }

    /// The job of that number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let mut db = self.reader.begin().await?;
        job(&mut db, id.0).await
    }

    /// The jobs of a kind that run or wait, in the order in which they are done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_jobs(&self, kind: JobKind) -> Result<Vec<JobId>, StoreError> {
        let kind = kind.name();
        let found = sqlx::query_scalar!(
            "SELECT id FROM jobs INDEXED BY jobs_same WHERE kind = ? AND state IN ('queued', 'running')
             ORDER BY state = 'queued', id",
            kind
        );
        Ok(found.fetch_all(&self.reader).await?.into_iter().map(JobId).collect())
    }

    /// The job of a kind that was asked last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_job(&self, kind: JobKind) -> Result<Option<Job>, StoreError> {
        let kind = kind.name();
        let mut db = self.reader.begin().await?;
        let last = sqlx::query_scalar!(
            "SELECT id FROM jobs INDEXED BY jobs_of_kind WHERE kind = ? AND state <> 'offered' ORDER BY id DESC LIMIT 1",
            kind
        );
        match last.fetch_optional(&mut *db).await? {
            Some(id) => job(&mut db, id).await,
            None => Ok(None),
        }
    }
}

async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    kind: &str,
    request: &str,
    client: &Client,
    state: JobState,
    now: Timestamp,
) -> Result<JobId, StoreError> {
    let (platform, now) = (client.chat.platform.name(), ms(now));
    // Nobody waits for news of what is only offered.
    let (told, state) = (i64::from(state == JobState::Offered), state.name());
    let new = sqlx::query!(
        "INSERT INTO jobs (kind, request, platform, chat, thread, asker, lang, state, told, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        kind,
        request,
        platform,
        client.chat.id,
        client.thread,
        client.user.id,
        client.lang,
        state,
        told,
        now
    );
    Ok(JobId(new.execute(&mut **tx).await?.last_insert_rowid()))
}

async fn job(db: &mut Transaction<'_, Sqlite>, id: i64) -> Result<Option<Job>, StoreError> {
    let found = sqlx::query_as!(
        JobRow,
        "SELECT id, kind, request, platform, chat, thread, asker, lang, state, message, progress, outcome, created_at,
                started_at, ended_at
         FROM jobs WHERE id = ?",
        id
    );
    found.fetch_optional(&mut **db).await?.map(JobRow::into_job).transpose()
}

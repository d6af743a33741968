//! Long work that admins ask for: a queue in the database, one job of a kind at a time, progress, cancellation.
//!
//! What a job does is a [`Work`] that the composition root gives. A job that a restart interrupts is taken up again:
//! its work has to go on where it was, or to begin anew. Who asked is told by `chat/jobs.rs`.

pub mod child;
#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use dashmap::DashMap;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::SharedClock;
use crate::domain::ChatRef;
use crate::domain::job::{Client, Job, JobId, JobKind};
pub use crate::store::Confirmed;
use crate::store::{JobEnd, Store, StoreError};

/// How often progress is written down: what a restart may lose of it.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// How long an offer stands: its estimate may be another after that.
pub const OFFERED: SignedDuration = SignedDuration::from_hours(1);
/// Pause after the database has failed.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// What comes of work: its result, JSON of the kind's own shape.
pub type Worked = Result<String, WorkError>;

/// Why work came to no end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
    /// It cannot be done; the words, or JSON of the kind's own shape, say why, and what an admin can do about it.
    #[error("{0}")]
    Failed(String),
}

/// What comes of work that ended so; `words` say why it failed. What failed because it was told to stop has not failed.
///
/// # Errors
/// When the work did.
pub fn worked<T: Serialize, E: From<serde_json::Error>>(
    ended: Result<T, E>,
    stop: &CancellationToken,
    words: impl FnOnce(E) -> String,
) -> Worked {
    match ended.and_then(|outcome| Ok(serde_json::to_string(&outcome)?)) {
        Ok(outcome) => Ok(outcome),
        Err(_) if stop.is_cancelled() => Err(WorkError::Stopped),
        Err(error) => Err(WorkError::Failed(words(error))),
    }
}

/// How the jobs of a kind are done.
pub trait Work: Send + Sync {
    /// Does a job, or goes on with it, until it is done or `stop` is cancelled: then it ends soon, in a state from
    /// which it can go on.
    fn run<'a>(
        &'a self,
        job: &'a Job,
        progress: &'a Progress,
        stop: &'a CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Worked> + Send + 'a>>;
}

/// Where work says how far it has come. Only the last word counts, so it may be said often.
#[derive(Clone)]
pub struct Progress {
    said: watch::Sender<Option<String>>,
    stirred: watch::Sender<()>,
}

impl Progress {
    /// Says how far the work has come, as JSON of the kind's own shape.
    pub fn say(&self, progress: String) {
        self.said.send_replace(Some(progress));
        self.stirred.send_replace(());
    }
}

/// A job that runs here.
struct Running {
    /// Ends the work: an admin's doing, or the program's.
    stop: CancellationToken,
    /// An admin wants it ended.
    cancelled: CancellationToken,
    progress: watch::Receiver<Option<String>>,
}

/// The queue; clones share it. Jobs are done while [`Jobs::run`] runs.
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: SharedClock,
    works: Vec<(JobKind, Arc<dyn Work>)>,
    running: DashMap<JobId, Running>,
    /// Held while jobs are begun or cancelled.
    gate: tokio::sync::Mutex<()>,
    stirred: watch::Sender<()>,
}

impl Jobs {
    /// A queue for these kinds of work.
    #[must_use]
    pub fn new(store: Store, clock: SharedClock, works: Vec<(JobKind, Arc<dyn Work>)>) -> Self {
        let (running, gate, stirred) = (DashMap::new(), tokio::sync::Mutex::default(), watch::Sender::new(()));
        Self { inner: Arc::new(Inner { store, clock, works, running, gate, stirred }) }
    }

    /// Changes whenever anything about any job may have.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.inner.stirred.subscribe()
    }

    /// Queues a job, unless the same waits or runs already: then it is that one. Whether it is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask(&self, kind: JobKind, request: &str, client: &Client) -> Result<(JobId, bool), StoreError> {
        let asked = self.inner.store.add_job(kind, request, client, self.inner.clock.now()).await?;
        self.stir();
        Ok(asked)
    }

    /// Keeps a job until an admin confirms it within [`OFFERED`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer(&self, kind: JobKind, request: &str, client: &Client) -> Result<JobId, StoreError> {
        let now = self.inner.clock.now();
        self.inner.store.offer_job(kind, request, client, self.since(), now).await
    }

    /// Queues a job that was offered in this chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm(&self, id: JobId, chat: &ChatRef) -> Result<Confirmed, StoreError> {
        let accepted = self.inner.store.confirm_job(id, chat, self.since()).await?;
        self.stir();
        Ok(accepted)
    }

    /// When what is offered still now may have been offered first.
    fn since(&self) -> Timestamp {
        self.inner.clock.now().saturating_sub(OFFERED).unwrap_or(Timestamp::MIN)
    }

    /// Ends the jobs of a kind that run or wait; which. Those that run end as soon as their work can.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&self, kind: JobKind) -> Result<Vec<JobId>, StoreError> {
        // So that none is begun in the middle of this.
        let _gate = self.inner.gate.lock().await;
        let mut ended = Vec::new();
        for id in self.inner.store.open_jobs(kind).await? {
            if self.inner.store.stop_job(id, self.inner.clock.now()).await? {
                ended.push(id);
            }
            if let Some(running) = self.inner.running.get(&id) {
                running.cancelled.cancel();
                running.stop.cancel();
            }
        }
        self.stir();
        Ok(ended)
    }

    /// A job with what its work said last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let Some(mut job) = self.inner.store.job(id).await? else { return Ok(None) };
        if let Some(running) = self.inner.running.get(&id)
            && let Some(said) = running.progress.borrow().clone()
        {
            job.progress = Some(said);
        }
        Ok(Some(job))
    }

    /// The job of a kind that runs, or else waits first, or else was asked last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn current(&self, kind: JobKind) -> Result<Option<Job>, StoreError> {
        match self.inner.store.open_jobs(kind).await?.first() {
            Some(id) => self.look(*id).await,
            None => self.inner.store.last_job(kind).await,
        }
    }

    /// How many jobs come before this one; 0 when it runs, is the next, or is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn place(&self, job: &Job) -> Result<usize, StoreError> {
        let open = self.inner.store.open_jobs(job.kind).await?;
        Ok(open.iter().position(|id| *id == job.id).unwrap_or(0))
    }

    /// The database of the queue.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    fn stir(&self) {
        self.inner.stirred.send_replace(());
    }

    /// Does jobs until `stop`, beginning with those that a restart interrupted; then has those that run stop, to be
    /// taken up at the next start.
    pub async fn run(&self, stop: CancellationToken) {
        let kinds: Vec<JobKind> = self.inner.works.iter().map(|(kind, _)| *kind).collect();
        for kind in kinds {
            self.surely(&stop, || self.inner.store.resume_jobs(kind, self.inner.clock.now())).await;
        }
        self.stir();
        let workers = TaskTracker::new();
        let mut changes = self.changes();
        while !stop.is_cancelled() {
            changes.mark_unchanged();
            let failed = self.begin(&workers, &stop).await.inspect_err(|error| tracing::error!(%error, "no job begun"));
            let again = self.inner.clock.now().saturating_add(PAUSE).ok().filter(|_| failed.is_err());
            tokio::select! {
                // The sender lives as long as self.
                _ = changes.changed() => {}
                () = self.until(again) => {}
                () = stop.cancelled() => {}
            }
        }
        workers.close();
        workers.wait().await;
    }

    /// Begins what can be begun.
    async fn begin(&self, workers: &TaskTracker, stop: &CancellationToken) -> Result<(), StoreError> {
        let _gate = self.inner.gate.lock().await;
        for (kind, work) in &self.inner.works {
            let Some(job) = self.inner.store.start_job(*kind, self.inner.clock.now()).await? else { continue };
            let (id, kind) = (job.id.0, kind.name());
            tracing::info!(id, kind, "a job is begun");
            let said = watch::Sender::new(job.progress.clone());
            let (own, cancelled) = (stop.child_token(), CancellationToken::new());
            let running = Running { stop: own.clone(), cancelled, progress: said.subscribe() };
            self.inner.running.insert(job.id, running);
            self.stir();
            let (jobs, work, stop) = (self.clone(), work.clone(), stop.clone());
            workers.spawn(async move { jobs.work(&job, &*work, said, &own, &stop).await });
        }
        Ok(())
    }

    /// Does one job to its end, or until the program stops.
    async fn work(
        &self,
        job: &Job,
        work: &dyn Work,
        said: watch::Sender<Option<String>>,
        own: &CancellationToken,
        stop: &CancellationToken,
    ) {
        let progress = Progress { said: said.clone(), stirred: self.inner.stirred.clone() };
        let worked = {
            let working = AssertUnwindSafe(work.run(job, &progress, own)).catch_unwind();
            tokio::pin!(working);
            loop {
                let next = self.inner.clock.now().saturating_add(NOTED_EVERY).ok();
                tokio::select! {
                    worked = &mut working => break worked,
                    () = self.until(next) => self.note(job.id, &said).await,
                }
            }
        };
        self.note(job.id, &said).await;
        self.end(job, worked, stop).await;
        self.inner.running.remove(&job.id);
        self.stir();
    }

    async fn end(&self, job: &Job, worked: std::thread::Result<Worked>, stop: &CancellationToken) {
        let (id, kind) = (job.id.0, job.kind.name());
        let cancelled = self.inner.running.get(&job.id).is_some_and(|running| running.cancelled.is_cancelled());
        let end = match worked {
            Ok(Ok(result)) => JobEnd::Done(result),
            Ok(Err(_)) if cancelled => JobEnd::Cancelled,
            Ok(Err(WorkError::Stopped)) if stop.is_cancelled() => {
                return tracing::info!(id, kind, "a job goes on after the restart");
            }
            Ok(Err(WorkError::Stopped)) => JobEnd::Failed("it stopped before its end".to_owned()),
            Ok(Err(WorkError::Failed(words))) => JobEnd::Failed(words),
            Err(_) => JobEnd::Failed("the program failed; its log says where".to_owned()),
        };
        let outcome = match &end {
            JobEnd::Done(_) => "done",
            JobEnd::Failed(words) => words,
            JobEnd::Cancelled => "cancelled",
        };
        tracing::info!(id, kind, outcome, "a job is over");
        self.surely(stop, || self.inner.store.end_job(job.id, &end, self.inner.clock.now())).await;
    }

    async fn note(&self, id: JobId, said: &watch::Sender<Option<String>>) {
        let Some(progress) = said.borrow().clone() else { return };
        if let Err(error) = self.inner.store.note_progress(id, &progress).await {
            tracing::warn!(%error, "progress was not written down");
        }
    }

    /// Does something with the database until it works, or the program stops.
    async fn surely<T, F>(&self, stop: &CancellationToken, action: impl Fn() -> F)
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        while let Err(error) = action().await {
            tracing::error!(%error, "the queue's database fails");
            let again = self.inner.clock.now().saturating_add(PAUSE).ok();
            tokio::select! {
                () = self.until(again) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn until(&self, at: Option<Timestamp>) {
        match at {
            Some(at) => self.inner.clock.until(at).await,
            None => std::future::pending().await,
        }
    }
}

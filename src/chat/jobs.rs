//! Tells who asked for a job how it goes: a message that is edited in its place, and a new one once the job is over,
//! both also after a restart.

use std::sync::Arc;

use dashmap::DashMap;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admin::Done;
use super::board::Board;
use super::message::{ChatRef, Incoming, Notice, PressReply, Pressed, Reply, Undelivered};
use super::post::Post;
use super::text::{self, Lang};
use crate::clock::SharedClock;
use crate::domain::job::{Client, Job, JobId, JobKind};
use crate::jobs::{Confirmed, Jobs};
use crate::store::StoreError;

/// Pause after a service was at fault.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// Who asks, for a job's news.
pub(super) fn client(incoming: &Incoming) -> Client {
    Client {
        user: incoming.user.clone(),
        chat: incoming.chat.clone(),
        thread: incoming.thread,
        lang: incoming.lang.tag().to_owned(),
    }
}

/// What is said of jobs, on a thread for blocking work: pictures take their time.
pub trait Telling: Send + Sync {
    /// How a job stands; `place` counts the jobs that come before it.
    fn state(&self, lang: Lang, job: &Job, place: usize) -> Reply;

    /// How a job ended.
    fn news(&self, lang: Lang, job: &Job) -> Reply;
}

/// Tells of jobs while [`Clerk::run`] runs; clones share what they know.
#[derive(Clone)]
pub struct Clerk {
    inner: Arc<Inner>,
}

struct Inner {
    jobs: Jobs,
    post: Post,
    clock: SharedClock,
    telling: Arc<dyn Telling>,
    /// Jobs that are being told of, or were.
    told: DashMap<JobId, ()>,
    /// What ends the message that follows a job in a chat.
    following: DashMap<(ChatRef, Option<i64>), CancellationToken>,
}

impl Clerk {
    /// A clerk who tells of `jobs`.
    #[must_use]
    pub fn new(jobs: Jobs, post: Post, clock: SharedClock, telling: Arc<dyn Telling>) -> Self {
        Self { inner: Arc::new(Inner { jobs, post, clock, telling, told: DashMap::new(), following: DashMap::new() }) }
    }

    /// Answers an admin who asks how the jobs of a kind stand: by a message that follows the one that is done, or by
    /// how the last one ended.
    pub(super) async fn status(
        &self,
        incoming: &Incoming,
        kind: JobKind,
        nothing: fn(Lang) -> String,
    ) -> Result<Done, StoreError> {
        let lang = incoming.lang;
        let Some(job) = self.inner.jobs.current(kind).await? else { return Ok(Done::not(nothing(lang))) };
        if job.state.is_over() {
            let state = self.said(move |telling| telling.state(lang, &job, 0)).await;
            return Ok(Done { replies: vec![state], ..Done::words(String::new()) });
        }
        self.follow(job.id, lang, incoming.chat.clone(), incoming.thread);
        Ok(Done { replies: Vec::new(), ..Done::words(String::new()) })
    }

    /// Ends the jobs of a kind.
    pub(super) async fn cancel(
        &self,
        lang: Lang,
        kind: JobKind,
        stopping: fn(Lang) -> String,
        nothing: fn(Lang) -> String,
    ) -> Result<Done, StoreError> {
        match self.inner.jobs.cancel(kind).await?[..] {
            [] => Ok(Done::not(nothing(lang))),
            _ => Ok(Done::words(stopping(lang))),
        }
    }

    /// Has an offered job begun; `begun` says so to whoever pressed, given the number of jobs that come before.
    pub(super) async fn confirm(
        &self,
        pressed: &Pressed,
        job: JobId,
        begun: fn(Lang, usize) -> String,
        same: fn(Lang) -> String,
    ) -> Result<(String, PressReply), StoreError> {
        let (lang, jobs) = (pressed.lang, &self.inner.jobs);
        let (outcome, words) = match jobs.confirm(job, &pressed.chat).await? {
            Confirmed::Queued(id) => {
                let place = match jobs.look(id).await? {
                    Some(job) => jobs.place(&job).await?,
                    None => 0,
                };
                (format!("queued as {}", id.0), begun(lang, place))
            }
            Confirmed::Same(id) => (format!("the same as {}", id.0), same(lang)),
            Confirmed::Gone => {
                let notice = text::stale_button(lang);
                return Ok(("declined".to_owned(), PressReply { notice, ..PressReply::default() }));
            }
        };
        Ok((outcome, PressReply { edit: Some(Reply::words(words)), ..PressReply::default() }))
    }

    async fn said(&self, say: impl FnOnce(&dyn Telling) -> Reply + Send + 'static) -> Reply {
        let telling = self.inner.telling.clone();
        let said = tokio::task::spawn_blocking(move || say(&*telling)).await;
        said.unwrap_or_else(|error| {
            tracing::error!(%error, "what is said of a job could not be made");
            Reply::default()
        })
    }

    /// Shows a job in one more message, at the end of a chat, until it is over or the program stops. A chat has one
    /// such message that changes: the newest.
    pub fn follow(&self, id: JobId, lang: Lang, chat: ChatRef, thread: Option<i64>) {
        let until = CancellationToken::new();
        if let Some(before) = self.inner.following.insert((chat.clone(), thread), until.clone()) {
            before.cancel();
        }
        let clerk = self.clone();
        tokio::spawn(async move {
            let mut board = Board::new(clerk.inner.post.clone(), clerk.inner.clock.clone(), chat, thread, None);
            if let Err(error) = clerk.show(id, lang, &mut board, &until, false).await {
                tracing::error!(%error, job = id.0, "a job is not followed");
            }
        });
    }

    /// Tells of jobs until `stop`; what is untold then is told after the restart.
    pub async fn run(&self, stop: CancellationToken) {
        let tellers = TaskTracker::new();
        let mut changes = self.inner.jobs.changes();
        while !stop.is_cancelled() {
            changes.mark_unchanged();
            match self.inner.jobs.store().untold_jobs().await {
                Ok(untold) => untold.into_iter().for_each(|id| self.begin(id, &tellers, &stop)),
                Err(error) => tracing::error!(%error, "nobody is told of jobs"),
            }
            tokio::select! {
                // The sender lives in the queue.
                _ = changes.changed() => {}
                () = stop.cancelled() => {}
            }
        }
        self.inner.following.iter().for_each(|following| following.cancel());
        tellers.close();
        tellers.wait().await;
    }

    fn begin(&self, id: JobId, tellers: &TaskTracker, stop: &CancellationToken) {
        if self.inner.told.insert(id, ()).is_some() {
            return;
        }
        let (clerk, stop) = (self.clone(), stop.clone());
        tellers.spawn(async move {
            if let Err(error) = clerk.tell(id, &stop).await {
                tracing::error!(%error, job = id.0, "a job's news were not told");
                clerk.inner.told.remove(&id);
            }
        });
    }

    /// Tells of one job until it is over and its chat knows, or until `stop`. What is being said is said to its end,
    /// so that nothing is said twice.
    async fn tell(&self, id: JobId, stop: &CancellationToken) -> Result<(), StoreError> {
        let Some(job) = self.inner.jobs.look(id).await? else { return Ok(()) };
        let lang = Lang::from_tag(&job.client.lang);
        let (chat, thread) = (job.client.chat.clone(), job.client.thread);
        let mut board = Board::new(self.inner.post.clone(), self.inner.clock.clone(), chat, thread, job.message);
        match self.show(id, lang, &mut board, stop, true).await? {
            Some(job) => self.end(lang, &job, stop).await,
            None => Ok(()),
        }
    }

    /// Shows a job on a board until it is over; `None` when `stop` came first. The job remembers the message where it
    /// is `its_own`.
    async fn show(
        &self,
        id: JobId,
        lang: Lang,
        board: &mut Board,
        stop: &CancellationToken,
        its_own: bool,
    ) -> Result<Option<Job>, StoreError> {
        let jobs = &self.inner.jobs;
        let mut changes = jobs.changes();
        loop {
            tokio::select! {
                () = board.turn() => {}
                () = stop.cancelled() => return Ok(None),
            }
            changes.mark_unchanged();
            let Some(job) = jobs.look(id).await? else { return Ok(None) };
            let (place, of) = (jobs.place(&job).await?, job.clone());
            let state = self.said(move |telling| telling.state(lang, &of, place)).await;
            let before = board.message();
            let shown = board.show(state).await;
            if let Some(message) = board.message().filter(|message| its_own && before != Some(*message)) {
                jobs.store().note_job_message(id, message).await?;
            }
            match shown {
                Err(Undelivered::Later(reason)) => {
                    tracing::info!(job = id.0, reason, "progress is shown later");
                    self.pause(stop).await;
                    continue;
                }
                Err(Undelivered::Refused(reason)) => tracing::debug!(job = id.0, reason, "progress is not shown"),
                Ok(()) => {}
            }
            if job.state.is_over() {
                return Ok(Some(job));
            }
            tokio::select! {
                // The sender lives in the queue.
                _ = changes.changed() => {}
                () = stop.cancelled() => return Ok(None),
            }
        }
    }

    /// Says how a job ended, until the chat has it or does not take it.
    async fn end(&self, lang: Lang, job: &Job, stop: &CancellationToken) -> Result<(), StoreError> {
        let of = job.clone();
        let news = self.said(move |telling| telling.news(lang, &of)).await;
        while !stop.is_cancelled() {
            let news = Notice::Send(news.clone());
            match self.inner.post.send(&job.client.chat, job.client.thread, news).await {
                Err(Undelivered::Later(reason)) => {
                    tracing::info!(job = job.id.0, reason, "the news of a job are told later");
                    self.pause(stop).await;
                    continue;
                }
                Err(Undelivered::Refused(reason)) => {
                    tracing::warn!(job = job.id.0, reason, "the news of a job are not taken");
                }
                Ok(_) => {}
            }
            return self.inner.jobs.store().job_told(job.id).await;
        }
        Ok(())
    }

    async fn pause(&self, stop: &CancellationToken) {
        let Ok(again) = self.inner.clock.now().saturating_add(PAUSE) else { return };
        tokio::select! {
            () = self.inner.clock.until(again) => {}
            () = stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::chat::message::{Announcement, Platform, UserRef};
    use crate::clock::manual::ManualClock;
    use crate::domain::job::{Client, JobKind};
    use crate::jobs::{Progress, Work, WorkError, Worked};
    use crate::store::Store;

    /// Work that comes as far as a test says; at 100 it is done.
    struct Puppet(watch::Receiver<u32>);

    impl Work for Puppet {
        fn run<'a>(
            &'a self,
            _: &'a Job,
            progress: &'a Progress,
            stop: &'a CancellationToken,
        ) -> Pin<Box<dyn Future<Output = Worked> + Send + 'a>> {
            Box::pin(async move {
                let mut percent = self.0.clone();
                loop {
                    let now = *percent.borrow_and_update();
                    progress.say(now.to_string());
                    if now == 100 {
                        return Ok("{}".to_owned());
                    }
                    tokio::select! {
                        _ = percent.changed() => {}
                        () = stop.cancelled() => return Err(WorkError::Stopped),
                    }
                }
            })
        }
    }

    /// Says what there is to say in figures.
    struct Figures;

    impl Telling for Figures {
        fn state(&self, _: Lang, job: &Job, place: usize) -> Reply {
            Reply::words(format!("{} {} {place}", job.state.name(), job.progress.as_deref().unwrap_or("-")))
        }

        fn news(&self, _: Lang, job: &Job) -> Reply {
            Reply::words(format!("news {}", job.state.name()))
        }
    }

    struct Bench {
        jobs: Jobs,
        clock: Arc<ManualClock>,
        percent: watch::Sender<u32>,
        inbox: mpsc::Receiver<Announcement>,
        stop: CancellationToken,
        tasks: Vec<tokio::task::JoinHandle<()>>,
    }

    const CHAT: ChatRef = ChatRef { platform: Platform::Telegram, id: 5 };

    impl Bench {
        async fn start(folder: &tempfile::TempDir, percent: u32) -> Self {
            let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
            let (percent, puppet) = watch::channel(percent);
            let clock = ManualClock::start();
            let work = (JobKind::Collect, Arc::new(Puppet(puppet)) as Arc<dyn Work>);
            let jobs = Jobs::new(store, clock.clone(), vec![work]);
            let mut post = Post::default();
            let inbox = post.connect(Platform::Telegram);
            let clerk = Clerk::new(jobs.clone(), post, clock.clone(), Arc::new(Figures));
            let stop = CancellationToken::new();
            let tasks = vec![
                tokio::spawn({
                    let (jobs, stop) = (jobs.clone(), stop.clone());
                    async move { jobs.run(stop).await }
                }),
                tokio::spawn({
                    let stop = stop.clone();
                    async move { clerk.run(stop).await }
                }),
            ];
            Self { jobs, clock, percent, inbox, stop, tasks }
        }

        /// Passes time until something is announced; takes it, and says what it is.
        async fn next(&mut self, answer: Result<i64, Undelivered>) -> String {
            let announcement = loop {
                tokio::select! {
                    biased;
                    next = self.inbox.recv() => break next.expect("the clerk lives"),
                    () = tokio::task::yield_now() => self.clock.pass(1),
                }
            };
            assert_eq!((&announcement.to, announcement.thread), (&CHAT, Some(9)));
            announcement.done.send(answer).expect("awaited");
            match announcement.what {
                Notice::Send(reply) | Notice::Show(reply) => reply.text,
                Notice::Edit { message, text, .. } => format!("{message}: {text}"),
            }
        }

        /// The next state that is not the one before.
        async fn reaches(&mut self, message: i64, expected: &str) {
            while self.next(Ok(message)).await != expected {}
        }

        async fn stop(mut self) -> mpsc::Receiver<Announcement> {
            self.stop.cancel();
            for task in self.tasks.drain(..) {
                task.await.expect("no panic");
            }
            self.jobs.store().close().await;
            self.inbox
        }
    }

    fn client() -> Client {
        let user = UserRef { platform: Platform::Telegram, id: 1 };
        Client { user, chat: CHAT, thread: Some(9), lang: "en".to_owned() }
    }

    #[tokio::test]
    async fn progress_is_edited_in_its_place_and_the_end_is_news_also_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut bench = Bench::start(&folder, 0).await;
        bench.jobs.ask(JobKind::Collect, "1", &client()).await.expect("queued");
        let first = bench.next(Ok(7)).await;
        assert!(first.starts_with("queued") || first.starts_with("running"), "{first}");
        // Many states between two edits are one edit.
        for percent in 1..=60 {
            bench.percent.send_replace(percent);
            tokio::task::yield_now().await;
        }
        bench.reaches(7, "7: running 60 0").await;
        drop(bench.stop().await);

        let mut bench = Bench::start(&folder, 60).await;
        bench.percent.send_replace(100);
        // The same message, although the program has begun anew.
        bench.reaches(7, "7: done 100 0").await;
        assert_eq!(bench.next(Err(Undelivered::Later("429".to_owned()))).await, "news done");
        assert_eq!(bench.next(Ok(8)).await, "news done");
        let told = async || bench.jobs.store().untold_jobs().await.expect("readable").is_empty();
        while !told().await {
            tokio::task::yield_now().await;
        }
        drop(bench.stop().await);

        let bench = Bench::start(&folder, 0).await;
        let mut inbox = bench.stop().await;
        assert!(inbox.try_recv().is_err(), "what was told is not told again");
    }
}

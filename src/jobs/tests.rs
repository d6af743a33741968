//! The queue over a real database, with work that ends when it is told to.

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::clock::manual::ManualClock;
use crate::domain::job::JobState;
use crate::domain::{ChatRef, Platform, UserRef};

/// Work that a test ends: it says which job it was given, and waits for what is to come of it.
struct Puppet {
    begun: mpsc::UnboundedSender<Begun>,
    /// Whether it ends when it is told to stop.
    obeys: bool,
}

impl Work for Puppet {
    fn run<'a>(
        &'a self,
        job: &'a Job,
        progress: &'a Progress,
        stop: &'a CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Worked> + Send + 'a>> {
        Box::pin(async move {
            let (end, ended) = oneshot::channel();
            let begun = Begun { id: job.id, request: job.request.clone(), progress: progress.clone(), end };
            assert!(self.begun.send(begun).is_ok(), "the test listens");
            tokio::select! {
                worked = ended => worked.expect("the test ends it"),
                () = stop.cancelled(), if self.obeys => Err(WorkError::Stopped),
            }
        })
    }
}

struct Bench {
    jobs: Jobs,
    clock: Arc<ManualClock>,
    begun: Mutex<mpsc::UnboundedReceiver<Begun>>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// A job that runs, as its work sees it.
struct Begun {
    id: JobId,
    request: String,
    progress: Progress,
    end: oneshot::Sender<Worked>,
}

impl Bench {
    async fn start(folder: &tempfile::TempDir, obeys: bool) -> Self {
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let (sender, begun) = mpsc::unbounded_channel();
        let puppet = |kind| (kind, Arc::new(Puppet { begun: sender.clone(), obeys }) as Arc<dyn Work>);
        let clock = ManualClock::start();
        let jobs = Jobs::new(store, clock.clone(), JobKind::ALL.map(puppet).to_vec());
        let stop = CancellationToken::new();
        let running = tokio::spawn({
            let (jobs, stop) = (jobs.clone(), stop.clone());
            async move { jobs.run(stop).await }
        });
        Self { jobs, clock, begun: Mutex::new(begun), stop, running }
    }

    async fn ask(&self, kind: JobKind, request: &str) -> (JobId, bool) {
        self.jobs.ask(kind, request, &client()).await.expect("queued")
    }

    /// Waits for the next job to be begun.
    async fn begun(&self) -> Begun {
        self.begun.lock().await.recv().await.expect("the queue runs")
    }

    /// Waits until a job stands so.
    async fn until(&self, id: JobId, state: JobState) -> Job {
        let mut changes = self.jobs.changes();
        loop {
            changes.mark_unchanged();
            let job = self.jobs.look(id).await.expect("readable").expect("known");
            if job.state == state {
                return job;
            }
            changes.changed().await.expect("the queue lives");
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("no panic");
        self.jobs.store().close().await;
    }
}

fn client() -> Client {
    let platform = Platform::Discord;
    let (user, chat) = (UserRef { platform, id: 40 }, ChatRef { platform, id: 20 });
    Client { user, chat, thread: Some(3), lang: "ja".to_owned() }
}

#[tokio::test]
async fn one_of_a_kind_runs_and_the_others_wait_their_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, true).await;
    let (first, new) = bench.ask(JobKind::Collect, "1").await;
    assert!(new);
    let one = bench.begun().await;
    assert_eq!((one.id, &*one.request), (first, "1"));
    let (second, _) = bench.ask(JobKind::Collect, "2").await;
    let (third, _) = bench.ask(JobKind::Collect, "3").await;
    assert_eq!(bench.ask(JobKind::Collect, "1").await, (first, false), "it runs");
    assert_eq!(bench.ask(JobKind::Collect, "3").await, (third, false), "it waits");
    let (train, _) = bench.ask(JobKind::Train, "1").await;
    let other = bench.begun().await;
    assert_eq!(other.id, train, "kinds do not wait for each other");
    let job = bench.jobs.look(third).await.expect("readable").expect("known");
    assert_eq!((job.state, bench.jobs.place(&job).await.expect("readable")), (JobState::Queued, 2));
    assert_eq!(job.client, client());

    one.end.send(Ok("{}".to_owned())).expect("awaited");
    let done = bench.until(first, JobState::Done).await;
    assert_eq!((done.outcome.as_deref(), done.ended.is_some()), (Some("{}"), true));
    let two = bench.begun().await;
    assert_eq!(two.id, second);
    two.end.send(Err(WorkError::Failed("no money".to_owned()))).expect("awaited");
    assert_eq!(bench.until(second, JobState::Failed).await.outcome.as_deref(), Some("no money"));
    let (again, new) = bench.ask(JobKind::Collect, "1").await;
    assert!(new && again > third, "what is over can be asked again");
    bench.stop().await;
}

#[tokio::test]
async fn an_offer_is_nothing_until_it_is_confirmed_where_it_was_made_and_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, true).await;
    let offer = async |request: &str| bench.jobs.offer(JobKind::Collect, request, &client()).await.expect("kept");
    let accept = async |id, chat: &ChatRef| bench.jobs.confirm(id, chat).await.expect("readable");
    let here = client().chat;
    let elsewhere = [ChatRef { id: 21, ..here.clone() }, ChatRef { platform: Platform::Telegram, ..here.clone() }];
    let (first, other) = (offer("1").await, offer("2").await);
    assert_eq!(bench.jobs.current(JobKind::Collect).await.expect("readable"), None, "an offer is no job");
    for chat in &elsewhere {
        assert_eq!(accept(first, chat).await, Confirmed::Gone);
    }
    assert_eq!(accept(first, &here).await, Confirmed::Queued(first));
    assert_eq!(accept(first, &here).await, Confirmed::Gone, "pressed twice");
    let one = bench.begun().await;
    assert_eq!(one.id, first);
    let again = offer("1").await;
    assert_eq!(accept(again, &here).await, Confirmed::Same(first));
    bench.clock.pass(3_601);
    assert_eq!(accept(other, &here).await, Confirmed::Gone, "too old");
    offer("3").await;
    assert_eq!(bench.jobs.look(other).await.expect("readable"), None, "old offers are swept away");
    bench.stop().await;
}

#[tokio::test]
async fn progress_is_seen_at_once_and_written_down_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, true).await;
    let (id, _) = bench.ask(JobKind::Collect, "1").await;
    let one = bench.begun().await;
    for percent in 0..=50 {
        one.progress.say(percent.to_string());
    }
    let seen = bench.jobs.look(id).await.expect("readable").expect("known").progress;
    assert_eq!(seen.as_deref(), Some("50"));
    let stored = async || bench.jobs.store().job(id).await.expect("readable").expect("known").progress;
    assert_eq!(stored().await, None);
    while stored().await.is_none() {
        bench.clock.pass(5);
        tokio::task::yield_now().await;
    }
    assert_eq!(stored().await.as_deref(), Some("50"));
    one.end.send(Ok("{}".to_owned())).expect("awaited");
    bench.until(id, JobState::Done).await;
    bench.stop().await;
}

#[tokio::test]
async fn cancelling_ends_what_runs_and_what_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, true).await;
    let (first, _) = bench.ask(JobKind::Collect, "1").await;
    let _one = bench.begun().await;
    let (second, _) = bench.ask(JobKind::Collect, "2").await;
    let (train, _) = bench.ask(JobKind::Train, "1").await;
    assert_eq!(bench.jobs.cancel(JobKind::Collect).await.expect("noted"), [first, second]);
    bench.until(first, JobState::Cancelled).await;
    bench.until(second, JobState::Cancelled).await;
    assert_eq!(bench.jobs.cancel(JobKind::Collect).await.expect("noted"), []);
    assert_eq!(bench.jobs.current(JobKind::Train).await.expect("readable").expect("known").id, train);
    assert_eq!(bench.jobs.current(JobKind::Collect).await.expect("readable").expect("known").id, second);
    bench.stop().await;
}

#[tokio::test]
async fn while_a_cancelled_job_winds_up_no_other_is_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, false).await;
    let (first, _) = bench.ask(JobKind::Collect, "1").await;
    let one = bench.begun().await;
    assert_eq!(bench.jobs.cancel(JobKind::Collect).await.expect("noted"), [first]);
    let (second, _) = bench.ask(JobKind::Collect, "2").await;
    let waits = bench.jobs.look(second).await.expect("readable").expect("known");
    assert_eq!((waits.state, bench.jobs.place(&waits).await.expect("readable")), (JobState::Queued, 1));
    one.end.send(Err(WorkError::Failed("the line was cut".to_owned()))).expect("awaited");
    bench.until(first, JobState::Cancelled).await;
    let two = bench.begun().await;
    assert_eq!(two.id, second);
    two.end.send(Ok("{}".to_owned())).expect("awaited");
    bench.until(second, JobState::Done).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_restart_takes_up_what_ran_before_what_waited() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, true).await;
    let (first, _) = bench.ask(JobKind::Collect, "1").await;
    let one = bench.begun().await;
    one.progress.say("7".to_owned());
    let (second, _) = bench.ask(JobKind::Collect, "2").await;
    let started = bench.jobs.look(first).await.expect("readable").expect("known").started;
    bench.stop().await;

    let bench = Bench::start(&folder, true).await;
    let one = bench.begun().await;
    assert_eq!(one.id, first);
    let job = bench.until(first, JobState::Running).await;
    assert_eq!((job.progress.as_deref(), job.started), (Some("7"), started));
    one.end.send(Ok("{}".to_owned())).expect("awaited");
    assert_eq!(bench.begun().await.id, second);
    bench.stop().await;
}

#[tokio::test]
async fn what_was_to_be_ended_is_over_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::start(&folder, false).await;
    let (first, _) = bench.ask(JobKind::Collect, "1").await;
    let _one = bench.begun().await;
    bench.jobs.cancel(JobKind::Collect).await.expect("noted");
    // The program dies before the work has ended.
    bench.running.abort();
    bench.jobs.store().close().await;
    let bench = Bench::start(&folder, true).await;
    bench.until(first, JobState::Cancelled).await;
    let (second, _) = bench.ask(JobKind::Collect, "2").await;
    assert_eq!(bench.begun().await.id, second);
    bench.stop().await;
}

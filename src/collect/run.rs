//! A run: asks at every planned point what there is, notes it, and fetches each picture once.
//!
//! Two halves work at the same time: scouts ask at points (`run/scout.rs`), buyers fetch what was found
//! (`run/buyer.rs`). All that is known is in the database, so a run that was killed is simply started again: points
//! that were asked are not asked again, pictures that are kept, paid for or in doubt are not bought again.

mod buyer;
mod label;
mod progress;
mod scout;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::collect::client::{Client, ClientError};
use crate::collect::dataset::{Dataset, KeepError};
use crate::collect::folder::FolderError;
use crate::collect::plan::Plan;
use crate::collect::settings::{Density, Settings};
use crate::collect::till::Till;
use crate::collect::trouble::{Stop, Trouble};
use crate::collect::wire::system_jitter;
use crate::domain::imagery::Micros;
use crate::domain::spend::{Caps, Refusal, RunId};
use crate::store::{Collecting, LockError, Store, StoreError};

use buyer::Job;
use progress::Meter;
pub use progress::{AreaProgress, Progress};

/// Failures in a row after which a service counts as down.
pub const FAILURES: u32 = 20;

/// What a run is told to do.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where to look.
    pub plan: Arc<Plan>,
    /// How far round a point, and how pictures are looked at.
    pub density: Density,
    /// What the source asks for a picture.
    pub price: Micros,
    /// What may be spent.
    pub caps: Caps,
    /// Pictures and questions on their way at the same time, at least 1.
    pub concurrency: usize,
}

impl Order {
    /// The plan, within what the configuration allows.
    #[must_use]
    pub fn new(plan: Arc<Plan>, settings: &Settings, client: &Client) -> Self {
        let money = &settings.money;
        let caps = Caps { run: money.cap_per_run, day: money.cap_per_day, month: money.cap_per_month };
        let (density, price) = (settings.density, money.price(client.source()));
        Self { plan, density, price, caps, concurrency: settings.pace.concurrency }
    }

    /// What makes two runs the same: the points, and how pictures are looked at.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut word = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        let Density { headings_per_point, fov, pitch, width, height, search_radius_m, points_per_town: _ } =
            self.density;
        word(format!("{headings_per_point} {fov} {pitch} {width} {height} {search_radius_m}").as_bytes());
        for area in &self.plan.areas {
            word(area.area.area.as_bytes());
            for town in &area.towns {
                word(town.name.as_bytes());
                let points = town.points.iter().flat_map(|at| [at.lat.to_le_bytes(), at.lng.to_le_bytes()]);
                word(&points.flatten().collect::<Vec<u8>>());
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How a run ended that was not halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that the plan can give is there.
    Done,
    /// All was tried, but a service was in trouble now and then: the next start gets the rest.
    Incomplete,
    /// It was told to stop, and goes on at the next start.
    Stopped,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its number; the same after each restart.
    pub run: RunId,
    /// How it ended.
    pub ended: Ended,
    /// How far it came.
    pub progress: Progress,
}

/// What ended a run before its time. Started again, it goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// The service refuses; it says what the admin does.
    #[error(transparent)]
    Refused(#[from] Stop),
    /// Nothing more may be spent.
    #[error("{0}; raise the cap in the configuration, or wait for the next day or month, and start the run again")]
    Cap(Refusal),
    /// The service is down, or the way to it.
    #[error("{0}, {FAILURES} times in a row: look whether the network works, and start the run again later")]
    Unreachable(Trouble),
    /// A picture cannot be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
    /// Somebody sets the ledger or the dataset right.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The source cannot be asked as it is configured.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The folder with photos cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A part of the run panicked: a fault of the program.
    #[error("a part of the run failed: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// A run that can begin.
pub struct Run {
    inner: Arc<Inner>,
    /// Nobody repairs the ledger meanwhile.
    _collecting: Collecting,
}

struct Inner {
    order: Order,
    client: Client,
    dataset: Dataset,
    till: Till,
    run: RunId,
    clock: SharedClock,
    stop: CancellationToken,
    /// Nothing more is begun, but what is reserved is fetched; cancelled along with `stop`.
    enough: CancellationToken,
    halt: Mutex<Option<Halt>>,
    failures: AtomicU32,
    /// Points and pictures that were left to the next start.
    left: AtomicU64,
    /// Pictures that may be on the wire at the same time.
    hands: Semaphore,
    meter: Meter,
}

impl Run {
    /// Opens the run of a plan, or the one that was interrupted, as the settings say. Days and months of the caps begin
    /// at midnight UTC. It cancels `stop` itself when it halts. Call it on a runtime.
    ///
    /// # Errors
    /// When the source cannot be asked, somebody repairs the ledger, or the database fails.
    pub async fn begin(
        settings: &Settings,
        plan: Plan,
        store: Store,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> Result<Self, Halt> {
        let areas = plan.areas.iter().map(|area| area.area.area.clone());
        let client = Client::new(settings, areas, clock.clone(), system_jitter(), stop.clone())?;
        let order = Order::new(Arc::new(plan), settings, &client);
        let dataset = Dataset::new(store, &settings.data_folder, clock.clone());
        Self::open(order, client, dataset, TimeZone::UTC, clock, stop).await
    }

    /// The same for a client and limits of one's own. It cancels `stop` itself when it halts, and `client` should
    /// have been made with it; days and months of the caps begin in `zone`. Call it on a runtime.
    ///
    /// # Errors
    /// When somebody repairs the ledger, or the database fails.
    pub async fn open(
        order: Order,
        client: Client,
        dataset: Dataset,
        zone: TimeZone,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> Result<Self, Halt> {
        let collecting = dataset.store().collects()?;
        let run = dataset.store().open_run(client.source(), &order.fingerprint(), clock.now()).await?;
        let till = Till::new(dataset.store().clone(), run, order.caps, zone, clock.clone());
        let (hands, meter) = (Semaphore::new(order.concurrency.max(1)), Meter::new(&order, &client, clock.now()));
        let (halt, failures, left) = (Mutex::default(), AtomicU32::new(0), AtomicU64::new(0));
        let enough = stop.child_token();
        let inner =
            Inner { order, client, dataset, till, run, clock, stop, enough, halt, failures, left, hands, meter };
        Ok(Self { inner: Arc::new(inner), _collecting: collecting })
    }

    /// How far it is; changes with every point and picture.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.inner.meter.watch()
    }

    /// Collects until everything is there, or somebody or something stops it. Pictures that are on their way then are
    /// waited for.
    ///
    /// # Errors
    /// See [`Halt`].
    pub async fn collect(self) -> Result<Summary, Halt> {
        let inner = &self.inner;
        inner.note_spending(true).await;
        let (found, jobs) = mpsc::channel::<Job>(2 * inner.order.concurrency + 8);
        tokio::join!(inner.scout(found), inner.buy_all(jobs));
        inner.note_spending(true).await;
        if let Some(halt) = inner.halt.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(halt);
        }
        let ended = match () {
            () if inner.stop.is_cancelled() => Ended::Stopped,
            () if inner.left.load(Ordering::Relaxed) > 0 => Ended::Incomplete,
            () => Ended::Done,
        };
        if ended == Ended::Done {
            inner.dataset.store().end_run(inner.run, inner.clock.now()).await?;
        }
        Ok(Summary { run: inner.run, ended, progress: inner.meter.watch().borrow().clone() })
    }
}

impl Inner {
    /// Fetches what was found, several at a time. More are under way than on the wire: while some are fetched, others
    /// are written to the disk. A kill leaves at most as many in doubt as are under way.
    async fn buy_all(self: &Arc<Self>, jobs: mpsc::Receiver<Job>) {
        let jobs = stream::unfold(jobs, |mut jobs| async move { jobs.recv().await.map(|job| (job, jobs)) });
        let limit = 2 * self.order.concurrency + 8;
        jobs.for_each_concurrent(limit, |job| async move {
            let inner = Arc::clone(self);
            if let Err(panicked) = tokio::spawn(async move { inner.buy(job).await }).await {
                self.halt(panicked.into());
            }
        })
        .await;
    }

    /// Ends the run; the first reason counts.
    fn halt(&self, why: Halt) {
        // What was reserved when a cap was reached lies within it.
        let ends = if matches!(why, Halt::Cap(_)) { &self.enough } else { &self.stop };
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        ends.cancel();
    }

    /// Counts what a service failed at, and ends the run when it fails at everything.
    fn failed(&self, trouble: Trouble) {
        match trouble {
            Trouble::Stop(why) => self.halt(why.into()),
            // What a stopped run did not send is no failure of the service.
            Trouble::Later { .. } if self.stop.is_cancelled() => {}
            Trouble::Later { .. } => {
                tracing::warn!(%trouble, "left to the next start");
                self.left.fetch_add(1, Ordering::Relaxed);
                if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES {
                    self.halt(Halt::Unreachable(trouble));
                }
            }
        }
    }

    fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Puts what is spent into the progress, not more than once a second unless `now`.
    async fn note_spending(&self, now: bool) {
        if self.meter.wants_spending(self.clock.now(), now) {
            match self.till.spent().await {
                Ok(spent) => self.meter.spent(spent),
                Err(error) => self.halt(error.into()),
            }
        }
    }
}

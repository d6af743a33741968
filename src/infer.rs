//! The inference core: photo bytes in, calibrated answer out. Both chats, the page and the command line
//! share one.
//!
//! [`decode`] (with [`jpeg`]) → [`preprocess`] → [`queue`] → [`onnx`] → [`Prediction`] and [`explain`].

pub mod cache;
pub mod decode;
pub mod explain;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod hostile;
pub mod index;
pub mod jpeg;
pub mod kserve;
mod live;
pub mod manifest;
pub mod meters;
pub mod onnx;
mod pace;
pub mod preprocess;
pub mod queue;
pub mod street;
#[cfg(test)]
mod tests;
pub mod triton;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::Semaphore;

use self::decode::{Limits, PhotoError};
use self::explain::{Explanation, Photo};
use self::index::Index;
use self::index::kin::Kin;
use self::live::Live;
use self::manifest::{Manifest, ModelError, ModelFiles};
use self::meters::Meters;
use self::onnx::{Backend, Network};
use self::preprocess::Preprocess;
use self::queue::{QueueError, Run};
use crate::domain::{ModelIdentity, Prediction, Timings};

/// How to run the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What runs the network.
    pub backend: Backend,
    /// What a photo may cost.
    pub limits: Limits,
    /// Most photos in one run, 1 or more.
    pub max_batch: usize,
    /// Most photos in the core at once, 1 or more; beyond that callers hear "busy".
    pub max_in_flight: usize,
    /// Photos decoded at the same time, 1 or more.
    pub decoders: usize,
}

impl Options {
    /// Photos that may be in the core.
    fn capacity(&self) -> usize {
        self.max_in_flight.max(1)
    }
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            backend: Backend::default(),
            limits: Limits::default(),
            max_batch: 8,
            max_in_flight: 64,
            decoders: cores,
        }
    }
}

/// The answer for one photo.
pub struct Located {
    /// Which areas, how probable.
    pub prediction: Prediction,
    /// What the network said, unscaled, in the order of the manifest's labels.
    pub logits: Vec<f32>,
    /// Globally pooled features, `[channels]`, as the network gives them; empty where what runs has none.
    pub features: Vec<f32>,
    /// The index of the model, if it has one.
    pub index: Option<Arc<Index>>,
    /// Which model said so.
    pub model: Arc<ModelIdentity>,
    /// Its manifest: the live model may be another one by now.
    pub manifest: Arc<Manifest>,
    /// Where the time went.
    pub timings: Timings,
    /// Why.
    pub explanation: Explanation,
}

impl Located {
    /// What the model's index says of the photo; `None` where the model has none.
    #[must_use]
    pub fn kin(&self) -> Option<Kin> {
        let index = self.index.clone()?;
        Some(Kin::new(index, self.features.clone(), self.manifest.clone()))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LocateError {
    /// The photo is at fault.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// Too many photos wait; nothing was done for this one.
    #[error("busy, try again in {} s", retry_after.as_secs())]
    Busy {
        /// When to come back: whole seconds, 1 to 60.
        retry_after: Duration,
    },
    /// Our own fault; the words are for the log, not for users.
    #[error("inference failed: {0}")]
    Failed(String),
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopped,
}

impl LocateError {
    /// Stable name for the API and for logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Photo(error) => error.code(),
            Self::Busy { .. } => "busy",
            Self::Failed(_) => "internal",
            Self::Stopped => "stopping",
        }
    }
}

/// The handle to the inference core; clones share it. Behind it one model is live, and another can take its place
/// while photos are being answered: each is answered to its end by the model that began.
#[derive(Clone)]
pub struct Core {
    shared: Arc<Shared>,
    /// The model that a [`Core::pinned`] handle keeps to.
    pinned: Option<Arc<Live>>,
}

struct Shared {
    options: Options,
    meters: Meters,
    live: RwLock<Arc<Live>>,
    /// The model that was live before: kept warm, so that going back takes no loading, and ended only when the next
    /// one retires, by when nobody waits for it.
    retired: Mutex<Option<Arc<Live>>>,
    /// One permit a photo in the core: bounds memory.
    admission: Arc<Semaphore>,
    /// One permit a photo being decoded: bounds processor time outside the backend.
    decoders: Semaphore,
}

impl Core {
    /// Loads the network and starts its thread.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn start(files: &ModelFiles, options: &Options) -> Result<Self, ModelError> {
        let network = Network::load(files, &options.backend)?;
        Self::with_index(files.manifest.clone(), files.index.clone(), network, options)
    }

    /// Starts the core around something else that computes logits.
    ///
    /// # Errors
    /// When the system starts no thread, or the runner cannot be prepared.
    pub fn with_runner(manifest: Manifest, runner: impl Run, options: &Options) -> Result<Self, ModelError> {
        Self::with_index(manifest, None, runner, options)
    }

    /// The same with an index of look-alikes.
    ///
    /// # Errors
    /// As [`Core::with_runner`].
    pub fn with_index(
        manifest: Manifest,
        index: Option<Arc<Index>>,
        runner: impl Run,
        options: &Options,
    ) -> Result<Self, ModelError> {
        let meters = Meters::default();
        let live = Live::start(manifest, index, runner, options, meters.clone())?;
        let shared = Shared {
            options: options.clone(),
            meters,
            live: RwLock::new(Arc::new(live)),
            retired: Mutex::new(None),
            admission: Arc::new(Semaphore::new(options.capacity())),
            decoders: Semaphore::new(options.decoders.max(1)),
        };
        Ok(Self { shared: Arc::new(shared), pinned: None })
    }

    /// What the live model is.
    #[must_use]
    pub fn manifest(&self) -> Arc<Manifest> {
        self.live().manifest.clone()
    }

    /// The index of the live model, if it has one.
    #[must_use]
    pub fn index(&self) -> Option<Arc<Index>> {
        self.live().index.clone()
    }

    /// Which model and backend answer.
    #[must_use]
    pub fn identity(&self) -> Arc<ModelIdentity> {
        self.live().identity.clone()
    }

    /// What a photo may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.options.limits
    }

    /// A handle that keeps to the model that is live now, for work whose photos must all be answered by one model.
    #[must_use]
    pub fn pinned(&self) -> Self {
        Self { shared: self.shared.clone(), pinned: Some(self.live()) }
    }

    /// Makes another model the live one, on the same backend. It is loaded and tried before the switch, so that a
    /// model that does not run changes nothing; no photo is refused or answered twice meanwhile. Going back to the
    /// model that was live before takes no loading.
    ///
    /// # Errors
    /// See [`ModelError`]; the live model is then still the old one.
    pub async fn switch(&self, files: ModelFiles) -> Result<(), ModelError> {
        if self.switch_back(&files.manifest) {
            return Ok(());
        }
        let (options, meters) = (self.shared.options.clone(), self.shared.meters.clone());
        let backend = options.backend.to_string();
        let load = tokio::task::spawn_blocking(move || {
            let network = Network::load(&files, &options.backend)?;
            Live::start(files.manifest, files.index, network, &options, meters)
        });
        let live = load.await.map_err(|error| ModelError::Backend { backend, detail: error.to_string() })??;
        self.replace(live);
        Ok(())
    }

    /// [`Core::switch`] to something else that computes logits.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn switch_to_runner(&self, manifest: Manifest, runner: impl Run) -> Result<(), ModelError> {
        let meters = self.shared.meters.clone();
        self.replace(Live::start(manifest, None, runner, &self.shared.options, meters)?);
        Ok(())
    }

    /// Exchanges the live model and the one before, if that is the wanted one.
    fn switch_back(&self, wanted: &Manifest) -> bool {
        let mut retired = self.shared.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(warm) = retired.take_if(|warm| *warm.manifest == *wanted) else { return false };
        let mut live = self.shared.live.write().unwrap_or_else(PoisonError::into_inner);
        *retired = Some(std::mem::replace(&mut *live, warm));
        true
    }

    fn replace(&self, next: Live) {
        let mut retired = self.shared.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let mut live = self.shared.live.write().unwrap_or_else(PoisonError::into_inner);
        *retired = Some(std::mem::replace(&mut *live, Arc::new(next)));
    }

    fn live(&self) -> Arc<Live> {
        let current = || self.shared.live.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.pinned.clone().unwrap_or_else(current)
    }

    /// How many photos one caller may have under way without being refused: `wanted`, or fewer.
    #[must_use]
    pub fn ahead(&self, wanted: usize) -> usize {
        wanted.clamp(1, self.shared.options.capacity())
    }

    /// What is measured of it; its load as of the last [`Core::measure_load`].
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.shared.meters
    }

    /// Measures how many photos are in it just now.
    pub fn measure_load(&self) {
        self.shared.meters.set_load(self.inside(), self.live().queue.waiting());
    }

    /// Answers where a photo was taken.
    ///
    /// # Errors
    /// See [`LocateError`]; a photo that cannot be read never reaches the backend.
    pub async fn locate(&self, photo: Vec<u8>) -> Result<Located, LocateError> {
        self.locate_within(photo, f64::INFINITY).await
    }

    /// The same for a caller who would rather be refused than wait: "busy" is also the answer when the photo is expected to
    /// take more than `slowdown` times (1 or more) as long as one that has the core to itself.
    ///
    /// # Errors
    /// As [`Core::locate`].
    pub async fn locate_within(&self, photo: Vec<u8>, slowdown: f64) -> Result<Located, LocateError> {
        let answer = self.answer(photo, slowdown).await;
        self.shared.meters.answered(&answer);
        answer
    }

    /// Photos from admission to the answer.
    fn inside(&self) -> usize {
        self.shared.options.capacity().saturating_sub(self.shared.admission.available_permits())
    }

    async fn answer(&self, photo: Vec<u8>, slowdown: f64) -> Result<Located, LocateError> {
        let (live, begin) = (self.live(), Instant::now());
        let busy = |photos| LocateError::Busy { retry_after: live.pace.retry_after(photos) };
        let capacity = self.shared.options.capacity();
        let _admitted = self.shared.admission.try_acquire().map_err(|_| busy(capacity))?;
        let others = self.inside().saturating_sub(1);
        if !live.pace.bears(others, slowdown) {
            return Err(busy(others));
        }
        let prepared = self.prepare(photo, live.manifest.input).await?;
        let output = live.queue.run(prepared.tensor).await.map_err(|error| match error {
            QueueError::Full => busy(capacity),
            QueueError::Failed(detail) => LocateError::Failed(detail),
            QueueError::Stopped => LocateError::Stopped,
        })?;
        live.pace.learn_run(output.ran, output.batch);
        if others == 0 && output.batch == 1 {
            live.pace.learn_alone(begin.elapsed());
        }
        let (manifest, labels) = (&live.manifest, &live.manifest.labels);
        let answer = Prediction::from_logits(&output.logits, labels, manifest.temperature, manifest.abstain_below);
        let prediction = match &manifest.street {
            Some(street) => street.judge(&output.features, answer),
            None => answer,
        };
        Ok(Located {
            prediction,
            logits: output.logits,
            features: output.features,
            index: live.index.clone(),
            model: live.identity.clone(),
            timings: Timings { queue: output.queued, run: output.ran, ..prepared.timings },
            explanation: Explanation::new(prepared.photo, output.cams, output.grid, labels.len()),
            manifest: manifest.clone(),
        })
    }

    /// Decodes and shapes the photo on a thread for blocking work.
    async fn prepare(&self, photo: Vec<u8>, spec: Preprocess) -> Result<Prepared, LocateError> {
        let _slot = self.shared.decoders.acquire().await.map_err(|_| LocateError::Stopped)?;
        let limits = self.shared.options.limits;
        let work = tokio::task::spawn_blocking(move || {
            let begin = Instant::now();
            let square = decode::decode_square(&photo, &limits, spec.size)?;
            let decoded = Instant::now();
            let tensor = spec.tensor(&square);
            let timings = Timings { decode: decoded - begin, preprocess: decoded.elapsed(), ..Timings::default() };
            Ok(Prepared { photo: Photo::File { bytes: photo, limits, square }, tensor, timings })
        });
        match work.await {
            Ok(prepared) => prepared,
            // A decoder that panics on hostile bytes has found them damaged.
            Err(error) => Err(PhotoError::Damaged { detail: error.to_string() }.into()),
        }
    }
}

struct Prepared {
    photo: Photo,
    tensor: Vec<f32>,
    timings: Timings,
}

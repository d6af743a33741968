//! The inference core: photo bytes in, calibrated answer out. Both chats, the page and the command line
//! share one.
//!
//! [`decode`] → [`preprocess`] → [`queue`] → [`onnx`] → [`Prediction`] and [`explain`].

pub mod decode;
pub mod explain;
pub mod manifest;
pub mod onnx;
pub mod preprocess;
pub mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use image::RgbImage;
use thiserror::Error;
use tokio::sync::Semaphore;

use self::decode::{Limits, PhotoError};
use self::explain::Explanation;
use self::manifest::{Manifest, ModelError, ModelFiles};
use self::onnx::{Backend, Network};
use self::queue::{Queue, QueueError, Run};
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
    /// Which model said so.
    pub model: Arc<ModelIdentity>,
    /// Where the time went.
    pub timings: Timings,
    /// Why.
    pub explanation: Explanation,
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

/// The handle to the inference core; clones share it.
#[derive(Clone)]
pub struct Core {
    inner: Arc<Inner>,
}

struct Inner {
    manifest: Manifest,
    identity: Arc<ModelIdentity>,
    queue: Queue,
    limits: Limits,
    /// One permit a photo in the core: bounds memory.
    admission: Arc<Semaphore>,
    capacity: usize,
    /// One permit a photo being decoded: bounds processor time outside the backend.
    decoders: Semaphore,
    /// Moving average of a photo's share of a run, microseconds; tells refused callers when to come back.
    pace_us: AtomicU64,
}

impl Core {
    /// Loads the network and starts its thread.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn start(files: &ModelFiles, options: &Options) -> Result<Self, ModelError> {
        let network = Network::load(files, &options.backend)?;
        Self::with_runner(files.manifest.clone(), network, options)
    }

    /// Starts the core around something else that computes logits.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn with_runner(manifest: Manifest, runner: impl Run, options: &Options) -> Result<Self, ModelError> {
        let backend = options.backend.to_string();
        let capacity = options.max_in_flight.max(1);
        let queue = Queue::start(runner, capacity, options.max_batch)
            .map_err(|error| ModelError::Backend { backend: backend.clone(), detail: error.to_string() })?;
        let identity = ModelIdentity { name: manifest.name.clone(), version: manifest.version.clone(), backend };
        let inner = Inner {
            manifest,
            identity: Arc::new(identity),
            queue,
            limits: options.limits,
            admission: Arc::new(Semaphore::new(capacity)),
            capacity,
            decoders: Semaphore::new(options.decoders.max(1)),
            pace_us: AtomicU64::new(100_000),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What the live model is.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// Which model and backend answer.
    #[must_use]
    pub fn identity(&self) -> &ModelIdentity {
        &self.inner.identity
    }

    /// What a photo may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Answers where a photo was taken.
    ///
    /// # Errors
    /// See [`LocateError`]; a photo that cannot be read never reaches the backend.
    pub async fn locate(&self, photo: Vec<u8>) -> Result<Located, LocateError> {
        let inner = &self.inner;
        let _admitted =
            inner.admission.try_acquire().map_err(|_| LocateError::Busy { retry_after: self.retry_after() })?;
        let prepared = self.prepare(photo).await?;
        let output = inner.queue.run(prepared.tensor).await.map_err(|error| match error {
            QueueError::Full => LocateError::Busy { retry_after: self.retry_after() },
            QueueError::Failed(detail) => LocateError::Failed(detail),
            QueueError::Stopped => LocateError::Stopped,
        })?;
        self.learn_pace(output.ran, output.batch);
        let manifest = &inner.manifest;
        let labels = &manifest.labels;
        Ok(Located {
            prediction: Prediction::from_logits(&output.logits, labels, manifest.temperature, manifest.abstain_below),
            model: inner.identity.clone(),
            timings: Timings { queue: output.queued, run: output.ran, ..prepared.timings },
            explanation: Explanation::new(prepared.picture, output.cams, output.grid, labels.len()),
        })
    }

    /// Decodes and shapes the photo on a thread for blocking work.
    async fn prepare(&self, photo: Vec<u8>) -> Result<Prepared, LocateError> {
        let _slot = self.inner.decoders.acquire().await.map_err(|_| LocateError::Stopped)?;
        let (limits, spec) = (self.inner.limits, self.inner.manifest.input);
        let work = tokio::task::spawn_blocking(move || {
            let begin = Instant::now();
            let picture = decode::decode(&photo, &limits)?;
            let decoded = Instant::now();
            let tensor = spec.tensor(&picture);
            let timings = Timings { decode: decoded - begin, preprocess: decoded.elapsed(), ..Timings::default() };
            Ok(Prepared { picture, tensor, timings })
        });
        match work.await {
            Ok(prepared) => prepared,
            // A decoder that panics on hostile bytes has found them damaged.
            Err(error) => Err(PhotoError::Damaged { detail: error.to_string() }.into()),
        }
    }

    fn learn_pace(&self, ran: Duration, batch: usize) {
        let sample = ran.as_micros() as u64 / batch.max(1) as u64;
        let pace = self.inner.pace_us.load(Ordering::Relaxed);
        self.inner.pace_us.store((pace * 7 + sample) / 8, Ordering::Relaxed);
    }

    fn retry_after(&self) -> Duration {
        let micros = self.inner.pace_us.load(Ordering::Relaxed) * self.inner.capacity as u64;
        Duration::from_secs(Duration::from_micros(micros).as_secs().clamp(1, 60))
    }
}

struct Prepared {
    picture: RgbImage,
    tensor: Vec<f32>,
    timings: Timings,
}

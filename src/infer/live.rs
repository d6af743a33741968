//! A model that answers, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Options;
use super::index::Index;
use super::manifest::{Manifest, ModelError};
use super::meters::Meters;
use super::queue::{Queue, Run};
use crate::domain::ModelIdentity;

/// A photo's share of a run before the first was measured, microseconds.
const FIRST_PACE_US: u64 = 100_000;

/// A model with its queue.
pub(super) struct Live {
    pub(super) manifest: Arc<Manifest>,
    pub(super) identity: Arc<ModelIdentity>,
    pub(super) index: Option<Arc<Index>>,
    pub(super) queue: Queue,
    /// Moving average of a photo's share of a run, microseconds; tells refused callers when to come back.
    pace_us: AtomicU64,
}

impl Live {
    /// Starts the thread of something that computes logits.
    pub(super) fn start(
        manifest: Manifest,
        index: Option<Arc<Index>>,
        runner: impl Run,
        options: &Options,
        meters: Meters,
    ) -> Result<Self, ModelError> {
        let backend = options.backend.to_string();
        let queue = Queue::start(runner, options.capacity(), options.max_batch, meters)
            .map_err(|detail| ModelError::Backend { backend: backend.clone(), detail })?;
        let identity = ModelIdentity { name: manifest.name.clone(), version: manifest.version.clone(), backend };
        Ok(Self {
            manifest: Arc::new(manifest),
            identity: Arc::new(identity),
            index,
            queue,
            pace_us: AtomicU64::new(FIRST_PACE_US),
        })
    }

    /// Learns from a run of `batch` photos.
    pub(super) fn learn_pace(&self, ran: Duration, batch: usize) {
        let sample = ran.as_micros() as u64 / batch.max(1) as u64;
        let pace = self.pace_us.load(Ordering::Relaxed);
        self.pace_us.store((pace * 7 + sample) / 8, Ordering::Relaxed);
    }

    /// When a core with room for `capacity` photos has answered all of them: whole seconds, 1 to 60.
    pub(super) fn retry_after(&self, capacity: usize) -> Duration {
        let micros = self.pace_us.load(Ordering::Relaxed) * capacity as u64;
        Duration::from_secs(Duration::from_micros(micros).as_secs().clamp(1, 60))
    }
}

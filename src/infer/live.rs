//! A model that answers, on a thread of its own.

use std::sync::Arc;

use super::Options;
use super::index::Index;
use super::manifest::{Manifest, ModelError};
use super::meters::Meters;
use super::pace::Pace;
use super::queue::{Queue, Run};
use crate::domain::ModelIdentity;

/// A model with its queue.
pub(super) struct Live {
    pub(super) manifest: Arc<Manifest>,
    pub(super) identity: Arc<ModelIdentity>,
    pub(super) index: Option<Arc<Index>>,
    pub(super) queue: Queue,
    pub(super) pace: Pace,
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
        Ok(Self { manifest: Arc::new(manifest), identity: Arc::new(identity), index, queue, pace: Pace::default() })
    }
}

//! The live model and its changes, in a process that answers photos.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::shelf::{Shelf, candidate};
use super::{Listed, ModelsError};
use crate::clock::{SharedClock, WallClock};
use crate::infer::manifest::{Manifest, ModelFiles};
use crate::infer::{Core, Options};
use crate::judge::Verdict;
use crate::store::promotions::{Ground, Promotion};

/// How often a process looks whether another has changed the live model: one look-up by an index.
const LOOK: SignedDuration = SignedDuration::from_secs(1);

/// On what ground a model is to go live.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Because this comparison says that it is better than the model that is live now.
    Better(Box<Verdict>),
    /// Whatever a comparison says, for this reason.
    Forced(String),
}

/// The models around a running core; clones share it.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    shelf: Shelf,
    core: Core,
    clock: SharedClock,
    /// Number of the change that the core follows. Held while the model is exchanged, one change at a time.
    followed: tokio::sync::Mutex<Option<i64>>,
    /// A change that could not be followed, so that it is tried and complained of once.
    failed: Mutex<Option<i64>>,
}

impl Registry {
    /// Starts the core with the live model.
    ///
    /// # Errors
    /// When the live model is broken or does not run: never a silent fallback to another.
    pub async fn open(shelf: Shelf, clock: SharedClock, options: &Options) -> Result<Self, ModelsError> {
        let (live, files) = shelf.live().await?;
        let core = Core::start(&files, options)?;
        Ok(Self::around(shelf, clock, core, live.map(|live| live.id)))
    }

    /// The models around a core that runs what is live; for tests.
    #[must_use]
    pub fn around(shelf: Shelf, clock: SharedClock, core: Core, followed: Option<i64>) -> Self {
        let followed = tokio::sync::Mutex::new(followed);
        Self { inner: Arc::new(Inner { shelf, core, clock, followed, failed: Mutex::new(None) }) }
    }

    /// The core, which always runs the live model.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.inner.core
    }

    /// The folder of all models.
    #[must_use]
    pub fn shelf(&self) -> &Shelf {
        &self.inner.shelf
    }

    /// Every model, the configured one first.
    ///
    /// # Errors
    /// See [`Shelf::list`].
    pub async fn list(&self) -> Result<Vec<Listed>, ModelsError> {
        self.inner.shelf.list().await
    }

    /// Makes a model live, in this process at once and in others within a second. It is loaded and tried first; the
    /// photos in hand are finished by the old one.
    ///
    /// # Errors
    /// See [`ModelsError`]; then nothing has changed.
    pub async fn promote(&self, name: &str, wanted: Wanted, actor: &str) -> Result<Promotion, ModelsError> {
        let mut followed = self.inner.followed.lock().await;
        let files = self.inner.shelf.read(name)?;
        let ground = ground(wanted, &files.manifest, &self.inner.core.manifest())?;
        self.change(&mut followed, name, files, &ground, actor).await
    }

    /// Goes back to the model that was live before this one; further calls go further back.
    ///
    /// # Errors
    /// See [`ModelsError`]; then nothing has changed.
    pub async fn rollback(&self, actor: &str) -> Result<Promotion, ModelsError> {
        let mut followed = self.inner.followed.lock().await;
        let name = self.inner.shelf.before().await?;
        let files = self.inner.shelf.read(&name)?;
        self.change(&mut followed, &name, files, &Ground::Rollback, actor).await
    }

    /// [`Registry::rollback`] without a running core, so that it also helps where the live model is broken. The model
    /// that goes live is tried all the same; processes on the same database follow.
    ///
    /// # Errors
    /// See [`ModelsError`]; then nothing has changed.
    pub async fn put_back(
        shelf: &Shelf,
        clock: &dyn WallClock,
        options: &Options,
        actor: &str,
    ) -> Result<Promotion, ModelsError> {
        let name = shelf.before().await?;
        let files = shelf.read(&name)?;
        Core::start(&files, options)?;
        let candidate = candidate(&name, &files.manifest);
        Ok(shelf.store().promote(&candidate, &Ground::Rollback, actor, clock.now()).await?)
    }

    async fn change(
        &self,
        followed: &mut Option<i64>,
        name: &str,
        files: ModelFiles,
        ground: &Ground,
        actor: &str,
    ) -> Result<Promotion, ModelsError> {
        let inner = &self.inner;
        let candidate = candidate(name, &files.manifest);
        inner.core.switch(files).await?;
        let noted = inner.shelf.store().promote(&candidate, ground, actor, inner.clock.now()).await;
        match noted {
            Ok(promotion) => {
                *followed = Some(promotion.id);
                let (model, version) = (&promotion.candidate.name, &promotion.candidate.version);
                tracing::info!(promotion = promotion.id, model, version, actor, ?ground, "another model is live");
                Ok(promotion)
            }
            Err(error) => {
                // What is not noted would be gone after a restart: the old model goes on, which is still warm.
                let (_, files) = inner.shelf.live().await?;
                inner.core.switch(files).await?;
                Err(error.into())
            }
        }
    }

    /// Follows what other processes on the same database change, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let next = self.inner.clock.now() + LOOK;
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.clock.until(next) => {}
            }
            if let Err(error) = self.follow().await {
                tracing::error!(%error, "the model that is live by the database does not run here; the old one goes on");
            }
        }
    }

    /// Runs what the database says is live. A change that fails is tried once.
    ///
    /// # Errors
    /// See [`ModelsError`]; then the old model goes on.
    pub async fn follow(&self) -> Result<(), ModelsError> {
        let inner = &self.inner;
        let mut followed = inner.followed.lock().await;
        let newest = inner.shelf.store().live_model().await?;
        let id = newest.as_ref().map(|newest| newest.id);
        if id == *followed || id == *inner.failed.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(());
        }
        let switched = match inner.shelf.files_of(newest.as_ref()) {
            Ok(files) => inner.core.switch(files).await.map_err(ModelsError::from),
            Err(error) => Err(error),
        };
        match switched {
            Ok(()) => {
                *followed = id;
                tracing::info!(promotion = id, "another process has made another model live");
            }
            Err(_) => *inner.failed.lock().unwrap_or_else(PoisonError::into_inner) = id,
        }
        switched
    }
}

/// Whether the model may go live.
fn ground(wanted: Wanted, candidate: &Manifest, live: &Manifest) -> Result<Ground, ModelsError> {
    if candidate == live {
        return Err(ModelsError::Live(format!("{} {}", live.name, live.version)));
    }
    match wanted {
        Wanted::Forced(reason) if reason.trim().is_empty() => Err(ModelsError::NoReason),
        Wanted::Forced(reason) => Ok(Ground::Forced(reason.trim().to_owned())),
        Wanted::Better(verdict) => {
            if verdict.candidate.sha256 != candidate.sha256 || verdict.live.sha256 != live.sha256 {
                return Err(ModelsError::Stale);
            }
            if !verdict.better {
                return Err(ModelsError::NotBetter);
            }
            Ok(Ground::Better(serde_json::to_string(&verdict).unwrap_or_default()))
        }
    }
}

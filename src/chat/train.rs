//! `/train`: what admins have trained, from the offer to the model that goes live if it is better.
//!
//! Nothing is begun before an admin has seen what it is and has pressed the button under it. What a job does is up to
//! the composition root; here is what is asked of it ([`Request`]) and what it says ([`Progress`], [`Outcome`]).

mod telling;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::telling::{Epoch, Live, Outcome, Progress, Stage, Teller};
pub use self::words::WordError;
use self::words::{Action, Wish};
use super::admin::Done;
use super::jobs::{Clerk, client};
use super::message::{Button, Incoming, PressReply, Pressed, Reply};
use super::press::Press;
use super::text::training::{self as text, Offer, Reason};
use crate::domain::Area;
use crate::domain::job::{JobId, JobKind};
use crate::infer::manifest::{ModelFiles, sha256_hex};
use crate::jobs::Jobs;
use crate::models::Registry;
use crate::store::StoreError;
use crate::train::device::Processor;
use crate::train::folder::Folder;
use crate::train::recipe::{self, Recipe};
use crate::train::settings::{Mode, Settings, Source};
use crate::train::supply::Supply;
use crate::world::World;

/// What is to be trained: a job's request. Two that are equal come to the same model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is fitted.
    pub mode: Mode,
    /// Where the photos come from.
    pub data: Source,
    /// Photos to train on, to validate with and to test with, as they were counted for the offer.
    pub photos: [usize; 3],
    /// The recipe of a full training.
    pub recipe: Option<String>,
    /// Its epochs.
    pub epochs: Option<usize>,
    /// Tells recipes and first weights apart that have changed under the same name: nobody goes on from a checkpoint of
    /// others.
    pub state: Option<String>,
    /// The model whose network a new last layer is for.
    pub base: Option<Base>,
}

/// A model as it was when the offer was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its name on the shelf; empty for the configured one.
    pub folder: String,
    /// SHA-256 of the network.
    pub sha256: String,
}

/// Has models trained; clones share it.
#[derive(Clone)]
pub struct Trainer {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    registry: Registry,
    jobs: Jobs,
    clerk: Clerk,
}

impl Trainer {
    /// A trainer whose jobs `jobs` does and `clerk` tells of.
    #[must_use]
    pub fn new(settings: Settings, registry: Registry, jobs: Jobs, clerk: Clerk) -> Self {
        Self { inner: Arc::new(Inner { settings, registry, jobs, clerk }) }
    }

    /// Answers `/train`.
    pub(super) async fn command(&self, incoming: &Incoming) -> Result<Done, StoreError> {
        let (lang, clerk) = (incoming.lang, &self.inner.clerk);
        let mut recipes = recipe::names();
        recipes.push(&self.inner.settings.recipe);
        let (action, wish) = match words::read(&incoming.arguments, &recipes) {
            Ok(read) => read,
            Err(error) => return Ok(Done::not(text::word_error(lang, &error))),
        };
        match action {
            Action::Status => clerk.status(incoming, JobKind::Train, text::nothing).await,
            Action::Cancel => clerk.cancel(lang, JobKind::Train, text::stopping, text::nothing_to_stop).await,
            Action::Begin => self.offer(incoming, wish).await,
        }
    }

    /// Whether it was this one that offered a job.
    pub(super) async fn offered(&self, job: JobId) -> Result<bool, StoreError> {
        Ok(self.inner.jobs.look(job).await?.is_some_and(|job| job.kind == JobKind::Train))
    }

    /// The button that begins.
    pub(super) async fn begin(&self, pressed: &Pressed, job: JobId) -> Result<(String, PressReply), StoreError> {
        self.inner.clerk.confirm(pressed, job, text::begun, text::same).await
    }

    /// What it would do, with the button that begins.
    async fn offer(&self, incoming: &Incoming, wish: Wish) -> Result<Done, StoreError> {
        let (lang, settings) = (incoming.lang, &self.inner.settings);
        let mode = wish.mode.or(wish.recipe.as_ref().map(|_| Mode::Full)).unwrap_or(settings.mode);
        let data = wish.data.unwrap_or(settings.data);
        let name = wish.recipe.unwrap_or_else(|| settings.recipe.clone());
        let planned = match self.supply(data).await? {
            Ok(supply) => self.plan(mode, &name, data, supply).await,
            Err(reason) => Err(reason),
        };
        let offer = match planned {
            Ok(offer) => offer,
            Err(reason) => return Ok(Done::not(text::not_begun(lang, &reason))),
        };
        let request = serde_json::to_string(&offer.request).unwrap_or_default();
        let job = self.inner.jobs.offer(JobKind::Train, &request, &client(incoming)).await?;
        let button = Button { label: text::begin_button(lang), press: Press::Begin { job } };
        let reply = Reply { buttons: vec![vec![button]], ..Reply::words(text::offer(lang, &offer)) };
        Ok(Done { outcome: format!("offered as {}", job.0), replies: vec![reply] })
    }

    /// The photos that there are.
    async fn supply(&self, data: Source) -> Result<Result<Supply, Reason>, StoreError> {
        let settings = &self.inner.settings;
        let photos = settings.photos as usize;
        let count: Box<dyn FnOnce() -> Result<Supply, Reason> + Send> = match (data, settings.data_folder.clone()) {
            (Source::Collected, _) => {
                return Ok(Ok(Supply::of_sums(&self.inner.jobs.store().image_sums().await?)));
            }
            (Source::Drawn, _) => Box::new(move || Ok(Supply::drawn(&World::load(), photos))),
            (Source::Folder, None) => return Ok(Err(Reason::NoFolder)),
            (Source::Folder, Some(folder)) => Box::new(move || {
                let folder = Folder::read(&folder).map_err(|error| Reason::Data(error.to_string()))?;
                Ok(Supply::of_folder(&folder))
            }),
        };
        let counted = tokio::task::spawn_blocking(count).await;
        Ok(counted.unwrap_or_else(|error| Err(Reason::Data(error.to_string()))))
    }

    async fn plan(&self, mode: Mode, name: &str, data: Source, supply: Supply) -> Result<Offer, Reason> {
        let settings = &self.inner.settings;
        let lacking = supply.lacking();
        if !lacking.is_empty() {
            return Err(Reason::Lacking(lacking.into_iter().map(|(area, split)| (area.to_owned(), split)).collect()));
        }
        if supply.areas.len() < 2 {
            return Err(Reason::Areas(supply.areas.len(), data));
        }
        let live = self.inner.registry.shelf().live().await.map_err(|error| Reason::Data(error.to_string()))?;
        let (promotion, ModelFiles { manifest, .. }) = live;
        let known = |label: &&Area| supply.areas.iter().all(|area| area.area != label.area);
        let photos = supply.total();
        let mut offer = Offer {
            request: Request { mode, data, photos, recipe: None, epochs: None, state: None, base: None },
            areas: supply.areas.len(),
            forgotten: manifest.labels.iter().filter(known).cloned().collect(),
            model: format!("{} {}", manifest.name, manifest.version),
            from: settings.from.clone(),
            device: settings.device,
            time: None,
        };
        match mode {
            Mode::Head => {
                let folder = promotion.map_or_else(String::new, |promotion| promotion.candidate.folder);
                offer.time = supply.head_time(&manifest);
                offer.request.base = Some(Base { folder, sha256: manifest.sha256 });
            }
            Mode::Full => {
                let recipe = Recipe::find(name).map_err(|error| Reason::Data(error.to_string()))?;
                if photos[0] < recipe.batch {
                    return Err(Reason::Few { photos: photos[0], batch: recipe.batch });
                }
                let state = sha256_hex(format!("{recipe:?} {:?}", settings.from).as_bytes());
                offer.time = (settings.device == Processor::Cpu).then(|| supply.full_time(&recipe));
                let request = &mut offer.request;
                (request.recipe, request.epochs) = (Some(name.to_owned()), Some(recipe.epochs()));
                request.state = Some(state);
            }
        }
        Ok(offer)
    }
}

/// Reads words after `/train` that strangers made up.
#[cfg(any(test, fuzzing))]
pub(super) fn hostile(text: &str) {
    let _ = words::read(text, &["reference", "drawn-world"]);
}

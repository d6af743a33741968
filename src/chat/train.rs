//! `/train`: what admins have trained, from the offer to the model that goes live if it is better.
//!
//! Nothing is begun before an admin has seen what it is and has pressed the button under it. What a job does is up to
//! the composition root; here is what is asked of it ([`Request`]) and what it says ([`Progress`], [`Outcome`]).

mod telling;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::telling::{Epoch, Live, Outcome, Progress, Stage, Teller};
pub(super) use self::words::MAX_CELL;
pub use self::words::WordError;
use self::words::{Action, Wish};
use super::admin::Done;
use super::jobs::{Clerk, client};
use super::message::{Button, Incoming, PressReply, Pressed, Reply};
use super::press::Press;
use super::text::training::{self as text, Offer, Reason};
use crate::domain::area::are_cells;
use crate::domain::job::{JobId, JobKind};
use crate::domain::partition::Limits;
use crate::domain::{Area, Split};
use crate::infer::manifest::{ModelFiles, sha256_hex};
use crate::jobs::Jobs;
use crate::judge::distance::LEAST_PLACES;
use crate::models::Registry;
use crate::store::StoreError;
use crate::train::cells::{Rule, Sight};
use crate::train::device::Processor;
use crate::train::drawn::{self, Amount};
use crate::train::folder::{Folder, FolderError};
use crate::train::recipe::{self, Recipe};
use crate::train::settings::{Mode, Settings, Source};
use crate::train::supply::Supply;
use crate::world::World;

/// Rows that are read at a time.
const PAGE: u32 = 1_000;

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
    /// How cells are made, where its labels are cells. Left out where they are areas: such requests are written as they
    /// were before there were cells, and go on from what was left then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<Limits>,
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
        let counted = match wish.cells {
            Some(limits) => self.supply_in_cells(data, limits, seed(mode, &name)).await?,
            None => self.supply(data).await?,
        };
        let planned = match counted.and_then(|supply| fit(&supply, data, wish.cells).map(|()| supply)) {
            Ok(supply) => self.plan(mode, &name, data, supply, wish.cells).await,
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
        Ok(counted(count).await)
    }

    /// The cells that its photos make.
    async fn supply_in_cells(
        &self,
        data: Source,
        limits: Limits,
        seed: u64,
    ) -> Result<Result<Supply, Reason>, StoreError> {
        let settings = &self.inner.settings;
        let amount = Amount { train: settings.photos as usize, ..Amount::FULL };
        let count: Box<dyn FnOnce() -> Result<Supply, Reason> + Send> = match (data, settings.data_folder.clone()) {
            (Source::Collected, _) => {
                let seen = self.collected().await?;
                Box::new(move || Ok(Supply::in_cells(&seen, limits)))
            }
            (Source::Drawn, _) => Box::new(move || {
                let seen = drawn::sights(&World::load(), seed, amount);
                Ok(Supply { drawn: true, ..Supply::in_cells(&seen, limits) })
            }),
            (Source::Folder, None) => return Ok(Err(Reason::NoFolder)),
            (Source::Folder, Some(folder)) => Box::new(move || match Folder::in_cells(&folder, &Rule::Made(limits)) {
                Ok((folder, lost)) => Ok(Supply::of_folder_in_cells(&folder, lost)),
                Err(FolderError::NoCells { .. }) => Err(Reason::NoCells(limits)),
                Err(error) => Err(Reason::Data(error.to_string())),
            }),
        };
        Ok(counted(count).await)
    }

    /// Where all collected photos were taken, with their towns.
    async fn collected(&self) -> Result<Vec<(Sight, String)>, StoreError> {
        let (store, mut seen, mut after) = (self.inner.jobs.store(), Vec::new(), None);
        loop {
            let page = store.images_after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(seen) };
            after = Some(last.id);
            seen.extend(page.into_iter().map(|image| {
                let at = Some(image.sighting.position);
                (Sight { at, area: image.place.area, split: image.split }, image.place.town)
            }));
        }
    }

    async fn plan(
        &self,
        mode: Mode,
        name: &str,
        data: Source,
        supply: Supply,
        cells: Option<Limits>,
    ) -> Result<Offer, Reason> {
        let settings = &self.inner.settings;
        let live = self.inner.registry.shelf().live().await.map_err(|error| Reason::Data(error.to_string()))?;
        let (promotion, ModelFiles { manifest, .. }) = live;
        // Models whose areas differ are compared by distance, which sees what one does not know.
        let by_distance = cells.is_some() || are_cells(&manifest.labels);
        let known = |label: &&Area| !by_distance && supply.areas.iter().all(|area| area.area != label.area);
        let photos = supply.total();
        let mut offer = Offer {
            request: Request { mode, data, photos, recipe: None, epochs: None, state: None, base: None, cells },
            areas: supply.areas.len(),
            forgotten: manifest.labels.iter().filter(known).cloned().collect(),
            model: format!("{} {}", manifest.name, manifest.version),
            from: settings.from.clone(),
            device: settings.device,
            time: None,
            lost: supply.lost,
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

/// Counts on a thread for blocking work.
async fn counted(count: Box<dyn FnOnce() -> Result<Supply, Reason> + Send>) -> Result<Supply, Reason> {
    let counted = tokio::task::spawn_blocking(count).await;
    counted.unwrap_or_else(|error| Err(Reason::Data(error.to_string())))
}

/// The seed that photos are drawn with. A recipe that cannot be read is complained of later.
fn seed(mode: Mode, recipe: &str) -> u64 {
    match mode {
        Mode::Head => 1,
        Mode::Full => Recipe::find(recipe).map_or(1, |recipe| recipe.seed),
    }
}

/// Whether a model can be trained on these photos, and be judged by them.
fn fit(supply: &Supply, data: Source, cells: Option<Limits>) -> Result<(), Reason> {
    let Some(limits) = cells else {
        let lacking: Vec<_> = supply.lacking().into_iter().map(|(area, split)| (area.to_owned(), split)).collect();
        return match lacking.is_empty() {
            false => Err(Reason::Lacking(lacking)),
            true if supply.areas.len() < 2 => Err(Reason::Areas(supply.areas.len(), data)),
            true => Ok(()),
        };
    };
    match (supply.areas.len(), supply.total()) {
        (0, _) => Err(Reason::NoCells(limits)),
        (1, _) => Err(Reason::OneCell(limits)),
        (_, [_, 0, _]) => Err(Reason::Unjudged(Split::Validation)),
        (_, [_, _, 0]) => Err(Reason::Unjudged(Split::Test)),
        _ if supply.places < LEAST_PLACES => Err(Reason::Places(supply.places)),
        _ => Ok(()),
    }
}

/// Reads words after `/train` that strangers made up.
#[cfg(any(test, fuzzing))]
pub(super) fn hostile(text: &str) {
    let _ = words::read(text, &["reference", "drawn-world"]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::supply::AreaSupply;

    #[test]
    fn requests_of_before_there_were_cells_are_read_and_written_as_they_were() {
        let old = r#"{"mode":"head","data":"drawn","photos":[7000,700,1050],"recipe":null,"epochs":null,"state":null,"base":null}"#;
        let request: Request = serde_json::from_str(old).unwrap();
        assert_eq!((request.cells, serde_json::to_string(&request).unwrap().as_str()), (None, old));
        let cells = Request { cells: Some(Limits::default()), ..request };
        let text = serde_json::to_string(&cells).unwrap();
        assert_ne!(text, old, "another model, under another key");
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), cells);
    }

    #[test]
    fn what_cells_cannot_be_trained_on_is_found_before_anything_is() {
        let supply = |cells: usize, validation: usize, places: usize| {
            let area = |i: usize| AreaSupply { area: i.to_string(), photos: [4, validation, 3] };
            Supply { areas: (0..cells).map(area).collect(), places, ..Supply::default() }
        };
        let limits = Limits::default();
        let found = |supply: &Supply| fit(supply, Source::Folder, Some(limits));
        assert_eq!(found(&supply(0, 1, 0)), Err(Reason::NoCells(limits)));
        assert_eq!(found(&supply(1, 1, 9)), Err(Reason::OneCell(limits)));
        assert_eq!(found(&supply(2, 0, 9)), Err(Reason::Unjudged(Split::Validation)));
        assert_eq!(found(&supply(2, 1, 5)), Err(Reason::Places(5)));
        assert_eq!(found(&supply(2, 1, 6)), Ok(()));
        assert!(
            matches!(fit(&supply(2, 0, 6), Source::Folder, None), Err(Reason::Lacking(lacking)) if lacking.len() == 2)
        );
    }
}

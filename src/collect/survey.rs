//! From names to a plan: towns are listed, borders read, points drawn.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::area::Region;
use super::borders::{self, BorderError};
use super::estimate::{Estimate, experience};
use super::geolonia::{Geolonia, GeoloniaError};
use super::grid;
use super::plan::{AreaPlan, Plan, Town};
use super::settings::Settings;
use super::wire::{Options, Wire, system_jitter};
use super::wish::{Unfulfilled, Wish};
use crate::clock::SharedClock;
use crate::domain::Area;
use crate::store::{Store, StoreError};

/// Why there is no plan, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// No areas.
    #[error("there is nothing to cover: name municipalities in `collect.areas` or regions in `collect.regions`")]
    Nothing,
    /// It cannot be what is wished for.
    #[error(transparent)]
    Wish(#[from] Unfulfilled),
    /// No towns.
    #[error(transparent)]
    Towns(#[from] GeoloniaError),
    /// No border.
    #[error(transparent)]
    Border(#[from] BorderError),
    /// Too much of a region.
    #[error("{name}: {problem}")]
    Region {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: grid::TooLarge,
    },
    /// What earlier runs found cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own fault.
    #[error("the plan could not be drawn: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

/// Draws plans by the settings, and by what a run wishes otherwise.
pub struct Planner {
    settings: Settings,
    geolonia: Geolonia,
    store: Option<Store>,
}

/// A plan, the settings that it was drawn by, and what it comes to.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The configured settings with the wish in them.
    pub settings: Settings,
    /// Where to look.
    pub plan: Plan,
    /// What it comes to.
    pub estimate: Estimate,
}

impl Planner {
    /// A planner of these settings that asks Geolonia at their pace.
    ///
    /// # Errors
    /// When the TLS library fails to start.
    pub fn new(settings: Settings, clock: SharedClock) -> Result<Self, reqwest::Error> {
        let pace = &settings.pace;
        let options = Options {
            per_second: pace.requests_per_second,
            concurrent: pace.concurrency,
            connect_timeout: pace.connect_timeout,
            read_timeout: pace.read_timeout,
            tally: settings.meters.of("geolonia"),
            ..Options::default()
        };
        let access = settings.geolonia.clone();
        let wire = Wire::new(&access.api_url, options, clock, system_jitter(), CancellationToken::new())?;
        Ok(Self { settings, geolonia: Geolonia::new(wire, access), store: None })
    }

    /// The same, with estimates by what earlier runs found.
    #[must_use]
    pub fn learning_from(self, store: Store) -> Self {
        Self { store: Some(store), ..self }
    }

    /// The plan that is wished for. Nothing is asked of the source of imagery.
    ///
    /// # Errors
    /// See [`SurveyError`].
    pub async fn plan(&self, wish: &Wish) -> Result<Planned, SurveyError> {
        let settings = self.settings.clone().with(wish)?;
        let plan = self.survey(&settings).await?;
        let known = match &self.store {
            Some(store) => experience(store, settings.source).await?,
            None => BTreeMap::new(),
        };
        let estimate = Estimate::of(&plan, &settings, &known);
        Ok(Planned { settings, plan, estimate })
    }

    async fn survey(&self, settings: &Settings) -> Result<Plan, SurveyError> {
        if settings.municipalities.is_empty() && settings.regions.is_empty() {
            return Err(SurveyError::Nothing);
        }
        let mut listed = Vec::new();
        for municipality in &settings.municipalities {
            let area = municipality.area();
            listed.push((area.clone(), self.geolonia.towns(area).await?));
        }
        let settings = settings.clone();
        tokio::task::spawn_blocking(move || draw(&settings, listed)).await?
    }
}

fn draw(settings: &Settings, listed: Vec<(Area, Vec<Town>)>) -> Result<Plan, SurveyError> {
    let points = settings.density.points_per_town;
    let names: Vec<&Area> = listed.iter().map(|(area, _)| area).collect();
    let borders = borders::of_municipalities(settings.borders_file.as_deref(), &names)?;
    let municipalities = listed.iter().zip(borders);
    let mut areas: Vec<AreaPlan> =
        municipalities.map(|((area, towns), border)| AreaPlan::new(area.clone(), border, towns, points)).collect();
    for region in &settings.regions {
        areas.push(draw_region(region, points)?);
    }
    Ok(Plan { areas })
}

fn draw_region(region: &Region, points: u32) -> Result<AreaPlan, SurveyError> {
    let border = borders::of_region(&region.file)?;
    let squares = grid::squares(&border);
    let squares = squares.map_err(|problem| SurveyError::Region { name: region.name.clone(), problem })?;
    Ok(AreaPlan::new(region.area(), border, &squares, points))
}

//! `/collect`: what admins have collected, from the plan to the end.
//!
//! Nothing is bought before an admin has seen what it is expected to cost and has pressed the button under it.

mod telling;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::telling::{Failure, Outcome, Teller};
use self::words::Action;
pub(super) use self::words::MAX_POINTS;
pub use self::words::WordError;
use super::admin::Done;
use super::jobs::{Clerk, client};
use super::message::{Button, Incoming, PressReply, Pressed, Reply};
use super::plan;
use super::press::Press;
use super::text::{self, Lang, collecting};
use crate::collect::settings::Settings;
use crate::collect::survey::{Planned, Planner};
use crate::collect::wish::Wish;
use crate::domain::imagery::Source;
use crate::domain::job::{JobId, JobKind};
use crate::jobs::Jobs;
use crate::store::StoreError;

/// What is to be collected: a job's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Name of the source.
    pub source: String,
    /// Full Japanese names of the areas, in the order of the configuration.
    pub areas: Vec<String>,
    /// Points in each town.
    pub points: u32,
}

impl Request {
    /// What these settings cover.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let municipalities = settings.municipalities.iter().map(|municipality| municipality.area().area.clone());
        let areas = municipalities.chain(settings.regions.iter().map(|region| region.name.clone())).collect();
        let (source, points) = (settings.source.name().to_owned(), settings.density.points_per_town);
        Self { source, areas, points }
    }

    /// The source; `None` for one of another version of the program.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.source.parse().ok()
    }

    /// The same as a wish.
    #[must_use]
    pub fn wish(&self) -> Wish {
        Wish { source: self.source(), areas: self.areas.clone(), points: Some(self.points) }
    }
}

/// Has things collected; clones share it.
#[derive(Clone)]
pub struct Collector {
    inner: Arc<Inner>,
}

struct Inner {
    planner: Planner,
    jobs: Jobs,
    clerk: Clerk,
}

impl Collector {
    /// A collector of what `planner` plans, whose jobs `jobs` does and `clerk` tells of.
    #[must_use]
    pub fn new(planner: Planner, jobs: Jobs, clerk: Clerk) -> Self {
        Self { inner: Arc::new(Inner { planner, jobs, clerk }) }
    }

    /// Answers `/collect`.
    pub(super) async fn command(&self, incoming: &Incoming) -> Result<Done, StoreError> {
        let (lang, clerk) = (incoming.lang, &self.inner.clerk);
        let (action, wish) = match words::read(&incoming.arguments) {
            Ok(read) => read,
            Err(error) => return Ok(Done::not(collecting::word_error(lang, &error))),
        };
        match action {
            Action::Status => clerk.status(incoming, JobKind::Collect, collecting::nothing).await,
            Action::Stop => {
                clerk.cancel(lang, JobKind::Collect, collecting::stopping, collecting::nothing_to_stop).await
            }
            Action::Plan => Ok(self.plan(lang, &wish).await),
            Action::Begin => self.offer(incoming, &wish).await,
        }
    }

    /// `/collect plan`: the table with a map. A plan needs no secret.
    async fn plan(&self, lang: Lang, wish: &Wish) -> Done {
        match self.inner.planner.plan(wish).await {
            Ok(planned) => {
                let reply = plan::reply(lang, planned.plan, &planned.estimate).await;
                Done { replies: vec![reply], ..Done::words(String::new()) }
            }
            Err(why) => Done::not(collecting::no_plan(lang, &why)),
        }
    }

    /// `/collect`: what it is expected to cost, with the button that begins.
    async fn offer(&self, incoming: &Incoming, wish: &Wish) -> Result<Done, StoreError> {
        let lang = incoming.lang;
        let planned = match self.inner.planner.plan(wish).await {
            Ok(planned) => planned,
            Err(why) => return Ok(Done::not(collecting::no_plan(lang, &why))),
        };
        let Planned { settings, estimate, .. } = &planned;
        if let Err(reason) = settings.ready(settings.source) {
            return Ok(Done::not(collecting::not_ready(lang, &reason)));
        }
        let request = serde_json::to_string(&Request::of(settings)).unwrap_or_default();
        let job = self.inner.jobs.offer(JobKind::Collect, &request, &client(incoming)).await?;
        let table = text::collect::plan(lang, estimate);
        let button = Button { label: collecting::begin_button(lang), press: Press::Begin { job } };
        let words = format!("{table}\n\n{}", collecting::confirm(lang, estimate, &settings.money));
        let reply = Reply { buttons: vec![vec![button]], ..Reply::words(words) };
        Ok(Done { outcome: format!("offered as {}", job.0), replies: vec![reply] })
    }

    /// The button that begins.
    pub(super) async fn begin(&self, pressed: &Pressed, job: JobId) -> Result<(String, PressReply), StoreError> {
        self.inner.clerk.confirm(pressed, job, collecting::begun, collecting::same).await
    }
}

/// Reads words after `/collect` that strangers made up.
#[cfg(any(test, fuzzing))]
pub(super) fn hostile(text: &str) {
    let _ = words::read(text);
}

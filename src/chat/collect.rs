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
use super::jobs::Clerk;
use super::message::{Button, Incoming, PressReply, Pressed, Reply};
use super::plan;
use super::press::Press;
use super::text::{self, Lang};
use crate::collect::settings::Settings;
use crate::collect::survey::{Planned, Planner};
use crate::collect::wish::Wish;
use crate::domain::imagery::Source;
use crate::domain::job::{Client, JobId, JobKind};
use crate::jobs::{Confirmed, Jobs};
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
        let lang = incoming.lang;
        let (action, wish) = match words::read(&incoming.arguments) {
            Ok(read) => read,
            Err(error) => return Ok(Done::not(text::collecting::word_error(lang, &error))),
        };
        match action {
            Action::Status => self.status(incoming).await,
            Action::Stop => self.stop(lang).await,
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
            Err(why) => Done::not(text::collecting::no_plan(lang, &why)),
        }
    }

    /// `/collect`: what it is expected to cost, with the button that begins.
    async fn offer(&self, incoming: &Incoming, wish: &Wish) -> Result<Done, StoreError> {
        let lang = incoming.lang;
        let planned = match self.inner.planner.plan(wish).await {
            Ok(planned) => planned,
            Err(why) => return Ok(Done::not(text::collecting::no_plan(lang, &why))),
        };
        let Planned { settings, estimate, .. } = &planned;
        if let Err(reason) = settings.ready(settings.source) {
            return Ok(Done::not(text::collecting::not_ready(lang, &reason)));
        }
        let client = Client {
            user: incoming.user.clone(),
            chat: incoming.chat.clone(),
            thread: incoming.thread,
            lang: lang.tag().to_owned(),
        };
        let request = serde_json::to_string(&Request::of(settings)).unwrap_or_default();
        let job = self.inner.jobs.offer(JobKind::Collect, &request, &client).await?;
        let table = text::collect::plan(lang, estimate);
        let button = Button { label: text::collecting::begin_button(lang), press: Press::Begin { job } };
        let words = format!("{table}\n\n{}", text::collecting::confirm(lang, estimate, &settings.money));
        let reply = Reply { buttons: vec![vec![button]], ..Reply::words(words) };
        Ok(Done { outcome: format!("offered as {}", job.0), replies: vec![reply] })
    }

    async fn stop(&self, lang: Lang) -> Result<Done, StoreError> {
        let stopped = self.inner.jobs.cancel(JobKind::Collect).await?;
        if stopped.is_empty() {
            return Ok(Done::not(text::collecting::nothing_to_stop(lang)));
        }
        Ok(Done::words(text::collecting::stopping(lang)))
    }

    /// The button that begins.
    pub(super) async fn begin(&self, pressed: &Pressed, job: JobId) -> Result<(String, PressReply), StoreError> {
        let lang = pressed.lang;
        let (outcome, words) = match self.inner.jobs.confirm(job, &pressed.chat).await? {
            Confirmed::Queued(id) => {
                let place = match self.inner.jobs.look(id).await? {
                    Some(job) => self.inner.jobs.place(&job).await?,
                    None => 0,
                };
                (format!("queued as {}", id.0), text::collecting::begun(lang, place))
            }
            Confirmed::Same(id) => (format!("the same as {}", id.0), text::collecting::same(lang)),
            Confirmed::Gone => {
                let notice = text::stale_button(lang);
                return Ok(("declined".to_owned(), PressReply { notice, ..PressReply::default() }));
            }
        };
        Ok((outcome, PressReply { edit: Some(Reply::words(words)), ..PressReply::default() }))
    }

    /// `/collect status`: a message that follows the job, or how the last one ended.
    async fn status(&self, incoming: &Incoming) -> Result<Done, StoreError> {
        let lang = incoming.lang;
        let Some(job) = self.inner.jobs.current(JobKind::Collect).await? else {
            return Ok(Done::not(text::collecting::nothing(lang)));
        };
        if job.state.is_over() {
            let state = self.inner.clerk.telling().state(lang, &job, 0);
            return Ok(Done { replies: vec![state], ..Done::words(String::new()) });
        }
        self.inner.clerk.follow(job.id, lang, incoming.chat.clone(), incoming.thread);
        Ok(Done { replies: Vec::new(), ..Done::words(String::new()) })
    }
}

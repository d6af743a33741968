//! What admins reach: their office, the queue of their jobs, and who tells of them.

use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::collecting::Collecting;
use super::training::{Program, Training};
use crate::chat::admin::Admins;
use crate::chat::collect::{Collector, Teller};
use crate::chat::jobs::{Clerk, Telling};
use crate::chat::train::{self, Trainer};
use crate::chat::{Lang, Office, Post, Reply};
use crate::clock::SharedClock;
use crate::collect::survey::Planner;
use crate::config::Config;
use crate::domain::job::{Job, JobKind};
use crate::jobs::{Jobs, Work};
use crate::models::Registry;
use crate::store::Store;

/// The office with the queue behind it.
pub struct Bureau {
    office: Office,
    jobs: Jobs,
    clerk: Clerk,
}

/// Where models are trained and exchanged.
pub struct Workshop {
    /// The models.
    pub registry: Registry,
    /// What is run to train one.
    pub program: Program,
}

/// Words for jobs of both kinds.
struct Tellers {
    collect: Teller,
    train: train::Teller,
}

impl Tellers {
    fn of(&self, job: &Job) -> &dyn Telling {
        match job.kind {
            JobKind::Collect => &self.collect,
            JobKind::Train => &self.train,
        }
    }
}

impl Telling for Tellers {
    fn state(&self, lang: Lang, job: &Job, place: usize) -> Reply {
        self.of(job).state(lang, job, place)
    }

    fn news(&self, lang: Lang, job: &Job) -> Reply {
        self.of(job).news(lang, job)
    }
}

impl Bureau {
    /// What the configuration opens; news go out through `post`. Without a workshop models stay as they are.
    ///
    /// # Errors
    /// When the TLS library fails to start.
    pub fn open(
        config: &Config,
        store: &Store,
        post: Post,
        clock: SharedClock,
        workshop: Option<Workshop>,
    ) -> anyhow::Result<Self> {
        let collecting = Collecting::new(config.collect.clone(), store.clone(), clock.clone());
        let mut works: Vec<(JobKind, Arc<dyn Work>)> = vec![(JobKind::Collect, Arc::new(collecting))];
        if let Some(Workshop { registry, program }) = &workshop {
            let training = Training::new(config, program.clone(), registry.clone(), clock.clone());
            works.push((JobKind::Train, Arc::new(training)));
        }
        let jobs = Jobs::new(store.clone(), clock.clone(), works);
        let collect = Teller { currency: config.collect.money.currency.clone() };
        let tellers = Tellers { collect, train: train::Teller { models: config.models_folder.clone() } };
        let clerk = Clerk::new(jobs.clone(), post, clock.clone(), Arc::new(tellers));
        let planner = Planner::new(config.collect.clone(), clock.clone()).context("cannot start TLS")?;
        let planner = planner.learning_from(store.clone());
        let collector = Collector::new(planner, jobs.clone(), clerk.clone());
        let admins = Admins::with_owners(&config.admins, &config.owners);
        let mut office = Office::new(admins, store.clone(), clock).with_collector(collector);
        if let Some(Workshop { registry, .. }) = workshop {
            let trainer = Trainer::new(config.train.clone(), registry.clone(), jobs.clone(), clerk.clone());
            office = office.with_models(registry).with_trainer(trainer);
        }
        Ok(Self { office, jobs, clerk })
    }

    /// The office, for the conversation.
    #[must_use]
    pub fn office(&self) -> Office {
        self.office.clone()
    }

    /// Does jobs and tells of them until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.jobs.run(stop.clone()), self.clerk.run(stop));
    }
}

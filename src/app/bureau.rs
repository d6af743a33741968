//! What admins reach: their office, the queue of their jobs, and who tells of them.

use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::collecting::Collecting;
use crate::chat::collect::{Collector, Teller};
use crate::chat::jobs::Clerk;
use crate::chat::{Office, Post};
use crate::clock::SharedClock;
use crate::collect::survey::Planner;
use crate::config::Config;
use crate::domain::job::JobKind;
use crate::jobs::{Jobs, Work};
use crate::store::Store;

/// The office with the queue behind it.
pub struct Bureau {
    office: Office,
    jobs: Jobs,
    clerk: Clerk,
}

impl Bureau {
    /// What the configuration opens; news go out through `post`.
    ///
    /// # Errors
    /// When the TLS library fails to start.
    pub fn open(config: &Config, store: &Store, post: Post, clock: SharedClock) -> anyhow::Result<Self> {
        let work: Arc<dyn Work> = Arc::new(Collecting::new(config.collect.clone(), store.clone(), clock.clone()));
        let jobs = Jobs::new(store.clone(), clock.clone(), vec![(JobKind::Collect, work)]);
        let teller = Teller { currency: config.collect.money.currency.clone() };
        let clerk = Clerk::new(jobs.clone(), post, clock.clone(), Box::new(teller));
        let planner = Planner::new(config.collect.clone(), clock.clone()).context("cannot start TLS")?;
        let planner = planner.learning_from(store.clone());
        let collector = Collector::new(planner, jobs.clone(), clerk.clone());
        let admins = config.admins.iter().cloned().collect();
        let office = Office::new(admins, store.clone(), clock).with_collector(collector);
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

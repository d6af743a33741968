//! Collecting as a job.

use std::pin::Pin;

use tokio_util::sync::CancellationToken;

use crate::chat::collect::{Failure, Outcome, Request};
use crate::clock::SharedClock;
use crate::collect::run::{Ended, Run, Summary};
use crate::collect::settings::Settings;
use crate::collect::survey::{Planned, Planner};
use crate::domain::job::Job;
use crate::jobs::{Progress, Work, WorkError, Worked, worked};
use crate::store::Store;

/// Collects as configured.
pub(super) struct Collecting {
    settings: Settings,
    store: Store,
    clock: SharedClock,
}

impl Collecting {
    /// Collects by this configuration into the folder that it names, with the books in `store`.
    pub(super) fn new(settings: Settings, store: Store, clock: SharedClock) -> Self {
        Self { settings, store, clock }
    }

    async fn collect(&self, job: &Job, progress: &Progress, stop: &CancellationToken) -> anyhow::Result<Summary> {
        let request: Request = serde_json::from_str(&job.request)?;
        let planner = Planner::new(self.settings.clone(), self.clock.clone())?;
        let wish = request.wish();
        let Planned { settings, plan, .. } = tokio::select! {
            planned = planner.plan(&wish) => planned?,
            () = stop.cancelled() => anyhow::bail!("stopped"),
        };
        // A run that halts cancels what it was given, which must not end the others.
        let stop = stop.child_token();
        let run = Run::begin(&settings, plan, self.store.clone(), self.clock.clone(), stop).await?;
        let mut said = run.progress();
        let collecting = run.collect();
        tokio::pin!(collecting);
        loop {
            tokio::select! {
                summary = &mut collecting => return Ok(summary?),
                Ok(()) = said.changed() => progress.say(serde_json::to_string(&*said.borrow_and_update())?),
            }
        }
    }
}

impl Work for Collecting {
    fn run<'a>(
        &'a self,
        job: &'a Job,
        progress: &'a Progress,
        stop: &'a CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Worked> + Send + 'a>> {
        Box::pin(async move {
            let words = |error: anyhow::Error| {
                let why = Failure::of(&error, &self.settings.money.currency);
                serde_json::to_string(&why).unwrap_or_else(|_| format!("{error:#}"))
            };
            let ended = match self.collect(job, progress, stop).await {
                Ok(Summary { ended: Ended::Stopped, .. }) => return Err(WorkError::Stopped),
                Ok(Summary { ended, progress, .. }) => Ok(Outcome { complete: ended == Ended::Done, progress }),
                Err(error) => Err(error),
            };
            worked(ended, stop, words)
        })
    }
}

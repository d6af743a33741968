//! The bell: closes rounds at their time and has their results told, also those of before a restart.

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Table;
use crate::domain::quiz::RoundId;
use crate::store::StoreError;

/// An answer in the bell's own millisecond still counts, so it rings one later.
const AFTER: SignedDuration = SignedDuration::from_millis(1);
/// Pause after the database or a service has failed.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(15);

impl Table {
    /// Rings bells until `stop`, then lets the reveals under way finish their step.
    ///
    /// Rounds that were never opened before a restart are called off: nobody can answer them.
    pub async fn run(&self, stop: CancellationToken) {
        let clock = self.inner.quiz.clock().clone();
        if let Err(error) = self.store().cancel_unopened(clock.now()).await {
            tracing::error!(%error, "rounds of before could not be called off");
        }
        let tellers = TaskTracker::new();
        while !stop.is_cancelled() {
            let next = match self.ring(&tellers, &stop).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the bell could not ring");
                    clock.now().saturating_add(PAUSE).ok()
                }
            };
            let bell = async {
                match next {
                    Some(at) => clock.until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = bell => {}
                () = self.inner.quiz.stirred() => {}
                () = stop.cancelled() => {}
            }
        }
        tellers.close();
        tellers.wait().await;
    }

    /// Closes what is due and starts telling what is untold; when to ring next.
    async fn ring(
        &self,
        tellers: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Option<jiff::Timestamp>, StoreError> {
        self.inner.quiz.ring().await?;
        for round in self.store().untold().await? {
            if self.inner.telling.insert(round, ()).is_none() {
                let (table, stop) = (self.clone(), stop.clone());
                tellers.spawn(async move { table.tell_all(round, &stop).await });
            }
        }
        let next = self.store().next_bell().await?;
        Ok(next.and_then(|bell| bell.saturating_add(AFTER).ok()))
    }

    /// Tells a round's results step by step, trying again where a service is at fault for the moment.
    async fn tell_all(&self, round: RoundId, stop: &CancellationToken) {
        let clock = self.inner.quiz.clock().clone();
        loop {
            match self.tell(round, stop).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, round = round.0, "the results could not be told"),
            }
            let Ok(again) = clock.now().saturating_add(PAUSE) else { break };
            tokio::select! {
                () = clock.until(again) => {}
                () = stop.cancelled() => break,
            }
        }
        self.inner.telling.remove(&round);
    }
}

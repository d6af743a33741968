//! The bell: closes rounds at their time and has their results told, also those of before a restart.

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Table;
use crate::chat::message::{Notice, Platform, Reply};
use crate::chat::text::{self, Lang};
use crate::domain::quiz::{Round, RoundId};
use crate::store::StoreError;

/// An answer in the bell's own millisecond still counts, so it rings one later.
const AFTER: SignedDuration = SignedDuration::from_millis(1);
/// Pause after the database or a service has failed.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(15);

impl Table {
    /// Rings bells until `stop`, then lets the reveals under way finish their step.
    ///
    /// Rounds that were about to begin when the program ended are called off, and their chats are told.
    pub async fn run(&self, stop: CancellationToken) {
        let clock = self.inner.quiz.clock().clone();
        let tellers = TaskTracker::new();
        match self.store().cancel_unopened(clock.now()).await {
            Ok(rounds) => {
                for round in rounds {
                    let table = self.clone();
                    tellers.spawn(async move { table.tell_interrupted(&round).await });
                }
            }
            Err(error) => tracing::error!(%error, "rounds of before could not be called off"),
        }
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

    /// Whether the picture of the round arrived is not known, nor its number: its buttons stay, and answer with words.
    async fn tell_interrupted(&self, round: &Round) {
        tracing::info!(round = round.id.0, "called off: the program ended while it was about to begin");
        if round.chat.platform == Platform::Web {
            return;
        }
        let words = text::quiz::interrupted(Lang::from_tag(&round.lang));
        let told = self.inner.post.send(&round.chat, round.thread, Notice::Send(Reply::words(words))).await;
        if let Err(error) = told {
            tracing::warn!(round = round.id.0, %error, "nobody was told that it is called off");
        }
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

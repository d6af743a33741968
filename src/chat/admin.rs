//! Admins: who they are, what only they may do, and the record of it.

use std::collections::HashSet;
use std::sync::Arc;

use super::command::Command;
use super::message::{Incoming, Platform, Reply, UserRef};
use super::{models, text};
use crate::clock::SharedClock;
use crate::models::Registry;
use crate::store::{AdminAction, Store, StoreError};

/// Actions that `/audit` shows.
const SHOWN: u32 = 20;

/// Who runs the bot, by the services' own numbers: a name can be taken by anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admins {
    people: HashSet<UserRef>,
}

impl FromIterator<UserRef> for Admins {
    fn from_iter<T: IntoIterator<Item = UserRef>>(people: T) -> Self {
        Self { people: people.into_iter().collect() }
    }
}

impl Admins {
    /// Whether a person is one of them.
    #[must_use]
    pub fn contains(&self, who: &UserRef) -> bool {
        self.people.contains(who)
    }

    /// Their numbers on a service.
    pub fn on(&self, platform: Platform) -> impl Iterator<Item = i64> {
        self.people.iter().filter(move |who| who.platform == platform).map(|who| who.id)
    }
}

/// What came of an admin's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// For the record, one word or a few.
    pub(super) outcome: String,
    /// For the admin.
    pub(super) replies: Vec<Reply>,
}

impl Done {
    /// The command was carried out, and this is the answer.
    pub(super) fn words(words: String) -> Self {
        Self { outcome: "done".to_owned(), replies: vec![Reply::words(words)] }
    }
}

/// Where admins have things done; clones share it. Who enters is checked at the door, by the conversation.
#[derive(Clone)]
pub struct Office {
    inner: Arc<Inner>,
    models: Option<Registry>,
}

struct Inner {
    admins: Admins,
    store: Store,
    clock: SharedClock,
}

impl Office {
    /// An office for these admins, with its record in `store`.
    #[must_use]
    pub fn new(admins: Admins, store: Store, clock: SharedClock) -> Self {
        Self { inner: Arc::new(Inner { admins, store, clock }), models: None }
    }

    /// The same office, where models can be exchanged.
    #[must_use]
    pub fn with_models(self, models: Registry) -> Self {
        Self { models: Some(models), ..self }
    }

    /// For whom it is open.
    #[must_use]
    pub fn admins(&self) -> &Admins {
        &self.inner.admins
    }

    /// Carries out an admin's command, and notes it: before, that it is begun, and after, what came of it. What
    /// cannot be noted is not done.
    pub(super) async fn command(&self, incoming: &Incoming, command: Command) -> Vec<Reply> {
        let words = format!("/{} {}", command.name(), incoming.arguments);
        let act = async {
            match command {
                Command::Audit => self.audit(incoming).await,
                Command::Models | Command::Promote | Command::Rollback => self.models(incoming, command).await,
                // Not an admin's command.
                _ => Ok(Done { outcome: "nothing".to_owned(), replies: Vec::new() }),
            }
        };
        match self.noted(incoming, words.trim_end(), act).await {
            Ok(replies) => replies,
            Err(error) => {
                tracing::error!(%error, "an admin's command failed");
                vec![Reply::words(text::admin::failed(incoming.lang))]
            }
        }
    }

    async fn noted(
        &self,
        incoming: &Incoming,
        action: &str,
        act: impl Future<Output = Result<Done, StoreError>>,
    ) -> Result<Vec<Reply>, StoreError> {
        let (who, chat) = (incoming.user.clone(), incoming.chat.clone());
        let (platform, person) = (who.platform.name(), who.id);
        tracing::info!(platform, person, chat = chat.id, action, "an admin acts");
        let begun = AdminAction {
            at: self.inner.clock.now(),
            who,
            name: incoming.name.clone(),
            chat,
            action: action.to_owned(),
            outcome: "begun".to_owned(),
        };
        let id = self.inner.store.begin_action(&begun).await?;
        let acted = act.await;
        let outcome = acted.as_ref().map_or("failed", |done| done.outcome.as_str());
        tracing::info!(platform, person, action, outcome, "an admin has acted");
        self.inner.store.end_action(id, outcome).await?;
        acted.map(|done| done.replies)
    }

    async fn models(&self, incoming: &Incoming, command: Command) -> Result<Done, StoreError> {
        let Some(registry) = &self.models else { return Ok(Done::words(text::models::off(incoming.lang))) };
        match command {
            Command::Promote => models::promote(registry, incoming).await,
            Command::Rollback => models::rollback(registry, incoming).await,
            _ => models::list(registry, incoming.lang).await,
        }
    }

    async fn audit(&self, incoming: &Incoming) -> Result<Done, StoreError> {
        let mut actions = self.inner.store.actions(SHOWN + 1).await?;
        // The newest is this very command.
        actions.drain(..actions.len().min(1));
        Ok(Done::words(text::admin::audit(incoming.lang, &actions)))
    }
}

//! Admins: who they are, what only they may do, and the record of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::collect::Collector;
use super::command::Command;
use super::message::{ChatRef, Incoming, Platform, PressReply, Pressed, Reply, Role, UserRef};
use super::press::Press;
use super::train::Trainer;
use super::{models, text};
use crate::clock::SharedClock;
use crate::models::Registry;
use crate::store::{AdminAction, Store, StoreError};

/// Actions that `/audit` shows.
const SHOWN: u32 = 20;

/// Who runs the bot, by the services' own numbers: a name can be taken by anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admins {
    people: HashMap<UserRef, Role>,
}

impl FromIterator<UserRef> for Admins {
    /// Admins among whom nobody is named as the owner: each of them is.
    fn from_iter<T: IntoIterator<Item = UserRef>>(people: T) -> Self {
        Self { people: people.into_iter().map(|who| (who, Role::Owner)).collect() }
    }
}

impl Admins {
    /// These admins and these owners, who need not be among the admins. Without owners every admin is one.
    #[must_use]
    pub fn with_owners(admins: &[UserRef], owners: &[UserRef]) -> Self {
        if owners.is_empty() {
            return admins.iter().cloned().collect();
        }
        let admins = admins.iter().map(|who| (who.clone(), Role::Admin));
        Self { people: admins.chain(owners.iter().map(|who| (who.clone(), Role::Owner))).collect() }
    }

    /// What a person is to the bot; `None` for all but admins and owners.
    #[must_use]
    pub fn role(&self, who: &UserRef) -> Option<Role> {
        self.people.get(who).copied()
    }

    /// Their numbers on a service, with what they are.
    pub fn on(&self, platform: Platform) -> impl Iterator<Item = (i64, Role)> {
        self.people.iter().filter(move |(who, _)| who.platform == platform).map(|(who, role)| (who.id, *role))
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

    /// The command was not carried out, and this is why.
    pub(super) fn not(words: String) -> Self {
        Self { outcome: "declined".to_owned(), ..Self::words(words) }
    }
}

/// Where admins have things done; clones share it. Who enters is checked at the door, by the conversation.
#[derive(Clone)]
pub struct Office {
    inner: Arc<Inner>,
    models: Option<Registry>,
    collector: Option<Collector>,
    trainer: Option<Trainer>,
}

struct Inner {
    admins: Admins,
    store: Store,
    clock: SharedClock,
}

/// Who acts, and where.
struct Actor<'a> {
    who: &'a UserRef,
    name: &'a str,
    chat: &'a ChatRef,
}

impl Office {
    /// An office for these admins, with its record in `store`.
    #[must_use]
    pub fn new(admins: Admins, store: Store, clock: SharedClock) -> Self {
        Self { inner: Arc::new(Inner { admins, store, clock }), models: None, collector: None, trainer: None }
    }

    /// The same office, where imagery is collected.
    #[must_use]
    pub fn with_collector(self, collector: Collector) -> Self {
        Self { collector: Some(collector), ..self }
    }

    /// The same office, where models are trained.
    #[must_use]
    pub fn with_trainer(self, trainer: Trainer) -> Self {
        Self { trainer: Some(trainer), ..self }
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
            match (command, &self.collector) {
                (Command::Audit, _) => self.audit(incoming).await,
                (Command::Collect, Some(collector)) => collector.command(incoming).await,
                (Command::Collect, None) => Ok(Done::not(text::collecting::off(incoming.lang))),
                (Command::Train, _) => self.train(incoming).await,
                (Command::Models | Command::Promote | Command::Rollback, _) => self.models(incoming, command).await,
                // Not an admin's command.
                _ => Ok(Done { outcome: "nothing".to_owned(), replies: Vec::new() }),
            }
            .map(|done| (done.outcome, done.replies))
        };
        let actor = Actor { who: &incoming.user, name: &incoming.name, chat: &incoming.chat };
        let failed = || vec![Reply::words(text::admin::failed(incoming.lang))];
        self.noted(actor, words.trim_end(), act).await.unwrap_or_else(failed)
    }

    /// Does what an admin's button says, and notes it in the same way.
    pub(super) async fn press(&self, pressed: &Pressed) -> PressReply {
        let action = format!("button {}", pressed.press.payload());
        let act = async {
            match (pressed.press, &self.collector, &self.trainer) {
                (Press::Begin { job }, _, Some(trainer)) if trainer.offered(job).await? => {
                    trainer.begin(pressed, job).await
                }
                (Press::Begin { job }, Some(collector), _) => collector.begin(pressed, job).await,
                _ => Ok(("declined".to_owned(), notice(text::stale_button(pressed.lang)))),
            }
        };
        let actor = Actor { who: &pressed.user, name: &pressed.name, chat: &pressed.chat };
        let failed = || notice(text::admin::failed(pressed.lang));
        self.noted(actor, &action, act).await.unwrap_or_else(failed)
    }

    /// Notes an action, carries it out, and notes what came of it; `None` when it failed.
    async fn noted<T>(
        &self,
        actor: Actor<'_>,
        action: &str,
        act: impl Future<Output = Result<(String, T), StoreError>>,
    ) -> Option<T> {
        let (platform, person) = (actor.who.platform.name(), actor.who.id);
        tracing::info!(platform, person, chat = actor.chat.id, action, "an admin acts");
        let begun = AdminAction {
            at: self.inner.clock.now(),
            who: actor.who.clone(),
            name: actor.name.to_owned(),
            chat: actor.chat.clone(),
            action: action.to_owned(),
            outcome: "begun".to_owned(),
        };
        let failed = |error: StoreError| tracing::error!(%error, action, "an admin's action failed");
        let id = self.inner.store.begin_action(&begun).await.map_err(failed).ok()?;
        let (outcome, result) = match act.await {
            Ok((outcome, result)) => (outcome, Some(result)),
            Err(error) => {
                failed(error);
                ("failed".to_owned(), None)
            }
        };
        tracing::info!(platform, person, action, outcome, "an admin has acted");
        self.inner.store.end_action(id, &outcome).await.map_err(failed).ok()?;
        result
    }

    async fn models(&self, incoming: &Incoming, command: Command) -> Result<Done, StoreError> {
        let Some(registry) = &self.models else { return Ok(Done::words(text::models::off(incoming.lang))) };
        match command {
            Command::Promote => models::promote(registry, incoming).await,
            Command::Rollback => models::rollback(registry, incoming).await,
            _ => models::list(registry, incoming.lang).await,
        }
    }

    async fn train(&self, incoming: &Incoming) -> Result<Done, StoreError> {
        match &self.trainer {
            Some(trainer) => trainer.command(incoming).await,
            None => Ok(Done::not(text::training::off(incoming.lang))),
        }
    }

    async fn audit(&self, incoming: &Incoming) -> Result<Done, StoreError> {
        let mut actions = self.inner.store.actions(SHOWN + 1).await?;
        // The newest is this very command.
        actions.drain(..actions.len().min(1));
        Ok(Done::words(text::admin::audit(incoming.lang, &actions)))
    }
}

fn notice(notice: String) -> PressReply {
    PressReply { notice, ..PressReply::default() }
}

//! Where all updates arrive, one after the other; only quick things happen here.

use std::sync::Arc;

use teloxide::types::{CallbackQuery, CallbackQueryId, Me, Message, Update, UpdateId, UpdateKind};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::album::Albums;
use super::answer::Office;
use super::api::Api;
use super::incoming::{comings_and_goings, hear};
use super::lanes::Lanes;
use super::press;
use crate::chat::{Admission, ChatKind, Conversation, Incoming};
use crate::front::recent::Recent;

/// Updates that are remembered, so that one that Telegram sends twice is answered once.
const REMEMBERED: usize = 4_096;

/// An update on its way to the desk.
pub(super) struct Arrival {
    update: Update,
    noted: oneshot::Sender<()>,
}

impl Arrival {
    /// An update, and who is told once a kill of the program does not lose it any more.
    pub(super) fn new(update: Update) -> (Self, oneshot::Receiver<()>) {
        let (noted, told) = oneshot::channel();
        (Self { update, noted }, told)
    }
}

/// Sorts updates and starts their answers.
pub(super) struct Desk {
    me: Me,
    office: Arc<Office>,
    albums: Albums,
    lanes: Lanes,
    seen: Recent<UpdateId, REMEMBERED>,
    presses: Recent<CallbackQueryId, REMEMBERED>,
}

impl Desk {
    pub(super) fn new(api: Arc<Api>, me: Me, conversation: Conversation) -> Self {
        let office = Arc::new(Office::new(api, conversation));
        Self {
            me,
            office,
            albums: Albums::default(),
            lanes: Lanes::default(),
            seen: Recent::default(),
            presses: Recent::default(),
        }
    }

    /// Works until the senders of the inbox are gone and everything that came is answered.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Arrival>) {
        loop {
            let due = self.albums.next_due();
            tokio::select! {
                arrival = inbox.recv() => match arrival {
                    Some(Arrival { update, noted }) => {
                        self.take(update).await;
                        // Who brought it may have gone.
                        noted.send(()).ok();
                    }
                    None => break,
                },
                () = until(due) => {
                    for album in self.albums.take_due(Instant::now()) {
                        self.attend(&album).await;
                    }
                }
            }
        }
        for album in self.albums.take_all() {
            self.attend(&album).await;
        }
        self.lanes.finish().await;
    }

    async fn take(&mut self, update: Update) {
        if !self.seen.is_new(update.id) {
            return;
        }
        let message = match update.kind {
            UpdateKind::Message(message) => message,
            UpdateKind::CallbackQuery(query) => return self.press(query),
            // Edits are not answered: the first version was.
            _ => return tracing::debug!(update = update.id.0, "not a new message"),
        };
        for incoming in comings_and_goings(&message) {
            let office = self.office.clone();
            let note = async move { drop(office.conversation.respond(&incoming, Vec::new()).await) };
            self.lanes.run(message.chat.id, note);
        }
        // What an album asks is known when it is complete; parts that are surely for the bot are noted at once.
        if message.media_group_id().is_some()
            && let Some(part) = hear(&self.me, std::slice::from_ref(&message))
            && (part.incoming.kind == ChatKind::Private || part.incoming.addressed)
            && let Some(inbox) = self.office.conversation.inbox()
            && !inbox.take(&part.incoming, message.id.0.into()).await
        {
            return;
        }
        if let Some(complete) = self.albums.add(message, Instant::now()) {
            self.attend(&complete).await;
        }
    }

    /// Presses wait neither for each other nor for the answers of their chat: people press all at once.
    fn press(&mut self, query: CallbackQuery) {
        if !self.presses.is_new(query.id.clone()) {
            return;
        }
        let office = self.office.clone();
        self.lanes.beside(async move { press::answer(office, query).await });
    }

    async fn attend(&mut self, messages: &[Message]) {
        let Some(heard) = hear(&self.me, messages) else { return };
        let office = self.office.clone();
        let to = heard.addresses[0];
        let admission = if self.lanes.has_room(to.chat) {
            office.conversation.admit(&heard.incoming)
        } else {
            tracing::warn!(chat = to.chat.0, "more questions than Telegram lets the bot answer: one is passed over");
            Admission::Ignore
        };
        if !self.take_on(&heard.incoming, &admission, messages).await {
            return;
        }
        match admission {
            Admission::Ignore => {}
            Admission::Refuse(reply) => {
                self.lanes.run(to.chat, async move { drop(office.api.deliver(to, reply).await) });
            }
            Admission::Accept => {
                let taken = messages.iter().map(|message| message.id).collect();
                self.lanes.run(to.chat, async move { office.answer(heard, taken).await });
            }
        }
    }

    /// Notes what is going to be answered; false when it was answered before. Parts of an album may be noted already:
    /// they are forgotten where nothing is going to be answered.
    async fn take_on(&self, incoming: &Incoming, admission: &Admission, messages: &[Message]) -> bool {
        let Some(inbox) = self.office.conversation.inbox() else { return true };
        let is_album = messages[0].media_group_id().is_some();
        match admission {
            Admission::Accept if is_album => {
                for part in messages {
                    inbox.take(incoming, part.id.0.into()).await;
                }
                true
            }
            Admission::Accept => inbox.take(incoming, messages[0].id.0.into()).await,
            Admission::Ignore | Admission::Refuse(_) => {
                for part in messages.iter().filter(|_| is_album) {
                    inbox.let_go(&incoming.chat, part.id.0.into()).await;
                }
                true
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

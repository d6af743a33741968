//! Where all updates arrive, one after the other; only quick things happen here.

use std::sync::Arc;

use teloxide::types::{CallbackQuery, CallbackQueryId, Me, Message, Update, UpdateId, UpdateKind};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::album::Albums;
use super::answer::Office;
use super::api::Api;
use super::incoming::{comings_and_goings, hear};
use super::lanes::Lanes;
use super::press;
use crate::chat::{Admission, Conversation};
use crate::front::recent::Recent;

/// Updates that are remembered, so that one that Telegram sends twice is answered once.
const REMEMBERED: usize = 4_096;

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
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Update>) {
        loop {
            let due = self.albums.next_due();
            tokio::select! {
                update = inbox.recv() => match update {
                    Some(update) => self.take(update),
                    None => break,
                },
                () = until(due) => {
                    for album in self.albums.take_due(Instant::now()) {
                        self.attend(&album);
                    }
                }
            }
        }
        for album in self.albums.take_all() {
            self.attend(&album);
        }
        self.lanes.finish().await;
    }

    fn take(&mut self, update: Update) {
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
        if let Some(complete) = self.albums.add(message, Instant::now()) {
            self.attend(&complete);
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

    fn attend(&mut self, messages: &[Message]) {
        let Some(heard) = hear(&self.me, messages) else { return };
        let office = self.office.clone();
        let to = heard.addresses[0];
        match office.conversation.admit(&heard.incoming) {
            Admission::Ignore => {}
            Admission::Refuse(reply) => self.lanes.run(to.chat, async move { office.api.deliver(to, reply).await }),
            Admission::Accept => self.lanes.run(to.chat, async move { office.answer(heard).await }),
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

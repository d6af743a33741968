//! Where all updates arrive, one after the other; only quick things happen here.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use teloxide::types::{Me, Message, Update, UpdateId, UpdateKind};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::album::Albums;
use super::answer::Office;
use super::api::Api;
use super::incoming::hear;
use super::lanes::Lanes;
use crate::chat::{Admission, Conversation};

/// Updates that are remembered, so that one that Telegram sends twice is answered once.
const REMEMBERED: usize = 4_096;

/// Sorts updates and starts their answers.
pub(super) struct Desk {
    me: Me,
    office: Arc<Office>,
    albums: Albums,
    lanes: Lanes,
    seen: Seen,
}

impl Desk {
    pub(super) fn new(api: Arc<Api>, me: Me, conversation: Conversation) -> Self {
        let office = Arc::new(Office::new(api, conversation));
        Self { me, office, albums: Albums::default(), lanes: Lanes::default(), seen: Seen::default() }
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
        // Edits are not answered: the first version was.
        let UpdateKind::Message(message) = update.kind else {
            tracing::debug!(update = update.id.0, "not a new message");
            return;
        };
        if let Some(complete) = self.albums.add(message, Instant::now()) {
            self.attend(&complete);
        }
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

/// The numbers of the latest updates.
#[derive(Default)]
struct Seen {
    numbers: HashSet<UpdateId>,
    order: VecDeque<UpdateId>,
}

impl Seen {
    fn is_new(&mut self, id: UpdateId) -> bool {
        if !self.numbers.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_updates_are_known_and_memory_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.is_new(UpdateId(0)));
        assert!(!seen.is_new(UpdateId(0)));
        for id in 1..=REMEMBERED as u32 {
            assert!(seen.is_new(UpdateId(id)));
        }
        assert_eq!((seen.numbers.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!seen.is_new(UpdateId(1)));
    }
}

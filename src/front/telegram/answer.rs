//! One answer: download, ask the conversation, deliver.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use teloxide::types::{ChatId, MessageId, UserId};
use tokio::sync::Semaphore;

use super::api::{Address, Api};
use super::incoming::Heard;
use crate::chat::command::Command;
use crate::chat::message::Delivered;
use crate::chat::{Attachment, ChatKind, ChatRef, Conversation, Incoming, MAX_PHOTOS, Platform, Reply, Request, Role};

/// Telegram shows an action for five seconds.
const SHOW_AGAIN: Duration = Duration::from_secs(4);
/// Memory for photos that are being downloaded or answered, MiB: one album of the largest files, and more of
/// those that people really send.
const MEMORY_MIB: usize = 256;

/// What every answer needs.
pub(super) struct Office {
    pub(super) api: Arc<Api>,
    pub(super) conversation: Conversation,
    /// One permit a MiB.
    memory: Semaphore,
}

impl Office {
    pub(super) fn new(api: Arc<Api>, conversation: Conversation) -> Self {
        Self { api, conversation, memory: Semaphore::new(MEMORY_MIB) }
    }

    /// Answers an admitted message, or the admitted messages of an album.
    pub(super) async fn answer(&self, heard: Heard, taken: Vec<MessageId>) {
        let work = self.work(&heard, &taken);
        if heard.incoming.attachments.is_empty() {
            return work.await;
        }
        tokio::select! {
            () = work => {}
            never = self.keep_showing_work(heard.addresses[0]) => match never {},
        }
    }

    /// The question with what its sender may do, where the answer depends on that.
    async fn with_role(&self, incoming: &Incoming) -> Incoming {
        let mut incoming = incoming.clone();
        let asks = matches!(incoming.request, Request::Command(command) if command.asks_role());
        if asks && incoming.kind == ChatKind::Group {
            incoming.role = match u64::try_from(incoming.user.id) {
                Ok(user) => self.api.role(ChatId(incoming.chat.id), UserId(user)).await,
                // Administrators who write in the name of the group itself.
                Err(_) if incoming.user.id == incoming.chat.id => Role::Moderator,
                Err(_) => Role::Member,
            };
        }
        incoming
    }

    /// Gives an admin their menu when they write to the bot for the first time: before, Telegram knows no such chat.
    async fn greet(&self, incoming: &Incoming) {
        let begins = incoming.request == Request::Command(Command::Start) && incoming.kind == ChatKind::Private;
        let admins = self.conversation.admins(Platform::Telegram);
        let role = admins.iter().find(|(id, _)| *id == incoming.user.id).map(|(_, role)| *role);
        if let Some(role) = role.filter(|_| begins) {
            self.api.set_menus(Some((ChatId(incoming.chat.id), role))).await;
        }
    }

    async fn work(&self, heard: &Heard, taken: &[MessageId]) {
        let wanted = &heard.incoming.attachments[..heard.incoming.attachments.len().min(MAX_PHOTOS)];
        let weight: usize = wanted.iter().map(|photo| self.weight_mib(photo)).sum();
        // Never closed; and without its bound, answering beats not answering.
        let memory = self.memory.acquire_many(weight.min(MEMORY_MIB) as u32).await.ok();
        let photos: Vec<Delivered> = join_all(wanted.iter().map(|photo| self.api.download(photo))).await;
        let incoming = self.with_role(&heard.incoming).await;
        self.greet(&incoming).await;
        let replies = self.conversation.respond(&incoming, photos).await;
        // The photos are gone; what is said about them may have to wait for its turn.
        drop(memory);
        for (index, reply) in replies.into_iter().enumerate() {
            self.say(&heard.incoming.chat, heard.address(index), reply).await;
        }
        if let Some(inbox) = self.conversation.inbox() {
            // Those of an album that have no answer of their own; all others are done with already.
            for message in taken {
                inbox.told(&heard.incoming.chat, message.0.into(), None).await;
            }
        }
    }

    /// Says one of the answers to a message; that it did, or may have, is noted.
    async fn say(&self, chat: &ChatRef, to: Address, reply: Reply) {
        let noted = self.conversation.inbox().zip(to.message);
        if let Some((inbox, message)) = noted {
            inbox.telling(chat, message.0.into()).await;
        }
        let outcome = self.api.deliver(to, reply).await;
        if let Some((inbox, message)) = noted {
            inbox.told(chat, message.0.into(), outcome.as_ref().err()).await;
        }
    }

    fn weight_mib(&self, photo: &Attachment) -> usize {
        let limit = self.api.max_photo_bytes() as u64;
        let bytes = photo.bytes.unwrap_or(limit).min(limit);
        usize::try_from(bytes >> 20).unwrap_or(MEMORY_MIB) + 1
    }

    async fn keep_showing_work(&self, to: Address) -> Infallible {
        loop {
            self.api.show_work(to).await;
            tokio::time::sleep(SHOW_AGAIN).await;
        }
    }
}

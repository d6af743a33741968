//! What the bot says unasked, chat by chat in its order, different chats side by side.

use std::sync::Arc;

use teloxide::types::{ChatId, MessageId, ThreadId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::api::{Address, Api};
use super::lanes::Lanes;
use crate::chat::{Announcement, Notice, Undelivered};

/// Delivers announcements until `stop`; what is under way is delivered, what comes later is refused for now.
pub(super) async fn run(api: Arc<Api>, mut inbox: mpsc::Receiver<Announcement>, stop: CancellationToken) {
    let mut lanes = Lanes::default();
    loop {
        let announcement = tokio::select! {
            announcement = inbox.recv() => announcement,
            () = stop.cancelled() => None,
        };
        let Some(announcement) = announcement else { break };
        let api = api.clone();
        lanes.run(ChatId(announcement.to.id), async move { deliver(&api, announcement).await });
    }
    inbox.close();
    while let Ok(announcement) = inbox.try_recv() {
        // Nobody may be waiting any more, and that is fine.
        let _ = announcement.done.send(Err(Undelivered::Later("stopping".to_owned())));
    }
    lanes.finish().await;
}

async fn deliver(api: &Api, announcement: Announcement) {
    let Announcement { to, thread, what, done } = announcement;
    let chat = ChatId(to.id);
    let thread = thread.and_then(|thread| i32::try_from(thread).ok()).map(|thread| ThreadId(MessageId(thread)));
    let delivered = match what {
        Notice::Send(reply) => api.say(Address { chat, message: None, thread }, reply).await,
        Notice::Edit { message, text, buttons, picture } => match i32::try_from(message) {
            Ok(id) => api.edit(chat, MessageId(id), &text, &buttons, picture).await.map(|()| message),
            Err(_) => Err(Undelivered::Refused("no message has this number".to_owned())),
        },
    };
    // Who waited may have been stopped.
    let _ = done.send(delivered);
}

//! What the bot says unasked, as calls of the Bot API.

use std::sync::Arc;

use teloxide::types::{ChatId, MessageId, ThreadId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::api::{Address, Api};
use crate::chat::{Announcement, Notice, Reply, Undelivered};
use crate::front::line;

/// Delivers announcements until `stop`; what is under way is delivered, what comes later is refused for now.
pub(super) async fn run(api: Arc<Api>, announcements: mpsc::Receiver<Announcement>, stop: CancellationToken) {
    line::run(announcements, stop, |to, thread, what| tell(&api, ChatId(to.id), thread, what)).await;
}

async fn tell(api: &Api, chat: ChatId, thread: Option<i64>, what: Notice) -> Result<i64, Undelivered> {
    let thread = thread.and_then(|thread| i32::try_from(thread).ok()).map(|thread| ThreadId(MessageId(thread)));
    let address = Address { chat, message: None, thread };
    match what {
        Notice::Show(Reply { text, picture: Some(picture), buttons, .. }) => {
            api.show(address, &text, picture, &buttons).await
        }
        Notice::Send(reply) | Notice::Show(reply) => api.say(address, reply).await,
        Notice::Edit { message, text, buttons, picture } => match i32::try_from(message) {
            Ok(id) => api.edit(chat, MessageId(id), &text, &buttons, picture).await.map(|()| message),
            Err(_) => Err(Undelivered::Refused("no message has this number".to_owned())),
        },
    }
}

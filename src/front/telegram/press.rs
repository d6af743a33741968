//! Buttons that were pressed.

use std::sync::Arc;

use teloxide::types::{CallbackQuery, MessageId};

use super::answer::Office;
use super::api::Address;
use crate::chat::{ChatKind, ChatRef, Lang, Platform, Press, Pressed, UserRef};

/// A press with its message.
struct Heard {
    pressed: Pressed,
    message: MessageId,
    address: Address,
    has_picture: bool,
}

/// Does what the button says. The query is answered in every case: until then the button shows an hourglass.
pub(super) async fn answer(office: Arc<Office>, query: CallbackQuery) {
    let lang = Lang::from_tag(query.from.language_code.as_deref().unwrap_or_default());
    let Some(heard) = hear(&query, lang) else {
        return office.api.answer_query(&query.id, &office.conversation.stale_button(lang)).await;
    };
    let reply = office.conversation.press(&heard.pressed).await;
    office.api.answer_query(&query.id, &reply.notice).await;
    if let Some(edit) = reply.edit {
        office.api.replace(heard.address.chat, heard.message, heard.has_picture, edit).await;
    }
    for message in reply.messages {
        if let Err(error) = office.api.say(heard.address, message).await {
            tracing::error!(chat = heard.address.chat.0, %error, "what a button led to could not be delivered");
        }
    }
}

/// Reads a press that strangers made up.
#[cfg(any(test, fuzzing))]
pub(super) fn hostile(query: &CallbackQuery) {
    if let Some(heard) = hear(query, Lang::En) {
        assert_eq!(Some(heard.pressed.press.payload()), query.data);
    }
}

/// `None` for buttons that mean nothing, and for those of messages that Telegram does not show us any more.
fn hear(query: &CallbackQuery, lang: Lang) -> Option<Heard> {
    let press = Press::parse(query.data.as_deref()?)?;
    let message = query.regular_message()?;
    let kind = if message.chat.is_private() { ChatKind::Private } else { ChatKind::Group };
    let thread = message.thread_id.filter(|_| message.is_topic_message);
    let pressed = Pressed {
        chat: ChatRef { platform: Platform::Telegram, id: message.chat.id.0 },
        kind,
        thread: thread.map(|thread| i64::from(thread.0.0)),
        user: UserRef { platform: Platform::Telegram, id: i64::try_from(query.from.id.0).ok()? },
        name: query.from.full_name(),
        lang,
        // Telegram does not say; who has left is known from the chat's own messages.
        present: true,
        press,
    };
    let address = Address { chat: message.chat.id, message: None, thread };
    Some(Heard { pressed, message: message.id, address, has_picture: message.photo().is_some() })
}

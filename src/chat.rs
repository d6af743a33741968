//! The conversation: what the bot says, whatever chat it is said in.
//!
//! Adapters turn updates into [`Incoming`], ask [`Conversation::admit`] whether the bot is meant and may
//! answer, download the photos only then, await [`Conversation::respond`] and deliver the [`Reply`]s.

pub mod admin;
pub mod board;
pub mod collect;
pub mod command;
pub mod conversation;
pub mod etiquette;
pub mod gift;
#[cfg(any(test, fuzzing))]
pub mod hostile;
pub mod inbox;
pub mod insight;
pub mod jobs;
pub mod locate;
pub mod map;
pub mod message;
mod models;
pub mod picture;
pub mod plan;
pub mod plot;
mod post;
pub mod press;
pub mod quiz;
pub mod report;
#[cfg(test)]
mod sample;
pub mod similar;
pub mod text;
pub mod train;
pub mod why;
pub mod wish;

pub use admin::{Admins, Office};
pub use conversation::{Admission, Conversation};
pub use inbox::Inbox;
pub use insight::Insight;
pub use message::{
    Announcement, Attachment, Button, Buttons, Canvas, ChatKind, ChatRef, Incoming, Notice, Platform, PressReply,
    Pressed, Reply, Request, Role, Undelivered, UserRef,
};
pub use post::Post;
pub use press::{Press, Reaction};
pub use text::Lang;

/// Most photos that one message is answered for: an album of Telegram, a message of Discord.
pub const MAX_PHOTOS: usize = 10;

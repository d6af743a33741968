//! What a press of a button leads to.
//!
//! Discord wants to know within three seconds whether a new message comes or the pressed one changes; what the
//! conversation says comes later. [`crate::chat::press::Reaction`] tells in time.

use std::sync::Arc;

use serenity::http::Http;
use serenity::model::application::ComponentInteraction;
use serenity::model::channel::MessageFlags;

use crate::chat::Reply;
use crate::chat::message::PressReply;
use crate::chat::press::Reaction;

use super::deliver;
use super::interact::{self, Ticket};

/// How a press was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A message for the presser alone was promised.
    Promised,
    /// A message that its presser alone sees may change.
    Sheet,
    /// A message that everybody sees may change.
    Open,
}

/// One thing to do about a press.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Show this in place of the promise or of the pressed message.
    Show(Reply),
    /// Remove the promise.
    TakeBack,
    /// Say this in the channel.
    Say(Vec<Reply>),
    /// Tell the presser alone.
    Whisper(String),
}

/// Acknowledges a press for what it leads to.
///
/// # Errors
/// When Discord did not take it; the press is lost then.
pub(super) async fn acknowledge(
    http: &Arc<Http>,
    pressed: &ComponentInteraction,
    reaction: Reaction,
) -> serenity::Result<Stage> {
    let ephemeral = pressed.message.flags.is_some_and(|flags| flags.contains(MessageFlags::EPHEMERAL));
    let stage = match (reaction, ephemeral) {
        (Reaction::Private, false) => Stage::Promised,
        (_, true) => Stage::Sheet,
        (Reaction::Edit | Reaction::Public, false) => Stage::Open,
    };
    match stage {
        Stage::Promised => interact::promise(http, pressed.into(), true).await?,
        Stage::Sheet | Stage::Open => interact::hear(http, pressed.into()).await?,
    }
    Ok(stage)
}

/// Does what the conversation says to a press.
///
/// # Errors
/// Of the first step that Discord did not take; those after it are not done.
pub(super) async fn finish(
    http: &Arc<Http>,
    pressed: &ComponentInteraction,
    stage: Stage,
    reply: PressReply,
) -> serenity::Result<()> {
    let ticket = Ticket::from(pressed);
    for step in steps(stage, reply) {
        match step {
            Step::Show(reply) => interact::show(http, ticket, reply).await?,
            Step::TakeBack => interact::take_back(http, ticket).await?,
            Step::Say(replies) => deliver::to_channel(http, pressed.channel_id, pressed.id.get(), replies).await?,
            Step::Whisper(words) => interact::whisper(http, ticket, words).await?,
        }
    }
    Ok(())
}

fn steps(stage: Stage, reply: PressReply) -> Vec<Step> {
    let PressReply { notice, sheet, edit, messages } = reply;
    let notice = Some(notice).filter(|notice| !notice.is_empty());
    let face = match stage {
        Stage::Promised => sheet,
        Stage::Sheet => sheet.or(edit),
        Stage::Open => edit,
    };
    let mut steps = match (stage, face, notice) {
        (_, Some(face), _) => vec![Step::Show(face)],
        (Stage::Promised, None, Some(notice)) => vec![Step::Show(Reply::words(notice))],
        (Stage::Promised, None, None) => vec![Step::TakeBack],
        (_, None, Some(notice)) => vec![Step::Whisper(notice)],
        (_, None, None) => Vec::new(),
    };
    if !messages.is_empty() {
        // What all wait for goes first.
        steps.insert(0, Step::Say(messages));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Reply {
        Reply::words(text.to_owned())
    }

    fn notice() -> PressReply {
        PressReply { notice: "no".to_owned(), ..PressReply::default() }
    }

    #[test]
    fn nothing_to_say_leaves_no_promise_open() {
        assert_eq!(steps(Stage::Promised, PressReply::default()), [Step::TakeBack]);
        assert_eq!(steps(Stage::Sheet, PressReply::default()), []);
        assert_eq!(steps(Stage::Open, PressReply::default()), []);
    }

    #[test]
    fn a_notice_is_for_the_presser_alone_and_leaves_the_pressed_message_alone() {
        assert_eq!(steps(Stage::Promised, notice()), [Step::Show(words("no"))]);
        assert_eq!(steps(Stage::Sheet, notice()), [Step::Whisper("no".to_owned())]);
        assert_eq!(steps(Stage::Open, notice()), [Step::Whisper("no".to_owned())]);
    }

    #[test]
    fn a_sheet_never_replaces_what_everybody_sees() {
        let reply = PressReply { sheet: Some(words("sheet")), ..notice() };
        assert_eq!(steps(Stage::Promised, reply.clone()), [Step::Show(words("sheet"))]);
        assert_eq!(steps(Stage::Sheet, reply.clone()), [Step::Show(words("sheet"))]);
        assert_eq!(steps(Stage::Open, reply), [Step::Whisper("no".to_owned())]);
    }

    #[test]
    fn another_face_needs_no_notice_and_messages_come_first() {
        let reply = PressReply { edit: Some(words("page 2")), messages: vec![words("all")], ..notice() };
        assert_eq!(steps(Stage::Open, reply), [Step::Say(vec![words("all")]), Step::Show(words("page 2"))]);
        let public = PressReply { messages: vec![words("all")], ..notice() };
        assert_eq!(steps(Stage::Open, public), [Step::Say(vec![words("all")]), Step::Whisper("no".to_owned())]);
    }
}

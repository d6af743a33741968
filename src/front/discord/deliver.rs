//! Replies as Discord's messages.

use std::sync::Arc;

use serenity::builder::{
    CreateAllowedMentions, CreateAttachment, CreateInteractionResponse, CreateInteractionResponseFollowup,
    CreateInteractionResponseMessage, CreateMessage, EditInteractionResponse,
};
use serenity::http::Http;
use serenity::model::application::CommandInteraction;
use serenity::model::channel::{Message, MessageFlags, MessageReference, Nonce};

use crate::chat::Reply;
use crate::chat::message::Picture;

use super::fault::{self, patiently};
use super::markdown;

/// Longest alternative text, characters.
const ALT_LIMIT: usize = 1_024;

/// What one message of Discord holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    content: String,
    picture: Option<Picture>,
}

/// The messages that say the replies. A picture goes with the beginning of its text.
fn pieces(replies: Vec<Reply>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for Reply { text, mut picture, .. } in replies {
        let mut contents = markdown::messages(&text);
        if contents.is_empty() && picture.is_some() {
            contents.push(String::new());
        }
        pieces.extend(contents.into_iter().map(|content| Piece { content, picture: picture.take() }));
    }
    pieces
}

impl Piece {
    fn file(&self) -> Option<CreateAttachment> {
        let picture = self.picture.as_ref()?;
        let alt: String = picture.alt.chars().take(ALT_LIMIT).collect();
        Some(CreateAttachment::bytes(picture.bytes.clone(), picture.name.clone()).description(alt))
    }
}

/// Answers `question` in its channel; the first message is a reply to it. Nobody is pinged.
///
/// # Errors
/// Of the first message that Discord did not take; those after it are not sent.
pub(super) async fn to_channel(http: &Arc<Http>, question: &Message, replies: Vec<Reply>) -> serenity::Result<()> {
    for (index, piece) in pieces(replies).into_iter().enumerate() {
        let build = |file| channel_message(question, index, &piece, file);
        let sent = patiently(|| question.channel_id.send_message(http, build(piece.file()))).await;
        match sent {
            // Words are often allowed where files are not.
            Err(error) if piece.picture.is_some() && fault::forbids_files(&error) => {
                tracing::info!(channel = %question.channel_id, "no heatmap: the bot may not attach files here");
                patiently(|| question.channel_id.send_message(http, build(None))).await?;
            }
            sent => drop(sent?),
        }
    }
    Ok(())
}

fn channel_message(question: &Message, index: usize, piece: &Piece, file: Option<CreateAttachment>) -> CreateMessage {
    // With the nonce Discord takes a message once, however often an unsure connection repeats it.
    let nonce = Nonce::String(format!("{}-{index}", question.id));
    let message = CreateMessage::new()
        .content(&piece.content)
        .allowed_mentions(nobody())
        .flags(MessageFlags::SUPPRESS_EMBEDS)
        .nonce(nonce)
        .enforce_nonce(true)
        .add_files(file);
    if index > 0 {
        return message;
    }
    // The question may have been deleted meanwhile: the answer is said all the same.
    let reference = MessageReference::from((question.channel_id, question.id)).fail_if_not_exists(false);
    message.reference_message(reference)
}

/// Tells Discord within its three seconds that the answer will come; `private` shows it to the asker alone.
///
/// # Errors
/// When Discord did not take it; the interaction is lost then.
pub(super) async fn promise(http: &Arc<Http>, command: &CommandInteraction, private: bool) -> serenity::Result<()> {
    let message = CreateInteractionResponseMessage::new().ephemeral(private);
    respond(http, command, CreateInteractionResponse::Defer(message)).await
}

/// Answers a command at once, for the asker alone.
///
/// # Errors
/// When Discord did not take it.
pub(super) async fn at_once(http: &Arc<Http>, command: &CommandInteraction, reply: Reply) -> serenity::Result<()> {
    let content = markdown::messages(&reply.text).into_iter().next().unwrap_or_default();
    let message = CreateInteractionResponseMessage::new().content(content).allowed_mentions(nobody()).ephemeral(true);
    respond(http, command, CreateInteractionResponse::Message(message)).await
}

async fn respond(
    http: &Arc<Http>,
    command: &CommandInteraction,
    response: CreateInteractionResponse,
) -> serenity::Result<()> {
    match patiently(|| command.create_response(http, response.clone())).await {
        // An earlier attempt arrived although its confirmation did not.
        Err(error) if fault::is_acknowledged_already(&error) => Ok(()),
        done => done,
    }
}

/// Keeps the promise: the first message replaces it, the others follow.
///
/// # Errors
/// Of the first message that Discord did not take; those after it are not sent.
pub(super) async fn to_interaction(
    http: &Arc<Http>,
    command: &CommandInteraction,
    replies: Vec<Reply>,
    private: bool,
) -> serenity::Result<()> {
    for (index, piece) in pieces(replies).into_iter().enumerate() {
        if index == 0 {
            patiently(|| command.edit_response(http, original(&piece))).await?;
        } else {
            patiently(|| command.create_followup(http, follow_up(&piece, private))).await?;
        }
    }
    Ok(())
}

fn original(piece: &Piece) -> EditInteractionResponse {
    let edit = EditInteractionResponse::new().content(&piece.content).allowed_mentions(nobody());
    match piece.file() {
        Some(file) => edit.new_attachment(file),
        None => edit,
    }
}

fn follow_up(piece: &Piece, private: bool) -> CreateInteractionResponseFollowup {
    CreateInteractionResponseFollowup::new()
        .content(&piece.content)
        .allowed_mentions(nobody())
        .ephemeral(private)
        .add_files(piece.file())
}

fn nobody() -> CreateAllowedMentions {
    CreateAllowedMentions::new().replied_user(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_replies_become_several_messages_and_the_picture_goes_with_the_first() {
        let picture = Picture { name: "heatmap-1.jpg".to_owned(), bytes: vec![1], alt: "x".repeat(2_000) };
        let long = Reply::picture(format!("{}\n{}", "a".repeat(1_500), "b".repeat(1_500)), picture);
        let pieces = pieces(vec![long, Reply::words("c".to_owned())]);
        let kinds: Vec<(&str, bool)> = pieces.iter().map(|p| (&p.content[..1], p.picture.is_some())).collect();
        assert_eq!(kinds, [("a", true), ("b", false), ("c", false)]);
        let alt = pieces[0].file().and_then(|file| file.description).expect("has an alternative text");
        assert_eq!(alt.len(), ALT_LIMIT);
    }

    #[test]
    fn a_picture_needs_no_words() {
        let picture = Picture { name: "a.png".to_owned(), bytes: vec![1], alt: String::new() };
        let pieces = pieces(vec![Reply::picture(String::new(), picture), Reply::words(String::new())]);
        assert_eq!(pieces.len(), 1);
    }
}

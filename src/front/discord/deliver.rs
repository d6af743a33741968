//! Messages into channels.

use std::sync::Arc;

use serenity::builder::{CreateAttachment, CreateMessage};
use serenity::http::Http;
use serenity::model::channel::{Message, MessageFlags, MessageReference, Nonce};
use serenity::model::id::ChannelId;

use crate::chat::Reply;

use super::fault::{self, patiently};
use super::piece::{Piece, nobody, pieces};

/// Answers `question` in its channel; the first message is a reply to it. Nobody is pinged.
///
/// # Errors
/// Of the first message that Discord did not take; those after it are not sent.
pub(super) async fn to_question(http: &Arc<Http>, question: &Message, replies: Vec<Reply>) -> serenity::Result<()> {
    // The question may have been deleted meanwhile: the answer is said all the same.
    let reference = MessageReference::from((question.channel_id, question.id)).fail_if_not_exists(false);
    for (index, piece) in pieces(replies).into_iter().enumerate() {
        let reference = Some(reference.clone()).filter(|_| index == 0);
        let nonce = format!("{}-{index}", question.id);
        let build = |files| {
            let message = message(&piece, &nonce, files);
            match &reference {
                Some(reference) => message.reference_message(reference.clone()),
                None => message,
            }
        };
        send(http, question.channel_id, &piece, build).await?;
    }
    Ok(())
}

/// Says `replies` in a channel, in reply to nothing; `event` is the number of what led to them.
///
/// # Errors
/// Of the first message that Discord did not take; those after it are not sent.
pub(super) async fn to_channel(
    http: &Arc<Http>,
    channel: ChannelId,
    event: u64,
    replies: Vec<Reply>,
) -> serenity::Result<()> {
    for (index, piece) in pieces(replies).into_iter().enumerate() {
        let nonce = format!("{event}-{index}");
        send(http, channel, &piece, |files| message(&piece, &nonce, files)).await?;
    }
    Ok(())
}

async fn send(
    http: &Arc<Http>,
    channel: ChannelId,
    piece: &Piece,
    build: impl Fn(Vec<CreateAttachment>) -> CreateMessage,
) -> serenity::Result<()> {
    let sent = patiently(|| channel.send_message(http, build(piece.files()))).await;
    match sent {
        // Words are often allowed where files are not.
        Err(error) if !piece.pictures.is_empty() && !piece.content.is_empty() && fault::forbids_files(&error) => {
            tracing::info!(%channel, "no picture: the bot may not attach files here");
            patiently(|| channel.send_message(http, build(Vec::new()))).await.map(drop)
        }
        sent => sent.map(drop),
    }
}

/// A message with `files`. With the nonce Discord takes it once, however often an unsure connection repeats it.
pub(super) fn message(piece: &Piece, nonce: &str, files: Vec<CreateAttachment>) -> CreateMessage {
    CreateMessage::new()
        .content(&piece.content)
        .components(piece.rows())
        .allowed_mentions(nobody())
        .flags(MessageFlags::SUPPRESS_EMBEDS)
        .nonce(Nonce::String(nonce.to_owned()))
        .enforce_nonce(true)
        .add_files(files)
}

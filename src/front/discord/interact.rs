//! Answers to interactions: promised within three seconds, kept within fifteen minutes.

use std::sync::Arc;

use serenity::builder::{
    Builder, CreateInteractionResponse, CreateInteractionResponseFollowup, CreateInteractionResponseMessage,
    EditInteractionResponse,
};
use serenity::http::Http;
use serenity::model::application::{CommandInteraction, ComponentInteraction};
use serenity::model::id::InteractionId;

use crate::chat::Reply;

use super::fault::{self, patiently};
use super::piece::{Piece, nobody, pieces, whole};

/// What an interaction is answered with: its number and its token.
#[derive(Clone, Copy)]
pub(super) struct Ticket<'a> {
    id: InteractionId,
    token: &'a str,
}

impl<'a> From<&'a CommandInteraction> for Ticket<'a> {
    fn from(command: &'a CommandInteraction) -> Self {
        Self { id: command.id, token: &command.token }
    }
}

impl<'a> From<&'a ComponentInteraction> for Ticket<'a> {
    fn from(press: &'a ComponentInteraction) -> Self {
        Self { id: press.id, token: &press.token }
    }
}

/// Tells Discord within its three seconds that a message will come; `private` shows it to the asker alone.
///
/// # Errors
/// When Discord did not take it; the interaction is lost then.
pub(super) async fn promise(http: &Arc<Http>, ticket: Ticket<'_>, private: bool) -> serenity::Result<()> {
    let message = CreateInteractionResponseMessage::new().ephemeral(private);
    respond(http, ticket, CreateInteractionResponse::Defer(message)).await
}

/// Tells Discord that a press was heard: what comes of it shows in the pressed message, or nowhere.
///
/// # Errors
/// When Discord did not take it; the interaction is lost then.
pub(super) async fn hear(http: &Arc<Http>, ticket: Ticket<'_>) -> serenity::Result<()> {
    respond(http, ticket, CreateInteractionResponse::Acknowledge).await
}

/// Answers at once, for the asker alone.
///
/// # Errors
/// When Discord did not take it.
pub(super) async fn at_once(http: &Arc<Http>, ticket: Ticket<'_>, reply: Reply) -> serenity::Result<()> {
    let content = whole(reply).content;
    let message = CreateInteractionResponseMessage::new().content(content).allowed_mentions(nobody()).ephemeral(true);
    respond(http, ticket, CreateInteractionResponse::Message(message)).await
}

async fn respond(http: &Arc<Http>, ticket: Ticket<'_>, response: CreateInteractionResponse) -> serenity::Result<()> {
    match patiently(|| response.clone().execute(http, (ticket.id, ticket.token))).await {
        // An earlier attempt arrived although its confirmation did not.
        Err(error) if fault::is_acknowledged_already(&error) => Ok(()),
        done => done,
    }
}

/// Keeps a promise: the first message replaces it, the others follow. Where there is nothing to say, the promise is
/// taken back.
///
/// # Errors
/// Of the first message that Discord did not take; those after it are not sent.
pub(super) async fn answer(
    http: &Arc<Http>,
    ticket: Ticket<'_>,
    replies: Vec<Reply>,
    private: bool,
) -> serenity::Result<()> {
    let pieces = pieces(replies);
    if pieces.is_empty() {
        return take_back(http, ticket).await;
    }
    for (index, piece) in pieces.into_iter().enumerate() {
        if index == 0 {
            replace(http, ticket, &piece).await?;
        } else {
            follow(http, ticket, &piece, private).await?;
        }
    }
    Ok(())
}

/// Shows `reply` in place of the promise or of the pressed message, files and buttons included.
///
/// # Errors
/// When Discord did not take it.
pub(super) async fn show(http: &Arc<Http>, ticket: Ticket<'_>, reply: Reply) -> serenity::Result<()> {
    replace(http, ticket, &whole(reply)).await
}

/// Says something to the asker alone, after the answer.
///
/// # Errors
/// When Discord did not take it.
pub(super) async fn whisper(http: &Arc<Http>, ticket: Ticket<'_>, words: String) -> serenity::Result<()> {
    follow(http, ticket, &whole(Reply::words(words)), true).await
}

/// Removes the promise: there is nothing to say.
///
/// # Errors
/// When Discord did not take it.
pub(super) async fn take_back(http: &Arc<Http>, ticket: Ticket<'_>) -> serenity::Result<()> {
    match patiently(|| http.delete_original_interaction_response(ticket.token)).await {
        // An earlier attempt arrived although its confirmation did not.
        Err(error) if fault::is_gone(&error) => Ok(()),
        done => done,
    }
}

async fn replace(http: &Arc<Http>, ticket: Ticket<'_>, piece: &Piece) -> serenity::Result<()> {
    let edit = || {
        EditInteractionResponse::new()
            .content(&piece.content)
            .components(piece.rows())
            .allowed_mentions(nobody())
            .attachments(piece.replacement())
    };
    patiently(|| edit().execute(http, ticket.token)).await.map(drop)
}

async fn follow(http: &Arc<Http>, ticket: Ticket<'_>, piece: &Piece, private: bool) -> serenity::Result<()> {
    let message = || {
        CreateInteractionResponseFollowup::new()
            .content(&piece.content)
            .components(piece.rows())
            .allowed_mentions(nobody())
            .ephemeral(private)
            .add_files(piece.files())
    };
    patiently(|| message().execute(http, (None, ticket.token))).await.map(drop)
}

//! What the bot says unasked, as requests to Discord.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serenity::builder::{EditAttachments, EditMessage};
use serenity::http::Http;
use serenity::model::id::{ChannelId, MessageId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::chat::Reply;
use crate::chat::message::{Announcement, Buttons, Canvas, Notice, Undelivered};
use crate::front::line;
use crate::front::meters::Meters;

use super::fault::{self, patiently};
use super::piece::{Piece, file, nobody, pieces, rows};
use super::{deliver, markdown};

/// Delivers announcements until `stop`; what is under way is delivered, what comes later is refused for now.
pub(super) async fn run(
    http: Arc<Http>,
    announcements: mpsc::Receiver<Announcement>,
    meters: Meters,
    stop: CancellationToken,
) {
    let way = Way { http, meters };
    line::run(announcements, stop, |to, _, what| tell(&way, to.id, what)).await;
}

/// How to reach Discord.
struct Way {
    http: Arc<Http>,
    meters: Meters,
}

impl Way {
    fn undelivered(&self, error: &serenity::Error) -> Undelivered {
        fault::count(&self.meters, error);
        fault::undelivered(error)
    }
}

async fn tell(way: &Way, channel: i64, what: Notice) -> Result<i64, Undelivered> {
    let channel = ChannelId::from(id(channel)?);
    match what {
        Notice::Send(reply) | Notice::Show(reply) => send(way, channel, reply).await,
        Notice::Edit { message, text, buttons, picture } => {
            let face = Face { content: content(&text), buttons, picture };
            edit(way, channel, id(message)?.into(), &face).await
        }
    }
}

fn id(number: i64) -> Result<NonZeroU64, Undelivered> {
    let nowhere = || Undelivered::Refused("no number of Discord's".to_owned());
    NonZeroU64::new(number.cast_unsigned()).ok_or_else(nowhere)
}

async fn send(way: &Way, channel: ChannelId, reply: Reply) -> Result<i64, Undelivered> {
    let event = nonce();
    let mut first = None;
    for (index, piece) in pieces(vec![reply]).into_iter().enumerate() {
        let number = say(way, channel, &piece, &format!("{event}-{index}")).await?;
        first.get_or_insert(number);
    }
    first.ok_or_else(|| Undelivered::Refused("nothing to say".to_owned()))
}

async fn say(way: &Way, channel: ChannelId, piece: &Piece, nonce: &str) -> Result<i64, Undelivered> {
    let sent = patiently(|| channel.send_message(&way.http, deliver::message(piece, nonce, piece.files()))).await;
    sent.map(|message| message.id.get().cast_signed()).map_err(|error| way.undelivered(&error))
}

/// Another face for a message.
struct Face {
    content: String,
    buttons: Buttons,
    picture: Canvas,
}

/// The markdown of the one message that can be edited: what is too long for it is cut off.
fn content(text: &str) -> String {
    markdown::messages(text).into_iter().next().unwrap_or_default()
}

/// Changes words, buttons and, where there is a new one, the picture: files of which nothing is said stay.
async fn edit(way: &Way, channel: ChannelId, message: MessageId, face: &Face) -> Result<i64, Undelivered> {
    let edit = || {
        let edit = EditMessage::new().content(&face.content).components(rows(&face.buttons)).allowed_mentions(nobody());
        match &face.picture {
            Canvas::New(picture) => edit.attachments(EditAttachments::new().add(file(picture))),
            Canvas::None | Canvas::Kept => edit,
        }
    };
    match patiently(|| channel.edit_message(&way.http, message, edit())).await {
        Ok(edited) => Ok(edited.id.get().cast_signed()),
        Err(error) => Err(way.undelivered(&error)),
    }
}

/// Marks a message as one, so that a repeated attempt makes no second one; Discord remembers it for minutes.
fn nonce() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("a{:x}", now.as_nanos())
}

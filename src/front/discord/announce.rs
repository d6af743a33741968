//! What the bot says unasked, in order within one channel and beside all others.
//!
//! Never in the path of an answer: `/quiz` waits for its picture to arrive before it ends.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serenity::builder::{EditAttachments, EditMessage};
use serenity::http::Http;
use serenity::model::id::{ChannelId, MessageId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::chat::message::{Announcement, Buttons, Canvas, Notice, Undelivered};
use crate::chat::{ChatRef, Reply};

use super::fault::{self, patiently};
use super::piece::{Piece, file, nobody, pieces, rows};
use super::{deliver, markdown};

/// Delivers announcements until `stop`, then those that Discord is being told already. All others are handed back.
pub(super) async fn run(http: Arc<Http>, mut announcements: mpsc::Receiver<Announcement>, stop: CancellationToken) {
    // What waits in each channel where something is under way.
    let mut lines: HashMap<ChatRef, VecDeque<Announcement>> = HashMap::new();
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(announcement) = announcements.recv() => match lines.get_mut(&announcement.to) {
                Some(line) => line.push_back(announcement),
                None => {
                    lines.insert(announcement.to.clone(), VecDeque::new());
                    under_way.push(deliver(&http, announcement));
                }
            },
            Some(chat) = under_way.next() => match lines.get_mut(&chat).and_then(VecDeque::pop_front) {
                Some(next) => under_way.push(deliver(&http, next)),
                None => drop(lines.remove(&chat)),
            },
            () = stop.cancelled() => break,
        }
    }
    lines.into_values().flatten().for_each(hand_back);
    hand_all_back(announcements).await;
    while under_way.next().await.is_some() {}
}

/// Hands back what nobody will deliver.
pub(super) async fn hand_all_back(mut announcements: mpsc::Receiver<Announcement>) {
    announcements.close();
    while let Some(announcement) = announcements.recv().await {
        hand_back(announcement);
    }
}

fn hand_back(announcement: Announcement) {
    // Who does not listen any more need not be told.
    announcement.done.send(Err(Undelivered::Later("the bot is stopping".to_owned()))).ok();
}

/// Delivers one announcement and tells how that went; returns its chat.
async fn deliver(http: &Arc<Http>, announcement: Announcement) -> ChatRef {
    let Announcement { to, what, done, .. } = announcement;
    let delivered = match (id(to.id), what) {
        (None, _) => Err(nowhere()),
        (Some(channel), Notice::Send(reply)) => send(http, channel.into(), reply).await,
        (Some(channel), Notice::Edit { message, text, buttons, picture }) => match id(message) {
            Some(number) => {
                let face = Face { content: content(&text), buttons, picture };
                edit(http, channel.into(), number.into(), &face).await
            }
            None => Err(nowhere()),
        },
    };
    if let Err(error) = &delivered {
        tracing::warn!(chat = to.id, %error, "Discord: an announcement did not arrive");
    }
    done.send(delivered).ok();
    to
}

fn id(number: i64) -> Option<NonZeroU64> {
    NonZeroU64::new(number.cast_unsigned())
}

fn nowhere() -> Undelivered {
    Undelivered::Refused("no number of Discord's".to_owned())
}

async fn send(http: &Arc<Http>, channel: ChannelId, reply: Reply) -> Result<i64, Undelivered> {
    let event = nonce();
    let mut first = None;
    for (index, piece) in pieces(vec![reply]).into_iter().enumerate() {
        let number = say(http, channel, &piece, &format!("{event}-{index}")).await?;
        first.get_or_insert(number);
    }
    first.ok_or_else(|| Undelivered::Refused("nothing to say".to_owned()))
}

async fn say(http: &Arc<Http>, channel: ChannelId, piece: &Piece, nonce: &str) -> Result<i64, Undelivered> {
    let sent = patiently(|| channel.send_message(http, deliver::message(piece, nonce, piece.files()))).await;
    sent.map(|message| message.id.get().cast_signed()).map_err(|error| fault::undelivered(&error))
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
async fn edit(http: &Arc<Http>, channel: ChannelId, message: MessageId, face: &Face) -> Result<i64, Undelivered> {
    let edit = || {
        let edit = EditMessage::new().content(&face.content).components(rows(&face.buttons)).allowed_mentions(nobody());
        match &face.picture {
            Canvas::New(picture) => edit.attachments(EditAttachments::new().add(file(picture))),
            Canvas::None | Canvas::Kept => edit,
        }
    };
    match patiently(|| channel.edit_message(http, message, edit())).await {
        Ok(edited) => Ok(edited.id.get().cast_signed()),
        Err(error) => Err(fault::undelivered(&error)),
    }
}

/// Marks a message as one, so that a repeated attempt makes no second one; Discord remembers it for minutes.
fn nonce() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("a{:x}", now.as_nanos())
}

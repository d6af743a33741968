//! "Where is this?": one answer a photo.

use futures_util::future::join_all;

use super::message::{Delivered, Incoming, Reply};
use super::text::{self, Lang};
use super::{MAX_PHOTOS, picture};
use crate::infer::{Core, LocateError};

/// Answers the photos of a message in their order, numbered when there are several. `photos` holds the first
/// [`MAX_PHOTOS`] of the message's attachments; that the others were left out is said last.
pub async fn answer(core: &Core, incoming: &Incoming, photos: Vec<Delivered>) -> Vec<Reply> {
    let lang = incoming.lang;
    let count = photos.len().min(MAX_PHOTOS);
    let answers = photos.into_iter().take(MAX_PHOTOS).zip(1..).map(|(photo, number)| async move {
        let reply = answer_one(core, lang, photo, number).await;
        if count > 1 { numbered(lang, reply, number, count) } else { reply }
    });
    // All at once, so that an album becomes one batch.
    let mut replies = join_all(answers).await;
    let rest = incoming.attachments.len().saturating_sub(MAX_PHOTOS);
    if rest > 0 {
        replies.push(Reply::words(text::photos_too_many(lang, MAX_PHOTOS, rest)));
    }
    replies
}

async fn answer_one(core: &Core, lang: Lang, photo: Delivered, number: usize) -> Reply {
    let bytes = match photo {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::info!(%error, "a photo did not arrive");
            return Reply::words(text::delivery_error(lang, &error));
        }
    };
    let located = match core.locate(bytes).await {
        Ok(located) => located,
        Err(error) => {
            report(&error);
            return Reply::words(text::locate_error(lang, &error));
        }
    };
    let best = located.prediction.best();
    let alt = text::heatmap_alt(lang, &best.area);
    let picture = picture::heatmap(located.explanation, best.label, number, alt).await;
    let is_drawn_world = located.manifest.provenance.is_drawn_world();
    Reply {
        text: text::answer(lang, &located.prediction, is_drawn_world, picture.is_some()),
        picture,
        ..Reply::default()
    }
}

fn numbered(lang: Lang, reply: Reply, number: usize, count: usize) -> Reply {
    let place = text::photo_number(lang, number, count);
    Reply { text: format!("{place}\n{}", reply.text), ..reply }
}

fn report(error: &LocateError) {
    match error {
        LocateError::Failed(_) => tracing::error!(code = error.code(), %error, "no answer"),
        _ => tracing::info!(code = error.code(), %error, "no answer"),
    }
}

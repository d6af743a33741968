//! "Where is this?": one answer a photo.

use futures_util::future::join_all;

use super::MAX_PHOTOS;
use super::message::{Delivered, Incoming, Reply};
use super::text;
use super::why::{Face, Reasons};
use crate::infer::{Core, LocateError};

/// Answers the photos of a message in their order, numbered when there are several, each with this face. `photos` holds the first
/// [`MAX_PHOTOS`] of the message's attachments; that the others were left out is said last.
pub(super) async fn answer(
    core: &Core,
    reasons: &Reasons,
    incoming: &Incoming,
    photos: Vec<Delivered>,
    face: Face,
) -> Vec<Reply> {
    let lang = incoming.lang;
    let count = photos.len().min(MAX_PHOTOS);
    let answers = photos.into_iter().take(MAX_PHOTOS).zip(1..).map(|(photo, number)| {
        let place = (count > 1).then_some((number, count));
        answer_one(core, reasons, incoming, photo, (place, face))
    });
    // All at once, so that an album becomes one batch.
    let mut replies = join_all(answers).await;
    let rest = incoming.attachments.len().saturating_sub(MAX_PHOTOS);
    if rest > 0 {
        replies.push(Reply::words(text::photos_too_many(lang, MAX_PHOTOS, rest)));
    }
    replies
}

/// `place` says which photo of how many it is.
async fn answer_one(
    core: &Core,
    reasons: &Reasons,
    incoming: &Incoming,
    photo: Delivered,
    (place, face): (Option<(usize, usize)>, Face),
) -> Reply {
    let lang = incoming.lang;
    let failure = match photo {
        Ok(bytes) => match core.locate(bytes).await {
            Ok(located) => {
                let telling = reasons.tell(incoming.chat.clone(), lang, place, located, face);
                return core.meters().explain(telling).await;
            }
            Err(error) => {
                report(&error);
                text::locate_error(lang, &error)
            }
        },
        Err(error) => {
            tracing::info!(%error, "a photo did not arrive");
            text::delivery_error(lang, &error)
        }
    };
    Reply::words(text::placed(lang, place, failure))
}

fn report(error: &LocateError) {
    match error {
        LocateError::Failed(_) => tracing::error!(code = error.code(), %error, "no answer"),
        _ => tracing::info!(code = error.code(), %error, "no answer"),
    }
}

//! "Where is this?": one answer a photo.

use futures_util::future::join_all;

use super::MAX_PHOTOS;
use super::gift::Giving;
use super::message::{Delivered, Incoming, Reply};
use super::text;
use super::why::{Face, Reasons};
use crate::collect::gifts::{Parcel, Placed};
use crate::infer::{Core, LocateError, Located};

/// Answers the photos of a message in their order, numbered when there are several, each with this face. `photos` holds the
/// first [`MAX_PHOTOS`] of the message's attachments; that the others were left out is said after them, and last comes the
/// question whether photos that say where they were taken may be kept.
pub(super) async fn answer(
    core: &Core,
    reasons: &Reasons,
    giving: Option<&Giving>,
    incoming: &Incoming,
    photos: Vec<Delivered>,
    face: Face,
) -> Vec<Reply> {
    let lang = incoming.lang;
    let count = photos.len().min(MAX_PHOTOS);
    let answers = photos.into_iter().take(MAX_PHOTOS).zip(1..).map(|(photo, number)| {
        let place = (count > 1).then_some((number, count));
        // Only whoever sent a photo can say that it may be kept.
        let is_own = incoming.attachments.get(number - 1).is_some_and(|attachment| attachment.is_own);
        answer_one(core, reasons, giving.filter(|_| is_own), incoming, photo, (place, face))
    });
    // All at once, so that an album becomes one batch.
    let (mut replies, parcels): (Vec<Reply>, Vec<Option<Parcel>>) = join_all(answers).await.into_iter().unzip();
    let rest = incoming.attachments.len().saturating_sub(MAX_PHOTOS);
    if rest > 0 {
        replies.push(Reply::words(text::photos_too_many(lang, MAX_PHOTOS, rest)));
    }
    let parcels = parcels.into_iter().flatten().collect();
    replies.extend(giving.and_then(|giving| giving.ask(incoming, parcels)));
    replies
}

/// `place` says which photo of how many it is. Where its file says where it was taken, it comes back for the question.
async fn answer_one(
    core: &Core,
    reasons: &Reasons,
    giving: Option<&Giving>,
    incoming: &Incoming,
    photo: Delivered,
    (place, face): (Option<(usize, usize)>, Face),
) -> (Reply, Option<Parcel>) {
    let lang = incoming.lang;
    let failure = match photo {
        Ok(bytes) => match answered(core, giving, bytes).await {
            Ok((located, parcel)) => {
                let telling = reasons.tell(incoming.chat.clone(), lang, place, located, face);
                return (core.meters().explain(telling).await, parcel);
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
    (Reply::words(text::placed(lang, place, failure)), None)
}

/// The answer, and the photo as it may be kept if its file names a place. What the file says never reaches the core's
/// answer: the core reads pixels alone.
async fn answered(
    core: &Core,
    giving: Option<&Giving>,
    bytes: Vec<u8>,
) -> Result<(Located, Option<Parcel>), LocateError> {
    let placed = giving.and_then(|giving| giving.look(&bytes));
    let located = core.locate(bytes).await?;
    match placed {
        Some(placed) => wrap(located, placed).await.map(|(located, parcel)| (located, Some(parcel))),
        None => Ok((located, None)),
    }
}

/// Makes a photo ready to be kept, on a thread for blocking work.
///
/// # Errors
/// [`LocateError::Failed`] when drawing it panics.
pub async fn wrap(located: Located, placed: Placed) -> Result<(Located, Parcel), LocateError> {
    let work = tokio::task::spawn_blocking(move || {
        let jpeg = located.explanation.photo_jpeg().into();
        (located, Parcel { placed, jpeg })
    });
    work.await.map_err(|error| LocateError::Failed(error.to_string()))
}

fn report(error: &LocateError) {
    match error {
        LocateError::Failed(_) => tracing::error!(code = error.code(), %error, "no answer"),
        _ => tracing::info!(code = error.code(), %error, "no answer"),
    }
}

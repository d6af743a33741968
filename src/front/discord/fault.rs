//! What Discord's errors mean, and patience with those that pass.

use std::time::Duration;

use serenity::http::HttpError;

use crate::chat::message::Undelivered;
use crate::domain::Platform;
use crate::front::meters::{Fault, Meters};

/// Pauses before a request is tried again. A promise of an answer is due within three seconds.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(1_000)];

/// Discord's code for an interaction that was answered before.
const ALREADY_ACKNOWLEDGED: isize = 40_060;
/// Discord's code for a message that was deleted.
const UNKNOWN_MESSAGE: isize = 10_008;
/// Discord's code for a body that is too large.
const TOO_LARGE: isize = 40_005;
/// Discord's code for a channel that the bot cannot see.
const MISSING_ACCESS: isize = 50_001;
/// Discord's code for a person who takes no private messages.
const NO_PRIVATE_MESSAGES: isize = 50_007;
/// Discord's code for a permission that the bot lacks.
const MISSING_PERMISSIONS: isize = 50_013;

/// Does `request`, and again after a pause when the fault may pass. Rate limits are serenity's own business, or the relay's.
///
/// # Errors
/// Of the last attempt.
pub(super) async fn patiently<T, F>(request: impl Fn() -> F) -> serenity::Result<T>
where
    F: Future<Output = serenity::Result<T>>,
{
    for pause in PAUSES {
        match request().await {
            Err(error) if may_pass(&error) => {
                tracing::warn!(%error, "Discord: trying again");
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
    request().await
}

/// Whether the same request may work later: no connection, or a fault on Discord's side.
pub(super) fn may_pass(error: &serenity::Error) -> bool {
    match error {
        serenity::Error::Http(HttpError::Request(_)) => true,
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => response.status_code.is_server_error(),
        _ => false,
    }
}

/// Counts a call that failed.
pub(super) fn count(meters: &Meters, error: &serenity::Error) {
    let fault = match error {
        _ if is_limit(error) => Fault::Limit,
        serenity::Error::Http(HttpError::UnsuccessfulRequest(_)) if may_pass(error) => Fault::Service,
        serenity::Error::Http(HttpError::UnsuccessfulRequest(_)) => Fault::Refused,
        serenity::Error::Http(_) | serenity::Error::Io(_) => Fault::Network,
        serenity::Error::Json(_) => Fault::Unreadable,
        _ => Fault::Refused,
    };
    meters.failed(Platform::Discord, fault);
}

/// Whether the token is at fault.
pub(super) fn is_unauthorised(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(http) if http.status_code().is_some_and(|status| status == 401))
}

/// Whether an interaction was answered before.
pub(super) fn is_acknowledged_already(error: &serenity::Error) -> bool {
    code(error) == Some(ALREADY_ACKNOWLEDGED)
}

/// Whether a message was deleted before.
pub(super) fn is_gone(error: &serenity::Error) -> bool {
    code(error) == Some(UNKNOWN_MESSAGE)
}

/// Why an announcement did not arrive. Discord's words hold neither addresses nor tokens.
pub(super) fn undelivered(error: &serenity::Error) -> Undelivered {
    let later = is_limit(error) || may_pass(error);
    if later { Undelivered::Later(error.to_string()) } else { Undelivered::Refused(error.to_string()) }
}

/// Whether a limit was met that was too long to be sat out.
fn is_limit(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(http) if http.status_code().is_some_and(|status| status == 429))
}

/// Whether a message may go through without its file.
pub(super) fn forbids_files(error: &serenity::Error) -> bool {
    matches!(code(error), Some(MISSING_PERMISSIONS | TOO_LARGE))
}

/// Whether the bot simply may not write there, as its server decides.
pub(super) fn forbids_speech(error: &serenity::Error) -> bool {
    matches!(code(error), Some(MISSING_ACCESS | MISSING_PERMISSIONS | NO_PRIVATE_MESSAGES))
}

fn code(error: &serenity::Error) -> Option<isize> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => Some(response.error.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use serenity::model::error::Error as ModelError;

    fn unparseable() -> serenity::Error {
        serenity::Error::Model(ModelError::InvalidUser)
    }

    #[tokio::test]
    async fn what_cannot_pass_is_not_tried_again() {
        let attempts = Cell::new(0);
        let done: serenity::Result<()> = patiently(async || {
            attempts.set(attempts.get() + 1);
            Err(unparseable())
        })
        .await;
        assert!(done.is_err());
        assert_eq!(attempts.get(), 1);
    }
}

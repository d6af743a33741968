//! Webhook: Telegram calls, is answered at once, and the work is done afterwards.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;

use super::Webhook;
use super::api::Api;
use super::desk::Arrival;

/// The header in which Telegram repeats the secret.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// Largest update, bytes; real ones have a few thousand.
const MAX_UPDATE: usize = 1 << 20;

#[derive(Clone)]
struct Door {
    secret: SecretString,
    inbox: mpsc::Sender<Arrival>,
}

/// Registers the webhook and passes updates on until `stop`. The webhook stays registered, so that Telegram
/// keeps what comes while the bot restarts.
pub(super) async fn serve(
    api: &Api,
    listener: TcpListener,
    hook: Webhook,
    inbox: mpsc::Sender<Arrival>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let url = reqwest::Url::parse(&hook.public_url)
        .map_err(|error| anyhow::anyhow!("{:?} is no address for a webhook: {error}", hook.public_url))?;
    api.set_webhook(&url, hook.secret.expose_secret()).await?;
    let router = router(url.path(), hook.secret, inbox);
    axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned()).await?;
    Ok(())
}

fn router(path: &str, secret: SecretString, inbox: mpsc::Sender<Arrival>) -> Router {
    let door = Door { secret, inbox };
    Router::new().route(path, post(enter)).layer(DefaultBodyLimit::max(MAX_UPDATE)).with_state(door)
}

/// Anything but 2xx makes Telegram call again.
async fn enter(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let shown = headers.get(SECRET_HEADER).map_or(&[][..], |value| value.as_bytes());
    if !bool::from(shown.ct_eq(door.secret.expose_secret().as_bytes())) {
        tracing::warn!("somebody without the secret calls the webhook");
        return StatusCode::UNAUTHORIZED;
    }
    let update = match serde_json::from_slice(&body) {
        Ok(update) => update,
        Err(error) => {
            // It would be as unreadable the next time.
            tracing::warn!(%error, "an update cannot be read");
            return StatusCode::OK;
        }
    };
    let (arrival, noted) = Arrival::new(update);
    match door.inbox.try_send(arrival) {
        // Telegram forgets what it hears OK of: not before it is noted.
        Ok(()) => noted.await.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::OK),
        Err(TrySendError::Full(_) | TrySendError::Closed(_)) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

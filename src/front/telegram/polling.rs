//! Long polling: teloxide's listener keeps the offset and backs off while Telegram cannot be reached.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use teloxide::types::AllowedUpdate;
use teloxide::update_listeners::{AsUpdateStream, Polling, UpdateListener};
use teloxide::{ApiError, RequestError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::desk::Arrival;

/// How long Telegram holds a question open when there is nothing new.
const HOLD: Duration = Duration::from_secs(30);
/// How long the last question may take, which confirms what was received.
const FAREWELL: Duration = Duration::from_secs(5);

/// Passes updates on until `stop`.
pub(super) async fn serve(api: &Api, inbox: mpsc::Sender<Arrival>, stop: &CancellationToken) {
    // As long as a webhook is set, Telegram refuses to be asked.
    api.delete_webhook().await;
    let mut listener = Polling::builder(api.bot().clone())
        .timeout(HOLD)
        .allowed_updates(vec![AllowedUpdate::Message, AllowedUpdate::CallbackQuery])
        .build();
    let stop_token = listener.stop_token();
    let mut updates = pin!(listener.as_stream());
    let listen = async {
        while let Some(update) = updates.next().await {
            match update {
                // Asking for the next ones confirms this one: not before it is noted. Both are closed only if the desk
                // panicked, which ends the run anyway.
                Ok(update) => {
                    let (arrival, noted) = Arrival::new(update);
                    drop(inbox.send(arrival).await);
                    drop(noted.await);
                }
                Err(error) => report(api, &error),
            }
        }
    };
    let farewell = async {
        stop.cancelled().await;
        stop_token.stop();
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        () = listen => {}
        () = farewell => tracing::warn!("Telegram does not answer the farewell; the last updates may come again"),
    }
}

fn report(api: &Api, error: &RequestError) {
    api.failed(error);
    match error {
        RequestError::Api(ApiError::TerminatedByOtherGetUpdates) => {
            tracing::error!("another program asks for this bot's updates: stop it, or use another token");
        }
        error => tracing::warn!(error = api.redact(error), "no updates from Telegram"),
    }
}

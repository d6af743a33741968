//! Patience with 429 behind a proxy.
//!
//! serenity keeps Discord's limits for Discord's own address only. Where requests go elsewhere (`discord.api_url`), a
//! proxy has to keep them, and what gets a 429 through it all the same serenity gives up, without handing on for how long
//! Discord wants silence. So serenity's requests go through this relay on the loopback address: it waits exactly as long
//! as Discord says, in that channel or everywhere, and asks again. Nothing else is changed, and nothing is kept.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::causes::of_request;
use crate::clock::SharedClock;
use crate::domain::Platform;
use crate::front::meters::{Fault, Meters};

/// Times that one request is made.
const ATTEMPTS: u32 = 4;
/// Longest silence that is waited for; an answer that comes later helps nobody.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// Largest request, bytes: ten files of 10 MiB.
const MAX_REQUEST: usize = 100 << 20;
/// What belongs to one connection and not to the request.
const HOPS: [HeaderName; 4] = [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// The relay; it ends when this is dropped.
pub(super) struct Relay {
    url: String,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    client: Client,
    /// Where requests go, without a slash at the end.
    to: String,
    clock: SharedClock,
    meters: Meters,
    /// Until when nobody asks at all.
    all: Mutex<Timestamp>,
    /// Until when nobody asks on a route.
    routes: DashMap<String, Timestamp>,
}

/// What Discord says with a 429.
#[derive(Deserialize)]
struct Limited {
    /// Seconds.
    retry_after: f64,
    #[serde(default)]
    global: bool,
}

impl Relay {
    /// A relay to the server at `to`.
    ///
    /// # Errors
    /// When this machine has no free port, or TLS does not start.
    pub(super) async fn start(to: &str, clock: SharedClock, meters: Meters) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().build()?;
        let (to, all) = (to.trim_end_matches('/').to_owned(), Mutex::new(Timestamp::MIN));
        let shared = Shared { client, to, clock, meters, all, routes: DashMap::new() };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass).with_state(Arc::new(shared));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the relay to Discord's proxy has ended");
            }
        });
        Ok(Self { url, _serving: AbortOnDropHandle::new(serving) })
    }

    /// Its address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_REQUEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let route = route(head.uri.path());
    for _ in 1..ATTEMPTS {
        shared.opened(&route).await;
        match shared.ask(&head, body.clone()).await {
            Ok(answer) => match shared.note(&route, &answer) {
                Some(wait) if wait <= LONGEST => tracing::info!(?wait, "Discord wants silence"),
                _ => return answer.into_response(),
            },
            Err(error) => return unreachable(error),
        }
    }
    shared.opened(&route).await;
    shared.ask(&head, body).await.map_or_else(unreachable, IntoResponse::into_response)
}

/// As a fault of the proxy's, which may pass.
fn unreachable(error: reqwest::Error) -> Response {
    tracing::info!(error = of_request(error), "Discord's proxy cannot be reached");
    StatusCode::BAD_GATEWAY.into_response()
}

/// What Discord counts together: a channel, or an interaction with its token.
fn route(path: &str) -> String {
    let parts = path.trim_start_matches('/').split('/').skip_while(|part| *part == "api" || part.starts_with("v1"));
    let parts: Vec<&str> = parts.take(3).collect();
    match parts[..] {
        ["webhooks" | "interactions", _, _] => parts.join("/"),
        _ => parts[..parts.len().min(2)].join("/"),
    }
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self { status, headers, body } = self;
        let mut response = Response::new(Body::from(body));
        (*response.status_mut(), *response.headers_mut()) = (status, without_hops(headers));
        response
    }
}

fn without_hops(mut headers: HeaderMap) -> HeaderMap {
    for name in &HOPS {
        headers.remove(name);
    }
    headers
}

impl Shared {
    async fn ask(&self, head: &Parts, body: Bytes) -> Result<Answer, reqwest::Error> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self.client.request(head.method.clone(), format!("{}{path}", self.to));
        let response = request.headers(without_hops(head.headers.clone())).body(body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await? })
    }

    /// Waits until the route may be asked.
    async fn opened(&self, route: &str) {
        loop {
            let all = *self.all.lock().unwrap_or_else(PoisonError::into_inner);
            let until = self.routes.get(route).map_or(all, |until| all.max(*until));
            if until <= self.clock.now() {
                return;
            }
            self.clock.until(until).await;
        }
    }

    /// How long Discord wants silence, if it does; as long as may be waited for, the route is closed.
    fn note(&self, route: &str, answer: &Answer) -> Option<SignedDuration> {
        if answer.status != StatusCode::TOO_MANY_REQUESTS {
            return None;
        }
        let Limited { retry_after, global } = serde_json::from_slice(&answer.body).ok()?;
        let wait = SignedDuration::try_from_secs_f64(retry_after).ok().filter(|wait| *wait <= LONGEST)?;
        self.meters.failed(Platform::Discord, Fault::Limit);
        let now = self.clock.now();
        let until = now + wait;
        if global {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            *all = until.max(*all);
        } else {
            self.routes.retain(|_, until| *until > now);
            self.routes.insert(route.to_owned(), until);
        }
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_and_interactions_are_counted_apart() {
        for (path, expected) in [
            ("/api/v10/channels/20/messages", "channels/20"),
            ("/api/v10/channels/20/messages/7", "channels/20"),
            ("/api/v10/webhooks/1000/token/messages/@original", "webhooks/1000/token"),
            ("/api/v10/interactions/5/token/callback", "interactions/5/token"),
            ("/api/v10/gateway", "gateway"),
            ("/", ""),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}

//! One question to a service, and the time that it tells with its answer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, DATE};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::causes::of_request;
use crate::clock::SharedClock;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks, and remembers by how much the clocks differ.
pub(super) struct Asker {
    clock: SharedClock,
    skew: Option<SignedDuration>,
}

/// Why there is no answer.
pub(super) enum Silence {
    /// The service refuses who we say that we are.
    Refused,
    /// It cannot be reached, or says something else than an answer; without address and token.
    Trouble(String),
}

impl Asker {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, skew: None }
    }

    /// How far our clock is behind that of the service that answered last; negative when it is ahead.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
        self.skew
    }

    /// Gets JSON. `url` may hold a secret: it is never shown.
    pub(super) async fn get(&mut self, url: &str, authorization: Option<&SecretString>) -> Result<Value, Silence> {
        let trouble = |error: reqwest::Error| Silence::Trouble(of_request(error));
        let client = Client::builder().timeout(PATIENCE).build().map_err(trouble)?;
        let mut request = client.get(url);
        if let Some(secret) = authorization {
            request = request.header(AUTHORIZATION, secret.expose_secret());
        }
        let response = request.send().await.map_err(trouble)?;
        self.learn(&response);
        match response.status() {
            // Telegram answers a token of the wrong form with 404.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Err(Silence::Refused),
            status if status.is_success() => response.json().await.map_err(trouble),
            status => Err(Silence::Trouble(format!("it answers {status}"))),
        }
    }

    fn learn(&mut self, response: &Response) {
        let told = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let told = told.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        if let Some(told) = told {
            self.skew = Some(told.timestamp().duration_since(self.clock.now()));
        }
    }
}

/// Seconds since 1970 in an answer, as a moment.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    Timestamp::from_second(value.as_i64()?).ok()
}

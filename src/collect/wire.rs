//! One client per service: so many requests of a kind a second, so many at once, tried again when that may help.
//!
//! No error here holds a URL, since URLs may hold keys.

mod backoff;
mod fault;
mod gate;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::SignedDuration;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::collect::meters::Tally;
use backoff::retry_after;
pub use backoff::{Backoff, Jitter, system_jitter};
pub use fault::{Fault, FaultKind};
use gate::Gate;

/// How a service is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most requests of a [`Kind`] a second, above 0.
    pub per_second: f64,
    /// Most requests at the same time, above 0.
    pub concurrent: usize,
    /// For reaching the server at all.
    pub connect_timeout: Duration,
    /// Longest silence while an answer arrives.
    pub read_timeout: Duration,
    /// For one request, from the first byte sent to the last received.
    pub timeout: Duration,
    /// Pauses between tries.
    pub backoff: Backoff,
    /// Longest `Retry-After` that is waited for; an answer that asks for more is final.
    pub longest_pause: Duration,
    /// Where requests are counted.
    pub tally: Tally,
}

impl Default for Options {
    /// 10 requests a second, 8 at once; 10 s to connect, 20 s of silence, 60 s in all; waits up to 5 minutes when asked.
    fn default() -> Self {
        Self {
            per_second: 10.0,
            concurrent: 8,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(20),
            timeout: Duration::from_secs(60),
            backoff: Backoff::default(),
            longest_pause: Duration::from_secs(300),
            tally: Tally::default(),
        }
    }
}

/// What a request is for. Services count the two apart, and so are they here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What there is.
    Question,
    /// A picture.
    Picture,
}

/// Which failures of a request may be followed by the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Any that may pass: asking costs nothing.
    Free,
    /// Only where the service cannot have delivered, since it bills what it delivers.
    Unbilled,
}

/// A request and what is expected of its answer.
pub struct Ask {
    /// What it is for.
    pub kind: Kind,
    /// The request, ready to be sent.
    pub request: RequestBuilder,
    /// Largest body that is read, bytes.
    pub max_bytes: usize,
    /// Which failures may be followed by the same request.
    pub repeat: Repeat,
}

/// An answer, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Media type without its parameters, in lower case; empty when absent.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// How long the service asks to wait, where it does.
    pub retry_after: Option<SignedDuration>,
}

/// Whether an answer is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is, for better or worse.
    Final,
    /// The same request may be answered better later.
    Again,
    /// The same, and the service is being asked too often: everybody waits.
    Slower,
}

/// A client of one service.
pub struct Wire {
    client: Client,
    questions: Gate,
    pictures: Gate,
    slots: Semaphore,
    options: Options,
    clock: SharedClock,
    jitter: Jitter,
    stop: CancellationToken,
}

impl Wire {
    /// A client of the service at `base` that sends nothing more once `stop` is cancelled; requests on their way are
    /// waited for. A service on this machine is asked directly, past any proxy.
    ///
    /// # Errors
    /// When the TLS library fails to start.
    pub fn new(
        base: &Url,
        options: Options,
        clock: SharedClock,
        jitter: Jitter,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, reqwest::Error> {
        let builder = if is_loopback(base) { Client::builder().no_proxy() } else { Client::builder() };
        let client = builder
            .redirect(redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .timeout(options.timeout)
            .user_agent(concat!("kokodoko/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let gate = || Gate::new(clock.clone(), options.per_second, options.concurrent);
        let (questions, pictures) = (gate(), gate());
        let slots = Semaphore::new(options.concurrent.max(1));
        Ok(Arc::new(Self { client, questions, pictures, slots, options, clock, jitter, stop }))
    }

    /// Begins a GET request, for [`Ask`].
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// Sends a request until `judge` finds an answer final or the tries are used up; then the last answer counts.
    ///
    /// # Errors
    /// The last failure of the way there and back. [`Fault::delivered`] tells whether the service may have answered.
    pub async fn ask(&self, ask: Ask, mut judge: impl FnMut(&Answer) -> Verdict) -> Result<Answer, Fault> {
        let mut tried = 0;
        loop {
            let request = ask.request.try_clone().ok_or(Fault::unsent(FaultKind::Broken))?;
            let outcome = self.once(request, &ask).await;
            tried += 1;
            let last = tried >= self.options.backoff.tries;
            let (verdict, asked) = match &outcome {
                Ok(answer) => (judge(answer), answer.retry_after),
                Err(fault) => (fault.verdict(ask.repeat), None),
            };
            self.options.tally.note(ask.kind, &outcome, verdict == Verdict::Slower);
            let too_long = asked.is_some_and(|pause| pause.unsigned_abs() > self.options.longest_pause);
            if verdict == Verdict::Final || last || too_long {
                return outcome;
            }
            let pause = self.options.backoff.pause(tried, (self.jitter)()).max(asked.unwrap_or_default());
            let until = self.clock.now() + pause;
            if verdict == Verdict::Slower || asked.is_some() {
                self.questions.close_until(until);
                self.pictures.close_until(until);
            }
            tokio::select! {
                () = self.stop.cancelled() => return outcome,
                () = self.clock.until(until) => {}
            }
        }
    }

    async fn once(&self, request: RequestBuilder, ask: &Ask) -> Result<Answer, Fault> {
        let stopped = Fault::unsent(FaultKind::Stopped);
        let gate = match ask.kind {
            Kind::Question => &self.questions,
            Kind::Picture => &self.pictures,
        };
        let admitted = async {
            let slot = self.slots.acquire().await;
            gate.pass().await;
            slot
        };
        let _slot = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(stopped),
            slot = admitted => slot.map_err(|_| stopped)?,
        };
        let response = request.send().await.map_err(|error| Fault::of(&error))?;
        self.read(response, ask.max_bytes).await
    }

    /// The announced size may be wrong or missing, so that what arrives is counted as well.
    async fn read(&self, response: Response, max_bytes: usize) -> Result<Answer, Fault> {
        let too_large = || Fault::received(FaultKind::TooLarge { limit: max_bytes });
        if response.content_length().is_some_and(|announced| announced > max_bytes as u64) {
            return Err(too_large());
        }
        let status = response.status();
        let media_type = media_type(response.headers());
        let retry_after = retry_after(response.headers().get(RETRY_AFTER), self.clock.now());
        let mut body = Vec::with_capacity(response.content_length().unwrap_or(0) as usize);
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Fault::received(FaultKind::of(&error)))?;
            if body.len() + chunk.len() > max_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, media_type, body, retry_after })
    }
}

fn is_loopback(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The verdict on a status that any service may answer with when it is in trouble of its own.
///
/// A gateway's 502 and 504 say nothing about the server behind it: what is billed is not asked for again then.
#[must_use]
pub fn judge_status(status: StatusCode, repeat: Repeat) -> Verdict {
    match status.as_u16() {
        429 => Verdict::Slower,
        408 | 500 | 503 => Verdict::Again,
        502 | 504.. if repeat == Repeat::Free && status.is_server_error() => Verdict::Again,
        _ => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        let loopback = |base: &str| is_loopback(&base.parse().unwrap());
        assert!(["http://127.0.0.1:8600", "http://[::1]:1/x", "http://localhost"].into_iter().all(loopback));
        assert!(
            !["https://graph.mapillary.com", "http://10.0.0.1", "http://127.0.0.1.example.org"]
                .into_iter()
                .any(loopback)
        );
    }

    #[test]
    fn what_may_be_billed_is_not_asked_for_twice() {
        let verdict = |status: u16, repeat| judge_status(StatusCode::from_u16(status).unwrap(), repeat);
        for status in [500, 503, 408] {
            assert_eq!(verdict(status, Repeat::Unbilled), Verdict::Again, "{status}");
        }
        for status in [502, 504, 520] {
            assert_eq!(verdict(status, Repeat::Unbilled), Verdict::Final, "{status}");
            assert_eq!(verdict(status, Repeat::Free), Verdict::Again, "{status}");
        }
        for status in [200, 400, 403, 404] {
            assert_eq!(verdict(status, Repeat::Free), Verdict::Final, "{status}");
        }
        assert_eq!(verdict(429, Repeat::Unbilled), Verdict::Slower);
    }
}

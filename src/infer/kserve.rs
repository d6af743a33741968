//! A network that runs elsewhere: on NVIDIA Triton, OpenVINO Model Server, KServe or whatever else speaks the Open
//! Inference Protocol v2 over HTTP.
//!
//! The server knows each network by a name that holds its hash ([`served_name`]), so that no other network can answer in its
//! place, and another model goes live as it does here: the server has to have it. What is asked has no effect on the
//! server, so what got no answer is asked again ([`ATTEMPTS`]), unless the server took too long: it would only get more to do.

mod shape;
mod wire;

use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::{Builder, Runtime};

use self::shape::{INPUT, OUTPUTS, Wanted};
use self::wire::LENGTH;
use super::manifest::Manifest;
use super::onnx::Outputs;
use crate::causes::of_request;

/// Times that one batch is sent.
const ATTEMPTS: u32 = 3;
/// The first pause between two; the next is four times as long.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Hexadecimal digits of the hash in a name.
const DIGITS: usize = 12;
/// Longest answer, bytes: a hundred photos' maps of a hundred areas, written in JSON.
const MAX_ANSWER: usize = 64 << 20;
/// Longest refusal that is read, bytes.
const MAX_REFUSAL: usize = 64 << 10;

/// A server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address, without `/v2`: `http://triton:8000`.
    pub url: String,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Shown to it as `Authorization: Bearer …`.
    pub token: Option<SecretString>,
}

impl PartialEq for Server {
    /// Secrets are not compared.
    fn eq(&self, other: &Self) -> bool {
        (&self.url, self.timeout) == (&other.url, other.timeout)
    }
}

impl Eq for Server {}

/// The name by which a server has to know a network: that of its manifest, in letters that every server takes, and the
/// beginning of its hash.
#[must_use]
pub fn served_name(manifest: &Manifest) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = manifest.name.chars().map(plain).collect();
    let hash: String = manifest.sha256.chars().take(DIGITS).collect();
    format!("{}-{hash}", name.trim_matches('-'))
}

/// A network on a server.
pub(super) struct Remote {
    client: Client,
    server: Server,
    wanted: Wanted,
    /// Its own, since it is asked from a thread that has none, and from ones that have.
    runtime: Option<Runtime>,
}

/// Why there is no answer.
enum Failure {
    /// It may be asked again, after so long.
    Passing(String, Option<Duration>),
    /// Asking again is of no use.
    Lasting(String),
}

impl Remote {
    /// Finds the network of `manifest` on the server.
    ///
    /// # Errors
    /// What to do about it.
    pub(super) fn connect(server: &Server, manifest: &Manifest) -> Result<Self, String> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("kokodoko-kserve").enable_all().build();
        let runtime = Some(runtime.map_err(|error| format!("no thread: {error}"))?);
        let client = Client::builder().timeout(server.timeout).build().map_err(of_request)?;
        let (size, labels) = (manifest.input.size as usize, manifest.labels.len());
        let wanted = Wanted { name: served_name(manifest), size, labels };
        let remote = Self { client, server: server.clone(), wanted, runtime };
        remote.look()?;
        Ok(remote)
    }

    /// Whether the server is ready and has the network.
    fn look(&self) -> Result<(), String> {
        let ready = self.asked(Method::GET, "v2/health/ready", None, Vec::new());
        ready.map_err(|why| format!("the server at `infer.kserve_url` is not ready: {}", why.words()))?;
        let name = &self.wanted.name;
        let found = self.asked(Method::GET, &format!("v2/models/{name}"), None, Vec::new());
        let (_, body) = found.map_err(|why| {
            format!(
                "the server at `infer.kserve_url` has no model `{name}` ({}): write it with `kokodoko models export --triton \
                 FOLDER` into the server's model repository",
                why.words()
            )
        })?;
        self.wanted.check(&body)
    }

    /// The outputs of a batch.
    ///
    /// # Errors
    /// What happened, without address and token, for the log.
    pub(super) fn run(&self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
        let shape = [batch, 3, self.wanted.size, self.wanted.size];
        let (length, body) = wire::request(INPUT, &shape, input, &OUTPUTS);
        let path = format!("v2/models/{}/infer", self.wanted.name);
        let (length, body) = self.asked(Method::POST, &path, Some(length), body).map_err(Failure::words)?;
        self.wanted.outputs(wire::answer(length, &body)?, batch)
    }

    /// Asks until there is an answer, or no use in asking again.
    fn asked(
        &self,
        method: Method,
        path: &str,
        length: Option<usize>,
        body: Vec<u8>,
    ) -> Result<(Option<usize>, Vec<u8>), Failure> {
        let call = Call {
            client: self.client.clone(),
            server: self.server.clone(),
            method,
            url: format!("{}/{path}", self.server.url.trim_end_matches('/')),
            length,
            body,
        };
        let (sender, answer) = mpsc::sync_channel(1);
        let Some(runtime) = &self.runtime else { return Err(Failure::Lasting("the connection is closed".to_owned())) };
        runtime.spawn(async move {
            // Who asked is gone only when the program ends.
            sender.send(call.insistently().await).ok();
        });
        answer.recv().unwrap_or_else(|_| Err(Failure::Lasting("asking the server panicked".to_owned())))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Nothing is under way: the thread that asks waits for its answers.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One question, as often as it is asked.
struct Call {
    client: Client,
    server: Server,
    method: Method,
    url: String,
    length: Option<usize>,
    body: Vec<u8>,
}

impl Call {
    async fn insistently(&self) -> Result<(Option<usize>, Vec<u8>), Failure> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.once().await {
                Err(Failure::Passing(why, wait)) if attempt < ATTEMPTS => {
                    let wait = wait.unwrap_or(pause).min(LONGEST_PAUSE);
                    tracing::warn!(attempt, why, ?wait, "the inference server is asked again");
                    tokio::time::sleep(wait).await;
                    pause *= 4;
                }
                answered => return answered,
            }
        }
        unreachable!("the last attempt returns")
    }

    async fn once(&self) -> Result<(Option<usize>, Vec<u8>), Failure> {
        let mut request = self.client.request(self.method.clone(), &self.url);
        if let Some(token) = &self.server.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(length) = self.length {
            request = request.header(LENGTH, length).header("content-type", "application/octet-stream");
        }
        if !self.body.is_empty() {
            request = request.body(self.body.clone());
        }
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(status, response).await);
        }
        let length = response.headers().get(LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        Ok((length, read(response, MAX_ANSWER).await?))
    }
}

/// What arrives, never more than `limit` bytes.
async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::Lasting(format!("the answer has more than {limit} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unanswered(error: reqwest::Error) -> Failure {
    let slow = error.is_timeout();
    let why = of_request(error);
    if slow { Failure::Lasting(why) } else { Failure::Passing(why, None) }
}

async fn refused(status: StatusCode, response: Response) -> Failure {
    let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
    let said = read(response, MAX_REFUSAL).await.unwrap_or_default();
    let why = format!("it answers {status} {}", shape::refusal(&said)).trim_end().to_owned();
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Failure::Passing(why, wait.map(Duration::from_secs)),
        _ => Failure::Lasting(why),
    }
}

impl Failure {
    fn words(self) -> String {
        match self {
            Self::Passing(why, _) | Self::Lasting(why) => why,
        }
    }
}

/// Whatever a server says, it is refused or fits.
#[cfg(any(test, fuzzing))]
pub(super) fn hostile(length: Option<usize>, body: &[u8]) {
    let wanted = Wanted { name: "m".to_owned(), size: 4, labels: 2 };
    assert!(shape::refusal(body).chars().all(|c| !c.is_control()));
    // Whether it fits is for the server's owner to know; that it does no harm is all there is to see.
    drop(wanted.check(body));
    let Ok(tensors) = wire::answer(length, body) else { return };
    for tensor in &tensors {
        assert_eq!(tensor.values.len(), tensor.shape.iter().product::<usize>(), "{}", tensor.name);
    }
    if let Ok(outputs) = wanted.outputs(tensors, 1) {
        let (rows, columns) = outputs.grid;
        assert_eq!((outputs.logits.len(), outputs.cams.len()), (2, 2 * rows * columns));
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("name", &self.wanted.name).finish_non_exhaustive()
    }
}

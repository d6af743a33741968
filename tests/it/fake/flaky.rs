//! A server that answers badly: by a script, one reply a request, then as another server does.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What a request gets.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer: status, further headers (each ending with CRLF), body.
    Whole(u16, &'static str, Vec<u8>),
    /// The first bytes of what the server behind answers, then the connection ends.
    Truncated,
    /// The first bytes of what the server behind answers, then nothing.
    Stuck,
    /// What the server behind answers is lost with the connection.
    Lost,
    /// No answer, ever.
    Silence,
    /// What the server behind answers.
    Pass,
}

impl Reply {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::Whole(status, "", Vec::new())
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &str) -> Self {
        Self::Whole(status, "Content-Type: application/json\r\n", body.as_bytes().to_vec())
    }
}

/// A server on loopback. Once its script is used up, requests pass to the server behind it.
pub struct Flaky {
    /// Where it is reached.
    pub base: String,
    state: Arc<State>,
}

struct State {
    behind: String,
    client: Client,
    script: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<String>>,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    /// Requests that may leave, when they are counted at the door.
    door: Option<Semaphore>,
}

impl Flaky {
    /// In front of `behind`; an empty one has nothing behind it.
    pub async fn start(behind: &str, script: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_door(behind, script, None).await
    }

    /// The same, but requests are answered only when they are let go.
    pub async fn gated(behind: &str, script: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_door(behind, script, Some(Semaphore::new(0))).await
    }

    async fn with_door(behind: &str, script: impl IntoIterator<Item = Reply>, door: Option<Semaphore>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let state = Arc::new(State {
            behind: behind.to_owned(),
            client: Client::builder().no_proxy().build().expect("a client without options is valid"),
            script: Mutex::new(script.into_iter().collect()),
            requests: Mutex::default(),
            inside: AtomicUsize::new(0),
            most_inside: AtomicUsize::new(0),
            door,
        });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(shared.clone().serve(stream));
            }
        });
        Self { base, state }
    }

    /// Heads of the requests so far, as they came.
    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().expect("no panic in here").clone()
    }

    /// Most requests that were inside at the same time.
    pub fn most_inside(&self) -> usize {
        self.state.most_inside.load(Ordering::SeqCst)
    }

    /// Requests that are inside now.
    pub fn inside(&self) -> usize {
        self.state.inside.load(Ordering::SeqCst)
    }

    /// Lets so many requests go.
    pub fn let_go(&self, count: usize) {
        self.state.door.as_ref().expect("the server has a door").add_permits(count);
    }
}

impl State {
    /// One request, one answer, one connection.
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let Some(head) = read_head(&mut stream).await else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.requests.lock().expect("no panic in here").push(head);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        if let Some(door) = &self.door {
            door.acquire().await.expect("the door stays").forget();
        }
        let reply = self.script.lock().expect("no panic in here").pop_front().unwrap_or(Reply::Pass);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.answer(stream, reply, &path).await;
    }

    async fn answer(&self, mut stream: TcpStream, reply: Reply, path: &str) {
        let bytes = match &reply {
            Reply::Whole(status, headers, body) => whole(*status, headers, body),
            Reply::Silence => Vec::new(),
            _ => self.pass(path).await,
        };
        let sent = match &reply {
            Reply::Truncated | Reply::Stuck => bytes.len() - bytes.len().min(10),
            Reply::Lost => 0,
            _ => bytes.len(),
        };
        let _ = stream.write_all(&bytes[..sent]).await;
        if matches!(reply, Reply::Silence | Reply::Stuck) {
            // Until the client hangs up.
            let _ = stream.read(&mut [0]).await;
        }
    }

    async fn pass(&self, path: &str) -> Vec<u8> {
        let request = self.client.get(format!("{}{path}", self.behind));
        let requests = self.requests.lock().expect("no panic in here").clone();
        let authorization = requests.iter().rev().find(|head| head.contains(path)).and_then(|head| header(head));
        let request = match authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        };
        let response = request.send().await.expect("there is a server behind");
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let headers = format!("Content-Type: {kind}\r\n");
        whole(status, &headers, &response.bytes().await.expect("the server behind finishes its answer"))
    }
}

fn header(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn whole(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

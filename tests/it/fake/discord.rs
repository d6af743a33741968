//! Discord on loopback: REST v10, the gateway and the file server, with one application and its bot.
//!
//! What the real service would refuse is refused and recorded as a violation, which fails the test when
//! [`Fake::finish`] is called.

mod check;
mod components;
pub mod event;
mod gateway;
mod rest;
mod spec;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::spec::Spec;
use crate::support::SkippingClock;

/// The token that the fake knows.
pub const TOKEN: &str = "MTAwMA.fake.do-not-log-me";
/// The application and its bot share a number, as new applications do.
pub const ME: u64 = 1_000;
/// Longest wait for something that must happen: only a hanging test gets there.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the bot said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a channel, in reply to a message.
    Channel {
        /// Its id.
        id: u64,
        /// The message replied to.
        reply_to: Option<u64>,
    },
    /// At once, as the answer to an interaction.
    Immediate(u64),
    /// As the promised answer to an interaction.
    Original(u64),
    /// After the answer to an interaction.
    FollowUp(u64),
    /// Where an earlier message of a channel stood, in its place.
    Edit {
        /// That message.
        message: u64,
    },
}

/// A file that the bot uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// File name.
    pub name: String,
    /// Declared type.
    pub kind: String,
    /// Alternative text.
    pub description: Option<String>,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where.
    pub place: Place,
    /// Its text, markdown.
    pub content: String,
    /// Its files.
    pub files: Vec<Upload>,
    /// Whether only the asker sees it.
    pub ephemeral: bool,
    /// The number of the message.
    pub message: u64,
}

/// A message of the bot as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its channel.
    pub channel: u64,
    /// Its text, markdown.
    pub content: String,
    /// Its files.
    pub files: Vec<Upload>,
    /// Its rows of buttons, as Discord keeps them.
    pub components: Value,
    /// Whether only one person sees it.
    pub ephemeral: bool,
}

impl Shown {
    /// The labels of its buttons, row by row.
    pub fn labels(&self) -> Vec<Vec<String>> {
        let label = |button: &Value| button["label"].as_str().unwrap_or_default().to_owned();
        let row = |row: &Value| row["components"].as_array().into_iter().flatten().map(label).collect();
        self.components.as_array().into_iter().flatten().map(row).collect()
    }
}

/// What was done about an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing yet.
    Offered,
    /// An answer was promised.
    Promised { ephemeral: bool },
    /// The press was heard; its message may change.
    Heard,
    /// It was answered.
    Answered { ephemeral: bool },
}

struct Interaction {
    id: u64,
    stage: Stage,
    channel: u64,
    /// The message whose button was pressed.
    pressed: Option<u64>,
}

/// A request that is to fail: the beginning of `METHOD path`, and the answer.
struct Fault {
    request: String,
    status: u16,
    body: Value,
    /// The header `Retry-After`, seconds.
    retry_after: Option<u64>,
}

#[derive(Default)]
struct State {
    violations: Vec<String>,
    sent: Vec<Sent>,
    /// The bot's messages that were not deleted.
    messages: HashMap<u64, Shown>,
    nonces: HashMap<String, Value>,
    commands: Vec<Value>,
    /// By token.
    interactions: HashMap<String, Interaction>,
    /// By path.
    files: HashMap<String, Vec<u8>>,
    faults: VecDeque<Fault>,
    /// The beginnings of requests that will be carried out without an answer.
    receipts_kept: Vec<String>,
    /// Requests that came in, `METHOD path`.
    requests: Vec<String>,
    /// Guilds: id and locale.
    servers: Vec<(u64, String)>,
    /// Everything dispatched: its place is its sequence number less one.
    log: Vec<(String, Value)>,
    identified: usize,
    resumed: usize,
    left: usize,
    /// Connections are to be cut below this number.
    cut_below: usize,
    connections: usize,
    last_id: u64,
}

impl State {
    fn count(&self, beginning: &str) -> usize {
        self.requests.iter().filter(|request| request.starts_with(beginning)).count()
    }
}

/// What the servers share.
struct Shared {
    state: Mutex<State>,
    /// Changes with every change of the state.
    changes: watch::Sender<u64>,
    api: String,
    gateway: String,
    spec: Option<Spec>,
    /// Whether files are handed out; else requests for them wait.
    files_open: watch::Sender<bool>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panics while locked")
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    fn violation(&self, what: String) {
        self.change(|state| state.violations.push(what));
    }
}

/// The fake service; it ends when this is dropped.
pub struct Fake {
    shared: Arc<Shared>,
    clock: Arc<SkippingClock>,
    _servers: JoinSet<()>,
}

impl Fake {
    /// Starts it on free ports.
    pub async fn start() -> Self {
        crate::support::guard_secrets();
        let (rest, socket) = (bind().await, bind().await);
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            api: format!("http://{}", rest.local_addr().expect("bound")),
            gateway: format!("ws://{}", socket.local_addr().expect("bound")),
            spec: Spec::find(),
            files_open: watch::Sender::new(true),
        });
        let mut servers = JoinSet::new();
        servers.spawn(rest::serve(rest, shared.clone()));
        servers.spawn(gateway::serve(socket, shared.clone()));
        Self { shared, clock: Arc::default(), _servers: servers }
    }

    /// The address of the REST API and of the files.
    pub fn api(&self) -> String {
        self.shared.api.clone()
    }

    /// The address of the gateway.
    pub fn gateway(&self) -> String {
        self.shared.gateway.clone()
    }

    /// What the adapter needs to connect to it.
    pub fn settings(&self) -> kokodoko::front::discord::Settings {
        kokodoko::front::discord::Settings {
            token: TOKEN.into(),
            api_url: Some(self.api()),
            gateway_url: Some(self.gateway()),
            max_photo_bytes: 100_000,
            shards: 1,
            meters: kokodoko::front::meters::Meters::default(),
            clock: self.clock(),
        }
    }

    /// What limits are sat out by.
    pub fn clock(&self) -> Arc<SkippingClock> {
        self.clock.clone()
    }

    /// A new id.
    pub fn id(&self) -> u64 {
        self.shared.change(|state| {
            state.last_id += 1;
            1_200_000_000_000_000_000 + state.last_id
        })
    }

    /// A server that the bot is in, with its preferred locale; told to the bot when it connects.
    pub fn add_server(&self, id: u64, locale: &str) {
        self.shared.change(|state| state.servers.push((id, locale.to_owned())));
    }

    /// Uploads a file as a person would; returns the attachment.
    pub fn upload(&self, name: &str, kind: &str, bytes: &[u8]) -> Value {
        let id = self.id();
        let path = format!("/attachments/1/{id}/{name}");
        let url = format!("{}{path}?ex=1&is=2&hm=signature", self.shared.api);
        self.shared.change(|state| state.files.insert(path, bytes.to_vec()));
        event::attachment(id, name, kind, bytes.len(), &url)
    }

    /// The next request that begins so (`POST /channels/`) fails with this status and Discord's error code.
    pub fn fail(&self, request: &str, status: u16, code: i64) {
        let body = serde_json::json!({"message": "as ordered", "code": code});
        let fault = Fault { request: request.to_owned(), status, body, retry_after: None };
        self.shared.change(|state| state.faults.push_back(fault));
    }

    /// The next request that begins so is carried out, and its answer never arrives.
    pub fn keep_receipt(&self, request: &str) {
        self.shared.change(|state| state.receipts_kept.push(request.to_owned()));
    }

    /// The next request that begins so meets a rate limit: to be tried again after so many seconds.
    pub fn limit(&self, request: &str, retry_after: u64) {
        let body = serde_json::json!({
            "message": "You are being rate limited.", "retry_after": retry_after, "global": false, "code": 0,
        });
        let fault = Fault { request: request.to_owned(), status: 429, body, retry_after: Some(retry_after) };
        self.shared.change(|state| state.faults.push_back(fault));
    }

    /// A message of the bot as it stands now; None when it was deleted.
    pub fn shown(&self, message: u64) -> Option<Shown> {
        self.shared.state().messages.get(&message).cloned()
    }

    /// Somebody deletes a message of the bot.
    pub fn delete_message(&self, message: u64) {
        let deleted = self.shared.change(|state| state.messages.remove(&message));
        assert!(deleted.is_some(), "there is no message {message}");
    }

    /// A person's press of the button with this label or `custom_id`: the number of the interaction and its event, not
    /// yet dispatched.
    ///
    /// # Panics
    /// When the message has no such button.
    pub fn pressing(&self, user: u64, message: u64, button: &str) -> (u64, Value) {
        let shown = self.shown(message).expect("the message is there");
        let custom_id = components::find(&shown.components, button).expect("such a button");
        let id = self.id();
        (id, event::press(id, user, &rest::json(message, &shown), &custom_id))
    }

    /// Whether a message has a button with this label or `custom_id`.
    pub fn has_button(&self, message: u64, button: &str) -> bool {
        self.shown(message).is_some_and(|shown| components::find(&shown.components, button).is_some())
    }

    /// Hands an event to the bot, now or when it connects again.
    pub fn dispatch(&self, name: &str, data: &Value) {
        self.shared.change(|state| {
            if name == "INTERACTION_CREATE" {
                let token = data["token"].as_str().expect("a token").to_owned();
                let id = data["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
                let channel = data["channel_id"].as_str().and_then(|id| id.parse().ok()).expect("a channel");
                let pressed = data["message"]["id"].as_str().and_then(|id| id.parse().ok());
                let interaction = Interaction { id, stage: Stage::Offered, channel, pressed };
                state.interactions.entry(token).or_insert(interaction);
            }
            state.log.push((name.to_owned(), data.clone()));
        });
    }

    /// Lets requests for files wait, or go on.
    pub fn open_files(&self, open: bool) {
        self.shared.files_open.send_replace(open);
    }

    /// Cuts the gateway connection.
    pub fn cut(&self) {
        self.shared.change(|state| state.cut_below = state.connections);
    }

    /// Waits until the bot said so many things, and returns them.
    pub async fn sent(&self, count: usize) -> Vec<Sent> {
        self.wait_for("messages", |state| (state.sent.len() >= count).then(|| state.sent.clone())).await
    }

    /// Waits until something is found among all that the bot said.
    pub async fn find_sent<T>(&self, what: &str, look: impl Fn(&[Sent]) -> Option<T>) -> T {
        self.wait_for(what, |state| look(&state.sent)).await
    }

    /// Waits until a message stands as `look` wants it.
    pub async fn stands(&self, message: u64, look: impl Fn(&Shown) -> bool) {
        let stands = |state: &State| state.messages.get(&message).filter(|shown| look(shown)).map(|_| ());
        self.wait_for("a message to change", stands).await;
    }

    /// Waits until the bot has identified itself so often.
    pub async fn identified(&self, times: usize) {
        self.wait_for("IDENTIFY", |state| (state.identified >= times).then_some(())).await;
    }

    /// Waits until the bot has resumed its session so often.
    pub async fn resumed(&self, times: usize) {
        self.wait_for("RESUME", |state| (state.resumed >= times).then_some(())).await;
    }

    /// Waits until the bot has left the gateway so often by itself.
    pub async fn disconnected(&self, times: usize) {
        self.wait_for("CLOSE", |state| (state.left >= times).then_some(())).await;
    }

    /// Waits until so many requests that begin so have come in.
    pub async fn requested(&self, beginning: &str, times: usize) {
        self.wait_for(beginning, |state| (state.count(beginning) >= times).then_some(())).await;
    }

    /// How many requests that begin so have come in.
    pub fn count(&self, beginning: &str) -> usize {
        self.shared.state().count(beginning)
    }

    /// The commands that the bot registered.
    pub fn commands(&self) -> Vec<Value> {
        self.shared.state().commands.clone()
    }

    /// Forgets the interactions that the bot owes an answer: it was killed.
    pub fn forgive(&self) {
        self.shared.change(|state| {
            let owed = |interaction: &Interaction| matches!(interaction.stage, Stage::Offered | Stage::Promised { .. });
            state.interactions.retain(|_, interaction| !owed(interaction));
        });
    }

    /// Everything that the bot said.
    ///
    /// # Panics
    /// When the bot did anything that Discord would refuse, left a promise open, or a fault was never met.
    pub fn finish(self) -> Vec<Sent> {
        let state = self.shared.state();
        assert!(state.violations.is_empty(), "{:#?}", state.violations);
        assert!(state.faults.is_empty(), "a fault was never met: {:?}", state.faults[0].request);
        for interaction in state.interactions.values() {
            let done = matches!(interaction.stage, Stage::Answered { .. } | Stage::Heard);
            assert!(done, "{}: no answer", interaction.id);
        }
        state.sent.clone()
    }

    async fn wait_for<T>(&self, what: &str, find: impl Fn(&State) -> Option<T>) -> T {
        let mut changes = self.shared.changes.subscribe();
        let waiting = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = find(&self.shared.state()) {
                    return found;
                }
                changes.changed().await.expect("the sender lives in the fake");
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| {
            let state = self.shared.state();
            panic!("waited in vain for {what}; violations: {:#?}; sent: {:#?}", state.violations, state.sent)
        })
    }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports")
}

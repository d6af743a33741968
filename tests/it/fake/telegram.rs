//! Telegram's Bot API server, with the users on the other side of it.

mod buttons;
mod calls;
mod methods;
mod spec;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::SkippingClock;

/// The token of the one bot.
pub const TOKEN: &str = "4242:AAE-the_secret_part_of_the_token";
/// The bot's own number and name.
pub const BOT_ID: i64 = 4242;
pub const BOT_NAME: &str = "KokodokoBot";
/// How long a test waits for something that has to happen. Only a failing test ever waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who writes.
#[derive(Clone, Copy)]
pub struct User {
    pub id: i64,
    pub language: &'static str,
}

/// Writes Japanese.
pub const AOI: User = User { id: 11, language: "ja" };
/// Writes British English.
pub const BEN: User = User { id: 12, language: "en-GB" };

/// Writes Japanese, too.
pub const CHIE: User = User { id: 13, language: "ja" };

impl User {
    /// The name that others see.
    pub fn name(self) -> &'static str {
        match self.id {
            11 => "Aoi",
            12 => "Ben",
            _ => "Chie",
        }
    }
}

/// What the server does instead of what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 429: too many requests. Coming back before the time is a violation.
    TooManyRequests { retry_after: u64 },
    /// 400 with these words.
    Refusal(&'static str),
    /// Half of the file, then the connection breaks.
    BrokenDownload,
    /// 502 with a gateway's page of HTML.
    BadGateway,
    /// The call is carried out, and its answer never arrives.
    Unheard,
}

/// A message that the bot sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub id: i64,
    pub chat: i64,
    /// Its text or caption.
    pub text: String,
    pub photo: Option<Vec<u8>>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
}

/// A change of a message of the bot.
#[derive(Clone, Debug)]
pub struct Edit {
    pub message: i64,
    /// Its new text or caption.
    pub text: String,
    /// Its new picture, if it got one.
    pub photo: Option<Vec<u8>>,
}

/// Commands with their descriptions.
pub type Menu = Vec<(String, String)>;

/// What a bot set with setWebhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    pub secret: String,
}

struct File {
    path: String,
    bytes: Vec<u8>,
    /// What getFile believes the size to be.
    size: usize,
}

struct Chat {
    kind: &'static str,
    messages: BTreeMap<i64, Value>,
}

/// The server's state.
#[derive(Default)]
struct Model {
    chats: HashMap<i64, Chat>,
    /// By file id.
    files: HashMap<String, File>,
    /// Not confirmed yet.
    updates: VecDeque<Value>,
    last_update: i64,
    last_message: i64,
    /// The latest getUpdates; an older one that still waits is terminated.
    poll: u64,
    webhook: Option<Webhook>,
    /// By chat, `None` for all others, and language, `""` for all others.
    commands: HashMap<(Option<i64>, String), Menu>,
    calls: Vec<String>,
    sent: Vec<Sent>,
    edits: Vec<Edit>,
    failures: VecDeque<(&'static str, Failure)>,
    /// Nobody may call these methods before.
    quiet_until: HashMap<String, Timestamp>,
    /// When the bot spoke lately, and where.
    spoken: VecDeque<(Timestamp, i64)>,
    downloads_held: bool,
    /// The kinds of updates that the bot asked for; `None`: it never said, and gets all.
    allowed: Option<Vec<String>>,
    /// The bot's pictures as they stand now, by chat and message.
    pictures: HashMap<(i64, i64), Vec<u8>>,
    /// By callback query: `None` until it is answered.
    presses: HashMap<String, Option<String>>,
    /// Administrators, as chat and user.
    administrators: Vec<(i64, i64)>,
    violations: Vec<String>,
}

#[derive(Clone)]
struct Shared {
    model: Arc<Mutex<Model>>,
    clock: Arc<SkippingClock>,
    /// Sent whenever the model may have changed.
    changed: Arc<watch::Sender<()>>,
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut Model) -> T) -> T {
        let out = work(&mut self.model.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        self.changed.send_replace(());
        out
    }

    /// Waits until `look` finds something.
    async fn until<T>(&self, look: impl Fn(&mut Model) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            let found = look(&mut self.model.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
            match found {
                Some(found) => return found,
                None => changes.changed().await.expect("the sender lives as long as self"),
            }
        }
    }
}

/// The running server.
pub struct FakeTelegram {
    shared: Shared,
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for FakeTelegram {
    fn drop(&mut self) {
        self.server.abort();
        if !std::thread::panicking() {
            let violations = self.shared.with(|model| model.violations.clone());
            assert!(violations.is_empty(), "the Bot API would not have it: {violations:#?}");
        }
    }
}

impl FakeTelegram {
    /// Starts on a free port.
    pub async fn start() -> Self {
        crate::support::guard_secrets();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Shared { model: Arc::default(), clock: Arc::default(), changed: Arc::new(watch::channel(()).0) };
        let router = calls::router(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { shared, address, server }
    }

    /// The base of the API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the adapter needs to poll it.
    pub fn settings(&self) -> kokodoko::front::telegram::Settings {
        kokodoko::front::telegram::Settings {
            token: TOKEN.into(),
            api_url: Some(self.url()),
            mode: kokodoko::front::telegram::Mode::Polling,
            max_photo_bytes: 20 << 20,
            meters: kokodoko::front::meters::Meters::default(),
            clock: self.shared.clock.clone(),
        }
    }

    /// The clock of both sides.
    pub fn clock(&self) -> &SkippingClock {
        &self.shared.clock
    }

    /// What Telegram has so far of a user's private chat with the bot.
    pub fn private_chat(&self, user: User) -> i64 {
        self.open(user.id, "private")
    }

    /// A group with the bot in it.
    pub fn group(&self) -> i64 {
        self.another_group(0)
    }

    /// Another such group, by a number of one's own.
    pub fn another_group(&self, number: i64) -> i64 {
        self.open(-1_000 - number, "supergroup")
    }

    fn open(&self, id: i64, kind: &'static str) -> i64 {
        self.shared.with(|model| {
            model.chats.entry(id).or_insert(Chat { kind, messages: BTreeMap::new() });
        });
        id
    }

    /// Uploads a photo; the value for a message's `photo`.
    pub fn photo(&self, bytes: Vec<u8>) -> Value {
        let small = self.upload(vec![0; 10], 10);
        let size = bytes.len();
        let large = self.upload(bytes, size);
        json!([
            {"file_id": small, "file_unique_id": "small", "width": 90, "height": 67, "file_size": 10},
            {"file_id": large, "file_unique_id": "large", "width": 1280, "height": 960, "file_size": size},
        ])
    }

    /// Uploads a file; the value for a message's `document`.
    pub fn document(&self, bytes: Vec<u8>, name: &str, mime: &str) -> Value {
        let size = bytes.len();
        let id = self.upload(bytes, size);
        json!({"file_id": id, "file_unique_id": "d", "file_name": name, "mime_type": mime, "file_size": size})
    }

    /// Uploads a file that claims a size; `file_size` of the message is left to the caller.
    pub fn upload(&self, bytes: Vec<u8>, size: usize) -> String {
        self.shared.with(|model| {
            let number = model.files.len();
            let path = format!("photos/file_{number}.jpg");
            model.files.insert(format!("file-{number}"), File { path, bytes, size });
            format!("file-{number}")
        })
    }

    /// A user writes a message with these fields; its number.
    pub fn post(&self, chat: i64, user: User, fields: Value) -> i64 {
        self.post_all(chat, user, vec![fields])[0]
    }

    /// Several messages at once, as an album is.
    pub fn post_all(&self, chat: i64, user: User, messages: Vec<Value>) -> Vec<i64> {
        self.shared.with(|model| messages.into_iter().map(|fields| model.post(chat, user, &fields)).collect())
    }

    /// The message as others see it in `reply_to_message`.
    pub fn message(&self, chat: i64, id: i64) -> Value {
        self.shared.with(|model| {
            let mut message = model.chats[&chat].messages[&id].clone();
            message.as_object_mut().expect("an object").remove("reply_to_message");
            message
        })
    }

    /// A user deletes a message.
    pub fn delete(&self, chat: i64, id: i64) {
        self.shared.with(|model| {
            let message = model.chats.get_mut(&chat).expect("a chat").messages.get_mut(&id).expect("a message");
            message["deleted"] = json!(true);
        });
    }

    /// An update of any kind, without its number.
    pub fn push_update(&self, update: Value) {
        self.shared.with(|model| model.push_update(update));
    }

    /// The next call of `method` fails; `download` is the method of file downloads.
    pub fn fail_next(&self, method: &'static str, failure: Failure) {
        self.shared.with(|model| model.failures.push_back((method, failure)));
    }

    /// Downloads wait until they are released.
    pub fn hold_downloads(&self, held: bool) {
        self.shared.with(|model| model.downloads_held = held);
    }

    /// Waits for `count` messages of the bot in all; takes them out.
    pub async fn take_sent(&self, count: usize) -> Vec<Sent> {
        let take = |model: &mut Model| (model.sent.len() >= count).then(|| std::mem::take(&mut model.sent));
        self.wait(&format!("{count} messages"), take).await
    }

    /// Waits for `count` changes of messages in all.
    pub async fn edits(&self, count: usize) -> Vec<Edit> {
        let look = |model: &mut Model| (model.edits.len() >= count).then(|| model.edits.clone());
        self.wait(&format!("{count} edits"), look).await
    }

    /// Waits until something is found among all messages that were not taken out; they stay.
    pub async fn find_sent<T>(&self, what: &str, look: impl Fn(&[Sent]) -> Option<T>) -> T {
        self.wait(what, |model| look(&model.sent)).await
    }

    /// Waits until the bot has called `method`.
    pub async fn called(&self, method: &str) {
        let look = |model: &mut Model| model.calls.iter().any(|call| call == method).then_some(());
        self.wait(method, look).await;
    }

    /// How often the bot has called `method`.
    pub fn count_calls(&self, method: &str) -> usize {
        self.shared.with(|model| model.calls.iter().filter(|call| *call == method).count())
    }

    /// What went against the rules so far; the test that takes it says that it is wanted.
    pub fn take_violations(&self) -> Vec<String> {
        self.shared.with(|model| std::mem::take(&mut model.violations))
    }

    /// The updates that the bot has not confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.shared.with(|model| model.updates.len())
    }

    /// Waits until the bot has confirmed every update.
    pub async fn all_confirmed(&self) {
        self.wait("a confirmation", |model| model.updates.is_empty().then_some(())).await;
    }

    /// The menu that speakers of a language see in a chat.
    pub fn menu(&self, chat: i64, language: &str) -> Menu {
        self.shared.with(|model| {
            let kept = |chat: Option<i64>, language: &str| model.commands.get(&(chat, language.to_owned()));
            let chats = [Some(chat), None].into_iter();
            let found = chats.flat_map(|chat| [kept(chat, language), kept(chat, "")]).flatten().next();
            found.cloned().unwrap_or_default()
        })
    }

    /// Waits until the bot has set a webhook.
    pub async fn webhook(&self) -> Webhook {
        self.wait("setWebhook", |model| model.webhook.clone()).await
    }

    /// Calls the webhook with all updates, as Telegram does; those that are not taken stay.
    pub async fn call_webhook(&self, listener: SocketAddr, secret: &str) -> Vec<u16> {
        let hook = self.webhook().await;
        let path = reqwest::Url::parse(&hook.url).expect("checked by setWebhook").path().to_owned();
        let mut answers = Vec::new();
        for update in self.shared.with(|model| model.updates.clone()) {
            let call = reqwest::Client::new().post(format!("http://{listener}{path}"));
            let call = call.header("X-Telegram-Bot-Api-Secret-Token", secret).body(update.to_string());
            let status = call.send().await.expect("the bot listens").status();
            if status.is_success() {
                self.shared.with(|model| model.updates.retain(|kept| kept != &update));
            }
            answers.push(status.as_u16());
        }
        answers
    }

    async fn wait<T>(&self, what: &str, look: impl Fn(&mut Model) -> Option<T>) -> T {
        let found = tokio::time::timeout(PATIENCE, self.shared.until(look)).await;
        found.unwrap_or_else(|_| {
            let state = self.shared.with(|model| format!("{:?} {:#?}", model.calls, model.violations));
            panic!("waited in vain for {what}: {state}")
        })
    }
}

impl Model {
    fn post(&mut self, chat: i64, user: User, fields: &Value) -> i64 {
        let id = self.next_message();
        let message = self.message(
            chat,
            id,
            &json!({"id": user.id, "is_bot": false, "first_name": user.name(),
            "language_code": user.language}),
            fields,
        );
        self.push_update(json!({ "message": message }));
        id
    }

    fn message(&mut self, chat: i64, id: i64, from: &Value, fields: &Value) -> Value {
        let room = self.chats.get_mut(&chat).expect("an opened chat");
        let name = if room.kind == "private" { "first_name" } else { "title" };
        let mut message = json!({"message_id": id, "date": 1_760_000_000, "from": from,
            "chat": {"id": chat, "type": room.kind, name: "街"}});
        message.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        room.messages.insert(id, message.clone());
        message
    }

    fn next_message(&mut self) -> i64 {
        self.last_message += 1;
        self.last_message
    }

    fn push_update(&mut self, mut update: Value) {
        let is_allowed = |kinds: &Vec<String>| kinds.iter().any(|kind| update.get(kind).is_some());
        if self.allowed.as_ref().is_some_and(|kinds| !is_allowed(kinds)) {
            return;
        }
        self.last_update += 1;
        update["update_id"] = json!(self.last_update);
        self.updates.push_back(update);
    }
}

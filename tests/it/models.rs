//! The live model is exchanged from both chats.

use std::sync::Arc;

use kokodoko::chat::{Conversation, Lang, Office, Platform, Post, UserRef, text};
use kokodoko::clock::SystemClock;
use kokodoko::infer::manifest::{Manifest, ModelFiles};
use kokodoko::infer::{Core, Options};
use kokodoko::models::{ModelsError, Registry, Settings, Shelf};
use kokodoko::store::Store;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake::discord::Fake;
use crate::fake::discord::event::{command, plain, with_options};
use crate::fake::telegram::{AOI, BEN, FakeTelegram};
use crate::support::generous;

const HANA: u64 = 40;

/// The built-in model live, the same network as `second` on the shelf, and a conversation with an admin in both chats.
struct Workshop {
    conversation: Conversation,
    registry: Registry,
    first: Manifest,
    second: Manifest,
    _folder: tempfile::TempDir,
}

impl Workshop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = ModelFiles::built_in().expect("a sound program");
        let version = format!("{}-next", files.manifest.version);
        let second = Manifest { version, index: None, street: None, ..files.manifest.clone() };
        let home = folder.path().join("models/second");
        std::fs::create_dir_all(&home).expect("a folder");
        std::fs::write(home.join("model.onnx"), &files.onnx).expect("written");
        std::fs::write(home.join("manifest.toml"), toml::to_string(&second).expect("plain data")).expect("written");

        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let settings = Settings { folder: folder.path().join("models"), configured: None };
        let core = Core::start(&files, &Options::default()).expect("tract runs it");
        let clock = Arc::new(SystemClock);
        let registry = Registry::around(Shelf::new(settings, store.clone()), clock.clone(), core.clone(), None);
        let admins = [(Platform::Telegram, AOI.id), (Platform::Discord, HANA.cast_signed())];
        let admins = admins.into_iter().map(|(platform, id)| UserRef { platform, id }).collect();
        let office = Office::new(admins, store, clock).with_models(registry.clone());
        let system = kokodoko::chat::etiquette::system_clock();
        let conversation = Conversation::new(core, generous(), system).with_office(office);
        Self { conversation, registry, first: files.manifest, second, _folder: folder }
    }

    /// What is said of the model that answers: `/model`.
    fn model(&self, lang: Lang, manifest: &Manifest) -> String {
        let identity = self.registry.core().identity();
        assert_eq!(identity.version, manifest.version);
        text::model(lang, manifest, &identity)
    }
}

#[tokio::test]
async fn on_telegram() {
    let (fake, workshop) = (FakeTelegram::start().await, Workshop::open().await);
    let stop = CancellationToken::new();
    let news = Post::default().connect(Platform::Telegram);
    let bot = tokio::spawn(kokodoko::front::telegram::run(
        fake.settings(),
        workshop.conversation.clone(),
        news,
        stop.clone(),
    ));
    let chat = fake.group();
    let ask = async |user, words: &str| {
        fake.post(chat, user, json!({ "text": words }));
        fake.take_sent(1).await.remove(0).text
    };
    let lang = Lang::Ja;
    let refused = |error: &ModelsError| text::models::refused(lang, "second", error, None).expect("said");
    assert_eq!(ask(AOI, "/promote").await, text::models::promote_how(lang));
    assert_eq!(ask(AOI, "/promote second").await, refused(&ModelsError::NoVerdict(String::new())));
    assert_eq!(ask(AOI, "/promote second force").await, refused(&ModelsError::NoReason));
    assert_eq!(ask(BEN, "/promote second force mine").await, text::admin::only(Lang::En));
    assert_eq!(ask(BEN, "/model").await, workshop.model(Lang::En, &workshop.first));

    let promoted = ask(AOI, "/promote second force to see it work").await;
    let live = workshop.registry.shelf().store().live_model().await.expect("readable").expect("promoted");
    assert_eq!(promoted, text::models::promoted(lang, &live));
    assert_eq!(live.actor, format!("telegram:{}", AOI.id));
    assert_eq!(ask(BEN, "/model").await, workshop.model(Lang::En, &workshop.second), "it answers what is asked next");
    assert_eq!(ask(AOI, "/models").await, text::models::list(lang, &workshop.registry.list().await.expect("readable")));

    ask(AOI, "/rollback").await;
    assert_eq!(ask(BEN, "/model").await, workshop.model(Lang::En, &workshop.first));
    assert_eq!(ask(AOI, "/rollback").await, refused(&ModelsError::Nothing));
    let actions = workshop.registry.shelf().store().actions(2).await.expect("readable");
    let noted: Vec<(&str, &str)> = actions.iter().map(|action| (&*action.action, &*action.outcome)).collect();
    let back = format!("live: drawn-world {}", workshop.first.version);
    assert_eq!(noted, [("/rollback", "refused"), ("/rollback", &*back)]);
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn on_discord() {
    let (fake, workshop) = (Fake::start().await, Workshop::open().await);
    fake.add_server(30, "en-US");
    let stop = CancellationToken::new();
    let news = Post::default().connect(Platform::Discord);
    let bot =
        tokio::spawn(kokodoko::front::discord::run(fake.settings(), workshop.conversation.clone(), news, stop.clone()));
    fake.identified(1).await;
    let mut count = 0;
    let mut ask = async |data: serde_json::Value| {
        fake.dispatch("INTERACTION_CREATE", &command(fake.id(), HANA, "en-US", &data));
        count += 1;
        fake.sent(count).await[count - 1].content.clone()
    };
    let promote = |options: &[(&str, &str)]| {
        let option = |(name, value): &(&str, &str)| json!({"name": name, "type": 3, "value": value});
        with_options("promote", &options.iter().map(option).collect::<Vec<_>>())
    };
    let lang = Lang::En;
    let refused = text::models::refused(lang, "second", &ModelsError::NoVerdict(String::new()), None).expect("said");
    assert_eq!(ask(promote(&[("name", "second")])).await, refused);
    let promoted = ask(promote(&[("name", "second"), ("force", "to see it work")])).await;
    let live = workshop.registry.shelf().store().live_model().await.expect("readable").expect("promoted");
    assert_eq!(promoted, text::models::promoted(lang, &live));
    let listed = workshop.registry.list().await.expect("readable");
    assert_eq!(ask(plain("models")).await, text::models::list(lang, &listed));
    assert_eq!(ask(plain("model")).await, workshop.model(lang, &workshop.second));
    ask(plain("rollback")).await;
    assert_eq!(ask(plain("model")).await, workshop.model(lang, &workshop.first));
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
    fake.finish();
}

//! `/gallery`, `/confusions` and `/atlas` in both chats and on the page: what was kept beside the live model.

use kokodoko::chat::{Conversation, Insight, Lang, Platform, Post, text};
use kokodoko::collect::borders::Grounds;
use kokodoko::front::web;
use kokodoko::judge::Portrait;
use kokodoko::models::{Portraits, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::fake::discord::Fake;
use crate::fake::discord::event::{command, plain, with_options};
use crate::fake::telegram::{AOI, FakeTelegram};
use crate::support::{conversation, core, generous, keep, manifest};

const HANA: u64 = 40;

/// The model of these tests, judged: the portrait of the built-in one lies beside it.
struct Studio {
    insight: Insight,
    portrait: Portrait,
    _folder: tempfile::TempDir,
}

impl Studio {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("colours");
        std::fs::create_dir(&home).expect("a folder");
        let manifest = manifest();
        std::fs::write(home.join("manifest.toml"), toml::to_string(&manifest).expect("plain data")).expect("written");
        let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/models/drawn-world");
        let mut portrait = Portrait::read(built_in.as_ref()).expect("readable").expect("there");
        portrait.model.sha256 = manifest.sha256;
        portrait.write(&home).expect("written");
        let settings = Settings { folder: folder.path().to_owned(), configured: None };
        let insight = Insight::new(Portraits::new(settings), Grounds::default());
        Self { insight, portrait, _folder: folder }
    }

    fn conversation(&self) -> Conversation {
        conversation(generous()).with_insight(self.insight.clone())
    }

    /// Pictures of `/confusions`: the matrix, and one of each of the first five mistakes.
    fn confusions(&self) -> usize {
        1 + self.portrait.mistakes.len().min(5)
    }
}

#[tokio::test]
async fn on_telegram() {
    let (fake, studio) = (FakeTelegram::start().await, Studio::open());
    let (stop, news) = (CancellationToken::new(), Post::default().connect(Platform::Telegram));
    let bot = tokio::spawn(kokodoko::front::telegram::run(fake.settings(), studio.conversation(), news, stop.clone()));
    let chat = fake.group();
    let ask = async |words: &str, pictures: usize| {
        fake.post(chat, AOI, json!({ "text": words }));
        let sent = fake.take_sent(pictures.max(1)).await;
        for (index, picture) in sent.iter().filter_map(|sent| sent.photo.as_ref()).enumerate() {
            keep(&format!("{}-{index}.jpg", words.replace(['/', ' '], "")), picture);
        }
        assert_eq!(sent.iter().filter(|sent| sent.photo.is_some()).count(), pictures, "{words}");
        sent[0].text.clone()
    };
    assert!(ask("/gallery 港区", 1).await.starts_with("東京都港区らしい写真\n"));
    assert!(ask("/gallery", 1).await.contains("/gallery 中央区"), "how to ask for one area");
    assert!(ask("/gallery 大阪市", 0).await.contains("「大阪市」という地域は知りません。"));
    assert!(ask("/confusions", studio.confusions()).await.starts_with("何を何と間違えるか\n"));
    let atlas = ask("/atlas", 1).await;
    assert!(atlas.contains("国土交通省") && atlas.contains("Geolonia"), "the credit is owed: {atlas}");
    assert!(ask("/atlas 旭川", 1).await.starts_with("北海道旭川市のどの町を見分けられるか\n"));
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn on_discord() {
    let (fake, studio) = (Fake::start().await, Studio::open());
    fake.add_server(30, "en-US");
    let (stop, news) = (CancellationToken::new(), Post::default().connect(Platform::Discord));
    let bot = tokio::spawn(kokodoko::front::discord::run(fake.settings(), studio.conversation(), news, stop.clone()));
    fake.identified(1).await;
    let mut count = 0;
    let mut ask = async |data: Value| {
        fake.dispatch("INTERACTION_CREATE", &command(fake.id(), HANA, "en-US", &data));
        count += 1;
        fake.sent(count).await.swap_remove(count - 1)
    };
    let of = |name: &str, area: &str| with_options(name, &[json!({"name": "area", "type": 3, "value": area})]);
    let gallery = ask(of("gallery", "Minato")).await;
    assert!(
        gallery.content.starts_with("The photos most like Minato, Tokyo") && !gallery.ephemeral,
        "{}",
        gallery.content
    );
    assert_eq!(gallery.files.len(), 1);
    assert_eq!(ask(plain("confusions")).await.files.len(), studio.confusions());
    let atlas = ask(plain("atlas")).await;
    assert_eq!(atlas.files.len(), 1);
    assert!(atlas.content.contains("国土交通省"), "the credit is owed: {}", atlas.content);
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
    fake.finish();
}

#[tokio::test]
async fn a_model_that_was_never_judged_says_what_to_do() {
    let fake = FakeTelegram::start().await;
    let (stop, news) = (CancellationToken::new(), Post::default().connect(Platform::Telegram));
    let nothing = Settings { folder: "nowhere".into(), configured: None };
    let insight = Insight::new(Portraits::new(nothing), Grounds::default());
    let conversation = conversation(generous()).with_insight(insight);
    let bot = tokio::spawn(kokodoko::front::telegram::run(fake.settings(), conversation, news, stop.clone()));
    let chat = fake.private_chat(AOI);
    for words in ["/gallery", "/confusions", "/atlas 港区"] {
        fake.post(chat, AOI, json!({ "text": words }));
        let said = fake.take_sent(1).await.remove(0).text;
        assert_eq!(said, text::insight::none(Lang::Ja, "colours", "0.1.0"));
        assert!(said.contains("kokodoko evaluate"));
    }
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn on_the_page() {
    let studio = Studio::open();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    let stop = CancellationToken::new();
    let options = web::Options { insight: Some(studio.insight.clone()), ..web::Options::default() };
    let served = tokio::spawn(web::serve(listener, web::router(core(), options), stop.clone()));
    let get = async |path: &str| reqwest::get(format!("{base}{path}")).await.expect("the site answers");
    let said = async |path: &str| get(path).await.json::<Value>().await.expect("JSON");

    let page = get("/model?lang=en").await.text().await.expect("words");
    assert!(page.contains("Inside the model") && page.contains("北海道旭川市"));
    assert!(get("/?lang=en").await.text().await.expect("words").contains("href=\"/model\""));
    let gallery = said("/api/v1/model/gallery?area=Minato&lang=en").await;
    assert!(gallery["text"].as_str().expect("words").starts_with("The photos most like Minato, Tokyo"));
    assert!(gallery["pictures"][0]["picture"].as_str().expect("an address").starts_with("data:image/jpeg;base64,/9j/"));
    assert!(!gallery["pictures"][0]["alt"].as_str().expect("words").is_empty());
    let confusions = said("/api/v1/model/confusions?area=&lang=ja").await;
    assert_eq!(confusions["pictures"].as_array().expect("a list").len(), studio.confusions());
    let unknown = said("/api/v1/model/atlas?area=Osaka&lang=en").await;
    assert_eq!(unknown["pictures"], json!([]));
    assert!(unknown["text"].as_str().expect("words").contains("Osaka"));
    assert_eq!(get("/api/v1/model/where").await.status(), 404);
    assert_eq!(get("/api/v1/model/atlas?town=x").await.status(), 400);
    stop.cancel();
    served.await.expect("no panic").expect("a clean end");
}

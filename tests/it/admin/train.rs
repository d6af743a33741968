//! `/train` in both chats: from the offer over the child that trains to the better model that answers, and back.

mod cells;
mod house;
mod troubles;

use kokodoko::chat::{Lang, Platform, Post, text};
use kokodoko::domain::job::JobId;
use kokodoko::infer::manifest::Manifest;
use serde_json::{Value, json};

use self::house::{House, Inside};
use super::{HANA, TARO};
use crate::fake::discord::event::{command, plain, where_with, with_options};
use crate::fake::discord::{self, Fake, Place};
use crate::fake::telegram::{AOI, BEN, FakeTelegram, Sent};
use crate::support::keep;

/// The program on Telegram.
struct OnTelegram<'a> {
    fake: &'a FakeTelegram,
    inside: Inside,
    front: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl<'a> OnTelegram<'a> {
    async fn start(fake: &'a FakeTelegram, house: &House) -> Self {
        Self::start_with(fake, house, "").await
    }

    /// With more lines for `[train]` in the configuration.
    async fn start_with(fake: &'a FakeTelegram, house: &House, train: &str) -> Self {
        let mut post = Post::default();
        let news = post.connect(Platform::Telegram);
        let inside = house.open_with(post, train).await;
        let (conversation, stop) = (inside.conversation.clone(), inside.stop.clone());
        let front = tokio::spawn(kokodoko::front::telegram::run(fake.settings(), conversation, news, stop));
        Self { fake, inside, front }
    }

    async fn stop(self) {
        self.inside.stop.cancel();
        self.front.await.expect("no panic").expect("a clean end");
        self.inside.close().await;
    }

    /// What is said to words or a photo of Aoi's.
    async fn ask(&self, chat: i64, message: Value) -> String {
        self.fake.post(chat, AOI, message);
        self.fake.take_sent(1).await.remove(0).text
    }

    /// Asks for a training and confirms.
    async fn begin(&self, chat: i64, words: &str) {
        let asked = self.fake.post(chat, AOI, json!({ "text": words }));
        let is_offer = |sent: &&Sent| sent.id > asked && sent.text.contains("そのあと現在のモデルと比べます");
        let offer = self.fake.find_sent("an offer", |sent| Some(sent.iter().find(is_offer)?.id)).await;
        let data = self.fake.data(chat, offer, &text::training::begin_button(Lang::Ja));
        let press = self.fake.press_data(chat, AOI, offer, &data);
        self.fake.answer_to(&press).await;
    }
}

/// The area that an answer's first bar names.
fn best(answer: &str) -> &str {
    let bar = answer.lines().find(|line| line.starts_with(['▰', '▱'])).expect("bars");
    bar.split_once("% ").expect("a share").1
}

/// The manifest of the model that was made live last.
async fn promoted(inside: &Inside) -> Manifest {
    let live = inside.store.live_model().await.expect("readable").expect("promoted");
    inside.registry.shelf().read(&live.candidate.folder).expect("a sound model").manifest
}

#[tokio::test]
async fn on_telegram_a_better_model_goes_live_and_back() {
    let (fake, house) = (FakeTelegram::start().await, House::build());
    let bot = OnTelegram::start(&fake, &house).await;
    let (chat, lang) = (fake.private_chat(AOI), Lang::Ja);
    let refused = fake.private_chat(BEN);
    fake.post(refused, BEN, json!({"text": "/train"}));
    assert_eq!(fake.take_sent(1).await[0].text, text::admin::only(Lang::En));
    assert_eq!(bot.ask(chat, json!({"text": "/train status"})).await, text::training::nothing(lang));

    let photo = || json!({ "photo": fake.photo(house.photo.clone()) });
    let before = bot.ask(chat, photo()).await;
    assert_ne!(best(&before), house.area, "a poor model: {before}");

    fake.post(chat, AOI, json!({"text": "/train"}));
    let offer = fake.take_sent(1).await.remove(0);
    assert!(offer.text.starts_with("poor 0.1.0 に新しい最終層を付けます。"), "{}", offer.text);
    assert!(offer.text.contains("3地域：学習用24枚、検証用9枚、テスト用30枚。"), "{}", offer.text);
    let data = fake.data(chat, offer.id, &text::training::begin_button(lang));
    // Nobody else begins what an admin was offered.
    let press = fake.press_data(chat, BEN, offer.id, &data);
    assert_eq!(fake.answer_to(&press).await, text::admin::only(Lang::En));
    let press = fake.press_data(chat, AOI, offer.id, &data);
    fake.answer_to(&press).await;
    fake.stands(chat, offer.id, |shown| shown["text"] == text::training::begun(lang, 0)).await;

    // The progress, and the news with five diagrams and the photos most like each area; it mistakes none.
    let sent = fake.take_sent(7).await;
    for (i, picture) in sent[1..].iter().enumerate() {
        keep(&format!("train-{i}.png"), picture.photo.as_ref().expect("a picture"));
    }
    let news = &sent[1].text;
    let model = promoted(&bot.inside).await;
    assert!(news.starts_with(&format!("学習が終わりました。これからは {} 1.0.0", model.name)), "{news}");
    let report = news.lines().last().and_then(|line| line.split_once('：')).expect("the report's file").1;
    assert!(std::fs::read_to_string(report).expect("it is there").contains(&model.name));
    let shown = fake.shown(chat, sent[0].id)["text"].as_str().expect("words").to_owned();
    assert_eq!(shown, "最終層の学習が終わりました。");
    // Which stages are seen depends on how quick the machine is, at most one in three seconds; the last that the child
    // told is in the books.
    assert!(sent[0].text.starts_with("最終層の学習"), "a message that is edited: {}", sent[0].text);
    let job = bot.inside.store.job(JobId(1)).await.expect("readable").expect("done");
    let told = job.progress.expect("progress");
    assert!(told.contains(r#"{"stage":{"judging":{"#), "{told}");

    let after = bot.ask(chat, photo()).await;
    assert_eq!(best(&after), house.area, "{after}");
    let identity = bot.inside.registry.core().identity();
    assert_eq!(bot.ask(chat, json!({"text": "/model"})).await, text::model(lang, &model, &identity));
    bot.ask(chat, json!({"text": "/rollback"})).await;
    assert_eq!(bot.ask(chat, photo()).await, before);

    let noted = bot.inside.store.actions(5).await.expect("readable");
    let noted: Vec<(&str, &str)> = noted.iter().map(|action| (&*action.action, &*action.outcome)).collect();
    let expected = [
        ("/rollback", "live: poor 0.1.0"),
        ("button 1j:1", "queued as 1"),
        ("/train", "offered as 1"),
        ("/train status", "declined"),
    ];
    assert_eq!(noted, expected);
    bot.stop().await;
}

#[tokio::test]
async fn on_discord_a_better_model_goes_live_and_back() {
    let (fake, house) = (Fake::start().await, House::build());
    let (inside, front) = on_discord(&fake, &house).await;
    let asks = async |user: u64, data: &Value| {
        let id = fake.id();
        fake.dispatch("INTERACTION_CREATE", &command(id, user, "en-US", data));
        said(&fake, |sent| sent.place == Place::Original(id)).await
    };
    let photo = || where_with(&fake.upload("photo.jpg", "image/jpeg", &house.photo));
    let option = |name: &str, value: &str| json!({"name": name, "type": 3, "value": value});

    assert_eq!(asks(TARO, &plain("train")).await.content, text::admin::only(Lang::En));
    let before = asks(TARO, &photo()).await.content;
    assert_ne!(best(&before), house.area_en, "a poor model: {before}");
    inside.collect(&house).await;
    let offer = asks(HANA, &with_options("train", &[option("mode", "head"), option("data", "collected")])).await;
    assert!(offer.ephemeral && offer.content.starts_with("A new last layer for poor 0.1.0"), "{}", offer.content);
    let (pressed, event) = fake.pressing(HANA, offer.message, &text::training::begin_button(Lang::En));
    fake.dispatch("INTERACTION_CREATE", &event);
    let begun = said(&fake, |sent| sent.place == Place::Original(pressed)).await;
    assert_eq!(begun.content, text::training::begun(Lang::En, 0));

    let news = said(&fake, |sent| sent.content.starts_with("Training has finished.")).await;
    assert_eq!((news.files.len(), news.ephemeral), (6, false));
    let model = promoted(&inside).await;
    assert_eq!(model.provenance.attribution, ["CC-BY-SA-4.0"]);
    assert!(news.content.contains(&format!("{} 1.0.0 answers from now on", model.name)), "{}", news.content);
    let done = said(&fake, |sent| sent.content == "Training a new last layer has finished.").await;
    assert!(matches!(done.place, Place::Edit { .. }), "{done:?}");
    let after = asks(TARO, &photo()).await.content;
    assert_eq!(best(&after), house.area_en, "{after}");
    asks(HANA, &plain("rollback")).await;
    assert_eq!(asks(TARO, &photo()).await.content, before);
    inside.stop.cancel();
    front.await.expect("no panic").expect("a clean end");
    inside.close().await;
    fake.finish();
}

/// The program on Discord, in a server whose people speak English.
async fn on_discord(fake: &Fake, house: &House) -> (Inside, tokio::task::JoinHandle<anyhow::Result<()>>) {
    fake.add_server(30, "en-US");
    let mut post = Post::default();
    let news = post.connect(Platform::Discord);
    let inside = house.open(post).await;
    let (conversation, stop) = (inside.conversation.clone(), inside.stop.clone());
    let front = tokio::spawn(kokodoko::front::discord::run(fake.settings(), conversation, news, stop));
    fake.identified(1).await;
    (inside, front)
}

/// Waits until the bot has said something.
async fn said(fake: &Fake, is: impl Fn(&discord::Sent) -> bool) -> discord::Sent {
    fake.find_sent("something said", |sent| sent.iter().find(|sent| is(sent)).cloned()).await
}

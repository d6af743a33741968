//! `/collect` in both chats: from the plan over the confirmed estimate to the images, through both protocols of the
//! drawn world's stand-ins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kokodoko::app::bureau::Bureau;
use kokodoko::chat::text::collecting::News;
use kokodoko::chat::{Conversation, Lang, Platform, Post, text};
use kokodoko::clock::SystemClock;
use kokodoko::config::Config;
use kokodoko::domain::Split;
use kokodoko::domain::imagery::{Micros, Source};
use kokodoko::domain::spend::Period;
use kokodoko::store::Store;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{HANA, TARO};
use crate::fake::discord::event::{command, with_options};
use crate::fake::discord::{Fake, Place, Sent};
use crate::fake::telegram::{AOI, BEN, FakeTelegram, User};
use crate::support::{conversation, generous, keep};
use crate::wire::{Service, WORLD};

/// A polygon of 港区 with a few squares of a kilometre.
const REGION: &str = r#"{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry":
    {"type": "Polygon", "coordinates": [[[139.740, 35.655], [139.755, 35.655], [139.755, 35.667], [139.740, 35.667],
    [139.740, 35.655]]]}}]}"#;

/// A square of 三田 as the only area.
const MITA: &str = "areas = []\nregions = [{ name = \"三田\", name_en = \"Mita\", file = \"region.geojson\" }]\n\
    points_per_town = 2";
/// The seven areas that are configured by default, in few of their towns.
const SEVEN: &str = "points_per_town = 1\nsearch_radius_m = 200";
/// Towns that each list is cut to.
const TOWNS: usize = 3;

/// The bot's inside: database, queue and conversation, over the stand-ins.
struct House {
    folder: tempfile::TempDir,
    service: Service,
    /// What is collected, and where its towns are listed: lines of the configuration.
    areas: &'static str,
    lists: String,
}

/// Geolonia with few of each area's towns, so that collecting all of them takes seconds.
async fn few_towns(service: &Service, version: u8) -> String {
    let (behind, client) = (service.base.clone(), reqwest::Client::builder().no_proxy().build().expect("valid"));
    let answer = move |uri: axum::http::Uri| {
        let (url, client) = (format!("{behind}/geolonia/v{version}{}", uri.path()), client.clone());
        async move {
            let mut list: Value = client.get(url).send().await.expect("answered").json().await.expect("JSON");
            let towns = if version == 1 { Some(&mut list) } else { list.get_mut("data") };
            // The list of prefectures stays whole.
            if let Some(towns) = towns.and_then(Value::as_array_mut).filter(|_| !uri.path().ends_with("/ja.json")) {
                towns.retain(|town| !town["lat"].is_null() || !town["point"].is_null());
                let step = towns.len() / TOWNS;
                *towns = towns.iter().step_by(step).take(TOWNS).cloned().collect();
            }
            axum::Json(list)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    format!("[geolonia]\nversion = {version}\napi_url = \"{base}\"\n")
}

/// What runs between two restarts.
struct Inside {
    store: Store,
    conversation: Conversation,
    stop: CancellationToken,
    bureau: JoinHandle<()>,
}

impl House {
    async fn of_mita() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("region.geojson"), REGION).expect("written");
        Self { folder, service: Service::start().await, areas: MITA, lists: String::new() }
    }

    /// The seven areas, with towns from this version of Geolonia.
    async fn of_seven(version: u8) -> Self {
        let service = Service::start().await;
        let lists = few_towns(&service, version).await;
        Self { folder: tempfile::tempdir().expect("a folder"), service, areas: SEVEN, lists }
    }

    fn config(&self) -> Config {
        let Self { areas, lists, .. } = self;
        let (base, folder) = (&self.service.base, self.folder.path().display());
        let areas = areas.replace("region.geojson", &format!("{folder}/region.geojson"));
        let file = format!(
            "[admin]\ntelegram = [{}]\ndiscord = [{HANA}]\n[quiz]\ndatabase = \"{folder}/kokodoko.sqlite\"\n\
             [collect]\n{areas}\nheadings_per_point = 1\nwidth = 64\nheight = 64\n\
             data_folder = \"{folder}/images\"\nrequests_per_second = 1000.0\n\
             {lists}[mapillary]\napi_url = \"{base}/mapillary\"\n\
             [streetview]\naccept_google_terms = true\napi_url = \"{base}\"\n",
            AOI.id
        );
        let path = self.folder.path().join("kokodoko.toml");
        std::fs::write(&path, file).expect("written");
        let secret = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let secrets = [
            secret("KOKODOKO_MAPILLARY__TOKEN", "MLY|1|drawn-world"),
            secret("KOKODOKO_STREETVIEW__KEY", "drawn-world"),
        ];
        Config::load(Some(Path::new(&path)), secrets).expect("valid")
    }

    async fn open(&self, post: Post) -> Inside {
        let config = self.config();
        let store = Store::open(&config.database).await.expect("opens");
        let bureau = Bureau::open(&config, &store, post, Arc::new(SystemClock), None).expect("TLS starts");
        let conversation = conversation(generous()).with_office(bureau.office());
        let stop = CancellationToken::new();
        let bureau = tokio::spawn(bureau.run(stop.clone()));
        Inside { store, conversation, stop, bureau }
    }
}

impl Inside {
    async fn close(self) {
        self.stop.cancel();
        self.bureau.await.expect("no panic");
        self.store.close().await;
    }

    async fn images(&self) -> u64 {
        self.store.image_sums().await.expect("readable").iter().map(|sum| sum.images).sum()
    }
}

impl House {
    /// Each of the seven areas has pictures of each source, labelled by where they were taken; the ledger says what
    /// the stand-ins say.
    async fn assert_seven(&self, store: &Store) {
        let stored = store.images_after(None, 10_000).await.expect("readable");
        let mut counts: BTreeMap<(Source, &str), usize> = BTreeMap::new();
        for image in &stored {
            let at = image.sighting.position;
            let area = (0..7).find(|&area| WORLD.is_inside(area, at)).expect("inside an area");
            assert_eq!(image.place.area, WORLD.areas()[area].area);
            assert_eq!(image.split, Split::of_place(&image.place.area, &image.place.town));
            // As configured, and for Mapillary the next larger one that there is.
            let width = if image.item.source == Source::Mapillary { 256 } else { 64 };
            assert_eq!(image.size.0, width);
            assert!(!image.sighting.licence.is_empty() && image.heading().is_some(), "{image:?}");
            *counts.entry((image.item.source, &image.place.area)).or_default() += 1;
        }
        assert_eq!(counts.len(), 2 * 7, "{counts:?}");
        let spent = store.spent(Period::All, Some(Source::StreetView)).await.expect("readable");
        let sold = self.service.books().await.streetview.images_billed;
        assert_eq!((spent.images_billed, spent.images_in_doubt), (sold, 0));
        assert_eq!(spent.billed, Micros(7_000 * sold as i64));
    }

    /// What the stand-ins sold is what is kept, and nothing was sold twice.
    async fn assert_books(&self, kept: u64) {
        let books = self.service.books().await;
        let sold: Vec<u64> = books.streetview.images.values().chain(books.mapillary.thumbs.values()).copied().collect();
        assert!(sold.iter().all(|times| *times == 1), "sold twice: {books:#?}");
        assert_eq!((sold.len() as u64, books.unknown_requests), (kept, 0));
    }
}

/// The program on Telegram.
struct OnTelegram {
    inside: Inside,
    front: JoinHandle<anyhow::Result<()>>,
}

impl OnTelegram {
    async fn start(fake: &FakeTelegram, house: &House) -> Self {
        let mut post = Post::default();
        let news = post.connect(Platform::Telegram);
        let inside = house.open(post).await;
        let (conversation, stop) = (inside.conversation.clone(), inside.stop.clone());
        let front = tokio::spawn(kokodoko::front::telegram::run(fake.settings(), conversation, news, stop));
        Self { inside, front }
    }

    async fn stop(self) {
        self.inside.stop.cancel();
        self.front.await.expect("no panic").expect("a clean end");
        self.inside.close().await;
    }
}

/// Somebody presses the one button of an offer; the number of the press.
fn press_begin(fake: &FakeTelegram, chat: i64, user: User, offer: i64) -> String {
    let data = fake.data(chat, offer, &text::collecting::begin_button(Lang::Ja));
    fake.press_data(chat, user, offer, &data)
}

/// Asks for collecting and confirms; the number of the offer's message.
async fn begin(fake: &FakeTelegram, chat: i64, words: &str) -> i64 {
    fake.post(chat, AOI, json!({ "text": words }));
    let offer = fake.take_sent(1).await.remove(0);
    let press = press_begin(fake, chat, AOI, offer.id);
    fake.answer_to(&press).await;
    offer.id
}

#[tokio::test]
async fn an_admin_collects_seven_areas_from_telegram_through_both_protocols() {
    let (fake, house) = (FakeTelegram::start().await, House::of_seven(1).await);
    let bot = OnTelegram::start(&fake, &house).await;
    let chat = fake.group();
    fake.post(chat, AOI, json!({"text": "/collect plan"}));
    let plan = fake.take_sent(1).await.remove(0);
    keep("plan.png", plan.photo.as_ref().expect("a map"));
    assert!(plan.text.contains("港区") && plan.text.contains("旭川市"), "{}", plan.text);

    let mut kept = 0;
    for source in ["mapillary", "streetview"] {
        fake.post(chat, AOI, json!({"text": format!("/collect source={source}")}));
        let offer = fake.take_sent(1).await.remove(0);
        // Nobody else begins what an admin was offered.
        let press = press_begin(&fake, chat, BEN, offer.id);
        assert_eq!(fake.answer_to(&press).await, text::admin::only(Lang::En));
        let press = press_begin(&fake, chat, AOI, offer.id);
        fake.answer_to(&press).await;
        fake.stands(chat, offer.id, |shown| shown["text"] == text::collecting::begun(Lang::Ja, 0)).await;

        let sent = fake.take_sent(2).await;
        assert!(sent[1].text.starts_with("収集が終わりました。"), "{}", sent[1].text);
        // The message that came first has become the last state.
        let shown = fake.shown(chat, sent[0].id)["text"].as_str().expect("words").to_owned();
        assert!(shown.contains("収集が終わりました。") && shown.contains("旭川市"), "{shown}");
        let images = bot.inside.images().await;
        assert!(images > kept, "{source}: {images} images");
        kept = images;
        fake.post(chat, AOI, json!({"text": "/collect status"}));
        assert_eq!(fake.take_sent(1).await[0].text, shown);
    }
    house.assert_books(kept).await;
    house.assert_seven(&bot.inside.store).await;
    fake.post(chat, AOI, json!({"text": "/collect stop"}));
    assert_eq!(fake.take_sent(1).await[0].text, text::collecting::nothing_to_stop(Lang::Ja));
    let noted = bot.inside.store.actions(3).await.expect("readable");
    let noted: Vec<(&str, &str)> = noted.iter().map(|action| (&*action.action, &*action.outcome)).collect();
    let expected = [("/collect stop", "declined"), ("/collect status", "done"), ("button 1j:2", "queued as 2")];
    assert_eq!(noted, expected);
    bot.stop().await;
}

#[tokio::test]
async fn a_restart_buys_nothing_twice_and_brings_the_news_all_the_same() {
    let (fake, house) = (FakeTelegram::start().await, House::of_mita().await);
    let bot = OnTelegram::start(&fake, &house).await;
    let chat = fake.group();
    begin(&fake, chat, "/collect source=streetview points=6").await;
    // The offer's, and the first of the progress.
    fake.edits(2).await;
    bot.stop().await;

    let bot = OnTelegram::start(&fake, &house).await;
    // One message with the progress, before or after the restart, and one with the news.
    let sent = fake.take_sent(2).await;
    assert!(sent[1].text.starts_with("収集が終わりました。新しい写真は"), "{}", sent[1].text);
    let shown = fake.shown(chat, sent[0].id)["text"].as_str().expect("words").to_owned();
    assert!(shown.starts_with("Google ストリートビューからの収集が終わりました。"), "{shown}");
    house.assert_books(bot.inside.images().await).await;
    bot.stop().await;
}

#[tokio::test]
async fn an_admin_stops_what_is_being_collected() {
    let (fake, house) = (FakeTelegram::start().await, House::of_mita().await);
    let bot = OnTelegram::start(&fake, &house).await;
    let chat = fake.group();
    // More than can be drawn meanwhile.
    begin(&fake, chat, "/collect source=streetview points=1000").await;
    fake.edits(2).await;
    fake.take_sent(1).await;
    fake.post(chat, AOI, json!({"text": "/collect stop"}));
    let sent = fake.take_sent(2).await;
    let mut said: Vec<&str> = sent.iter().map(|sent| sent.text.as_str()).collect();
    said.sort_unstable();
    assert_eq!(said, [text::collecting::news(Lang::Ja, News::Cancelled, None), text::collecting::stopping(Lang::Ja)]);
    house.assert_books(bot.inside.images().await).await;
    bot.stop().await;
}

#[tokio::test]
async fn an_admin_collects_seven_areas_from_discord_through_both_protocols() {
    let (fake, house) = (Fake::start().await, House::of_seven(2).await);
    fake.add_server(30, "en-US");
    let mut post = Post::default();
    let news = post.connect(Platform::Discord);
    let inside = house.open(post).await;
    let (conversation, stop) = (inside.conversation.clone(), inside.stop.clone());
    let front = tokio::spawn(kokodoko::front::discord::run(fake.settings(), conversation, news, stop));
    fake.identified(1).await;
    let asks = |user: u64, options: &[Value]| {
        let id = fake.id();
        fake.dispatch("INTERACTION_CREATE", &command(id, user, "en-US", &with_options("collect", options)));
        id
    };
    let option = |name: &str, value: &str| json!({"name": name, "type": 3, "value": value});

    let refused = asks(TARO, &[option("action", "plan")]);
    let refusal = said(&fake, |sent| sent.place == Place::Original(refused)).await;
    assert_eq!((&*refusal.content, refusal.ephemeral), (&*text::admin::only(Lang::En), true));
    let planned = asks(HANA, &[option("action", "plan"), option("areas", "Minato")]);
    let plan = said(&fake, |sent| sent.place == Place::Original(planned)).await;
    assert!(plan.files.len() == 1 && plan.content.contains("Minato"), "{plan:?}");

    for source in ["mapillary", "streetview"] {
        let asked = asks(HANA, &[option("source", source)]);
        let offer = said(&fake, |sent| sent.place == Place::Original(asked)).await;
        assert!(offer.ephemeral, "for the asker alone");
        let (pressed, event) = fake.pressing(HANA, offer.message, &text::collecting::begin_button(Lang::En));
        fake.dispatch("INTERACTION_CREATE", &event);
        let begun = said(&fake, |sent| sent.place == Place::Original(pressed)).await;
        assert_eq!(begun.content, text::collecting::begun(Lang::En, 0));
        let name = if source == "mapillary" { "Mapillary" } else { "Google Street View" };
        let last = format!("Collecting from {name} has finished.");
        let edited = said(&fake, |sent| sent.content.starts_with(&last)).await;
        assert!(matches!(edited.place, Place::Edit { .. }) && !edited.ephemeral, "{edited:?}");
    }
    let news = |sent: &&Sent| sent.content.starts_with("Collecting has finished:");
    let all = |sent: &[Sent]| sent.iter().filter(news).count() == 2;
    let mut count = 1;
    while !all(&fake.sent(count).await) {
        count = fake.sent(count).await.len() + 1;
    }
    house.assert_books(inside.images().await).await;
    house.assert_seven(&inside.store).await;
    inside.stop.cancel();
    front.await.expect("no panic").expect("a clean end");
    inside.close().await;
    fake.finish();
}

/// Waits until the bot has said something.
async fn said(fake: &Fake, is: impl Fn(&Sent) -> bool) -> Sent {
    let mut count = 1;
    loop {
        let sent = fake.sent(count).await;
        if let Some(found) = sent.iter().find(|sent| is(sent)) {
            return found.clone();
        }
        count = sent.len() + 1;
    }
}

//! Discord, end to end: people on the one side of the fake service, the whole program on the other.

mod quiz;

use kokodoko::chat::command::Command;
use kokodoko::chat::etiquette::Limits;
use kokodoko::chat::message::{Announcement, DeliveryError};
use kokodoko::chat::{Conversation, Lang, Platform, Role, text};
use kokodoko::front::discord::{Settings, run};
use kokodoko::infer::decode::PhotoError;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::fake::discord::event::{command, me, menu_on, message, person, plain, where_with};
use crate::fake::discord::{Fake, Place, Sent, TOKEN};
use crate::support::{
    self, BLUE, GREEN, Logs, RED, conversation, conversation_with_index, expected_answer, generous, jpeg, manifest,
};

/// Largest photo in these tests, bytes.
const MAX_PHOTO: usize = 100_000;
const CHANNEL: u64 = 20;
const SERVER: u64 = 30;
const HANA: u64 = 40;

/// The bot, connected to its fake service.
struct Bench {
    fake: Fake,
    announcements: mpsc::Sender<Announcement>,
    stop: CancellationToken,
    bot: JoinHandle<anyhow::Result<()>>,
}

impl Bench {
    async fn start() -> Self {
        Self::with(generous(), "en-US").await
    }

    async fn with(limits: Limits, locale: &str) -> Self {
        let fake = Fake::start().await;
        fake.add_server(SERVER, locale);
        let bench = Self::launch(fake, TOKEN, conversation(limits));
        bench.fake.identified(1).await;
        bench
    }

    fn launch(fake: Fake, token: &str, conversation: Conversation) -> Self {
        let settings = Settings {
            token: token.into(),
            api_url: Some(fake.api()),
            gateway_url: Some(fake.gateway()),
            max_photo_bytes: MAX_PHOTO,
            shards: 1,
            meters: kokodoko::front::meters::Meters::default(),
            clock: fake.clock(),
        };
        let stop = CancellationToken::new();
        let (announcements, announced) = mpsc::channel(16);
        let bot = tokio::spawn(run(settings, conversation, announced, stop.clone()));
        Self { fake, announcements, stop, bot }
    }

    fn photo(&self, colour: [u8; 3]) -> Value {
        self.fake.upload("photo.jpg", "image/jpeg", &jpeg(colour))
    }

    /// A message by Hana, with some fields; returns its id.
    fn says(&self, fields: &Value) -> u64 {
        let id = self.fake.id();
        self.fake.dispatch("MESSAGE_CREATE", &with(message(id, CHANNEL, &person(HANA)), fields));
        id
    }

    fn says_privately(&self, files: &[Value]) -> u64 {
        self.says(&json!({"guild_id": null, "attachments": files}))
    }

    /// A command by Hana; returns its id.
    fn commands(&self, locale: &str, data: &Value) -> u64 {
        let id = self.fake.id();
        self.fake.dispatch("INTERACTION_CREATE", &command(id, HANA, locale, data));
        id
    }

    /// Stops the bot, which delivers what is under way; everything that it ever said.
    async fn finish(self) -> Vec<Sent> {
        self.stop.cancel();
        self.bot.await.expect("no panic").expect("no failure");
        self.fake.finish()
    }
}

fn with(mut base: Value, fields: &Value) -> Value {
    for (key, value) in fields.as_object().expect("fields") {
        base[key] = value.clone();
    }
    base
}

/// What a reader sees: markdown without its escapes.
fn shown(sent: &Sent) -> String {
    let mut chars = sent.content.chars();
    let mut shown = String::new();
    while let Some(c) = chars.next() {
        shown.push(if c == '\\' { chars.next().expect("no backslash stands alone") } else { c });
    }
    shown
}

fn in_channel(reply_to: u64) -> Place {
    Place::Channel { id: CHANNEL, reply_to: Some(reply_to) }
}

/// Asserts a heatmap for an area of the manifest.
fn assert_heatmap(sent: &Sent, lang: Lang, area: usize) {
    let [file] = &sent.files[..] else { panic!("{sent:?}") };
    assert_eq!(file.kind, "image/jpeg");
    assert_eq!(file.description, Some(text::heatmap_alt(lang, &manifest().labels[area])));
    let picture = image::load_from_memory(&file.bytes).expect("a picture");
    assert!(picture.width() >= 720, "its words are legible on a phone");
}

#[tokio::test]
async fn the_commands_are_registered() {
    let bench = Bench::start().await;
    let registered = bench.fake.commands();
    let names: Vec<&str> = registered.iter().filter_map(|command| command["name"].as_str()).collect();
    let slash = Command::menu(Role::Owner).map(Command::name);
    assert_eq!(names, slash.chain(["Where is this?"]).collect::<Vec<_>>());
    assert_eq!(registered[0]["description_localizations"]["ja"], text::command(Lang::Ja, Command::Where));
    assert_eq!(registered[0]["options"][0]["name"], "photo");
    assert_eq!(registered[0]["options"][0]["name_localizations"]["ja"], "写真");
    assert_eq!(registered.last().expect("the menu")["name_localizations"]["ja"], "ここどこ？");
    let hidden = |command: &&Value| command["default_member_permissions"] == "8";
    let hidden: Vec<&str> = registered.iter().filter(hidden).filter_map(|command| command["name"].as_str()).collect();
    let admins = Command::menu(Role::Owner).filter(|command| command.role() >= Role::Admin).map(Command::name);
    assert_eq!(hidden, admins.collect::<Vec<_>>(), "shown to nobody but the administrators of a server");
    assert!(bench.finish().await.is_empty(), "nobody was told anything");
}

#[tokio::test]
async fn where_with_a_photo_is_answered_with_areas_and_a_heatmap() {
    for (locale, lang) in [("ja", Lang::Ja), ("de", Lang::En)] {
        let bench = Bench::start().await;
        let id = bench.commands(locale, &where_with(&bench.photo(RED)));
        bench.fake.sent(1).await;
        let [sent] = &bench.finish().await[..] else { panic!("one answer") };
        assert_eq!((&sent.place, sent.ephemeral), (&Place::Original(id), false));
        assert_eq!(shown(sent), expected_answer(lang, jpeg(RED)).await);
        assert!(shown(sent).contains(text::area(lang, &manifest().labels[0])));
        assert_heatmap(sent, lang, 0);
    }
}

#[tokio::test]
async fn the_buttons_under_an_answer_say_why_not_another_area() {
    let bench = Bench::start().await;
    bench.commands("ja", &where_with(&bench.photo(RED)));
    let sent = bench.fake.sent(1).await.remove(0);
    let message = sent.message;
    let first = bench.fake.shown(message).expect("it stands").files;
    let presses = |label: &str| {
        let (_, event) = bench.fake.pressing(41, message, label);
        bench.fake.dispatch("INTERACTION_CREATE", &event);
    };
    presses("渋谷区ではない理由は？");
    bench.fake.stands(message, |shown| shown.content.contains("渋谷区ではなく港区だと判断した手がかり")).await;
    assert!(bench.fake.shown(message).is_some_and(|shown| shown.files != first), "another heatmap");
    presses("なぜ港区？");
    bench.fake.stands(message, |shown| shown.content.contains("ほど、港区だと判断した手がかりです")).await;
    assert!(bench.fake.shown(message).is_some_and(|shown| shown.files == first), "the first heatmap again");
    bench.finish().await;
}

#[tokio::test]
async fn look_alikes_come_by_a_button_and_by_a_command() {
    let fake = Fake::start().await;
    fake.add_server(SERVER, "ja");
    let bench = Bench::launch(fake, TOKEN, conversation_with_index());
    bench.fake.identified(1).await;
    bench.commands("ja", &where_with(&bench.photo(RED)));
    let answer = bench.fake.sent(1).await.remove(0);
    assert!(shown(&answer).contains("よく似た写真の多くは渋谷区のもの"), "{}", shown(&answer));
    let (_, event) = bench.fake.pressing(41, answer.message, "似ている写真は？");
    bench.fake.dispatch("INTERACTION_CREATE", &event);
    bench.fake.stands(answer.message, |shown| shown.content.contains("神南一丁目")).await;
    let mut similar = where_with(&bench.photo(RED));
    similar["name"] = json!("similar");
    bench.commands("en-US", &similar);
    let in_english = |sent: &[Sent]| sent.iter().find(|sent| sent.content.contains("km from the middle of")).cloned();
    let asked = bench.fake.find_sent("the look-alikes", in_english).await;
    bench.finish().await;
    assert!(shown(&asked).contains("1. Shibuya 神南一丁目"), "{asked:?}");
    let [file] = &asked.files[..] else { panic!("{asked:?}") };
    assert_eq!(file.description, Some(text::similar::alt(Lang::En)));
    assert!(image::load_from_memory(&file.bytes).is_ok());
}

#[tokio::test]
async fn a_model_of_cells_answers_with_a_map_and_one_of_municipalities_has_a_button_for_it() {
    let fake = Fake::start().await;
    fake.add_server(SERVER, "ja");
    let bench = Bench::launch(fake, TOKEN, support::conversation_of_cells());
    bench.fake.identified(1).await;
    bench.commands("ja", &where_with(&bench.photo(RED)));
    let answer = bench.fake.sent(1).await.remove(0);
    for words in ["東京都港区付近だと思います", "推定位置：35.6", "https://www.openstreetmap.org/?mlat=35.6"]
    {
        assert!(shown(&answer).contains(words), "{}", shown(&answer));
    }
    let [file] = &answer.files[..] else { panic!("{answer:?}") };
    assert!(file.description.as_ref().is_some_and(|words| words.contains("推定位置は東京都港区付近")), "{file:?}");
    let (_, event) = bench.fake.pressing(41, answer.message, "なぜ港区付近？");
    bench.fake.dispatch("INTERACTION_CREATE", &event);
    bench.fake.stands(answer.message, |shown| shown.content.contains("港区付近だと判断した手がかり")).await;
    bench.finish().await;

    let bench = Bench::start().await;
    bench.commands("en-US", &where_with(&bench.photo(BLUE)));
    let answer = bench.fake.sent(1).await.remove(0);
    let (_, event) = bench.fake.pressing(41, answer.message, "Where on the map?");
    bench.fake.dispatch("INTERACTION_CREATE", &event);
    bench.fake.stands(answer.message, |shown| shown.content.contains("My guess: 43.")).await;
    bench.finish().await;
}

#[tokio::test]
async fn the_menu_of_a_message_asks_about_all_its_photos() {
    let bench = Bench::start().await;
    let text_file = bench.fake.upload("notes.txt", "text/plain", b"notes");
    let files = json!([bench.photo(GREEN), text_file, bench.photo(BLUE)]);
    let target = with(message(bench.fake.id(), CHANNEL, &person(41)), &json!({"attachments": files}));
    let id = bench.commands("en-GB", &menu_on(&target));
    bench.fake.sent(2).await;
    let sent = bench.finish().await;
    let places: Vec<&Place> = sent.iter().map(|sent| &sent.place).collect();
    assert_eq!(places, [&Place::Original(id), &Place::FollowUp(id)]);
    for (index, (sent, colour)) in sent.iter().zip([GREEN, BLUE]).enumerate() {
        let words = shown(sent);
        assert!(words.starts_with(&text::placed(Lang::En, Some((index + 1, 2)), String::new())), "{words}");
        assert!(words.ends_with(&expected_answer(Lang::En, jpeg(colour)).await), "{words}");
        assert_heatmap(sent, Lang::En, index + 1);
    }
}

#[tokio::test]
async fn a_mention_with_a_photo_is_answered_in_the_language_of_the_server() {
    let bench = Bench::with(generous(), "ja").await;
    let id = bench.says(&json!({"mentions": [me()], "attachments": [bench.photo(BLUE)]}));
    bench.fake.sent(1).await;
    let [sent] = &bench.finish().await[..] else { panic!("one answer") };
    assert_eq!(sent.place, in_channel(id));
    assert_eq!(shown(sent), expected_answer(Lang::Ja, jpeg(BLUE)).await);
    assert_heatmap(sent, Lang::Ja, 2);
}

#[tokio::test]
async fn replies_ask_about_the_photo_of_either_message() {
    let bench = Bench::start().await;
    let photo = json!([bench.photo(RED)]);
    let others = with(message(bench.fake.id(), CHANNEL, &person(41)), &json!({"attachments": photo}));
    let mine = message(bench.fake.id(), CHANNEL, &me());
    let asked = [
        bench.says(&json!({"type": 19, "mentions": [me()], "referenced_message": others})),
        bench.says(&json!({"type": 19, "mentions": [me()], "referenced_message": mine, "attachments": photo})),
    ];
    bench.fake.sent(2).await;
    let mut places: Vec<Place> = bench.finish().await.into_iter().map(|sent| sent.place).collect();
    places.sort_by_key(|place| *place != in_channel(asked[0]));
    assert_eq!(places, asked.map(in_channel));
}

#[tokio::test]
async fn private_photos_are_answered_in_the_language_of_their_caption() {
    let bench = Bench::start().await;
    let id = bench.says(&json!({"guild_id": null, "content": "ここどこ？", "attachments": [bench.photo(GREEN)]}));
    bench.fake.sent(1).await;
    bench.says(&json!({"guild_id": null, "content": "hello"}));
    bench.fake.sent(2).await;
    let [answer, hint] = &bench.finish().await[..] else { panic!("two messages") };
    assert_eq!(answer.place, in_channel(id));
    assert_eq!(shown(answer), expected_answer(Lang::Ja, jpeg(GREEN)).await);
    assert_eq!(shown(hint), text::photo_wanted(Lang::En));
}

#[tokio::test]
async fn what_is_not_for_the_bot_is_passed_over() {
    let bench = Bench::start().await;
    let photo = json!([bench.photo(RED)]);
    let mine = message(bench.fake.id(), CHANNEL, &me());
    bench.says(&json!({"attachments": photo}));
    bench.says(&json!({"attachments": photo, "mention_everyone": true, "mentions": [person(41)]}));
    bench.says(&json!({"type": 19, "referenced_message": mine, "mentions": [me()], "content": "thanks!"}));
    bench.says(&json!({"author": me(), "attachments": photo, "guild_id": null}));
    bench.says(&json!({"webhook_id": "7", "attachments": photo, "mentions": [me()]}));
    let asked = bench.says(&json!({"attachments": photo, "mentions": [me()]}));
    bench.fake.sent(1).await;
    // The bot takes events in their order and ends only when it has answered all that it means to answer.
    let places: Vec<Place> = bench.finish().await.into_iter().map(|sent| sent.place).collect();
    assert_eq!(places, [in_channel(asked)]);
}

#[tokio::test]
async fn bad_files_get_their_own_sentences() {
    let bench = Bench::start().await;
    let huge = vec![0; MAX_PHOTO + 1];
    let too_large = PhotoError::TooManyBytes { bytes: huge.len(), limit: MAX_PHOTO };
    let mut lying = bench.fake.upload("small.jpg", "image/jpeg", &huge);
    lying["size"] = json!(10);
    let cases = [
        (bench.fake.upload("empty.jpg", "image/jpeg", b""), PhotoError::Empty),
        (bench.fake.upload("fake.jpg", "image/jpeg", b"hello"), PhotoError::NotAPicture),
        (bench.fake.upload("cut.jpg", "image/jpeg", &jpeg(RED)[..300]), PhotoError::Truncated),
        (bench.fake.upload("huge.jpg", "image/jpeg", &huge), too_large.clone()),
        (lying, too_large),
    ];
    for (number, (file, error)) in cases.into_iter().enumerate() {
        bench.says_privately(&[file]);
        let sent = bench.fake.sent(number + 1).await;
        assert_eq!(shown(&sent[number]), text::photo_error(Lang::En, &error));
        assert!(sent[number].files.is_empty());
    }
    assert_eq!(bench.fake.count("GET /attachments/"), 4, "what is said to be too large is not fetched");
    bench.finish().await;
}

#[tokio::test]
async fn a_file_picked_for_where_is_said_to_be_no_picture() {
    let bench = Bench::start().await;
    bench.commands("ja", &where_with(&bench.fake.upload("a.pdf", "application/pdf", b"%PDF")));
    let sent = bench.fake.sent(1).await;
    assert_eq!(shown(&sent[0]), text::photo_error(Lang::Ja, &PhotoError::NotAPicture));
    bench.finish().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_is_apologised_for_and_the_next_is_answered() {
    let bench = Bench::start().await;
    bench.fake.fail("GET /attachments/", 500, 0);
    let mut elsewhere = bench.photo(RED);
    elsewhere["url"] = json!("https://127.0.0.1:9/attachments/1/2/photo.jpg?ex=1&is=2&hm=signature");
    let apology = text::delivery_error(Lang::En, &DeliveryError::Download(String::new()));
    bench.says_privately(&[bench.photo(RED)]);
    let sent = bench.fake.sent(1).await;
    assert_eq!(shown(&sent[0]), apology);
    bench.says_privately(&[elsewhere, bench.photo(RED)]);
    let sent = bench.fake.sent(3).await;
    assert!(shown(&sent[1]).ends_with(&apology), "foreign links are not followed: {sent:?}");
    assert!(shown(&sent[2]).ends_with(&expected_answer(Lang::En, jpeg(RED)).await));
    bench.finish().await;
}

#[tokio::test]
async fn words_about_the_bot_are_for_the_asker_alone() {
    let bench = Bench::start().await;
    let nothing = message(bench.fake.id(), CHANNEL, &person(41));
    let cases = [
        (plain("help"), text::help(Lang::Ja, Platform::Discord, Role::Member)),
        (plain("privacy"), text::privacy(Lang::Ja, Platform::Discord)),
        (plain("teach"), text::command_unknown(Lang::Ja, "teach")),
        (menu_on(&nothing), text::photo_missing(Lang::Ja, Platform::Discord)),
    ];
    for (number, (data, words)) in cases.into_iter().enumerate() {
        let id = bench.commands("ja", &data);
        let sent = bench.fake.sent(number + 1).await;
        assert_eq!((&sent[number].place, sent[number].ephemeral), (&Place::Original(id), true));
        let lines = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(lines(&shown(&sent[number])), lines(&words));
    }
    bench.finish().await;
}

#[tokio::test]
async fn limits_are_said_once_to_messages_and_always_to_commands() {
    let bench = Bench::with(Limits { per_user_per_minute: 1, per_chat_per_minute: 100 }, "en-US").await;
    let photo = bench.photo(RED);
    bench.says_privately(std::slice::from_ref(&photo));
    bench.fake.sent(1).await;
    bench.says_privately(std::slice::from_ref(&photo));
    let sent = bench.fake.sent(2).await;
    let refusal = |sent: &Sent| shown(sent).starts_with("That was a lot at once.");
    assert!(refusal(&sent[1]), "{sent:?}");
    bench.says_privately(std::slice::from_ref(&photo));
    let id = bench.commands("en-US", &where_with(&photo));
    bench.fake.sent(3).await;
    let sent = bench.finish().await;
    assert_eq!(sent.len(), 3, "the third message is met with silence: {sent:?}");
    assert_eq!((&sent[2].place, sent[2].ephemeral), (&Place::Immediate(id), true));
    assert!(refusal(&sent[2]), "{sent:?}");
}

#[tokio::test]
async fn what_is_delivered_twice_is_answered_once() {
    let bench = Bench::start().await;
    let photo = bench.photo(RED);
    let said =
        with(message(bench.fake.id(), CHANNEL, &person(HANA)), &json!({"attachments": [photo], "mentions": [me()]}));
    let asked = command(bench.fake.id(), HANA, "en-US", &where_with(&photo));
    for _ in 0..2 {
        bench.fake.dispatch("MESSAGE_CREATE", &said);
        bench.fake.dispatch("INTERACTION_CREATE", &asked);
    }
    bench.fake.sent(2).await;
    assert_eq!(bench.finish().await.len(), 2);
}

#[tokio::test]
async fn a_lost_connection_is_resumed_and_nothing_is_missed() {
    let bench = Bench::start().await;
    bench.says_privately(&[bench.photo(RED)]);
    bench.fake.sent(1).await;
    bench.fake.cut();
    let missed = bench.says_privately(&[bench.photo(BLUE)]);
    bench.fake.resumed(1).await;
    bench.fake.sent(2).await;
    let sent = bench.finish().await;
    assert_eq!((sent.len(), &sent[1].place), (2, &in_channel(missed)));
}

#[tokio::test]
async fn a_stop_waits_for_the_answers_under_way() {
    let bench = Bench::start().await;
    bench.fake.open_files(false);
    let message = bench.says_privately(&[bench.photo(RED)]);
    let command = bench.commands("en-US", &where_with(&bench.photo(BLUE)));
    bench.fake.requested("GET /attachments/1/", 2).await;
    bench.stop.cancel();
    bench.fake.disconnected(1).await;
    assert!(!bench.bot.is_finished(), "two answers are owed");
    bench.fake.open_files(true);
    let mut places: Vec<Place> = bench.finish().await.into_iter().map(|sent| sent.place).collect();
    places.sort_by_key(|place| *place == Place::Original(command));
    assert_eq!(places, [in_channel(message), Place::Original(command)]);
}

#[tokio::test]
async fn a_fault_of_discord_that_passes_costs_no_answer() {
    let bench = Bench::start().await;
    bench.fake.fail("POST /channels/20/messages", 503, 0);
    bench.fake.fail("POST /interactions/", 502, 0);
    bench.says_privately(&[bench.photo(RED)]);
    bench.commands("en-US", &where_with(&bench.photo(BLUE)));
    bench.fake.sent(2).await;
    assert_eq!(bench.finish().await.len(), 2);
}

#[tokio::test]
async fn where_files_are_forbidden_the_words_are_said() {
    let bench = Bench::start().await;
    bench.fake.fail("POST /channels/20/messages", 403, 50_013);
    bench.says(&json!({"attachments": [bench.photo(RED)], "mentions": [me()]}));
    bench.fake.sent(1).await;
    let [sent] = &bench.finish().await[..] else { panic!("one answer") };
    assert_eq!(shown(sent), expected_answer(Lang::En, jpeg(RED)).await);
    assert!(sent.files.is_empty());
}

#[tokio::test]
async fn a_wrong_token_ends_the_bot_with_the_cure() {
    let bench = Bench::launch(Fake::start().await, "wrong-token", conversation(generous()));
    let error = bench.bot.await.expect("no panic").expect_err("the token is wrong");
    let words = format!("{error:#}");
    assert!(words.contains("developer portal") && !words.contains("wrong-token"), "{words}");
}

#[tokio::test]
async fn a_stop_while_discord_is_down_ends_the_bot() {
    let fake = Fake::start().await;
    fake.fail("GET /oauth2/applications/@me", 503, 0);
    let bench = Bench::launch(fake, TOKEN, conversation(generous()));
    bench.fake.requested("GET /oauth2/", 1).await;
    assert!(bench.finish().await.is_empty());
}

/// Success, refusals and failures, so that every kind of line is logged.
async fn eventful(bench: Bench) {
    bench.commands("en-US", &where_with(&bench.photo(RED)));
    bench.fake.sent(1).await;
    bench.fake.fail("GET /attachments/", 404, 0);
    bench.says_privately(&[bench.photo(RED)]);
    bench.fake.sent(2).await;
    bench.fake.fail("PATCH /webhooks/", 503, 0);
    bench.commands("en-US", &where_with(&bench.photo(RED)));
    bench.fake.sent(3).await;
    bench.fake.fail("POST /channels/20/messages", 403, 50_001);
    let said = bench.fake.count("POST /channels/20/messages");
    bench.says(&json!({"mentions": [me()], "content": "hello"}));
    bench.fake.requested("POST /channels/20/messages", said + 1).await;
    bench.finish().await;
}

#[tokio::test]
async fn the_token_is_never_logged() {
    let (logs, _guard) = Logs::capture();
    eventful(Bench::start().await).await;
    let logged = logs.text();
    assert!(logged.contains("Discord: connected") && logged.contains("TRACE"), "everything is captured");
    assert!(!logged.contains(TOKEN));
}

#[tokio::test]
async fn ordinary_logs_hold_no_interaction_token_and_no_signed_link() {
    let logs = Logs::default();
    let filter = EnvFilter::new("debug,serenity=warn");
    let writer = logs.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    eventful(Bench::start().await).await;
    let logged = logs.text();
    for line in ["Discord: no photo", "Discord: trying again", "Discord: may not answer a message"] {
        assert!(logged.contains(line), "{line} in {logged}");
    }
    assert!(!logged.contains("secret-") && !logged.contains("signature"), "{logged}");
}

#[tokio::test]
async fn shards_share_the_servers() {
    let fake = Fake::start().await;
    fake.add_server(SERVER, "en-US");
    // As many as Discord recommends: two here.
    let settings = Settings { shards: 0, ..fake.settings() };
    let stop = CancellationToken::new();
    let (_announcements, announced) = mpsc::channel(16);
    let bot = tokio::spawn(run(settings, conversation(generous()), announced, stop.clone()));
    fake.identified(2).await;
    fake.dispatch("INTERACTION_CREATE", &command(fake.id(), 40, "en-US", &plain("privacy")));
    assert_eq!(fake.sent(1).await[0].content, text::privacy(Lang::En, Platform::Discord));
    stop.cancel();
    bot.await.expect("no panic").expect("a clean end");
    assert_eq!(fake.count("GET /gateway/bot"), 1);
    assert_eq!(fake.finish().len(), 1, "one answer, whichever shard heard of it");
}

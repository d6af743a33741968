//! Telegram, end to end: users on the one side of the fake Bot API, the whole program on the other.

mod edits;

use std::net::SocketAddr;

use kokodoko::chat::command::Command;
use kokodoko::chat::etiquette::Limits;
use kokodoko::chat::message::DeliveryError;
use kokodoko::chat::{Conversation, Lang, Platform, Role, text};
use kokodoko::clock::WallClock;
use kokodoko::front::telegram::{Mode, Settings, Webhook, run, run_on};
use kokodoko::infer::decode::PhotoError;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fake::telegram::{AOI, BEN, BOT_NAME, Failure, FakeTelegram, Sent, TOKEN, User};
use crate::support::{self, BLUE, GREEN, RED, conversation, conversation_with_index, expected_answer, generous, jpeg};

const SECRET: &str = "webhook_secret-1";

/// The program under test.
struct Bot {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Bot {
    fn start(fake: &FakeTelegram, conversation: Conversation) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(settings(fake, Mode::Polling), conversation, nothing_to_announce(), stop.clone()));
        Self { stop, task }
    }

    async fn with_webhook(fake: &FakeTelegram, conversation: Conversation) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listen = listener.local_addr().expect("bound");
        let public_url = "https://bot.example/telegram/hook".to_owned();
        let mode = Mode::Webhook(Webhook { listen, public_url, secret: SECRET.into() });
        let stop = CancellationToken::new();
        let task = tokio::spawn(run_on(
            Some(listener),
            settings(fake, mode),
            conversation,
            nothing_to_announce(),
            stop.clone(),
        ));
        (Self { stop, task }, listen)
    }

    /// The graceful stop: everything begun is answered when this returns.
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("no panic").expect("a clean end");
    }
}

fn settings(fake: &FakeTelegram, mode: Mode) -> Settings {
    Settings { mode, ..fake.settings() }
}

/// A channel that nobody speaks on.
fn nothing_to_announce() -> tokio::sync::mpsc::Receiver<kokodoko::chat::Announcement> {
    tokio::sync::mpsc::channel(1).1
}

fn lang(user: User) -> Lang {
    Lang::from_tag(user.language)
}

/// A mention at the beginning of a text or caption.
fn mention(field: &str) -> Value {
    let entities = if field == "text" { "entities" } else { "caption_entities" };
    let length = BOT_NAME.len() + 1;
    json!({field: format!("@{BOT_NAME} where?"), entities: [{"type": "mention", "offset": 0, "length": length}]})
}

fn merged(mut a: Value, b: Value) -> Value {
    a.as_object_mut().expect("an object").extend(b.as_object().expect("an object").clone());
    a
}

/// Text, message replied to, and whether a picture came with it.
fn gist(sent: &[Sent]) -> Vec<(String, Option<i64>, bool)> {
    sent.iter().map(|sent| (sent.text.clone(), sent.reply_to, sent.photo.is_some())).collect()
}

#[tokio::test]
async fn a_photo_is_answered_with_its_areas_and_a_heatmap() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    for (user, colour, first) in [(AOI, RED, "東京都港区"), (BEN, BLUE, "Asahikawa, Hokkaido")] {
        let chat = fake.private_chat(user);
        fake.hold_downloads(true);
        let question = fake.post(chat, user, json!({ "photo": fake.photo(jpeg(colour)) }));
        fake.called("sendChatAction").await;
        fake.hold_downloads(false);
        let sent = fake.take_sent(1).await;
        assert_eq!(sent[0].chat, chat, "the answer goes where the question was asked");
        assert!(sent[0].text.contains(first), "{}", sent[0].text);
        let expected = expected_answer(lang(user), jpeg(colour)).await;
        assert_eq!(gist(&sent), [(expected, Some(question), true)]);
        let heatmap = image::load_from_memory(sent[0].photo.as_ref().expect("a picture")).expect("readable");
        assert!(heatmap.width() >= 720, "its words are legible on a phone");
    }
    bot.stop().await;
    assert_eq!(fake.unconfirmed(), 0, "nothing is answered again after a restart");
}

#[tokio::test]
async fn the_buttons_under_an_answer_say_why_not_another_area() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.group();
    fake.post(chat, AOI, merged(mention("caption"), json!({ "photo": fake.photo(jpeg(RED)) })));
    let sent = fake.take_sent(1).await.remove(0);
    let first = fake.picture(chat, sent.id).expect("a heatmap");
    let button = fake.data(chat, sent.id, "渋谷区ではない理由は？");
    // Whoever asks: the answer is for all who see it.
    let press = fake.press_data(chat, BEN, sent.id, &button);
    assert_eq!(fake.answer_to(&press).await, "");
    let says = |words: &'static str| {
        move |stands: &Value| stands["caption"].as_str().is_some_and(|caption| caption.contains(words))
    };
    fake.stands(chat, sent.id, says("渋谷区ではなく港区だと判断した手がかり")).await;
    assert!(fake.picture(chat, sent.id).is_some_and(|picture| picture != first), "another heatmap");
    let back = fake.data(chat, sent.id, "なぜ港区？");
    fake.press_data(chat, AOI, sent.id, &back);
    fake.stands(chat, sent.id, says("ほど、港区だと判断した手がかりです")).await;
    assert!(fake.picture(chat, sent.id).is_some_and(|picture| picture == first), "the first heatmap again");
    // After a restart the photo is gone.
    bot.stop().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let press = fake.press_data(chat, BEN, sent.id, &button);
    assert_eq!(fake.answer_to(&press).await, text::why::gone(Lang::En, std::time::Duration::from_secs(900)));
    bot.stop().await;
}

#[tokio::test]
async fn look_alikes_come_by_a_button_and_by_a_command() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation_with_index());
    let chat = fake.group();
    let photo = fake.post(chat, AOI, merged(mention("caption"), json!({ "photo": fake.photo(jpeg(RED)) })));
    let sent = fake.take_sent(1).await.remove(0);
    assert!(sent.text.contains("よく似た写真の多くは渋谷区のもの"), "{}", sent.text);
    let first = fake.picture(chat, sent.id).expect("a heatmap");
    let button = fake.data(chat, sent.id, "似ている写真は？");
    let press = fake.press_data(chat, BEN, sent.id, &button);
    assert_eq!(fake.answer_to(&press).await, "");
    let lists = |stands: &Value| stands["caption"].as_str().is_some_and(|caption| caption.contains("神南一丁目"));
    fake.stands(chat, sent.id, lists).await;
    assert!(fake.picture(chat, sent.id).is_some_and(|picture| picture != first), "the look-alikes");
    let to = json!({"text": "/similar", "reply_to_message": fake.message(chat, photo)});
    let asked = fake.post(chat, BEN, to);
    let answer = fake.take_sent(1).await.remove(0);
    assert_eq!((answer.reply_to, answer.photo.is_some()), (Some(asked), true));
    let towns = ["1. Shibuya 神南一丁目", "2. Shibuya 松濤一丁目", "3. Asahikawa 四条通"];
    assert!(towns.iter().all(|town| answer.text.contains(town)), "{}", answer.text);
    fake.post(chat, BEN, json!({"text": "/similar"}));
    let missing = fake.take_sent(1).await.remove(0);
    assert_eq!(missing.text, text::similar::missing(Lang::En, Platform::Telegram));
    bot.stop().await;
}

#[tokio::test]
async fn a_model_of_cells_answers_with_a_map_and_one_of_municipalities_has_a_button_for_it() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, support::conversation_of_cells());
    let chat = fake.private_chat(BEN);
    fake.post(chat, BEN, json!({ "photo": fake.photo(jpeg(RED)) }));
    let sent = fake.take_sent(1).await.remove(0);
    for words in ["near Minato, Tokyo", "My guess: 35.6", "https://www.openstreetmap.org/?mlat=35.6"] {
        assert!(sent.text.contains(words), "{}", sent.text);
    }
    let map = fake.picture(chat, sent.id).expect("a map");
    let why = fake.data(chat, sent.id, "Why near Minato?");
    fake.press_data(chat, BEN, sent.id, &why);
    let says = |words: &'static str| {
        move |stands: &Value| stands["caption"].as_str().is_some_and(|caption| caption.contains(words))
    };
    fake.stands(chat, sent.id, says("spoke for near Minato")).await;
    assert!(fake.picture(chat, sent.id).is_some_and(|picture| picture != map), "the heatmap");
    let back = fake.data(chat, sent.id, "Where on the map?");
    fake.press_data(chat, BEN, sent.id, &back);
    fake.stands(chat, sent.id, says("My guess: 35.6")).await;
    assert!(fake.picture(chat, sent.id).is_some_and(|picture| picture == map), "the map again");
    bot.stop().await;

    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.private_chat(AOI);
    fake.post(chat, AOI, json!({ "photo": fake.photo(jpeg(BLUE)) }));
    let sent = fake.take_sent(1).await.remove(0);
    let button = fake.data(chat, sent.id, "地図ではどこ？");
    fake.press_data(chat, AOI, sent.id, &button);
    fake.stands(chat, sent.id, says("推定位置：43.")).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_photo_sent_as_a_file_is_judged_by_its_bytes() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.private_chat(BEN);
    let expected = expected_answer(Lang::En, jpeg(GREEN)).await;
    for (name, mime) in [("street.jpg", "image/jpeg"), ("wrong.txt", "text/plain")] {
        fake.post(chat, BEN, json!({ "document": fake.document(jpeg(GREEN), name, mime) }));
        assert_eq!(fake.take_sent(1).await[0].text, expected);
    }
    bot.stop().await;
}

#[tokio::test]
async fn an_album_is_answered_photo_by_photo_in_its_order() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.private_chat(AOI);
    let colours = [RED, GREEN, BLUE];
    let parts = colours.map(|colour| json!({"photo": fake.photo(jpeg(colour)), "media_group_id": "album"}));
    let questions = fake.post_all(chat, AOI, parts.to_vec());
    let sent = fake.take_sent(3).await;
    let mut expected = Vec::new();
    for (index, colour) in colours.into_iter().enumerate() {
        let words = expected_answer(Lang::Ja, jpeg(colour)).await;
        expected.push((text::placed(Lang::Ja, Some((index + 1, 3)), words), Some(questions[index]), true));
    }
    assert_eq!(gist(&sent), expected);
    bot.stop().await;
}

#[tokio::test]
async fn questions_about_somebody_elses_photo() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let group = fake.group();
    let photo = fake.post(group, AOI, json!({ "photo": fake.photo(jpeg(GREEN)) }));
    let original = fake.message(group, photo);
    let expected = expected_answer(Lang::En, jpeg(GREEN)).await;
    for words in [json!({"text": "/where"}), json!({ "text": format!("/where@{BOT_NAME}") }), mention("text")] {
        let question = fake.post(group, BEN, merged(words, json!({ "reply_to_message": original })));
        assert_eq!(gist(&fake.take_sent(1).await), [(expected.clone(), Some(question), true)]);
    }
    let without = fake.post(group, BEN, json!({"text": "/where"}));
    let missing = text::photo_missing(Lang::En, Platform::Telegram);
    assert_eq!(gist(&fake.take_sent(1).await), [(missing, Some(without), false)]);
    bot.stop().await;
}

#[tokio::test]
async fn in_groups_only_who_asks_is_answered() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let group = fake.group();
    let photo = || json!({ "photo": fake.photo(jpeg(RED)) });
    let overheard = fake.post(group, AOI, photo());
    fake.post(group, AOI, json!({"text": "どこかな"}));
    fake.post(group, AOI, merged(photo(), json!({"caption": "/where@AnotherBot"})));
    fake.post(group, AOI, json!({"text": "/teach"}));
    fake.post(group, AOI, json!({"text": "nice", "reply_to_message": fake.message(group, overheard)}));
    let asked = [merged(photo(), json!({"caption": "/where"})), merged(photo(), mention("caption"))];
    let expected = expected_answer(Lang::Ja, jpeg(RED)).await;
    let mut answered = Vec::new();
    for fields in asked {
        let question = fake.post(group, AOI, fields);
        // Messages of one chat are answered in their order: were an earlier one answered, it would come first.
        answered.extend(gist(&fake.take_sent(1).await));
        assert_eq!(answered.last(), Some(&(expected.clone(), Some(question), true)));
    }
    bot.stop().await;
    assert_eq!((answered.len(), fake.count_calls("getFile")), (2, 2), "nothing overheard is even downloaded");
}

#[tokio::test]
async fn a_photo_in_answer_to_the_bot_is_a_question() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let group = fake.group();
    let help = fake.post(group, BEN, json!({"text": "/help"}));
    let sent = fake.take_sent(1).await;
    assert_eq!(gist(&sent), [(text::help(Lang::En, Platform::Telegram, Role::Member), Some(help), false)]);
    let of_bot = fake.message(group, help + 1);
    fake.post(group, BEN, json!({"text": "thanks!", "reply_to_message": of_bot}));
    let question = fake.post(group, BEN, json!({"photo": fake.photo(jpeg(BLUE)), "reply_to_message": of_bot}));
    let expected = expected_answer(Lang::En, jpeg(BLUE)).await;
    assert_eq!(gist(&fake.take_sent(1).await), [(expected, Some(question), true)]);
    bot.stop().await;
}

#[tokio::test]
async fn commands_and_words_in_private() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    for user in [AOI, BEN] {
        let (lang, chat) = (lang(user), fake.private_chat(user));
        let help = text::help(lang, Platform::Telegram, Role::Member);
        let model = text::model(lang, &support::manifest(), &support::core().identity());
        for (words, expected) in [
            ("/start", help.clone()),
            ("/help", help),
            ("/model", model),
            ("/privacy", text::privacy(lang, Platform::Telegram)),
            ("/teach now", text::command_unknown(lang, "teach")),
            ("hello", text::photo_wanted(lang)),
        ] {
            let question = fake.post(chat, user, json!({ "text": words }));
            assert_eq!(gist(&fake.take_sent(1).await), [(expected, Some(question), false)]);
        }
    }
    bot.stop().await;
}

#[tokio::test]
async fn the_menu_is_the_command_enum_in_both_languages() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    fake.called("getUpdates").await;
    for (tag, lang) in [("ja", Lang::Ja), ("en", Lang::En), ("de", Lang::En)] {
        let shown = Command::menu(Role::Member);
        let expected: Vec<(String, String)> =
            shown.map(|command| (command.name().to_owned(), text::command(lang, command))).collect();
        assert_eq!(fake.menu(fake.group(), tag), expected);
    }
    bot.stop().await;
}

#[tokio::test]
async fn every_bad_photo_has_its_sentence() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let limit = 20 << 20;
    let heic = [b"\0\0\0\x18ftypheic".as_slice(), &[0; 100]].concat();
    let unsaid = fake.upload(vec![7; limit + 5], limit);
    let unsaid = json!({"file_id": unsaid, "file_unique_id": "d"});
    let stated = merged(fake.document(b"x".to_vec(), "huge.jpg", "image/jpeg"), json!({"file_size": 30 << 20}));
    let refused = json!({"file_id": fake.upload(b"x".to_vec(), limit + 1), "file_unique_id": "d"});
    let file = |bytes: &[u8]| fake.document(bytes.to_vec(), "street.jpg", "image/jpeg");
    let cases = [
        (file(b""), PhotoError::Empty),
        (file(b"just words"), PhotoError::NotAPicture),
        (file(&jpeg(RED)[..500]), PhotoError::Truncated),
        (file(&heic), PhotoError::UnsupportedFormat { format: "HEIC" }),
        (stated, PhotoError::TooManyBytes { bytes: 30 << 20, limit }),
        (refused, PhotoError::TooManyBytes { bytes: limit + 1, limit }),
        (unsaid, PhotoError::TooManyBytes { bytes: limit + 1, limit }),
    ];
    for (user, (document, error)) in [AOI, BEN].into_iter().flat_map(|user| cases.clone().map(|case| (user, case))) {
        let question = fake.post(fake.private_chat(user), user, json!({ "document": document }));
        let expected = text::photo_error(lang(user), &error);
        assert_eq!(gist(&fake.take_sent(1).await), [(expected, Some(question), false)]);
    }
    bot.stop().await;
    assert_eq!(fake.count_calls("download"), 2 * 5, "what is known to be too large is not downloaded");
}

#[tokio::test]
async fn too_many_questions_are_refused_once() {
    let fake = FakeTelegram::start().await;
    let now = std::time::Instant::now();
    let limits = Limits { per_user_per_minute: 2, per_chat_per_minute: 100 };
    let conversation = Conversation::new(support::core(), limits, std::sync::Arc::new(move || now));
    let bot = Bot::start(&fake, conversation);
    let (aoi, ben) = (fake.private_chat(AOI), fake.private_chat(BEN));
    for _ in 0..5 {
        fake.post(aoi, AOI, json!({ "photo": fake.photo(jpeg(RED)) }));
    }
    let sent = fake.take_sent(3).await;
    assert!(sent[0].photo.is_some() && sent[1].photo.is_some());
    assert_eq!(sent[2].text, text::slow_down(Lang::Ja, std::time::Duration::from_secs(30)));
    fake.post(ben, BEN, json!({ "photo": fake.photo(jpeg(BLUE)) }));
    assert_eq!(
        fake.take_sent(1).await[0].text,
        expected_answer(Lang::En, jpeg(BLUE)).await,
        "others are not concerned"
    );
    bot.stop().await;
    assert_eq!(fake.count_calls("getFile"), 3);
}

#[tokio::test]
async fn telegrams_limits_are_waited_for_and_its_refusals_survived() {
    let fake = FakeTelegram::start().await;
    fake.fail_next("setMyCommands", Failure::TooManyRequests { retry_after: 0 });
    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.private_chat(BEN);
    let photo = |colour| json!({ "photo": fake.photo(jpeg(colour)) });
    let expected = expected_answer(Lang::En, jpeg(RED)).await;
    // The fake counts a call before the time is up as a violation.
    fake.fail_next("sendPhoto", Failure::TooManyRequests { retry_after: 47 });
    let first = fake.post(chat, BEN, photo(RED));
    assert_eq!(gist(&fake.take_sent(1).await), [(expected.clone(), Some(first), true)]);
    assert!(fake.clock().waits().contains(&47), "exactly as long as it says: {:?}", fake.clock().waits());
    fake.fail_next("sendPhoto", Failure::TooManyRequests { retry_after: 86_400 });
    fake.post(chat, BEN, photo(GREEN));
    fake.post(chat, BEN, json!({"text": "/privacy"}));
    let other = fake.private_chat(AOI);
    let words = fake.post(other, AOI, json!({"text": "/privacy"}));
    let sent = gist(&fake.take_sent(1).await);
    assert_eq!(sent[0].1, Some(words), "an answer after a day helps nobody, and holds up no other chat");
    bot.stop().await;
    assert_eq!(fake.count_calls("sendMessage"), 1, "where Telegram wants silence for a day, nothing is tried");
}

/// The fake itself holds the limits against every call of every test; here they are reached.
#[tokio::test]
async fn what_the_bot_says_keeps_telegrams_pace() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let (group, began) = (fake.group(), fake.clock().now());
    for _ in 0..25 {
        fake.post(group, BEN, json!({"text": "/privacy"}));
        fake.post(fake.private_chat(AOI), AOI, json!({"text": "/privacy"}));
    }
    assert_eq!(fake.take_sent(50).await.len(), 50);
    let seconds = fake.clock().now().duration_since(began).as_secs();
    assert!((60..120).contains(&seconds), "25 messages in a group take a minute and a little: {seconds} s");
    bot.stop().await;
}

#[tokio::test]
async fn a_flood_of_one_person_starves_nobody_and_costs_nothing() {
    let fake = FakeTelegram::start().await;
    let now = std::time::Instant::now();
    let bot =
        Bot::start(&fake, Conversation::new(support::core(), Limits::default(), std::sync::Arc::new(move || now)));
    let (flood, chat) = (fake.private_chat(AOI), fake.private_chat(BEN));
    let photo = fake.photo(jpeg(RED));
    fake.post_all(flood, AOI, vec![json!({ "photo": photo }); 5_000]);
    let question = fake.post(chat, BEN, json!({ "photo": fake.photo(jpeg(BLUE)) }));
    let expected = expected_answer(Lang::En, jpeg(BLUE)).await;
    let look = |sent: &[Sent]| sent.iter().any(|sent| sent.reply_to == Some(question)).then_some(());
    fake.find_sent("the answer to the other", look).await;
    fake.all_confirmed().await;
    bot.stop().await;
    let sent = fake.take_sent(12).await;
    let others: Vec<&Sent> = sent.iter().filter(|sent| sent.chat == chat).collect();
    assert_eq!(others.iter().map(|sent| &sent.text).collect::<Vec<_>>(), [&expected]);
    assert_eq!((sent.len(), fake.count_calls("getFile")), (12, 11), "ten photos, one refusal, and silence");
}

#[tokio::test]
async fn where_pictures_are_forbidden_the_words_are_sent() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let group = fake.group();
    fake.fail_next("sendPhoto", Failure::Refusal("not enough rights to send photos to the chat"));
    let fields = json!({"photo": fake.photo(jpeg(RED)), "caption": "/where"});
    let question = fake.post(group, BEN, fields);
    let expected = expected_answer(Lang::En, jpeg(RED)).await;
    assert_eq!(gist(&fake.take_sent(1).await), [(expected, Some(question), false)]);
    bot.stop().await;
}

#[tokio::test]
async fn a_question_deleted_in_the_meantime_is_still_answered() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.private_chat(BEN);
    fake.hold_downloads(true);
    let question = fake.post(chat, BEN, json!({ "photo": fake.photo(jpeg(RED)) }));
    fake.called("download").await;
    fake.delete(chat, question);
    fake.hold_downloads(false);
    assert_eq!(fake.take_sent(1).await[0].reply_to, None);
    bot.stop().await;
}

#[tokio::test]
async fn broken_downloads_are_apologised_for_and_the_token_is_never_logged() {
    let (logs, _guard) = support::Logs::capture();
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let apology = DeliveryError::Download(String::new());
    for (user, failure) in [(AOI, Failure::BrokenDownload), (BEN, Failure::BadGateway)] {
        fake.fail_next("download", failure);
        fake.post(fake.private_chat(user), user, json!({ "photo": fake.photo(jpeg(RED)) }));
        assert_eq!(fake.take_sent(1).await[0].text, text::delivery_error(lang(user), &apology));
    }
    bot.stop().await;
    let text = logs.text();
    assert!(text.contains("a photo did not arrive"), "else this test proves nothing");
    let (_, secret) = TOKEN.split_once(':').expect("a token has two parts");
    assert!(!text.contains(secret), "{text}");
}

#[tokio::test]
async fn a_wrong_token_ends_the_run_and_is_not_quoted() {
    let fake = FakeTelegram::start().await;
    let settings = Settings { token: "4242:wrong-secret".into(), ..settings(&fake, Mode::Polling) };
    let error = run(settings, conversation(generous()), nothing_to_announce(), CancellationToken::new())
        .await
        .expect_err("refused");
    let words = format!("{error:?}");
    assert!(words.contains("@BotFather") && !words.contains("wrong-secret"), "{words}");
}

#[tokio::test]
async fn odd_updates_are_passed_over() {
    let fake = FakeTelegram::start().await;
    let chat = fake.private_chat(BEN);
    let edited = fake.post(chat, BEN, json!({"text": "/privacy"}));
    let message = fake.message(chat, edited);
    for odd in [
        json!({"edited_message": merged(message, json!({"edit_date": 1_760_000_001}))}),
        json!({"channel_post": {"message_id": 1, "date": 0, "chat": {"id": -5, "type": "channel"}, "text": "/help"}}),
        json!({"message": {"message_id": 2}}),
        json!({"message": {"message_id": 3, "date": 0, "chat": {"id": 12, "type": "private"}, "text": "no sender"}}),
        json!({"message": {"message_id": 4, "date": 0, "chat": {"id": 12, "type": "private"}, "photo": [],
            "from": {"id": 99, "is_bot": true, "first_name": "Bot"}}}),
        json!({"something_new": {"nobody": "knows"}}),
        json!({}),
    ] {
        fake.push_update(odd);
    }
    let last = fake.post(chat, BEN, json!({"text": "hello"}));
    let bot = Bot::start(&fake, conversation(generous()));
    let replies: Vec<Option<i64>> = fake.take_sent(2).await.iter().map(|sent| sent.reply_to).collect();
    assert_eq!(replies, [Some(edited), Some(last)], "each good update is answered once, the edit is not");
    bot.stop().await;
    assert_eq!(fake.unconfirmed(), 0);
}

#[tokio::test]
async fn a_stop_lets_the_photo_in_flight_be_answered() {
    let fake = FakeTelegram::start().await;
    let bot = Bot::start(&fake, conversation(generous()));
    let chat = fake.private_chat(AOI);
    fake.hold_downloads(true);
    let question = fake.post(chat, AOI, json!({ "photo": fake.photo(jpeg(RED)) }));
    fake.called("download").await;
    bot.stop.cancel();
    fake.hold_downloads(false);
    bot.stop().await;
    let expected = expected_answer(Lang::Ja, jpeg(RED)).await;
    assert_eq!(gist(&fake.take_sent(1).await), [(expected, Some(question), true)]);
    assert_eq!(fake.unconfirmed(), 0);
}

#[tokio::test]
async fn a_stop_answers_the_album_that_still_might_have_grown() {
    let fake = FakeTelegram::start().await;
    let (bot, listen) = Bot::with_webhook(&fake, conversation(generous())).await;
    let chat = fake.private_chat(BEN);
    let parts = [RED, BLUE].map(|colour| json!({"photo": fake.photo(jpeg(colour)), "media_group_id": "album"}));
    fake.post_all(chat, BEN, parts.to_vec());
    assert_eq!(fake.call_webhook(listen, SECRET).await, [200, 200]);
    bot.stop().await;
    assert_eq!(fake.take_sent(2).await.len(), 2);
}

#[tokio::test]
async fn the_webhook_wants_its_secret() {
    let fake = FakeTelegram::start().await;
    let (bot, listen) = Bot::with_webhook(&fake, conversation(generous())).await;
    let hook = fake.webhook().await;
    assert_eq!((hook.url.as_str(), hook.secret.as_str()), ("https://bot.example/telegram/hook", SECRET));
    let chat = fake.private_chat(BEN);
    let question = fake.post(chat, BEN, json!({ "photo": fake.photo(jpeg(RED)) }));
    for wrong in ["", "webhook_secret-2", "webhook_secret", "webhook_secret-1x"] {
        assert_eq!(fake.call_webhook(listen, wrong).await, [401], "{wrong:?}");
    }
    assert_eq!(fake.call_webhook(listen, SECRET).await, [200]);
    let expected = expected_answer(Lang::En, jpeg(RED)).await;
    assert_eq!(gist(&fake.take_sent(1).await), [(expected, Some(question), true)]);
    bot.stop().await;
    assert_eq!(fake.count_calls("getUpdates"), 0);
}

#[tokio::test]
async fn the_webhook_is_robust() {
    let fake = FakeTelegram::start().await;
    let (bot, listen) = Bot::with_webhook(&fake, conversation(generous())).await;
    let chat = fake.private_chat(BEN);
    let call = |path: &str, body: String| {
        let call = reqwest::Client::new().post(format!("http://{listen}{path}"));
        call.header("X-Telegram-Bot-Api-Secret-Token", SECRET).body(body).send()
    };
    let hook = "/telegram/hook";
    fake.webhook().await;
    for (path, body, status) in
        [(hook, "no json".to_owned(), 200), (hook, "x".repeat(2 << 20), 413), ("/other", "{}".to_owned(), 404)]
    {
        assert_eq!(call(path, body).await.expect("it listens").status().as_u16(), status);
    }
    let twice = json!({"update_id": 900, "message": {"message_id": fake.post(chat, BEN, json!({"text": "x"})),
        "date": 0, "text": "/privacy", "chat": {"id": chat, "type": "private"},
        "from": {"id": BEN.id, "is_bot": false, "first_name": "B", "language_code": "en"}}});
    for _ in 0..2 {
        assert_eq!(call(hook, twice.to_string()).await.expect("it listens").status().as_u16(), 200);
    }
    bot.stop().await;
    let texts: Vec<String> = fake.take_sent(1).await.into_iter().map(|sent| sent.text).collect();
    assert_eq!(texts, [text::privacy(Lang::En, Platform::Telegram)], "a repeated update is answered once");
}

/// The strictness of the fake is what the other tests stand on.
#[tokio::test]
async fn the_fake_refuses_what_telegram_refuses() {
    let fake = FakeTelegram::start().await;
    let chat = fake.private_chat(BEN);
    let message = fake.post(chat, BEN, json!({"text": "x"}));
    let to = json!({ "message_id": message });
    for (method, params) in [
        ("launchRocket", json!({})),
        ("getMe", json!({"verbose": true})),
        ("getUpdates", json!({"offset": -1})),
        ("getUpdates", json!({"limit": 101})),
        ("getFile", json!({"file_id": "unknown"})),
        ("getFile", json!({})),
        ("sendMessage", json!({"chat_id": chat, "text": "", "reply_parameters": to})),
        ("sendMessage", json!({"chat_id": chat, "text": "x".repeat(4_097), "reply_parameters": to})),
        ("sendMessage", json!({"chat_id": chat.to_string(), "text": "x", "reply_parameters": to})),
        ("sendMessage", json!({"chat_id": 404, "text": "x", "reply_parameters": to})),
        ("sendMessage", json!({"chat_id": chat, "text": "x", "reply_parameters": {"message_id": 404}})),
        ("sendPhoto", json!({"chat_id": chat, "photo": "attach://nothing", "reply_parameters": to})),
        ("sendChatAction", json!({"chat_id": chat, "action": "dancing"})),
        ("setMyCommands", json!({"commands": [{"command": "Where", "description": "x"}]})),
        ("setWebhook", json!({"url": "http://bot.example", "secret_token": "x"})),
    ] {
        let call = reqwest::Client::new().post(format!("{}/bot{TOKEN}/{method}", fake.url()));
        let status = call.body(params.to_string()).send().await.expect("it listens").status();
        assert!(status.is_client_error(), "{method} {params}: {status}");
        assert_eq!(fake.take_violations().len(), 1, "{method} {params}");
    }
    let wrong = reqwest::get(format!("{}/bot4242:wrong/getMe", fake.url())).await.expect("it listens");
    assert_eq!(wrong.status().as_u16(), 401);
}

/// Where the published description of the Bot API lies beside the checkout, calls are held against it too.
#[tokio::test]
async fn the_published_description_is_used_where_it_is() {
    if support::specs().is_none() {
        return;
    }
    let fake = FakeTelegram::start().await;
    let chat = fake.private_chat(BEN);
    let message = fake.post(chat, BEN, json!({"text": "x"}));
    // Only the description knows the fields of objects.
    let params = json!({"chat_id": chat, "text": "x", "reply_parameters": {"message_id": message, "mood": "good"}});
    let call = reqwest::Client::new().post(format!("{}/bot{TOKEN}/SendMessage", fake.url()));
    assert_eq!(call.body(params.to_string()).send().await.expect("it listens").status().as_u16(), 400);
    assert!(fake.take_violations()[0].contains("mood"));
}

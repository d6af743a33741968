//! What rounds need of Discord: announcements, buttons, options.

use kokodoko::chat::message::{Announcement, Button, Buttons, Canvas, Notice, Picture, Reply, Undelivered};
use kokodoko::chat::press::Press;
use kokodoko::chat::{ChatRef, Lang, Platform, text};
use kokodoko::domain::quiz::RoundId;
use serde_json::json;
use tokio::sync::oneshot;

use super::{Bench, CHANNEL, HANA};
use crate::fake::discord::event::press;
use crate::fake::discord::{Fake, Place};
use crate::support::generous;

const ROUND: RoundId = RoundId(7);

type Done = oneshot::Receiver<Result<i64, Undelivered>>;

impl Bench {
    async fn announce(&self, channel: u64, what: Notice) -> Done {
        let (done, told) = oneshot::channel();
        let to = ChatRef { platform: Platform::Discord, id: channel.cast_signed() };
        let announcement = Announcement { to, thread: None, what, done };
        self.announcements.send(announcement).await.expect("the bot runs");
        told
    }

    /// Announces a message in the channel; returns its number.
    async fn shows(&self, reply: Reply) -> u64 {
        let told = self.announce(CHANNEL, Notice::Send(reply)).await;
        told.await.expect("an outcome").expect("delivered").cast_unsigned()
    }
}

fn picture(name: &str) -> Picture {
    Picture { name: name.to_owned(), bytes: vec![0xff, 0xd8], alt: "photos".to_owned() }
}

fn button(label: &str, press: Press) -> Button {
    Button { label: label.to_owned(), press }
}

fn numbers(count: u8) -> Buttons {
    let open = |number: u8| button(&number.to_string(), Press::Open { round: ROUND, number });
    vec![(1..=count).map(open).collect()]
}

fn grid() -> Reply {
    Reply { buttons: numbers(9), ..Reply::picture("Beat the model! <@40> @everyone".to_owned(), picture("grid.jpg")) }
}

fn bell(message: u64) -> Notice {
    Notice::Edit {
        message: message.cast_signed(),
        text: "Time is up.".to_owned(),
        buttons: Vec::new(),
        picture: Canvas::Kept,
    }
}

fn words(text: &str) -> Notice {
    Notice::Send(Reply::words(text.to_owned()))
}

#[tokio::test]
async fn a_round_is_shown_and_its_bell_takes_the_buttons_away_and_leaves_the_picture() {
    let bench = Bench::start().await;
    let message = bench.shows(grid()).await;
    let shown = bench.fake.shown(message).expect("it stands");
    assert_eq!(shown.labels(), [vec!["1", "2", "3", "4", "5"], vec!["6", "7", "8", "9"]]);
    assert_eq!((shown.channel, shown.files.len(), shown.ephemeral), (CHANNEL, 1, false));
    let told = bench.announce(CHANNEL, bell(message)).await;
    assert_eq!(told.await.expect("an outcome"), Ok(message.cast_signed()));
    let shown = bench.fake.shown(message).expect("it stands");
    assert_eq!((&*shown.content, shown.labels().len(), shown.files.len()), ("Time is up.", 0, 1));
    bench.finish().await;
}

#[tokio::test]
async fn words_are_edited_and_a_new_picture_takes_the_place_of_the_old() {
    let bench = Bench::start().await;
    let edit = |message: u64, text: &str, picture| Notice::Edit {
        message: message.cast_signed(),
        text: text.to_owned(),
        buttons: numbers(2),
        picture,
    };
    let message = bench.shows(Reply::words("10 %".to_owned())).await;
    let told = bench.announce(CHANNEL, edit(message, "20 % *", Canvas::None)).await;
    assert_eq!(told.await.expect("an outcome"), Ok(message.cast_signed()));
    let shown = bench.fake.shown(message).expect("it stands");
    assert_eq!((&*shown.content, shown.labels().len(), shown.files.len()), ("20 % \\*", 1, 0));

    let message = bench.shows(grid()).await;
    let told = bench.announce(CHANNEL, edit(message, "30 %", Canvas::New(picture("curve.jpg")))).await;
    assert_eq!(told.await.expect("an outcome"), Ok(message.cast_signed()));
    let shown = bench.fake.shown(message).expect("it stands");
    let names: Vec<&str> = shown.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!((&*shown.content, names), ("30 %", vec!["curve.jpg"]));

    bench.fake.delete_message(message);
    let told = bench.announce(CHANNEL, edit(message, "40 %", Canvas::Kept)).await;
    assert!(matches!(told.await.expect("an outcome"), Err(Undelivered::Refused(_))));
    bench.finish().await;
}

#[tokio::test]
async fn an_album_is_one_message() {
    let bench = Bench::start().await;
    let album: Vec<Picture> = (1..=9).map(|number| picture(&format!("{number}.jpg"))).collect();
    let message = bench.shows(Reply { text: "All nine".to_owned(), album, ..Reply::default() }).await;
    let names: Vec<String> = bench.fake.shown(message).expect("it stands").files.into_iter().map(|f| f.name).collect();
    assert_eq!(names.len(), 9);
    assert_eq!((&*names[0], &*names[8]), ("1.jpg", "9.jpg"));
    assert_eq!(bench.finish().await.len(), 1);
}

#[tokio::test]
async fn announcements_keep_their_order_in_a_channel_and_channels_do_not_wait_for_each_other() {
    let bench = Bench::start().await;
    bench.fake.fail("POST /channels/20/messages", 503, 0);
    let first = bench.announce(CHANNEL, words("one")).await;
    let second = bench.announce(CHANNEL, words("two")).await;
    let elsewhere = bench.announce(21, words("elsewhere")).await;
    for told in [elsewhere, first, second] {
        told.await.expect("an outcome").expect("delivered");
    }
    let said: Vec<String> = bench.finish().await.into_iter().map(|sent| sent.content).collect();
    assert_eq!(said, ["elsewhere", "one", "two"]);
}

#[tokio::test]
async fn what_cannot_arrive_is_refused_and_what_may_pass_is_for_later() {
    let bench = Bench::start().await;
    let message = bench.shows(grid()).await;
    bench.fake.delete_message(message);
    let gone = bench.announce(CHANNEL, bell(message)).await.await.expect("an outcome");
    assert!(matches!(gone, Err(Undelivered::Refused(_))), "{gone:?}");
    bench.fake.fail("POST /channels/20/messages", 403, 50_013);
    let forbidden = bench.announce(CHANNEL, words("a")).await.await.expect("an outcome");
    assert!(matches!(forbidden, Err(Undelivered::Refused(_))), "{forbidden:?}");
    for _ in 0..3 {
        bench.fake.fail("POST /channels/20/messages", 500, 0);
    }
    let down = bench.announce(CHANNEL, words("a")).await.await.expect("an outcome");
    assert!(matches!(down, Err(Undelivered::Later(_))), "{down:?}");
    // Nobody waits for an hour.
    bench.fake.limit("POST /channels/20/messages", 3_600);
    let limited = bench.announce(CHANNEL, words("a")).await.await.expect("an outcome");
    assert!(matches!(limited, Err(Undelivered::Later(_))), "{limited:?}");
    assert_eq!(bench.finish().await.len(), 1);
}

#[tokio::test]
async fn silence_lasts_exactly_as_long_as_discord_says_and_then_it_is_said_once() {
    let bench = Bench::start().await;
    // Twice in a row, and with a file: the whole request is made again.
    for seconds in [7, 3] {
        bench.fake.limit("POST /channels/20/messages", seconds);
    }
    let told = bench.announce(CHANNEL, Notice::Send(grid())).await;
    told.await.expect("an outcome").expect("delivered");
    let next = bench.announce(CHANNEL, words("after it")).await;
    next.await.expect("an outcome").expect("delivered");
    assert_eq!(bench.fake.clock().waits(), [7, 3]);
    let sent = bench.finish().await;
    assert_eq!(sent.iter().map(|sent| sent.files.len()).collect::<Vec<_>>(), [1, 0]);
}

#[tokio::test]
async fn a_stop_hands_back_what_was_not_begun() {
    let fake = Fake::start().await;
    fake.fail("GET /oauth2/applications/@me", 503, 0);
    let bench = Bench::launch(fake, crate::fake::discord::TOKEN, crate::support::conversation(generous()));
    bench.fake.requested("GET /oauth2/", 1).await;
    let told = bench.announce(CHANNEL, words("a")).await;
    assert!(bench.finish().await.is_empty());
    assert!(matches!(told.await.expect("an outcome"), Err(Undelivered::Later(_))));
}

#[tokio::test]
async fn a_stale_button_is_explained_to_its_presser_alone_and_only_once() {
    let bench = Bench::start().await;
    let message = bench.shows(grid()).await;
    let id = bench.fake.id();
    let shown = crate::fake::discord::event::message(message, CHANNEL, &super::me());
    for _ in 0..2 {
        bench.fake.dispatch("INTERACTION_CREATE", &press(id, HANA, &shown, "0a:7:1:0"));
    }
    bench.fake.sent(2).await;
    let sent = bench.finish().await;
    assert_eq!(sent.len(), 2);
    assert_eq!((&sent[1].place, sent[1].ephemeral), (&Place::Immediate(id), true));
    assert_eq!(super::shown(&sent[1]), text::stale_button(Lang::En));
}

#[tokio::test]
async fn the_options_of_the_commands_are_registered() {
    let bench = Bench::start().await;
    let registered = bench.fake.commands();
    let quiz = registered.iter().find(|command| command["name"] == "quiz").expect("registered");
    let options: Vec<(&str, u64)> = quiz["options"]
        .as_array()
        .expect("options")
        .iter()
        .map(|option| (option["name"].as_str().expect("a name"), option["type"].as_u64().expect("a type")))
        .collect();
    assert_eq!(options, [("photos", 3), ("seconds", 4), ("difficulty", 3), ("areas", 3)]);
    assert_eq!((&quiz["options"][1]["min_value"], &quiz["options"][1]["max_value"]), (&json!(15), &json!(600)));
    assert_eq!(quiz["options"][2]["choices"][2], json!({"name": "hard", "value": "hard"}));
    assert!(quiz["options"][0]["description_localizations"]["ja"].is_string());
    bench.finish().await;
}

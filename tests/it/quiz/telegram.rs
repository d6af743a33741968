//! Rounds in a Telegram group.

use kokodoko::chat::{ChatRef, Lang, Platform, Post, text};
use kokodoko::front::telegram::{Mode, Settings, run};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{Seat, Venue};
use crate::fake::telegram::{AOI, BEN, CHIE, Failure, FakeTelegram, Sent, TOKEN, User};
use crate::support::keep;

/// The whole program at a venue.
struct Bot {
    seat: Seat,
    front: JoinHandle<anyhow::Result<()>>,
}

impl Bot {
    async fn start(fake: &FakeTelegram, venue: &Venue) -> Self {
        let mut post = Post::default();
        let announcements = post.connect(Platform::Telegram);
        let seat = venue.seat(post).await;
        let settings =
            Settings { token: TOKEN.into(), api_url: Some(fake.url()), mode: Mode::Polling, max_photo_bytes: 20 << 20 };
        let front = tokio::spawn(run(settings, seat.conversation.clone(), announcements, seat.stop.clone()));
        Self { seat, front }
    }

    async fn stop(self) {
        self.seat.stop.cancel();
        self.front.await.expect("no panic").expect("a clean end");
        self.seat.leave().await;
    }

    /// Payload of an answer.
    async fn right(&self, round: i64, number: u8) -> usize {
        self.seat.round(round).await.questions[usize::from(number) - 1].truth
    }
}

fn answer(round: i64, number: u8, choice: usize) -> String {
    format!("1a:{round}:{number}:{choice}")
}

/// Begins a round; its message. The round is open then: the bot knows that its picture is out.
async fn begin(fake: &FakeTelegram, bot: &Bot, chat: i64, words: &str) -> Sent {
    fake.post(chat, AOI, json!({ "text": words }));
    let sent = fake.take_sent(1).await.remove(0);
    bot.seat.opened(&ChatRef { platform: Platform::Telegram, id: chat }).await;
    sent
}

#[tokio::test]
async fn three_people_play_nine_photos_to_the_end() {
    let (fake, venue) = (FakeTelegram::start().await, Venue::open());
    let bot = Bot::start(&fake, &venue).await;
    let chat = fake.group();
    let grid = begin(&fake, &bot, chat, "/quiz@KokodokoBot 9").await;
    let picture = image::load_from_memory(grid.photo.as_ref().expect("a picture")).expect("readable");
    assert_eq!((picture.width(), picture.height()), (1_200, 1_264));
    assert!(grid.text.contains("封印"), "{}", grid.text);
    let rows = fake.shown(chat, grid.id)["reply_markup"]["inline_keyboard"].as_array().map(Vec::len);
    assert_eq!(rows, Some(10), "a row a photo, and the large photos");

    // Aoi knows everything, Ben the first three photos, Chie nothing.
    for number in 1..=9 {
        let truth = bot.right(1, number).await;
        let wrong = (truth + 1) % 3;
        venue.clock.pass(1);
        for (user, choice) in [(AOI, truth), (BEN, if number <= 3 { truth } else { wrong }), (CHIE, wrong)] {
            let press = fake.press_data(chat, user, grid.id, &answer(1, number, choice));
            let notice = fake.answer_to(&press).await;
            let lang = Lang::from_tag(user.language);
            let area = bot.seat.round(1).await.areas[choice].clone();
            assert_eq!(notice, text::quiz::answered(lang, number, &area, number, 9));
        }
    }
    venue.clock.pass(11);
    let revealed = fake.take_sent(2).await;
    let closed = fake.shown(chat, grid.id);
    assert_eq!(closed["caption"], text::quiz::closed(Lang::Ja));
    assert!(closed["reply_markup"].is_null(), "no buttons after the bell: {closed}");
    assert!(revealed[0].photo.is_some() && revealed[0].text.contains("モデル colours"), "{}", revealed[0].text);
    assert!(revealed[1].text.contains("1. ") && revealed[1].text.contains("/rematch "), "{}", revealed[1].text);

    let outcome = bot.seat.quiz.store().outcome(bot.seat.round(1).await.id).await.expect("readable").expect("closed");
    let sums: Vec<(&str, u8, bool)> =
        outcome.entries.iter().map(|entry| (entry.name.as_str(), entry.right, entry.points > 0)).collect();
    assert_eq!(sums, [("Aoi", 9, true), ("Ben", 3, true), ("Chie", 0, false)]);
    assert_eq!(revealed[0].text, text::quiz::results(Lang::Ja, &outcome));
    assert_eq!(revealed[1].text, text::quiz::reveal(Lang::Ja, &outcome));

    fake.post(chat, BEN, json!({"text": "/leaderboard"}));
    let board = fake.take_sent(1).await.remove(0);
    assert!(board.photo.is_some(), "{}", board.text);
    fake.post(chat, AOI, json!({"text": "/versus"}));
    let versus = fake.take_sent(1).await.remove(0);
    for (name, sent) in
        [("grid.jpg", &grid), ("reveal.jpg", &revealed[0]), ("leaderboard.png", &board), ("versus.png", &versus)]
    {
        keep(name, sent.photo.as_ref().expect("a picture"));
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_keeps_answers_and_deadline() {
    let (fake, venue) = (FakeTelegram::start().await, Venue::open());
    let chat = fake.group();
    let bot = Bot::start(&fake, &venue).await;
    let grid = begin(&fake, &bot, chat, "/quiz 3").await;
    let truth = bot.right(1, 1).await;
    let press = fake.press_data(chat, BEN, grid.id, &answer(1, 1, truth));
    fake.answer_to(&press).await;
    bot.stop().await;

    let bot = Bot::start(&fake, &venue).await;
    let truth = bot.right(1, 2).await;
    let press = fake.press_data(chat, BEN, grid.id, &answer(1, 2, truth));
    fake.answer_to(&press).await;
    venue.clock.pass(61);
    fake.take_sent(2).await;
    let round = bot.seat.round(1).await;
    let outcome = bot.seat.quiz.store().outcome(round.id).await.expect("readable").expect("closed");
    assert_eq!((outcome.entries[0].answered, outcome.entries[0].right), (2, 2));
    bot.stop().await;
}

#[tokio::test]
async fn every_press_is_defined() {
    let (fake, venue) = (FakeTelegram::start().await, Venue::open());
    let bot = Bot::start(&fake, &venue).await;
    let chat = fake.group();
    let grid = begin(&fake, &bot, chat, "/quiz 3").await;
    let press = |user: User, data: &str| fake.press_data(chat, user, grid.id, data);

    // Twice delivered, and pressed by two at the same moment: each counts once.
    let data = answer(1, 1, 0);
    let (first, other) = (press(BEN, &data), press(CHIE, &data));
    fake.deliver_again(&first, chat, BEN, grid.id, &data);
    fake.answer_to(&first).await;
    fake.answer_to(&other).await;

    // Buttons of another round, another photo, another age.
    for (data, words) in [
        (answer(7, 1, 0), text::quiz::refusal(Lang::En, kokodoko::domain::quiz::Refusal::Unknown)),
        (answer(1, 4, 0), text::quiz::refusal(Lang::En, kokodoko::domain::quiz::Refusal::Unknown)),
        ("0x".to_owned(), text::stale_button(Lang::En)),
    ] {
        let id = press(BEN, &data);
        assert_eq!(fake.answer_to(&id).await, words);
    }

    // Who has left is told so; who comes back plays on.
    fake.leave(chat, BEN);
    fake.post(chat, BEN, json!({"text": "/score@KokodokoBot"}));
    fake.take_sent(1).await;
    let id = press(BEN, &answer(1, 2, 0));
    assert_eq!(fake.answer_to(&id).await, text::quiz::refusal(Lang::En, kokodoko::domain::quiz::Refusal::Left));
    fake.come_back(chat, BEN);
    fake.post(chat, BEN, json!({"text": "/score@KokodokoBot"}));
    fake.take_sent(1).await;
    let id = press(BEN, &answer(1, 2, 0));
    assert!(fake.answer_to(&id).await.contains("2 of 3"));

    // After the bell.
    venue.clock.pass(61);
    fake.take_sent(2).await;
    let id = press(CHIE, &answer(1, 2, 0));
    assert_eq!(fake.answer_to(&id).await, text::quiz::refusal(Lang::Ja, kokodoko::domain::quiz::Refusal::TooLate));
    let round = bot.seat.round(1).await;
    let outcome = bot.seat.quiz.store().outcome(round.id).await.expect("readable").expect("closed");
    let answered: Vec<u8> = outcome.entries.iter().map(|entry| entry.answered).collect();
    assert_eq!(answered.iter().sum::<u8>(), 3);
    bot.stop().await;
}

#[tokio::test]
async fn a_reveal_survives_rate_limits_and_a_deleted_picture() {
    let (fake, venue) = (FakeTelegram::start().await, Venue::open());
    let bot = Bot::start(&fake, &venue).await;
    let chat = fake.group();
    let grid = begin(&fake, &bot, chat, "/quiz 1").await;
    fake.delete(chat, grid.id);
    fake.fail_next("sendPhoto", Failure::TooManyRequests { retry_after: 1 });
    fake.fail_next("sendMessage", Failure::TooManyRequests { retry_after: 1 });
    venue.clock.pass(31);
    let revealed = fake.take_sent(2).await;
    assert!(revealed[0].photo.is_some() && revealed[1].photo.is_none());
    assert_eq!(revealed[0].text.lines().next(), Some("今回は回答がありませんでした。"));
    bot.stop().await;
}

#[tokio::test]
async fn one_round_a_chat_and_only_its_starter_or_an_administrator_stops_it() {
    let (fake, venue) = (FakeTelegram::start().await, Venue::open());
    let bot = Bot::start(&fake, &venue).await;
    let chat = fake.group();
    let grid = begin(&fake, &bot, chat, "/quiz 1").await;
    for (user, command, words) in [
        (
            BEN,
            "/quiz",
            text::quiz::begin_error(Lang::En, &kokodoko::quiz::BeginError::Running(Box::new(bot.seat.round(1).await))),
        ),
        (BEN, "/stop", text::quiz::not_yours(Lang::En)),
    ] {
        fake.post(chat, user, json!({ "text": command }));
        assert_eq!(fake.take_sent(1).await[0].text, words);
    }
    fake.make_administrator(chat, CHIE);
    fake.post(chat, CHIE, json!({"text": "/stop"}));
    assert_eq!(fake.take_sent(1).await[0].text, text::quiz::stopped(Lang::Ja));
    fake.shows(chat, grid.id, &text::quiz::stopped(Lang::Ja)).await;
    fake.post(chat, AOI, json!({"text": "/stop"}));
    assert_eq!(fake.take_sent(1).await[0].text, text::quiz::nothing_to_stop(Lang::Ja));
    begin(&fake, &bot, chat, "/daily").await;
    bot.stop().await;
}

#[tokio::test]
async fn large_photos_are_shown_once() {
    let (fake, venue) = (FakeTelegram::start().await, Venue::open());
    let bot = Bot::start(&fake, &venue).await;
    let chat = fake.group();
    let grid = begin(&fake, &bot, chat, "/quiz 5").await;
    let label = text::quiz::album_button(Lang::Ja);
    let press = fake.press(chat, BEN, grid.id, &label);
    assert_eq!(fake.answer_to(&press).await, "");
    assert_eq!(fake.take_sent(5).await.len(), 5);
    let press = fake.press(chat, CHIE, grid.id, &label);
    assert_eq!(fake.answer_to(&press).await, "");
    assert_eq!(fake.count_calls("sendMediaGroup"), 1);
    bot.stop().await;
}

//! Telegram: everybody presses the same buttons under the picture.

use kokodoko::chat::message::Announcement;
use kokodoko::chat::{Platform, UserRef, text};
use kokodoko::front::telegram::run;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Seat;
use super::game::{CHAT_LANG, Game};
use super::service::{Choice, Face, Said, Service, Who};
use crate::fake::telegram::{AOI, BEN, BOT_NAME, CHIE, Failure, FakeTelegram, Sent, TOKEN, User};

/// The fake Bot API with the three.
pub struct Telegram {
    fake: FakeTelegram,
}

/// A press and its payload, so that it can be delivered again.
pub struct Ticket {
    id: String,
    chat: i64,
    user: User,
    message: i64,
    data: String,
}

fn person(who: Who) -> User {
    match who {
        Who::Aoi => AOI,
        Who::Ben => BEN,
        Who::Chie => CHIE,
    }
}

fn said(sent: &Sent) -> Said {
    Said { message: sent.id, text: sent.text.clone(), picture: sent.photo.clone() }
}

impl Telegram {
    /// A message as it stands, without its picture: the fake is locked while one looks.
    fn words_and_buttons(stands: &Value) -> Option<Face> {
        if stands["deleted"] == json!(true) {
            return None;
        }
        let text = stands["text"].as_str().or(stands["caption"].as_str()).unwrap_or_default().to_owned();
        let rows = stands["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
        let buttons = rows.filter_map(Value::as_array).flatten();
        let buttons = buttons.filter_map(|button| button["text"].as_str()).map(str::to_owned).collect();
        Some(Face { text, buttons, picture: None })
    }
}

impl Service for Telegram {
    const PLATFORM: Platform = Platform::Telegram;
    type Ticket = Ticket;

    async fn open() -> Self {
        Self { fake: FakeTelegram::start().await }
    }

    async fn connect(&self, seat: &Seat, news: mpsc::Receiver<Announcement>) -> JoinHandle<anyhow::Result<()>> {
        tokio::spawn(run(self.fake.settings(), seat.conversation.clone(), news, seat.stop.clone()))
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KOKODOKO_TELEGRAM__ENABLED", "true".to_owned()),
            ("KOKODOKO_TELEGRAM__TOKEN", TOKEN.to_owned()),
            ("KOKODOKO_TELEGRAM__API_URL", self.fake.url()),
        ]
    }

    /// Updates wait for the bot: nobody has to wait for it.
    async fn listens(&self, _times: usize) {}

    async fn settled(&self) {
        self.fake.all_confirmed().await;
    }

    fn forgive(&self) {}

    /// The fake itself fails when it is dropped.
    fn finish(self) {}

    fn group(&self, number: i64) -> i64 {
        self.fake.another_group(number)
    }

    fn private(&self, who: Who) -> i64 {
        self.fake.private_chat(person(who))
    }

    fn user(&self, who: Who) -> UserRef {
        UserRef { platform: Platform::Telegram, id: person(who).id }
    }

    fn ask(&self, chat: i64, who: Who, command: &str, options: &[(&str, &str)]) -> i64 {
        let options: String = options.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        self.fake.post(chat, person(who), json!({ "text": format!("/{command}@{BOT_NAME}{options}") }))
    }

    async fn reply(&self, question: i64) -> Said {
        let answers = |sent: &[Sent]| sent.iter().find(|sent| sent.reply_to == Some(question)).map(said);
        self.fake.find_sent("a reply", answers).await
    }

    async fn unasked(&self, chat: i64, count: usize) -> Vec<Said> {
        let enough = |sent: &[Sent]| {
            let found: Vec<Said> =
                sent.iter().filter(|sent| sent.chat == chat && sent.reply_to.is_none()).map(said).collect();
            (found.len() >= count).then_some(found)
        };
        self.fake.find_sent("what nobody asked for", enough).await
    }

    async fn pictures(&self, chat: i64, count: usize) -> Vec<Vec<u8>> {
        let enough = |sent: &[Sent]| {
            let unasked = sent.iter().filter(|sent| sent.chat == chat && sent.reply_to.is_none());
            let found: Vec<Vec<u8>> = unasked.filter_map(|sent| sent.photo.clone()).collect();
            (found.len() >= count).then_some(found)
        };
        self.fake.find_sent("pictures", enough).await
    }

    fn face(&self, chat: i64, message: i64) -> Option<Face> {
        let face = Self::words_and_buttons(&self.fake.shown(chat, message))?;
        Some(Face { picture: self.fake.picture(chat, message), ..face })
    }

    async fn stands(&self, chat: i64, message: i64, look: impl Fn(&Face) -> bool) {
        let wanted = |stands: &Value| Self::words_and_buttons(stands).is_some_and(|face| look(&face));
        self.fake.stands(chat, message, wanted).await;
    }

    fn press(&self, chat: i64, who: Who, message: i64, label: &str) -> Ticket {
        let data = self.fake.data(chat, message, label);
        self.make_up(chat, who, message, &data)
    }

    fn make_up(&self, chat: i64, who: Who, message: i64, payload: &str) -> Ticket {
        let id = self.fake.press_data(chat, person(who), message, payload);
        Ticket { id, chat, user: person(who), message, data: payload.to_owned() }
    }

    /// All buttons stand under the picture, for everybody.
    async fn look(&self, _chat: i64, _who: Who, _picture: i64, _choice: Choice) -> Result<(), String> {
        Ok(())
    }

    /// The button need not be there any more: people press what their screen still shows.
    fn answer(&self, chat: i64, who: Who, picture: i64, choice: Choice) -> Ticket {
        self.make_up(chat, who, picture, &choice.payload())
    }

    fn deliver_again(&self, ticket: &Ticket) {
        self.fake.deliver_again(&ticket.id, ticket.chat, ticket.user, ticket.message, &ticket.data);
    }

    async fn heard(&self, ticket: &Ticket) {
        self.fake.answer_to(&ticket.id).await;
    }

    async fn notice(&self, ticket: &Ticket) -> String {
        self.fake.answer_to(&ticket.id).await
    }

    fn delete(&self, chat: i64, message: i64) {
        self.fake.delete(chat, message);
    }

    async fn leave(&self, chat: i64, who: Who) {
        self.fake.leave(chat, person(who));
        // Messages of a chat are taken in their order.
        self.reply(self.ask(chat, who, "privacy", &[])).await;
    }

    async fn come_back(&self, chat: i64, who: Who) {
        self.fake.come_back(chat, person(who));
        self.reply(self.ask(chat, who, "privacy", &[])).await;
    }

    fn appoint(&self, chat: i64, who: Who) {
        self.fake.make_administrator(chat, person(who));
    }

    fn limit_reveal(&self) {
        for step in ["editMessageCaption", "sendPhoto", "sendMessage"] {
            self.fake.fail_next(step, Failure::TooManyRequests { retry_after: 1 });
        }
    }

    fn keep_receipt(&self) {
        self.fake.fail_next("sendPhoto", Failure::Unheard);
    }

    fn refuse_picture(&self) {
        self.fake.fail_next("sendPhoto", Failure::Refusal("not enough rights to send photos to the chat"));
    }
}

#[tokio::test]
async fn the_picture_has_a_row_of_areas_for_each_photo() {
    let game = Game::<Telegram>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "9")]).await;
    let shown = game.service.fake.shown(chat, played.picture);
    let rows = shown["reply_markup"]["inline_keyboard"].as_array().expect("a keyboard");
    let lengths: Vec<usize> = rows.iter().map(|row| row.as_array().map_or(0, Vec::len)).collect();
    assert_eq!(lengths, [3, 3, 3, 3, 3, 3, 3, 3, 3, 1], "and the large photos at the end");
    game.stop().await;
}

#[tokio::test]
async fn buttons_of_the_bells_last_moment_say_that_it_has_rung() {
    let game = Game::<Telegram>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Aoi, "quiz", &[("photos", "1")]).await;
    game.revealed(played, 1).await;
    let large = game.service.make_up(chat, Who::Aoi, played.picture, &format!("1p:{}", played.id));
    let late = text::quiz::refusal(CHAT_LANG, kokodoko::domain::quiz::Refusal::TooLate);
    assert_eq!(game.service.notice(&large).await, late);
    game.stop().await;
}

//! Discord: a number under the picture opens a sheet for who pressed it, with the photo and its areas.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kokodoko::chat::command::{Command, OptionKind};
use kokodoko::chat::message::Announcement;
use kokodoko::chat::{Lang, Platform, UserRef, text};
use kokodoko::front::discord::run;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Seat;
use super::game::Game;
use super::service::{Choice, Face, Said, Service, Who};
use crate::fake::discord::event::{command, plain, with_options};
use crate::fake::discord::{Fake, Place, Sent, Shown, TOKEN};

/// The server with all channels.
const SERVER: u64 = 30;
/// Permissions of everybody and of who may manage messages.
const TALK: &str = "2048";
const MANAGE_MESSAGES: &str = "8192";

/// The fake service with the three.
pub struct Discord {
    fake: Fake,
    connected: AtomicUsize,
    /// The sheet that each person opened last, by channel.
    sheets: Mutex<HashMap<(i64, Who), u64>>,
    absent: Mutex<HashSet<(i64, Who)>>,
    moderators: Mutex<HashSet<(i64, Who)>>,
}

/// The number of a press, and its event.
pub struct Ticket {
    id: u64,
    event: Value,
}

fn number(who: Who) -> u64 {
    match who {
        Who::Aoi => 40,
        Who::Ben => 41,
        Who::Chie => 42,
    }
}

fn private_channel(who: Who) -> i64 {
    900 + number(who).cast_signed()
}

/// As Discord shows markdown.
fn plain_text(markdown: &str) -> String {
    let mut chars = markdown.chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().expect("no backslash stands alone") } else { c });
    }
    text
}

fn said(sent: &Sent) -> Said {
    let picture = sent.files.first().map(|file| file.bytes.clone());
    Said { message: sent.message.cast_signed(), text: plain_text(&sent.content), picture }
}

fn face(shown: &Shown) -> Face {
    let picture = shown.files.first().map(|file| file.bytes.clone());
    Face { text: plain_text(&shown.content), buttons: shown.labels().concat(), picture }
}

fn is_unasked(sent: &Sent, chat: i64) -> bool {
    sent.place == Place::Channel { id: chat.cast_unsigned(), reply_to: None }
}

impl Discord {
    /// Makes an event one of this person in this chat.
    fn sign(&self, event: &mut Value, chat: i64, who: Who) {
        event["channel_id"] = json!(chat.to_string());
        event["locale"] = json!(if who.lang() == Lang::Ja { "ja" } else { "en-US" });
        let at = (chat, who);
        let may_manage = self.moderators.lock().expect("no panic in here").contains(&at);
        event["member"]["permissions"] = json!(if may_manage { MANAGE_MESSAGES } else { TALK });
        event["member"]["user"]["global_name"] = json!(format!("{who:?}"));
        let is_private = Who::ALL.map(private_channel).contains(&chat);
        let fields = event.as_object_mut().expect("an object");
        if is_private || self.absent.lock().expect("no panic in here").contains(&at) {
            let member = fields.remove("member").expect("a member");
            fields.insert("user".to_owned(), member["user"].clone());
        }
        if is_private {
            fields.insert("context".to_owned(), json!(1));
            fields.remove("guild_id");
            fields.remove("guild_locale");
        }
    }

    fn pressing(&self, chat: i64, who: Who, message: u64, button: &str) -> Ticket {
        let (id, mut event) = self.fake.pressing(number(who), message, button);
        self.sign(&mut event, chat, who);
        Ticket { id, event }
    }

    fn dispatch(&self, ticket: Ticket) -> Ticket {
        self.fake.dispatch("INTERACTION_CREATE", &ticket.event);
        ticket
    }

    /// Waits for what answers an interaction first.
    async fn answer_of(&self, interaction: u64) -> Sent {
        let places = [Place::Immediate(interaction), Place::Original(interaction), Place::FollowUp(interaction)];
        let answer = |sent: &[Sent]| sent.iter().find(|sent| places.contains(&sent.place)).cloned();
        self.fake.find_sent("an answer", answer).await
    }
}

/// An option as the service sends it.
fn option(command: &str, name: &str, value: &str) -> Value {
    let known = Command::parse(command).expect("a command").options();
    let kind = known.iter().find(|option| option.name == name).expect("such an option").kind;
    match kind {
        OptionKind::Integer { .. } => {
            json!({"name": name, "type": 4, "value": value.parse::<i64>().expect("a number")})
        }
        OptionKind::Choice(_) | OptionKind::Text => json!({"name": name, "type": 3, "value": value}),
    }
}

impl Service for Discord {
    const PLATFORM: Platform = Platform::Discord;
    type Ticket = Ticket;

    async fn open() -> Self {
        let fake = Fake::start().await;
        fake.add_server(SERVER, "en-US");
        let (sheets, absent, moderators) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { fake, connected: AtomicUsize::new(0), sheets, absent, moderators }
    }

    async fn connect(&self, seat: &Seat, news: mpsc::Receiver<Announcement>) -> JoinHandle<anyhow::Result<()>> {
        let front = tokio::spawn(run(self.fake.settings(), seat.conversation.clone(), news, seat.stop.clone()));
        self.listens(self.connected.fetch_add(1, Ordering::Relaxed) + 1).await;
        front
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KOKODOKO_DISCORD__ENABLED", "true".to_owned()),
            ("KOKODOKO_DISCORD__TOKEN", TOKEN.to_owned()),
            ("KOKODOKO_DISCORD__API_URL", self.fake.api()),
            ("KOKODOKO_DISCORD__GATEWAY_URL", self.fake.gateway()),
        ]
    }

    async fn listens(&self, times: usize) {
        self.fake.identified(times).await;
    }

    async fn settled(&self) {}

    fn forgive(&self) {
        self.fake.forgive();
    }

    fn finish(self) {
        self.fake.finish();
    }

    fn group(&self, number: i64) -> i64 {
        20 + number
    }

    fn private(&self, who: Who) -> i64 {
        private_channel(who)
    }

    fn user(&self, who: Who) -> UserRef {
        UserRef { platform: Platform::Discord, id: number(who).cast_signed() }
    }

    fn ask(&self, chat: i64, who: Who, name: &str, options: &[(&str, &str)]) -> i64 {
        let options: Vec<Value> = options.iter().map(|(option_name, value)| option(name, option_name, value)).collect();
        let data = if options.is_empty() { plain(name) } else { with_options(name, &options) };
        let id = self.fake.id();
        let mut event = command(id, number(who), "en-US", &data);
        self.sign(&mut event, chat, who);
        self.fake.dispatch("INTERACTION_CREATE", &event);
        id.cast_signed()
    }

    async fn reply(&self, question: i64) -> Said {
        said(&self.answer_of(question.cast_unsigned()).await)
    }

    async fn unasked(&self, chat: i64, count: usize) -> Vec<Said> {
        let enough = |sent: &[Sent]| {
            let found: Vec<Said> = sent.iter().filter(|sent| is_unasked(sent, chat)).map(said).collect();
            (found.len() >= count).then_some(found)
        };
        self.fake.find_sent("what nobody asked for", enough).await
    }

    async fn pictures(&self, chat: i64, count: usize) -> Vec<Vec<u8>> {
        let enough = |sent: &[Sent]| {
            let files = sent.iter().filter(|sent| is_unasked(sent, chat)).flat_map(|sent| &sent.files);
            let found: Vec<Vec<u8>> = files.map(|file| file.bytes.clone()).collect();
            (found.len() >= count).then_some(found)
        };
        self.fake.find_sent("pictures", enough).await
    }

    fn face(&self, _chat: i64, message: i64) -> Option<Face> {
        self.fake.shown(message.cast_unsigned()).as_ref().map(face)
    }

    async fn stands(&self, _chat: i64, message: i64, look: impl Fn(&Face) -> bool) {
        self.fake.stands(message.cast_unsigned(), |shown| look(&face(shown))).await;
    }

    fn press(&self, chat: i64, who: Who, message: i64, label: &str) -> Ticket {
        self.dispatch(self.pressing(chat, who, message.cast_unsigned(), label))
    }

    fn make_up(&self, chat: i64, who: Who, message: i64, payload: &str) -> Ticket {
        let mut ticket = self.pressing(chat, who, message.cast_unsigned(), "1");
        ticket.event["data"]["custom_id"] = json!(payload);
        self.dispatch(ticket)
    }

    async fn look(&self, chat: i64, who: Who, picture: i64, choice: Choice) -> Result<(), String> {
        let sheet = self.sheets.lock().expect("no panic in here").get(&(chat, who)).copied();
        if sheet.is_some_and(|sheet| self.fake.has_button(sheet, &choice.payload())) {
            return Ok(());
        }
        let ticket = self.press(chat, who, picture, &choice.number.to_string());
        let opened = self.answer_of(ticket.id).await;
        assert!(opened.ephemeral, "for the presser alone: {opened:?}");
        if opened.files.is_empty() {
            return Err(plain_text(&opened.content));
        }
        self.sheets.lock().expect("no panic in here").insert((chat, who), opened.message);
        Ok(())
    }

    fn answer(&self, chat: i64, who: Who, _picture: i64, choice: Choice) -> Ticket {
        let sheet = self.sheets.lock().expect("no panic in here")[&(chat, who)];
        self.press(chat, who, sheet.cast_signed(), &choice.payload())
    }

    fn deliver_again(&self, ticket: &Ticket) {
        self.fake.dispatch("INTERACTION_CREATE", &ticket.event);
    }

    async fn heard(&self, ticket: &Ticket) {
        self.fake.requested(&format!("POST /interactions/{}/", ticket.id), 1).await;
    }

    async fn notice(&self, ticket: &Ticket) -> String {
        let answer = self.answer_of(ticket.id).await;
        assert!(answer.ephemeral, "for the presser alone: {answer:?}");
        let text = plain_text(&answer.content);
        // The last line of a sheet asks for the next photo.
        match text.rsplit_once('\n') {
            Some((told, _)) if !answer.files.is_empty() => told.to_owned(),
            _ => text,
        }
    }

    fn delete(&self, _chat: i64, message: i64) {
        self.fake.delete_message(message.cast_unsigned());
    }

    async fn leave(&self, chat: i64, who: Who) {
        self.absent.lock().expect("no panic in here").insert((chat, who));
    }

    async fn come_back(&self, chat: i64, who: Who) {
        self.absent.lock().expect("no panic in here").remove(&(chat, who));
    }

    fn appoint(&self, chat: i64, who: Who) {
        self.moderators.lock().expect("no panic in here").insert((chat, who));
    }

    fn limit_reveal(&self) {
        for step in ["PATCH /channels/", "POST /channels/", "POST /channels/"] {
            self.fake.limit(step, 1);
        }
    }

    fn keep_receipt(&self) {
        self.fake.keep_receipt("POST /channels/");
    }

    fn refuse_picture(&self) {
        self.fake.fail("POST /channels/", 403, 50_013);
    }
}

/// Commands of a channel do not wait for each other here.
#[tokio::test]
async fn a_round_that_is_stopped_before_its_picture_is_out_shows_no_buttons() {
    let game = Game::<Discord>::start().await;
    let chat = game.service.group(0);
    // The picture is tried again after a moment, and then once more.
    for _ in 0..2 {
        game.service.fake.fail("POST /channels/", 503, 0);
    }
    game.service.ask(chat, Who::Ben, "quiz", &[("photos", "1")]);
    let store = game.seat.quiz.store();
    while store.running(&game.chat(chat)).await.expect("readable").is_none() {
        tokio::task::yield_now().await;
    }
    let stopped = text::quiz::stopped(Who::Ben.lang());
    assert_eq!(game.ask(chat, Who::Ben, "stop", &[]).await.text, stopped);
    let picture = game.service.unasked(chat, 1).await.remove(0).message;
    game.service.stands(chat, picture, |face| face.text == stopped && face.buttons.is_empty()).await;
    let game = game.restart().await;
    assert_eq!(game.service.unasked(chat, 1).await.len(), 1, "nothing is left to be told");
    game.stop().await;
}

#[tokio::test]
async fn a_number_opens_a_sheet_that_goes_on_from_photo_to_photo() {
    let game = Game::<Discord>::start().await;
    let chat = game.service.group(0);
    let played = game.begin(chat, Who::Ben, "quiz", &[("photos", "9")]).await;
    let shown = game.service.fake.shown(played.picture.cast_unsigned()).expect("it stands");
    assert_eq!(shown.labels()[..2], [vec!["1", "2", "3", "4", "5"], vec!["6", "7", "8", "9"]]);
    assert_eq!((shown.files.len(), shown.ephemeral), (1, false));
    let choice = |number| played.choice(number, 0);
    game.service.look(chat, Who::Ben, played.picture, choice(4)).await.expect("a sheet");
    let sheet = game.service.sheets.lock().expect("no panic in here")[&(chat, Who::Ben)];
    game.counts(played, Who::Ben, 4, 0, 1).await;
    assert!(game.service.fake.has_button(sheet, &choice(1).payload()), "the first without an answer");
    let to = game.service.press(chat, Who::Ben, sheet.cast_signed(), "◀ 9");
    game.service.answer_of(to.id).await;
    game.stop().await;
}

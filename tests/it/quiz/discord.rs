//! Rounds in a channel of Discord.

use kokodoko::chat::{ChatRef, Lang, Platform, Post, text};
use kokodoko::domain::quiz::Refusal;
use kokodoko::front::discord::{Settings, run};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Seat, Venue};
use crate::fake::discord::event::{command, me, message, person, press, with_options};
use crate::fake::discord::{Fake, Place, Sent, TOKEN};

const CHANNEL: u64 = 20;
const PEOPLE: [u64; 3] = [40, 41, 42];

/// The whole program at a venue.
struct Bot {
    seat: Seat,
    front: JoinHandle<anyhow::Result<()>>,
}

impl Bot {
    async fn start(fake: &Fake, venue: &Venue) -> Self {
        let mut post = Post::default();
        let announcements = post.connect(Platform::Discord);
        let seat = venue.seat(post).await;
        let settings = Settings {
            token: TOKEN.into(),
            api_url: Some(fake.api()),
            gateway_url: Some(fake.gateway()),
            max_photo_bytes: 100_000,
        };
        let front = tokio::spawn(run(settings, seat.conversation.clone(), announcements, seat.stop.clone()));
        Self { seat, front }
    }

    async fn stop(self) {
        self.seat.stop.cancel();
        self.front.await.expect("no panic").expect("a clean end");
        self.seat.leave().await;
    }

    async fn right(&self, number: u8) -> usize {
        self.seat.round(1).await.questions[usize::from(number) - 1].truth
    }
}

/// Begins a round with a slash command; the number of its message.
async fn begin(fake: &Fake, bot: &Bot, options: &[Value]) -> u64 {
    fake.dispatch("INTERACTION_CREATE", &command(fake.id(), PEOPLE[0], "en-US", &with_options("quiz", options)));
    fake.requested("DELETE /webhooks/", 1).await;
    let chat = ChatRef { platform: Platform::Discord, id: CHANNEL.cast_signed() };
    bot.seat.opened(&chat).await;
    bot.seat.round(1).await.message.expect("it stands").cast_unsigned()
}

fn said_to(sent: &[Sent], interaction: u64) -> &Sent {
    let places = [Place::Original(interaction), Place::FollowUp(interaction)];
    sent.iter().find(|sent| places.contains(&sent.place)).expect("answered")
}

#[tokio::test]
async fn three_people_play_nine_photos_to_the_end() {
    let (fake, venue) = (Fake::start().await, Venue::open());
    fake.add_server(30, "en-US");
    let bot = Bot::start(&fake, &venue).await;
    fake.identified(1).await;
    let grid = begin(&fake, &bot, &[json!({"name": "photos", "type": 3, "value": "9"})]).await;
    let shown = fake.shown(grid).expect("it stands");
    assert_eq!(shown.labels()[..2], [vec!["1", "2", "3", "4", "5"], vec!["6", "7", "8", "9"]]);
    assert_eq!((shown.files.len(), shown.ephemeral), (1, false));

    // A number shows a person the photo with its areas; the answers are given there, photo after photo.
    let mut sheets = Vec::new();
    for (index, user) in PEOPLE.into_iter().enumerate() {
        let opened = fake.press(user, grid, "1");
        let sent = fake.sent(2 + index).await;
        let sheet = said_to(&sent, opened);
        assert!(sheet.ephemeral && sheet.files.len() == 1, "{sheet:?}");
        sheets.push(sheet.message);
    }
    let mut count = 1 + PEOPLE.len();
    for number in 1..=9 {
        let truth = bot.right(number).await;
        let wrong = (truth + 1) % 3;
        venue.clock.pass(1);
        for (person, choice) in [truth, if number <= 3 { truth } else { wrong }, wrong].into_iter().enumerate() {
            let area = bot.seat.round(1).await.areas[choice].clone();
            let id = fake.press(PEOPLE[person], sheets[person], text::quiz::short_area(Lang::En, &area));
            count += 1;
            let sent = fake.sent(count).await;
            let said = text::quiz::answered(Lang::En, number, &area, number, 9);
            assert!(said_to(&sent, id).content.starts_with(&said), "{said}: {:?}", said_to(&sent, id).content);
        }
    }
    venue.clock.pass(11);
    let sent = fake.sent(count + 3).await;
    let closed = fake.shown(grid).expect("it stands");
    assert_eq!((closed.content, closed.files.len()), (text::quiz::closed(Lang::En), 1));
    let outcome = bot.seat.quiz.store().outcome(bot.seat.round(1).await.id).await.expect("readable").expect("closed");
    let right: Vec<u8> = outcome.entries.iter().map(|entry| entry.right).collect();
    assert_eq!(right, [9, 3, 0]);
    // The first of the three is the round's own message without its buttons.
    let reveal: Vec<&Sent> = sent[count + 1..].iter().collect();
    assert!(reveal[0].files.len() == 1 && reveal[0].content.contains("Model colours"), "{:?}", reveal[0].content);
    assert!(reveal[1].content.contains("/rematch "), "{}", reveal[1].content);

    let late = fake.press(PEOPLE[2], sheets[2], "Minato");
    let sent = fake.sent(count + 4).await;
    assert!(said_to(&sent, late).content.contains(&text::quiz::refusal(Lang::En, Refusal::TooLate)));
    bot.stop().await;
    fake.finish();
}

#[tokio::test]
async fn who_is_no_member_of_the_server_any_more_has_left() {
    let (fake, venue) = (Fake::start().await, Venue::open());
    fake.add_server(30, "en-US");
    let bot = Bot::start(&fake, &venue).await;
    fake.identified(1).await;
    let grid = begin(&fake, &bot, &[json!({"name": "photos", "type": 3, "value": "3"})]).await;
    let id = fake.id();
    let mut sheet = message(grid + 1_000, CHANNEL, &me());
    sheet["flags"] = json!(64);
    let mut pressed = press(id, PEOPLE[1], &sheet, "1a:1:1:0");
    let fields = pressed.as_object_mut().expect("an object");
    fields.remove("member");
    fields.insert("user".to_owned(), person(PEOPLE[1]));
    fake.dispatch("INTERACTION_CREATE", &pressed);
    let sent = fake.sent(2).await;
    assert!(said_to(&sent, id).content.contains(&text::quiz::refusal(Lang::En, Refusal::Left)));
    bot.stop().await;
    fake.finish();
}

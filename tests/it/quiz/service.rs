//! What a test needs of a chat service, whichever it is.

use kokodoko::chat::message::Announcement;
use kokodoko::chat::{Lang, Platform, UserRef};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Seat;

/// Somebody who plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Speaks Japanese; begins the rounds unless a test says otherwise.
    Aoi,
    /// Speaks English.
    Ben,
    /// Speaks Japanese.
    Chie,
}

impl Who {
    pub const ALL: [Self; 3] = [Self::Aoi, Self::Ben, Self::Chie];

    pub fn lang(self) -> Lang {
        if self == Self::Ben { Lang::En } else { Lang::Ja }
    }
}

/// A message of the bot when it was sent, as people read it.
#[derive(Clone, Debug)]
pub struct Said {
    pub message: i64,
    pub text: String,
    pub picture: Option<Vec<u8>>,
}

/// A message of the bot as it stands now.
#[derive(Clone, Debug)]
pub struct Face {
    pub text: String,
    /// The labels of its buttons.
    pub buttons: Vec<String>,
    pub picture: Option<Vec<u8>>,
}

/// The button of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub round: i64,
    /// The photo, from 1.
    pub number: u8,
    /// Index among the round's areas.
    pub choice: usize,
}

impl Choice {
    pub fn payload(self) -> String {
        format!("1a:{}:{}:{}", self.round, self.number, self.choice)
    }
}

/// A fake of a service with the people on the other side of it. All numbers of chats and messages are the service's.
pub trait Service: Sized {
    const PLATFORM: Platform;
    /// A press that was made.
    type Ticket;

    async fn open() -> Self;

    /// Runs the bot's adapter; it listens when this returns.
    async fn connect(&self, seat: &Seat, news: mpsc::Receiver<Announcement>) -> JoinHandle<anyhow::Result<()>>;

    /// What leads the program itself here.
    fn environment(&self) -> Vec<(&'static str, String)>;

    /// Waits until the program itself listens, started for the nth time.
    async fn listens(&self, times: usize);

    /// Waits until the program has taken everything that it was told.
    async fn settled(&self);

    /// The program was killed: what it owed is lost.
    fn forgive(&self);

    /// Fails when the bot did anything that the service would not have.
    fn finish(self);

    /// A group of all three, by a number of one's own.
    fn group(&self, number: i64) -> i64;

    /// A person's private chat with the bot.
    fn private(&self, who: Who) -> i64;

    fn user(&self, who: Who) -> UserRef;

    /// Sends a command; the number of the question.
    fn ask(&self, chat: i64, who: Who, command: &str, options: &[(&str, &str)]) -> i64;

    /// Waits for the answer to a question.
    async fn reply(&self, question: i64) -> Said;

    /// Waits until the bot has said so much in a chat unasked; all of it, also from before.
    async fn unasked(&self, chat: i64, count: usize) -> Vec<Said>;

    /// Waits until there are so many pictures among that, those of albums included; all of them.
    async fn pictures(&self, chat: i64, count: usize) -> Vec<Vec<u8>>;

    /// A message as it stands now; `None` when it was deleted.
    fn face(&self, chat: i64, message: i64) -> Option<Face>;

    /// Waits until words and buttons of a message stand as they are wanted.
    async fn stands(&self, chat: i64, message: i64, look: impl Fn(&Face) -> bool);

    /// Presses a button under a message that everybody sees, by its label.
    fn press(&self, chat: i64, who: Who, message: i64, label: &str) -> Self::Ticket;

    /// Sends a payload that somebody made up, as if from a button of a message.
    fn make_up(&self, chat: i64, who: Who, message: i64, payload: &str) -> Self::Ticket;

    /// Has the buttons of a photo's areas before a person's eyes, as `picture` leads to them.
    ///
    /// # Errors
    /// What the person is told instead.
    async fn look(&self, chat: i64, who: Who, picture: i64, choice: Choice) -> Result<(), String>;

    /// Presses an area that the person has before their eyes.
    fn answer(&self, chat: i64, who: Who, picture: i64, choice: Choice) -> Self::Ticket;

    /// The service delivers a press once more.
    fn deliver_again(&self, ticket: &Self::Ticket);

    /// Waits until the bot has heard a press.
    async fn heard(&self, ticket: &Self::Ticket);

    /// Waits for what the presser alone is told.
    async fn notice(&self, ticket: &Self::Ticket) -> String;

    /// Somebody deletes a message of the bot.
    fn delete(&self, chat: i64, message: i64);

    /// A person leaves a group; the bot knows when this returns.
    async fn leave(&self, chat: i64, who: Who);

    /// A person comes back; the bot knows when this returns.
    async fn come_back(&self, chat: i64, who: Who);

    /// A person may manage the messages of a group from now on.
    fn appoint(&self, chat: i64, who: Who);

    /// Each step of the next reveal meets a rate limit once.
    fn limit_reveal(&self);

    /// The next picture of the bot arrives, but the bot never hears of it.
    fn keep_receipt(&self);

    /// The next picture of the bot is refused for good.
    fn refuse_picture(&self);
}

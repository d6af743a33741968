//! The whole program at a venue, in front of one service.

use kokodoko::chat::{ChatRef, Lang, Post, text};
use kokodoko::domain::quiz::{Question, Round, RoundId};
use kokodoko::store::Outcome;
use tokio::task::JoinHandle;

use super::service::{Choice, Said, Service, Who};
use super::{Seat, Venue, opened};

/// A running program and its service.
pub struct Game<S: Service> {
    pub service: S,
    pub venue: Venue,
    pub seat: Seat,
    front: JoinHandle<anyhow::Result<()>>,
}

/// A round that is open.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    pub chat: i64,
    pub id: i64,
    /// The message with the picture.
    pub picture: i64,
}

impl Played {
    pub fn choice(self, number: u8, choice: usize) -> Choice {
        Choice { round: self.id, number, choice }
    }
}

impl<S: Service> Game<S> {
    pub async fn start() -> Self {
        Self::at(S::open().await, Venue::open()).await
    }

    async fn at(service: S, venue: Venue) -> Self {
        let mut post = Post::default();
        let news = post.connect(S::PLATFORM);
        let seat = venue.seat(post).await;
        let front = service.connect(&seat, news).await;
        Self { service, venue, seat, front }
    }

    /// Stops the program and starts it again.
    pub async fn restart(self) -> Self {
        let Self { service, venue, seat, front } = self;
        end(seat, front).await;
        Self::at(service, venue).await
    }

    /// Stops the program: whatever it was doing is done then.
    pub async fn stop(self) {
        end(self.seat, self.front).await;
        self.service.finish();
    }

    pub fn chat(&self, id: i64) -> ChatRef {
        ChatRef { platform: S::PLATFORM, id }
    }

    /// Asks something; the answer.
    pub async fn ask(&self, chat: i64, who: Who, command: &str, options: &[(&str, &str)]) -> Said {
        self.service.reply(self.service.ask(chat, who, command, options)).await
    }

    /// Begins a round with a command that has no answer but the round.
    pub async fn begin(&self, chat: i64, who: Who, command: &str, options: &[(&str, &str)]) -> Played {
        self.service.ask(chat, who, command, options);
        self.running(chat).await
    }

    /// Waits until the round of a chat is open.
    pub async fn running(&self, chat: i64) -> Played {
        let round = opened(self.seat.quiz.store(), &self.chat(chat)).await;
        Played { chat, id: round.id.0, picture: round.message.expect("it has a picture") }
    }

    /// Answers a photo as people do; what they are told.
    pub async fn answer(&self, played: Played, who: Who, number: u8, choice: usize) -> String {
        let choice = played.choice(number, choice);
        match self.service.look(played.chat, who, played.picture, choice).await {
            Ok(()) => {
                let ticket = self.service.answer(played.chat, who, played.picture, choice);
                self.service.notice(&ticket).await
            }
            Err(told) => told,
        }
    }

    /// Answers a photo, and is told that it counts as the `done`th.
    pub async fn counts(&self, played: Played, who: Who, number: u8, choice: usize, done: u8) {
        let round = self.seat.round(played.id).await;
        let all = round.questions.len() as u8;
        let said = text::quiz::answered(who.lang(), number, &round.areas[choice], done, all);
        assert_eq!(self.answer(played, who, number, choice).await, said);
    }

    pub async fn truth(&self, played: Played, number: u8) -> usize {
        self.seat.round(played.id).await.questions[usize::from(number) - 1].truth
    }

    /// A closed round.
    pub async fn outcome(&self, played: Played) -> Outcome {
        self.seat.quiz.store().outcome(RoundId(played.id)).await.expect("readable").expect("closed")
    }

    /// Waits until the bot has said so much in a chat, and lets the time pass that it waits for meanwhile: for no test
    /// with an open round, since that is one of the times.
    pub async fn unasked_in_time(&self, chat: i64, count: usize) -> Vec<Said> {
        let time_passes = async {
            loop {
                self.venue.clock.pass_to_the_next().await;
            }
        };
        tokio::select! {
            said = self.service.unasked(chat, count) => said,
            () = time_passes => unreachable!("time goes on"),
        }
    }

    /// The bell of a round rings; its picture and its words after `before` other messages.
    pub async fn revealed(&self, played: Played, before: usize) -> [Said; 2] {
        let round = self.seat.round(played.id).await;
        self.venue.clock.pass(i64::from(round.seconds) + 1);
        let said = self.service.unasked(played.chat, before + 2).await;
        assert_eq!(said.len(), before + 2, "{said:#?}");
        said[before..].to_vec().try_into().expect("two")
    }

    /// The sums of a round that are stored with it: answers, right ones, points.
    pub async fn sums(&self, played: Played) -> (i64, i64, i64) {
        sqlx::query_as("SELECT answers, right_answers, points FROM rounds WHERE id = ?")
            .bind(played.id)
            .fetch_one(self.seat.quiz.store().writer())
            .await
            .expect("readable")
    }
}

async fn end(seat: Seat, front: JoinHandle<anyhow::Result<()>>) {
    seat.stop.cancel();
    front.await.expect("no panic").expect("a clean end");
    seat.leave().await;
}

/// The keys of a round's photos.
pub fn photos(round: &Round) -> Vec<&str> {
    round.questions.iter().map(|question: &Question| question.photo.as_str()).collect()
}

/// The language of a round that Aoi began.
pub const CHAT_LANG: Lang = Lang::Ja;

//! The quiz at the table: commands and presses in, replies and announcements out.
//!
//! [`begin`] deals a round, [`play`] takes its answers, [`bell`] ends it and reveals, [`scores`] and [`people`] answer
//! the commands around it; [`solo`] is for the page and the terminal, which show a round themselves. The rounds are
//! [`crate::quiz`]'s.

mod begin;
mod bell;
mod buttons;
mod drawing;
mod people;
mod play;
mod reveal;
mod scores;
mod solo;

use std::sync::Arc;

use dashmap::DashMap;

use self::drawing::Drawing;
pub use self::solo::{Standing, TOKEN_LETTERS};
use super::command::Command;
use super::message::{Incoming, PressReply, Pressed, Reply, Request};
use super::post::Post;
use super::press::Press;
use super::text::{self, Lang};
use crate::domain::quiz::{PlayerId, RoundId};
use crate::quiz::Quiz;
use crate::store::{Store, StoreError};

/// Where rounds are played; clones share it.
#[derive(Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

struct Inner {
    quiz: Quiz,
    post: Post,
    /// Rounds whose reveal is being told.
    telling: DashMap<RoundId, ()>,
    /// Rounds whose photos were shown large: once is enough.
    shown_large: DashMap<RoundId, ()>,
}

impl Table {
    /// A table for rounds of `quiz`, announced through `post`. Its bells ring while [`Table::run`] runs.
    #[must_use]
    pub fn new(quiz: Quiz, post: Post) -> Self {
        let (telling, shown_large) = (DashMap::new(), DashMap::new());
        Self { inner: Arc::new(Inner { quiz, post, telling, shown_large }) }
    }

    /// Answers a command of the quiz; `None` for every other.
    pub async fn command(&self, incoming: &Incoming, command: Command) -> Option<Vec<Reply>> {
        let answered = match command {
            Command::Quiz => self.quiz(incoming).await,
            Command::Daily => self.daily(incoming).await,
            Command::Rematch => self.rematch(incoming).await,
            Command::Stop => self.stop(incoming).await,
            Command::Score => self.score(incoming).await,
            Command::Leaderboard => self.leaderboard(incoming).await,
            Command::Versus => self.versus(incoming).await,
            Command::Link => self.link(incoming).await,
            Command::Day => self.day(incoming).await,
            Command::Optout => self.opt_out(incoming).await,
            Command::Forget => self.forget(incoming).await,
            Command::Help
            | Command::Start
            | Command::Where
            | Command::Similar
            | Command::Model
            | Command::Gallery
            | Command::Confusions
            | Command::Atlas
            | Command::Privacy
            | Command::Models
            | Command::Promote
            | Command::Rollback
            | Command::Audit
            | Command::Collect
            | Command::Train => {
                return None;
            }
        };
        Some(answered.unwrap_or_else(|error| vec![Reply::words(fault(incoming.lang, &error))]))
    }

    /// Does what a button says.
    pub async fn press(&self, pressed: &Pressed) -> PressReply {
        let answered = match pressed.press {
            Press::Answer { round, number, choice } => self.answer(pressed, round, number, choice).await,
            Press::Open { round, number } => self.open(pressed, round, number).await,
            Press::Album { round } => self.album(pressed, round).await,
            Press::Again { round } => self.again(pressed, round).await,
            Press::Leaderboard { scope, period, page } => self.turn(pressed, scope, period, page).await,
            // An admin's, and not of the table.
            Press::Begin { .. }
            | Press::Why { .. }
            | Press::Similar { .. }
            | Press::Map { .. }
            | Press::Give { .. }
            | Press::TakeBack { .. } => Ok(PressReply::default()),
        };
        answered.unwrap_or_else(|error| PressReply { notice: fault(pressed.lang, &error), ..PressReply::default() })
    }

    /// Notes who leaves a chat and who comes back.
    pub async fn note(&self, incoming: &Incoming) {
        let store = self.store();
        let noted = match incoming.request {
            Request::Left => store.leave(&incoming.chat, &incoming.user).await,
            Request::Came => store.come(&incoming.chat, &incoming.user).await,
            _ => Ok(()),
        };
        if let Err(error) = noted {
            tracing::error!(%error, "who left could not be noted");
        }
    }

    /// Writes everything to the database and closes it.
    pub async fn close(&self) {
        self.store().close().await;
    }

    fn store(&self) -> &Store {
        self.inner.quiz.store()
    }

    /// The asker's number, made when they are new.
    async fn player(&self, user: &super::UserRef, name: &str) -> Result<PlayerId, StoreError> {
        let zone = self.inner.quiz.rules().zone.iana_name().unwrap_or("UTC");
        self.store().person(user, name, zone, self.inner.quiz.clock().now()).await
    }
}

/// Logs what the database said, and says that it is our fault.
fn fault(lang: Lang, error: &StoreError) -> String {
    tracing::error!(%error, "the quiz failed");
    text::quiz::failed(lang)
}

fn one(words: String) -> Vec<Reply> {
    vec![Reply::words(words)]
}

/// Draws a picture on a thread for blocking work; `None` when drawing panics, which is logged.
async fn draw(name: &str, alt: String, drawing: Drawing) -> Option<super::message::Picture> {
    let name = format!("{name}.{}", drawing.extension());
    let drawn = tokio::task::spawn_blocking(move || drawing.draw()).await;
    let bytes = drawn.inspect_err(|error| tracing::error!(%error, "a picture could not be drawn")).ok()?;
    Some(super::message::Picture { name, bytes, alt })
}

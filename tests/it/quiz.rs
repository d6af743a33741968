//! Rounds of "beat the model" through the whole program, against both services.

mod discord;
mod game;
mod killed;
mod service;
mod suite;
mod telegram;
mod web;

use std::path::PathBuf;
use std::sync::Arc;

use kokodoko::chat::etiquette::system_clock;
use kokodoko::chat::quiz::Table;
use kokodoko::chat::{ChatRef, Conversation, Post};
use kokodoko::domain::quiz::{Round, RoundId, State};
use kokodoko::quiz::Quiz;
use kokodoko::store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{self, ManualClock, generous};

/// A database in a folder of its own, and the time.
pub struct Venue {
    folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
}

impl Venue {
    pub fn open() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), clock: ManualClock::start() }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("scores.sqlite")
    }

    /// A table with its bell running, and the conversation around it.
    pub async fn seat(&self, post: Post) -> Seat {
        let quiz = support::quiz(&self.database(), self.clock.clone()).await;
        let table = Table::new(quiz.clone(), post);
        let conversation = Conversation::with_quiz(support::core(), generous(), system_clock(), table.clone());
        let seated = table.clone();
        let stop = CancellationToken::new();
        let bell = tokio::spawn({
            let stop = stop.clone();
            async move { table.run(stop).await }
        });
        Seat { quiz, table: seated, conversation, stop, bell }
    }
}

/// The running quiz.
pub struct Seat {
    pub quiz: Quiz,
    pub table: Table,
    pub conversation: Conversation,
    pub stop: CancellationToken,
    bell: JoinHandle<()>,
}

impl Seat {
    /// A round that was begun.
    pub async fn round(&self, id: i64) -> Round {
        self.quiz.store().round(RoundId(id)).await.expect("readable").expect("begun")
    }

    pub async fn leave(self) {
        self.stop.cancel();
        self.bell.await.expect("no panic");
        self.quiz.store().close().await;
    }
}

/// Waits until the round of a chat is open: the bot knows that its picture is out.
pub async fn opened(store: &Store, chat: &ChatRef) -> Round {
    loop {
        let running = store.running(chat).await.expect("readable");
        if let Some(round) = running.filter(|round| round.state == State::Open) {
            return round;
        }
        tokio::task::yield_now().await;
    }
}

//! The program itself, killed at the worst moment and started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use kokodoko::chat::{ChatRef, text};
use kokodoko::domain::quiz::{Refusal, Round, RoundId, State};
use kokodoko::store::Store;
use tokio::process::{Child, Command};

use super::discord::Discord;
use super::game::{CHAT_LANG, Played};
use super::opened;
use super::service::{Service, Who};
use super::telegram::Telegram;

/// The running program in a folder of its own, in front of a service.
struct Program<S: Service> {
    service: S,
    folder: tempfile::TempDir,
    child: Child,
    starts: usize,
}

fn spawn<S: Service>(service: &S, folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kokodoko"))
        .arg("serve")
        .current_dir(folder)
        .env_clear()
        .envs(service.environment())
        .env("KOKODOKO_WEB__BIND", "127.0.0.1:0")
        .env("KOKODOKO_QUIZ__LAST_CALL_SECONDS", "0")
        .env("KOKODOKO_LOG__FILTER", "error")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts")
}

impl<S: Service> Program<S> {
    async fn start() -> Self {
        let (service, folder) = (S::open().await, tempfile::tempdir().expect("a folder"));
        let child = spawn(&service, folder.path());
        service.listens(1).await;
        Self { service, folder, child, starts: 1 }
    }

    /// SIGKILL: nothing is written down or said any more. Then another start.
    async fn kill_and_start(&mut self) {
        self.service.settled().await;
        self.child.kill().await.expect("it ran");
        self.service.forgive();
        self.child = spawn(&self.service, self.folder.path());
        self.starts += 1;
        self.service.listens(self.starts).await;
    }

    async fn end(mut self) {
        self.service.settled().await;
        self.child.kill().await.expect("it ran");
        self.service.forgive();
        self.service.finish();
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data/kokodoko.sqlite")
    }

    async fn answer(&self, round: &Round, number: u8, done: u8) {
        let truth = round.questions[usize::from(number) - 1].truth;
        let played = Played { chat: round.chat.id, id: round.id.0, picture: round.message.expect("it has a picture") };
        let choice = played.choice(number, truth);
        self.service.look(played.chat, Who::Ben, played.picture, choice).await.expect("buttons");
        let told = self.service.notice(&self.service.answer(played.chat, Who::Ben, played.picture, choice)).await;
        let all = round.questions.len() as u8;
        assert_eq!(told, text::quiz::answered(Who::Ben.lang(), number, &round.areas[truth], done, all));
    }
}

async fn a_round_goes_on_and_its_reveal_comes_once<S: Service>() {
    let mut program = Program::<S>::start().await;
    let chat = program.service.group(0);
    program.service.ask(chat, Who::Aoi, "quiz", &[("photos", "3"), ("seconds", "600")]);
    program.service.unasked(chat, 1).await;
    let store = Store::open(&program.database()).await.expect("opens beside the program");
    let round = opened(&store, &ChatRef { platform: S::PLATFORM, id: chat }).await;
    program.answer(&round, 1, 1).await;

    program.kill_and_start().await;
    let stored = store.round(round.id).await.expect("readable").expect("stored");
    assert_eq!(stored, round, "still open, with its deadline");
    program.answer(&round, 2, 2).await;
    program.answer(&round, 3, 3).await;
    let said = program.service.unasked(chat, 3).await;
    let outcome = store.outcome(round.id).await.expect("readable").expect("closed");
    assert_eq!((outcome.entries[0].answered, outcome.entries[0].right), (3, 3), "also what was answered before");
    assert_eq!(said[1].text, text::quiz::results(CHAT_LANG, &outcome));
    assert_eq!(said[2].text, text::quiz::reveal(CHAT_LANG, &outcome));
    while !store.untold().await.expect("readable").is_empty() {
        tokio::task::yield_now().await;
    }

    program.kill_and_start().await;
    program.service.reply(program.service.ask(chat, Who::Ben, "privacy", &[])).await;
    assert_eq!(program.service.unasked(chat, 3).await.len(), 3, "nothing is told twice");
    store.close().await;
    program.end().await;
}

/// Between sending the picture and noting it: the picture stands there, and the program does not know.
async fn a_round_that_was_about_to_begin_is_called_off_in_words<S: Service>() {
    let mut program = Program::<S>::start().await;
    let chat = program.service.group(0);
    program.service.keep_receipt();
    program.service.ask(chat, Who::Aoi, "quiz", &[("photos", "3")]);
    let orphan = program.service.unasked(chat, 1).await.remove(0);

    program.kill_and_start().await;
    let said = program.service.unasked(chat, 2).await;
    assert_eq!(said[1].text, text::quiz::interrupted(CHAT_LANG));
    let store = Store::open(&program.database()).await.expect("opens beside the program");
    let round = store.round(RoundId(1)).await.expect("readable").expect("stored");
    assert_eq!((round.state, round.message), (State::Cancelled, None));
    let choice = Played { chat, id: 1, picture: orphan.message }.choice(1, 0);
    let told = match program.service.look(chat, Who::Ben, orphan.message, choice).await {
        Ok(()) => {
            let pressed = program.service.answer(chat, Who::Ben, orphan.message, choice);
            program.service.notice(&pressed).await
        }
        Err(told) => told,
    };
    assert_eq!(told, text::quiz::refusal(Who::Ben.lang(), Refusal::CalledOff));

    program.service.ask(chat, Who::Ben, "quiz", &[("photos", "1")]);
    let round = opened(&store, &ChatRef { platform: S::PLATFORM, id: chat }).await;
    assert_eq!(round.id, RoundId(2), "the chat is free");
    store.close().await;
    program.end().await;
}

#[tokio::test]
async fn telegram_a_round_goes_on_and_its_reveal_comes_once() {
    a_round_goes_on_and_its_reveal_comes_once::<Telegram>().await;
}

#[tokio::test]
async fn discord_a_round_goes_on_and_its_reveal_comes_once() {
    a_round_goes_on_and_its_reveal_comes_once::<Discord>().await;
}

#[tokio::test]
async fn telegram_a_round_that_was_about_to_begin_is_called_off_in_words() {
    a_round_that_was_about_to_begin_is_called_off_in_words::<Telegram>().await;
}

#[tokio::test]
async fn discord_a_round_that_was_about_to_begin_is_called_off_in_words() {
    a_round_that_was_about_to_begin_is_called_off_in_words::<Discord>().await;
}

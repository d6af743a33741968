//! A message that shows how something stands, and is edited as that changes.
//!
//! Services bear few edits: there is at most one in [`PACE`]. Whoever shows something waits for the board's turn, looks
//! how things stand *then*, and shows that: what happened in between is merged, and the last state always arrives.

use jiff::{SignedDuration, Timestamp};

use super::message::{Canvas, ChatRef, Notice, Reply, Undelivered};
use super::post::Post;
use crate::clock::SharedClock;

/// Least time between two edits of a board.
pub const PACE: SignedDuration = SignedDuration::from_secs(3);

/// The message, sent or to be sent. It has a picture from its first to its last state, or never.
pub struct Board {
    post: Post,
    clock: SharedClock,
    to: ChatRef,
    thread: Option<i64>,
    message: Option<i64>,
    shown: Option<Reply>,
    turn: Timestamp,
    /// Whether a new message has taken the place of one that was deleted: that happens once.
    replaced: bool,
    /// Why nothing is shown any more.
    refused: Option<Undelivered>,
}

impl Board {
    /// A board in a chat: the message of that number, or one that the first state sends.
    #[must_use]
    pub fn new(post: Post, clock: SharedClock, to: ChatRef, thread: Option<i64>, message: Option<i64>) -> Self {
        let turn = clock.now();
        Self { post, clock, to, thread, message, shown: None, turn, replaced: false, refused: None }
    }

    /// The number of its message, once there is one.
    #[must_use]
    pub fn message(&self) -> Option<i64> {
        self.message
    }

    /// Waits until it may be changed again.
    pub async fn turn(&self) {
        self.clock.until(self.turn).await;
    }

    /// Shows a state; nothing is sent when it is shown already. To be called after [`Board::turn`].
    ///
    /// # Errors
    /// [`Undelivered::Later`]: it is of use to show it again, in time. [`Undelivered::Refused`]: the chat does not take
    /// it, or people have deleted the message twice; nothing is shown from then on.
    pub async fn show(&mut self, state: Reply) -> Result<(), Undelivered> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        if self.shown.as_ref() == Some(&state) {
            return Ok(());
        }
        let sent = match self.message {
            None => self.send(&state).await,
            Some(message) => match self.edit(message, &state).await {
                Err(Undelivered::Refused(reason)) if !self.replaced => {
                    tracing::info!(chat = self.to.id, reason, "a message that shows progress is gone: a new one");
                    self.replaced = true;
                    self.send(&state).await
                }
                done => done,
            },
        };
        self.turn = self.clock.now().saturating_add(PACE).unwrap_or(Timestamp::MAX);
        let sent = sent.inspect_err(|error| {
            self.refused = Some(error.clone()).filter(|error| matches!(error, Undelivered::Refused(_)));
        });
        self.message = Some(sent?);
        self.shown = Some(state);
        Ok(())
    }

    async fn send(&self, state: &Reply) -> Result<i64, Undelivered> {
        self.post.send(&self.to, self.thread, Notice::Send(state.clone())).await
    }

    async fn edit(&self, message: i64, state: &Reply) -> Result<i64, Undelivered> {
        let Reply { text, picture, buttons, .. } = state.clone();
        let same = self.shown.as_ref().is_some_and(|shown| shown.picture == picture);
        let picture = match picture {
            None => Canvas::None,
            Some(_) if same => Canvas::Kept,
            Some(picture) => Canvas::New(picture),
        };
        self.post.send(&self.to, self.thread, Notice::Edit { message, text, buttons, picture }).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc;

    use super::*;
    use crate::chat::message::{Announcement, Picture, Platform};
    use crate::clock::manual::ManualClock;

    const CHAT: ChatRef = ChatRef { platform: Platform::Telegram, id: 5 };

    /// A service that answers each announcement as it is told, and says what it was asked.
    fn service(mut inbox: mpsc::Receiver<Announcement>, answers: Vec<Result<i64, Undelivered>>) -> Asked {
        tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let Announcement { what, done, .. } = inbox.recv().await.expect("one announcement for each answer");
                asked.push(match what {
                    Notice::Send(reply) | Notice::Show(reply) => format!("send {}", reply.text),
                    Notice::Edit { message, text, picture, .. } => {
                        let canvas = match picture {
                            Canvas::None => "",
                            Canvas::Kept => " kept",
                            Canvas::New(_) => " new",
                        };
                        format!("edit {message} {text}{canvas}")
                    }
                });
                done.send(answer).expect("awaited");
            }
            asked
        })
    }

    type Asked = tokio::task::JoinHandle<Vec<String>>;

    fn bench(message: Option<i64>, answers: Vec<Result<i64, Undelivered>>) -> (Board, Arc<ManualClock>, Asked) {
        let mut post = Post::default();
        let inbox = post.connect(Platform::Telegram);
        let clock = ManualClock::start();
        (Board::new(post, clock.clone(), CHAT, None, message), clock, service(inbox, answers))
    }

    fn words(text: &str) -> Reply {
        Reply::words(text.to_owned())
    }

    fn curve(text: &str, byte: u8) -> Reply {
        Reply::picture(text.to_owned(), Picture { name: "c.png".to_owned(), bytes: vec![byte], alt: String::new() })
    }

    #[tokio::test]
    async fn edits_keep_their_pace_and_the_same_is_not_said_twice() {
        let (mut board, clock, asked) = bench(None, vec![Ok(7), Ok(7)]);
        board.turn().await;
        board.show(words("1 %")).await.expect("sent");
        assert_eq!(board.message(), Some(7));
        {
            let turn = board.turn();
            tokio::pin!(turn);
            clock.pass(2);
            assert!(futures_util::poll!(&mut turn).is_pending(), "not before three seconds have passed");
            clock.pass(1);
            turn.await;
        }
        board.show(words("1 %")).await.expect("nothing to say");
        board.turn().await;
        board.show(words("9 %")).await.expect("edited");
        assert_eq!(asked.await.expect("no panic"), ["send 1 %", "edit 7 9 %"]);
    }

    #[tokio::test]
    async fn a_deleted_message_is_replaced_once() {
        let gone = || Err(Undelivered::Refused("gone".to_owned()));
        let (mut board, clock, asked) = bench(Some(7), vec![gone(), Ok(8), gone()]);
        board.show(words("1 %")).await.expect("a new one");
        assert_eq!(board.message(), Some(8));
        clock.pass(3);
        assert_eq!(board.show(words("2 %")).await, gone().map(drop));
        assert_eq!(board.show(words("3 %")).await, gone().map(drop), "and nobody is asked again");
        assert_eq!(asked.await.expect("no panic"), ["edit 7 1 %", "send 1 %", "edit 8 2 %"]);
    }

    #[tokio::test]
    async fn what_did_not_arrive_is_shown_again() {
        let later = || Err(Undelivered::Later("429".to_owned()));
        let (mut board, _clock, asked) = bench(Some(7), vec![later(), Ok(7)]);
        assert_eq!(board.show(words("1 %")).await, later().map(drop));
        board.show(words("1 %")).await.expect("edited");
        assert_eq!(asked.await.expect("no panic"), ["edit 7 1 %", "edit 7 1 %"]);
    }

    #[tokio::test]
    async fn a_picture_is_sent_again_only_when_it_is_another() {
        let (mut board, _clock, asked) = bench(None, vec![Ok(7); 3]);
        for state in [curve("a", 1), curve("b", 1), curve("c", 2)] {
            board.show(state).await.expect("shown");
        }
        assert_eq!(asked.await.expect("no panic"), ["send a", "edit 7 b kept", "edit 7 c new"]);
    }
}

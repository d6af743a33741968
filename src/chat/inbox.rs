//! Messages that were taken on are answered once, and a kill leaves none of them without a word.
//!
//! Each is noted before its service is told that it arrived. Photos are not kept: what a kill interrupted is apologised
//! for after the next start. What was on the wire at that moment may have arrived; the apology comes all the same, so
//! that nobody waits in vain.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::message::{ChatRef, Incoming, Notice, Platform, Reply, Undelivered};
use super::post::Post;
use super::text::{self, Lang};
use crate::clock::SharedClock;
use crate::store::{Debt, Store, StoreError, TakenOn};

/// How long messages are remembered: twice as long as Telegram hands out updates that nobody confirmed.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);
/// After a start the services hand out again what was not confirmed: that is answered rather than apologised for.
const GRACE: SignedDuration = SignedDuration::from_secs(3);
/// How long a message waits for its note: who asks shall not wait for others who write much.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at what is owed; twice as long after each in vain, up to [`LONGEST_PAUSE`].
const PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// Longest time between two looks.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// The messages that were taken on; clones share them.
#[derive(Clone)]
pub struct Inbox {
    store: Store,
    clock: SharedClock,
}

impl Inbox {
    /// The inbox of a database; what an earlier process left in it is owed a word from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(store: Store, clock: SharedClock) -> Result<Self, StoreError> {
        store.take_over(since(clock.now())).await?;
        Ok(Self { store, clock })
    }

    /// Takes a message on. False when it was answered before, or may have been. When the database fails it is taken on
    /// all the same: an answer is worth more than a note of it.
    pub async fn take(&self, incoming: &Incoming, message: i64) -> bool {
        let taken = TakenOn {
            chat: incoming.chat.clone(),
            message,
            thread: incoming.thread,
            lang: incoming.lang.tag().to_owned(),
            photos: !incoming.attachments.is_empty(),
        };
        in_time(self.store.take_on(&taken, self.clock.now())).await.unwrap_or(true)
    }

    /// The message is not for the bot after all.
    pub async fn let_go(&self, chat: &ChatRef, message: i64) {
        in_time(self.store.let_go(chat, message)).await;
    }

    /// What is said about a message goes out now.
    pub async fn telling(&self, chat: &ChatRef, message: i64) {
        in_time(self.store.telling_message(chat, message)).await;
    }

    /// What was said about a message arrived, or cannot for this `fault`. Where later it may, it is in doubt, and an
    /// apology follows.
    pub async fn told(&self, chat: &ChatRef, message: i64, fault: Option<&Undelivered>) {
        let arrived = !matches!(fault, Some(Undelivered::Later(_)));
        in_time(self.store.told_message(chat, message, arrived)).await;
    }

    /// Apologises for what nobody will answer, until `stop`.
    pub async fn run(self, post: Post, stop: CancellationToken) {
        let (mut wait, mut pause) = (GRACE, PAUSE);
        loop {
            let next = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            tokio::select! {
                () = self.clock.until(next) => {}
                () = stop.cancelled() => return,
            }
            let all_told = tokio::select! {
                all_told = self.apologise(&post) => all_told,
                // What is on the wire stays in doubt.
                () = stop.cancelled() => return,
            };
            pause = if all_told { PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
            wait = pause;
        }
    }

    /// Whether everybody who is owed a word has it now.
    async fn apologise(&self, post: &Post) -> bool {
        self.store.forget_messages(since(self.clock.now())).await.unwrap_or_else(report);
        let mut all_told = true;
        for platform in [Platform::Telegram, Platform::Discord] {
            let now = self.clock.now();
            let debts = self.store.collect_debts(platform).await.unwrap_or_else(|error| {
                report(error);
                Vec::new()
            });
            for debt in debts {
                all_told &= self.settle(post, &debt, now).await;
            }
        }
        all_told
    }

    async fn settle(&self, post: &Post, debt: &Debt, now: Timestamp) -> bool {
        let words = text::interrupted(Lang::from_tag(&debt.lang), debt.messages);
        let told = post.send(&debt.chat, debt.thread, Notice::Send(Reply::words(words))).await;
        let in_vain = matches!(told, Err(Undelivered::Later(_)));
        if !in_vain {
            self.store.settle_debt(debt, now).await.unwrap_or_else(report);
        }
        !in_vain
    }
}

/// A note, if it is written in time.
async fn in_time<T>(note: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, note).await {
        Ok(Ok(noted)) => Some(noted),
        Ok(Err(error)) => {
            report(error);
            None
        }
        Err(_) => {
            tracing::error!(after = ?PATIENCE, "the database is too busy: a message could not be noted");
            None
        }
    }
}

fn since(now: Timestamp) -> Timestamp {
    now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN)
}

#[expect(clippy::needless_pass_by_value, reason = "`unwrap_or_else` hands it over")]
fn report(error: StoreError) {
    tracing::error!(%error, "a message could not be noted: after a kill nobody would apologise for it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::message::{Announcement, Attachment, Request};
    use crate::chat::sample;
    use crate::clock::manual::ManualClock;
    use std::sync::Arc;

    struct Bench {
        folder: tempfile::TempDir,
        clock: Arc<ManualClock>,
    }

    impl Bench {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder"), clock: ManualClock::start() }
        }

        /// A process after a kill of the one before: nothing was closed.
        async fn process(&self) -> Inbox {
            let store = Store::open(&self.folder.path().join("kokodoko.sqlite")).await.expect("opens");
            Inbox::open(store, self.clock.clone()).await.expect("opens")
        }

        /// What is said in a look at the debts, when the service answers so.
        async fn said(&self, inbox: &Inbox, answer: Result<i64, Undelivered>) -> Vec<(i64, String)> {
            let mut post = Post::default();
            let mut news = post.connect(Platform::Telegram);
            let mut said = Vec::new();
            {
                let mut apologise = std::pin::pin!(inbox.apologise(&post));
                loop {
                    tokio::select! {
                        _ = &mut apologise => break,
                        Some(Announcement { to, what: Notice::Send(reply), done, .. }) = news.recv() => {
                            said.push((to.id, reply.text));
                            done.send(answer.clone()).expect("awaited");
                        }
                    }
                }
            }
            said
        }
    }

    fn photo() -> Incoming {
        let attachments = vec![Attachment { handle: "x".to_owned(), bytes: None, is_own: true }];
        Incoming { attachments, ..sample::incoming(Lang::En, Request::Photos) }
    }

    #[tokio::test]
    async fn a_message_is_taken_on_once_and_again_only_where_nothing_was_said() {
        let (bench, chat) = (Bench::new(), photo().chat);
        let inbox = bench.process().await;
        assert!(inbox.take(&photo(), 1).await && inbox.take(&photo(), 2).await && inbox.take(&photo(), 3).await);
        assert!(!inbox.take(&photo(), 1).await, "while it is being answered");
        inbox.telling(&chat, 2).await;
        inbox.telling(&chat, 3).await;
        inbox.told(&chat, 3, None).await;
        let inbox = bench.process().await;
        assert!(inbox.take(&photo(), 1).await, "nothing was said about it");
        assert!(!inbox.take(&photo(), 2).await, "something may have been");
        assert!(!inbox.take(&photo(), 3).await);
        bench.clock.pass(48 * 3_600 + 1);
        let inbox = bench.process().await;
        assert!(inbox.take(&photo(), 3).await, "forgotten");
    }

    #[tokio::test]
    async fn what_a_kill_interrupted_is_apologised_for_once_a_chat() {
        let (bench, chat) = (Bench::new(), photo().chat);
        let inbox = bench.process().await;
        for message in 1..=3 {
            assert!(inbox.take(&photo(), message).await);
        }
        inbox.telling(&chat, 2).await;
        inbox.told(&chat, 3, None).await;
        assert!(inbox.take(&sample::incoming(Lang::En, Request::Words), 4).await);
        assert_eq!(bench.said(&inbox, Ok(1)).await, [], "they are being answered");
        let inbox = bench.process().await;
        let apology = [(chat.id, text::interrupted(Lang::En, 2))];
        let later = Err(Undelivered::Later("503".to_owned()));
        assert_eq!(bench.said(&inbox, later).await, apology);
        assert_eq!(bench.said(&bench.process().await, Ok(1)).await, apology, "until it arrives");
        assert_eq!(bench.said(&inbox, Ok(1)).await, [], "and then no more");
        assert!(!inbox.take(&photo(), 1).await, "the apology was the answer");
        assert!(inbox.take(&sample::incoming(Lang::En, Request::Words), 4).await, "words are owed none");
    }

    #[tokio::test]
    async fn words_that_may_not_have_arrived_are_owed_nothing() {
        let (bench, words) = (Bench::new(), sample::incoming(Lang::En, Request::Words));
        let inbox = bench.process().await;
        assert!(inbox.take(&words, 1).await);
        inbox.telling(&words.chat, 1).await;
        inbox.told(&words.chat, 1, Some(&Undelivered::Later("reset".to_owned()))).await;
        assert_eq!(bench.said(&inbox, Ok(1)).await, []);
        assert!(!bench.process().await.take(&words, 1).await, "nor are they said again");
    }

    #[tokio::test]
    async fn an_answer_that_may_not_have_arrived_is_apologised_for_and_a_refused_one_is_not() {
        let (bench, chat) = (Bench::new(), photo().chat);
        let inbox = bench.process().await;
        for (message, outcome) in
            [(1, Undelivered::Later("reset".to_owned())), (2, Undelivered::Refused("blocked".to_owned()))]
        {
            assert!(inbox.take(&photo(), message).await);
            inbox.telling(&chat, message).await;
            inbox.told(&chat, message, Some(&outcome)).await;
        }
        let gone = Err(Undelivered::Refused("blocked".to_owned()));
        assert_eq!(bench.said(&inbox, gone).await, [(chat.id, text::interrupted(Lang::En, 1))]);
        assert_eq!(bench.said(&inbox, Ok(1)).await, [], "where the bot may not write nothing is owed");
    }
}

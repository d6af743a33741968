//! What the bot says unasked: in order within one chat and beside all others, the same for both services.
//!
//! Never in the path of an answer: `/quiz` waits for its picture to arrive before it ends.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::chat::{Announcement, ChatRef, Notice, Undelivered};

/// Delivers announcements until `stop`, then those that the service is being told already. All others are handed back.
///
/// `tell` takes a chat, a topic in it, and what to say there; it gives the number of the (first) message.
pub(super) async fn run<F, T>(mut announcements: mpsc::Receiver<Announcement>, stop: CancellationToken, tell: F)
where
    F: Fn(ChatRef, Option<i64>, Notice) -> T,
    T: Future<Output = Result<i64, Undelivered>>,
{
    // What waits in each chat where something is under way.
    let mut lines: HashMap<ChatRef, VecDeque<Announcement>> = HashMap::new();
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(announcement) = announcements.recv() => match lines.get_mut(&announcement.to) {
                Some(line) => line.push_back(announcement),
                None => {
                    lines.insert(announcement.to.clone(), VecDeque::new());
                    under_way.push(deliver(&tell, announcement));
                }
            },
            Some(chat) = under_way.next() => match lines.get_mut(&chat).and_then(VecDeque::pop_front) {
                Some(next) => under_way.push(deliver(&tell, next)),
                None => drop(lines.remove(&chat)),
            },
            () = stop.cancelled() => break,
        }
    }
    lines.into_values().flatten().for_each(hand_back);
    hand_all_back(announcements).await;
    while under_way.next().await.is_some() {}
}

/// Hands back what nobody will deliver.
pub(super) async fn hand_all_back(mut announcements: mpsc::Receiver<Announcement>) {
    announcements.close();
    while let Some(announcement) = announcements.recv().await {
        hand_back(announcement);
    }
}

fn hand_back(announcement: Announcement) {
    // Who does not listen any more need not be told.
    announcement.done.send(Err(Undelivered::Later("the bot is stopping".to_owned()))).ok();
}

/// Delivers one announcement and tells how that went; returns its chat. A panic is logged and holds up nobody.
async fn deliver<F, T>(tell: &F, announcement: Announcement) -> ChatRef
where
    F: Fn(ChatRef, Option<i64>, Notice) -> T,
    T: Future<Output = Result<i64, Undelivered>>,
{
    let Announcement { to, thread, what, done } = announcement;
    let told = AssertUnwindSafe(async { tell(to.clone(), thread, what).await }).catch_unwind().await;
    let told = told.unwrap_or_else(|_| Err(Undelivered::Refused("telling it panicked".to_owned())));
    if let Err(error) = &told {
        tracing::warn!(platform = to.platform.name(), chat = to.id, %error, "an announcement did not arrive");
    }
    // Who waited may have been stopped.
    done.send(told).ok();
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Platform, Reply};
    use std::sync::Mutex;
    use tokio::sync::{Semaphore, oneshot};

    type Answer = oneshot::Receiver<Result<i64, Undelivered>>;

    async fn announce(line: &mpsc::Sender<Announcement>, chat: i64, words: &str) -> Answer {
        let (done, answer) = oneshot::channel();
        let to = ChatRef { platform: Platform::Telegram, id: chat };
        let what = Notice::Send(Reply::words(words.to_owned()));
        line.send(Announcement { to, thread: None, what, done }).await.expect("the line runs");
        answer
    }

    fn words(what: &Notice) -> &str {
        let Notice::Send(reply) = what else { panic!("{what:?}") };
        &reply.text
    }

    #[tokio::test]
    async fn order_within_a_chat_none_between_chats_and_what_waits_at_the_stop_comes_back() {
        let (line, announcements) = mpsc::channel(9);
        let (gate, stop) = (Semaphore::new(0), CancellationToken::new());
        let told = Mutex::new(Vec::new());
        let tell = async |to: ChatRef, _, what: Notice| {
            if to.id == 1 {
                gate.acquire().await.expect("open").forget();
            }
            told.lock().expect("no panic in here").push(words(&what).to_owned());
            assert_ne!(words(&what), "panics");
            Ok(to.id)
        };
        let test = async {
            let first = announce(&line, 1, "first").await;
            let second = announce(&line, 1, "second").await;
            assert_eq!(announce(&line, 2, "other").await.await, Ok(Ok(2)), "waits for no other chat");
            gate.add_permits(2);
            assert_eq!((first.await, second.await), (Ok(Ok(1)), Ok(Ok(1))));
            let panics = announce(&line, 2, "panics").await;
            assert!(matches!(panics.await, Ok(Err(Undelivered::Refused(_)))));
            let under_way = announce(&line, 1, "under way").await;
            let waits = announce(&line, 1, "waits").await;
            assert_eq!(announce(&line, 3, "last").await.await, Ok(Ok(3)), "both are taken by now");
            stop.cancel();
            assert!(matches!(waits.await, Ok(Err(Undelivered::Later(_)))));
            gate.add_permits(1);
            assert_eq!(under_way.await, Ok(Ok(1)));
        };
        tokio::join!(run(announcements, stop.clone(), tell), test);
        let order = ["other", "first", "second", "panics", "last", "under way"];
        assert_eq!(*told.lock().expect("no panic in here"), order);
    }
}

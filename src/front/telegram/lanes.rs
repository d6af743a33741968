//! One lane a chat: answers in the order of the questions, different chats side by side.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use teloxide::types::ChatId;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Lanes are swept when there are so many more.
const SWEEP_BEYOND: usize = 1_024;

/// Most answers that wait or run in one chat. With limits that fit Telegram's pace no chat comes near.
const LONGEST: usize = 128;

/// The running answers.
#[derive(Default)]
pub(super) struct Lanes {
    /// The last task of each chat, and how many there are.
    last: HashMap<ChatId, (JoinHandle<()>, Arc<()>)>,
    tracker: TaskTracker,
}

impl Lanes {
    /// Runs `work` once everything before it in the same chat is done. A panic in it is logged and holds up
    /// nobody.
    pub(super) fn run(&mut self, chat: ChatId, work: impl Future<Output = ()> + Send + 'static) {
        if self.last.len() >= SWEEP_BEYOND {
            self.last.retain(|_, (task, _)| !task.is_finished());
        }
        let (before, count) = self.last.remove(&chat).unzip();
        let count = count.unwrap_or_default();
        let counted = count.clone();
        let task = self.tracker.spawn(async move {
            let _counted = counted;
            if let Some(before) = before {
                // It catches its own panics, and nobody aborts it.
                let _ = before.await;
            }
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(chat = chat.0, "an answer panicked");
            }
        });
        self.last.insert(chat, (task, count));
    }

    /// Whether one more answer may wait in a chat.
    pub(super) fn has_room(&self, chat: ChatId) -> bool {
        self.last.get(&chat).is_none_or(|(_, count)| Arc::strong_count(count) <= LONGEST)
    }

    /// Runs `work` beside all lanes.
    pub(super) fn beside(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!("an answer to a press panicked");
            }
        });
    }

    /// Waits until all is done.
    pub(super) async fn finish(self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn order_within_a_chat_and_none_between_chats() {
        let mut lanes = Lanes::default();
        let done = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let done = done.clone();
            move || done.lock().expect("no panic in here").push(name)
        };
        let (open, gate) = oneshot::channel::<()>();
        let (first, second, panics, other) = (note("first"), note("second"), note("panics"), note("other"));
        lanes.run(ChatId(1), async move {
            gate.await.expect("the gate opens");
            first();
        });
        lanes.run(ChatId(1), async move {
            panics();
            panic!("on purpose");
        });
        lanes.run(ChatId(1), async move { second() });
        let (told, other_done) = oneshot::channel();
        lanes.run(ChatId(2), async move {
            other();
            told.send(()).expect("the test waits");
        });
        other_done.await.expect("the other chat does not wait");
        open.send(()).expect("the first waits");
        lanes.finish().await;
        assert_eq!(*done.lock().expect("no panic in here"), ["other", "first", "panics", "second"]);
    }

    #[tokio::test]
    async fn a_lane_has_an_end_and_room_again_when_it_moves() {
        let mut lanes = Lanes::default();
        let (open, gate) = oneshot::channel::<()>();
        lanes.run(ChatId(1), async move { gate.await.expect("the gate opens") });
        for _ in 1..LONGEST {
            assert!(lanes.has_room(ChatId(1)));
            lanes.run(ChatId(1), async {});
        }
        assert!(!lanes.has_room(ChatId(1)) && lanes.has_room(ChatId(2)));
        open.send(()).expect("the first waits");
        while !lanes.has_room(ChatId(1)) {
            tokio::task::yield_now().await;
        }
        lanes.finish().await;
    }

    #[tokio::test]
    async fn idle_lanes_are_forgotten() {
        let mut lanes = Lanes::default();
        for chat in 0..SWEEP_BEYOND as i64 {
            lanes.run(ChatId(chat), async {});
        }
        while !lanes.last.values().all(|(task, _)| task.is_finished()) {
            tokio::task::yield_now().await;
        }
        lanes.run(ChatId(-1), async {});
        assert_eq!(lanes.last.len(), 1);
    }
}

//! How fast the bot may speak: Telegram bears one message a second in a chat, 20 a minute in a group, and about 30 a
//! second in all (<https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>).
//!
//! Each chat is a queue in the order of asking, so that what one chat has to wait for costs no other chat anything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use jiff::{SignedDuration, Timestamp};
use teloxide::types::ChatId;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard, Semaphore, SemaphorePermit};

use crate::clock::{SharedClock, WallClock};

/// Calls at once or within a second, in all.
const OVERALL: Rate = Rate { calls: 30, within: SignedDuration::from_secs(1) };
/// From the end of one call to the beginning of the next in a chat.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// In one group.
const GROUP: Rate = Rate { calls: 20, within: SignedDuration::from_mins(1) };
/// Chats are swept when there are so many more.
const SWEEP_BEYOND: usize = 1_024;

/// So many calls in any span of this length.
#[derive(Clone, Copy, Debug)]
struct Rate {
    calls: usize,
    within: SignedDuration,
}

/// The queues of all chats.
pub(super) struct Pace {
    clock: SharedClock,
    overall: Slots,
    chats: DashMap<ChatId, Arc<Chat>>,
}

/// One chat's queue.
struct Chat {
    /// Groups only.
    minute: Option<Slots>,
    /// Who holds it speaks; nobody speaks before the time in it.
    turn: Arc<Queue<Timestamp>>,
}

/// Leave to speak in a chat, as long as it is held.
pub(super) struct Turn {
    chat: Arc<Chat>,
    quiet_until: OwnedMutexGuard<Timestamp>,
}

impl Pace {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, overall: Slots::new(OVERALL), chats: DashMap::new() }
    }

    /// Waits for one's turn in a chat. The calls under it are made by [`Pace::call`].
    pub(super) async fn turn(&self, chat: ChatId) -> Turn {
        if self.chats.len() >= SWEEP_BEYOND {
            let now = self.clock.now();
            self.chats.retain(|_, chat| Arc::strong_count(chat) > 1 || !chat.is_idle(now));
        }
        let chat = self.chats.entry(chat).or_insert_with(|| Arc::new(Chat::new(chat))).clone();
        let quiet_until = chat.turn.clone().lock_owned().await;
        Turn { chat, quiet_until }
    }

    /// Makes one call that speaks, as soon as it may be made.
    pub(super) async fn call<T>(&self, turn: &mut Turn, call: impl Future<Output = T>) -> T {
        let clock = &*self.clock;
        clock.until(*turn.quiet_until).await;
        let answer = {
            let _minute = match &turn.chat.minute {
                Some(slots) => Some(slots.take(clock).await),
                None => None,
            };
            let _overall = self.overall.take(clock).await;
            call.await
        };
        self.be_quiet(turn, PAUSE);
        answer
    }

    /// How long Telegram has forbidden to speak in this chat, from now.
    pub(super) fn quiet(&self, turn: &Turn) -> SignedDuration {
        turn.quiet_until.duration_since(self.clock.now()).max(SignedDuration::ZERO)
    }

    /// Telegram forbids to speak in this chat for so long.
    pub(super) fn be_quiet(&self, turn: &mut Turn, wait: SignedDuration) {
        *turn.quiet_until = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
    }
}

impl Chat {
    fn new(id: ChatId) -> Self {
        let is_group = id.0 < 0;
        Self { minute: is_group.then(|| Slots::new(GROUP)), turn: Arc::new(Queue::new(Timestamp::MIN)) }
    }

    /// Whether a new one would be the same.
    fn is_idle(&self, now: Timestamp) -> bool {
        let may_speak = self.turn.try_lock().is_ok_and(|until| *until <= now);
        may_speak && self.minute.as_ref().is_none_or(|slots| slots.is_idle(now))
    }
}

/// As many slots as calls may be made in a span. A slot that was used is free again a span after its call has ended, so
/// that no span sees more calls than slots, however long they are under way.
struct Slots {
    rate: Rate,
    permits: Semaphore,
    /// When the slots that nobody holds are free again, those first that are first.
    free: Mutex<VecDeque<Timestamp>>,
}

/// A slot in use.
struct Taken<'a> {
    slots: &'a Slots,
    clock: &'a dyn WallClock,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Slots {
    fn new(rate: Rate) -> Self {
        let free = VecDeque::from(vec![Timestamp::MIN; rate.calls]);
        Self { rate, permits: Semaphore::new(rate.calls), free: Mutex::new(free) }
    }

    /// Waits for a slot, in the order of asking.
    async fn take<'a>(&'a self, clock: &'a dyn WallClock) -> Taken<'a> {
        // Never closed.
        let permit = self.permits.acquire().await.ok();
        let free = self.list().pop_front().unwrap_or(Timestamp::MIN);
        // From here on, so that a caller who goes away gives the slot back.
        let taken = Taken { slots: self, clock, _permit: permit };
        clock.until(free).await;
        taken
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        self.permits.available_permits() == self.rate.calls && self.list().iter().all(|free| *free <= now)
    }

    fn list(&self) -> MutexGuard<'_, VecDeque<Timestamp>> {
        // Nothing in here panics half-way.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let free = self.clock.now().saturating_add(self.slots.rate.within).unwrap_or(Timestamp::MAX);
        self.slots.list().push_back(free);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;
    use futures_util::poll;
    use tokio::task::unconstrained;

    use super::*;
    use crate::clock::manual::ManualClock;

    const PRIVATE: ChatId = ChatId(5);
    const TEAM: ChatId = ChatId(-5);

    struct Bench {
        pace: Pace,
        clock: Arc<ManualClock>,
    }

    fn bench() -> Bench {
        let clock = ManualClock::start();
        Bench { pace: Pace::new(clock.clone()), clock }
    }

    impl Bench {
        /// Speaks once for each of `chats`; how many did so in each second, up to the last.
        async fn speak(&self, chats: impl IntoIterator<Item = ChatId>) -> Vec<usize> {
            let count = Cell::new(0);
            let speak = async |chat| {
                let mut turn = self.pace.turn(chat).await;
                self.pace.call(&mut turn, async { count.set(count.get() + 1) }).await;
            };
            let mut all = std::pin::pin!(unconstrained(join_all(chats.into_iter().map(speak))));
            let mut seconds = Vec::new();
            loop {
                // Who waits for another is woken by the second look.
                let is_done = poll!(&mut all).is_ready() || poll!(&mut all).is_ready();
                seconds.push(count.take());
                if is_done {
                    return seconds;
                }
                assert!(seconds.len() < 1_000, "they wait for ever: {seconds:?}");
                self.clock.pass(1);
            }
        }
    }

    #[tokio::test]
    async fn one_message_a_second_in_a_chat() {
        assert_eq!(bench().speak([PRIVATE; 4]).await, [1, 1, 1, 1]);
    }

    #[tokio::test]
    async fn twenty_a_minute_in_a_group_and_as_many_as_they_like_in_private() {
        let spoken = bench().speak([TEAM; 41]).await;
        let minutes: Vec<usize> = spoken.chunks(60).map(|minute| minute.iter().sum()).collect();
        assert_eq!(minutes, [20, 20, 1], "{spoken:?}");
        assert_eq!(bench().speak([PRIVATE; 41]).await.len(), 41);
    }

    #[tokio::test]
    async fn thirty_a_second_in_all_and_a_long_queue_in_one_chat_holds_up_no_other() {
        let bench = bench();
        let flood = std::iter::repeat_n(PRIVATE, 100);
        let others = (100..190).map(ChatId);
        let spoken = bench.speak(flood.chain(others)).await;
        assert_eq!(spoken[..3], [30; 3], "90 others are through after three seconds");
        assert!(spoken[3..].iter().all(|spoken| *spoken <= 2), "and the long queue takes its time: {spoken:?}");
        assert_eq!(spoken.iter().sum::<usize>(), 190);
    }

    #[tokio::test]
    async fn silence_lasts_exactly_as_long_as_telegram_says_and_in_that_chat_alone() {
        let bench = bench();
        let mut turn = bench.pace.turn(PRIVATE).await;
        bench.pace.call(&mut turn, async {}).await;
        bench.pace.be_quiet(&mut turn, SignedDuration::from_secs(7));
        assert_eq!(bench.pace.quiet(&turn), SignedDuration::from_secs(7));
        drop(turn);
        assert_eq!(bench.speak([PRIVATE, ChatId(6)]).await, [1, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[tokio::test]
    async fn who_goes_away_holds_up_nobody() {
        let bench = bench();
        for _ in 0..100 {
            let mut turn = bench.pace.turn(TEAM).await;
            assert!(poll!(std::pin::pin!(bench.pace.call(&mut turn, std::future::pending::<()>()))).is_pending());
            drop(turn);
            bench.clock.pass(60);
        }
        assert_eq!(bench.speak([TEAM]).await, [1]);
    }

    #[tokio::test]
    async fn idle_chats_are_forgotten() {
        let bench = bench();
        bench.speak((0..SWEEP_BEYOND as i64).map(|chat| ChatId(-1 - chat))).await;
        bench.clock.pass(60);
        bench.speak([PRIVATE]).await;
        assert_eq!(bench.pace.chats.len(), 1);
    }
}

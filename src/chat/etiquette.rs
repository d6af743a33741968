//! How often one person and one chat may ask: two token buckets a message, in memory and bounded.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;

use super::message::{ChatRef, UserRef};

/// The time in which a bucket fills.
const WINDOW: Duration = Duration::from_secs(60);
/// Buckets are swept once in so many checks.
const SWEEP_EVERY: usize = 1_024;
/// Most buckets of a kind; about 100 bytes each.
const MAX_BUCKETS: usize = 50_000;

/// Tells the time; injected so that tests need not wait.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// The system's monotonic clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(Instant::now)
}

/// How much may be asked. A photo costs 1, as does a message without photos. 0 counts as 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A person, in any chat, a minute.
    pub per_user_per_minute: u32,
    /// A chat, whoever asks, a minute.
    pub per_chat_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_user_per_minute: 10, per_chat_per_minute: 20 }
    }
}

/// What etiquette says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answer it.
    Allowed,
    /// Too much: say so, and when to come back.
    Refused {
        /// Until then the same request is refused in silence.
        wait: Duration,
    },
    /// Too much, and it was said already.
    Silent,
}

/// The buckets of everybody who asked within the last minute.
pub struct Etiquette {
    limits: Limits,
    clock: Clock,
    users: DashMap<UserRef, Bucket>,
    chats: DashMap<ChatRef, Bucket>,
    checks: AtomicUsize,
}

impl Etiquette {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Self { limits, clock, users: DashMap::new(), chats: DashMap::new(), checks: AtomicUsize::new(0) }
    }

    /// Takes `cost` from the buckets of the user and the chat, or from neither. A cost beyond a whole bucket
    /// counts as a whole bucket, so that an album of ten is answered under a limit of five, once a minute.
    #[must_use]
    pub fn check(&self, user: &UserRef, chat: &ChatRef, cost: usize) -> Verdict {
        let now = (self.clock)();
        self.sweep(now);
        // Always the user's shard before the chat's: two maps locked in one order cannot deadlock.
        let mut user = self.users.entry(user.clone()).or_insert_with(|| Bucket::full(self.user_capacity(), now));
        let mut chat = self.chats.entry(chat.clone()).or_insert_with(|| Bucket::full(self.chat_capacity(), now));
        let waits = (user.wait(cost, now), chat.wait(cost, now));
        let wait = waits.0.max(waits.1);
        if wait.is_zero() {
            user.take(cost);
            chat.take(cost);
            return Verdict::Allowed;
        }
        let blocking = if waits.0 >= waits.1 { &mut *user } else { &mut *chat };
        if blocking.silent_until.is_some_and(|until| now < until) {
            return Verdict::Silent;
        }
        blocking.silent_until = Some(now + wait);
        Verdict::Refused { wait }
    }

    fn user_capacity(&self) -> f64 {
        f64::from(self.limits.per_user_per_minute.max(1))
    }

    fn chat_capacity(&self) -> f64 {
        f64::from(self.limits.per_chat_per_minute.max(1))
    }

    /// Forgets full buckets: they say nothing that a new one does not say.
    fn sweep(&self, now: Instant) {
        let due = self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1;
        if due || self.users.len() >= MAX_BUCKETS || self.chats.len() >= MAX_BUCKETS {
            forget_idle(&self.users, now);
            forget_idle(&self.chats, now);
        }
    }
}

/// Beyond the bound even busy buckets go: a flood of new names must cost no memory and lock nobody out.
fn forget_idle<K: Eq + Hash>(buckets: &DashMap<K, Bucket>, now: Instant) {
    buckets.retain(|_, bucket| !bucket.is_idle(now));
    if buckets.len() >= MAX_BUCKETS {
        tracing::warn!(buckets = buckets.len(), "too many people at once: their limits start anew");
        buckets.clear();
    }
}

/// Fills evenly within [`WINDOW`].
struct Bucket {
    capacity: f64,
    tokens: f64,
    at: Instant,
    silent_until: Option<Instant>,
}

impl Bucket {
    fn full(capacity: f64, now: Instant) -> Self {
        Self { capacity, tokens: capacity, at: now, silent_until: None }
    }

    fn refill(&mut self, now: Instant) {
        let windows = now.saturating_duration_since(self.at).as_secs_f64() / WINDOW.as_secs_f64();
        self.tokens = (self.tokens + windows * self.capacity).min(self.capacity);
        self.at = self.at.max(now);
    }

    /// How long until the bucket holds `cost`; zero when it does.
    fn wait(&mut self, cost: usize, now: Instant) -> Duration {
        self.refill(now);
        let missing = (cost as f64).min(self.capacity) - self.tokens;
        // A token is there when it is there but for rounding.
        if missing < 1e-6 { Duration::ZERO } else { WINDOW.mul_f64(missing / self.capacity) }
    }

    fn take(&mut self, cost: usize) {
        self.tokens -= (cost as f64).min(self.capacity);
        self.silent_until = None;
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= self.capacity && self.silent_until.is_none_or(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::message::Platform;
    use std::sync::Mutex;

    struct Bench {
        etiquette: Etiquette,
        now: Arc<Mutex<Instant>>,
    }

    fn bench(per_user_per_minute: u32, per_chat_per_minute: u32) -> Bench {
        let now = Arc::new(Mutex::new(Instant::now()));
        let clock = now.clone();
        let clock: Clock = Arc::new(move || *clock.lock().expect("no test panics in here"));
        Bench { etiquette: Etiquette::new(Limits { per_user_per_minute, per_chat_per_minute }, clock), now }
    }

    impl Bench {
        fn ask(&self, user: i64, chat: i64, cost: usize) -> Verdict {
            let user = UserRef { platform: Platform::Telegram, id: user };
            self.etiquette.check(&user, &ChatRef { platform: Platform::Telegram, id: chat }, cost)
        }

        fn pass(&self, time: Duration) {
            *self.now.lock().expect("no test panics in here") += time;
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn refuses_once_and_is_silent_until_the_promised_time() {
        let bench = bench(10, 30);
        for _ in 0..10 {
            assert_eq!(bench.ask(1, 1, 1), Verdict::Allowed);
        }
        assert_eq!(bench.ask(1, 1, 1), Verdict::Refused { wait: 6 * SECOND });
        bench.pass(5 * SECOND);
        assert_eq!(bench.ask(1, 1, 1), Verdict::Silent);
        bench.pass(SECOND);
        assert_eq!(bench.ask(1, 1, 1), Verdict::Allowed, "the promise is kept");
        assert_eq!(bench.ask(1, 1, 1), Verdict::Refused { wait: 6 * SECOND }, "and said again afterwards");
        assert_eq!(bench.ask(2, 2, 1), Verdict::Allowed, "others are not concerned");
    }

    #[test]
    fn a_chat_has_its_own_limit_and_a_refusal_costs_its_people_nothing() {
        let bench = bench(10, 3);
        for user in 1..=3 {
            assert_eq!(bench.ask(user, 9, 1), Verdict::Allowed);
        }
        assert_eq!(bench.ask(4, 9, 1), Verdict::Refused { wait: 20 * SECOND });
        assert_eq!(bench.ask(5, 9, 1), Verdict::Silent, "said once a chat, not once a person");
        for _ in 0..10 {
            assert_eq!(bench.ask(4, 4 + bench.etiquette.chats.len() as i64 * 100, 1), Verdict::Allowed);
        }
    }

    #[test]
    fn an_album_counts_its_photos_and_one_beyond_the_limit_a_whole_bucket() {
        let bench = bench(5, 30);
        assert_eq!(bench.ask(1, 1, 10), Verdict::Allowed);
        assert_eq!(bench.ask(1, 1, 10), Verdict::Refused { wait: 60 * SECOND });
        bench.pass(30 * SECOND);
        assert_eq!(bench.ask(1, 1, 2), Verdict::Allowed, "a smaller request need not wait as long");
    }

    #[test]
    fn who_stays_away_is_forgotten() {
        let bench = bench(10, 30);
        for user in 0..SWEEP_EVERY as i64 - 1 {
            assert_eq!(bench.ask(user, user, 1), Verdict::Allowed);
        }
        bench.pass(WINDOW);
        assert_eq!(bench.ask(-1, -1, 1), Verdict::Allowed);
        assert_eq!((bench.etiquette.users.len(), bench.etiquette.chats.len()), (1, 1));
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let bench = bench(10, 30);
        for user in 0..MAX_BUCKETS as i64 + 10 {
            assert_eq!(bench.ask(user, 1_000 * (user % 2) + user, 1), Verdict::Allowed);
        }
        assert!(bench.etiquette.users.len() <= MAX_BUCKETS, "{}", bench.etiquette.users.len());
    }
}

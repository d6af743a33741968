//! The time of day, injected: rounds have bells, and tests must not wait for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time and waits for it.
pub trait WallClock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Ends once [`WallClock::now`] has reached `at`.
    fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A shared clock.
pub type SharedClock = Arc<dyn WallClock>;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// Longest single sleep: the system's clock may be set while we wait, and is looked at again afterwards.
const NAP: Duration = Duration::from_secs(30);

impl WallClock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = at.duration_since(self.now());
                let Some(left) = left.is_positive().then(|| left.unsigned_abs()) else { return };
                // A millisecond more, so that rounding never wakes us just before the time.
                tokio::time::sleep(NAP.min(left + Duration::from_millis(1))).await;
            }
        })
    }
}

/// A clock for unit tests that stands still until it is moved.
#[cfg(test)]
pub(crate) mod manual {
    use super::{Arc, Future, Pin, Timestamp, WallClock};

    /// The clock.
    pub(crate) struct ManualClock {
        now: tokio::sync::watch::Sender<Timestamp>,
    }

    impl ManualClock {
        /// A clock that stands at noon of some day.
        pub(crate) fn start() -> Arc<Self> {
            let noon = "2026-11-24T03:00:00Z".parse().expect("a moment");
            Arc::new(Self { now: tokio::sync::watch::Sender::new(noon) })
        }

        /// Wakes whoever waits for a time that has come now.
        pub(crate) fn pass(&self, seconds: i64) {
            self.now.send_modify(|now| *now += jiff::SignedDuration::from_secs(seconds));
        }
    }

    impl WallClock for ManualClock {
        fn now(&self) -> Timestamp {
            *self.now.borrow()
        }

        fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            let mut now = self.now.subscribe();
            Box::pin(async move {
                // The sender lives as long as self.
                let _ = now.wait_for(|now| *now >= at).await;
            })
        }
    }
}

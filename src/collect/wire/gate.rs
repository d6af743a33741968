//! So many requests a second, and none while a service wants to be left alone.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as Queue;

use crate::clock::SharedClock;

/// A token bucket: as many requests at once as fit in a tenth of a second, or as fit on the wire where that is fewer,
/// then one each interval. Callers pass in the order in which they come.
pub(super) struct Gate {
    clock: SharedClock,
    interval: SignedDuration,
    /// How far the bucket may run ahead of the clock.
    ahead: SignedDuration,
    /// When the bucket is full again but for what was taken (the theoretical arrival time of GCRA, ITU-T I.371).
    next: Queue<Timestamp>,
    closed_until: Mutex<Timestamp>,
}

impl Gate {
    pub(super) fn new(clock: SharedClock, per_second: f64, concurrent: usize) -> Self {
        let per_second = per_second.clamp(1e-3, 1e6);
        let interval = SignedDuration::from_secs_f64(1.0 / per_second);
        let burst = (per_second / 10.0).clamp(1.0, concurrent.clamp(1, 1_000) as f64);
        let past = Mutex::new(Timestamp::MIN);
        Self {
            clock,
            interval,
            ahead: interval.mul_f64(burst - 1.0),
            next: Queue::new(Timestamp::MIN),
            closed_until: past,
        }
    }

    /// Waits for a turn.
    pub(super) async fn pass(&self) {
        let mut next = self.next.lock().await;
        self.opened().await;
        let now = self.clock.now();
        // The clock may be set back; nobody waits longer than a full bucket for that.
        *next = (*next).clamp(now, now + self.ahead + self.interval);
        let turn = *next - self.ahead;
        if turn > now {
            self.clock.until(turn).await;
        }
        *next += self.interval;
    }

    /// Lets nobody pass before `until`.
    pub(super) fn close_until(&self, until: Timestamp) {
        let mut closed = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = until.max(*closed);
    }

    async fn opened(&self) {
        loop {
            let until = *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
            if until <= self.clock.now() {
                return;
            }
            self.clock.until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;

    use crate::clock::WallClock;

    /// A clock that jumps to whatever is waited for.
    struct Jumping(Mutex<Timestamp>);

    impl WallClock for Jumping {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            let mut now = self.0.lock().unwrap();
            *now = at.max(*now);
            Box::pin(async {})
        }
    }

    fn clock() -> Arc<Jumping> {
        Arc::new(Jumping(Mutex::new("2026-11-26T00:00:00Z".parse().unwrap())))
    }

    async fn milliseconds(gate: &Gate, clock: &Jumping, passes: usize) -> Vec<i128> {
        let start = clock.now();
        let mut times = Vec::new();
        for _ in 0..passes {
            gate.pass().await;
            times.push(clock.now().duration_since(start).as_millis());
        }
        times
    }

    #[tokio::test]
    async fn a_burst_then_one_each_interval() {
        let clock = clock();
        let gate = Gate::new(clock.clone(), 40.0, 8);
        assert_eq!(milliseconds(&gate, &clock, 8).await, [0, 0, 0, 0, 25, 50, 75, 100]);
        clock.until(clock.now() + SignedDuration::from_secs(60)).await;
        assert_eq!(milliseconds(&gate, &clock, 5).await, [0, 0, 0, 0, 25], "idleness does not pile up");
    }

    #[tokio::test]
    async fn slow_rates_have_no_burst() {
        let clock = clock();
        let gate = Gate::new(clock.clone(), 0.5, 8);
        assert_eq!(milliseconds(&gate, &clock, 3).await, [0, 2_000, 4_000]);
    }

    #[tokio::test]
    async fn a_closed_gate_opens_in_time() {
        let clock = clock();
        let gate = Gate::new(clock.clone(), 1_000.0, 1);
        gate.close_until(clock.now() + SignedDuration::from_secs(7));
        gate.close_until(clock.now() + SignedDuration::from_secs(2));
        assert_eq!(milliseconds(&gate, &clock, 2).await, [7_000, 7_001]);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_holds_nobody_up() {
        let clock = clock();
        let gate = Gate::new(clock.clone(), 10.0, 1);
        gate.pass().await;
        *clock.0.lock().unwrap() -= SignedDuration::from_hours(24);
        assert_eq!(milliseconds(&gate, &clock, 2).await, [100, 200]);
    }
}

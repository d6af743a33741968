//! What the core has learnt of its own speed, and what it expects of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A photo's share of a run before the first was measured, microseconds.
const FIRST_SHARE_US: u64 = 100_000;

/// Moving averages, which every answer moves by an eighth of the way.
pub(super) struct Pace {
    /// A photo's share of a run, microseconds.
    share_us: AtomicU64,
    /// What a photo takes that has the core to itself, microseconds; 0 before the first.
    alone_us: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { share_us: AtomicU64::new(FIRST_SHARE_US), alone_us: AtomicU64::new(0) }
    }
}

impl Pace {
    /// Learns from a run of `batch` photos.
    pub(super) fn learn_run(&self, ran: Duration, batch: usize) {
        learn(&self.share_us, ran / batch.max(1) as u32);
    }

    /// Learns from a photo that had the core to itself from admission to its answer.
    pub(super) fn learn_alone(&self, took: Duration) {
        learn(&self.alone_us, took);
    }

    /// Whether a photo that meets `others` in the core is expected to take no more than `slowdown` times (1 or more) what
    /// it would take alone. Nobody is refused before that is known.
    pub(super) fn bears(&self, others: usize, slowdown: f64) -> bool {
        let alone = self.alone_us.load(Ordering::Relaxed);
        let expected = alone + self.share_us.load(Ordering::Relaxed) * others as u64;
        alone == 0 || expected as f64 <= alone as f64 * slowdown
    }

    /// When `photos` have been answered: whole seconds, 1 to 60.
    pub(super) fn retry_after(&self, photos: usize) -> Duration {
        let wait = Duration::from_micros(self.share_us.load(Ordering::Relaxed) * photos as u64);
        Duration::from_secs(wait.as_secs().clamp(1, 60))
    }
}

fn learn(average: &AtomicU64, sample: Duration) {
    let sample = sample.as_micros() as u64;
    let before = average.load(Ordering::Relaxed);
    average.store(if before == 0 { sample } else { (before * 7 + sample) / 8 }, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// After so many answers of photos that take 30 ms alone, 20 ms of them in the network.
    fn learnt(answers: usize) -> Pace {
        let pace = Pace::default();
        for _ in 0..answers {
            pace.learn_run(millis(160), 8);
            pace.learn_alone(millis(30));
        }
        pace
    }

    #[test]
    fn nobody_is_refused_before_the_core_knows_what_a_photo_takes() {
        assert!(Pace::default().bears(1_000, 1.0));
    }

    #[test]
    fn three_times_as_long_is_three_others_of_two_thirds_each() {
        let pace = learnt(100);
        assert!(pace.bears(0, 1.0) && pace.bears(3, 3.0) && !pace.bears(4, 3.0) && !pace.bears(1, 1.0));
    }

    #[test]
    fn it_learns_that_the_network_became_quicker() {
        let pace = learnt(100);
        (0..100).for_each(|_| pace.learn_run(millis(40), 8));
        assert!(pace.bears(11, 3.0), "a photo's share is 5 ms now");
    }

    #[test]
    fn whoever_is_refused_comes_back_when_the_others_are_done() {
        assert_eq!(
            Pace::default().retry_after(64),
            Duration::from_secs(6),
            "of 100 ms each, as long as nothing is known"
        );
        assert_eq!(learnt(100).retry_after(3), Duration::from_secs(1), "never at once");
        assert_eq!(learnt(100).retry_after(1_000_000), Duration::from_secs(60));
    }

    proptest! {
        #[test]
        fn whoever_meets_fewer_others_or_bears_more_is_let_in_first(others in 0_usize..200, slowdown in 1.0..20.0_f64) {
            let pace = learnt(50);
            prop_assert!(!pace.bears(others + 1, slowdown) || pace.bears(others, slowdown));
            prop_assert!(!pace.bears(others, slowdown) || pace.bears(others, slowdown + 1.0));
        }
    }
}

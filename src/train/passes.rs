//! Passes over many values on all cores.

use pulp::Arch;
use rayon::prelude::*;

/// Values that one task takes at once.
pub(super) const CHUNK: usize = 1 << 14;

/// Runs a loop compiled for the vectors of the processor at hand.
pub(super) fn vectorised<T>(work: impl FnOnce() -> T) -> T {
    Arch::new().dispatch(work)
}

/// Pictures in a task, so that threads that take task by task end at about the same time. `cost` is what a task of so many
/// takes, in any unit: what is left of a group of positions at its end, say, takes as long as a whole one.
pub(super) fn share(batch: usize, cost: impl Fn(usize) -> usize) -> usize {
    let threads = rayon::current_num_threads();
    let busiest = |share: usize| batch.div_ceil(share).div_ceil(threads) * cost(share);
    let shares = 1..=batch.div_ceil(threads);
    let least = shares.clone().map(busiest).min().unwrap_or_default();
    // Of shares about as good the smallest: its values stay in the cache, and others may want a core as well.
    shares.into_iter().find(|share| 16 * busiest(*share) <= 17 * least).unwrap_or(1)
}

/// Most sums that are made side by side, a few pictures each, and then added: how many there are must not depend on the
/// number of threads, or results would.
pub(super) const SUMS: usize = 16;

/// Adds other sums to one, in their order.
pub(super) fn add(sum: &mut [f32], others: &[&[f32]]) {
    sum.par_chunks_mut(CHUNK).enumerate().for_each(|(at, sum)| {
        for other in others {
            sum.iter_mut().zip(&other[at * CHUNK..]).for_each(|(sum, other)| *sum += other);
        }
    });
}

/// So many zeros, written by all cores when they are many: zeroing by one makes the others wait.
pub(super) fn zeros(count: usize) -> Vec<f32> {
    if count < SHARED {
        return vec![0.0; count];
    }
    let blocks = rayon::iter::repeat_n([0.0; BLOCK], count.div_ceil(BLOCK)).with_min_len(SHARED / BLOCK / 4);
    let mut zeros = blocks.collect::<Vec<_>>().into_flattened();
    zeros.truncate(count);
    zeros
}

/// Zeros that make more than one core worth it.
const SHARED: usize = 1 << 17;

/// Zeros that are written at once.
const BLOCK: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_get_as_much_and_whole_groups() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.install(|| {
            let share =
                |batch, positions: usize, group| share(batch, |pictures| (pictures * positions).div_ceil(group));
            // 3 + 3 + 2 pictures would leave one thread waiting; 49 positions are 1.5 groups of 32.
            assert_eq!(share(8, 49, 32), 4);
            assert_eq!(share(8, 3136, 32), 1);
            assert_eq!(share(1, 49, 32), 1);
            assert_eq!(share(16, 1, 8), 8);
        });
    }

    #[test]
    fn sums_are_added_in_their_order() {
        let all = |value: f32| vec![value; 2 * CHUNK + 3];
        let mut sum = all(1e8);
        // Rounding would leave 1 in the other order.
        add(&mut sum, &[&all(1.0), &all(-1e8)]);
        assert_eq!(sum, all(0.0));
    }

    #[test]
    fn there_are_as_many_as_asked_for() {
        for count in [0, 1, SHARED - 1, SHARED, SHARED + 1, 3 * SHARED + BLOCK - 1] {
            let zeros = zeros(count);
            assert!(zeros.len() == count && zeros.iter().all(|zero| zero.to_bits() == 0), "{count}");
        }
    }
}

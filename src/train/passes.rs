//! Passes over many values on all cores.

use pulp::Arch;
use rayon::prelude::*;

/// Values that one task takes at once.
pub(super) const CHUNK: usize = 1 << 14;

/// Runs a loop compiled for the vectors of the processor at hand.
pub(super) fn vectorised<T>(work: impl FnOnce() -> T) -> T {
    Arch::new().dispatch(work)
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
    fn there_are_as_many_as_asked_for() {
        for count in [0, 1, SHARED - 1, SHARED, SHARED + 1, 3 * SHARED + BLOCK - 1] {
            let zeros = zeros(count);
            assert!(zeros.len() == count && zeros.iter().all(|zero| zero.to_bits() == 0), "{count}");
        }
    }
}

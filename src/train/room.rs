//! Room for results.

use rayon::prelude::*;

/// So many zeros, written by all cores when they are many: zeroing by one makes the others wait.
pub(super) fn zeros(count: usize) -> Vec<f32> {
    if count < SHARED { vec![0.0; count] } else { rayon::iter::repeat_n(0.0, count).with_min_len(SHARED / 4).collect() }
}

/// Zeros that make more than one core worth it.
const SHARED: usize = 1 << 17;

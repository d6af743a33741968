//! Chance that is the same in every run, on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A stream of random values, seeded by words.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of these words; other words, or the same otherwise divided, give another.
    pub(super) fn of(words: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for word in words {
            hash.update(word.as_bytes());
            hash.update([0]);
        }
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A value in `[0, 1)`, a multiple of 2⁻⁵³.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

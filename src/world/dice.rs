//! Reproducible chance.
//!
//! Only `next_u64` of ChaCha8 is used, and every draw is derived from it here, so that a new release of
//! `rand` with another sampling algorithm cannot redraw the world under a trained model.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random values that is the same on every machine.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `seed`; `salt` separates uses of one seed from each other.
    pub fn new(seed: u64, salt: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A value in `[0, 1)`, a multiple of 2⁻²⁴.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// A value in `[low, high)`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// A whole number in `0..n`; `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// About a standard normal value: the scaled sum of four uniform ones, within ±3.5.
    pub fn bell(&mut self) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 3.0_f32.sqrt()
    }

    /// One element of a slice that is not empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// One element, with probability in proportion to its weight. The slice must not be empty.
    pub fn weighted<T: Copy>(&mut self, from: &[(T, f32)]) -> T {
        let total: f32 = from.iter().map(|(_, weight)| weight).sum();
        let mut left = self.unit() * total;
        for (value, weight) in from {
            left -= weight;
            if left < 0.0 {
                return *value;
            }
        }
        from[from.len() - 1].0
    }
}

/// A 64-bit hash of words, to derive seeds (FNV-1a with a final avalanche).
pub fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let h = bytes.fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(7, 0);
        let hits = (0..10_000).filter(|_| dice.weighted(&[('a', 3.0), ('b', 1.0)]) == 'a').count();
        assert!((7_300..7_700).contains(&hits), "{hits}");
    }

    #[test]
    fn salts_separate_streams() {
        assert_ne!(Dice::new(1, 0).bits(), Dice::new(1, 1).bits());
        assert_eq!(Dice::new(1, 1).bits(), Dice::new(1, 1).bits());
    }

    #[test]
    fn below_reaches_every_value_and_no_other() {
        let mut dice = Dice::new(3, 0);
        let mut seen = [0; 5];
        (0..1_000).for_each(|_| seen[dice.below(5)] += 1);
        assert!(seen.iter().all(|&n| n > 120), "{seen:?}");
    }
}

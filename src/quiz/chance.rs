//! Chance that nobody can foresee: a keyed stream, the same for the same key, purpose and moment.

use hmac::{Hmac, Mac};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::Sha256;

/// Letters of codes: none that is easily mistaken for another (Crockford's alphabet).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A stream of random values.
pub struct Chance(ChaCha20Rng);

impl Chance {
    /// The stream of HMAC-SHA256 (RFC 2104) of `purpose` and `moment` under the secret key.
    ///
    /// # Panics
    /// Never: HMAC takes keys of every length.
    #[must_use]
    pub fn new(secret: &[u8; 32], purpose: &str, moment: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of every length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(moment.as_bytes());
        Self(ChaCha20Rng::from_seed(mac.finalize().into_bytes().into()))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// A value in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A code of so many letters, 5 bits each.
    pub fn code(&mut self, letters: usize) -> String {
        (0..letters).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }
}

/// A code as people type it: upper case, without spaces and dashes, O for 0 and I or L for 1 forgiven.
#[must_use]
pub fn tidy_code(typed: &str) -> String {
    let plain = typed.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    plain.take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_purpose_and_moment_each_make_another_stream() {
        let bits = |key: u8, purpose, moment| Chance::new(&[key; 32], purpose, moment).bits();
        let all = [bits(1, "daily", "a"), bits(2, "daily", "a"), bits(1, "draw", "a"), bits(1, "daily", "b")];
        assert!(all.iter().enumerate().all(|(i, a)| all[..i].iter().all(|b| a != b)), "{all:?}");
        assert_eq!(bits(1, "daily", "a"), all[0]);
    }

    #[test]
    fn codes_survive_being_typed() {
        let code = Chance::new(&[3; 32], "code", "").code(8);
        assert_eq!(code.len(), 8);
        assert_eq!(tidy_code(&code), code);
        assert_eq!(tidy_code(" ab-oil 7 "), "AB0117");
    }
}

//! From logits of the validation split to honest probabilities.

use crate::domain::metrics::nll;

/// The range in which the temperature is sought; real networks lie well inside.
const TEMPERATURES: (f64, f64) = (0.05, 20.0);

/// The temperature (greater than 0) that minimises the negative log-likelihood (Guo et al. 2017): golden-section
/// search over its logarithm. The likelihood is concave in the inverse temperature, so there is one minimum.
#[must_use]
pub fn temperature(logits: &[Vec<f32>], labels: &[usize]) -> f32 {
    let cost = |log: f64| nll(logits, labels, log.exp());
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (TEMPERATURES.0.ln(), TEMPERATURES.1.ln());
    // 60 steps shrink the bracket to less than 1e-11 of its width.
    for _ in 0..60 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if cost(a) < cost(b) {
            high = b;
        } else {
            low = a;
        }
    }
    f64::midpoint(low, high).exp() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metrics::{ece, judge};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Labels drawn from the softmax of random logits: perfectly calibrated at temperature 1.
    fn honest(photos: usize) -> (Vec<Vec<f32>>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut draw = || {
            let logits: Vec<f32> = (0..5).map(|_| rng.random_range(-3.0..3.0)).collect();
            let mut left: f32 = rng.random();
            let p = crate::domain::prediction::softmax(&logits, 1.0);
            let label = p.iter().position(|p| {
                left -= p;
                left < 0.0
            });
            (logits, label.unwrap_or(4))
        };
        (0..photos).map(|_| draw()).unzip()
    }

    #[test]
    fn a_boasting_model_gets_its_boast_back() {
        let (logits, labels) = honest(4000);
        let louder: Vec<Vec<f32>> = logits.iter().map(|row| row.iter().map(|l| l * 3.0).collect()).collect();
        assert!((temperature(&logits, &labels) - 1.0).abs() < 0.1);
        let found = temperature(&louder, &labels);
        assert!((found - 3.0).abs() < 0.3, "{found}");
        assert!(ece(&judge(&louder, &labels, found), 15) < 0.3 * ece(&judge(&louder, &labels, 1.0), 15));
    }
}

//! From logits of the validation split to honest probabilities and an honest "I don't know".

use crate::domain::metrics::{Judged, Selective, nll, selective};

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

/// The smallest threshold at which the answers given are right in at least `accuracy` (0 to 1) of cases: it keeps
/// the most coverage that the wanted accuracy allows. If no threshold reaches it, the one with the best accuracy
/// among those that still answer a tenth of the photos, so that a weak model is cautious but not silent.
#[must_use]
pub fn threshold(judged: &[Judged], accuracy: f32) -> Selective {
    let mut candidates: Vec<f32> = judged.iter().map(|photo| photo.confidence).collect();
    candidates.push(0.0);
    candidates.sort_by(f32::total_cmp);
    candidates.dedup();
    let points: Vec<Selective> = candidates.into_iter().map(|t| selective(judged, t)).collect();
    let answering = || points.iter().filter(|point| point.coverage >= 0.1);
    let reached = answering().find(|point| point.accuracy >= accuracy);
    let best = || answering().max_by(|a, b| a.accuracy.total_cmp(&b.accuracy));
    let none = Selective { threshold: 0.0, coverage: 1.0, accuracy: 0.0 };
    reached.or_else(best).copied().unwrap_or(none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metrics::{ece, judge};
    use proptest::prelude::*;
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

    #[test]
    fn the_threshold_is_the_smallest_that_keeps_the_promise() {
        // Right from 0.5 on, wrong below.
        let judged: Vec<Judged> = (0..100).map(|i| Judged { confidence: i as f32 / 100.0, right: i >= 50 }).collect();
        let found = threshold(&judged, 1.0);
        assert_eq!((found.threshold, found.coverage, found.accuracy), (0.5, 0.5, 1.0));
        assert_eq!(threshold(&judged, 0.5).threshold, 0.0);
    }

    #[test]
    fn a_model_that_is_never_right_still_has_a_threshold() {
        let judged = vec![Judged { confidence: 0.4, right: false }; 10];
        assert_eq!(threshold(&judged, 0.9).accuracy, 0.0);
        assert_eq!(threshold(&[], 0.9).coverage, 1.0);
    }

    proptest! {
        #[test]
        fn the_promise_is_kept_whenever_it_can_be(
            photos in prop::collection::vec((0.0..1.0_f32, any::<bool>()), 1..60), wanted in 0.1..1.0_f32,
        ) {
            let judged: Vec<Judged> = photos.into_iter().map(|(confidence, right)| Judged { confidence, right }).collect();
            let found = threshold(&judged, wanted);
            let possible = judged.iter().map(|p| selective(&judged, p.confidence)).any(|s| s.coverage >= 0.1 && s.accuracy >= wanted);
            prop_assert!(!possible || found.accuracy >= wanted);
            prop_assert_eq!(found, selective(&judged, found.threshold));
        }
    }
}

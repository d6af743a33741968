//! How right the answers are when only the surest are given: the coverage-accuracy curve.

use serde::{Deserialize, Serialize};

use super::{Judged, share};

/// What an abstention threshold does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selective {
    /// Photos whose confidence is below it get "I don't know".
    pub threshold: f32,
    /// Share of photos that get an answer, 0 to 1.
    pub coverage: f32,
    /// Share of right answers among those, 0 to 1; 1 when there is none.
    pub accuracy: f32,
}

/// Least share of photos that a threshold must leave answered, so that a weak model is cautious but not silent.
const LEAST_COVERAGE: f32 = 0.1;

/// Coverage and accuracy at a threshold.
#[must_use]
pub fn selective(judged: &[Judged], threshold: f32) -> Selective {
    let answered: Vec<&Judged> = judged.iter().filter(|photo| photo.confidence >= threshold).collect();
    let right = answered.iter().filter(|photo| photo.right).count();
    point(threshold, answered.len(), right, judged.len())
}

fn point(threshold: f32, answered: usize, right: usize, all: usize) -> Selective {
    let accuracy = if answered == 0 { 1.0 } else { share(right, answered) };
    Selective { threshold, coverage: share(answered, all), accuracy }
}

/// The curve: a point for each confidence that a photo has, the surest first, coverage growing to 1.
#[must_use]
pub fn curve(judged: &[Judged]) -> Vec<Selective> {
    let sorted = surest_first(judged);
    let mut points: Vec<Selective> = Vec::new();
    let mut right = 0;
    for (i, photo) in sorted.iter().enumerate() {
        right += usize::from(photo.right);
        // Photos of one confidence are answered together or not at all.
        if sorted.get(i + 1).is_none_or(|next| next.confidence < photo.confidence) {
            points.push(point(photo.confidence, i + 1, right, sorted.len()));
        }
    }
    points
}

/// Area under the risk-coverage curve (Geifman and El-Yaniv 2017): the mean, over all numbers of answers from one to
/// all, of the share of wrong ones. 0 (best) to 1; photos of one confidence come in the mean of their orders. 0 of no
/// photos.
#[must_use]
pub fn aurc(judged: &[Judged]) -> f64 {
    let sorted = surest_first(judged);
    let (mut risks, mut wrong, mut answers) = (0.0, 0.0, 0.0);
    for group in sorted.chunk_by(|a, b| a.confidence.total_cmp(&b.confidence).is_eq()) {
        let each = group.iter().filter(|photo| !photo.right).count() as f64 / group.len() as f64;
        for _ in group {
            wrong += each;
            answers += 1.0;
            risks += wrong / answers;
        }
    }
    risks / judged.len().max(1) as f64
}

/// Confidence below which an area is more likely wrong than right.
const EVEN: f32 = 0.5;

/// The smallest threshold from 0.5 at which the answers given are right in at least `accuracy` (0 to 1) of cases: it
/// keeps the most coverage that the wanted accuracy allows. However right a model is on streets, it shall not name an
/// area that is more likely wrong; photos of something else end there. A model that cannot afford that may go below 0.5.
/// If no threshold reaches the accuracy, the one with the best among those that still answer a tenth of the photos.
#[must_use]
pub fn threshold(judged: &[Judged], accuracy: f32) -> Selective {
    let mut points = vec![selective(judged, 0.0), selective(judged, EVEN)];
    points.extend(curve(judged));
    points.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
    let answering = || points.iter().filter(|point| point.coverage >= LEAST_COVERAGE);
    let reached = || answering().filter(|point| point.accuracy >= accuracy);
    let careful = reached().find(|point| point.threshold >= EVEN);
    let best = || answering().max_by(|a, b| a.accuracy.total_cmp(&b.accuracy));
    let none = Selective { threshold: 0.0, coverage: 1.0, accuracy: 0.0 };
    careful.or_else(|| reached().next()).or_else(best).copied().unwrap_or(none)
}

fn surest_first(judged: &[Judged]) -> Vec<Judged> {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(photos: &[(f32, bool)]) -> Vec<Judged> {
        photos.iter().map(|&(confidence, right)| Judged { confidence, right }).collect()
    }

    #[test]
    fn the_curve_by_hand() {
        let photos = judged(&[(0.9, true), (0.5, false), (0.5, true), (0.2, false)]);
        let points: Vec<(f32, f32)> = curve(&photos).iter().map(|p| (p.coverage, p.accuracy)).collect();
        assert_eq!(points, [(0.25, 1.0), (0.75, 2.0 / 3.0), (1.0, 0.5)]);
        // Risks 0, (1/2)/2, 1/3 and 2/4.
        assert!((aurc(&photos) - (0.25 + 1.0 / 3.0 + 0.5) / 4.0).abs() < 1e-12);
        assert_eq!((aurc(&[]), curve(&[]).len()), (0.0, 0));
    }

    #[test]
    fn a_model_that_knows_what_it_knows_has_the_least_area() {
        // All rights before all wrongs: risks 0 for the first half, then (k - n) / k.
        let n = 500_usize;
        let best: Vec<(f32, bool)> = (0..2 * n).map(|i| (1.0 - i as f32 / (4 * n) as f32, i < n)).collect();
        // The sum turns into an integral: 1/2 - ln(2)/2.
        assert!((aurc(&judged(&best)) - (0.5 - 2.0_f64.ln() / 2.0)).abs() < 1e-3);
        let worst: Vec<(f32, bool)> = best.iter().map(|&(c, right)| (c, !right)).collect();
        assert!(aurc(&judged(&worst)) > 0.8);
        assert!((aurc(&judged(&worst.iter().map(|p| (0.5, p.1)).collect::<Vec<_>>())) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_threshold_is_the_smallest_that_keeps_the_promise() {
        // Right from 0.5 on, wrong below.
        let photos: Vec<Judged> = (0..100).map(|i| Judged { confidence: i as f32 / 100.0, right: i >= 50 }).collect();
        let found = threshold(&photos, 1.0);
        assert_eq!((found.threshold, found.coverage, found.accuracy), (0.5, 0.5, 1.0));
        assert_eq!(threshold(&photos, 0.5).threshold, 0.5, "an area that is more likely wrong is not named");
    }

    #[test]
    fn a_model_that_is_always_right_still_abstains_where_it_is_unsure() {
        let photos: Vec<Judged> = (0..100).map(|i| Judged { confidence: i as f32 / 100.0, right: true }).collect();
        assert_eq!(threshold(&photos, 0.9), selective(&photos, 0.5));
    }

    #[test]
    fn a_model_of_many_areas_that_is_never_sure_is_not_silent() {
        let photos: Vec<Judged> = (0..100).map(|i| Judged { confidence: i as f32 / 250.0, right: i >= 50 }).collect();
        assert_eq!(threshold(&photos, 1.0).threshold, 0.2);
    }

    #[test]
    fn a_model_that_is_never_right_still_has_a_threshold() {
        let photos = vec![Judged { confidence: 0.4, right: false }; 10];
        assert_eq!(threshold(&photos, 0.9).accuracy, 0.0);
        assert_eq!(threshold(&[], 0.9).coverage, 1.0);
    }

    proptest! {
        #[test]
        fn the_promise_is_kept_whenever_it_can_be(
            photos in prop::collection::vec((0.0..1.0_f32, any::<bool>()), 1..60), wanted in 0.1..1.0_f32,
        ) {
            let photos = judged(&photos);
            let found = threshold(&photos, wanted);
            let possible = photos.iter().map(|p| selective(&photos, p.confidence))
                .any(|s| s.coverage >= LEAST_COVERAGE && s.accuracy >= wanted);
            prop_assert!(!possible || found.accuracy >= wanted);
            prop_assert_eq!(found, selective(&photos, found.threshold));
        }

        #[test]
        fn each_point_is_what_its_threshold_does(photos in prop::collection::vec((0_u8..20, any::<bool>()), 1..60)) {
            let photos: Vec<Judged> =
                photos.iter().map(|&(c, right)| Judged { confidence: f32::from(c) / 20.0, right }).collect();
            let points = curve(&photos);
            for point in &points {
                prop_assert_eq!(*point, selective(&photos, point.threshold));
            }
            prop_assert!(points.windows(2).all(|w| w[0].coverage < w[1].coverage));
            prop_assert_eq!(points.last().map(|p| p.coverage), Some(1.0));
            prop_assert!((0.0..=1.0).contains(&aurc(&photos)));
        }
    }
}

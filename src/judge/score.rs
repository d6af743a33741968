//! One model on one set of photos.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::domain::Area;
use crate::domain::metrics::{self, Bin, Distances, Interval, Selective, Spot, bootstrap, coverage, reliability};
use crate::infer::manifest::Metrics;

/// Bins of the calibration error.
pub const BINS: usize = 15;
/// Most points of a stored curve.
const POINTS: usize = 200;
/// Starts the resampling, so that the same answers give the same intervals.
pub(super) const SEED: u64 = 1;

/// A model's answers to photos whose truth is known. Slices of equal length, one entry a photo.
#[derive(Clone, Copy, Debug)]
pub struct Graded<'a> {
    /// Unscaled logits, `[areas]` each.
    pub logits: &'a [Vec<f32>],
    /// Index of the true area.
    pub truths: &'a [usize],
    /// Town or grid cell within the area.
    pub places: &'a [String],
    /// Divides the logits before the softmax, greater than 0.
    pub temperature: f32,
    /// Below this probability the answer is "I don't know", 0 to 1.
    pub abstain_below: f32,
}

/// How good a model is. Shares are 0 to 1; intervals are 95 %.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Photos that were judged.
    pub photos: usize,
    /// Places that they come from, counted within each area.
    pub places: usize,
    /// Share of photos whose best area is right; interval by resampling places.
    pub top1: Interval,
    /// Share of photos whose area is among the best three.
    pub top3: f32,
    /// Mean of the areas' recalls; interval by resampling places.
    pub macro_recall: Interval,
    /// Top-1 of always answering the most frequent area of these photos.
    pub majority_top1: f32,
    /// Macro recall of the same.
    pub majority_macro_recall: f32,
    /// Divides the logits.
    pub temperature: f32,
    /// Calibration error with the temperature, 15 bins.
    pub ece: f32,
    /// Calibration error of the unscaled logits.
    pub ece_before: f32,
    /// What the model's abstention threshold does on these photos.
    pub abstention: Selective,
    /// Area under the risk-coverage curve: 0 (best) to 1.
    pub aurc: f64,
    /// Each area with its recall.
    pub areas: Vec<Recall>,
    /// Photos by true area (row) and answer (column).
    pub confusion: Vec<Vec<usize>>,
    /// Coverage and accuracy for falling thresholds, at most 200 of them.
    pub curve: Vec<Selective>,
    /// Confidence and accuracy by confidence, with the temperature.
    pub reliability: Vec<Bin>,
    /// The same of the unscaled logits.
    pub reliability_before: Vec<Bin>,
    /// How far off the guesses are, where that was judged and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<Distances>,
}

/// How well one area is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// The area.
    pub area: Area,
    /// Its photos.
    pub photos: usize,
    /// Share of them that are named rightly; 0 of none.
    pub recall: f32,
    /// 95 % interval of the recall (Wilson), as if the photos were independent.
    pub interval: (f64, f64),
}

impl Score {
    /// The figures that a manifest holds. `thumbnail_top1` is that of a linear classifier on thumbnails of the same
    /// photos, 0 to 1.
    #[must_use]
    pub fn metrics(&self, thumbnail_top1: f32) -> Metrics {
        Metrics {
            photos: self.photos,
            top1: self.top1.value as f32,
            top3: self.top3,
            macro_recall: self.macro_recall.value as f32,
            ece: self.ece,
            coverage: self.abstention.coverage,
            selective_accuracy: self.abstention.accuracy,
            thumbnail_top1,
            // For the quiz, which asks about municipalities; of many cells it would be most of the manifest.
            confusion: if self.areas.iter().any(|recall| recall.area.cell.is_some()) {
                Vec::new()
            } else {
                self.confusion.clone()
            },
        }
    }
}

/// Judges a model. `areas` are in the order of the logits.
///
/// # Panics
/// When there are no photos, or the slices differ in length.
#[must_use]
pub fn score(graded: &Graded<'_>, areas: &[Area]) -> Score {
    let Graded { logits, truths, temperature, .. } = *graded;
    let judged = metrics::judge(logits, truths, temperature);
    let plain = metrics::judge(logits, truths, 1.0);
    let confusion = metrics::confusion(logits, truths, areas.len());
    let right: Vec<bool> = judged.iter().map(|photo| photo.right).collect();
    let spots = spots(truths, graded.places);
    let spread = bootstrap::intervals(&spots, &right, &mut ChaCha8Rng::seed_from_u64(SEED));
    let (majority_top1, majority_macro_recall) = metrics::majority(truths);
    let places: std::collections::BTreeSet<_> = spots.iter().map(|spot| (spot.area, spot.place)).collect();
    Score {
        photos: truths.len(),
        places: places.len(),
        top1: spread.top1,
        top3: metrics::top_k(logits, truths, 3),
        macro_recall: spread.macro_recall,
        majority_top1,
        majority_macro_recall,
        temperature,
        ece: reliability::ece(&judged, BINS),
        ece_before: reliability::ece(&plain, BINS),
        abstention: coverage::selective(&judged, graded.abstain_below),
        aurc: coverage::aurc(&judged),
        areas: recalls(&confusion, areas),
        confusion,
        curve: thin(coverage::curve(&judged)),
        reliability: reliability::bins(&judged, BINS),
        reliability_before: reliability::bins(&plain, BINS),
        distances: None,
    }
}

/// Where the photos were taken, for the resampling.
pub(super) fn spots<'a>(truths: &[usize], places: &'a [String]) -> Vec<Spot<'a>> {
    assert_eq!(truths.len(), places.len(), "one place a photo");
    truths.iter().zip(places).map(|(&area, place)| Spot { area, place }).collect()
}

fn recalls(confusion: &[Vec<usize>], areas: &[Area]) -> Vec<Recall> {
    let recalls = metrics::recalls(confusion);
    let one = |(i, area): (usize, &Area)| {
        let photos = confusion[i].iter().sum();
        let interval = metrics::wilson(confusion[i][i], photos);
        Recall { area: area.clone(), photos, recall: recalls[i].unwrap_or(0.0), interval }
    };
    areas.iter().enumerate().map(one).collect()
}

/// Evenly chosen points; the first and the last stay.
fn thin(curve: Vec<Selective>) -> Vec<Selective> {
    let last = curve.len().saturating_sub(1);
    if curve.len() <= POINTS {
        return curve;
    }
    (0..POINTS).map(|i| curve[i * last / (POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas() -> Vec<Area> {
        ["甲", "乙"].map(|name| Area::new("県", name, name)).to_vec()
    }

    #[test]
    fn a_score_by_hand() {
        let logits = vec![vec![2.0, 0.0], vec![0.0, 2.0], vec![0.0, 2.0], vec![0.0, 0.2]];
        let places: Vec<String> = ["一", "一", "一", "二"].map(str::to_owned).to_vec();
        let graded =
            Graded { logits: &logits, truths: &[0, 0, 1, 1], places: &places, temperature: 2.0, abstain_below: 0.6 };
        let found = score(&graded, &areas());
        assert_eq!((found.photos, found.places), (4, 3));
        assert_eq!((found.top1.value, found.macro_recall.value, found.top3), (0.75, 0.75, 1.0));
        assert_eq!((found.majority_top1, found.majority_macro_recall), (0.5, 0.5));
        assert_eq!(found.confusion, [[1, 1], [0, 2]]);
        assert_eq!(found.areas.iter().map(|area| area.recall).collect::<Vec<_>>(), [0.5, 1.0]);
        // Three photos at 1 / (1 + 1/e), one at little more than a half.
        assert_eq!((found.abstention.coverage, found.abstention.accuracy), (0.75, 2.0 / 3.0));
        assert_eq!(found.curve.len(), 2);
        let sure = 1.0 / (1.0 + (-1.0_f32).exp());
        assert!((found.curve[0].threshold - sure).abs() < 1e-6);
    }

    #[test]
    fn long_curves_are_thinned_but_keep_their_ends() {
        let point = |i: usize| Selective { threshold: 0.0, coverage: i as f32, accuracy: 1.0 };
        let thinned = thin((0..1_000).map(point).collect());
        assert_eq!((thinned.len(), thinned[0].coverage, thinned[POINTS - 1].coverage), (POINTS, 0.0, 999.0));
        assert_eq!(thin(vec![point(0)]).len(), 1);
    }
}

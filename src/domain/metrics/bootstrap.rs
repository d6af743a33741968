//! Intervals by resampling *places*: two photos of one town look alike, so a town counts as one draw and not as many.
//!
//! The cluster bootstrap (Davison and Hinkley 1997, section 3.8), stratified by area: each resample draws, within each
//! area, as many places as the area has, with replacement, and takes all their photos. The 95 % interval lies between
//! the 2.5 % and the 97.5 % quantile of the resampled figures (the percentile method). In an area with one place the
//! photos themselves are drawn: they cannot tell how another place would do, so there the interval is too narrow.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Resamples; the ends of an interval then move by about a hundredth of its width from seed to seed.
pub const RESAMPLES: usize = 4_000;
/// Share of the resampled figures below and above the interval.
const TAIL: f64 = 0.025;

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The figure itself.
    pub value: f64,
    /// Upper end.
    pub high: f64,
}

/// Both figures of merit, or the differences of two models in them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Share of photos that are named rightly.
    pub top1: Interval,
    /// Mean over the areas of the share of their photos that are named rightly.
    pub macro_recall: Interval,
}

/// A photo of the test split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot<'a> {
    /// Index of the true area.
    pub area: usize,
    /// Town or grid cell within the area.
    pub place: &'a str,
}

/// How well one model does; `right` says of each spot whether it was named rightly.
///
/// # Panics
/// When there are no spots, or not one answer a spot.
#[must_use]
pub fn intervals(spots: &[Spot<'_>], right: &[bool], rng: &mut impl Rng) -> Spread {
    let gains: Vec<f64> = right.iter().map(|&right| f64::from(right)).collect();
    spread(spots, &gains, rng)
}

/// How much better `ours` does than `theirs` on the same photos, -1 to 1: the paired bootstrap. Both models are
/// resampled together, so photos that are hard for both cancel out.
///
/// # Panics
/// When there are no spots, or not one answer of each a spot.
#[must_use]
pub fn differences(spots: &[Spot<'_>], ours: &[bool], theirs: &[bool], rng: &mut impl Rng) -> Spread {
    assert_eq!(ours.len(), theirs.len(), "both models answer the same photos");
    let gains: Vec<f64> = ours.iter().zip(theirs).map(|(&ours, &theirs)| f64::from(ours) - f64::from(theirs)).collect();
    spread(spots, &gains, rng)
}

/// How much higher `ours` is than `theirs` in the mean over all photos, of values one a photo: paired likewise. What
/// both have in common cancels out, and exchanging the two mirrors the interval.
///
/// # Panics
/// When there are no spots, or not one value of each a spot.
#[must_use]
pub fn paired_mean(spots: &[Spot<'_>], ours: &[f64], theirs: &[f64], rng: &mut impl Rng) -> Interval {
    assert_eq!(ours.len(), theirs.len(), "both models answer the same photos");
    let gains: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
    spread(spots, &gains, rng).top1
}

/// What is drawn as a whole.
#[derive(Clone, Copy, Default)]
struct Cluster {
    photos: u32,
    gain: f64,
}

/// Sums over the photos of one area.
#[derive(Clone, Copy, Default)]
struct Sum {
    photos: f64,
    gain: f64,
}

fn spread(spots: &[Spot<'_>], gains: &[f64], rng: &mut impl Rng) -> Spread {
    assert!(!spots.is_empty() && spots.len() == gains.len(), "one answer a photo, and some of them");
    let whole = |photos: Vec<usize>| Cluster {
        photos: photos.len() as u32,
        gain: photos.into_iter().map(|photo| gains[photo]).sum(),
    };
    let areas = clusters(spots).into_iter().map(|clusters| clusters.into_iter().map(whole).collect());
    let areas: Vec<Vec<Cluster>> = areas.collect();
    let all = |clusters: &Vec<Cluster>| clusters.iter().copied().fold(Sum::default(), add);
    let (top1, macro_recall) = figures(areas.iter().map(all));
    let mut resampled: [Vec<f64>; 2] = [Vec::with_capacity(RESAMPLES), Vec::with_capacity(RESAMPLES)];
    for _ in 0..RESAMPLES {
        let mut drawn = |clusters: &Vec<Cluster>| {
            let draws = (0..clusters.len()).map(|_| clusters[rng.random_range(0..clusters.len())]);
            draws.fold(Sum::default(), add)
        };
        let (top1, macro_recall) = figures(areas.iter().map(&mut drawn));
        resampled[0].push(top1);
        resampled[1].push(macro_recall);
    }
    let [tops, macros] = resampled;
    Spread { top1: percentile(top1, tops), macro_recall: percentile(macro_recall, macros) }
}

fn add(sum: Sum, cluster: Cluster) -> Sum {
    Sum { photos: sum.photos + f64::from(cluster.photos), gain: sum.gain + cluster.gain }
}

/// The photos of each place of each area that has any; single photos where an area has one place.
pub(super) fn clusters(spots: &[Spot<'_>]) -> Vec<Vec<Vec<usize>>> {
    let mut areas: BTreeMap<usize, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (photo, spot) in spots.iter().enumerate() {
        areas.entry(spot.area).or_default().entry(spot.place).or_default().push(photo);
    }
    let of_area = |places: BTreeMap<&str, Vec<usize>>| match places.len() {
        1 => places.into_values().flatten().map(|photo| vec![photo]).collect(),
        _ => places.into_values().collect(),
    };
    areas.into_values().map(of_area).collect()
}

/// Top-1 and macro recall.
fn figures(areas: impl Iterator<Item = Sum>) -> (f64, f64) {
    let (mut total, mut recalls, mut count) = (Sum::default(), 0.0, 0.0);
    for area in areas {
        total = Sum { photos: total.photos + area.photos, gain: total.gain + area.gain };
        recalls += area.gain / area.photos;
        count += 1.0;
    }
    (total.gain / total.photos, recalls / count)
}

/// The mean of values that belong to single photos, each drawn by itself.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn mean(values: &[f64], rng: &mut impl Rng) -> Interval {
    assert!(!values.is_empty(), "a mean of something");
    let of = |sum: f64| sum / values.len() as f64;
    let mut drawn = || of((0..values.len()).map(|_| values[rng.random_range(0..values.len())]).sum());
    let resampled = (0..RESAMPLES).map(|_| drawn()).collect();
    percentile(of(values.iter().sum()), resampled)
}

pub(super) fn percentile(value: f64, mut resampled: Vec<f64>) -> Interval {
    resampled.sort_by(f64::total_cmp);
    Interval { low: quantile(&resampled, TAIL), value, high: quantile(&resampled, 1.0 - TAIL) }
}

/// Between the two nearest of sorted values, linearly (type 7 of Hyndman and Fan 1996).
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + part * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn dice(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("{i}丁目")).collect()
    }

    /// 2.5 % and 97.5 % quantiles of the binomial distribution of 50 halves: 18 and 32; of 10 halves: 2 and 8.
    #[test]
    fn halves_have_the_quantiles_of_the_binomial_distribution() {
        let places = names(50);
        let right: Vec<bool> = (0..50).map(|i| i < 25).collect();
        let apart: Vec<Spot<'_>> = places.iter().map(|place| Spot { area: 0, place }).collect();
        let found = intervals(&apart, &right, &mut dice(1)).top1;
        assert_eq!(found, Interval { low: 0.36, value: 0.5, high: 0.64 });
        let together: Vec<Spot<'_>> = (0..50).map(|i| Spot { area: 0, place: &places[i / 5] }).collect();
        let found = intervals(&together, &right, &mut dice(1)).top1;
        assert_eq!(found, Interval { low: 0.2, value: 0.5, high: 0.8 }, "ten towns are ten draws, not fifty");
    }

    /// The mean of 400 values of -1 and 1 is off by 1.96 / 20.
    #[test]
    fn a_mean_has_the_interval_of_the_normal_distribution() {
        let values: Vec<f64> = (0..400).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let found = mean(&values, &mut dice(3));
        assert!(found.value.abs() < 1e-12 && (found.high - 0.098).abs() < 0.01 && (found.low + 0.098).abs() < 0.01);
    }

    #[test]
    fn an_area_with_one_place_draws_its_photos() {
        let right: Vec<bool> = (0..50).map(|i| i < 25).collect();
        let found = intervals(&[Spot { area: 3, place: "一丁目" }; 50], &right, &mut dice(5));
        assert_eq!(found.macro_recall, Interval { low: 0.36, value: 0.5, high: 0.64 });
    }

    #[test]
    fn areas_weigh_the_same_in_macro_recall() {
        let places = names(12);
        let spots: Vec<Spot<'_>> = (0..12).map(|i| Spot { area: usize::from(i >= 9), place: &places[i] }).collect();
        let right: Vec<bool> = (0..12).map(|i| i < 9).collect();
        let found = intervals(&spots, &right, &mut dice(2));
        assert_eq!((found.top1.value, found.macro_recall.value), (0.75, 0.5));
    }

    #[test]
    fn pairing_sees_what_two_intervals_hide() {
        // Ours is right wherever theirs is, and on eight more photos of a hundred, each in its own place.
        let places = names(100);
        let spots: Vec<Spot<'_>> = places.iter().map(|place| Spot { area: 0, place }).collect();
        let theirs: Vec<bool> = (0..100).map(|i| i < 50).collect();
        let ours: Vec<bool> = (0..100).map(|i| i < 58).collect();
        let paired = differences(&spots, &ours, &theirs, &mut dice(3)).macro_recall;
        assert!(paired.low > 0.0 && (paired.value - 0.08).abs() < 1e-12, "{paired:?}");
        let alone = |right: &[bool]| intervals(&spots, right, &mut dice(3)).macro_recall;
        assert!(alone(&ours).low < alone(&theirs).high, "apart, their intervals overlap");
    }

    #[test]
    fn a_paired_mean_is_that_of_the_photos_and_not_of_the_areas() {
        let places = names(6);
        let spots: Vec<Spot<'_>> = (0..6).map(|i| Spot { area: usize::from(i == 5), place: &places[i] }).collect();
        let found = paired_mean(&spots, &[30.0; 6], &[10.0, 10.0, 10.0, 10.0, 10.0, 40.0], &mut dice(4));
        assert!((found.value - 15.0).abs() < 1e-12, "five gain 20, one loses 10");
        assert!((found.low - 15.0).abs() < 1e-12 && (found.high - 15.0).abs() < 1e-12, "within an area all are alike");
    }

    /// An area, a place and whether either model is right.
    fn photos() -> impl Strategy<Value = Vec<(usize, usize, bool, bool)>> {
        prop::collection::vec((0_usize..3, 0_usize..5, any::<bool>(), any::<bool>()), 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn an_interval_is_ordered_and_repeats(photos in photos(), seed: u64) {
            let places = names(5);
            let spots: Vec<Spot<'_>> = photos.iter().map(|p| Spot { area: p.0, place: &places[p.1] }).collect();
            let right: Vec<bool> = photos.iter().map(|p| p.2).collect();
            let found = intervals(&spots, &right, &mut dice(seed));
            for Interval { low, high, .. } in [found.top1, found.macro_recall] {
                prop_assert!(0.0 <= low && low <= high && high <= 1.0);
            }
            let share = right.iter().filter(|r| **r).count() as f64 / right.len() as f64;
            prop_assert!((found.top1.value - share).abs() < 1e-12);
            prop_assert_eq!(found, intervals(&spots, &right, &mut dice(seed)));
        }

        #[test]
        fn a_difference_is_its_own_opposite_and_nothing_from_itself(photos in photos(), seed: u64) {
            let places = names(5);
            let spots: Vec<Spot<'_>> = photos.iter().map(|p| Spot { area: p.0, place: &places[p.1] }).collect();
            let (ours, theirs): (Vec<bool>, Vec<bool>) = photos.iter().map(|p| (p.2, p.3)).unzip();
            let there = differences(&spots, &ours, &theirs, &mut dice(seed));
            let back = differences(&spots, &theirs, &ours, &mut dice(seed));
            for (a, b) in [(there.top1, back.top1), (there.macro_recall, back.macro_recall)] {
                prop_assert!((a.low + b.high).abs() < 1e-12 && (a.value + b.value).abs() < 1e-12);
            }
            let none = differences(&spots, &ours, &ours, &mut dice(seed));
            prop_assert_eq!(none.macro_recall, Interval { low: 0.0, value: 0.0, high: 0.0 });
            let either: Vec<bool> = ours.iter().zip(&theirs).map(|(a, b)| *a || *b).collect();
            prop_assert!(differences(&spots, &either, &theirs, &mut dice(seed)).macro_recall.low >= 0.0);
        }
    }
}

//! How far off guesses are.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::bootstrap::{Interval, RESAMPLES, Spot, clusters, percentile, quantile};

/// Distances within which a guess counts as right: street, city, region, country and continent, kilometres (Hays and
/// Efros 2008, "IM2GPS"; Weyand et al. 2016).
pub const WITHIN_KM: [f64; 5] = [1.0, 25.0, 200.0, 750.0, 2_500.0];
/// Best score of a guess.
pub const FULL: f64 = 5_000.0;
/// Kilometres after which a guess has 1/e of it.
const FADES_KM: f64 = 1_492.7;

/// How far off the guesses for some photos are; intervals are 95 %, by resampling places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// Photos whose position is known and that were answered.
    pub photos: usize,
    /// Of them, photos that lie in none of the model's cells: none of its answers can be near.
    pub outside: usize,
    /// Share of guesses within [`WITHIN_KM`].
    pub within: [Interval; 5],
    /// Half of the guesses are nearer, kilometres.
    pub median_km: Interval,
    /// Mean of [`geoscore`].
    pub geoscore: Interval,
}

/// Points for a guess so many kilometres off, 0 to 5,000: `5000 exp(-d / 1492.7)`, the score of
/// OpenStreetView-5M (Astruc et al. 2024), which follows the game GeoGuessr.
#[must_use]
pub fn geoscore(km: f64) -> f64 {
    FULL * (-km / FADES_KM).exp()
}

/// Sums up errors in kilometres, one a spot. As in [`super::bootstrap`] a resample draws, within each area, as many
/// places as it has; in an area with one place it draws photos.
///
/// # Panics
/// When there are no spots, or not one error a spot.
#[must_use]
pub fn distances(spots: &[Spot<'_>], km: &[f64], outside: usize, rng: &mut impl Rng) -> Distances {
    assert!(!spots.is_empty() && spots.len() == km.len(), "one error a photo, and some of them");
    let mut sorted: Vec<usize> = (0..km.len()).collect();
    sorted.sort_by(|a, b| km[*a].total_cmp(&km[*b]));
    let areas = clusters(spots);
    let mut resampled: Vec<[f64; 7]> = Vec::with_capacity(RESAMPLES);
    let mut times = vec![0_u32; km.len()];
    for _ in 0..RESAMPLES {
        times.fill(0);
        for places in &areas {
            for _ in 0..places.len() {
                places[rng.random_range(0..places.len())].iter().for_each(|&photo| times[photo] += 1);
            }
        }
        resampled.push(figures(km, &sorted, &times));
    }
    let all = figures(km, &sorted, &vec![1; km.len()]);
    let interval = |i: usize| percentile(all[i], resampled.iter().map(|figures| figures[i]).collect());
    Distances {
        photos: km.len(),
        outside,
        within: [0, 1, 2, 3, 4].map(interval),
        median_km: interval(5),
        geoscore: interval(6),
    }
}

/// Shares, median and score when each photo counts so many times; `sorted` by error.
fn figures(km: &[f64], sorted: &[usize], times: &[u32]) -> [f64; 7] {
    let count = f64::from(times.iter().sum::<u32>());
    let sum =
        |of: &dyn Fn(f64) -> f64| km.iter().zip(times).map(|(km, times)| of(*km) * f64::from(*times)).sum::<f64>();
    let [a, b, c, d, e] = WITHIN_KM.map(|most| sum(&|km| f64::from(u8::from(km <= most))) / count);
    let drawn: Vec<f64> = sorted.iter().flat_map(|&i| std::iter::repeat_n(km[i], times[i] as usize)).collect();
    [a, b, c, d, e, quantile(&drawn, 0.5), sum(&geoscore) / count]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn judged(km: &[f64], places: &[&str]) -> Distances {
        let spots: Vec<Spot<'_>> = places.iter().map(|place| Spot { area: 0, place }).collect();
        distances(&spots, km, 0, &mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn distances_by_hand() {
        let found = judged(&[0.5, 20.0, 30.0, 3_000.0], &["a", "a", "b", "c"]);
        assert_eq!(found.within.map(|share| share.value), [0.25, 0.5, 0.75, 0.75, 0.75]);
        assert_eq!((found.photos, found.median_km.value), (4, 25.0));
        let score = (geoscore(0.5) + geoscore(20.0) + geoscore(30.0) + geoscore(3_000.0)) / 4.0;
        assert!((found.geoscore.value - score).abs() < 1e-9);
        assert_eq!(geoscore(0.0), 5_000.0);
        assert!((geoscore(1_492.7) - 1_839.4).abs() < 0.05, "5000 / e");
    }

    #[test]
    fn photos_of_one_place_are_drawn_together() {
        let places: Vec<String> = (0..10).map(|place| place.to_string()).collect();
        let names: Vec<&str> = (0..100).map(|photo| places[photo / 10].as_str()).collect();
        let km: Vec<f64> = (0..100).map(|photo| if photo < 50 { 1.0 } else { 100.0 }).collect();
        let clustered = judged(&km, &names).within[0];
        let singles: Vec<String> = (0..100).map(|photo| photo.to_string()).collect();
        let alone = judged(&km, &singles.iter().map(String::as_str).collect::<Vec<_>>()).within[0];
        assert!(clustered.high - clustered.low > 2.0 * (alone.high - alone.low), "{clustered:?} {alone:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn shares_grow_with_the_distance_and_intervals_hold_order(km in prop::collection::vec(0.0..20_000.0_f64, 1..40)) {
            let names: Vec<String> = (0..km.len()).map(|photo| (photo % 7).to_string()).collect();
            let found = judged(&km, &names.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(found.within.windows(2).all(|pair| pair[0].value <= pair[1].value));
            for Interval { low, high, .. } in found.within.into_iter().chain([found.median_km, found.geoscore]) {
                prop_assert!(low <= high);
            }
            prop_assert!((0.0..=5_000.0).contains(&found.geoscore.value));
        }
    }
}

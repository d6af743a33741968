//! Fits what tells photos that are no street: see [`crate::domain::street`].

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::domain::metrics::passing;
use crate::domain::street::{Cloud, PASSES, Scale, StreetGate, length};
use crate::infer::street::Street;

/// Directions of the cloud with variances of their own; chosen on the validation split of the drawn world, where 32 and
/// 128 do about as well.
const DIRECTIONS: usize = 64;
/// Rounds of the iteration that finds them; the last directions need not be exact.
const ROUNDS: usize = 25;
/// Most rows that the cloud is fitted to.
const ROWS: usize = 2_000;
/// Least photos of the validation split: fewer say nothing of the one in a hundred that is refused.
const VALIDATION: usize = 100;
/// Least variance, relative to the mean one: nothing is divided by 0.
const LEAST: f64 = 1e-6;

/// What was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The gate.
    pub gate: StreetGate,
    /// Scores below it are no streets: [`PASSES`] of the validation split reach it.
    pub threshold: f32,
}

impl Fitted {
    /// The section of a manifest about it, and the bytes of its file.
    #[must_use]
    pub fn section(&self) -> (Street, Vec<u8>) {
        Street::new(self.gate.clone(), self.threshold, PASSES as f32)
    }
}

/// Fits to the features of the train split; scales and threshold come from those of the validation split, which the
/// network has not been fitted to. `None` with fewer than 100 of those, or when the rows do not differ.
#[must_use]
pub fn fit(train: &[Vec<f32>], validation: &[Vec<f32>]) -> Option<Fitted> {
    if train.len() < 2 || validation.len() < VALIDATION {
        return None;
    }
    let cloud = cloud(&sample(train.len()).into_iter().map(|row| train[row].as_slice()).collect::<Vec<_>>())?;
    let distances: Vec<f32> = validation.iter().map(|row| cloud.distance(row)).collect();
    let lengths: Vec<f32> = validation.iter().map(|row| length(row)).collect();
    let gate = StreetGate { cloud, distance: Scale::of(&distances), length: Scale::of(&lengths) };
    let scores: Vec<f32> = validation.iter().map(|row| gate.score(row)).collect();
    let threshold = passing(&scores, PASSES)?;
    Some(Fitted { gate, threshold })
}

/// Which of so many photos the cloud is fitted to: some at random, always the same. Every so many would not do: photos come
/// with their areas in turn, and a step of so many areas sees one of them alone.
#[must_use]
pub fn sample(photos: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut rows = rand::seq::index::sample(&mut rng, photos, photos.min(ROWS)).into_vec();
    rows.sort_unstable();
    rows
}

/// Mean and covariance of rows, the latter by its strongest directions: orthogonal iteration (Golub and Van Loan 2013,
/// section 8.2.4), begun at random from a fixed seed.
fn cloud(rows: &[&[f32]]) -> Option<Cloud> {
    let channels = rows.first()?.len();
    let mean: Vec<f64> =
        (0..channels).map(|c| rows.iter().map(|row| f64::from(row[c])).sum::<f64>() / rows.len() as f64).collect();
    let off: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean).collect()).collect();
    let total = off.iter().flatten().map(|value| value * value).sum::<f64>() / rows.len() as f64;
    let directions = DIRECTIONS.min(channels.saturating_sub(1)).min(rows.len() - 1);
    if total <= 0.0 || !total.is_finite() || directions == 0 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut basis: Vec<Vec<f64>> =
        (0..directions).map(|_| (0..channels).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
    for _ in 0..ROUNDS {
        orthonormalise(&mut basis);
        basis = basis.par_iter().map(|direction| times_covariance(&off, direction)).collect();
    }
    orthonormalise(&mut basis);
    let variances: Vec<f64> = basis
        .par_iter()
        .map(|direction| off.iter().map(|row| dot(row, direction).powi(2)).sum::<f64>() / rows.len() as f64)
        .collect();
    let left = total - variances.iter().sum::<f64>();
    let least = LEAST * total / channels as f64;
    Some(Cloud {
        mean: mean.iter().map(|value| *value as f32).collect(),
        basis: basis.iter().flatten().map(|value| *value as f32).collect(),
        variances: variances.iter().map(|variance| variance.max(least) as f32).collect(),
        rest: (left / (channels - directions) as f64).max(least) as f32,
    })
}

/// The product of the rows' covariance with a direction, without ever forming the covariance.
fn times_covariance(off: &[Vec<f64>], direction: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; direction.len()];
    for row in off {
        let along = dot(row, direction) / off.len() as f64;
        product.iter_mut().zip(row).for_each(|(sum, value)| *sum += along * value);
    }
    product
}

/// Modified Gram-Schmidt; a direction that is nothing but those before it becomes 0.
fn orthonormalise(basis: &mut [Vec<f64>]) {
    for i in 0..basis.len() {
        let (before, rest) = basis.split_at_mut(i);
        let own = &mut rest[0];
        for other in before.iter() {
            let along = dot(own, other);
            own.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
        }
        let norm = dot(own, own).sqrt();
        let scale = if norm > 1e-12 { 1.0 / norm } else { 0.0 };
        own.iter_mut().for_each(|value| *value *= scale);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows about a mean, far spread along one direction and a little along every other.
    fn rows(count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut row = || {
            let far: f32 = rng.random_range(-3.0..3.0);
            let near: Vec<f32> = (0..8).map(|_| rng.random_range(-0.1..0.1)).collect();
            near.iter().enumerate().map(|(c, near)| 5.0 + near + if c < 2 { far } else { 0.0 }).collect()
        };
        (0..count).map(|_| row()).collect()
    }

    #[test]
    fn the_strongest_direction_is_found_with_its_variance() {
        let rows = rows(400, 3);
        let cloud = cloud(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        let first = &cloud.basis[..8];
        let half = 0.5_f32.sqrt();
        assert!((first[0].abs() - half).abs() < 0.01 && (first[0] - first[1]).abs() < 0.02, "{first:?}");
        // A uniform value over 6 has variance 3; it moves two channels at once.
        assert!((cloud.variances[0] - 6.0).abs() < 0.5, "{:?}", cloud.variances);
        assert!(cloud.variances[1..].iter().all(|variance| (0.001..0.01).contains(variance)), "{:?}", cloud.variances);
    }

    #[test]
    fn a_sample_has_photos_of_all_areas_however_many_there_are() {
        assert_eq!(sample(30), (0..30).collect::<Vec<_>>());
        for areas in 2..30 {
            let rows = sample(ROWS * areas);
            let mut photos = vec![0; areas];
            rows.iter().for_each(|row| photos[row % areas] += 1);
            assert_eq!(rows.len(), ROWS);
            assert!(photos.iter().all(|photos| photos * areas * 2 > ROWS), "{photos:?}");
        }
    }

    #[test]
    fn the_share_passes_and_what_lies_across_does_not() {
        let (train, validation) = (rows(400, 3), rows(300, 4));
        let Fitted { gate, threshold } = fit(&train, &validation).unwrap();
        let passed = validation.iter().filter(|row| gate.score(row) >= threshold).count();
        assert_eq!(passed, 297);
        let fresh = rows(300, 5);
        let passed = fresh.iter().filter(|row| gate.score(row) >= threshold).count();
        assert!(passed >= 290, "{passed} of 300");
        let across: Vec<f32> = (0..8).map(|c| if c == 7 { 8.0 } else { 5.0 }).collect();
        assert!(gate.score(&across) < threshold);
        assert_eq!(fit(&train, &validation).unwrap().gate, gate, "the same rows give the same gate");
    }

    #[test]
    fn what_cannot_be_fitted_gives_no_gate() {
        let same = vec![vec![1.0; 4]; 200];
        assert_eq!(fit(&same, &same), None);
        assert_eq!(fit(&rows(1, 1), &rows(200, 1)), None);
        assert_eq!(fit(&rows(200, 1), &rows(99, 2)), None, "too few");
        assert!(fit(&rows(200, 1), &rows(100, 2)).is_some());
    }
}

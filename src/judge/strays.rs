//! Which score best tells photos that are no street: candidates side by side, on photos of places that the model was not
//! trained on and on pictures that show no place.

use futures_util::{StreamExt, stream};
use rayon::prelude::*;
use serde::Serialize;

use super::ask::AHEAD;
use crate::domain::metrics::{Apart, apart, passing};
use crate::domain::prediction::softmax;
use crate::domain::street::{PASSES, StreetGate, length};
use crate::infer::{Core, LocateError};
use crate::world::strays::Stray;

/// The neighbour that counts.
const NEIGHBOUR: usize = 10;
/// What is added to each variance, relative to their mean, so that a covariance can be inverted.
const RIDGE: f64 = 0.01;

/// What a network says of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Unscaled, `[labels]`.
    pub logits: Vec<f32>,
    /// Globally pooled, `[channels]`.
    pub features: Vec<f32>,
}

/// Streets and pictures that are none.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Photos of streets.
    pub streets: Vec<Seen>,
    /// The others, with what they show.
    pub strays: Vec<(Stray, Seen)>,
}

/// One score's figures.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub score: &'static str,
    /// On the validation split, by which the score is chosen.
    pub validation: Apart,
    /// On the test split.
    pub test: Apart,
    /// Share of the test split's streets that are refused by a threshold which lets 99 % of the validation split pass.
    pub streets_refused: f64,
    /// Share of the test split's other pictures that it refuses.
    pub strays_refused: f64,
    /// Area under the ROC curve for each kind of picture of the test split.
    pub kinds: Vec<(Stray, f64)>,
}

/// Shows pictures to a model, in their order.
///
/// # Errors
/// When the core fails, or a picture cannot be read.
pub async fn see(core: &Core, pictures: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Seen>, LocateError> {
    let core = &core.pinned();
    let mut all = stream::iter(pictures).map(|picture| core.locate(picture)).buffered(core.ahead(AHEAD));
    let mut seen = Vec::new();
    while let Some(located) = all.next().await {
        let located = located?;
        seen.push(Seen { logits: located.logits, features: located.features });
    }
    Ok(seen)
}

/// A score with its name.
type Score<'a> = (&'static str, Box<dyn Fn(&Seen) -> f32 + Sync + 'a>);

/// Every score on the same pictures; `train` are photos that the model was fitted to, with their labels, `temperature` is
/// its own. `None` when a part is empty.
///
/// Sources: largest probability (Hendrycks and Gimpel 2017), largest logit (Hendrycks et al. 2022), energy (Liu et al.
/// 2020), Mahalanobis distance to the nearest class mean (Lee et al. 2018), distance to the tenth nearest neighbour among
/// normalised features (Sun et al. 2022), and [`StreetGate`] with its two parts.
#[must_use]
pub fn table(
    train: &[(usize, Seen)],
    (validation, test): (&Sample, &Sample),
    temperature: f32,
    gate: &StreetGate,
) -> Option<Vec<Line>> {
    let classes = Classes::of(train)?;
    let bank: Vec<Vec<f32>> = train.iter().map(|(_, seen)| unit(&seen.features)).collect();
    let largest = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scores: [Score<'_>; 9] = [
        ("probability", Box::new(|seen| largest(&softmax(&seen.logits, temperature)))),
        ("logit", Box::new(|seen| largest(&seen.logits))),
        ("energy", Box::new(|seen| log_sum_exp(&seen.logits))),
        ("class mean", Box::new(|seen| -classes.nearest(&seen.features))),
        ("Mahalanobis", Box::new(|seen| -classes.mahalanobis(&seen.features))),
        ("10th neighbour", Box::new(|seen| neighbour(&bank, &seen.features))),
        ("length", Box::new(|seen| length(&seen.features))),
        ("distance", Box::new(|seen| -gate.cloud.distance(&seen.features))),
        ("length - distance", Box::new(|seen| gate.score(&seen.features))),
    ];
    scores.iter().map(|(name, score)| line(name, &**score, validation, test)).collect()
}

fn line(name: &'static str, score: &(dyn Fn(&Seen) -> f32 + Sync), validation: &Sample, test: &Sample) -> Option<Line> {
    let streets = |sample: &Sample| sample.streets.par_iter().map(score).collect::<Vec<f32>>();
    let strays = |sample: &Sample| sample.strays.par_iter().map(|(_, seen)| score(seen)).collect::<Vec<f32>>();
    let (known, others) = (streets(validation), strays(validation));
    let (test_known, test_others) = (streets(test), strays(test));
    let bar = passing(&known, PASSES)?;
    let refused = |scores: &[f32]| scores.iter().filter(|score| **score < bar).count() as f64 / scores.len() as f64;
    let of_kind = |kind: Stray| {
        let own = test.strays.iter().zip(&test_others).filter(|((shown, _), _)| *shown == kind);
        let own: Vec<f32> = own.map(|(_, score)| *score).collect();
        Some((kind, apart(&test_known, &own)?.auroc))
    };
    Some(Line {
        score: name,
        validation: apart(&known, &others)?,
        test: apart(&test_known, &test_others)?,
        streets_refused: refused(&test_known),
        strays_refused: refused(&test_others),
        kinds: Stray::ALL.into_iter().filter_map(of_kind).collect(),
    })
}

/// How the features of each label lie.
struct Classes {
    means: Vec<Vec<f32>>,
    /// Lower triangle of the Cholesky factor of their common covariance, `[channels, channels]`.
    factor: Vec<f64>,
}

impl Classes {
    fn of(train: &[(usize, Seen)]) -> Option<Self> {
        let channels = train.first()?.1.features.len();
        let labels = train.iter().map(|(label, _)| label + 1).max()?;
        let mut means = vec![vec![0.0_f32; channels]; labels];
        for (label, seen) in train {
            let count = train.iter().filter(|(other, _)| other == label).count() as f32;
            means[*label].iter_mut().zip(&seen.features).for_each(|(mean, value)| *mean += value / count);
        }
        let off = |(label, seen): &(usize, Seen)| difference(&seen.features, &means[*label]);
        let off: Vec<Vec<f64>> = train.iter().map(off).collect();
        let row = |i: usize| {
            let covariance = |j: usize| off.iter().map(|row| row[i] * row[j]).sum::<f64>() / off.len() as f64;
            (0..channels).map(|j| if j <= i { covariance(j) } else { 0.0 }).collect::<Vec<f64>>()
        };
        let mut covariance: Vec<f64> = (0..channels).into_par_iter().flat_map_iter(row).collect();
        let mean_variance = (0..channels).map(|i| covariance[i * channels + i]).sum::<f64>() / channels as f64;
        (0..channels).for_each(|i| covariance[i * channels + i] += RIDGE * mean_variance);
        Some(Self { means, factor: cholesky(covariance, channels) })
    }

    fn nearest(&self, features: &[f32]) -> f32 {
        let distances = self.means.iter().map(|mean| difference(features, mean).iter().map(|v| v * v).sum::<f64>());
        distances.fold(f64::INFINITY, f64::min) as f32
    }

    fn mahalanobis(&self, features: &[f32]) -> f32 {
        let channels = features.len();
        let squared = |mean: &Vec<f32>| {
            // Forward substitution: the length of the solution is the distance.
            let off = difference(features, mean);
            let mut solved: Vec<f64> = Vec::with_capacity(channels);
            for (i, value) in off.iter().enumerate() {
                let row = &self.factor[i * channels..i * channels + i];
                let known: f64 = row.iter().zip(&solved).map(|(a, b)| a * b).sum();
                solved.push((value - known) / self.factor[i * channels + i]);
            }
            solved.iter().map(|value| value * value).sum::<f64>()
        };
        self.means.iter().map(squared).fold(f64::INFINITY, f64::min) as f32
    }
}

/// The lower triangle of a symmetric positive matrix's factor, from its lower triangle.
fn cholesky(mut matrix: Vec<f64>, side: usize) -> Vec<f64> {
    for j in 0..side {
        for k in 0..j {
            let factor = matrix[j * side + k];
            for i in j..side {
                matrix[i * side + j] -= matrix[i * side + k] * factor;
            }
        }
        let diagonal = matrix[j * side + j].max(f64::MIN_POSITIVE).sqrt();
        (j..side).for_each(|i| matrix[i * side + j] /= diagonal);
    }
    matrix
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect()
}

fn unit(features: &[f32]) -> Vec<f32> {
    let length = length(features).max(f32::MIN_POSITIVE);
    features.iter().map(|value| value / length).collect()
}

/// Cosine to the tenth nearest of the bank.
fn neighbour(bank: &[Vec<f32>], features: &[f32]) -> f32 {
    let own = unit(features);
    let mut near: Vec<f32> = bank.iter().map(|other| own.iter().zip(other).map(|(a, b)| a * b).sum()).collect();
    near.sort_by(|a, b| b.total_cmp(a));
    near[NEIGHBOUR.min(near.len()) - 1]
}

fn log_sum_exp(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    largest + logits.iter().map(|logit| (logit - largest).exp()).sum::<f32>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::street::{Cloud, Scale};

    fn seen(features: [f32; 2]) -> Seen {
        Seen { logits: vec![features[0], -features[0]], features: features.to_vec() }
    }

    /// Streets lie about (5, 0) and (-5, 0); others are near the middle or far above.
    fn sample() -> Sample {
        let street = |i: i32| seen([if i % 2 == 0 { 5.0 } else { -5.0 } + (i % 7) as f32 * 0.1, (i % 5) as f32 * 0.1]);
        let strays = [(Stray::Plain, seen([0.1, 0.1])), (Stray::Noise, seen([5.0, 9.0]))];
        Sample { streets: (0..100).map(street).collect(), strays: strays.to_vec() }
    }

    #[test]
    fn each_score_sees_what_it_can_and_the_gate_sees_both() {
        let sample = sample();
        let train: Vec<(usize, Seen)> = sample.streets.iter().cloned().enumerate().map(|(i, s)| (i % 2, s)).collect();
        let cloud = Cloud { mean: vec![0.0, 0.2], basis: vec![1.0, 0.0], variances: vec![25.0], rest: 0.05 };
        let distances: Vec<f32> = sample.streets.iter().map(|seen| cloud.distance(&seen.features)).collect();
        let gate = StreetGate { cloud, distance: Scale::of(&distances), length: Scale { mean: 5.0, deviation: 0.3 } };
        let lines = table(&train, (&sample, &sample), 1.0, &gate).unwrap();
        let auroc = |name: &str, kind: usize| lines.iter().find(|line| line.score == name).unwrap().kinds[kind].1;
        assert!(auroc("energy", 0) > 0.99 && auroc("energy", 1) < 0.9, "{lines:?}");
        for name in ["Mahalanobis", "class mean", "length - distance"] {
            assert!(auroc(name, 0) > 0.99 && auroc(name, 1) > 0.99, "{name}: {lines:?}");
        }
        assert!(auroc("length", 1) < 0.1, "noise is long");
        let best = lines.last().unwrap();
        assert_eq!((best.streets_refused, best.strays_refused), (0.01, 1.0));
        assert!(table(&[], (&sample, &sample), 1.0, &gate).is_none());
    }

    #[test]
    fn a_factor_squares_to_its_matrix() {
        let lower = cholesky(vec![4.0, 0.0, 2.0, 5.0], 2);
        assert_eq!((lower[0], lower[2], lower[3]), (2.0, 1.0, 2.0));
    }
}

//! Whether a photo looks like what a model was trained on: streets.
//!
//! Two things give away what is no street. Its features lie away from those of streets, and away in directions in which
//! streets hardly differ: the Mahalanobis distance of one Gaussian, whose covariance has a few directions of its own and
//! the same variance in all others (Tipping and Bishop 1999, "Probabilistic Principal Component Analysis", equation 7 at
//! its maximum). And they are short: little in it excites the network. Each tells what the other misses, noise and rooms;
//! the score is the length less the distance, each in units of its spread over streets.

/// Share of the validation split's streets that a threshold lets pass, 0 to 1.
pub const PASSES: f64 = 0.99;

/// A figure's mean and standard deviation over streets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Mean.
    pub mean: f32,
    /// Standard deviation, greater than 0.
    pub deviation: f32,
}

impl Scale {
    /// The scale of some values; deviations of 0 become 1.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn of(values: &[f32]) -> Self {
        assert!(!values.is_empty(), "a scale is of something");
        let count = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        let variance = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
        let deviation = variance.sqrt() as f32;
        Self { mean: mean as f32, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }

    fn units(self, value: f32) -> f32 {
        (value - self.mean) / self.deviation
    }
}

/// How the features of streets lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// Their mean, `[channels]`.
    pub mean: Vec<f32>,
    /// Orthonormal directions in which they differ most, `[directions, channels]`.
    pub basis: Vec<f32>,
    /// Their variances along these, `[directions]`, each greater than 0.
    pub variances: Vec<f32>,
    /// Their variance along every other direction, greater than 0.
    pub rest: f32,
}

impl Cloud {
    /// Mahalanobis distance of features from the mean, 0 or more.
    ///
    /// # Panics
    /// When there are not as many as the cloud has channels.
    #[must_use]
    pub fn distance(&self, features: &[f32]) -> f32 {
        assert_eq!(features.len(), self.mean.len(), "features of the same network");
        let off: Vec<f32> = features.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
        let mut left = f64::from(dot(&off, &off));
        let mut sum = 0.0;
        for (direction, variance) in self.basis.chunks_exact(off.len()).zip(&self.variances) {
            let along = f64::from(dot(&off, direction)).powi(2);
            sum += along / f64::from(*variance);
            left -= along;
        }
        (sum + left.max(0.0) / f64::from(self.rest)).sqrt() as f32
    }
}

/// Scores photos by how much they look like streets.
#[derive(Clone, Debug, PartialEq)]
pub struct StreetGate {
    /// The features of streets.
    pub cloud: Cloud,
    /// Of their distances.
    pub distance: Scale,
    /// Of their lengths.
    pub length: Scale,
}

impl StreetGate {
    /// The higher, the more like a street; streets lie about 0.
    ///
    /// # Panics
    /// When there are not as many features as the network has channels.
    #[must_use]
    pub fn score(&self, features: &[f32]) -> f32 {
        self.length.units(length(features)) - self.distance.units(self.cloud.distance(features))
    }
}

/// Euclidean length.
#[must_use]
pub fn length(features: &[f32]) -> f32 {
    dot(features, features).sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cloud() -> Cloud {
        Cloud { mean: vec![1.0, 2.0, 0.0], basis: vec![0.6, 0.8, 0.0], variances: vec![4.0], rest: 0.25 }
    }

    #[test]
    fn distances_by_hand() {
        let along = [1.0 + 0.6 * 2.0, 2.0 + 0.8 * 2.0, 0.0];
        assert!((cloud().distance(&along) - 1.0).abs() < 1e-5, "one deviation along the direction");
        assert!((cloud().distance(&[1.0, 2.0, -1.0]) - 2.0).abs() < 1e-5, "two across");
        assert_eq!(cloud().distance(&[1.0, 2.0, 0.0]), 0.0);
    }

    #[test]
    fn what_is_far_or_short_scores_low() {
        let scale = |mean| Scale { mean, deviation: 0.5 };
        let gate = StreetGate { cloud: cloud(), distance: scale(1.0), length: scale(2.0) };
        let score = |features: [f32; 3]| gate.score(&features);
        assert!(score([1.0, 2.0, 0.0]) > score([1.0, 2.0, 3.0]), "away");
        assert!(score([1.0, 2.0, 0.0]) > score([0.0, 0.0, 0.0]), "short");
    }

    #[test]
    fn a_scale_never_divides_by_nothing() {
        assert_eq!(Scale::of(&[3.0, 3.0]), Scale { mean: 3.0, deviation: 1.0 });
        assert_eq!(Scale::of(&[1.0, 3.0]), Scale { mean: 2.0, deviation: 1.0 });
    }

    proptest! {
        #[test]
        fn moving_away_never_brings_nearer(features in prop::collection::vec(-9.0..9.0_f32, 3), by in 1.0..5.0_f32) {
            let cloud = cloud();
            let far: Vec<f32> = features.iter().zip(&cloud.mean).map(|(f, m)| m + (f - m) * by).collect();
            prop_assert!(cloud.distance(&far) >= cloud.distance(&features) - 1e-3);
        }
    }
}

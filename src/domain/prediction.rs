//! What the model says of a photo.

use std::cmp::Ordering;
use std::time::Duration;

use super::Area;

/// Which model answered, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelIdentity {
    /// Directory name of the model: `drawn-world`.
    pub name: String,
    /// Version from the manifest: `1.0.0`.
    pub version: String,
    /// The backend that ran it: `tract`, `onnxruntime-cpu` or `onnxruntime-cuda`.
    pub backend: String,
}

/// An area and how probable the model holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaProbability {
    /// The area.
    pub area: Area,
    /// Index of the area among the model's labels, which is its index among the logits.
    pub label: usize,
    /// Temperature-scaled probability, 0 to 1; over all areas they sum to 1.
    pub probability: f32,
}

/// Where the time of one answer went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// Bytes to upright pixels.
    pub decode: Duration,
    /// Pixels to the model's input tensor.
    pub preprocess: Duration,
    /// Waiting for the backend.
    pub queue: Duration,
    /// The session run of the batch that held the photo.
    pub run: Duration,
}

/// The calibrated answer for one photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Whether the best probability reaches the manifest's abstain threshold.
    /// `false` means: say "I don't know".
    pub known: bool,
    /// Whether the photo looks like a street, as far as the model can tell; `false` means: name no area. Then
    /// `known` is false as well.
    pub is_street: bool,
    /// Every area, most probable first; ties keep the order of the labels.
    pub areas: Vec<AreaProbability>,
}

impl Prediction {
    /// Turns logits into the answer.
    ///
    /// `logits` has shape `[labels]`; `temperature` > 0 divides them before the softmax
    /// (Guo et al. 2017, "On Calibration of Modern Neural Networks"); the photo is `known` when the
    /// best probability is at least `abstain_below` (0 to 1).
    ///
    /// # Panics
    /// When `logits` and `labels` differ in length or are empty: the session checks both on loading.
    #[must_use]
    pub fn from_logits(logits: &[f32], labels: &[Area], temperature: f32, abstain_below: f32) -> Self {
        assert_eq!(logits.len(), labels.len(), "one logit a label");
        assert!(!labels.is_empty(), "a model has labels");
        let mut areas: Vec<AreaProbability> = softmax(logits, temperature)
            .into_iter()
            .zip(labels)
            .enumerate()
            .map(|(label, (probability, area))| AreaProbability { area: area.clone(), label, probability })
            .collect();
        areas.sort_by(|a, b| b.probability.partial_cmp(&a.probability).unwrap_or(Ordering::Equal));
        Self { known: areas[0].probability >= abstain_below, is_street: true, areas }
    }

    /// The answer to a photo that is no street.
    #[must_use]
    pub fn of_no_street(self) -> Self {
        Self { known: false, is_street: false, ..self }
    }

    /// The most probable area.
    ///
    /// # Panics
    /// Never for a prediction made by [`Prediction::from_logits`].
    #[must_use]
    pub fn best(&self) -> &AreaProbability {
        &self.areas[0]
    }
}

/// Softmax of `logits / temperature`, computed from the maximum down so that it cannot overflow.
///
/// A logit that is not finite counts as minus infinity; if none is finite, every label is as probable.
#[must_use]
pub fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let scaled =
        logits.iter().map(|l| if l.is_finite() { f64::from(*l) / f64::from(temperature) } else { f64::NEG_INFINITY });
    let scaled: Vec<f64> = scaled.collect();
    let max = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return vec![1.0 / logits.len() as f32; logits.len()];
    }
    let exp: Vec<f64> = scaled.iter().map(|s| (s - max).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.iter().map(|e| (e / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(n: usize) -> Vec<Area> {
        (0..n).map(|i| Area::new("県", &i.to_string(), &i.to_string())).collect()
    }

    #[test]
    fn abstains_below_the_threshold_and_not_at_it() {
        let even = [0.0, 0.0];
        assert!(Prediction::from_logits(&even, &labels(2), 1.0, 0.5).known);
        assert!(!Prediction::from_logits(&even, &labels(2), 1.0, 0.51).known);
    }

    #[test]
    fn broken_logits_do_not_become_an_answer() {
        assert_eq!(softmax(&[f32::NAN, f32::NAN], 1.0), [0.5, 0.5]);
        assert_eq!(softmax(&[f32::NAN, 3.0], 1.0), [0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one_and_fall(logits in prop::collection::vec(-100.0..100.0_f32, 1..30), t in 0.05..20.0_f32) {
            let p = Prediction::from_logits(&logits, &labels(logits.len()), t, 0.5);
            let sum: f32 = p.areas.iter().map(|a| a.probability).sum();
            prop_assert!((sum - 1.0).abs() < 1e-5);
            prop_assert!(p.areas.windows(2).all(|w| w[0].probability >= w[1].probability));
        }

        #[test]
        fn a_higher_temperature_never_sharpens(logits in prop::collection::vec(-20.0..20.0_f32, 2..9), t in 0.1..5.0_f32) {
            let max = |p: Vec<f32>| p.into_iter().fold(0.0, f32::max);
            prop_assert!(max(softmax(&logits, t * 1.5)) <= max(softmax(&logits, t)) + 1e-6);
        }
    }
}

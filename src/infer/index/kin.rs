//! What the index says of one photo.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Entry, Index, Spread};
use crate::domain::{Area, AreaProbability, Prediction};
use crate::infer::manifest::Manifest;

/// How the nearest photos vote, and what their vote is worth; part of the manifest, chosen on the validation split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voting {
    /// Photos that vote, 1 or more.
    pub neighbours: usize,
    /// A vote weighs `exp(sharpness * (cosine - 1))`; 0 or more.
    pub sharpness: f64,
    /// Share of the vote in the mixture with the model's own probabilities, 0 to 1.
    pub share: f64,
}

impl Default for Voting {
    fn default() -> Self {
        Self { neighbours: 20, sharpness: 20.0, share: 0.5 }
    }
}

impl Voting {
    /// What is wrong with the values, and with which key.
    ///
    /// # Errors
    /// In words for the admin.
    pub fn validate(&self) -> Result<(), String> {
        if self.neighbours == 0 {
            return Err("`index.neighbours` is 0: at least one photo votes".to_owned());
        }
        if !(0.0..=1e6).contains(&self.sharpness) {
            return Err(format!("`index.sharpness` is {}: it must lie between 0 and 1,000,000", self.sharpness));
        }
        if !(0.0..=1.0).contains(&self.share) {
            return Err(format!("`index.share` is {}: it must lie between 0 and 1", self.share));
        }
        Ok(())
    }

    /// The share of each label in the votes of photos, given as label and cosine, the nearest first; they sum to 1. All
    /// alike where nobody votes.
    ///
    /// # Panics
    /// When a label is not below `labels`.
    #[must_use]
    pub fn shares(&self, nearest: impl IntoIterator<Item = (usize, f64)>, labels: usize) -> Vec<f32> {
        let mut votes = vec![0.0; labels];
        let mut most = None;
        for (label, cosine) in nearest.into_iter().take(self.neighbours) {
            // From the nearest down, so that nothing is too small to be told from 0.
            let nearest = *most.get_or_insert(cosine);
            votes[label] += (self.sharpness * (cosine - nearest)).exp();
        }
        let sum: f64 = votes.iter().sum();
        votes.iter().map(|vote| if sum > 0.0 { vote / sum } else { 1.0 / labels as f64 } as f32).collect()
    }

    /// The model's probabilities and the vote together, label by label.
    #[must_use]
    pub fn mix(&self, model: &[f32], vote: &[f32]) -> Vec<f32> {
        let share = self.share as f32;
        model.iter().zip(vote).map(|(model, vote)| (1.0 - share) * model + share * vote).collect()
    }
}

/// A photo's features with the index of the model that gave them. Searching takes up to tens of milliseconds: not on a
/// thread that serves others.
#[derive(Clone)]
pub struct Kin {
    index: Arc<Index>,
    features: Vec<f32>,
    manifest: Arc<Manifest>,
}

/// A photo that looks like the one that was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlike {
    /// Its area.
    pub area: Area,
    /// What is known of it.
    pub entry: Entry,
    /// Cosine of the angle between the features, -1 to 1.
    pub similarity: f64,
    /// From where it was taken to the middle of the photos of the area that was answered, metres; where both are known.
    pub distance_m: Option<f64>,
}

/// What the most similar photos say, where the model says something.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondOpinion {
    /// The area that most of them show, with its share of their votes.
    pub best: AreaProbability,
    /// Whether the model answered the same.
    pub agrees: bool,
}

impl Kin {
    /// The features of a photo with the index and the manifest of the model that gave them.
    #[must_use]
    pub fn new(index: Arc<Index>, features: Vec<f32>, manifest: Arc<Manifest>) -> Self {
        Self { index, features, manifest }
    }

    /// The photos that look most alike, each from another town, the most similar first: at most `count`.
    #[must_use]
    pub fn look_alikes(&self, prediction: &Prediction, count: usize) -> Vec<LookAlike> {
        let middle = self.index.middle(prediction.best().label);
        let show = |neighbour: super::Neighbour| {
            let entry = self.index.entry(neighbour.row);
            let distance_m = middle.zip(entry.position).map(|(middle, position)| middle.distance_m(position));
            let area = self.manifest.labels[entry.label].clone();
            LookAlike { area, entry, similarity: neighbour.similarity, distance_m }
        };
        self.index.nearest(&self.features, count, Spread::Towns).into_iter().map(show).collect()
    }

    /// What the nearest photos vote for; `None` where there is nobody to vote.
    #[must_use]
    pub fn second_opinion(&self, prediction: &Prediction) -> Option<SecondOpinion> {
        let voting = self.manifest.index.as_ref()?.voting;
        let nearest = self.nearest(voting.neighbours);
        if nearest.is_empty() {
            return None;
        }
        let shares = voting.shares(nearest, self.manifest.labels.len());
        let (label, probability) =
            shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        let best = AreaProbability { area: self.manifest.labels[label].clone(), label, probability };
        Some(SecondOpinion { agrees: label == prediction.best().label, best })
    }

    /// Label and cosine of the nearest photos, the nearest first.
    #[must_use]
    pub fn nearest(&self, count: usize) -> Vec<(usize, f64)> {
        let nearest = self.index.nearest(&self.features, count, Spread::Any).into_iter();
        nearest.map(|neighbour| (self.index.label(neighbour.row), neighbour.similarity)).collect()
    }
}

//! Prepares batches on a thread of its own, ahead of the trainer.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use image::RgbImage;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::augment::Augment;
use super::data::{Dataset, Example, balanced_order};
use crate::infer::preprocess::Preprocess;

/// Batches that wait for the trainer: enough to ride out a slow one, few enough to cost little memory.
const AHEAD: usize = 4;

/// What one step eats.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised, layout `[batch, 3, height, width]`.
    pub pixels: Vec<f32>,
    /// Shape of `pixels`.
    pub shape: [usize; 4],
    /// Index of the area of each picture.
    pub labels: Vec<i64>,
}

/// What is done to the photos of an epoch.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// Whose train split.
    pub data: &'a Dataset,
    /// Side of the pictures, pixels.
    pub side: u32,
    /// Random changes.
    pub augment: Augment,
    /// Decides the changes, with `epoch` and the place in the epoch.
    pub seed: u64,
    /// Which epoch, counted from 0.
    pub epoch: usize,
}

/// The indices of each batch of a balanced epoch; the last, incomplete one is left out.
#[must_use]
pub fn batches(examples: &[Example], batch: usize, rng: &mut impl Rng) -> Vec<Vec<usize>> {
    let labels: Vec<usize> = examples.iter().map(|example| example.label).collect();
    balanced_order(&labels, rng).chunks_exact(batch).map(<[usize]>::to_vec).collect()
}

/// Starts the thread; it ends with the last batch, or when the receiver is dropped.
pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, plan: Plan<'scope>, order: Vec<Vec<usize>>) -> Receiver<Batch> {
    let (send, receive) = sync_channel(AHEAD);
    scope.spawn(move || {
        for (step, indices) in order.iter().enumerate() {
            if send.send(plan.batch(step, indices)).is_err() {
                break;
            }
        }
    });
    receive
}

impl Plan<'_> {
    fn batch(&self, step: usize, indices: &[usize]) -> Batch {
        let spec = Preprocess { size: self.side, ..self.data.input };
        let mut pixels = Vec::with_capacity(indices.len() * spec.values());
        let mut labels = Vec::with_capacity(indices.len());
        for (place, &index) in indices.iter().enumerate() {
            let example = &self.data.train[index];
            spec.normalise(&self.picture(step * indices.len() + place, example), &mut pixels);
            labels.push(example.label as i64);
        }
        let side = self.side as usize;
        Batch { pixels, shape: [indices.len(), 3, side, side], labels }
    }

    fn picture(&self, place: usize, example: &Example) -> RgbImage {
        // A stream for each picture: the changes depend on nothing but seed, epoch and place.
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(((self.epoch as u64) << 32) | place as u64);
        self.augment.apply(&example.picture, self.side, &mut rng)
    }
}

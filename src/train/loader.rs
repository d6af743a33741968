//! Prepares batches on threads of their own, ahead of the trainer.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use image::RgbImage;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

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

/// Some pictures of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part<'a> {
    /// As in [`Batch`].
    pub pixels: &'a [f32],
    /// As in [`Batch`].
    pub shape: [usize; 4],
    /// As in [`Batch`].
    pub labels: &'a [i64],
}

impl Batch {
    /// Parts of `size` pictures (the last one may have fewer), in order.
    pub fn split(&self, size: usize) -> impl Iterator<Item = Part<'_>> {
        let [_, channels, height, width] = self.shape;
        let parts = self.pixels.chunks(size * channels * height * width).zip(self.labels.chunks(size));
        parts.map(move |(pixels, labels)| Part { pixels, shape: [labels.len(), channels, height, width], labels })
    }
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

/// The indices of each batch of an epoch, balanced or each photo once; the last, incomplete one is left out.
#[must_use]
pub fn batches(examples: &[Example], batch: usize, balanced: bool, rng: &mut impl Rng) -> Vec<Vec<usize>> {
    let labels: Vec<usize> = examples.iter().map(|example| example.label).collect();
    let order = if balanced {
        balanced_order(&labels, rng)
    } else {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.shuffle(rng);
        order
    };
    order.chunks_exact(batch).map(<[usize]>::to_vec).collect()
}

/// Threads that prepare pictures beside a trainer: on the processor it needs the cores itself.
#[must_use]
pub fn workers(on_processor: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if on_processor { cores.div_ceil(4) } else { cores }
}

/// Starts the threads; they end with the last batch, or when the receiver is dropped.
pub fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    plan: Plan<'scope>,
    order: Vec<Vec<usize>>,
    workers: &'scope rayon::ThreadPool,
) -> Receiver<Batch> {
    let (send, receive) = sync_channel(AHEAD);
    scope.spawn(move || {
        for (step, indices) in order.iter().enumerate() {
            if send.send(workers.install(|| plan.batch(step, indices))).is_err() {
                break;
            }
        }
    });
    receive
}

impl Plan<'_> {
    fn batch(&self, step: usize, indices: &[usize]) -> Batch {
        let spec = Preprocess { size: self.side, ..self.data.input };
        let tensor = |(place, &index): (usize, &usize)| {
            let mut pixels = Vec::with_capacity(spec.values());
            spec.normalise(&self.picture(step * indices.len() + place, &self.data.train[index]), &mut pixels);
            pixels
        };
        let pixels: Vec<Vec<f32>> =
            indices.par_iter().enumerate().map(|(place, index)| tensor((place, index))).collect();
        let labels = indices.iter().map(|&index| self.data.train[index].label as i64).collect();
        let side = self.side as usize;
        Batch { pixels: pixels.concat(), shape: [indices.len(), 3, side, side], labels }
    }

    fn picture(&self, place: usize, example: &Example) -> RgbImage {
        // A stream for each picture: the changes depend on nothing but seed, epoch and place.
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(((self.epoch as u64) << 32) | place as u64);
        self.augment.apply(&example.picture, self.side, &mut rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Area;
    use crate::train::recipe::Recipe;
    use image::Rgb;

    fn data() -> Dataset {
        let example = |i: usize| Example {
            picture: RgbImage::from_fn(20, 20, |x, y| Rgb([(x * 9) as u8, (y * 9) as u8, (i * 20) as u8])),
            label: usize::from(i == 0),
            place: String::new(),
        };
        let train: Vec<Example> = (0..10).map(example).collect();
        let labels = vec![Area::new("県", "甲", "Ko"), Area::new("県", "乙", "Otsu")];
        let input = Preprocess::imagenet(16);
        Dataset { labels, input, stored: 20, validation: train.clone(), test: train.clone(), train }
    }

    #[test]
    fn batches_do_not_depend_on_the_number_of_threads() {
        let data = data();
        let augment = Recipe::find("reference").unwrap().augment;
        let plan = Plan { data: &data, side: 16, augment, seed: 3, epoch: 1 };
        let order = batches(&data.train, 4, true, &mut ChaCha8Rng::seed_from_u64(1));
        let all = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            std::thread::scope(|scope| start(scope, plan, order.clone(), &pool).iter().collect::<Vec<Batch>>())
        };
        let one = all(1);
        assert_eq!(one, all(3));
        assert_eq!(one.len(), 2);
        assert_eq!(one[0].shape, [4, 3, 16, 16]);
    }

    #[test]
    fn balance_shows_the_rare_label_as_often_and_can_be_switched_off() {
        let data = data();
        let rare = |balanced| {
            let order = batches(&data.train, 5, balanced, &mut ChaCha8Rng::seed_from_u64(1));
            order.concat().into_iter().filter(|&index| data.train[index].label == 1).count()
        };
        assert_eq!((rare(true), rare(false)), (5, 1));
    }

    #[test]
    fn parts_hold_every_picture_once() {
        let batch =
            Batch { pixels: (0..60).map(|v| v as f32).collect(), shape: [5, 3, 2, 2], labels: vec![0, 1, 2, 3, 4] };
        let parts: Vec<Part<'_>> = batch.split(2).collect();
        assert_eq!(parts.iter().map(|part| part.shape[0]).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(parts.iter().flat_map(|part| part.pixels).copied().collect::<Vec<f32>>(), batch.pixels);
        assert_eq!(parts.iter().flat_map(|part| part.labels).copied().collect::<Vec<i64>>(), batch.labels);
    }
}

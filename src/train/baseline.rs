//! The check that the drawn world cannot be solved by colour: a linear classifier on 8 x 8 thumbnails.

use image::RgbImage;

use super::head::fit::{Linear, Problem};
use crate::domain::metrics::{argmax, macro_recall};
use crate::infer::preprocess::centre_square;

/// Side of a thumbnail, pixels.
pub const SIDE: u32 = 8;
/// Pull of the weights towards 0.
const RIDGE: f64 = 1e-3;

/// Multinomial logistic regression on standardised thumbnails.
pub struct Thumbnails {
    linear: Linear,
}

impl Thumbnails {
    /// Fits with a small ridge.
    ///
    /// # Panics
    /// When `pictures` is empty, or longer or shorter than `labels`.
    #[must_use]
    pub fn fit(pictures: &[&RgbImage], labels: &[usize], classes: usize) -> Self {
        let rows: Vec<Vec<f32>> = pictures.iter().map(|picture| thumbnail(picture)).collect();
        let problem = Problem::new(&rows, labels, classes);
        Self { linear: problem.linear(&problem.fit(RIDGE, None)) }
    }

    /// The most probable label of a picture.
    #[must_use]
    pub fn predict(&self, picture: &RgbImage) -> usize {
        argmax(&self.linear.logits(&thumbnail(picture))).unwrap_or(0)
    }

    /// Top-1 and macro recall, 0 to 1.
    #[must_use]
    pub fn judge(&self, pictures: &[&RgbImage], labels: &[usize], classes: usize) -> (f32, f32) {
        let mut confusion = vec![vec![0; classes]; classes];
        for (picture, &label) in pictures.iter().zip(labels) {
            confusion[label][self.predict(picture)] += 1;
        }
        let right: usize = (0..classes).map(|i| confusion[i][i]).sum();
        (right as f32 / labels.len().max(1) as f32, macro_recall(&confusion))
    }
}

fn thumbnail(picture: &RgbImage) -> Vec<f32> {
    centre_square(picture, SIDE).as_raw().iter().map(|&value| f32::from(value) / 255.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn right(pictures: &[RgbImage], labels: &[usize], classes: usize) -> f32 {
        let (train, test): (Vec<usize>, Vec<usize>) = (0..pictures.len()).partition(|i| i % 2 == 0);
        let fitted: Vec<&RgbImage> = train.iter().map(|&i| &pictures[i]).collect();
        let model = Thumbnails::fit(&fitted, &train.iter().map(|&i| labels[i]).collect::<Vec<_>>(), classes);
        let hits = test.iter().filter(|&&i| model.predict(&pictures[i]) == labels[i]).count();
        hits as f32 / test.len() as f32
    }

    #[test]
    fn colour_is_learnt_and_fine_texture_is_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let labels: Vec<usize> = (0..120).map(|i| (i / 2) % 2).collect();
        let mut noisy = |base: [i32; 3]| {
            RgbImage::from_fn(32, 32, |_, _| Rgb(base.map(|v| (v + rng.random_range(-20..20)).clamp(0, 255) as u8)))
        };
        let coloured: Vec<RgbImage> =
            labels.iter().map(|&l| noisy(if l == 0 { [120, 90, 90] } else { [90, 90, 120] })).collect();
        assert!(right(&coloured, &labels, 2) > 0.95);
        // Coarse or fine grain around the same grey.
        let mut grained = |label: usize| {
            let amplitude = if label == 0 { 15 } else { 60 };
            RgbImage::from_fn(32, 32, |_, _| Rgb([(120 + rng.random_range(-amplitude..=amplitude)) as u8; 3]))
        };
        let grains: Vec<RgbImage> = labels.iter().map(|&l| grained(l)).collect();
        assert!(right(&grains, &labels, 2) < 0.75);
    }
}

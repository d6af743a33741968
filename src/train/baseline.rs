//! The check that the drawn world cannot be solved by colour: a linear classifier on 8 x 8 thumbnails.

use image::RgbImage;

use crate::domain::metrics::argmax;
use crate::infer::preprocess::centre_square;

/// Side of a thumbnail, pixels.
const SIDE: u32 = 8;
/// Values of a thumbnail.
const VALUES: usize = 3 * (SIDE * SIDE) as usize;
/// Steps of the fit; the loss has long stopped moving.
const STEPS: usize = 1500;
/// Pull of the weights towards 0.
const RIDGE: f32 = 1e-3;

/// Multinomial logistic regression on standardised thumbnails.
pub struct Thumbnails {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    /// `[labels, values + 1]`; the last of a row is the bias.
    weight: Vec<Vec<f32>>,
}

impl Thumbnails {
    /// Fits by full-batch gradient descent with Nesterov's momentum and a small ridge.
    ///
    /// # Panics
    /// When `pictures` is empty, or longer or shorter than `labels`.
    #[must_use]
    pub fn fit(pictures: &[&RgbImage], labels: &[usize], classes: usize) -> Self {
        assert!(!pictures.is_empty() && pictures.len() == labels.len(), "one label a picture, and some of them");
        let raw: Vec<Vec<f32>> = pictures.iter().map(|picture| thumbnail(picture)).collect();
        let (mean, deviation) = moments(&raw);
        let mut model = Self { mean, deviation, weight: vec![vec![0.0; VALUES + 1]; classes] };
        let rows: Vec<Vec<f32>> = raw.iter().map(|row| model.standardise(row)).collect();
        // The loss curves at most as the largest eigenvalue of the standardised rows, which their trace bounds;
        // 0.5 of its square mean is a safe and quick step for correlated pixels.
        let rate = 4.0 / VALUES as f32;
        let mut velocity = model.weight.clone();
        for step in 0..STEPS {
            let momentum = step as f32 / (step as f32 + 3.0);
            let ahead: Vec<Vec<f32>> = combine(&model.weight, &velocity, momentum);
            let gradient = gradient(&ahead, &rows, labels);
            for ((weight, velocity), (gradient, ahead)) in
                model.weight.iter_mut().zip(&mut velocity).zip(gradient.iter().zip(&ahead))
            {
                for i in 0..=VALUES {
                    let new = ahead[i] - rate * (gradient[i] + RIDGE * ahead[i]);
                    velocity[i] = new - weight[i];
                    weight[i] = new;
                }
            }
        }
        model
    }

    /// The most probable label of a picture.
    #[must_use]
    pub fn predict(&self, picture: &RgbImage) -> usize {
        let row = self.standardise(&thumbnail(picture));
        argmax(&scores(&self.weight, &row)).unwrap_or(0)
    }

    fn standardise(&self, row: &[f32]) -> Vec<f32> {
        let scaled =
            row.iter().zip(&self.mean).zip(&self.deviation).map(|((v, mean), deviation)| (v - mean) / deviation);
        scaled.chain([1.0]).collect()
    }
}

fn thumbnail(picture: &RgbImage) -> Vec<f32> {
    centre_square(picture, SIDE).as_raw().iter().map(|&value| f32::from(value) / 255.0).collect()
}

fn moments(rows: &[Vec<f32>]) -> (Vec<f32>, Vec<f32>) {
    let count = rows.len() as f32;
    let column = |i: usize| rows.iter().map(move |row| row[i]);
    let mean: Vec<f32> = (0..VALUES).map(|i| column(i).sum::<f32>() / count).collect();
    let variance = |i: usize| column(i).map(|v| (v - mean[i]).powi(2)).sum::<f32>() / count;
    let deviation = (0..VALUES).map(|i| variance(i).sqrt().max(1e-3)).collect();
    (mean, deviation)
}

fn combine(weight: &[Vec<f32>], velocity: &[Vec<f32>], momentum: f32) -> Vec<Vec<f32>> {
    let row = |(w, v): (&Vec<f32>, &Vec<f32>)| w.iter().zip(v).map(|(w, v)| w + momentum * v).collect();
    weight.iter().zip(velocity).map(row).collect()
}

fn scores(weight: &[Vec<f32>], row: &[f32]) -> Vec<f32> {
    weight.iter().map(|w| w.iter().zip(row).map(|(w, v)| w * v).sum()).collect()
}

/// Gradient of the mean negative log-likelihood.
fn gradient(weight: &[Vec<f32>], rows: &[Vec<f32>], labels: &[usize]) -> Vec<Vec<f32>> {
    let mut sum = vec![vec![0.0; VALUES + 1]; weight.len()];
    for (row, &label) in rows.iter().zip(labels) {
        let probability = crate::domain::prediction::softmax(&scores(weight, row), 1.0);
        for (class, (sum, p)) in sum.iter_mut().zip(probability).enumerate() {
            let error = (p - f32::from(u8::from(class == label))) / rows.len() as f32;
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += error * value);
        }
    }
    sum
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

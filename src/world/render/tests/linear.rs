//! No colour at a fixed place may betray the area: a linear model of tiny thumbnails must stay poor.

use rayon::prelude::*;

use super::super::super::photo::{PhotoSpec, photos};
use super::world;
use crate::domain::Split;

/// 8 x 8 pixels of red, green, blue, and a constant.
const FEATURES: usize = 8 * 8 * 3 + 1;
const AREAS: usize = 7;

#[test]
fn a_linear_model_of_thumbnails_stays_poor() {
    let (mut train, train_areas) = thumbnails(1, Split::Train, 100);
    let (mut test, test_areas) = thumbnails(2, Split::Test, 50);
    standardise(&mut train, &mut test);
    let weights = fit(&train, &train_areas);
    let on_train = accuracy(&weights, &train, &train_areas);
    let on_test = accuracy(&weights, &test, &test_areas);
    assert!(on_train > 0.3, "the model learnt nothing, so its failure says nothing: {on_train}");
    assert!(on_test < 0.5, "{on_test}");
}

fn thumbnails(seed: u64, split: Split, per_area: usize) -> (Vec<Vec<f32>>, Vec<usize>) {
    let specs: Vec<PhotoSpec> = photos(world(), seed, &[split], per_area).map(|spec| spec.sized(48, 48)).collect();
    let shrink = |spec: &PhotoSpec| {
        let mut features = vec![0.0; FEATURES];
        for (x, y, pixel) in spec.render(world()).image.enumerate_pixels() {
            let cell = (y / 6 * 8 + x / 6) as usize;
            (0..3).for_each(|channel| features[cell * 3 + channel] += f32::from(pixel[channel]) / (36.0 * 255.0));
        }
        features[FEATURES - 1] = 1.0;
        features
    };
    (specs.par_iter().map(shrink).collect(), specs.iter().map(|spec| spec.area).collect())
}

fn standardise(train: &mut [Vec<f32>], test: &mut [Vec<f32>]) {
    for i in 0..FEATURES - 1 {
        let n = train.len() as f32;
        let mean = train.iter().map(|row| row[i]).sum::<f32>() / n;
        let deviation = (train.iter().map(|row| (row[i] - mean).powi(2)).sum::<f32>() / n).sqrt();
        train.iter_mut().chain(test.iter_mut()).for_each(|row| row[i] = (row[i] - mean) / deviation);
    }
}

fn scores(weights: &[Vec<f32>], row: &[f32]) -> [f32; AREAS] {
    std::array::from_fn(|area| weights[area].iter().zip(row).map(|(w, x)| w * x).sum())
}

/// Multinomial logistic regression by gradient descent with momentum and a little weight decay.
fn fit(rows: &[Vec<f32>], areas: &[usize]) -> Vec<Vec<f32>> {
    let mut weights = vec![vec![0.0; FEATURES]; AREAS];
    let mut speed = weights.clone();
    for _ in 0..60 {
        let mut gradient = vec![vec![0.0; FEATURES]; AREAS];
        for (row, &truth) in rows.iter().zip(areas) {
            let scores = scores(&weights, row);
            let highest = scores.into_iter().fold(f32::MIN, f32::max);
            let total: f32 = scores.iter().map(|score| (score - highest).exp()).sum();
            for (area, score) in scores.iter().enumerate() {
                let excess = (score - highest).exp() / total - f32::from(u8::from(area == truth));
                gradient[area].iter_mut().zip(row).for_each(|(g, x)| *g += excess * x / rows.len() as f32);
            }
        }
        let all = weights.iter_mut().flatten().zip(speed.iter_mut().flatten()).zip(gradient.iter().flatten());
        for ((weight, speed), gradient) in all {
            *speed = 0.9 * *speed - 0.1 * (gradient + 0.01 * *weight);
            *weight += *speed;
        }
    }
    weights
}

fn accuracy(weights: &[Vec<f32>], rows: &[Vec<f32>], areas: &[usize]) -> f32 {
    let guess = |row: &Vec<f32>| {
        let scores = scores(weights, row);
        (0..AREAS).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
    };
    let right = rows.iter().zip(areas).filter(|(row, area)| guess(row) == Some(**area)).count();
    right as f32 / rows.len() as f32
}

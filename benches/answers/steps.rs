//! What each step costs on one core, and whether a photo decoded small gets the answer of one decoded in full.

use std::hint::black_box;
use std::time::Instant;

use kokodoko::domain::Split;
use kokodoko::infer::decode::{Limits, decode, decode_square};
use kokodoko::infer::manifest::ModelFiles;
use kokodoko::infer::onnx::{Backend, Network};
use kokodoko::infer::preprocess::{Preprocess, centre_square};
use kokodoko::infer::queue::Run;
use kokodoko::world::World;
use kokodoko::world::photo::photos as specs;

/// Prints the time of each step for a photo, the best of several rounds over all: others only add to it.
pub fn costs(photos: &[(String, Vec<Vec<u8>>)]) {
    let limits = Limits::default();
    println!("milliseconds a photo on one core");
    println!(
        "{:<12}{:>6}{:>14}{:>12}{:>14}{:>14}",
        "photos", "side", "decode, full", "resize", "decode small", "normalise"
    );
    for (size, photos) in photos {
        for side in [128, 224] {
            let spec = Preprocess::imagenet(side);
            let whole: Vec<_> = photos.iter().take(4).map(|photo| decode(photo, &limits).expect("sound")).collect();
            let squares: Vec<_> = whole.iter().map(|picture| centre_square(picture, side)).collect();
            let full = best(photos.len(), || photos.iter().for_each(|p| drop(black_box(decode(p, &limits)))));
            let resize = best(whole.len(), || whole.iter().for_each(|p| drop(black_box(centre_square(p, side)))));
            let small =
                best(photos.len(), || photos.iter().for_each(|p| drop(black_box(decode_square(p, &limits, side)))));
            let normalise = best(squares.len(), || squares.iter().for_each(|p| drop(black_box(spec.tensor(p)))));
            println!("{size:<12}{side:>6}{full:>14.3}{resize:>12.3}{small:>14.3}{normalise:>14.3}");
        }
    }
}

fn best(photos: usize, mut run: impl FnMut()) -> f64 {
    let time = |run: &mut dyn FnMut()| {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64() * 1e3 / photos as f64
    };
    (0..3).map(|_| time(&mut run)).fold(f64::INFINITY, f64::min)
}

/// Asks the built-in model about drawn photos of towns that it was not trained on, `count` an area, in the sizes that
/// services send, decoded both ways.
pub fn agree(backend: &Backend, count: usize) {
    let files = ModelFiles::built_in().expect("the built-in model is sound");
    let mut network = Network::load(&files, backend).expect("it loads");
    let (input, labels, limits) = (files.manifest.input, files.manifest.labels.len(), Limits::default());
    let mut probabilities = |square: &image::RgbImage| {
        let logits = network.run(1, &input.tensor(square)).expect("it runs").logits;
        let scaled: Vec<f32> = logits.iter().map(|logit| (logit / files.manifest.temperature).exp()).collect();
        let sum: f32 = scaled.iter().sum();
        scaled.iter().map(|value| value / sum).collect::<Vec<f32>>()
    };
    let world = World::load();
    let (mut photos, mut same, mut right, mut worst, mut sum, mut pixels) = (0, 0, [0, 0], 0.0_f32, 0.0_f32, 0.0);
    for spec in specs(&world, 77, &[Split::Test], count) {
        let photo = spec.shoot(&world);
        let small = decode_square(&photo.jpeg, &limits, input.size).expect("sound");
        let full = centre_square(&decode(&photo.jpeg, &limits).expect("sound"), input.size);
        let [a, b] = [&small, &full].map(&mut probabilities);
        let best = |row: &[f32]| (0..labels).max_by(|x, y| row[*x].total_cmp(&row[*y])).expect("there are areas");
        let most = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        photos += 1;
        same += usize::from(best(&a) == best(&b));
        right[0] += usize::from(best(&a) == photo.area);
        right[1] += usize::from(best(&b) == photo.area);
        (worst, sum) = (worst.max(most), sum + most);
        let levels = small.as_raw().iter().zip(full.as_raw()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
        pixels += levels / small.as_raw().len() as f64;
    }
    let share = |part: usize| 100.0 * part as f64 / photos as f64;
    println!("{photos} photos: the same best area for {same} ({:.2} %)", share(same));
    println!("right: decoded small {:.2} %, in full {:.2} %", share(right[0]), share(right[1]));
    println!("largest difference of a probability: {worst:.4}, on average {:.4}", sum / photos as f32);
    println!("levels (of 255) differ by {:.2} on average", pixels / f64::from(photos as u32));
}

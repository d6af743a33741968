//! The last layer on 26,000 rows of 2,048 features of 7 areas (what ResNet-50 makes of the reference's data): the whole
//! search for the pull towards 0, with a validation split of 2,600. One run, since one takes seconds:
//!
//! ```sh
//! cargo bench --bench head
//! ```

use std::time::Instant;

use kokodoko::domain::metrics::top_k;
use kokodoko::train::head::choose_l2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 26_000;
const VALIDATION: usize = 2_600;
const FEATURES: usize = 2_048;
const CLASSES: usize = 7;

/// Rows as pooled features are: 0 or more, many near 0, each class with a few of its own, and correlated through a
/// hundred common causes.
fn rows(count: usize, seed: u64) -> (Vec<Vec<f32>>, Vec<usize>) {
    let mut loadings = ChaCha8Rng::seed_from_u64(1);
    let causes: Vec<(usize, usize, f32)> = (0..FEATURES)
        .map(|_| (loadings.random_range(0..100), loadings.random_range(0..CLASSES), loadings.random_range(0.2..1.0)))
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let labels: Vec<usize> = (0..count).map(|i| i % CLASSES).collect();
    let mut row = |&label: &usize| -> Vec<f32> {
        let common: Vec<f32> = (0..100).map(|_| rng.random_range(-1.0..1.0)).collect();
        let value = |&(cause, class, loading): &(usize, usize, f32)| {
            let own = if class == label { 0.15 * loading } else { 0.0 };
            (0.3 * common[cause] * loading + own + rng.random_range(-0.6..0.7)).max(0.0)
        };
        causes.iter().map(value).collect()
    };
    (labels.iter().map(&mut row).collect(), labels)
}

fn main() {
    let (train, labels) = rows(ROWS, 2);
    let (validation, truths) = rows(VALIDATION, 3);
    let begin = Instant::now();
    let chosen = choose_l2((&train, &labels), (&validation, &truths), CLASSES);
    let seconds = begin.elapsed().as_secs_f64();
    for trial in &chosen.tried {
        println!(
            "l2 {:<7} {:>4} iterations, gradient {:.1e}, converged {}, validation {:.4} nats",
            trial.l2, trial.iterations, trial.gradient, trial.converged, trial.validation
        );
    }
    let rows: Vec<Vec<f32>> = validation.iter().map(|row| chosen.linear.logits(row)).collect();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("chosen l2 {}, validation top-1 {:.3}", chosen.l2, top_k(&rows, &truths, 1));
    println!("{ROWS} x {FEATURES} x {CLASSES}: {seconds:.1} s on {cores} cores");
}

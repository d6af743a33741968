//! The search for look-alikes among 100,000 photos of 2,048 features (205 MB), beside a plain read of the same memory:
//! what is nearer to that than a few times cannot be had much quicker. Both take turns; medians of one run.
//!
//! ```sh
//! cargo bench --bench similar
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use kokodoko::infer::index::{Index, Spread};
use pulp::Arch;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const ROWS: usize = 100_000;
const FEATURES: usize = 2_048;
const TOWNS: usize = 2_000;
/// Turns.
const ROUNDS: usize = 41;
/// Look-alikes that are shown, and photos that vote.
const SHOWN: usize = 3;
const VOTING: usize = 50;

/// A file with rows at random, none negative, as pooled features are none.
fn file() -> Vec<u8> {
    let towns: Vec<_> = (0..TOWNS).map(|town| (town % 7, town.to_string())).collect();
    let photo = serde_json::json!({"drawn": {"panorama": "x", "heading": 0.0, "fov": 90.0, "pitch": 0.0}});
    let rows: Vec<_> = (0..ROWS).map(|row| (row % TOWNS, 0, (35.0, 139.0), &photo)).collect();
    let catalogue = serde_json::json!({"towns": towns, "credits": [("x", "y")], "rows": rows}).to_string();
    let mut bytes = b"kokoidx\0".to_vec();
    for number in [1, FEATURES, ROWS, catalogue.len()] {
        bytes.extend((number as u32).to_le_bytes());
    }
    bytes.resize(64 + ROWS * FEATURES, 0);
    let values = &mut bytes[64..];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(values);
    values.iter_mut().for_each(|value| *value &= 0x7f);
    bytes.extend(catalogue.into_bytes());
    bytes
}

/// Reads everything once, on all cores.
fn read(bytes: &[u8]) -> u64 {
    let arch = Arch::new();
    let sum = |chunk: &[u8]| {
        arch.dispatch(
            #[inline(always)]
            || chunk.iter().map(|byte| u64::from(*byte)).sum::<u64>(),
        )
    };
    bytes.par_chunks(1 << 20).map(sum).sum()
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

fn main() {
    let index = Index::read(file().into(), &"0".repeat(64)).expect("the format is this one");
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut reads, mut shown, mut voting) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let features: Vec<f32> = (0..FEATURES).map(|_| rng.random_range(0.0..1.0)).collect();
        reads.push(timed(|| {
            black_box(read(index.bytes()));
        }));
        shown.push(timed(|| drop(black_box(index.nearest(&features, SHOWN, Spread::Towns)))));
        voting.push(timed(|| drop(black_box(index.nearest(&features, VOTING, Spread::Any)))));
    }
    let (read, shown, voting) = (median(reads), median(shown), median(voting));
    let gigabytes = index.bytes().len() as f64 / 1e9;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{ROWS} x {FEATURES} on {cores} cores, medians of {ROUNDS}");
    println!("plain read           {read:6.1} ms  {:.1} GB/s", gigabytes / read * 1_000.0);
    println!("{SHOWN} of {SHOWN} towns         {shown:6.1} ms  {:.2} reads", shown / read);
    println!("{VOTING} of any town       {voting:6.1} ms  {:.2} reads", voting / read);
}

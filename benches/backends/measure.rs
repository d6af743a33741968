//! Rates of one backend.

use std::path::Path;
use std::time::{Duration, Instant};

use kokodoko::infer::manifest::ModelFiles;
use kokodoko::infer::onnx::{Backend, Network};
use kokodoko::infer::queue::Run;
use kokodoko::infer::{Core, Options};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::models;
use crate::table::Row;

/// tract is single-threaded: larger batches only take longer.
const LARGEST_FOR_TRACT: usize = 8;

/// The core is measured with these batches: what a bot may meet.
const OF_THE_CORE: [usize; 2] = [8, 32];

/// Every row of a backend; those of the core only if there are photos.
pub fn all(name: &str, backend: &Backend, batches: &[usize], seconds: f64, photos: Option<&Path>) -> Vec<Row> {
    let duration = Duration::from_secs_f64(seconds);
    let photos = photos.map(models::read).unwrap_or_default();
    let mut rows = Vec::new();
    for (model, files) in models::all() {
        let row = |input: &str, batch, rate, run_ms| Row {
            backend: name.to_owned(),
            model: model.to_owned(),
            input: input.to_owned(),
            batch,
            rate: Some(rate),
            run_ms,
        };
        let fits = |batch: &&usize| *backend != Backend::Tract || **batch <= LARGEST_FOR_TRACT;
        let batches: Vec<usize> = batches.iter().filter(fits).copied().collect();
        for (batch, run) in tensors(&files, backend, &batches, duration) {
            rows.push(row("tensors", batch, batch as f64 / run.as_secs_f64(), Some(run.as_secs_f64() * 1e3)));
        }
        for &batch in batches.iter().filter(|batch| OF_THE_CORE.contains(batch) && !photos.is_empty()) {
            let running = Running::start(&files, backend, batch);
            for (size, photos) in &photos {
                rows.push(row(size, batch, running.rate(photos, duration * 4), None));
            }
        }
    }
    rows
}

/// Median time of a run on ready tensors, for each batch size.
fn tensors(files: &ModelFiles, backend: &Backend, batches: &[usize], duration: Duration) -> Vec<(usize, Duration)> {
    let begin = Instant::now();
    let mut network = Network::load(files, backend).expect("the model loads");
    network.prepare(batches.iter().copied().max().unwrap_or(1)).expect("it can be prepared");
    eprintln!("  ready after {:.1} s", begin.elapsed().as_secs_f64());
    let values = files.manifest.input.values();
    let mut measured = Vec::new();
    for &batch in batches {
        // Two sets of random-looking values, so that nothing is answered from a cache of the last run.
        let sets: Vec<Vec<f32>> = [31_u32, 47]
            .iter()
            .map(|step| {
                (0..(batch * values) as u32).map(|i| (i.wrapping_mul(*step) % 997) as f32 / 250.0 - 2.0).collect()
            })
            .collect();
        let mut run = |turn: usize| {
            let begin = Instant::now();
            let outputs = network.run(batch, &sets[turn % 2]).expect("it runs");
            assert!(outputs.logits.iter().all(|logit| logit.is_finite()), "an answer is no number");
            begin.elapsed()
        };
        for turn in 0..3 {
            run(turn);
        }
        let begin = Instant::now();
        let mut times = Vec::new();
        while times.len() < 3 || begin.elapsed() < duration {
            times.push(run(times.len()));
        }
        times.sort_unstable();
        measured.push((batch, times[times.len() / 2]));
    }
    measured
}

/// A core with as many callers as keep it busy.
struct Running {
    core: Core,
    runtime: Runtime,
    callers: usize,
}

impl Running {
    fn start(files: &ModelFiles, backend: &Backend, batch: usize) -> Self {
        let callers = (2 * batch).max(2 * std::thread::available_parallelism().map_or(2, usize::from));
        let options =
            Options { backend: backend.clone(), max_batch: batch, max_in_flight: 2 * callers, ..Options::default() };
        let core = Core::start(files, &options).expect("the core starts");
        Self { core, runtime: Runtime::new().expect("threads start"), callers }
    }

    /// Photos a second from JPEG bytes to answers.
    fn rate(&self, photos: &[Vec<u8>], duration: Duration) -> f64 {
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            let mut next = photos.iter().cycle().cloned();
            let mut ask = |running: &mut JoinSet<()>| {
                let (core, photo) = (self.core.clone(), next.next().expect("photos repeat"));
                running.spawn(async move { drop(core.locate(photo).await.expect("an answer")) });
            };
            (0..self.callers).for_each(|_| ask(&mut running));
            // Those in flight at the start are counted as warm-up.
            for _ in 0..self.callers {
                running.join_next().await.expect("one runs").expect("no panic");
                ask(&mut running);
            }
            let begin = Instant::now();
            let mut done = 0_usize;
            while begin.elapsed() < duration {
                running.join_next().await.expect("one runs").expect("no panic");
                ask(&mut running);
                done += 1;
            }
            done as f64 / begin.elapsed().as_secs_f64()
        })
    }
}

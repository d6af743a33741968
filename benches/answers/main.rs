//! From the bytes of a photo to its answer: how much of the network's own rate is left, what each step costs, and whether
//! photos that are decoded small get the answers of those that are decoded in full.
//!
//! `cargo bench --bench answers -- --library PATH/libonnxruntime.so.1`; without a library tract runs the network. Both
//! rates of a ratio are taken in turn, with the same batch and threads, each round anew.

#[path = "../backends/models.rs"]
mod models;
mod steps;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use kokodoko::infer::manifest::ModelFiles;
use kokodoko::infer::onnx::{Backend, Device, Network};
use kokodoko::infer::queue::Run;
use kokodoko::infer::{Core, Options};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Options of the benchmark.
#[derive(Debug, Parser)]
struct Cli {
    /// ONNX Runtime's shared library
    #[arg(long)]
    library: Option<PathBuf>,
    /// Photos in a run of the network
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each rate
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only the networks whose name begins so
    #[arg(long, default_value = "")]
    network: String,
    /// Only the costs of the steps
    #[arg(long)]
    steps: bool,
    /// Only whether answers agree, on so many drawn photos an area
    #[arg(long)]
    agree: Option<usize>,
    /// Writes the photos here and keeps them, for other programs
    #[arg(long)]
    photos: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let cli = Cli::parse();
    let backend = match &cli.library {
        Some(library) => Backend::OnnxRuntime { library: library.clone(), device: Device::Cpu, threads: 0 },
        None => Backend::Tract,
    };
    if let Some(count) = cli.agree {
        return steps::agree(&backend, count);
    }
    let folder = tempfile::tempdir().expect("a folder for the photos");
    let folder = cli.photos.as_deref().unwrap_or(folder.path());
    std::fs::create_dir_all(folder).expect("the folder can be made");
    models::draw(folder);
    let photos = models::read(folder);
    if cli.steps {
        return steps::costs(&photos);
    }
    println!("{backend}, batch {}, medians of {} rounds of {} s", cli.batch, cli.rounds, cli.seconds);
    println!(
        "{:<14}{:<12}{:>14}{:>14}{:>8}   (least, most)",
        "network", "photos", "session, 1/s", "core, 1/s", "ratio"
    );
    for (name, files) in models::all().into_iter().filter(|(name, _)| name.starts_with(&cli.network)) {
        let mut pair = Pair::start(&files, &backend, cli.batch);
        for (size, photos) in &photos {
            let rounds: Vec<(f64, f64)> = (0..cli.rounds).map(|_| pair.round(photos, cli.seconds)).collect();
            let ratios = sorted(rounds.iter().map(|(session, core)| core / session));
            let session = median(&sorted(rounds.iter().map(|round| round.0)));
            let core = median(&sorted(rounds.iter().map(|round| round.1)));
            let (ratio, least, most) = (median(&ratios), ratios[0], ratios[ratios.len() - 1]);
            println!("{name:<14}{size:<12}{session:>14.1}{core:>14.1}{ratio:>8.3}   ({least:.3}, {most:.3})");
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// A bare session, and a core with as many callers as keep it busy.
struct Pair {
    session: Network,
    input: Vec<f32>,
    batch: usize,
    core: Core,
    runtime: Runtime,
    callers: usize,
}

impl Pair {
    fn start(files: &ModelFiles, backend: &Backend, batch: usize) -> Self {
        let mut session = Network::load(files, backend).expect("the model loads");
        session.prepare(batch).expect("it can be prepared");
        let values = batch * files.manifest.input.values();
        let input = (0..values as u32).map(|i| (i.wrapping_mul(31) % 997) as f32 / 250.0 - 2.0).collect();
        let callers = 2 * batch + 2 * std::thread::available_parallelism().map_or(2, usize::from);
        let options =
            Options { backend: backend.clone(), max_batch: batch, max_in_flight: 2 * callers, ..Options::default() };
        let core = Core::start(files, &options).expect("the core starts");
        Self { session, input, batch, core, runtime: Runtime::new().expect("threads start"), callers }
    }

    /// Photos a second of the session and of the core.
    fn round(&mut self, photos: &[Vec<u8>], seconds: f64) -> (f64, f64) {
        let duration = Duration::from_secs_f64(seconds);
        (self.session_rate(duration), self.core_rate(photos, duration))
    }

    fn session_rate(&mut self, duration: Duration) -> f64 {
        let mut run = || self.session.run(self.batch, &self.input).expect("it runs");
        run();
        let (begin, mut runs) = (Instant::now(), 0);
        while begin.elapsed() < duration || runs < 2 {
            let outputs = run();
            assert!(outputs.logits.iter().all(|logit| logit.is_finite()), "an answer is no number");
            runs += 1;
        }
        (runs * self.batch) as f64 / begin.elapsed().as_secs_f64()
    }

    fn core_rate(&self, photos: &[Vec<u8>], duration: Duration) -> f64 {
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            let mut next = photos.iter().cycle().cloned();
            let mut ask = |running: &mut JoinSet<()>| {
                let (core, photo) = (self.core.clone(), next.next().expect("photos repeat"));
                running.spawn(async move { drop(core.locate(photo).await.expect("an answer")) });
            };
            (0..self.callers).for_each(|_| ask(&mut running));
            // Batches come whole: the clock runs from the end of one to the end of another.
            let (mut done, mut begin) = (0_usize, None::<Instant>);
            loop {
                running.join_next().await.expect("one runs").expect("no panic");
                while running.try_join_next().is_some_and(|ended| ended.is_ok()) {
                    done += 1;
                    ask(&mut running);
                }
                done += 1;
                ask(&mut running);
                match begin {
                    None if done >= 2 * self.batch => (begin, done) = (Some(Instant::now()), 0),
                    Some(begin) if begin.elapsed() >= duration && done >= 2 * self.batch => {
                        return done as f64 / begin.elapsed().as_secs_f64();
                    }
                    _ => {}
                }
            }
        })
    }
}

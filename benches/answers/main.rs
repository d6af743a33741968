//! From the bytes of a photo to its answer: how much of the network's own rate is left, what each step costs, and whether
//! photos that are decoded small get the answers of those that are decoded in full.
//!
//! `cargo bench --bench answers -- --library PATH/libonnxruntime.so.1`; without a library tract runs the network. Both
//! rates of a ratio are taken in turn, with the same batch and threads, each round anew. "Work" is the same ratio in
//! processor time, which other programs on the machine change less: of the time for an answer, the network's share.

#[path = "../backends/models.rs"]
mod models;
mod steps;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use kokodoko::infer::manifest::{Manifest, ModelFiles};
use kokodoko::infer::onnx::{Backend, Device, Network, Precision};
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
    /// Run the network on CUDA, with the library of ONNX Runtime for GPUs
    #[arg(long, requires = "library")]
    cuda: bool,
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
    /// Only the network of this folder (model.onnx and manifest.toml)
    #[arg(long)]
    model: Option<PathBuf>,
    /// Only the photos whose size begins so
    #[arg(long, default_value = "")]
    size: String,
    /// Keeps photos and networks here, for other programs, and takes the photos that are there
    #[arg(long)]
    photos: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let cli = Cli::parse();
    let cuda = Device::Cuda { precision: Precision::F32, graphs: true };
    let device = if cli.cuda { cuda } else { Device::Cpu };
    let backend = match &cli.library {
        Some(library) => Backend::OnnxRuntime { library: library.clone(), device, threads: 0 },
        None => Backend::Tract,
    };
    if let Some(count) = cli.agree {
        return steps::agree(&backend, count);
    }
    let folder = tempfile::tempdir().expect("a folder for the photos");
    let folder = cli.photos.as_deref().unwrap_or(folder.path());
    if !folder.join(DRAWN).exists() {
        models::draw(folder);
        models::all().iter().for_each(|(name, files)| keep(&folder.join(name), files));
        std::fs::write(folder.join(DRAWN), []).expect("it can be noted");
    }
    let mut photos = models::read(folder);
    photos.retain(|(size, _)| size.starts_with(&cli.size));
    if cli.steps {
        return steps::costs(&photos);
    }
    println!("{backend}, batch {}, medians of {} rounds of {} s", cli.batch, cli.rounds, cli.seconds);
    println!(
        "{:<14}{:<12}{:>14}{:>14}{:>8}   {:<16}{:>6}   {:<16}{:>10}",
        "network", "photos", "session, 1/s", "core, 1/s", "ratio", "(least, most)", "work", "(least, most)", "core, ms"
    );
    let networks = match &cli.model {
        Some(folder) => vec![("given", ModelFiles::read_without_index(folder).expect("a model folder"))],
        None => models::all(),
    };
    for (name, files) in networks.into_iter().filter(|(name, _)| name.starts_with(&cli.network)) {
        let mut pair = Pair::start(&files, &backend, cli.batch);
        for (size, photos) in &photos {
            let rounds: Vec<(Rate, Rate)> = (0..cli.rounds).map(|_| pair.round(photos, cli.seconds)).collect();
            let middle = |value: fn(&(Rate, Rate)) -> f64| median(&sorted(rounds.iter().map(value)));
            let ratio = Spread::of(rounds.iter().map(|(session, core)| core.photos / session.photos));
            let work = Spread::of(rounds.iter().map(|(session, core)| session.work / core.work));
            let (session, core) = (middle(|round| round.0.photos), middle(|round| round.1.photos));
            let millis = 1e3 * middle(|round| round.1.work);
            println!("{name:<14}{size:<12}{session:>14.1}{core:>14.1}{ratio}{work}{millis:>10.2}");
        }
    }
}

/// A file that says that all photos are drawn.
const DRAWN: &str = "drawn";

/// Writes a model folder.
fn keep(folder: &Path, files: &ModelFiles) {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let manifest =
        toml::to_string(&Manifest { index: None, street: None, ..files.manifest.clone() }).expect("plain data");
    std::fs::write(folder.join("manifest.toml"), manifest).expect("a file is written");
    std::fs::write(folder.join("model.onnx"), &files.onnx).expect("a file is written");
}

/// What came of a stretch of time.
struct Rate {
    /// Photos a second.
    photos: f64,
    /// Processor time for a photo, on all cores, seconds.
    work: f64,
}

impl Rate {
    fn of(photos: usize, begin: Instant, worked: f64) -> Self {
        let photos = photos as f64;
        Self { photos: photos / begin.elapsed().as_secs_f64(), work: (processor_time() - worked) / photos }
    }
}

/// Of this process, all its threads, in seconds, to a hundredth (proc(5), /proc/pid/stat).
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let fields = stat.rsplit(')').next().expect("the name ends").split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / 100.0
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let values = sorted(values);
        Self { least: values[0], median: median(&values), most: values[values.len() - 1] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.3}   {:<16}", self.median, format!("({:.3}, {:.3})", self.least, self.most))
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

    /// Of the session and of the core.
    fn round(&mut self, photos: &[Vec<u8>], seconds: f64) -> (Rate, Rate) {
        let duration = Duration::from_secs_f64(seconds);
        (self.session_rate(duration), self.core_rate(photos, duration))
    }

    fn session_rate(&mut self, duration: Duration) -> Rate {
        let mut run = || self.session.run(self.batch, &self.input).expect("it runs");
        run();
        let (begin, worked, mut runs) = (Instant::now(), processor_time(), 0);
        while begin.elapsed() < duration || runs < 2 {
            let outputs = run();
            assert!(outputs.logits.iter().all(|logit| logit.is_finite()), "an answer is no number");
            runs += 1;
        }
        Rate::of(runs * self.batch, begin, worked)
    }

    fn core_rate(&self, photos: &[Vec<u8>], duration: Duration) -> Rate {
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            let mut next = photos.iter().cycle().cloned();
            let mut ask = |running: &mut JoinSet<()>| {
                let (core, photo) = (self.core.clone(), next.next().expect("photos repeat"));
                running.spawn(async move { drop(core.locate(photo).await.expect("an answer")) });
            };
            (0..self.callers).for_each(|_| ask(&mut running));
            // Batches come whole: the clock runs from the end of one to the end of another.
            let (mut done, mut begin) = (0_usize, None::<(Instant, f64)>);
            loop {
                running.join_next().await.expect("one runs").expect("no panic");
                while running.try_join_next().is_some_and(|ended| ended.is_ok()) {
                    done += 1;
                    ask(&mut running);
                }
                done += 1;
                ask(&mut running);
                match begin {
                    None if done >= 2 * self.batch => (begin, done) = (Some((Instant::now(), processor_time())), 0),
                    Some((begin, worked)) if begin.elapsed() >= duration && done >= 2 * self.batch => {
                        return Rate::of(done, begin, worked);
                    }
                    _ => {}
                }
            }
        })
    }
}

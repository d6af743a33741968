//! Latency under load, over HTTP on loopback: the program itself in a process of its own, asked in a closed loop (so many
//! callers, each with its next photo once it has an answer, or once the time is over after which a refused one may come back)
//! and in an open one: photos come at a share of what a closed loop gets through, evenly or at random (a Poisson process).
//! Latencies count from when a photo was due, so that waiting is not left out.
//!
//! `cargo bench --bench load -- [--library PATH/libonnxruntime.so.1]`; this program shares the processor with the one that
//! it measures.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use kokodoko::domain::Split;
use kokodoko::world::World;
use kokodoko::world::photo::photos as specs;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::{Client, StatusCode};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinSet;

/// Options of the benchmark.
#[derive(Debug, Parser)]
struct Cli {
    /// ONNX Runtime's shared library; without it, tract runs the network
    #[arg(long)]
    library: Option<String>,
    /// Seconds of each row
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Shares of the capacity for the open loop, percent
    #[arg(long, value_delimiter = ',', default_values_t = [20, 50, 80, 120])]
    shares: Vec<u32>,
    /// Callers of the closed loop, besides one alone
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3, 4, 16])]
    callers: Vec<usize>,
    /// `web.max_slowdown` of the program
    #[arg(long)]
    slowdown: Option<f64>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// Photos of Street View's size.
const SIDE: u32 = 640;
const PHOTOS: usize = 21;

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    let world = World::load();
    let drawn = specs(&world, 7, &[Split::Test], PHOTOS.div_ceil(7));
    let photos: Vec<Vec<u8>> = drawn.map(|spec| spec.sized(SIDE, SIDE).shoot(&world).jpeg).collect();
    let server = Server::start(&cli).await;
    let asker = Arc::new(Asker { client: Client::new(), url: format!("{}api/v1/locate", server.url), photos });
    let duration = Duration::from_secs_f64(cli.seconds);
    asker.closed(1, Duration::from_secs(1)).await;
    println!(
        "{:<16}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}   p99, most: times the unloaded median",
        "load", "1/s", "p50 ms", "p95", "p99", "most", "refused", "MiB"
    );
    let unloaded = asker.closed(1, duration).await;
    let (median, mut capacity) = (unloaded.at(0.5), unloaded.rate());
    unloaded.print("closed, 1", &server, median);
    for &callers in &cli.callers {
        let row = asker.closed(callers, duration).await;
        row.print(&format!("closed, {callers}"), &server, median);
        capacity = capacity.max(row.rate());
    }
    for (name, random) in [("even", false), ("random", true)] {
        for share in &cli.shares {
            let row = asker.open(capacity * f64::from(*share) / 100.0, random, duration).await;
            row.print(&format!("{name}, {share} %"), &server, median);
        }
    }
}

/// The program, ended when dropped.
struct Server {
    child: tokio::process::Child,
    url: String,
}

impl Server {
    async fn start(cli: &Cli) -> Self {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_kokodoko"));
        command.args(["demo", "--bind", "127.0.0.1:0", "--print-url"]).env("KOKODOKO_QUIZ__ENABLED", "false");
        if let Some(library) = &cli.library {
            command.env("KOKODOKO_INFER__BACKEND", "onnxruntime").env("ORT_DYLIB_PATH", library);
        }
        if let Some(most) = cli.slowdown {
            command.env("KOKODOKO_WEB__MAX_SLOWDOWN", most.to_string());
        }
        let begin = Instant::now();
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let url = lines.next_line().await.expect("it can be read").expect("it says its address");
        let health = format!("{url}health");
        while Client::new().get(&health).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        println!("ready after {:.2} s", begin.elapsed().as_secs_f64());
        let server = Self { child, url };
        println!("memory when idle: {} MiB", server.memory());
        server
    }

    /// Resident, MiB.
    fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id().expect("it runs"));
        let status = std::fs::read_to_string(path).expect("the system tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") >> 10
    }
}

struct Asker {
    client: Client,
    url: String,
    photos: Vec<Vec<u8>>,
}

/// What came of the photos of a row.
#[derive(Default)]
struct Row {
    /// Of those that were answered, sorted when asked, milliseconds.
    latencies: Vec<f64>,
    refused: usize,
    seconds: f64,
}

impl Asker {
    /// Milliseconds from `due` to the answer, or, refused, after how long to come back.
    async fn ask(&self, turn: usize, due: Instant) -> Result<f64, Duration> {
        let photo = self.photos[turn % self.photos.len()].clone();
        let answer = self.client.post(&self.url).body(photo).send().await.expect("the server answers");
        match answer.status() {
            StatusCode::OK => {
                answer.bytes().await.expect("the whole answer");
                Ok(due.elapsed().as_secs_f64() * 1e3)
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let wait = answer.headers().get("retry-after").expect("who is refused is told when to come back");
                Err(Duration::from_secs(wait.to_str().ok().and_then(|wait| wait.parse().ok()).expect("seconds")))
            }
            other => panic!("an answer of status {other}"),
        }
    }

    async fn closed(self: &Arc<Self>, callers: usize, duration: Duration) -> Row {
        let begin = Instant::now();
        let mut running = JoinSet::new();
        for caller in 0..callers {
            let asker = self.clone();
            running.spawn(async move {
                let mut answers = Vec::new();
                while begin.elapsed() < duration {
                    let answer = asker.ask(caller * 5 + answers.len(), Instant::now()).await;
                    answers.push(answer);
                    if let Err(wait) = answer {
                        tokio::time::sleep(wait).await;
                    }
                }
                answers
            });
        }
        let answers = running.join_all().await.into_iter().flatten().collect();
        Row::of(answers, begin.elapsed())
    }

    /// Photos come `rate` a second, on average if at random.
    async fn open(self: &Arc<Self>, rate: f64, random: bool, duration: Duration) -> Row {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let begin = Instant::now();
        let mut running = JoinSet::new();
        let (mut due, mut turn) = (Duration::ZERO, 0);
        while due < duration {
            tokio::time::sleep_until((begin + due).into()).await;
            let (asker, at) = (self.clone(), begin + due);
            running.spawn(async move { asker.ask(turn, at).await });
            let gap = if random { -(1.0 - rng.random::<f64>()).ln() } else { 1.0 };
            due += Duration::from_secs_f64(gap / rate);
            turn += 1;
        }
        let answers = running.join_all().await;
        Row::of(answers, begin.elapsed())
    }
}

impl Row {
    fn of(answers: Vec<Result<f64, Duration>>, elapsed: Duration) -> Self {
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        let mut latencies: Vec<f64> = answers.into_iter().flatten().collect();
        latencies.sort_unstable_by(f64::total_cmp);
        Self { latencies, refused, seconds: elapsed.as_secs_f64() }
    }

    /// Answered photos a second.
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    /// The latency that a share of the answers stays below, milliseconds.
    fn at(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    /// `median` is the unloaded one, milliseconds.
    fn print(&self, name: &str, server: &Server, median: f64) {
        let [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1.0].map(|share| self.at(share));
        let (rate, refused, memory) = (self.rate(), self.refused, server.memory());
        let times = format!("{:.1}, {:.1}", p99 / median, most / median);
        println!("{name:<16}{rate:>9.1}{p50:>9.1}{p95:>9.1}{p99:>9.1}{most:>9.1}{refused:>9}{memory:>9}   {times}");
    }
}

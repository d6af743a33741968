//! What the tests share: a core that answers at once, photos, captured logs.

use std::io::Write;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use image::{Rgb, RgbImage};
use jiff::Timestamp;
use kokodoko::chat::etiquette::{Limits, system_clock};
use kokodoko::chat::{Conversation, Lang, text};
use kokodoko::clock::WallClock;
use kokodoko::domain::quiz::Credit;
use kokodoko::domain::{Area, Coordinate, Geocell};
use kokodoko::infer::index::kin::Voting;
use kokodoko::infer::index::{Entry, Index, Photo};
use kokodoko::infer::manifest::{Indexed, Manifest, Metrics, Provenance};
use kokodoko::infer::onnx::Outputs;
use kokodoko::infer::preprocess::Preprocess;
use kokodoko::infer::queue::Run;
use kokodoko::infer::{Core, Options};
use kokodoko::quiz::pool::Pool;
use kokodoko::quiz::{Quiz, Rules};
use kokodoko::store::Store;
use kokodoko::world::World;
use tracing_subscriber::fmt::MakeWriter;

/// A photo for 東京都港区.
pub const RED: [u8; 3] = [200, 60, 40];
/// A photo for 東京都渋谷区.
pub const GREEN: [u8; 3] = [50, 190, 60];
/// A photo for 北海道旭川市.
pub const BLUE: [u8; 3] = [40, 70, 210];

/// A network of one operation: the mean of each colour, six times, is a logit.
pub struct Colours;

impl Run for Colours {
    fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
        let plane = input.len() / batch / 3;
        let mean = |plane: &[f32]| 6.0 * plane.iter().sum::<f32>() / plane.len() as f32;
        let logits: Vec<f32> = input.chunks(plane).map(mean).collect();
        // One cell a map: its mean is the logit, as it has to be.
        Ok(Outputs { cams: logits.clone(), features: logits.clone(), logits, grid: (1, 1) })
    }
}

/// The manifest of that network.
pub fn manifest() -> Manifest {
    let share = 0.5;
    Manifest {
        name: "colours".to_owned(),
        version: "0.1.0".to_owned(),
        arch: "mean".to_owned(),
        output_stride: 32,
        sha256: "0".repeat(64),
        temperature: 1.0,
        abstain_below: 0.5,
        provenance: Provenance {
            data: "drawn-world".to_owned(),
            command: "none".to_owned(),
            licence: "MIT".to_owned(),
            attribution: Vec::new(),
        },
        input: Preprocess { size: 16, mean: [0.0; 3], std: [1.0; 3] },
        metrics: Metrics {
            photos: 3,
            top1: share,
            top3: share,
            macro_recall: share,
            ece: share,
            coverage: share,
            selective_accuracy: share,
            thumbnail_top1: share,
            confusion: Vec::new(),
        },
        index: None,
        street: None,
        labels: vec![
            Area::new("東京都", "港区", "Minato, Tokyo"),
            Area::new("東京都", "渋谷区", "Shibuya, Tokyo"),
            Area::new("北海道", "旭川市", "Asahikawa, Hokkaido"),
        ],
    }
}

/// The whole core, decoding and queue included, around that network.
pub fn core() -> Core {
    core_with(&Options::default())
}

/// The same within other limits.
pub fn core_with(options: &Options) -> Core {
    Core::with_runner(manifest(), Colours, options).expect("a thread starts")
}

/// The same with an index of look-alikes, by their colours: the reddish photos of the drawn world are none of 港区, so
/// that they doubt its answer.
pub fn core_with_index() -> Core {
    let world = World::load();
    let entry = |town: &str, label: usize, area: usize| {
        let panorama = &world.panoramas(area)[0];
        let credit = Credit { source: "kokodoko".to_owned(), licence: "CC0-1.0".to_owned(), url: None };
        let photo = Photo::Drawn { panorama: panorama.id.clone(), heading: 0.0, fov: 90.0, pitch: 0.0 };
        Entry { label, town: town.to_owned(), position: Some(panorama.position), credit, photo }
    };
    let photos = [
        (entry("神南一丁目", 1, 3), vec![1.0, 0.3, 0.2]),
        (entry("松濤一丁目", 1, 3), vec![1.0, 0.3, 0.5]),
        (entry("四条通", 2, 6), vec![1.0, 0.0, 0.6]),
        (entry("芝公園四丁目", 0, 1), vec![0.0, 1.0, 0.0]),
    ];
    let index = Index::of_photos(&photos, &"0".repeat(64)).expect("sound features");
    let indexed = Indexed { sha256: "0".repeat(64), photos: 4, voting: Voting::default() };
    let manifest = Manifest { index: Some(indexed), ..manifest() };
    Core::with_index(manifest, Some(Arc::new(index)), Colours, &Options::default()).expect("a thread starts")
}

/// The same, but its areas are cells: around the middles of the three municipalities.
pub fn cells_core() -> Core {
    let middles = [(35.655, 139.745), (35.665, 139.700), (43.771, 142.365)];
    let cell = |(area, (lat, lng)): (Area, (f64, f64))| Area {
        cell: Some(Geocell::of(Coordinate { lat, lng }, 12)),
        ..Area::new(&area.prefecture, &format!("{}付近", area.municipality), &format!("near {}", area.name_en))
    };
    let plain = manifest();
    let manifest = Manifest { labels: plain.labels.into_iter().zip(middles).map(cell).collect(), ..manifest() };
    Core::with_runner(manifest, Colours, &Options::default()).expect("a thread starts")
}

/// The same, but each run waits until the gate is opened for it.
pub fn gated_core(options: &Options) -> (Core, Gate) {
    let (begun, entered) = tokio::sync::mpsc::unbounded_channel();
    let (leave, opened) = std::sync::mpsc::channel();
    let core = Core::with_runner(manifest(), Gated { begun, opened }, options).expect("a thread starts");
    (core, Gate { entered, leave })
}

/// Holds the runs of a [`gated_core`].
pub struct Gate {
    entered: tokio::sync::mpsc::UnboundedReceiver<()>,
    leave: std::sync::mpsc::Sender<()>,
}

impl Gate {
    /// Waits until a run stands before the gate.
    pub async fn entered(&mut self) {
        self.entered.recv().await.expect("the core runs");
    }

    /// Lets one run pass.
    pub fn open(&self) {
        self.leave.send(()).expect("the core runs");
    }
}

struct Gated {
    begun: tokio::sync::mpsc::UnboundedSender<()>,
    opened: std::sync::mpsc::Receiver<()>,
}

impl Run for Gated {
    fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
        self.begun.send(()).map_err(|error| error.to_string())?;
        self.opened.recv().map_err(|error| error.to_string())?;
        Colours.run(batch, input)
    }
}

/// A conversation about what that core sees, within limits.
pub fn conversation(limits: Limits) -> Conversation {
    Conversation::new(core(), limits, system_clock())
}

/// A conversation about what the core with the cells sees.
pub fn conversation_of_cells() -> Conversation {
    Conversation::new(cells_core(), generous(), system_clock())
}

/// A conversation about what the core with the index sees.
pub fn conversation_with_index() -> Conversation {
    Conversation::new(core_with_index(), generous(), system_clock())
}

/// Keeps a picture below cargo's folder for such things, to be looked at by people.
pub fn keep(name: &str, picture: &[u8]) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(name), picture).expect("a file");
}

/// A clock that stands still until a test moves it.
pub struct ManualClock {
    now: tokio::sync::watch::Sender<Timestamp>,
    /// The times that somebody waits for.
    awaited: tokio::sync::watch::Sender<Vec<Timestamp>>,
}

impl ManualClock {
    pub fn start() -> Arc<Self> {
        let noon = "2026-11-24T03:00:00Z".parse().expect("a moment");
        Arc::new(Self { now: tokio::sync::watch::channel(noon).0, awaited: tokio::sync::watch::channel(Vec::new()).0 })
    }

    /// Wakes whoever waits for a time that has come now.
    pub fn pass(&self, seconds: i64) {
        self.now.send_modify(|now| *now += jiff::SignedDuration::from_secs(seconds));
    }

    /// Waits until somebody waits for a time, and lets the next such time come.
    pub async fn pass_to_the_next(&self) {
        let mut awaited = self.awaited.subscribe();
        let to_come = |times: &Vec<Timestamp>| times.iter().filter(|time| **time > *self.now.borrow()).min().copied();
        let awaited = awaited.wait_for(|times| to_come(times).is_some()).await;
        let next = to_come(&awaited.expect("the sender lives as long as self")).expect("found just now");
        self.now.send_replace(next);
    }
}

/// Takes a time off the list when nobody waits for it any more.
struct Awaited<'a>(&'a ManualClock, Timestamp);

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.awaited.send_modify(|times| {
            let at = times.iter().position(|time| *time == self.1);
            at.map(|at| times.swap_remove(at));
        });
    }
}

impl WallClock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            if *now.borrow() < at {
                self.awaited.send_modify(|times| times.push(at));
            }
            let _awaited = Awaited(self, at);
            // The sender lives as long as self.
            let _ = now.wait_for(|now| *now >= at).await;
        })
    }
}

/// A clock that jumps to whatever is waited for, and remembers how far.
pub struct JumpingClock {
    now: Mutex<Timestamp>,
    waits: Mutex<Vec<jiff::SignedDuration>>,
}

impl JumpingClock {
    pub fn start() -> Arc<Self> {
        let noon = "2026-11-24T03:00:00Z".parse().expect("a moment");
        Arc::new(Self { now: Mutex::new(noon), waits: Mutex::default() })
    }

    /// The waits so far, in seconds; those under a tenth of a second (the rate of requests) are left out.
    pub fn waits(&self) -> Vec<f64> {
        let waits = self.waits.lock().expect("no panic in here");
        waits.iter().map(jiff::SignedDuration::as_secs_f64).filter(|seconds| *seconds >= 0.1).collect()
    }
}

impl WallClock for JumpingClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().expect("no panic in here")
    }

    fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut now = self.now.lock().expect("no panic in here");
        if at > *now {
            self.waits.lock().expect("no panic in here").push(at.duration_since(*now));
            *now = at;
        }
        Box::pin(async {})
    }
}

/// The system's clock, except that whoever waits for a time finds that it has come.
#[derive(Default)]
pub struct SkippingClock {
    skipped: Mutex<(jiff::SignedDuration, Vec<f64>)>,
}

impl SkippingClock {
    /// The waits so far, whole seconds: what was left of a second is left out.
    pub fn waits(&self) -> Vec<u64> {
        let skipped = self.skipped.lock().expect("no panic in here");
        skipped.1.iter().map(|seconds| seconds.ceil() as u64).collect()
    }
}

impl WallClock for SkippingClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.skipped.lock().expect("no panic in here").0
    }

    fn until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let left = at.duration_since(self.now());
        if left.is_positive() {
            let mut skipped = self.skipped.lock().expect("no panic in here");
            skipped.0 += left;
            skipped.1.push(left.as_secs_f64());
        }
        Box::pin(async {})
    }
}

/// The quiz over a database file, with the colour network as the model.
pub async fn quiz(database: &std::path::Path, clock: Arc<ManualClock>) -> Quiz {
    let store = Store::open(database).await.expect("the database opens");
    let rules = Rules { last_call: jiff::SignedDuration::from_secs(10), zone: jiff::tz::TimeZone::UTC };
    Quiz::new(store, POOL.clone(), core(), clock, rules).await.expect("the quiz begins")
}

static POOL: std::sync::LazyLock<Pool> = std::sync::LazyLock::new(Pool::drawn);

/// Limits that no test reaches by accident.
pub fn generous() -> Limits {
    Limits { per_user_per_minute: 1_000, per_chat_per_minute: 1_000 }
}

/// A street of one dominant colour, as a JPEG of a camera's proportions.
pub fn jpeg(colour: [u8; 3]) -> Vec<u8> {
    let photo = RgbImage::from_fn(160, 120, |x, y| {
        let shade = ((x * 7 + y * 13) % 40) as u8;
        Rgb(colour.map(|channel| channel.saturating_sub(shade)))
    });
    let mut bytes = Vec::new();
    photo.write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut bytes)).expect("memory takes it");
    bytes
}

/// What the bot has to say to a photo: the core asked directly, past every chat.
pub async fn expected_answer(lang: Lang, photo: Vec<u8>) -> String {
    let located = core().locate(photo).await.expect("a good photo");
    let subject = text::why::Subject { best: &located.prediction.best().area, other: None };
    text::answer(lang, &located.prediction, true, Some(text::why::note(lang, subject)))
}

/// The folder of published service descriptions beside the checkout, where there is one.
pub fn specs() -> Option<PathBuf> {
    let folders = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.map(|folder| folder.join("shared/specs")).find(|folder| folder.is_dir())
}

/// One of those descriptions, by its file name.
pub fn spec(file: &str) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(specs()?.join(file)).ok()?;
    Some(serde_json::from_str(&text).expect("a description is JSON"))
}

/// Log lines of the current thread.
#[derive(Clone, Default)]
pub struct Logs {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Logs {
    /// Captures everything, down to the smallest detail of any library, until the guard is dropped.
    pub fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let logs = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(logs.clone())
            .finish();
        (logs, tracing::subscriber::set_default(subscriber))
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no panic in here")).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.lock().expect("no panic in here").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Secrets that tests hand to the program. No line that any test of this binary logs may hold one.
const SECRETS: [&str; 3] = ["AAE-the_secret_part_of_the_token", crate::fake::discord::TOKEN, "webhook_secret-1"];

/// From here on every line that is logged is looked at, as much as the program would log with the filter `debug`; one with
/// a secret ends the tests at once. The fakes call it: tests that want to see the log themselves set a logger of their own.
pub fn guard_secrets() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let filter =
            tracing_subscriber::EnvFilter::new("debug,sqlx=off,serenity=warn,teloxide=warn,teloxide_core=warn");
        let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Guard).with_ansi(false);
        logger.try_init().expect("no other logger for all tests");
    });
}

struct Guard;

impl std::io::Write for Guard {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        if SECRETS.iter().any(|secret| text.contains(secret)) {
            eprintln!("a secret was logged: {text}");
            std::process::abort();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

//! Configuration: `config/default.toml`, then the user's file, then the environment, parsed once into types.

mod collect;
mod environment;
#[cfg(any(test, fuzzing))]
pub mod hostile;
mod raw;
mod train;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use secrecy::SecretString;
use thiserror::Error;

use crate::domain::{Platform, UserRef};
use crate::infer::decode::Limits;
use crate::infer::kserve::Server;
use crate::infer::onnx::{Auto, Backend, Device, Precision};

pub use raw::{LogFormat, PoolChoice};

/// The whole configuration, valid.
#[derive(Debug)]
pub struct Config {
    /// Folder of the model that is live until another is promoted; `None`: the built-in one.
    pub model: Option<PathBuf>,
    /// Folder of the models that can be promoted.
    pub models_folder: PathBuf,
    /// How to run the core.
    pub infer: crate::infer::Options,
    /// What the backend in [`Self::infer`] is to be chosen from, with `infer.backend = "auto"`; it is tract until then.
    pub auto: Option<Auto>,
    /// How many photos people and chats may send.
    pub etiquette: EtiquetteLimits,
    /// SQLite file of all that is stored.
    pub database: PathBuf,
    /// The quiz, if enabled.
    pub quiz: Option<Quiz>,
    /// Folder of the photos that people gave as test photos; `None`: nobody is asked.
    pub gifts: Option<PathBuf>,
    /// Collecting imagery.
    pub collect: crate::collect::settings::Settings,
    /// Trainings from the chats.
    pub train: crate::train::settings::Settings,
    /// Who runs the bot.
    pub admins: Vec<UserRef>,
    /// Whose bot it is; empty: every admin's.
    pub owners: Vec<UserRef>,
    /// The page and the API.
    pub web: Web,
    /// The Telegram bot, if enabled.
    pub telegram: Option<Telegram>,
    /// The Discord bot, if enabled.
    pub discord: Option<Discord>,
    /// Logging.
    pub log: Log,
    /// How long running answers may take after the signal to stop.
    pub stop_deadline: Duration,
    /// How long what is stored is kept.
    pub retention: crate::retention::Days,
}

/// Photos a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EtiquetteLimits {
    /// Of one person, 1 or more.
    pub user_photos_per_minute: u32,
    /// Of one chat, 1 or more.
    pub chat_photos_per_minute: u32,
}

/// "Beat the model".
#[derive(Clone, Debug)]
pub struct Quiz {
    /// Where the photos come from.
    pub pool: PoolChoice,
    /// Where days, weeks and months begin.
    pub zone: TimeZone,
    /// How long a group waits once all who joined are done.
    pub last_call: Duration,
}

/// The page and the API.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where to listen.
    pub bind: SocketAddr,
    /// Names besides localhost.
    pub allowed_hosts: Vec<String>,
    /// How many times as long as alone (1 or more) a photo may be expected to take before the API refuses it; `None`: any.
    pub max_slowdown: Option<f64>,
    /// Opens `/metrics` to other machines.
    pub metrics_token: Option<SecretString>,
}

/// The Telegram bot.
#[derive(Debug)]
pub struct Telegram {
    /// The bot's token.
    pub token: SecretString,
    /// Bot API server; `None`: Telegram's own.
    pub api_url: Option<String>,
    /// Webhook; `None`: long polling.
    pub webhook: Option<Webhook>,
}

/// How Telegram reaches us.
#[derive(Debug)]
pub struct Webhook {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The public https address that leads there.
    pub public_url: String,
    /// What Telegram repeats with every update.
    pub secret: SecretString,
}

/// The Discord bot.
#[derive(Debug)]
pub struct Discord {
    /// The bot's token.
    pub token: SecretString,
    /// A proxy for the API; `None`: Discord itself.
    pub api_url: Option<String>,
    /// A proxy for the gateway; `None`: where the API says.
    pub gateway_url: Option<String>,
    /// Connections to the gateway; 0: as many as Discord recommends.
    pub shards: u32,
}

/// Logging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// Filter in tracing's grammar.
    pub filter: String,
}

/// A configuration that cannot be used. The words name file, key, value and cure.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no TOML, or has a key that there is none of, or a value of the wrong kind.
    #[error("{place}: {problem}")]
    Syntax {
        /// The file, or "environment".
        place: String,
        /// The parser's words, with line and key.
        problem: String,
    },
    /// A value that cannot be used.
    #[error("`{key}` is {value}: {cure}")]
    Value {
        /// The key, dotted.
        key: &'static str,
        /// The value as given; secrets never appear here.
        value: String,
        /// What to write instead.
        cure: String,
    },
    /// A secret that is nowhere.
    #[error(
        "`{key}` is missing: set the environment variable {variable}, or name a file that holds it in `{key}_file`"
    )]
    Missing {
        /// The key, dotted.
        key: &'static str,
        /// The environment variable.
        variable: String,
    },
    /// A secret's file cannot be read.
    #[error("`{key}_file` names {}: {source}", named(path))]
    SecretFile {
        /// The key, dotted.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A file as it may be shown: what is no path may be the secret itself, in the wrong place.
fn named(path: &Path) -> String {
    if path.components().count() > 1 {
        path.display().to_string()
    } else {
        "no file (write its path, and the secret into the file)".to_owned()
    }
}

impl Config {
    /// Reads the configuration.
    ///
    /// `file` is the user's file: `None` takes `kokodoko.toml` in the working directory if there is one.
    /// `variables` are the environment's pairs of name and value.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (table, secrets) = environment::overlay(raw::table(file)?, variables)?;
        let raw = raw::parse(table, file)?;
        resolve(raw, &secrets)
    }
}

fn resolve(raw: raw::Raw, secrets: &environment::Secrets) -> Result<Config, ConfigError> {
    let limits = Limits {
        max_bytes: positive("photo.max_mebibytes", raw.photo.max_mebibytes)? << 20,
        max_pixels: positive("photo.max_megapixels", raw.photo.max_megapixels)? as u64 * 1_000_000,
        max_decoded_bytes: (positive("photo.max_decoded_mebibytes", raw.photo.max_decoded_mebibytes)? as u64) << 20,
    };
    Ok(Config {
        model: non_empty(&raw.infer.model).map(PathBuf::from),
        models_folder: models_folder(&raw.models.folder)?,
        auto: (raw.infer.backend == raw::BackendName::Auto).then(|| auto(&raw.infer, secrets)).transpose()?,
        infer: crate::infer::Options {
            backend: backend(&raw.infer, secrets)?,
            limits,
            max_batch: positive("infer.max_batch", raw.infer.max_batch)?,
            max_in_flight: positive("infer.max_in_flight", raw.infer.max_in_flight)?,
            ..crate::infer::Options::default()
        },
        etiquette: EtiquetteLimits {
            user_photos_per_minute: positive("limits.user_photos_per_minute", raw.limits.user_photos_per_minute)?
                as u32,
            chat_photos_per_minute: positive("limits.chat_photos_per_minute", raw.limits.chat_photos_per_minute)?
                as u32,
        },
        database: database(&raw.quiz.database)?,
        quiz: raw.quiz.enabled.then(|| quiz(&raw.quiz)).transpose()?,
        gifts: raw.gifts.ask.then(|| gifts_folder(&raw.gifts.folder)).transpose()?,
        collect: collect::settings(&raw, secrets)?,
        train: train::settings(&raw.train)?,
        admins: people([("admin.telegram", &raw.admin.telegram), ("admin.discord", &raw.admin.discord)])?,
        owners: people([
            ("admin.owners_telegram", &raw.admin.owners_telegram),
            ("admin.owners_discord", &raw.admin.owners_discord),
        ])?,
        web: Web {
            bind: address("web.bind", &raw.web.bind)?,
            allowed_hosts: raw.web.allowed_hosts,
            max_slowdown: slowdown(raw.web.max_slowdown)?,
            metrics_token: secrets.find("web.metrics_token", &raw.web.metrics_token_file)?,
        },
        telegram: raw.telegram.enabled.then(|| telegram(&raw.telegram, secrets)).transpose()?,
        discord: raw.discord.enabled.then(|| discord(&raw.discord, secrets)).transpose()?,
        log: Log { format: raw.log.format, filter: raw.log.filter },
        stop_deadline: Duration::from_secs(positive("stop.deadline_seconds", raw.stop.deadline_seconds)? as u64),
        retention: crate::retention::Days {
            audit: raw.retention.audit_days,
            jobs: raw.retention.jobs_days,
            sightings: raw.retention.sightings_days,
            unfinished: raw.retention.unfinished_days,
            reports: raw.retention.reports_days,
            cache: raw.retention.cache_days,
        },
    })
}

fn quiz(raw: &raw::Quiz) -> Result<Quiz, ConfigError> {
    let zone = TimeZone::get(&raw.time_zone).map_err(|_| ConfigError::Value {
        key: "quiz.time_zone",
        value: format!("{:?}", raw.time_zone),
        cure: "write an IANA time zone, such as \"Asia/Tokyo\"".to_owned(),
    })?;
    let last_call = Duration::from_secs(u64::from(raw.last_call_seconds.min(600)));
    Ok(Quiz { pool: raw.pool, zone, last_call })
}

fn models_folder(path: &str) -> Result<PathBuf, ConfigError> {
    non_empty(path).map(PathBuf::from).ok_or_else(|| ConfigError::Value {
        key: "models.folder",
        value: "\"\"".to_owned(),
        cure: "name a folder, such as \"data/models\"; it need not exist".to_owned(),
    })
}

fn gifts_folder(path: &str) -> Result<PathBuf, ConfigError> {
    path_of("gifts.folder", path, "name a folder, such as \"data/gifts\", or set `gifts.ask` to false")
}

fn database(path: &str) -> Result<PathBuf, ConfigError> {
    path_of("quiz.database", path, "write the path of the file for the scores")
}

/// A path that must be there.
fn path_of(key: &'static str, path: &str, cure: &str) -> Result<PathBuf, ConfigError> {
    let empty = || ConfigError::Value { key, value: "empty".to_owned(), cure: cure.to_owned() };
    non_empty(path).map(PathBuf::from).ok_or_else(empty)
}

/// Numbers on Telegram, then on Discord.
fn people(given: [(&'static str, &Vec<toml::Value>); 2]) -> Result<Vec<UserRef>, ConfigError> {
    let mut people = Vec::new();
    for (platform, (key, given)) in [Platform::Telegram, Platform::Discord].into_iter().zip(given) {
        for value in given {
            let id = value.as_integer().filter(|id| *id > 0).ok_or_else(|| ConfigError::Value {
                key,
                value: value.to_string(),
                cure: "write the numbers of people, such as [123456789]; names can be taken by others".to_owned(),
            })?;
            people.push(UserRef { platform, id });
        }
    }
    Ok(people)
}

fn cuda(infer: &raw::Infer) -> Result<Device, ConfigError> {
    let precision = match infer.precision {
        raw::PrecisionName::F32 => Precision::F32,
        raw::PrecisionName::Tf32 => Precision::Tf32,
        raw::PrecisionName::F16 => {
            return Err(ConfigError::Value {
                key: "infer.precision",
                value: "f16".to_owned(),
                cure: "write \"f32\" or \"tf32\", or infer.backend = \"tensorrt\", which alone computes in float16"
                    .to_owned(),
            });
        }
    };
    Ok(Device::Cuda { precision, graphs: infer.cuda_graphs })
}

fn tensorrt(infer: &raw::Infer) -> Result<Device, ConfigError> {
    let cure = "write the path of the folder where networks are kept that TensorRT has compiled";
    let engines = path_of("infer.tensorrt_engines", &infer.tensorrt_engines, cure)?;
    Ok(Device::TensorRt { half: infer.precision == raw::PrecisionName::F16, engines })
}

fn library(infer: &raw::Infer, secrets: &environment::Secrets) -> Option<PathBuf> {
    non_empty(&infer.onnxruntime_library).or(secrets.ort_dylib_path.as_deref()).map(PathBuf::from)
}

fn auto(infer: &raw::Infer, secrets: &environment::Secrets) -> Result<Auto, ConfigError> {
    Ok(Auto { library: library(infer, secrets), cuda: cuda(infer)?, threads: infer.threads as usize })
}

fn backend(infer: &raw::Infer, secrets: &environment::Secrets) -> Result<Backend, ConfigError> {
    let device = match infer.backend {
        raw::BackendName::Tract | raw::BackendName::Auto => return Ok(Backend::Tract),
        raw::BackendName::Kserve => return kserve(infer, secrets),
        raw::BackendName::Onnxruntime => Device::Cpu,
        raw::BackendName::Cuda => cuda(infer)?,
        raw::BackendName::Tensorrt => tensorrt(infer)?,
    };
    let library = library(infer, secrets).ok_or_else(|| ConfigError::Value {
        key: "infer.onnxruntime_library",
        value: "empty".to_owned(),
        cure: "write the path of libonnxruntime.so there or into ORT_DYLIB_PATH \
               (PyPI's onnxruntime and onnxruntime-gpu wheels hold it under onnxruntime/capi)"
            .to_owned(),
    })?;
    Ok(Backend::OnnxRuntime { library, device, threads: infer.threads as usize })
}

fn kserve(infer: &raw::Infer, secrets: &environment::Secrets) -> Result<Backend, ConfigError> {
    let url = &infer.kserve_url;
    let valid = reqwest::Url::parse(url).is_ok_and(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.query().is_none()
    });
    if !valid {
        return Err(ConfigError::Value {
            key: "infer.kserve_url",
            // It may hold a password.
            value: if url.contains('@') { "an address with a name in it".to_owned() } else { format!("{url:?}") },
            cure: "write the address of the inference server, without /v2, such as \"http://127.0.0.1:8000\""
                .to_owned(),
        });
    }
    let timeout = positive("infer.kserve_timeout_seconds", infer.kserve_timeout_seconds)? as u64;
    let token = secrets.find("infer.kserve_token", &infer.kserve_token_file)?;
    Ok(Backend::Kserve(Server { url: url.clone(), timeout: Duration::from_secs(timeout), token }))
}

fn telegram(raw: &raw::Telegram, secrets: &environment::Secrets) -> Result<Telegram, ConfigError> {
    let token = secrets.get("telegram.token", &raw.token_file)?;
    let webhook = match raw.mode {
        raw::TelegramMode::Polling => None,
        raw::TelegramMode::Webhook => Some(Webhook {
            listen: address("telegram.webhook_listen", &raw.webhook_listen)?,
            public_url: https("telegram.webhook_url", &raw.webhook_url)?,
            secret: secrets.get("telegram.webhook_secret", &raw.webhook_secret_file)?,
        }),
    };
    Ok(Telegram { token, api_url: non_empty(&raw.api_url).map(str::to_owned), webhook })
}

fn discord(raw: &raw::Discord, secrets: &environment::Secrets) -> Result<Discord, ConfigError> {
    let optional = |value: &str| non_empty(value).map(str::to_owned);
    let (api_url, gateway_url) = (optional(&raw.api_url), optional(&raw.gateway_url));
    let token = secrets.get("discord.token", &raw.token_file)?;
    Ok(Discord { token, api_url, gateway_url, shards: raw.shards })
}

fn non_empty(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

/// Configured counts lie between 1 and a million; more is a slip of the hand.
fn positive(key: &'static str, value: i64) -> Result<usize, ConfigError> {
    usize::try_from(value).ok().filter(|value| (1..=1_000_000).contains(value)).ok_or_else(|| ConfigError::Value {
        key,
        value: value.to_string(),
        cure: "write a whole number from 1 to 1000000".to_owned(),
    })
}

/// More is a slip of the hand.
const MOST_SLOWDOWN: f64 = 1e6;

/// 0 means that there is no limit.
fn slowdown(value: f64) -> Result<Option<f64>, ConfigError> {
    if value == 0.0 || (1.0..=MOST_SLOWDOWN).contains(&value) {
        return Ok(Some(value).filter(|value| *value > 0.0));
    }
    Err(ConfigError::Value {
        key: "web.max_slowdown",
        value: value.to_string(),
        cure: format!("write a number from 1 to {MOST_SLOWDOWN}, or 0 to refuse nobody for it"),
    })
}

fn address(key: &'static str, value: &str) -> Result<SocketAddr, ConfigError> {
    value.parse().map_err(|_| ConfigError::Value {
        key,
        value: format!("{value:?}"),
        cure: "write an address and a port, such as \"127.0.0.1:8080\"".to_owned(),
    })
}

fn https(key: &'static str, value: &str) -> Result<String, ConfigError> {
    let valid = reqwest::Url::parse(value).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    valid.then(|| value.to_owned()).ok_or_else(|| ConfigError::Value {
        key,
        value: format!("{value:?}"),
        cure: "write the public https address that leads here, such as \"https://bot.example/telegram\"".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::settings::NotReady;
    use crate::domain::imagery::Source;
    use secrecy::ExposeSecret;

    fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("kokodoko.toml");
        std::fs::write(&path, file).expect("the file is written");
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let folder_name = folder.path().display().to_string();
        Config::load(Some(&path), variables).map_err(|error| error.to_string().replace(&folder_name, "DIR"))
    }

    #[test]
    fn the_default_file_is_valid_and_runs_no_bot() {
        let config = load("", &[]).expect("defaults are valid");
        assert_eq!(config.infer, crate::infer::Options::default(), "code and file agree on the defaults");
        assert!(config.telegram.is_none() && config.discord.is_none());
        assert!(config.web.bind.ip().is_loopback());
    }

    #[test]
    fn the_environment_wins_over_the_file_over_the_default() {
        let file = "[infer]\nmax_batch = 4\nmax_in_flight = 5\n";
        let config = load(file, &[("KOKODOKO_INFER__MAX_BATCH", "3"), ("UNRELATED", "x")]).expect("valid");
        assert_eq!((config.infer.max_batch, config.infer.max_in_flight), (3, 5));
        let config = load("", &[("KOKODOKO_WEB__ALLOWED_HOSTS", "[\"a.example\"]")]).expect("valid");
        assert_eq!(config.web.allowed_hosts, ["a.example"]);
    }

    #[test]
    fn admins_are_numbers_on_their_service() {
        assert!(load("", &[]).expect("valid").admins.is_empty(), "nobody unless somebody is named");
        let file = "[admin]\ntelegram = [12]\ndiscord = [1200000000000000001]\n";
        let config = load(file, &[("KOKODOKO_ADMIN__TELEGRAM", "[11, 13]")]).expect("valid");
        let who = |platform, id| UserRef { platform, id };
        let (telegram, discord) = (Platform::Telegram, Platform::Discord);
        assert_eq!(config.admins, [who(telegram, 11), who(telegram, 13), who(discord, 1_200_000_000_000_000_001)]);
        assert!(config.owners.is_empty());
        let config = load("", &[("KOKODOKO_ADMIN__OWNERS_DISCORD", "[7]")]).expect("valid");
        assert_eq!(config.owners, [who(discord, 7)]);
    }

    #[test]
    fn tokens_come_from_the_environment_or_a_file_and_are_never_shown() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "123:from-file\n").expect("the file is written");
        let file = format!("[telegram]\nenabled = true\ntoken_file = {path:?}\n[discord]\nenabled = true\n");
        let config = load(&file, &[("KOKODOKO_DISCORD__TOKEN", "from-environment")]).expect("valid");
        let shown = format!("{config:?}");
        assert!(!shown.contains("from-file") && !shown.contains("from-environment"), "{shown}");
        assert_eq!(config.telegram.expect("enabled").token.expose_secret(), "123:from-file");
        assert_eq!(config.discord.expect("enabled").token.expose_secret(), "from-environment");
    }

    #[test]
    fn collecting_is_free_and_gentle_unless_told_otherwise() {
        let collect = load("", &[]).expect("valid").collect;
        assert_eq!((collect.source, collect.municipalities.len(), collect.regions.len()), (Source::Mapillary, 7, 0));
        let missing = NotReady::SecretMissing { key: "mapillary.token", variable: "KOKODOKO_MAPILLARY__TOKEN" };
        assert_eq!(collect.ready(Source::Mapillary), Err(missing));
        assert_eq!(collect.ready(Source::StreetView), Err(NotReady::TermsNotAccepted));
        assert_eq!(collect.ready(Source::Folder), Err(NotReady::FolderMissing));
        assert_eq!(Source::ALL.map(|source| collect.money.price(source).0), [0, 7_000, 0]);
        assert_eq!(collect.geolonia.api_url.as_str(), "https://japanese-addresses-v2.geoloniamaps.com/");
    }

    #[test]
    fn collecting_takes_its_secrets_money_and_regions() {
        let file = "[collect]\nsource = \"streetview\"\ncap_per_run = 2\nnames_en = { \"沖縄県那覇市\" = \"Naha\" }\n\
                    areas = [\"沖縄県那覇市\"]\n[[collect.regions]]\nname = \"パリ\"\nfile = \"paris.geojson\"\n\
                    [streetview]\naccept_google_terms = true\n[geolonia]\nversion = 1\n";
        let variables = [
            ("KOKODOKO_STREETVIEW__KEY", "from-environment"),
            ("KOKODOKO_STREETVIEW__API_URL", "http://127.0.0.1:8600/"),
            ("KOKODOKO_COLLECT__CAP_PER_DAY", "3"),
        ];
        let config = load(file, &variables).expect("valid");
        assert!(!format!("{config:?}").contains("from-environment"), "{config:?}");
        let collect = config.collect;
        assert_eq!(collect.ready(Source::StreetView), Ok(()));
        assert_eq!(collect.streetview.api_url.as_str(), "http://127.0.0.1:8600/");
        assert_eq!((collect.money.cap_per_run.0, collect.money.cap_per_day.0), (2_000_000, 3_000_000));
        assert_eq!(collect.municipalities[0].area().name_en, "Naha");
        assert_eq!((&*collect.regions[0].name, &*collect.regions[0].name_en), ("パリ", "パリ"));
        assert_eq!(collect.geolonia.api_url.as_str(), "https://geolonia.github.io/japanese-addresses");
    }

    #[test]
    fn float16_is_for_tensorrt_alone() {
        let variables = [("ORT_DYLIB_PATH", "/ort/libonnxruntime.so"), ("KOKODOKO_INFER__PRECISION", "f16")];
        let backend =
            |name| load(&format!("[infer]\nbackend = \"{name}\"\n"), &variables).map(|config| config.infer.backend);
        for name in ["cuda", "auto"] {
            let error = backend(name).expect_err("CUDA has no float16");
            assert!(error.contains("infer.precision") && error.contains("tensorrt"), "{error}");
        }
        assert_eq!(backend("tensorrt").expect("valid").to_string(), "onnxruntime-tensorrt-f16");
        let file = "[infer]\nbackend = \"tensorrt\"\ntensorrt_engines = \"\"\n";
        let error = load(file, &variables).expect_err("a folder has to be named");
        assert!(error.contains("infer.tensorrt_engines"), "{error}");
        let plain = load("[infer]\nbackend = \"tensorrt\"\n", &variables[..1]).expect("valid").infer.backend;
        assert_eq!(plain.to_string(), "onnxruntime-tensorrt-tf32");
    }

    #[test]
    fn the_choice_of_a_backend_knows_what_there_is_to_choose_from() {
        let config =
            load("[infer]\nbackend = \"auto\"\n", &[("ORT_DYLIB_PATH", "/ort/libonnxruntime.so")]).expect("valid");
        let auto = config.auto.expect("a choice");
        assert_eq!(auto.library.as_deref(), Some(Path::new("/ort/libonnxruntime.so")));
        assert_eq!(config.infer.backend, Backend::Tract, "until it is chosen");
        let config = load("", &[("KOKODOKO_INFER__BACKEND", "auto")]).expect("valid without a library");
        assert_eq!(config.auto.expect("a choice").library, None);
        assert_eq!(load("", &[]).expect("valid").auto, None);
    }

    #[test]
    fn errors_name_place_key_value_and_cure() {
        let cases = [
            ("[infer]\nbackend = \"tpu\"\n", vec![]),
            ("[infer]\nbatch = 3\n", vec![]),
            ("[infer]\nmax_batch = 0\n", vec![]),
            ("[infer]\nbackend = \"cuda\"\n", vec![]),
            ("[infer]\nbackend = \"kserve\"\n", vec![]),
            ("[infer]\nbackend = \"kserve\"\nkserve_url = \"http://me:secret@triton\"\n", vec![]),
            ("[infer\n", vec![]),
            ("[web]\nbind = \"localhost\"\n", vec![]),
            ("[web]\nmax_slowdown = 0.5\n", vec![]),
            ("[telegram]\nenabled = true\n", vec![]),
            ("[telegram]\nenabled = true\ntoken = \"1:secret\"\n", vec![]),
            ("[telegram]\nenabled = true\ntoken = 1:secret\n", vec![]),
            ("[telegram]\nenabled = true\ntoken_file = \"1:secret\"\n", vec![]),
            ("telegram.token = 1:secret\n", vec![]),
            ("[discord]\nenabled = true\ntoken_file = \"/nowhere/token\"\n", vec![]),
            ("[telegram]\nenabled = true\nmode = \"webhook\"\n", vec![("KOKODOKO_TELEGRAM__TOKEN", "1:s")]),
            ("[quiz]\ntime_zone = \"Tokyo\"\n", vec![]),
            ("[quiz]\ndatabase = \"\"\n", vec![]),
            ("[models]\nfolder = \"\"\n", vec![]),
            ("[gifts]\nfolder = \"\"\n", vec![]),
            ("[train]\nmode = \"half\"\n", vec![]),
            ("[train]\nrecipe = \"none.toml\"\n", vec![]),
            ("[train]\ndata = \"folder\"\n", vec![]),
            ("[train]\nphotos = 1\n", vec![]),
            ("[train]\nfolder = \"\"\n", vec![]),
            ("[collect]\nsource = \"streetview\"\n", vec![("KOKODOKO_STREETVIEW__KEY", "1:s")]),
            ("[collect]\nsource = \"google\"\n", vec![]),
            ("[collect]\nsource = \"streetview\"\nwidth = 1024\n[streetview]\naccept_google_terms = true\n", vec![]),
            ("[collect]\nareas = [\"港区\"]\n", vec![]),
            ("[collect]\nareas = [\"東京都港区\", \"東京都港区\"]\n", vec![]),
            ("[[collect.regions]]\nname = \"Paris\"\n", vec![]),
            ("[[collect.regions]]\nname = \"\"\nfile = \"paris.geojson\"\n", vec![]),
            ("[collect]\npoints_per_town = 0\n", vec![]),
            ("[collect]\nfov = 200\n", vec![]),
            ("[collect]\nrequests_per_second = 0\n", vec![]),
            ("[collect]\ncap_per_day = -1\n", vec![]),
            ("[collect]\ncap_per_month = nan\n", vec![]),
            ("[collect]\ncurrency = \"$\"\n", vec![]),
            ("[collect]\ndata_folder = \"\"\n", vec![]),
            ("[mapillary]\ntoken = \"1:s\"\n", vec![]),
            ("[mapillary]\ntoken_file = \"/nowhere/token\"\n", vec![]),
            ("[mapillary]\napi_url = \"http://mapillary.example\"\n", vec![]),
            ("[geolonia]\nversion = 3\n", vec![]),
            ("[admin]\ntelegram = [12, \"@aoi\"]\n", vec![]),
            ("", vec![("KOKODOKO_ADMIN__DISCORD", "[-3]")]),
            ("", vec![("KOKODOKO_INFER__BATCH", "3")]),
            ("", vec![("KOKODOKO_INFER__MAX_BATCH", "many")]),
        ];
        let errors: Vec<String> = cases
            .into_iter()
            .map(|(file, variables)| load(file, &variables).expect_err("each case is wrong"))
            .collect();
        assert!(errors.iter().all(|error| !error.contains("1:s")), "a secret is shown: {errors:#?}");
        insta::assert_snapshot!(errors.join("\n----\n"));
    }
}

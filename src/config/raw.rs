//! The configuration as written: TOML to plain fields. Unknown keys fail.

use std::path::Path;

use serde::Deserialize;
use toml::Table;

use super::{ConfigError, collect, train};

const DEFAULTS: &str = include_str!("../../config/default.toml");
/// The file taken when none is named.
const USUAL_FILE: &str = "kokodoko.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) infer: Infer,
    pub(super) models: Models,
    pub(super) photo: Photo,
    pub(super) limits: Limits,
    pub(super) quiz: Quiz,
    pub(super) gifts: Gifts,
    pub(super) collect: collect::Collect,
    pub(super) mapillary: collect::Mapillary,
    pub(super) streetview: collect::StreetView,
    pub(super) geolonia: collect::Geolonia,
    pub(super) folder: collect::Folder,
    pub(super) train: train::Train,
    pub(super) admin: Admin,
    pub(super) web: Web,
    pub(super) telegram: Telegram,
    pub(super) discord: Discord,
    pub(super) log: Log,
    pub(super) stop: Stop,
    pub(super) retention: Retention,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Infer {
    pub(super) model: String,
    pub(super) backend: BackendName,
    pub(super) onnxruntime_library: String,
    pub(super) threads: u32,
    pub(super) precision: PrecisionName,
    pub(super) cuda_graphs: bool,
    pub(super) tensorrt_engines: String,
    pub(super) kserve_url: String,
    pub(super) kserve_timeout_seconds: i64,
    pub(super) kserve_token_file: String,
    pub(super) max_batch: i64,
    pub(super) max_in_flight: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Models {
    pub(super) folder: String,
}

/// How a GPU computes; not every backend knows each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PrecisionName {
    F32,
    Tf32,
    F16,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BackendName {
    Auto,
    Tract,
    Onnxruntime,
    Cuda,
    Tensorrt,
    Kserve,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Photo {
    pub(super) max_mebibytes: i64,
    pub(super) max_megapixels: i64,
    pub(super) max_decoded_mebibytes: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) user_photos_per_minute: i64,
    pub(super) chat_photos_per_minute: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quiz {
    pub(super) enabled: bool,
    pub(super) pool: PoolChoice,
    pub(super) database: String,
    pub(super) time_zone: String,
    pub(super) last_call_seconds: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gifts {
    pub(super) ask: bool,
    pub(super) folder: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) telegram: Vec<toml::Value>,
    pub(super) discord: Vec<toml::Value>,
    pub(super) owners_telegram: Vec<toml::Value>,
    pub(super) owners_discord: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Web {
    pub(super) bind: String,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) max_slowdown: f64,
    pub(super) metrics_token_file: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telegram {
    pub(super) enabled: bool,
    pub(super) token_file: String,
    pub(super) api_url: String,
    pub(super) mode: TelegramMode,
    pub(super) webhook_listen: String,
    pub(super) webhook_url: String,
    pub(super) webhook_secret_file: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TelegramMode {
    Polling,
    Webhook,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Discord {
    pub(super) enabled: bool,
    pub(super) token_file: String,
    pub(super) api_url: String,
    pub(super) gateway_url: String,
    pub(super) shards: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) format: LogFormat,
    pub(super) filter: String,
}

/// Where the photos of the quiz come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolChoice {
    /// The drawn world.
    Drawn,
    /// The collected set, once it has photos of the quiz split.
    Collected,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retention {
    pub(super) audit_days: u32,
    pub(super) jobs_days: u32,
    pub(super) sightings_days: u32,
    pub(super) unfinished_days: u32,
    pub(super) reports_days: u32,
    pub(super) cache_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    pub(super) deadline_seconds: i64,
}

/// The defaults with the user's file over them.
pub(super) fn table(file: Option<&Path>) -> Result<Table, ConfigError> {
    let usual = Path::new(USUAL_FILE);
    let Some(path) = file.or_else(|| usual.exists().then_some(usual)) else {
        return defaults();
    };
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    over_defaults(&text, &path.display().to_string())
}

/// The defaults with the text of the user's file over them; `place` is what the file is called.
pub(super) fn over_defaults(text: &str, place: &str) -> Result<Table, ConfigError> {
    let mut table = defaults()?;
    // Read by itself first: the parser then names the line.
    let user: Table = toml::from_str(text).map_err(|error| syntax(place, &error))?;
    for (section, keys) in user {
        let unknown = |key: &str| ConfigError::Syntax {
            place: place.to_owned(),
            problem: format!("there is no key `{key}`; config/default.toml lists all keys"),
        };
        let known = table.get_mut(&section).and_then(toml::Value::as_table_mut).ok_or_else(|| unknown(&section))?;
        let toml::Value::Table(keys) = keys else { return Err(unknown(&section)) };
        for (key, value) in keys {
            let slot = known.get_mut(&key).ok_or_else(|| unknown(&format!("{section}.{key}")))?;
            *slot = value;
        }
    }
    Ok(table)
}

fn defaults() -> Result<Table, ConfigError> {
    toml::from_str(DEFAULTS).map_err(|error| syntax("config/default.toml", &error))
}

/// The merged table as fields.
pub(super) fn parse(table: Table, file: Option<&Path>) -> Result<Raw, ConfigError> {
    let place = file.map_or_else(|| USUAL_FILE.to_owned(), |path| path.display().to_string());
    table.try_into().map_err(|error| syntax(&format!("{place}, with defaults and environment"), &error))
}

fn syntax(place: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::Syntax { place: place.to_owned(), problem: blotted(error.to_string().trim_end()) }
}

/// A parser's words without the value of a line that may hold a secret: somebody writes one into the file for all that.
fn blotted(problem: &str) -> String {
    let blot = |line: &str| match line.split_once('=') {
        Some((key, _)) if is_secret(key) => format!("{key}= …"),
        _ => line.to_owned(),
    };
    problem.lines().map(blot).collect::<Vec<_>>().join("\n")
}

fn is_secret(key: &str) -> bool {
    let key = key.trim_end().trim_end_matches('"').to_lowercase();
    ["token", "secret", "key", "password"].iter().any(|end| key.ends_with(end))
}

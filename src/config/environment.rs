//! `KOKODOKO_SECTION__KEY` over the file's `section.key`, and the secrets, which come from nowhere else but
//! files of their own.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use toml::{Table, Value};

use super::ConfigError;

const PREFIX: &str = "KOKODOKO_";
/// Keys that are secrets: in the environment alone, never in the file.
const SECRETS: [&str; 8] = [
    "infer.kserve_token",
    "web.metrics_token",
    "telegram.token",
    "telegram.webhook_secret",
    "discord.token",
    "mapillary.token",
    "streetview.key",
    "streetview.signing_secret",
];

/// What the environment holds besides plain values.
#[derive(Default)]
pub(super) struct Secrets {
    values: BTreeMap<String, SecretString>,
    /// ONNX Runtime's own variable.
    pub(super) ort_dylib_path: Option<String>,
}

impl Secrets {
    /// The secret from the environment, else from its file (trailing white space cut).
    pub(super) fn get(&self, key: &'static str, file: &str) -> Result<SecretString, ConfigError> {
        self.find(key, file)?.ok_or_else(|| ConfigError::Missing { key, variable: variable(key) })
    }

    /// The same, or `None` when it is neither in the environment nor a file is named.
    pub(super) fn find(&self, key: &'static str, file: &str) -> Result<Option<SecretString>, ConfigError> {
        if let Some(secret) = self.values.get(key) {
            return Ok(Some(secret.clone()));
        }
        if file.is_empty() {
            return Ok(None);
        }
        let path = Path::new(file);
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::SecretFile {
            key,
            path: path.to_owned(),
            source,
        })?;
        match text.trim_end() {
            "" => Err(ConfigError::Missing { key, variable: variable(key) }),
            secret => Ok(Some(SecretString::from(secret.to_owned()))),
        }
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Lays the environment over the table.
pub(super) fn overlay(
    mut table: Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Table, Secrets), ConfigError> {
    let mut secrets = Secrets::default();
    for (name, value) in variables {
        if name == "ORT_DYLIB_PATH" && !value.is_empty() {
            secrets.ort_dylib_path = Some(value);
            continue;
        }
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let key = path.to_lowercase().replace("__", ".");
        if SECRETS.contains(&key.as_str()) {
            if !value.is_empty() {
                secrets.values.insert(key, SecretString::from(value));
            }
            continue;
        }
        set(&mut table, &name, &key, &value)?;
    }
    Ok((table, secrets))
}

fn set(table: &mut Table, name: &str, key: &str, value: &str) -> Result<(), ConfigError> {
    let problem = |problem: String| ConfigError::Syntax { place: format!("environment variable {name}"), problem };
    let slot = key.split_once('.').and_then(|(section, key)| table.get_mut(section)?.get_mut(key));
    let slot = slot.ok_or_else(|| problem(format!("there is no key `{key}`; config/default.toml lists all keys")))?;
    // The default's type decides how the words are read, so that a number in a string stays a string.
    *slot = match &*slot {
        Value::String(_) => Value::String(value.to_owned()),
        kind => {
            let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok();
            let parsed = parsed.and_then(|mut table| table.remove("value"));
            let parsed = parsed.map(|parsed| match (parsed, kind) {
                (Value::Integer(whole), Value::Float(_)) => Value::Float(whole as f64),
                (parsed, _) => parsed,
            });
            parsed
                .filter(|parsed| parsed.same_type(kind))
                .ok_or_else(|| problem(format!("{value:?} is no {} for `{key}`", kind.type_str())))?
        }
    };
    Ok(())
}

//! Configurations as people may write them.

use super::{Config, environment, raw, resolve};

/// A file; lines after a line of `---` are variables of the environment.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // Files that the configuration names are read: not those that never end.
    if text.contains("/dev") || text.contains("/proc") {
        return;
    }
    let (file, variables) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let read = raw::over_defaults(file, "kokodoko.toml").and_then(|table| environment::overlay(table, variables));
    let config = read.and_then(|(table, secrets)| resolve(raw::parse(table, None)?, &secrets));
    match config {
        Ok(Config { infer, etiquette, .. }) => {
            assert!(infer.max_batch > 0 && infer.max_in_flight > 0 && etiquette.user_photos_per_minute > 0);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

//! Where log lines go: standard error, so that standard output stays clean for JSON.

use std::io::IsTerminal;

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// The chats' libraries may write whole requests, tokens of interactions included, below these levels: no filter
/// brings them back.
const QUIET: [&str; 3] = ["serenity=warn", "teloxide=warn", "teloxide_core=warn"];

/// Starts logging, once a process.
pub(super) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = filter(&log.filter)
        .map_err(|error| anyhow!("`log.filter` is {:?}: {error}; write \"info\", for example", log.filter))?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = match log.format {
        LogFormat::Pretty => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| anyhow!("cannot start logging: {error}"))
}

fn filter(wanted: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(wanted)?;
    QUIET.into_iter().try_fold(filter, |filter, directive| Ok(filter.add_directive(directive.parse()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_filter_brings_back_what_holds_tokens() {
        let said = filter("trace,serenity=trace").expect("a filter").to_string();
        assert!(said.contains("serenity=warn") && !said.contains("serenity=trace"), "{said}");
        assert!(filter("=").is_err());
    }
}

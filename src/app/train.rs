//! `train`: filled in when the engine lands.
use std::process::ExitCode;
pub(super) fn run(_: &crate::cli::Train) -> anyhow::Result<ExitCode> {
    anyhow::bail!("soon")
}
pub(super) fn export_reference(_: &std::path::Path) -> anyhow::Result<ExitCode> {
    anyhow::bail!("soon")
}

//! `train`: draws photos, trains, writes a model folder; progress is JSON lines on standard output.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::train::drawn::Amount;
use crate::train::{builtin, drawn, reference};
use crate::world::World;

pub(super) fn run(options: &crate::cli::Train) -> anyhow::Result<ExitCode> {
    let world = World::load();
    let amount = if options.smoke { Amount::SMOKE } else { Amount::FULL };
    let task = drawn::task(&world, options.seed, options.smoke);
    tracing::info!(?amount, "drawing photos");
    let photos = drawn::photos(&world, options.seed, amount);
    let report = builtin::train(&photos, &task, &drawn::device(), &options.out, &mut |progress| {
        // Progress is plain data: it always has a JSON form.
        println!("{}", serde_json::to_string(progress).unwrap_or_default());
    })?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn export_reference(out: &Path) -> anyhow::Result<ExitCode> {
    reference::write_all(out).with_context(|| format!("cannot write to {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

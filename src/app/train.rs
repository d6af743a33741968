//! `train`: from drawings to a model folder.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::Train;
use crate::train::engine::Progress;
use crate::train::{builtin, drawn, reference};
use crate::world::World;

/// Trains the model of the drawn world. Progress goes to standard output, one JSON object a line.
pub(super) fn run(options: &Train) -> anyhow::Result<ExitCode> {
    let world = World::load();
    let amount = if options.smoke { drawn::Amount::SMOKE } else { drawn::Amount::FULL };
    tracing::info!(photos_an_area = amount.train, "drawing the photos");
    let photos = drawn::photos(&world, options.seed, amount);
    let task = drawn::task(&world, options.seed, options.smoke);
    let report = if options.from_checkpoint {
        builtin::train_from_checkpoint(&photos, &task, &drawn::device(), &options.out)?
    } else {
        tracing::info!(photos = photos.len(), epochs = task.recipe.epochs(), "training from a random start");
        builtin::train(&photos, &task, &drawn::device(), &options.out, &mut print_progress)?
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(ExitCode::SUCCESS)
}

fn print_progress(progress: &Progress) {
    match serde_json::to_string(progress) {
        Ok(line) => println!("{line}"),
        Err(error) => tracing::warn!(%error, "progress cannot be shown"),
    }
}

/// Writes networks with reference outputs, for `tests/parity`.
pub(super) fn export_reference(out: &Path) -> anyhow::Result<ExitCode> {
    reference::write_all(out).with_context(|| format!("cannot write to {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

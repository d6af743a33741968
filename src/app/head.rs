//! `train --mode head`: a new last layer on the features of the live model's network.

use std::process::ExitCode;

use anyhow::Context;

use super::evaluate::cache_folder;
use crate::cli::Train;
use crate::config::Config;
use crate::infer::manifest::{ModelFiles, Provenance};
use crate::train::drawn;
use crate::train::head::features::Extractor;
use crate::train::head::{HeadTask, train};
use crate::world::World;

/// Photos between two lines of progress.
const PROGRESS: usize = 400;

/// Fits on drawn photos. The report goes to standard output as JSON.
pub(super) fn run(config: &Config, options: &Train) -> anyhow::Result<ExitCode> {
    let out = options.out.as_ref().context("--out says where the model goes")?;
    let files = match options.from.as_ref().or(config.model.as_ref()) {
        Some(folder) => ModelFiles::read(folder)?,
        None => ModelFiles::built_in()?,
    };
    let world = World::load();
    let amount = if options.smoke { drawn::Amount::SMOKE } else { drawn::Amount::FULL };
    let seed = options.seed.unwrap_or(1);
    tracing::info!(photos_an_area = amount.train, "drawing the photos");
    let photos = drawn::photos(&world, seed, amount);
    let base = &files.manifest;
    let task = HeadTask {
        name: format!("{}-head", base.name.trim_end_matches("-head")),
        version: base.version.clone(),
        provenance: Provenance {
            command: format!("kokodoko train --mode head --out models/{}-head --seed {seed}", base.name),
            ..base.provenance.clone()
        },
        labels: world.areas().to_vec(),
        mirror: true,
        accuracy: drawn::ACCURACY,
    };
    let cache = cache_folder()?;
    let base = Extractor { files: &files, backend: &config.infer.backend, cache: &cache };
    let mut progress = |done: usize, of: usize| {
        if done % PROGRESS < 8 || done == of {
            tracing::info!(done, of, "extracting features");
        }
    };
    let report = train(&photos, &task, &base, out, &mut progress)?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(ExitCode::SUCCESS)
}

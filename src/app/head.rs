//! `train --mode head`: a new last layer on the features of the live model's network.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::evaluate::cache_folder;
use super::train::{command, draw, folder_of, index, telling};
use crate::cli::Train;
use crate::config::Config;
use crate::domain::Area;
use crate::infer::manifest::{ModelFiles, Provenance};
use crate::train::data::RawPhoto;
use crate::train::drawn;
use crate::train::head::features::Extractor;
use crate::train::head::{HeadTask, train};
use crate::world::World;

/// Photos with what they are called and where they are from.
struct Given {
    photos: Vec<RawPhoto>,
    labels: Vec<Area>,
    provenance: Provenance,
}

/// Fits on drawn photos, or on those of a folder. Progress and report go to standard output as JSON.
pub(super) fn run(config: &Config, options: &Train) -> anyhow::Result<ExitCode> {
    let out = options.out.as_ref().context("--out says where the model goes")?;
    let files = match options.from.as_ref().or(config.model.as_ref()) {
        Some(folder) => ModelFiles::read(folder)?,
        None => ModelFiles::built_in()?,
    };
    let base = &files.manifest;
    let Given { photos, labels, provenance } = match &options.data {
        Some(folder) => in_folder(folder, options, out)?,
        None => drawn_for(base.provenance.clone(), options, out),
    };
    let task = HeadTask {
        name: options.name.clone().unwrap_or_else(|| format!("{}-head", base.name.trim_end_matches("-head"))),
        // A model with a name of its own begins anew.
        version: if options.name.is_some() { "1.0.0".to_owned() } else { base.version.clone() },
        provenance,
        labels,
        mirror: true,
        accuracy: drawn::ACCURACY,
    };
    let cache = match &options.cache {
        Some(folder) => folder.clone(),
        None => cache_folder()?,
    };
    let base = Extractor { files: &files, backend: &config.infer.backend, cache: &cache };
    let report = train(&photos, &task, &base, out, &mut telling())?;
    index(config, options, options.seed.unwrap_or(1), out);
    println!("{}", serde_json::to_string(&report)?);
    Ok(ExitCode::SUCCESS)
}

fn drawn_for(provenance: Provenance, options: &Train, out: &Path) -> Given {
    let (world, seed) = (World::load(), options.seed.unwrap_or(1));
    let (photos, labels) = draw(&world, options, seed);
    let provenance = Provenance { command: command(options, out), ..provenance };
    Given { photos, labels, provenance }
}

fn in_folder(path: &Path, options: &Train, out: &Path) -> anyhow::Result<Given> {
    let folder = folder_of(path, options)?;
    tracing::info!(photos = folder.photos.len(), areas = folder.labels.len(), "reading the photos");
    let provenance = folder.provenance(command(options, out));
    Ok(Given { photos: folder.raw()?, labels: folder.labels, provenance })
}

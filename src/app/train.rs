//! `train`: from photos to a model folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use image::RgbImage;

use crate::cli::{Mode, Train, TrainDevice};
use crate::config::Config;
use crate::domain::partition::Limits;
use crate::domain::{Area, Geocell, Split};
use crate::train::augment::sheet::sheet;
use crate::train::builtin::{Task, TrainError};
use crate::train::cells::{Lost, Rule};
use crate::train::checkpoint::CheckpointError;
use crate::train::data::{DataError, Dataset, RawPhoto};
use crate::train::device::Processor;
use crate::train::engine::FitError;
use crate::train::folder::{Folder, FolderError};
use crate::train::head::HeadError;
use crate::train::head::features::FeatureError;
use crate::train::index::PER_AREA;
use crate::train::progress::{Event, Meter, Trouble};
use crate::train::recipe::Recipe;
use crate::train::start::Start;
use crate::train::{builtin, drawn, parity, reference};
use crate::world::World;
use crate::world::photo::photos as specs;

/// Side of a tile on the sheet of augmentations, pixels.
const TILE: u32 = 192;
/// Photos on it.
const ROWS: usize = 5;
/// Photos between two reports.
const PROGRESS: usize = 40;
/// Folder in which features are remembered until the index is made.
const FEATURES: &str = ".features";

/// Trains a model. Progress goes to standard output, one JSON object a line, as the last of them the report, or why
/// there is none.
pub(super) fn run(config: &Config, options: &Train) -> anyhow::Result<ExitCode> {
    if options.attended {
        super::attend::end_with_input()?;
    }
    let done = match options.mode {
        Mode::Full => fit(config, options),
        Mode::Head => super::head::run(config, options),
    };
    done.inspect_err(|error| print(Event::Failed { why: trouble(error), text: format!("{error:#}") }))
}

/// What kind of trouble ended a training.
fn trouble(error: &anyhow::Error) -> Trouble {
    let fit = |error: &FitError| match error {
        FitError::Diverged { .. } => Trouble::Diverged,
        FitError::Memory { .. } => Trouble::Memory,
        FitError::TooFew { .. } => Trouble::Data,
        FitError::Checkpoint(CheckpointError::Write { .. }) => Trouble::Disk,
        _ => Trouble::Other,
    };
    if error.is::<FolderError>() || error.is::<DataError>() {
        return Trouble::Data;
    }
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(TrainError::Fit(error)), _) => fit(error),
        (Some(TrainError::Data(_)), _) | (_, Some(HeadError::Data(_))) => Trouble::Data,
        (_, Some(HeadError::Features(FeatureError::Photo { .. }))) => Trouble::Data,
        (Some(TrainError::Write { .. }), _) | (_, Some(HeadError::Write { .. })) => Trouble::Disk,
        (_, Some(HeadError::Features(FeatureError::Cache { .. }))) => Trouble::Disk,
        _ => Trouble::Other,
    }
}

fn fit(config: &Config, options: &Train) -> anyhow::Result<ExitCode> {
    let mut recipe = Recipe::find(&options.recipe)?;
    recipe.seed = options.seed.unwrap_or(recipe.seed);
    if let Some(path) = &options.augment_sheet {
        return write_sheet(&recipe, path);
    }
    let out = options.out.as_ref().context("--out says where the model goes")?;
    let device = match options.device {
        TrainDevice::Cpu => Processor::Cpu,
        TrainDevice::Cuda => Processor::Cuda,
    };
    let device = device.open()?;
    let (mut task, data) = match &options.data {
        Some(folder) => photos_in(folder, options, recipe, out)?,
        None => photos_drawn(options, recipe, out)?,
    };
    task.name = options.name.clone().unwrap_or(task.name);
    let start = options.from.clone().map_or(Start::Random, Start::From);
    let report = if options.from_checkpoint {
        builtin::train_from_checkpoint(&data, &task, &device, out)?
    } else {
        tracing::info!(photos = data.train.len(), epochs = task.recipe.epochs(), "training");
        builtin::train(&data, &task, &device, (&start, options.resume, options.parts as usize), out, &mut print)?
    };
    index(config, options, task.recipe.seed, out);
    println!("{}", serde_json::to_string(&report)?);
    Ok(ExitCode::SUCCESS)
}

/// Makes the index of look-alikes of a finished model, which works without one too.
pub(super) fn index(config: &Config, options: &Train, seed: u64, out: &Path) {
    let amount = amount(options);
    let choice = super::index::Choice {
        data: options.data.as_deref(),
        seed,
        per_area: PER_AREA.min(amount.train),
        validation: amount.validation,
    };
    // What a network sees that nobody had before is of no use to others.
    let cache = out.join(FEATURES);
    let made = super::block_on(async {
        super::index::make(&config.infer, out, choice, &cache, &mut telling()).await?;
        Ok(ExitCode::SUCCESS)
    });
    if let Err(error) = made {
        tracing::warn!("the model has no index of look-alikes (`kokodoko models index` makes one): {error:#}");
    }
    if let Err(error) = std::fs::remove_dir_all(&cache) {
        tracing::debug!(%error, "no features were remembered");
    }
}

/// Says how many photos a network has seen, now and then, and how fast.
pub(super) fn telling() -> impl FnMut(usize, usize) {
    let mut meter = Meter::default();
    move |done, of| {
        let pace = meter.pace(done, of, Instant::now());
        if done % PROGRESS < 8 || done == of {
            print(Event::Features { done, of, pace });
        }
    }
}

/// The photos of a folder, labelled as the options say.
pub(super) fn folder_of(path: &Path, options: &Train) -> anyhow::Result<Folder> {
    let Some(limits) = limits(options) else { return Ok(Folder::read(path)?) };
    let (folder, lost) = Folder::in_cells(path, &Rule::Made(limits))?;
    say_cells(&folder.labels, lost);
    Ok(folder)
}

/// How cells are made, if labels are cells.
fn limits(options: &Train) -> Option<Limits> {
    let usual = Limits::default();
    options.cells.then(|| Limits {
        most: options.most.map_or(usual.most, |most| most as usize),
        least: options.least.map_or(usual.least, |least| least as usize),
        deepest: options.deepest.unwrap_or(usual.deepest),
    })
}

fn say_cells(cells: &[Area], lost: Lost) {
    let Lost { unplaced, outside } = lost;
    let levels = cells.iter().filter_map(|area| area.cell).map(Geocell::level);
    let (coarsest, finest) = levels.fold((u8::MAX, 0), |(low, high), level| (low.min(level), high.max(level)));
    let text = format!(
        "{} cells of levels {coarsest} to {finest}; left out: {outside} photos outside of them and {unplaced} without a \
         position",
        cells.len()
    );
    print(Event::Note { about: "cells".to_owned(), text });
}

fn photos_in(path: &Path, options: &Train, recipe: Recipe, out: &Path) -> anyhow::Result<(Task, Dataset)> {
    let folder = folder_of(path, options)?;
    tracing::info!(photos = folder.photos.len(), areas = folder.labels.len(), "reading the photos");
    let name = out.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy());
    let task = Task::of_folder(&folder, &name, recipe, command(options, out));
    let data = task.folder_dataset(&folder)?;
    Ok((task, data))
}

fn photos_drawn(options: &Train, recipe: Recipe, out: &Path) -> anyhow::Result<(Task, Dataset)> {
    let world = World::load();
    let (photos, labels) = draw(&world, options, recipe.seed);
    let task = Task { labels, ..drawn::task(&world, recipe, options.smoke, command(options, out)) };
    let data = task.dataset(&photos)?;
    Ok((task, data))
}

/// Photos of the drawn world, as many as the options say, with their labels.
pub(super) fn draw(world: &World, options: &Train, seed: u64) -> (Vec<RawPhoto>, Vec<Area>) {
    let amount = amount(options);
    tracing::info!(photos_an_area = amount.train, "drawing the photos");
    let Some(limits) = limits(options) else { return (drawn::photos(world, seed, amount), world.areas().to_vec()) };
    let (photos, labels, lost) = drawn::in_cells(world, seed, amount, &Rule::Made(limits));
    say_cells(&labels, lost);
    (photos, labels)
}

/// How much is drawn.
fn amount(options: &Train) -> drawn::Amount {
    let amount = if options.smoke { drawn::Amount::SMOKE } else { drawn::Amount::FULL };
    drawn::Amount { train: options.photos.map_or(amount.train, |photos| photos as usize), ..amount }
}

/// What to type for the same model again; without the folder of whoever typed it.
pub(super) fn command(options: &Train, out: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let model = options.name.clone().unwrap_or_else(|| name(out));
    let mut words = vec!["kokodoko train".to_owned(), format!("--out models/{model}")];
    words.push(match options.mode {
        Mode::Full => format!("--recipe {}", name(Path::new(&options.recipe))),
        Mode::Head => "--mode head".to_owned(),
    });
    words.extend(options.data.as_ref().map(|path| format!("--data {}", name(path))));
    words.extend(options.from.as_ref().map(|path| format!("--from {}", name(path))));
    words.extend(options.smoke.then(|| "--smoke".to_owned()));
    words.extend(options.photos.map(|photos| format!("--photos {photos}")));
    words.extend(
        limits(options).map(|Limits { most, least, deepest }| {
            format!("--cells --most {most} --least {least} --deepest {deepest}")
        }),
    );
    words.extend(options.seed.map(|seed| format!("--seed {seed}")));
    words.join(" ")
}

pub(super) fn print(event: Event) {
    if let Event::Note { text, .. } = &event {
        tracing::info!("{text}");
    }
    match serde_json::to_string(&event) {
        Ok(line) => println!("{line}"),
        Err(error) => tracing::warn!(%error, "progress cannot be shown"),
    }
}

/// Photos of the drawn world as the recipe changes them.
fn write_sheet(recipe: &Recipe, path: &PathBuf) -> anyhow::Result<ExitCode> {
    let world = World::load();
    let photos: Vec<RgbImage> =
        specs(&world, recipe.seed, &[Split::Train], 1).take(ROWS).map(|spec| spec.render(&world).image).collect();
    let sheet = sheet(&photos, &recipe.augment, TILE, recipe.seed);
    sheet.picture.save(path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}: columns from the left: {}", path.display(), sheet.columns.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Writes networks with reference outputs, for `tests/parity`.
pub(super) fn export_reference(out: &Path, steps: bool, weights: Option<&Path>) -> anyhow::Result<ExitCode> {
    if let Some(weights) = weights {
        parity::read_back(weights, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let written = if steps { parity::write_all(out) } else { reference::write_all(out) };
    written.with_context(|| format!("cannot write to {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_told_apart() {
        let disk = || CheckpointError::Write { path: "c".into(), detail: "full".to_owned() };
        let empty = || DataError::Empty { area: "県甲".to_owned(), split: Split::Test };
        let diverged = FitError::Diverged { epoch: 1, step: 1, loss: f32::NAN, learning_rate: 1.0 };
        let memory = FitError::Memory { photos: 2, side: 32, detail: String::new() };
        let write = |path: &str| (path.into(), "no space".to_owned());
        let (path, detail) = write("model.onnx");
        let (head_path, head_detail) = write("manifest.toml");
        let cases: [(anyhow::Error, Trouble); 10] = [
            (TrainError::from(diverged).into(), Trouble::Diverged),
            (TrainError::from(memory).into(), Trouble::Memory),
            (TrainError::from(FitError::from(disk())).into(), Trouble::Disk),
            (TrainError::Write { path, detail }.into(), Trouble::Disk),
            (HeadError::Write { path: head_path, detail: head_detail }.into(), Trouble::Disk),
            (TrainError::from(empty()).into(), Trouble::Data),
            (HeadError::from(empty()).into(), Trouble::Data),
            (FolderError::from(empty()).into(), Trouble::Data),
            (TrainError::from(FitError::Data).into(), Trouble::Other),
            (anyhow::anyhow!("anything"), Trouble::Other),
        ];
        for (error, expected) in cases {
            assert_eq!(trouble(&error), expected, "{error}");
        }
    }
}

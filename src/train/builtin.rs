//! Photos in, a model folder out: trains, quantises, calibrates, judges and writes.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;
use thiserror::Error;

use super::baseline::Thumbnails;
use super::calibrate;
use super::checkpoint;
use super::data::{DataError, Dataset, Example, RawPhoto};
use super::engine::{Fit, FitError, fit};
use super::evaluate::{logits, outputs};
use super::export::{Options, Precision, export};
use super::fold::quantise;
use super::folder::{Folder, FolderError};
use super::progress::Event;
use super::recipe::Recipe;
use super::resnet::ResNet;
use super::start::Start;
use super::street;
use super::weights::{self, WeightsError};
use crate::domain::Area;
use crate::domain::metrics::{self, Selective, coverage};
use crate::infer::files::replace;
use crate::infer::manifest::{MANIFEST_FILE, MODEL_FILE, Manifest, Provenance, sha256_hex};
use crate::infer::preprocess::Preprocess;
use crate::infer::street::STREET_FILE;
use crate::judge::{Graded, Score, score};

/// File beside the model with logits as training computes them.
pub const REFERENCE_FILE: &str = "reference.json";
/// Photos in it.
const REFERENCES: usize = 7;

/// What to train and how to sign it.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name of the model: `drawn-world`.
    pub name: String,
    /// Version of the model: `1.0.0`.
    pub version: String,
    /// Where the photos come from.
    pub provenance: Provenance,
    /// The areas, in the order of the logits.
    pub labels: Vec<Area>,
    /// How a picture becomes a tensor; its side is that of the finished model.
    pub input: Preprocess,
    /// How to train.
    pub recipe: Recipe,
    /// Share of right answers that the abstention threshold aims at on the validation split, 0 to 1.
    pub accuracy: f32,
}

/// How good the finished model is; written beside it as `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How it was trained.
    pub recipe: Recipe,
    /// Photos in the train split.
    pub trained_on: usize,
    /// Photos in the validation split.
    pub validated_on: usize,
    /// Divides the logits.
    pub temperature: f32,
    /// What the abstention threshold promises on the validation split.
    pub abstention: Selective,
    /// Top-1 of the linear classifier on thumbnails, on the test split.
    pub thumbnail_top1: f32,
    /// Macro recall of the same.
    pub thumbnail_macro_recall: f32,
    /// The model on the test split.
    pub test: Score,
}

/// A training that ended without a model.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The photos.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The fit.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The weights to finish.
    #[error("{0}; train without --from-checkpoint first")]
    Weights(#[from] WeightsError),
    /// The folder of the model.
    #[error("cannot write {}: {detail}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
}

/// Side of a stored training photo over that of the input: a crop of 60 % of the area still has the input's resolution.
fn stored(input: &Preprocess) -> u32 {
    input.size * 5 / 4
}

impl Task {
    /// The task of photos in a folder; `command` is how the model was made.
    #[must_use]
    pub fn of_folder(folder: &Folder, name: &str, recipe: Recipe, command: String) -> Self {
        Self {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            provenance: folder.provenance(command),
            labels: folder.labels.clone(),
            input: Preprocess::imagenet(recipe.final_side()),
            recipe,
            accuracy: super::drawn::ACCURACY,
        }
    }

    /// Decodes the photos and splits them by place.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn dataset(&self, photos: &[RawPhoto]) -> Result<Dataset, DataError> {
        Dataset::new(photos, self.labels.clone(), self.input, stored(&self.input))
    }

    /// Decodes the photos of a folder.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn folder_dataset(&self, folder: &Folder) -> Result<Dataset, FolderError> {
        folder.dataset(self.input, stored(&self.input))
    }
}

/// Trains and writes `model.onnx`, `manifest.toml` and `report.json` to `out`; checkpoints go to
/// `out/checkpoints`. Steps are done in `parts` at least. The test split is looked at once, after everything is decided.
///
/// # Errors
/// See [`TrainError`]; nothing in `out` but checkpoints changes before the model is finished.
pub fn train(
    data: &Dataset,
    task: &Task,
    device: &Device,
    (start, resume, parts): (&Start, bool, usize),
    out: &Path,
    say: &mut dyn FnMut(Event),
) -> Result<Report, TrainError> {
    let checkpoints = out.join(checkpoint::FOLDER);
    let fitted =
        fit(&Fit { data, recipe: &task.recipe, device, checkpoints: &checkpoints, start, resume, parts }, say)?;
    finish(&fitted, data, task, device, out)
}

/// Finishes a training from its best weights in `out/checkpoints`, without fitting anything: after a change of what
/// [`finish`] does, or a training that was stopped.
///
/// # Errors
/// When the weights are missing or of another architecture, and as [`train`].
pub fn train_from_checkpoint(data: &Dataset, task: &Task, device: &Device, out: &Path) -> Result<Report, TrainError> {
    let arch = task.recipe.arch;
    let mut model = task.recipe.network(task.labels.len()).init(device);
    let best = weights::read(&checkpoint::best(&out.join(checkpoint::FOLDER)))?;
    weights::load(&mut model, arch, &best, device)?;
    finish(&model.valid(), data, task, device, out)
}

/// Quantises, calibrates, judges and writes a network that is fitted (and in inference form).
///
/// # Errors
/// When a file cannot be written.
pub fn finish(fitted: &ResNet, data: &Dataset, task: &Task, device: &Device, out: &Path) -> Result<Report, TrainError> {
    // Everything from here on is about the network that ships.
    let model = quantise(fitted.clone());
    let (report, fitted) = judge(&model, data, task, device);
    let street = fitted.map(|fitted| fitted.section());
    let onnx = export(&model, Options { precision: Precision::Int8, side: Some(task.input.size) });
    let manifest = Manifest {
        name: task.name.clone(),
        version: task.version.clone(),
        arch: task.recipe.arch.name().to_owned(),
        output_stride: task.recipe.output_stride,
        sha256: sha256_hex(&onnx),
        temperature: report.temperature,
        abstain_below: report.abstention.threshold,
        provenance: task.provenance.clone(),
        input: task.input,
        metrics: report.test.metrics(report.thumbnail_top1),
        // Made of the finished model, where all of its photos are at hand: see `index`.
        index: None,
        street: street.as_ref().map(|(section, _)| section.clone()),
        labels: task.labels.clone(),
    };
    let manifest = toml::to_string(&manifest).map_err(|error| unwritable(out, MANIFEST_FILE, error))?;
    let json = serde_json::to_vec_pretty(&report).map_err(|error| unwritable(out, "report.json", error))?;
    // A manifest is only ever beside its own model or beside an older one, whose checksum it refuses.
    write(out, MODEL_FILE, &onnx)?;
    if let Some((_, bytes)) = &street {
        write(out, STREET_FILE, bytes)?;
    }
    write(out, MANIFEST_FILE, manifest.as_bytes())?;
    write(out, "report.json", &json)?;
    // What ships runs elsewhere; a test compares it with what was computed here.
    let reference = logits(&model, &data.test[..REFERENCES.min(data.test.len())], &data.input, device);
    let reference = serde_json::to_vec(&reference).map_err(|error| unwritable(out, REFERENCE_FILE, error))?;
    write(out, REFERENCE_FILE, &reference)?;
    Ok(report)
}

/// Temperature and thresholds from the validation split, then the judgement of the test split.
fn judge(model: &ResNet, data: &Dataset, task: &Task, device: &Device) -> (Report, Option<street::Fitted>) {
    let (rows, known) = outputs(model, &data.validation, &data.input, device);
    let labels = labels_of(&data.validation);
    let sample: Vec<Example> = street::sample(data.train.len()).into_iter().map(|i| data.train[i].clone()).collect();
    let fitted = street::fit(&outputs(model, &sample, &data.input, device).1, &known);
    let temperature = calibrate::temperature(&rows, &labels);
    let abstention = coverage::threshold(&metrics::judge(&rows, &labels, temperature), task.accuracy);
    let (rows, labels) = (logits(model, &data.test, &data.input, device), labels_of(&data.test));
    let places: Vec<String> = data.test.iter().map(|example| example.place.clone()).collect();
    let graded =
        Graded { logits: &rows, truths: &labels, places: &places, temperature, abstain_below: abstention.threshold };
    let (thumbnail_top1, thumbnail_macro_recall) = thumbnails(data);
    let report = Report {
        recipe: task.recipe.clone(),
        trained_on: data.train.len(),
        validated_on: data.validation.len(),
        temperature,
        abstention,
        thumbnail_top1,
        thumbnail_macro_recall,
        test: score(&graded, &data.labels),
    };
    (report, fitted)
}

/// Top-1 and macro recall on the test split of the linear classifier on thumbnails.
fn thumbnails(data: &Dataset) -> (f32, f32) {
    let (train, test) = (pictures_of(&data.train), pictures_of(&data.test));
    let model = Thumbnails::fit(&train, &labels_of(&data.train), data.labels.len());
    model.judge(&test, &labels_of(&data.test), data.labels.len())
}

fn pictures_of(examples: &[Example]) -> Vec<&image::RgbImage> {
    examples.iter().map(|example| &example.picture).collect()
}

fn labels_of(examples: &[Example]) -> Vec<usize> {
    examples.iter().map(|example| example.label).collect()
}

fn write(out: &Path, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
    replace(&out.join(name), bytes).map_err(|error| unwritable(out, name, error))
}

fn unwritable(out: &Path, name: &str, error: impl std::fmt::Display) -> TrainError {
    TrainError::Write { path: out.join(name), detail: error.to_string() }
}

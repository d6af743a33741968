//! Head mode: the network stays as it is, its last layer is fitted anew on its features.
//!
//! [`features`] → [`fit`] (the pull towards 0 chosen on the validation split) → temperature and threshold on the
//! validation split → [`graph`], one judgement of the test split, and the same files as a full training writes.

pub mod features;
pub mod fit;
pub mod graph;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::RgbImage;
use rayon::prelude::*;
use serde::Serialize;
use thiserror::Error;

use self::features::{Extractor, FeatureError, View};
use self::fit::{Linear, Problem};
use self::graph::GraphError;
use super::baseline::{SIDE, Thumbnails};
use super::calibrate;
use super::data::{DataError, RawPhoto, check_labels, check_split};
use super::street;
use crate::domain::metrics::{self, Selective, coverage, nll};
use crate::domain::{Area, Split};
use crate::infer::decode::{Limits, decode};
use crate::infer::files::replace;
use crate::infer::manifest::{MANIFEST_FILE, MODEL_FILE, Manifest, ModelFiles, Provenance, sha256_hex};
use crate::infer::preprocess::centre_square;
use crate::infer::street::{STREET_FILE, Street};
use crate::judge::{Graded, Score, score};

/// Strengths that are tried, the strongest first: each fit starts where the one before ended.
const STRENGTHS: [f64; 9] = [1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4];
/// Fits in a row that may be worse on the validation split before the search ends.
const PATIENCE: usize = 2;

/// What to fit and how to sign it.
#[derive(Clone, Debug)]
pub struct HeadTask {
    /// Name of the new model.
    pub name: String,
    /// Version of the new model.
    pub version: String,
    /// Where the photos come from.
    pub provenance: Provenance,
    /// The areas, in the order of the logits.
    pub labels: Vec<Area>,
    /// Whether the last layer also sees each photo of the train split in a mirror.
    pub mirror: bool,
    /// Share of right answers that the abstention threshold aims at on the validation split, 0 to 1.
    pub accuracy: f32,
}

/// How good the new model is; written beside it as `report.json`.
#[derive(Clone, Debug, Serialize)]
pub struct HeadReport {
    /// `head`.
    pub mode: &'static str,
    /// The model whose network was kept, and its SHA-256.
    pub base: String,
    /// SHA-256 of the kept network.
    pub base_sha256: String,
    /// Photos in the train split.
    pub trained_on: usize,
    /// Photos in the validation split.
    pub validated_on: usize,
    /// Length of a row of features.
    pub features: usize,
    /// What was tried, the strongest pull first.
    pub tried: Vec<Trial>,
    /// The strength that was chosen.
    pub l2: f64,
    /// Time for the features; little when they were remembered.
    pub extracting: Duration,
    /// Time for all fits.
    pub fitting: Duration,
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

/// One fit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Pull of the weights towards 0.
    pub l2: f64,
    /// Steps of the minimiser.
    pub iterations: usize,
    /// Largest component of the gradient at the end.
    pub gradient: f64,
    /// Whether the optimum was reached.
    pub converged: bool,
    /// Mean negative log-likelihood on the validation split, nats.
    pub validation: f64,
}

/// A fit that ended without a model.
#[derive(Debug, Error)]
pub enum HeadError {
    /// The photos.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The network.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The folder of the model.
    #[error("cannot write {}: {detail}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
}

/// The rows of one split.
struct Part {
    rows: Vec<Vec<f32>>,
    labels: Vec<usize>,
    places: Vec<String>,
}

/// Fits a new last layer and writes `model.onnx`, `manifest.toml` and `report.json` to `out`. `progress` hears how many
/// photos have been run, and of how many.
///
/// # Errors
/// See [`HeadError`]; `out` changes only when the model is finished.
pub fn train(
    photos: &[RawPhoto],
    task: &HeadTask,
    base: &Extractor<'_>,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<HeadReport, HeadError> {
    check_labels(photos, &task.labels)?;
    let begin = Instant::now();
    let mut part = |split: Split, mirror: bool| part(photos, task, base, split, mirror, progress);
    let train = part(Split::Train, task.mirror)?;
    let (validation, test) = (part(Split::Validation, false)?, part(Split::Test, false)?);
    let extracting = begin.elapsed();
    let begin = Instant::now();
    let Chosen { linear, l2, tried } = choose(&train, &validation, task.labels.len());
    let fitting = begin.elapsed();

    let rows = logits(&linear, &validation);
    let temperature = calibrate::temperature(&rows, &validation.labels);
    let judged = metrics::judge(&rows, &validation.labels, temperature);
    let abstention = coverage::threshold(&judged, task.accuracy);
    let graded = Graded {
        logits: &logits(&linear, &test),
        truths: &test.labels,
        places: &test.places,
        temperature,
        abstain_below: abstention.threshold,
    };
    let (thumbnail_top1, thumbnail_macro_recall) = thumbnails(photos, task)?;
    let report = HeadReport {
        mode: "head",
        base: format!("{} {}", base.files.manifest.name, base.files.manifest.version),
        base_sha256: base.files.manifest.sha256.clone(),
        trained_on: photos_of(photos, Split::Train).count(),
        validated_on: validation.labels.len(),
        features: test.rows[0].len(),
        tried,
        l2,
        extracting,
        fitting,
        temperature,
        abstention,
        thumbnail_top1,
        thumbnail_macro_recall,
        test: score(&graded, &task.labels),
    };
    let street = street::fit(&train.rows, &validation.rows);
    let street = street.map(|fitted| fitted.section());
    save(&report, task, base.files, (&linear, street), out)?;
    Ok(report)
}

fn photos_of(photos: &[RawPhoto], split: Split) -> impl Iterator<Item = &RawPhoto> {
    photos.iter().filter(move |photo| photo.split == split)
}

fn part(
    photos: &[RawPhoto],
    task: &HeadTask,
    base: &Extractor<'_>,
    split: Split,
    mirror: bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Part, HeadError> {
    let own: Vec<&RawPhoto> = photos_of(photos, split).collect();
    check_split(&task.labels, split, |label| own.iter().any(|photo| photo.label == label))?;
    let bytes: Vec<&[u8]> = own.iter().map(|photo| photo.bytes.as_slice()).collect();
    let views: &[View] = if mirror { &[View::Centre, View::Mirrored] } else { &[View::Centre] };
    let mut part = Part { rows: Vec::new(), labels: Vec::new(), places: Vec::new() };
    for &view in views {
        part.rows.extend(base.features(&bytes, view, progress)?);
        part.labels.extend(own.iter().map(|photo| photo.label));
        part.places.extend(own.iter().map(|photo| photo.place.clone()));
    }
    Ok(part)
}

/// Top-1 and macro recall on the test split of the linear classifier on thumbnails.
fn thumbnails(photos: &[RawPhoto], task: &HeadTask) -> Result<(f32, f32), HeadError> {
    let small = |split: Split| -> Result<(Vec<RgbImage>, Vec<usize>), FeatureError> {
        let own: Vec<(usize, &RawPhoto)> = photos_of(photos, split).enumerate().collect();
        let shrink = |&(index, photo): &(usize, &RawPhoto)| {
            let picture = decode(&photo.bytes, &Limits::default());
            picture.map(|p| centre_square(&p, SIDE)).map_err(|source| FeatureError::Photo { index, source })
        };
        let pictures = own.par_iter().map(shrink).collect::<Result<_, _>>()?;
        Ok((pictures, own.iter().map(|(_, photo)| photo.label).collect()))
    };
    let ((train, labels), (test, truths)) = (small(Split::Train)?, small(Split::Test)?);
    let classes = task.labels.len();
    let model = Thumbnails::fit(&train.iter().collect::<Vec<_>>(), &labels, classes);
    Ok(model.judge(&test.iter().collect::<Vec<_>>(), &truths, classes))
}

fn logits(linear: &Linear, part: &Part) -> Vec<Vec<f32>> {
    part.rows.iter().map(|row| linear.logits(row)).collect()
}

/// The best classifier and how it was found.
pub struct Chosen {
    /// The classifier.
    pub linear: Linear,
    /// Its pull towards 0.
    pub l2: f64,
    /// All that was tried.
    pub tried: Vec<Trial>,
}

fn choose(train: &Part, validation: &Part, classes: usize) -> Chosen {
    choose_l2((&train.rows, &train.labels), (&validation.rows, &validation.labels), classes)
}

/// Fits with falling strengths until the validation split says that it was enough; rows of features with their labels.
///
/// # Panics
/// When a split has no rows, or not one label below `classes` a row.
#[must_use]
pub fn choose_l2(train: (&[Vec<f32>], &[usize]), validation: (&[Vec<f32>], &[usize]), classes: usize) -> Chosen {
    let problem = Problem::new(train.0, train.1, classes);
    let mut tried: Vec<Trial> = Vec::new();
    let mut best: Option<(f64, f64, Linear)> = None;
    let (mut last, mut worse) = (None, 0);
    for l2 in STRENGTHS {
        let fit = problem.fit(l2, last.as_ref());
        let linear = problem.linear(&fit);
        let rows: Vec<Vec<f32>> = validation.0.iter().map(|row| linear.logits(row)).collect();
        // What matters is how well it can be calibrated, not how it is before.
        let temperature = calibrate::temperature(&rows, validation.1);
        let cost = nll(&rows, validation.1, f64::from(temperature));
        let (iterations, gradient, converged) = (fit.iterations, fit.gradient, fit.converged);
        tried.push(Trial { l2, iterations, gradient, converged, validation: cost });
        if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
            (best, worse) = (Some((cost, l2, linear)), 0);
        } else {
            worse += 1;
        }
        if worse == PATIENCE {
            break;
        }
        last = Some(fit);
    }
    let (_, l2, linear) = best.expect("at least one strength is tried");
    Chosen { linear, l2, tried }
}

fn save(
    report: &HeadReport,
    task: &HeadTask,
    base: &ModelFiles,
    (linear, street): (&Linear, Option<(Street, Vec<u8>)>),
    out: &Path,
) -> Result<(), HeadError> {
    let onnx = graph::replace(&base.onnx, linear)?;
    let manifest = Manifest {
        name: task.name.clone(),
        version: task.version.clone(),
        arch: base.manifest.arch.clone(),
        output_stride: base.manifest.output_stride,
        sha256: sha256_hex(&onnx),
        temperature: report.temperature,
        abstain_below: report.abstention.threshold,
        provenance: task.provenance.clone(),
        input: base.manifest.input,
        metrics: report.test.metrics(report.thumbnail_top1),
        index: None,
        street: street.as_ref().map(|(section, _)| section.clone()),
        labels: task.labels.clone(),
    };
    let unwritable = |name: &str, detail: String| HeadError::Write { path: out.join(name), detail };
    let text = toml::to_string(&manifest).map_err(|error| unwritable(MANIFEST_FILE, error.to_string()))?;
    let json = serde_json::to_vec_pretty(report).map_err(|error| unwritable("report.json", error.to_string()))?;
    let street = street.map(|(_, bytes)| (STREET_FILE, bytes));
    let files = [(MODEL_FILE, onnx), (MANIFEST_FILE, text.into_bytes()), ("report.json", json)];
    for (name, bytes) in street.into_iter().chain(files) {
        replace(&out.join(name), &bytes).map_err(|error| unwritable(name, error.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::decode::decode_square;
    use crate::infer::onnx::{Backend, Network};
    use crate::infer::queue::Run;
    use crate::world::World;
    use crate::world::photo::photos as specs;

    /// A few small drawings of three areas, as raw photos.
    fn drawings(world: &World, labels: &[usize]) -> Vec<RawPhoto> {
        let splits = [Split::Train, Split::Validation, Split::Test];
        let all = splits.into_iter().flat_map(|split| specs(world, 5, &[split], 3).collect::<Vec<_>>());
        let wanted = all.filter(|spec| labels.contains(&spec.area)).map(|spec| spec.sized(96, 96).shoot(world));
        wanted
            .map(|photo| RawPhoto {
                label: labels.iter().position(|label| *label == photo.area).expect("filtered"),
                split: Split::of_place(&world.areas()[photo.area].area, &photo.panorama.town),
                bytes: photo.jpeg,
                place: photo.panorama.town,
            })
            .collect()
    }

    #[test]
    fn the_written_network_answers_as_the_fit_does() {
        let world = World::load();
        let labels = [6, 1, 4];
        let photos = drawings(&world, &labels);
        let files = ModelFiles::built_in().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let base = Extractor { files: &files, backend: &Backend::Tract, cache: &folder.path().join("cache") };
        let task = HeadTask {
            name: "three".into(),
            version: "0.1.0".into(),
            provenance: files.manifest.provenance.clone(),
            labels: labels.map(|label| world.areas()[label].clone()).to_vec(),
            mirror: true,
            accuracy: 0.9,
        };
        let out = folder.path().join("model");
        let mut run = 0;
        let report = train(&photos, &task, &base, &out, &mut |_, _| run += 1).unwrap();
        assert!(report.tried.iter().all(|trial| trial.converged), "{:?}", report.tried);
        assert_eq!((report.trained_on, report.validated_on, report.test.photos), (9, 9, 9));
        let written = ModelFiles::read(&out).unwrap();
        assert_eq!(written.manifest.labels, task.labels);

        // Without its photos nothing is run again.
        let first = std::mem::take(&mut run);
        assert!(first > 0);
        let again = train(&photos, &task, &base, &out, &mut |_, _| run += 1).unwrap();
        assert_eq!((run, &again.test), (0, &report.test));

        let bytes: Vec<&[u8]> = photos.iter().map(|photo| photo.bytes.as_slice()).take(2).collect();
        let rows = base.features(&bytes, View::Centre, &mut |_, _| {}).unwrap();
        let part = |split| part(&photos, &task, &base, split, split == Split::Train, &mut |_, _| {}).unwrap();
        let linear = choose(&part(Split::Train), &part(Split::Validation), 3).linear;
        let mut network = Network::load(&written, &Backend::Tract).unwrap();
        for (photo, row) in bytes.iter().zip(&rows) {
            let input = files.manifest.input;
            let square = decode_square(photo, &Limits::default(), input.size).unwrap();
            let outputs = network.run(1, &input.tensor(&square)).unwrap();
            let fitted = linear.logits(row);
            for (label, (found, expected)) in outputs.logits.iter().zip(&fitted).enumerate() {
                assert!((found - expected).abs() < 5e-3, "logit {label}: {found} is not {expected}");
                let cells = outputs.cams.len() / 3;
                let map = &outputs.cams[label * cells..(label + 1) * cells];
                let mean = map.iter().sum::<f32>() / cells as f32;
                assert!((mean - found).abs() < 1e-4, "a map's mean is its logit: {mean}, {found}");
            }
        }
    }

    #[test]
    fn another_network_or_an_area_without_places_is_explained() {
        let linear = Linear { weight: vec![0.0; 6], bias: vec![0.0; 2] };
        let built_in = ModelFiles::built_in().unwrap();
        let error = graph::replace(&built_in.onnx, &linear).unwrap_err();
        assert_eq!(error, GraphError::Features { found: 512, expected: 3 });
        assert!(matches!(graph::replace(b"no model", &linear), Err(GraphError::Unreadable(_))));
        assert_eq!(graph::replace(&[], &linear), Err(GraphError::Missing("graph")));
    }

    #[test]
    fn the_strength_is_chosen_on_the_validation_split() {
        // Two features: one that tells, one that is an accident of the train split.
        let row = |i: usize, accident: bool| {
            let label = i % 2;
            vec![label as f32 + (i % 7) as f32 * 0.3, if accident { label as f32 } else { (i / 2 % 2) as f32 }]
        };
        let labels: Vec<usize> = (0..60).map(|i| i % 2).collect();
        let train: Vec<Vec<f32>> = (0..60).map(|i| row(i, true)).collect();
        let validation: Vec<Vec<f32>> = (0..60).map(|i| row(i, false)).collect();
        let chosen = choose_l2((&train, &labels), (&validation, &labels), 2);
        let least = chosen.tried.iter().map(|trial| trial.validation).fold(f64::INFINITY, f64::min);
        let found = chosen.tried.iter().find(|trial| trial.l2 == chosen.l2).unwrap();
        assert_eq!(found.validation, least);
        assert!(chosen.tried.len() < STRENGTHS.len(), "a train split that misleads ends the search early");
    }
}

//! `manifest.toml`: what a model is, how to feed it and how to read it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::index::kin::Voting;
use super::index::{INDEX_FILE, Index, IndexError};
use super::preprocess::Preprocess;
use super::street::{STREET_FILE, Street};
use crate::domain::Area;

/// Name of the network file beside the manifest.
pub const MODEL_FILE: &str = "model.onnx";
/// Name of the manifest file.
pub const MANIFEST_FILE: &str = "manifest.toml";

/// The manifest of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Short name: `drawn-world`.
    pub name: String,
    /// Version: `1.0.0`.
    pub version: String,
    /// Architecture: `resnet18`.
    pub arch: String,
    /// Pixels of the input that a cell of the feature map stands for, each way.
    #[serde(default = "output_stride")]
    pub output_stride: usize,
    /// SHA-256 of `model.onnx`, 64 hexadecimal digits.
    pub sha256: String,
    /// Divides the logits before the softmax, greater than 0.
    pub temperature: f32,
    /// Below this probability of the best area the answer is "I don't know", 0 to 1.
    pub abstain_below: f32,
    /// Where the training data came from.
    pub provenance: Provenance,
    /// The input tensor `[batch, 3, size, size]`.
    pub input: Preprocess,
    /// Figures on the place-held-out test split.
    pub metrics: Metrics,
    /// The index of look-alikes, if the model has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Indexed>,
    /// How it tells photos that are no street, if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<Street>,
    /// The areas, in the order of the logits.
    pub labels: Vec<Area>,
}

/// Output stride where nothing is said of it: that of torchvision's networks.
pub const OUTPUT_STRIDE: usize = 32;

pub(crate) fn output_stride() -> usize {
    OUTPUT_STRIDE
}

/// Origin and terms of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// `drawn-world` for models trained on drawings, which the bot then says with every answer; otherwise the
    /// sources of the imagery, such as `mapillary`.
    pub data: String,
    /// The command that rebuilds the model.
    pub command: String,
    /// Licence of the weights, an SPDX expression.
    pub licence: String,
    /// Credits that must be shown, one a line.
    pub attribution: Vec<String>,
}

impl Provenance {
    /// Whether the model has only ever seen drawings.
    #[must_use]
    pub fn is_drawn_world(&self) -> bool {
        self.data == "drawn-world"
    }
}

/// Figures on the test split, whose towns the model was not trained on. Shares are 0 to 1. By default those of a network
/// that nobody judged: no photo, all 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Photos in the test split.
    pub photos: usize,
    /// Share of photos whose best area is right.
    pub top1: f32,
    /// Share of photos whose area is among the best three.
    pub top3: f32,
    /// Mean of the areas' recalls.
    pub macro_recall: f32,
    /// Expected calibration error after temperature scaling, 15 bins.
    pub ece: f32,
    /// Share of the photos that get an answer.
    pub coverage: f32,
    /// Share of right answers among those.
    pub selective_accuracy: f32,
    /// Top-1 of a linear classifier on 8 x 8 thumbnails of the same photos.
    pub thumbnail_top1: f32,
    /// Confusion matrix `[truth][guess]`, photos, both in the order of the labels; the quiz chooses its areas by it.
    /// Empty when it was not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confusion: Vec<Vec<usize>>,
}

/// The index beside a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indexed {
    /// SHA-256 of `index.bin`, 64 hexadecimal digits.
    pub sha256: String,
    /// Photos in it.
    pub photos: usize,
    /// How they vote.
    pub voting: Voting,
}

/// A model that cannot be loaded.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file of the model is missing or unreadable.
    #[error("cannot read {}: {source}. Point `infer.model` at a folder with {MODEL_FILE} and {MANIFEST_FILE}.", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The manifest is not as designed.
    #[error("{place}: {problem}")]
    Manifest {
        /// Which manifest.
        place: String,
        /// What is wrong, and with which key.
        problem: String,
    },
    /// The network is not the one that the manifest describes.
    #[error("{place}: {file} has SHA-256 {found}, its manifest says {expected}. Copy all files of the model again.")]
    Checksum {
        /// Which model.
        place: String,
        /// Which file.
        file: &'static str,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// The index of look-alikes is not as designed.
    #[error("{place}: {INDEX_FILE} cannot be used: {source}. `kokodoko models index` makes it anew.")]
    Index {
        /// Which model.
        place: String,
        /// What is wrong with it.
        source: IndexError,
    },
    /// The backend refuses the network.
    #[error("{backend} cannot run the model: {detail}")]
    Backend {
        /// Which backend.
        backend: String,
        /// Its own words.
        detail: String,
    },
}

/// A manifest with its network, checked against each other.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// The manifest.
    pub manifest: Manifest,
    /// The bytes of `model.onnx`.
    pub onnx: Vec<u8>,
    /// The index of look-alikes, which the manifest then names.
    pub index: Option<Arc<Index>>,
}

impl ModelFiles {
    /// Reads and checks the folder of a model.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let (manifest, onnx) = (read(folder, MANIFEST_FILE)?, read(folder, MODEL_FILE)?);
        let index = || Ok(read(folder, INDEX_FILE)?.into());
        let place = folder.display().to_string();
        let mut files = Self::check(&place, &String::from_utf8_lossy(&manifest), onnx, index)?;
        if files.manifest.street.is_some() {
            files.fill_street(&place, &read(folder, STREET_FILE)?)?;
        }
        Ok(files)
    }

    /// The same without its index, whatever its state: to make it anew.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn read_without_index(folder: &Path) -> Result<Self, ModelError> {
        let place = folder.display().to_string();
        let manifest = Manifest::parse(&place, &String::from_utf8_lossy(&read(folder, MANIFEST_FILE)?))?;
        let manifest = Manifest { index: None, ..manifest };
        let onnx = read(folder, MODEL_FILE)?;
        same(&place, MODEL_FILE, &onnx, &manifest.sha256)?;
        Ok(Self { manifest, onnx, index: None })
    }

    /// The model inside this program.
    ///
    /// # Errors
    /// Only when the program was built with files that do not belong together.
    pub fn built_in() -> Result<Self, ModelError> {
        let manifest = include_str!("../../models/drawn-world/manifest.toml");
        let onnx = include_bytes!("../../models/drawn-world/model.onnx");
        let index = include_bytes!("../../models/drawn-world/index.bin");
        let place = "the built-in model";
        let mut files = Self::check(place, manifest, onnx.to_vec(), || Ok(index.as_slice().into()))?;
        files.fill_street(place, include_bytes!("../../models/drawn-world/street.bin"))?;
        Ok(files)
    }

    /// Reads what the manifest's section `street` is about.
    fn fill_street(&mut self, place: &str, bytes: &[u8]) -> Result<(), ModelError> {
        let Some(street) = &mut self.manifest.street else { return Ok(()) };
        street.fill(bytes).map_err(|problem| ModelError::Manifest { place: place.to_owned(), problem })
    }

    /// `index` is read only where the manifest names one.
    fn check(
        place: &str,
        manifest: &str,
        onnx: Vec<u8>,
        index: impl FnOnce() -> Result<Cow<'static, [u8]>, ModelError>,
    ) -> Result<Self, ModelError> {
        let manifest = Manifest::parse(place, manifest)?;
        same(place, MODEL_FILE, &onnx, &manifest.sha256)?;
        let Some(indexed) = &manifest.index else { return Ok(Self { manifest, onnx, index: None }) };
        let bytes = index()?;
        same(place, INDEX_FILE, &bytes, &indexed.sha256)?;
        let fault = |source| ModelError::Index { place: place.to_owned(), source };
        let index = Index::read(bytes, &manifest.sha256).map_err(fault)?;
        index.check_labels(manifest.labels.len()).map_err(fault)?;
        Ok(Self { manifest, onnx, index: Some(Arc::new(index)) })
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, ModelError> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|source| ModelError::Read { path, source })
}

fn same(place: &str, file: &'static str, bytes: &[u8], expected: &str) -> Result<(), ModelError> {
    let found = sha256_hex(bytes);
    if found == expected {
        return Ok(());
    }
    Err(ModelError::Checksum { place: place.to_owned(), file, expected: expected.to_owned(), found })
}

impl Manifest {
    /// Reads the manifest in a folder, without its network.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let text = read(folder, MANIFEST_FILE)?;
        Self::parse(&folder.display().to_string(), &String::from_utf8_lossy(&text))
    }

    /// Reads and checks the text of one; `place` says whose it is.
    pub(super) fn parse(place: &str, text: &str) -> Result<Self, ModelError> {
        let bad = |problem: String| ModelError::Manifest { place: place.to_owned(), problem };
        let manifest: Self = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        manifest.validate().map_err(bad)?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<(), String> {
        if self.labels.is_empty() {
            return Err("`labels` is empty: a model names at least one area".to_owned());
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(format!("`temperature` is {}: it must be greater than 0", self.temperature));
        }
        if !(0.0..=1.0).contains(&self.abstain_below) {
            return Err(format!("`abstain_below` is {}: it must lie between 0 and 1", self.abstain_below));
        }
        if !(16..=1024).contains(&self.input.size) {
            return Err(format!("`input.size` is {}: it must lie between 16 and 1024", self.input.size));
        }
        if self.input.std.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
            return Err("`input.std` must be greater than 0 for each channel".to_owned());
        }
        self.index.as_ref().map_or(Ok(()), |indexed| indexed.voting.validate())
    }
}

/// SHA-256 as 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

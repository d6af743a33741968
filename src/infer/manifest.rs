//! `manifest.toml`: what a model is, how to feed it and how to read it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::preprocess::Preprocess;
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
    /// The areas, in the order of the logits.
    pub labels: Vec<Area>,
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
    #[error(
        "{place}: {MODEL_FILE} has SHA-256 {found}, its manifest says {expected}. Copy both files of the model again."
    )]
    Checksum {
        /// Which model.
        place: String,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
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
}

impl ModelFiles {
    /// Reads and checks the folder of a model.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let manifest = read(folder, MANIFEST_FILE)?;
        let onnx = read(folder, MODEL_FILE)?;
        Self::check(&folder.display().to_string(), &String::from_utf8_lossy(&manifest), onnx)
    }

    /// The model inside this program.
    ///
    /// # Errors
    /// Only when the program was built with files that do not belong together.
    pub fn built_in() -> Result<Self, ModelError> {
        let manifest = include_str!("../../models/drawn-world/manifest.toml");
        let onnx = include_bytes!("../../models/drawn-world/model.onnx");
        Self::check("the built-in model", manifest, onnx.to_vec())
    }

    fn check(place: &str, manifest: &str, onnx: Vec<u8>) -> Result<Self, ModelError> {
        let manifest = Manifest::parse(place, manifest)?;
        let found = sha256_hex(&onnx);
        if found != manifest.sha256 {
            return Err(ModelError::Checksum { place: place.to_owned(), expected: manifest.sha256, found });
        }
        Ok(Self { manifest, onnx })
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, ModelError> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|source| ModelError::Read { path, source })
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

    fn parse(place: &str, text: &str) -> Result<Self, ModelError> {
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
        Ok(())
    }
}

/// SHA-256 as 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

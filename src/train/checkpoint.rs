//! What a training leaves after each epoch, so that it can go on after a kill.
//!
//! `checkpoints/epoch-0003/` holds weights, average, optimiser and `state.json`; it appears whole, by a rename, and
//! only then are older ones removed. `checkpoints/best.safetensors` holds the best weights so far.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::recipe::Recipe;
use super::resnet::ResNet;
use super::weights::{StateDict, to_safetensors};
use crate::infer::files::replace;

/// Name of the folder within that of the model.
pub const FOLDER: &str = "checkpoints";

const MODEL: &str = "model.bpk";
const AVERAGE: &str = "average.bpk";
const OPTIMISER: &str = "optimiser.bpk";
const STATE: &str = "state.json";

/// Where a training stands, besides its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Epochs done.
    pub epochs: usize,
    /// Parts that a step is done in, 1 unless memory ran out.
    pub parts: usize,
    /// Best macro recall on the validation split so far, 0 to 1.
    pub best: Option<f32>,
    /// Time spent so far, seconds.
    pub seconds: f64,
    /// Full names of the areas, in the order of the logits.
    pub labels: Vec<String>,
    /// Photos in the train split.
    pub photos: usize,
    /// How it is trained.
    pub recipe: Recipe,
}

/// A checkpoint that cannot be written or gone on from.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// No room, or not allowed.
    #[error("cannot write the checkpoint {}: {detail}; make room, then go on with --resume", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// None there.
    #[error("{} has no checkpoint to go on from: train without --resume", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// Damaged.
    #[error("cannot read the checkpoint {}: {detail}; remove that folder, or train without --resume", path.display())]
    Read {
        /// Where.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// Of another training.
    #[error("the checkpoint {} was trained with another {what}: give the same one, or train without --resume", path.display())]
    Other {
        /// Where.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// Where the best weights lie.
#[must_use]
pub fn best(folder: &Path) -> PathBuf {
    folder.join("best.safetensors")
}

/// Writes the best weights.
///
/// # Errors
/// When the file cannot be written; the one before stays.
pub fn save_best(folder: &Path, weights: &StateDict) -> Result<(), CheckpointError> {
    let path = best(folder);
    replace(&path, &to_safetensors(weights)).map_err(|error| unwritable(&path, error))
}

/// Writes the checkpoint of an epoch and removes older ones. `model` is in training form.
///
/// # Errors
/// When it cannot be written; older ones stay.
pub fn save(
    folder: &Path,
    model: &ResNet,
    average: Option<ResNet>,
    optimiser: &ModuleOptimizer,
    state: &State,
) -> Result<(), CheckpointError> {
    let done = folder.join(format!("epoch-{:04}", state.epochs));
    let fresh = folder.join("new");
    let write = || -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        // What a kill left behind.
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(|error| text(&error))?;
        }
        fs::create_dir_all(&fresh).map_err(|error| text(&error))?;
        model.clone().save_file(fresh.join(MODEL)).map_err(|error| text(&error))?;
        if let Some(average) = average {
            average.save_file(fresh.join(AVERAGE)).map_err(|error| text(&error))?;
        }
        optimiser.save(fresh.join(OPTIMISER)).map_err(|error| text(&error))?;
        let json = serde_json::to_vec_pretty(state).map_err(|error| text(&error))?;
        replace(&fresh.join(STATE), &json).map_err(|error| text(&error))?;
        for file in fs::read_dir(&fresh).map_err(|error| text(&error))?.flatten() {
            File::open(file.path()).and_then(|file| file.sync_all()).map_err(|error| text(&error))?;
        }
        if done.exists() {
            fs::remove_dir_all(&done).map_err(|error| text(&error))?;
        }
        fs::rename(&fresh, &done).map_err(|error| text(&error))
    };
    write().map_err(|detail| unwritable(&done, detail))?;
    for (epoch, path) in epochs(folder) {
        if epoch < state.epochs {
            fs::remove_dir_all(&path).map_err(|error| unwritable(&path, error))?;
        }
    }
    Ok(())
}

/// Removes what an earlier training left, so that nobody goes on from it by accident.
///
/// # Errors
/// When something cannot be removed.
pub fn clear(folder: &Path) -> Result<(), CheckpointError> {
    thin(folder)?;
    match fs::remove_file(best(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(&best(folder), error)),
        _ => Ok(()),
    }
}

/// Whether there is a checkpoint to go on from.
#[must_use]
pub fn is_there(folder: &Path) -> bool {
    !epochs(folder).is_empty()
}

/// Removes what only going on needs, once the training is over; the best weights stay.
///
/// # Errors
/// When something cannot be removed.
pub fn thin(folder: &Path) -> Result<(), CheckpointError> {
    for (_, path) in epochs(folder) {
        fs::remove_dir_all(&path).map_err(|error| unwritable(&path, error))?;
    }
    Ok(())
}

/// Complete checkpoints with their number of epochs.
fn epochs(folder: &Path) -> Vec<(usize, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let number = |path: PathBuf| {
        let epochs = path.file_name()?.to_str()?.strip_prefix("epoch-")?.parse().ok()?;
        Some((epochs, path))
    };
    entries.flatten().filter_map(|entry| number(entry.path())).collect()
}

/// A checkpoint to go on from.
pub struct Saved {
    path: PathBuf,
    /// Where the training stood.
    pub state: State,
}

impl Saved {
    /// The latest in a folder; it must be of the same training as `wanted`.
    ///
    /// # Errors
    /// When there is none, or it is damaged or of another training.
    pub fn latest(folder: &Path, wanted: &State) -> Result<Self, CheckpointError> {
        let latest = epochs(folder).into_iter().max_by_key(|(epochs, _)| *epochs);
        let (_, path) = latest.ok_or_else(|| CheckpointError::None { path: folder.to_owned() })?;
        let bytes = fs::read(path.join(STATE)).map_err(|error| unreadable(&path, error))?;
        let state: State = serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
        let other = |what| CheckpointError::Other { path: path.clone(), what };
        if state.recipe != wanted.recipe {
            return Err(other("recipe or seed"));
        }
        if state.labels != wanted.labels || state.photos != wanted.photos {
            return Err(other("dataset"));
        }
        Ok(Self { path, state })
    }

    /// Puts the saved weights into a network of the same shape, in training form.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn model(&self, blank: ResNet) -> Result<ResNet, CheckpointError> {
        self.read(blank, MODEL)
    }

    /// Likewise the average, in inference form.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn average(&self, blank: ResNet) -> Result<ResNet, CheckpointError> {
        self.read(blank, AVERAGE)
    }

    /// Likewise the optimiser's state.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn optimiser(&self, blank: ModuleOptimizer) -> Result<ModuleOptimizer, CheckpointError> {
        let path = self.path.join(OPTIMISER);
        blank.load(&path).map_err(|error| unreadable(&path, error))
    }

    fn read(&self, blank: ResNet, name: &str) -> Result<ResNet, CheckpointError> {
        let path = self.path.join(name);
        blank.try_load_file(&path).map_err(|error| unreadable(&path, error))
    }
}

fn unwritable(path: &Path, error: impl std::fmt::Display) -> CheckpointError {
    CheckpointError::Write { path: path.to_owned(), detail: error.to_string() }
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> CheckpointError {
    CheckpointError::Read { path: path.to_owned(), detail: error.to_string() }
}

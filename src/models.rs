//! Which models there are, which of them is live, and how another takes its place.
//!
//! A model is a folder with `model.onnx` and `manifest.toml` below the folder of all models. The database says which
//! one is live ([`live_model`](crate::store::Store::live_model)), so that a change is one row: whole or not at all, with who made it and why, and
//! known to every process on the same database ([`Registry::follow`]).

mod portraits;
mod registry;
mod shelf;
#[cfg(test)]
pub(crate) mod tests;

use crate::infer::manifest::ModelError;
use crate::judge::portrait::PortraitError;
use crate::store::StoreError;

pub use self::portraits::Portraits;
pub use self::registry::{Registry, Wanted};
pub use self::shelf::{Listed, Settings, Shelf, Standing};

/// Why the live model stays what it is.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// A name that no folder of models can have.
    #[error("{0:?} is no name of a model: `kokodoko models list` shows the names")]
    Name(String),
    /// There is no such model.
    #[error("there is no model {name:?} in {folder}: `kokodoko models list` shows the names")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The folder of all models.
        folder: String,
    },
    /// The folder of all models cannot be read.
    #[error("cannot read the models in {folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is live already.
    #[error("{0} is live already")]
    Live(String),
    /// It was never compared with a live model.
    #[error("{0} was never compared with the live model: `kokodoko models compare {0}` does it")]
    NoVerdict(String),
    /// The comparison cannot be read or kept.
    #[error("{file}: {problem}")]
    Verdict {
        /// Its file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The comparison was made with other models than these.
    #[error("the comparison was made between other models than these: compare them again")]
    Stale,
    /// The comparison does not say that it is better.
    #[error("the comparison does not say that it is better than the live model")]
    NotBetter,
    /// A forced change needs a reason.
    #[error("say why: the reason is kept with the change")]
    NoReason,
    /// Nothing was live before.
    #[error("no other model was live before this one")]
    Nothing,
    /// The model is broken or does not run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What was kept of a judgement cannot be used.
    #[error(transparent)]
    Portrait(#[from] PortraitError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

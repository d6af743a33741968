//! What is trained, and on what, unless somebody says otherwise.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::device::Processor;

/// What a training fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The last layer alone: minutes.
    Head,
    /// The whole network: hours.
    Full,
}

/// Where its photos come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The drawn world.
    Drawn,
    /// What was collected.
    Collected,
    /// [`Settings::data_folder`].
    Folder,
}

/// What the labels of a model are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Labels {
    /// The areas of its photos.
    Areas,
    /// Cells of the globe, made of the positions of its photos.
    Cells,
}

/// How `/train` trains.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is fitted.
    pub mode: Mode,
    /// Name or file of the recipe of full trainings.
    pub recipe: String,
    /// Where photos come from.
    pub data: Source,
    /// Photos in folders, for [`Source::Folder`].
    pub data_folder: Option<PathBuf>,
    /// Photos an area that are drawn to train on, for [`Source::Drawn`].
    pub photos: u32,
    /// First weights of full trainings: torchvision's, or the folder of an earlier training; `None`: random.
    pub from: Option<PathBuf>,
    /// What computes full trainings.
    pub device: Processor,
    /// Folder of reports, of copies of the dataset, and of what networks said of photos.
    pub folder: PathBuf,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Head, Self::Full];

    /// Lower-case name, as in commands and in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Full => "full",
        }
    }
}

impl Source {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Drawn, Self::Collected, Self::Folder];

    /// Lower-case name, as in commands and in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Collected => "collected",
            Self::Folder => "folder",
        }
    }
}

impl Labels {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Areas, Self::Cells];

    /// Lower-case name, as in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Areas => "areas",
            Self::Cells => "cells",
        }
    }
}

impl FromStr for Labels {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|labels| labels.name() == s).ok_or(())
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|mode| mode.name() == s).ok_or(())
    }
}

impl FromStr for Source {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|source| source.name() == s).ok_or(())
    }
}

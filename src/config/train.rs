//! `[train]`: what `/train` does.

use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, non_empty};
use crate::train::device::Processor;
use crate::train::recipe::Recipe;
use crate::train::settings::{Mode, Settings, Source};

/// Photos an area that can be drawn to train on.
const PHOTOS: std::ops::RangeInclusive<i64> = 2..=100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Train {
    mode: Mode,
    recipe: String,
    data: Source,
    data_folder: String,
    photos: i64,
    from: String,
    device: Processor,
    folder: String,
}

pub(super) fn settings(raw: &Train) -> Result<Settings, ConfigError> {
    let fault = |key, value: String, cure: String| ConfigError::Value { key, value, cure };
    Recipe::find(&raw.recipe).map_err(|error| fault("train.recipe", format!("{:?}", raw.recipe), error.to_string()))?;
    let data_folder = non_empty(&raw.data_folder).map(PathBuf::from);
    if raw.data == Source::Folder && data_folder.is_none() {
        let cure = "name the folder in `train.data_folder`, or choose \"drawn\" or \"collected\"".to_owned();
        return Err(fault("train.data", "\"folder\"".to_owned(), cure));
    }
    let photos = Some(raw.photos).filter(|photos| PHOTOS.contains(photos)).ok_or_else(|| {
        let cure = format!("write a whole number from {} to {}", PHOTOS.start(), PHOTOS.end());
        fault("train.photos", raw.photos.to_string(), cure)
    })?;
    let folder = non_empty(&raw.folder).map(PathBuf::from).ok_or_else(|| {
        fault("train.folder", "empty".to_owned(), "name a folder, such as \"data/training\"".to_owned())
    })?;
    Ok(Settings {
        mode: raw.mode,
        recipe: raw.recipe.clone(),
        data: raw.data,
        data_folder,
        photos: photos as u32,
        from: non_empty(&raw.from).map(PathBuf::from),
        device: raw.device,
        folder,
    })
}

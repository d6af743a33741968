//! Collecting street imagery: a plan of points, sources that are asked there, a ledger of what was paid, and the
//! labelled dataset that comes of it.

pub mod area;
pub mod borders;
mod chance;
pub mod check;
pub mod client;
pub mod dataset;
pub mod estimate;
mod exif;
pub mod export;
pub mod extents;
pub mod folder;
pub mod geolonia;
pub mod gifts;
pub mod grid;
mod group;
#[cfg(any(test, fuzzing))]
pub mod hostile;
pub mod look;
pub mod mapillary;
pub mod meters;
pub mod offer;
pub mod picture;
pub mod plan;
pub mod run;
pub mod settings;
pub mod showcase;
pub mod stats;
pub mod streetview;
pub mod survey;
pub mod till;
pub mod trouble;
pub mod wire;
pub mod wish;

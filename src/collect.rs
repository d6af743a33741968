//! Collecting street imagery: a plan of points, sources that are asked there, a ledger of what was paid, and the
//! labelled dataset that comes of it.

pub mod area;
mod chance;
pub mod check;
pub mod client;
pub mod dataset;
pub mod export;
pub mod folder;
mod group;
pub mod look;
pub mod mapillary;
pub mod offer;
pub mod picture;
pub mod plan;
pub mod run;
pub mod settings;
pub mod showcase;
pub mod stats;
pub mod streetview;
pub mod till;
pub mod trouble;
pub mod wire;

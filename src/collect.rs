//! Collecting street imagery: a plan of points, sources that are asked there, a ledger of what was paid, and the
//! labelled dataset that comes of it.

pub mod area;
mod chance;
pub mod look;
pub mod plan;
pub mod settings;

//! The vocabulary of the project: plain values and the rules that hold between them.
//!
//! Nothing here does input or output, awaits, or reads a clock.

pub mod area;
pub mod border;
pub mod coordinate;
pub mod geocell;
pub mod imagery;
pub mod job;
pub mod metrics;
pub mod partition;
pub mod party;
pub mod prediction;
pub mod quiz;
pub mod score;
pub mod signing;
pub mod spend;
pub mod split;
pub mod street;

pub use area::Area;
pub use border::Border;
pub use coordinate::Coordinate;
pub use geocell::Geocell;
pub use party::{ChatRef, Platform, UserRef};
pub use prediction::{AreaProbability, ModelIdentity, Prediction, Timings};
pub use signing::SigningSecret;
pub use split::Split;

//! How good a model is: judged on photos of places that it was not trained on.

pub mod score;

pub use score::{Graded, Score, score};

//! The inference core: photo bytes in, calibrated answer out. Both chats, the page and the command line
//! share one.
//!
//! [`decode`] → [`preprocess`] → [`queue`] → [`onnx`] → [`crate::domain::Prediction`] and [`explain`].

pub mod decode;
pub mod explain;
pub mod manifest;
pub mod preprocess;

//! Training: photos in, a model (`model.onnx` and its manifest) out.
//!
//! [`data`] → [`augment`] → [`loader`] → [`engine`] fits a [`resnet`]; [`evaluate`] judges it.

pub mod augment;
pub mod data;
pub mod engine;
pub mod evaluate;
pub mod loader;
pub mod resnet;

//! Training: photos in, a model (`model.onnx` and its manifest) out.
//!
//! [`data`] → [`augment`] → [`loader`] → [`engine`] fits a [`resnet`] → [`fold`] → [`export`]; [`evaluate`],
//! [`calibrate`] and [`baseline`] judge it. [`builtin`] does it all, [`drawn`] for the drawn world. On the processor
//! [`convolve`] and [`normalise`] stand in for Burn's slower operations.

pub mod augment;
pub mod baseline;
pub mod builtin;
pub mod calibrate;
pub mod convolve;
pub mod data;
pub mod drawn;
pub mod engine;
pub mod evaluate;
pub mod export;
pub mod fold;
pub mod loader;
pub mod normalise;
pub mod onnx;
pub mod reference;
pub mod resnet;

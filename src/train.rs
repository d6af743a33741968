//! Training: photos in, a model (`model.onnx` and its manifest) out.

pub mod augment;
pub mod data;
pub mod resnet;

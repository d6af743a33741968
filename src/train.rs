//! Training: photos in, a model (`model.onnx` and its manifest) out.
//!
//! [`data`] (from a [`folder`], or drawn) → [`augment`] → [`loader`] → [`engine`] fits a [`resnet`] by a [`recipe`] →
//! [`fold`] → [`export`];
//! [`evaluate`], [`calibrate`], [`street`] and [`baseline`] judge it. The engine begins with the weights of [`start`] (from
//! [`weights`], or a seed), takes each [`step`], keeps an average ([`ema`]) and leaves a [`checkpoint`] an epoch.
//! [`cells`] makes labels of positions.
//! [`supply`] counts beforehand what a training by [`settings`] would get.
//! [`builtin`] does it all, [`drawn`] for the drawn world; [`head`] keeps a network and fits its last layer alone;
//! [`index`] makes the index of look-alikes of a finished model. On the
//! processor, and on a GPU (`gpu`), [`convolve`] and [`normalise`] stand in for Burn's slower operations.

pub mod augment;
pub mod baseline;
pub mod builtin;
pub mod calibrate;
pub mod cells;
pub mod checkpoint;
pub mod convolve;
pub mod data;
pub mod device;
pub mod drawn;
pub mod ema;
pub mod engine;
pub mod evaluate;
pub mod export;
pub mod fold;
pub mod folder;
#[cfg(feature = "cuda")]
mod gpu;
pub mod head;
pub mod index;
pub mod loader;
pub mod normalise;
pub mod onnx;
pub mod optimise;
pub mod parity;
mod passes;
pub mod pool;
pub mod progress;
pub mod recipe;
pub mod recycle;
pub mod reference;
pub mod resnet;
pub mod settings;
pub mod start;
pub mod step;
pub mod street;
pub mod supply;
pub mod weights;

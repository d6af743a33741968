//! Where a network is trained: on the processor, or on an NVIDIA GPU where the program was built for one.

use burn::tensor::Device;
use serde::Deserialize;
use thiserror::Error;

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Processor {
    /// The processor, on all cores.
    #[default]
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

/// Why a device cannot be had; it is never replaced by another one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DeviceError {
    /// The program lacks the feature.
    #[error("this program was built without CUDA: build it with `cargo build --release --features cuda`")]
    NotBuilt,
    /// There is no GPU, or no driver for it.
    #[error("no CUDA GPU was found: `nvidia-smi` must name one, and libcuda.so.1 of its driver must be in reach")]
    NoGpu,
}

impl Processor {
    /// Lower-case name, as in the configuration and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// See [`DeviceError`].
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            Self::Cuda => cuda(),
        }
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, DeviceError> {
    use burn::tensor::DeviceType;
    let first = Device::enumerate(DeviceType::Cuda).into_iter().next();
    first.ok_or(DeviceError::NoGpu)
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there_and_cuda_is_never_replaced() {
        assert_eq!(Processor::Cpu.open(), Ok(Device::flex()));
        match Processor::Cuda.open() {
            Ok(device) => assert_ne!(device, Device::flex()),
            Err(error) => {
                assert_eq!(error, if cfg!(feature = "cuda") { DeviceError::NoGpu } else { DeviceError::NotBuilt })
            }
        }
    }
}

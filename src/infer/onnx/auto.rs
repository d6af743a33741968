//! The quickest backend that this machine has.

use std::path::{Path, PathBuf};

use super::{Backend, Device, Network, environment};
use crate::infer::manifest::ModelFiles;

/// ONNX Runtime's part for CUDA, beside its library.
const CUDA_PART: &str = "libonnxruntime_providers_cuda.so";

/// What there is to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auto {
    /// ONNX Runtime's shared library, if one is named.
    pub library: Option<PathBuf>,
    /// How CUDA would compute: a [`Device::Cuda`].
    pub cuda: Device,
    /// Threads within one operator of ONNX Runtime on the processor; 0 lets it choose.
    pub threads: usize,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The backend.
    pub backend: Backend,
    /// Why this one, in words for the log.
    pub reason: String,
}

impl Auto {
    /// CUDA if the built-in model runs on it, else ONNX Runtime on the processor if its library loads, else tract.
    #[must_use]
    pub fn choose(&self) -> Choice {
        let Some(library) = &self.library else {
            let reason = "no ONNX Runtime is named by infer.onnxruntime_library or ORT_DYLIB_PATH";
            return Choice { backend: Backend::Tract, reason: reason.to_owned() };
        };
        let on = |device| Backend::OnnxRuntime { library: library.clone(), device, threads: self.threads };
        let cuda = on(self.cuda.clone());
        let without_cuda = match try_cuda(library, &cuda) {
            Ok(()) => return Choice { backend: cuda, reason: "CUDA runs the built-in model".to_owned() },
            Err(reason) => reason,
        };
        match environment(&on(Device::Cpu)) {
            Ok(_) => Choice { backend: on(Device::Cpu), reason: format!("no CUDA: {without_cuda}") },
            Err(error) => {
                Choice { backend: Backend::Tract, reason: format!("{} cannot be used: {error}", library.display()) }
            }
        }
    }
}

/// Runs the built-in model on CUDA once.
fn try_cuda(library: &Path, backend: &Backend) -> Result<(), String> {
    if !library.with_file_name(CUDA_PART).exists() {
        return Err(format!("there is no {CUDA_PART} beside {}", library.display()));
    }
    let model = ModelFiles::built_in().map_err(|error| error.to_string())?;
    Network::load(&model, backend).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::onnx::Precision;

    #[test]
    fn without_a_library_it_is_tract_and_a_reason_is_given() {
        let cuda = Device::Cuda { precision: Precision::F32, graphs: true };
        let nothing = Auto { library: None, cuda: cuda.clone(), threads: 0 }.choose();
        assert_eq!(nothing.backend, Backend::Tract);
        assert!(nothing.reason.contains("ORT_DYLIB_PATH"), "{}", nothing.reason);
        let library = Some(PathBuf::from("/nowhere/libonnxruntime.so"));
        let missing = Auto { library, cuda, threads: 0 }.choose();
        assert_eq!(missing.backend, Backend::Tract);
        assert!(missing.reason.contains("/nowhere/libonnxruntime.so cannot be used: "), "{}", missing.reason);
        let model = ModelFiles::built_in().expect("a sound program");
        assert!(Network::load(&model, &missing.backend).is_ok(), "what could not be loaded is not in the way");
    }
}

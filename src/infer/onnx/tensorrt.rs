//! TensorRT through ONNX Runtime: a network is compiled for the GPU at hand, which takes minutes, and kept.

use std::path::Path;

use ort::ep::{CUDA, ExecutionProviderDispatch, TensorRT};

/// Libraries that ONNX Runtime's TensorRT part needs besides CUDA's, each after those that it needs itself.
pub(super) const LIBRARIES: [&str; 3] = ["libnvinfer.so.", "libnvinfer_plugin.so.", "libnvonnxparser.so."];

/// ONNX Runtime's part for TensorRT, beside its library.
const PART: &str = "libonnxruntime_providers_tensorrt.so";

/// Photos in a run: the fewest, those that the network is tuned for, and the most without being compiled again.
const BATCHES: [usize; 3] = [1, 8, 128];

/// What to ask ONNX Runtime for, the first first. `half`: in 16 bits where that is quicker, else with factors rounded to 11
/// significant bits, which is what TensorRT does with float32. `size`: side of the network's input, pixels. Compiled networks
/// are kept in `engines`.
///
/// # Errors
/// What is missing, in words for whoever configured it.
pub(super) fn providers(
    library: &Path,
    half: bool,
    engines: &Path,
    size: usize,
) -> Result<[ExecutionProviderDispatch; 2], String> {
    if !library.with_file_name(PART).exists() {
        return Err(format!(
            "there is no {PART} beside {}: TensorRT needs the library of PyPI's onnxruntime-gpu, and PyPI's tensorrt",
            library.display()
        ));
    }
    std::fs::create_dir_all(engines)
        .map_err(|error| format!("{}, the folder for compiled networks: {error}", engines.display()))?;
    let [fewest, usual, most] = BATCHES.map(|batch| format!("input:{batch}x3x{size}x{size}"));
    let tensorrt = TensorRT::default()
        .with_fp16(half)
        .with_engine_cache(true)
        .with_engine_cache_path(engines.display())
        .with_timing_cache(true)
        .with_timing_cache_path(engines.display())
        .with_profile_min_shapes(fewest)
        .with_profile_opt_shapes(usual)
        .with_profile_max_shapes(most);
    // CUDA computes what TensorRT cannot.
    Ok([tensorrt.build().error_on_failure(), CUDA::default().build().error_on_failure()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_its_part_it_says_what_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let (library, engines) = (folder.path().join("libonnxruntime.so.1"), folder.path().join("engines"));
        let error = providers(&library, true, &engines, 128).err().expect("nothing is there");
        assert!(error.contains(PART) && error.contains("onnxruntime-gpu"), "{error}");
        assert!(!engines.exists());
        std::fs::write(folder.path().join(PART), "").unwrap();
        assert!(providers(&library, true, &engines, 128).is_ok());
        assert!(engines.exists());
        std::fs::write(&library, "").unwrap();
        let error = providers(&library, true, &library.join("engines"), 128).err().expect("a file is no folder");
        assert!(error.contains("the folder for compiled networks"), "{error}");
    }
}

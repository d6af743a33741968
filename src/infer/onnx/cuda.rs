//! ONNX Runtime on a CUDA GPU: where its libraries are, how the session is built, and runs as CUDA graphs.
//! [`super::tensorrt`] is the other way to compute there.

use std::path::{Path, PathBuf};

use ort::ep::{CUDA, ExecutionProviderDispatch};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, NoSelectedOutputs, RunOptions, Session, SessionOutputs};
use ort::value::{Tensor, TensorRef, TensorValueType};

use super::{OUTPUTS, Outputs};

/// How the GPU computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// float32 throughout: the answers of the processor, to about 1e-5.
    #[default]
    F32,
    /// Products on the matrix units, whose factors are rounded to 11 significant bits: probabilities to about 1e-3.
    Tf32,
}

/// What to ask ONNX Runtime for.
pub(super) fn provider(precision: Precision, graphs: bool) -> ExecutionProviderDispatch {
    CUDA::default().with_tf32(precision == Precision::Tf32).with_cuda_graph(graphs).build().error_on_failure()
}

/// Libraries that ONNX Runtime's CUDA part needs, each after those that it needs itself.
pub(super) const LIBRARIES: [&str; 8] = [
    "libcudart.so.",
    "libnvrtc.so.",
    "libnvJitLink.so.",
    "libcublasLt.so.",
    "libcublas.so.",
    "libcurand.so.",
    "libcufft.so.",
    "libcudnn.so.",
];

/// Loads such libraries of NVIDIA from the packages that pip puts beside ONNX Runtime's; what is not there is left to the
/// system's loader.
pub(super) fn preload(library: &Path, names: &[&str]) {
    for path in packaged_libraries(library, names) {
        if let Err(error) = ort::util::preload_dylib(&path) {
            tracing::debug!(path = %path.display(), %error, "library not loaded");
        }
    }
}

/// `SITE/onnxruntime/capi/libonnxruntime.so.1` to the files in `SITE/nvidia/*/lib` and `SITE/tensorrt_libs` whose names begin
/// so, in this order.
pub(super) fn packaged_libraries(library: &Path, names: &[&str]) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let Some(site) = library.ancestors().nth(3) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries(&site.join("nvidia")).iter().flat_map(|part| entries(&part.join("lib"))).collect();
    files.extend(entries(&site.join("tensorrt_libs")));
    let starts =
        |path: &Path, prefix: &str| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
    names.iter().flat_map(|prefix| files.iter().filter(|path| starts(path, prefix)).cloned()).collect()
}

/// A session whose runs are replayed as CUDA graphs: all kernels of a run are launched at once. A graph is bound to
/// one batch size and to fixed memory, so batches are filled up to the next power of two.
pub(super) struct Graphs {
    session: Session,
    side: usize,
    sizes: Vec<Fixed>,
    /// For a run without a graph.
    plain: RunOptions<NoSelectedOutputs>,
}

/// What runs of one batch size share.
struct Fixed {
    batch: usize,
    input: Tensor<f32>,
    binding: IoBinding,
    options: RunOptions<NoSelectedOutputs>,
    /// Copies of [`OUTPUTS`] in main memory.
    results: Vec<Tensor<f32>>,
}

impl Graphs {
    pub(super) fn new(session: Session, side: usize) -> ort::Result<Self> {
        let mut plain = RunOptions::new()?;
        plain.set("gpu_graph_id", "-1")?;
        Ok(Self { session, side, sizes: Vec::new(), plain })
    }

    /// Captures the graphs of all batches up to `max_batch`, so that no photo waits for it.
    pub(super) fn prepare(&mut self, max_batch: usize) -> ort::Result<()> {
        let mut batch = 1;
        loop {
            let values = vec![0.0; batch * 3 * self.side * self.side];
            // The first run chooses algorithms, the second is captured.
            self.run(batch, &values)?;
            self.run(batch, &values)?;
            if batch >= max_batch {
                return Ok(());
            }
            batch *= 2;
        }
    }

    pub(super) fn run(&mut self, batch: usize, input: &[f32]) -> ort::Result<Outputs> {
        let index = self.fixed(batch)?;
        let Self { session, side, sizes, .. } = self;
        let fixed = &mut sizes[index];
        let shape = [fixed.batch, 3, *side, *side];
        if batch == fixed.batch {
            TensorRef::from_array_view((shape, input))?.copy_into(&mut fixed.input)?;
        } else {
            let mut filled = input.to_vec();
            filled.resize(shape.iter().product(), 0.0);
            TensorRef::from_array_view((shape, &filled[..]))?.copy_into(&mut fixed.input)?;
        }
        let on_device = session.run_binding_with_options(&fixed.binding, &fixed.options)?;
        for (name, result) in OUTPUTS.iter().zip(&mut fixed.results) {
            on_device[*name].downcast_ref::<TensorValueType<f32>>()?.copy_into(result)?;
        }
        let [logits, cams, features] = &fixed.results[..] else { unreachable!("there is a result for each output") };
        let (shape, cams) = cams.extract_tensor();
        let ((_, logits), (_, features)) = (logits.extract_tensor(), features.extract_tensor());
        let part = |values: &[f32]| values[..values.len() / fixed.batch * batch].to_vec();
        let grid = (shape[2] as usize, shape[3] as usize);
        Ok(Outputs { logits: part(logits), cams: part(cams), grid, features: part(features) })
    }

    /// Where the smallest size is that holds a batch.
    fn fixed(&mut self, batch: usize) -> ort::Result<usize> {
        let batch = batch.next_power_of_two();
        if let Some(index) = self.sizes.iter().position(|fixed| fixed.batch == batch) {
            return Ok(index);
        }
        let fixed = self.fix(batch)?;
        self.sizes.push(fixed);
        Ok(self.sizes.len() - 1)
    }

    fn fix(&mut self, batch: usize) -> ort::Result<Fixed> {
        let shape = [batch, 3, self.side, self.side];
        let shapes = self.shapes(&shape)?;
        let memory = MemoryInfo::new(AllocationDevice::CUDA, 0, AllocatorType::Device, MemoryType::Default)?;
        let device = Allocator::new(&self.session, memory)?;
        let input = Tensor::<f32>::new(&device, shape)?;
        let mut binding = self.session.create_binding()?;
        binding.bind_input("input", &input)?;
        let mut results = Vec::with_capacity(shapes.len());
        for (name, shape) in OUTPUTS.iter().zip(shapes) {
            binding.bind_output(*name, Tensor::<f32>::new(&device, shape.clone())?)?;
            results.push(Tensor::<f32>::new(&Allocator::default(), shape)?);
        }
        let mut options = RunOptions::new()?;
        options.set("gpu_graph_id", batch.to_string())?;
        Ok(Fixed { batch, input, binding, options, results })
    }

    /// A run without a graph, with all outputs.
    pub(super) fn run_plainly(&mut self, input: TensorRef<'_, f32>) -> ort::Result<SessionOutputs<'_>> {
        self.session.run_with_options(ort::inputs!["input" => input], &self.plain)
    }

    /// Shapes of [`OUTPUTS`], from a run without a graph.
    fn shapes(&mut self, shape: &[usize; 4]) -> ort::Result<Vec<Vec<i64>>> {
        let values = vec![0.0_f32; shape.iter().product()];
        let run = self.run_plainly(TensorRef::from_array_view((*shape, &values[..]))?)?;
        OUTPUTS.iter().map(|name| Ok(run[*name].try_extract_tensor::<f32>()?.0.to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_beside_onnx_runtimes_and_in_order() {
        let site = tempfile::tempdir().unwrap();
        let touch = |path: &str| {
            let path = site.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let library = touch("onnxruntime/capi/libonnxruntime.so.1.31.1");
        let cudnn = touch("nvidia/cudnn/lib/libcudnn.so.9");
        touch("nvidia/cudnn/lib/libcudnn_cnn.so.9");
        let light = touch("nvidia/cu13/lib/libcublasLt.so.13");
        let full = touch("nvidia/cu13/lib/libcublas.so.13");
        let runtime = touch("nvidia/cu13/lib/libcudart.so.13");
        let parser = touch("tensorrt_libs/libnvonnxparser.so.10");
        let tensorrt = touch("tensorrt_libs/libnvinfer.so.10");
        assert_eq!(packaged_libraries(&library, &LIBRARIES), [runtime, light, full, cudnn]);
        assert_eq!(packaged_libraries(&library, &crate::infer::onnx::tensorrt::LIBRARIES), [tensorrt, parser]);
        assert!(packaged_libraries(Path::new("libonnxruntime.so"), &LIBRARIES).is_empty());
    }
}

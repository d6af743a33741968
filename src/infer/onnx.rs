//! The network: an `ort` session over tract, ONNX Runtime on the CPU, or ONNX Runtime on CUDA.

use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;

use ort::environment::Environment;
use ort::ep::{CPU, CUDA};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::manifest::{Manifest, ModelError, ModelFiles};
use super::queue::Run;

/// What runs the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// tract: pure Rust, nothing to install.
    #[default]
    Tract,
    /// ONNX Runtime, loaded when the program starts.
    OnnxRuntime {
        /// The shared library, `libonnxruntime.so`.
        library: PathBuf,
        /// Where it computes.
        device: Device,
        /// Threads within one operator; 0 lets ONNX Runtime choose.
        threads: usize,
    },
}

/// Where ONNX Runtime computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first CUDA GPU. If it cannot be had, loading fails: never a silent fallback.
    Cuda,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tract => "tract",
            Self::OnnxRuntime { device: Device::Cpu, .. } => "onnxruntime-cpu",
            Self::OnnxRuntime { device: Device::Cuda, .. } => "onnxruntime-cuda",
        })
    }
}

/// The outputs of one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// `[batch, labels]`, unscaled.
    pub logits: Vec<f32>,
    /// Class activation maps, `[batch, labels, rows, columns]`: their mean over rows and columns is the logit.
    pub cams: Vec<f32>,
    /// Rows and columns of a map.
    pub grid: (usize, usize),
}

/// A loaded network.
pub struct Network {
    session: Session,
    size: usize,
}

impl Network {
    /// Loads a model and runs it once, so that a network that doesn't fit its manifest is found now and not
    /// with the first photo.
    ///
    /// # Errors
    /// [`ModelError::Backend`] in the backend's own words.
    pub fn load(files: &ModelFiles, backend: &Backend) -> Result<Self, ModelError> {
        let refuse = |detail: String| ModelError::Backend { backend: backend.to_string(), detail };
        let environment = environment(backend).map_err(refuse)?;
        let session = open(&environment, &files.onnx, backend).map_err(|error| refuse(error.to_string()))?;
        let mut network = Self { session, size: files.manifest.input.size as usize };
        network.rehearse(&files.manifest).map_err(refuse)?;
        Ok(network)
    }

    /// The pooled features of a batch, `[batch, channels]`; `input` has shape `[batch, 3, size, size]`, normalised.
    ///
    /// # Errors
    /// The backend's own words.
    pub fn features(&mut self, batch: usize, input: &[f32]) -> Result<Vec<f32>, String> {
        let shape = [batch, 3, self.size, self.size];
        let input = TensorRef::from_array_view((shape, input)).map_err(|error| error.to_string())?;
        let outputs = self.session.run(ort::inputs!["input" => input]).map_err(|error| error.to_string())?;
        let features = outputs.get("features").ok_or("the network has no output `features`")?;
        let (_, values) = features.try_extract_tensor::<f32>().map_err(|error| error.to_string())?;
        Ok(values.to_vec())
    }

    fn rehearse(&mut self, manifest: &Manifest) -> Result<(), String> {
        let grey = vec![0.0; manifest.input.values()];
        let outputs = self.run(1, &grey)?;
        let (labels, cells) = (manifest.labels.len(), outputs.grid.0 * outputs.grid.1);
        if outputs.logits.len() != labels {
            return Err(format!("the network has {} logits, its manifest {labels} labels", outputs.logits.len()));
        }
        if cells == 0 || outputs.cams.len() != labels * cells {
            return Err(format!("output `cams` has {} values, not {labels} x {cells}", outputs.cams.len()));
        }
        Ok(())
    }
}

impl Run for Network {
    fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
        let shape = [batch, 3, self.size, self.size];
        let input = TensorRef::from_array_view((shape, input)).map_err(|error| error.to_string())?;
        let outputs = self.session.run(ort::inputs!["input" => input]).map_err(|error| error.to_string())?;
        let extract = |name: &str| -> Result<(Vec<usize>, Vec<f32>), String> {
            let value = outputs.get(name).ok_or_else(|| format!("the network has no output `{name}`"))?;
            let (shape, values) = value.try_extract_tensor::<f32>().map_err(|error| error.to_string())?;
            Ok((shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect(), values.to_vec()))
        };
        let (_, logits) = extract("logits")?;
        let (shape, cams) = extract("cams")?;
        match shape[..] {
            [_, _, rows, columns] => Ok(Outputs { logits, cams, grid: (rows, columns) }),
            _ => Err(format!("output `cams` has shape {shape:?}, not [batch, labels, rows, columns]")),
        }
    }
}

fn open(environment: &Environment, onnx: &[u8], backend: &Backend) -> ort::Result<Session> {
    let builder = Session::builder(environment)?;
    let mut builder = match backend {
        Backend::Tract => builder.with_optimization_level(GraphOptimizationLevel::All)?,
        Backend::OnnxRuntime { device, threads, .. } => {
            let builder = builder.with_optimization_level(GraphOptimizationLevel::All)?;
            let builder = if *threads > 0 { builder.with_intra_threads(*threads)? } else { builder };
            builder.with_execution_providers([match device {
                Device::Cpu => CPU::default().build(),
                Device::Cuda => CUDA::default().build().error_on_failure(),
            }])?
        }
    };
    builder.commit_from_memory(onnx)
}

/// The process has one `ort` API: the first backend chosen stays.
static CHOSEN: Mutex<Option<(Backend, Environment)>> = Mutex::new(None);

fn environment(backend: &Backend) -> Result<Environment, String> {
    let mut chosen = CHOSEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((first, environment)) = chosen.as_ref() {
        return if same_library(first, backend) {
            Ok(environment.clone())
        } else {
            Err(format!("this process already runs {first}; start another one for {backend}"))
        };
    }
    let builder = match backend {
        Backend::Tract => {
            ort::set_api(ort_tract::api());
            ort::init()
        }
        Backend::OnnxRuntime { library, .. } => ort::init_from(library).map_err(|error| error.to_string())?,
    };
    let environment = builder.with_name("kokodoko").build().map_err(|error| error.to_string())?;
    *chosen = Some((backend.clone(), environment.clone()));
    Ok(environment)
}

fn same_library(a: &Backend, b: &Backend) -> bool {
    match (a, b) {
        (Backend::Tract, Backend::Tract) => true,
        (Backend::OnnxRuntime { library: a, .. }, Backend::OnnxRuntime { library: b, .. }) => a == b,
        _ => false,
    }
}

//! The network: an `ort` session over tract, or over ONNX Runtime on the CPU, on CUDA or with TensorRT.

mod auto;
mod cuda;
mod tensorrt;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;
use ort::ep::{CPU, ExecutionProviderDispatch};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionOutputs};
use ort::value::TensorRef;

use super::kserve::{Remote, Server};
use super::manifest::{ModelError, ModelFiles};
use super::queue::Run;

pub use auto::{Auto, Choice};
pub use cuda::Precision;

/// What is asked of the network; it may have more outputs.
const OUTPUTS: [&str; 3] = ["logits", "cams", "features"];

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
    /// A server that runs it, by the Open Inference Protocol v2.
    Kserve(Server),
}

/// Where ONNX Runtime computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first CUDA GPU. If it cannot be had, loading fails: never a silent fallback.
    Cuda {
        /// How it computes.
        precision: Precision,
        /// Whether runs are captured as CUDA graphs and replayed.
        graphs: bool,
    },
    /// TensorRT on the first CUDA GPU, likewise without a fallback to the processor.
    TensorRt {
        /// 16 bits a number where that is quicker; else factors are rounded as with [`Precision::Tf32`].
        half: bool,
        /// Folder where compiled networks are kept.
        engines: PathBuf,
    },
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tract => "tract",
            Self::Kserve(_) => "kserve",
            Self::OnnxRuntime { device: Device::Cpu, .. } => "onnxruntime-cpu",
            Self::OnnxRuntime { device: Device::Cuda { precision, .. }, .. } => match precision {
                Precision::F32 => "onnxruntime-cuda",
                Precision::Tf32 => "onnxruntime-cuda-tf32",
            },
            Self::OnnxRuntime { device: Device::TensorRt { half: false, .. }, .. } => "onnxruntime-tensorrt-tf32",
            Self::OnnxRuntime { device: Device::TensorRt { half: true, .. }, .. } => "onnxruntime-tensorrt-f16",
        })
    }
}

/// The outputs of one batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// `[batch, labels]`, unscaled.
    pub logits: Vec<f32>,
    /// Class activation maps, `[batch, labels, rows, columns]`: their mean over rows and columns is the logit.
    pub cams: Vec<f32>,
    /// Rows and columns of a map.
    pub grid: (usize, usize),
    /// Globally pooled features, `[batch, channels]`; empty where what runs has none.
    pub features: Vec<f32>,
}

/// A loaded network.
pub struct Network {
    engine: Engine,
    size: usize,
}

/// How a session is run.
enum Engine {
    /// tract: its session knows no options.
    Plain(Session),
    /// Asks for no more outputs than are used.
    Selected(Session, RunOptions<HasSelectedOutputs>),
    /// Replays CUDA graphs.
    Graphs(cuda::Graphs),
    /// On a server.
    Remote(Remote),
}

impl Network {
    /// Loads a model and runs it once, so that a network that doesn't fit its manifest is found now and not
    /// with the first photo.
    ///
    /// # Errors
    /// [`ModelError::Backend`] in the backend's own words.
    pub fn load(files: &ModelFiles, backend: &Backend) -> Result<Self, ModelError> {
        let refuse = |detail: String| ModelError::Backend { backend: backend.to_string(), detail };
        let size = files.manifest.input.size as usize;
        let engine = match backend {
            Backend::Kserve(server) => Engine::Remote(Remote::connect(server, &files.manifest).map_err(refuse)?),
            Backend::Tract | Backend::OnnxRuntime { .. } => {
                let environment = environment(backend).map_err(refuse)?;
                open(&environment, &files.onnx, backend, size).map_err(refuse)?
            }
        };
        let mut network = Self { engine, size };
        network.rehearse(files).map_err(refuse)?;
        Ok(network)
    }

    /// The pooled features of a batch, `[batch, channels]`; `input` has shape `[batch, 3, size, size]`, normalised.
    ///
    /// # Errors
    /// The backend's own words.
    pub fn features(&mut self, batch: usize, input: &[f32]) -> Result<Vec<f32>, String> {
        // Graphs are made for certain sizes of batches only.
        if let Engine::Graphs(graphs) = &mut self.engine {
            let shape = [batch, 3, self.size, self.size];
            let input = TensorRef::from_array_view((shape, input)).map_err(|error| error.to_string())?;
            let named = graphs.run_plainly(input).map_err(|error| error.to_string())?;
            return Ok(outputs(&named)?.features);
        }
        Ok(self.run(batch, input)?.features)
    }

    fn rehearse(&mut self, files: &ModelFiles) -> Result<(), String> {
        let manifest = &files.manifest;
        let grey = vec![0.0; manifest.input.values()];
        let outputs = self.run(1, &grey)?;
        let (labels, cells) = (manifest.labels.len(), outputs.grid.0 * outputs.grid.1);
        if outputs.logits.len() != labels {
            return Err(format!("the network has {} logits, its manifest {labels} labels", outputs.logits.len()));
        }
        if cells == 0 || outputs.cams.len() != labels * cells {
            return Err(format!("output `cams` has {} values, not {labels} x {cells}", outputs.cams.len()));
        }
        let (channels, indexed) = (outputs.features.len(), files.index.as_ref().map(|index| index.dimensions()));
        if indexed.is_some_and(|indexed| indexed != channels) {
            return Err(format!("the network has {channels} features, its index {}", indexed.unwrap_or_default()));
        }
        Ok(())
    }
}

impl Run for Network {
    // Profiles find it by its name.
    #[inline(never)]
    fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
        let shape = [batch, 3, self.size, self.size];
        let input_tensor = || TensorRef::from_array_view((shape, input)).map_err(|error| error.to_string());
        let named = match &mut self.engine {
            Engine::Plain(session) => session.run(ort::inputs!["input" => input_tensor()?]),
            Engine::Selected(session, options) => {
                session.run_with_options(ort::inputs!["input" => input_tensor()?], options)
            }
            Engine::Graphs(graphs) => return graphs.run(batch, input).map_err(|error| error.to_string()),
            Engine::Remote(remote) => return remote.run(batch, input),
        };
        outputs(&named.map_err(|error| error.to_string())?)
    }

    fn prepare(&mut self, max_batch: usize) -> Result<(), String> {
        match &mut self.engine {
            Engine::Graphs(graphs) => graphs.prepare(max_batch).map_err(|error| error.to_string()),
            Engine::Plain(_) | Engine::Selected(..) | Engine::Remote(_) => Ok(()),
        }
    }
}

fn outputs(named: &SessionOutputs) -> Result<Outputs, String> {
    let extract = |name: &str| -> Result<(Vec<usize>, Vec<f32>), String> {
        let value = named.get(name).ok_or_else(|| format!("the network has no output `{name}`"))?;
        let (shape, values) = value.try_extract_tensor::<f32>().map_err(|error| error.to_string())?;
        Ok((shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect(), values.to_vec()))
    };
    let (_, logits) = extract("logits")?;
    let (_, features) = extract("features")?;
    let (shape, cams) = extract("cams")?;
    match shape[..] {
        [_, _, rows, columns] => Ok(Outputs { logits, cams, grid: (rows, columns), features }),
        _ => Err(format!("output `cams` has shape {shape:?}, not [batch, labels, rows, columns]")),
    }
}

fn open(environment: &Environment, onnx: &[u8], backend: &Backend, size: usize) -> Result<Engine, String> {
    let providers = match backend {
        Backend::OnnxRuntime { library, device, .. } => providers(library, device, size)?,
        Backend::Tract | Backend::Kserve(_) => Vec::new(),
    };
    session(environment, onnx, backend, &providers, size).map_err(|error| error.to_string())
}

/// What to ask ONNX Runtime for, the first first.
fn providers(library: &Path, device: &Device, size: usize) -> Result<Vec<ExecutionProviderDispatch>, String> {
    match device {
        Device::Cpu => Ok(vec![CPU::default().build()]),
        Device::Cuda { precision, graphs } => Ok(vec![cuda::provider(*precision, *graphs)]),
        Device::TensorRt { half, engines } => tensorrt::providers(library, *half, engines, size).map(Vec::from),
    }
}

fn session(
    environment: &Environment,
    onnx: &[u8],
    backend: &Backend,
    providers: &[ExecutionProviderDispatch],
    size: usize,
) -> ort::Result<Engine> {
    let builder = Session::builder(environment)?.with_optimization_level(GraphOptimizationLevel::All)?;
    let Backend::OnnxRuntime { device, threads, .. } = backend else {
        let mut builder = builder;
        return Ok(Engine::Plain(builder.commit_from_memory(onnx)?));
    };
    let builder = if *threads > 0 { builder.with_intra_threads(*threads)? } else { builder };
    let mut builder = builder.with_execution_providers(providers)?;
    let session = builder.commit_from_memory(onnx)?;
    if matches!(device, Device::Cuda { graphs: true, .. }) {
        return Ok(Engine::Graphs(cuda::Graphs::new(session, size)?));
    }
    let selected = OUTPUTS.iter().fold(OutputSelector::no_default(), |selector, name| selector.with(*name));
    Ok(Engine::Selected(session, RunOptions::new()?.with_outputs(selected)))
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
        Backend::Kserve(_) => return Err("a server needs no library".to_owned()),
        Backend::OnnxRuntime { library, device, .. } => {
            if *device != Device::Cpu {
                cuda::preload(library, &cuda::LIBRARIES);
            }
            if matches!(device, Device::TensorRt { .. }) {
                cuda::preload(library, &tensorrt::LIBRARIES);
            }
            ort::init_from(library).map_err(|error| error.to_string())?
        }
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

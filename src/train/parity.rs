//! One training step on fixed weights and a fixed batch, for the comparison with PyTorch (`tests/parity/train_step.py`
//! and the values that it left in `tests/parity/step-*.json`).

use std::path::Path;

use burn::module::{Module, Param, RunningState};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::evaluate::values;
use super::export::{Options, Precision, export};
use super::loader::Batch;
use super::recipe::Optimiser;
use super::recycle::Recycling;
use super::resnet::{Arch, ConvNorm, ResNet, ResNetConfig};
use super::start::seeded;
use super::step::Stepper;
use super::weights::{StateDict, WeightsError, collect, collect_gradients, load, read, to_safetensors};

/// Labels of the networks.
const LABELS: usize = 7;
/// Photos of the batch.
const BATCH: usize = 6;
/// Their side, pixels.
const SIDE: usize = 64;
/// Share of the target that is spread over all labels.
const SMOOTHING: f32 = 0.1;
/// Of the step.
const LEARNING_RATE: f64 = 1e-3;

/// A step, and what it was made of.
pub struct Step {
    /// Weights before.
    pub start: StateDict,
    /// The batch, as [`Batch`] has it.
    pub batch: Batch,
    /// Logits of the batch before the step, in inference form.
    pub logits: Vec<f32>,
    /// The network before the step, exported.
    pub onnx: Vec<u8>,
    /// Loss of the batch, nats.
    pub loss: f32,
    /// Gradient of each weight.
    pub gradients: StateDict,
    /// Weights and running statistics after a step of Adam.
    pub after: StateDict,
}

/// Makes a step on the processor.
#[must_use]
pub fn step(arch: Arch) -> Step {
    let device = Device::flex().autodiff();
    let mut model = network(arch, &device);
    let mut plain = model.valid();
    let start = collect(&mut plain, arch);
    let batch = batch();
    let input = Tensor::<4>::from_data(TensorData::new(batch.pixels.clone(), batch.shape), &device.clone().inner());
    let logits = values(plain.forward(input).logits.into_data());
    let onnx = export(&plain, Options { precision: Precision::F32, side: None });
    let mut stepper = Stepper {
        loss: CrossEntropyLossConfig::new().with_smoothing(Some(SMOOTHING)).init(&device),
        optimiser: Optimiser::Adam.build(0.0, &device),
        parts: 1,
        mixed: false,
        forward: &|model: &ResNet, input| model.forward(input).logits,
        device,
        recycling: Recycling::start(),
    };
    let (gradients, loss): (GradientsParams, Tensor<1>) = stepper.gradients(&model, &batch);
    let named = collect_gradients(&mut model, arch, &gradients);
    let after = stepper.optimiser.step(LEARNING_RATE, model, gradients);
    Step {
        start,
        batch,
        logits,
        onnx,
        loss: loss.into_scalar(),
        gradients: named,
        after: collect(&mut after.valid(), arch),
    }
}

/// Share of the usual scale that the last normalisation of a block has, as if training had only begun to move it from its
/// start at 0. At full scale rounding grows from block to block until some ReLU lets a gradient through in float32 and not
/// in float64: PyTorch's own float32 is then off by 2e-2 in a ResNet-50, and nothing is learnt about the code.
const LAST_SCALE: f32 = 0.1;

/// A network whose normalisations have all learnt something, so that a fault in them shows.
fn network(arch: Arch, device: &Device) -> ResNet {
    let mut model = seeded(&ResNetConfig::new(arch, LABELS), 11, device);
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for layer in model.layers_mut() {
        randomise(layer, &mut rng, 1.0, device);
    }
    for last in model.blocks.iter_mut().filter_map(|block| block.body.last_mut()) {
        randomise(last, &mut rng, LAST_SCALE, device);
    }
    model
}

/// Gives a normalisation random weights and statistics, its factors 0.4 to 0.9 times `scale`.
fn randomise(layer: &mut ConvNorm, rng: &mut ChaCha8Rng, scale: f32, device: &Device) {
    let [channels] = layer.norm.gamma.dims();
    let mut random = |low: f32, high: f32| {
        let values = (0..channels).map(|_| rng.random_range(low..high)).collect::<Vec<f32>>();
        Tensor::<1>::from_data(TensorData::new(values, [channels]), device)
    };
    layer.norm.gamma = Param::from_tensor(random(0.4 * scale, 0.9 * scale));
    layer.norm.beta = Param::from_tensor(random(-0.2, 0.2));
    layer.norm.running_mean = RunningState::new(random(-0.3, 0.3));
    layer.norm.running_var = RunningState::new(random(0.8, 2.0));
}

fn batch() -> Batch {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let pixels = (0..BATCH * 3 * SIDE * SIDE).map(|_| rng.random_range(-2.0..2.0)).collect();
    Batch { pixels, shape: [BATCH, 3, SIDE, SIDE], labels: (0..BATCH as i64).collect() }
}

/// What the script must know besides the tensors.
#[derive(Serialize)]
struct Facts {
    shape: [usize; 4],
    labels: Vec<i64>,
    smoothing: f32,
    learning_rate: f64,
    loss: f32,
    logits: Vec<f32>,
}

/// Writes the steps of ResNet-18 and ResNet-50 to a folder: `NAME.start`, `NAME.gradients` and `NAME.after`
/// (`.safetensors`), `NAME.input` (raw little-endian float32), `NAME.onnx` and `NAME.json`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(out: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(out)?;
    for arch in [Arch::ResNet18, Arch::ResNet50] {
        let step = step(arch);
        let path = |end: &str| out.join(format!("{}.{end}", arch.name()));
        for (name, weights) in [("start", &step.start), ("gradients", &step.gradients), ("after", &step.after)] {
            std::fs::write(path(&format!("{name}.safetensors")), to_safetensors(weights))?;
        }
        let input: Vec<u8> = step.batch.pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(path("input"), input)?;
        std::fs::write(path("onnx"), &step.onnx)?;
        let facts = Facts {
            shape: step.batch.shape,
            labels: step.batch.labels,
            smoothing: SMOOTHING,
            learning_rate: LEARNING_RATE,
            loss: step.loss,
            logits: step.logits,
        };
        std::fs::write(path("json"), serde_json::to_vec(&facts)?)?;
    }
    Ok(())
}

/// Reads weights into the network that the file is named after, and writes them again: `NAME.weights.safetensors`.
///
/// # Errors
/// When the file cannot be read, is named after no network, or another one cannot be written.
pub fn read_back(weights: &Path, out: &Path) -> Result<(), WeightsError> {
    let refuse = |detail: &str| WeightsError::Unreadable { path: weights.to_owned(), detail: detail.to_owned() };
    let name = weights.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let arch = Arch::ALL.into_iter().find(|arch| arch.name() == name);
    let arch = arch.ok_or_else(|| refuse("its name is that of no network"))?;
    let device = Device::flex();
    let mut model = ResNetConfig::new(arch, LABELS).init(&device);
    load(&mut model, arch, &read(weights)?, &device)?;
    let again = to_safetensors(&collect(&mut model, arch));
    std::fs::write(out.join(format!("{name}.weights.safetensors")), again).map_err(|error| refuse(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    /// What PyTorch computed in float64 (`tests/parity/train_step.py --write`).
    #[derive(Deserialize)]
    struct Stored {
        loss: f64,
        logits: Vec<f64>,
        gradients: BTreeMap<String, Sample>,
        running: BTreeMap<String, Sample>,
    }

    /// A tensor, in short.
    #[derive(Deserialize)]
    struct Sample {
        norm: f64,
        /// Index (row-major) and value of its largest entries.
        largest: Vec<(usize, f64)>,
    }

    fn floats(weights: &StateDict, name: &str) -> Vec<f64> {
        let entry = weights.get(name).unwrap_or_else(|| panic!("no {name}"));
        entry.bytes.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
    }

    fn check(kind: &str, ours: &StateDict, stored: &BTreeMap<String, Sample>) {
        for (name, sample) in stored {
            let values = floats(ours, name);
            let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
            assert!((norm - sample.norm).abs() <= 1e-3 * sample.norm, "{kind} {name}: {norm} {}", sample.norm);
            for &(index, value) in &sample.largest {
                let error = (values[index] - value).abs();
                assert!(error <= 1e-3 * value.abs(), "{kind} {name}[{index}]: {} {value}", values[index]);
            }
        }
    }

    fn agrees(arch: Arch, stored: &str) {
        let stored: Stored = serde_json::from_str(stored).unwrap();
        let step = step(arch);
        assert!((f64::from(step.loss) - stored.loss).abs() < 1e-4, "{} {}", step.loss, stored.loss);
        for (ours, theirs) in step.logits.iter().zip(&stored.logits) {
            assert!((f64::from(*ours) - theirs).abs() < 1e-4, "{ours} {theirs}");
        }
        assert_eq!(stored.gradients.keys().collect::<Vec<_>>(), step.gradients.keys().collect::<Vec<_>>());
        check("after", &step.after, &stored.running);
        check("gradient", &step.gradients, &stored.gradients);
    }

    #[test]
    fn a_step_of_resnet_18_is_pytorchs() {
        agrees(Arch::ResNet18, include_str!("../../tests/parity/step-resnet18.json"));
    }

    #[test]
    fn a_step_of_resnet_50_is_pytorchs() {
        agrees(Arch::ResNet50, include_str!("../../tests/parity/step-resnet50.json"));
    }

    /// Three steps of each optimiser on one weight vector, against `torch.optim` (2.x, float64, lr 0.1, weight decay
    /// 0.01), as tests/parity/train_step.py prints them.
    #[test]
    fn optimisers_are_pytorchs() {
        let stored: BTreeMap<String, Vec<f64>> =
            serde_json::from_str(include_str!("../../tests/parity/optimisers.json")).unwrap();
        for (name, optimiser) in [("adam", Optimiser::Adam), ("adamw", Optimiser::AdamW), ("sgd", Optimiser::Sgd)] {
            let device = Device::flex().autodiff();
            let vector = |values: [f32; 4]| Tensor::<2>::from_floats([values], &device);
            let mut layer = burn::nn::LinearConfig::new(1, 4).with_bias(false).init(&device);
            layer.weight = Param::from_tensor(vector([1.0, -2.0, 0.5, 0.0]));
            let mut optimiser = optimiser.build(0.01, &device);
            for gradient in [[0.1, -0.2, 0.3, 1e-3], [0.2, 0.1, -0.3, 1e-3], [-0.1, 0.4, 0.05, 1e-3]] {
                let mut gradients = GradientsParams::new();
                gradients.register(layer.weight.id, vector(gradient).inner());
                layer = optimiser.step(0.1, layer, gradients);
            }
            for (ours, theirs) in values(layer.weight.val().into_data()).iter().zip(&stored[name]) {
                assert!((f64::from(*ours) - theirs).abs() < 1e-5, "{name}: {ours} {theirs}");
            }
        }
    }
}

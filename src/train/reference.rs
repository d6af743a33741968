//! Networks with inputs and Burn's own outputs, for the check of the exporter against ONNX Runtime
//! (`tests/parity/check_export.py`) and tract.

use std::path::Path;

use burn::module::{Module, Param, RunningState};
use burn::tensor::{Device, Distribution, Tensor};

use super::evaluate::values;
use super::export::{Options, Precision, export};
use super::fold::quantise;
use super::resnet::{Arch, ResNet, ResNetConfig};

/// Labels of the reference networks.
const LABELS: usize = 7;
/// Pictures of the reference input; another number than any side, so that a mixed-up axis shows.
const BATCH: usize = 2;
/// Side of the reference input, pixels.
const SIDE: usize = 64;

/// A network in both forms.
pub struct Reference {
    /// `resnet18-int8`.
    pub name: String,
    /// The exported model.
    pub onnx: Vec<u8>,
    /// `[2, 3, 64, 64]`.
    pub input: Vec<f32>,
    /// What Burn computes, by the name of the output.
    pub outputs: Vec<(&'static str, Vec<f32>)>,
}

/// A network with random weights whose normalisations have all learnt something, so that a fault in folding them
/// shows.
fn network(arch: Arch, device: &Device) -> ResNet {
    let config = ResNetConfig { zero_init: false, ..ResNetConfig::new(arch, LABELS) };
    let mut model = config.init(device).valid();
    for layer in model.layers_mut() {
        let [channels] = layer.norm.gamma.dims();
        let random = |low: f64, high: f64| Tensor::<1>::random([channels], Distribution::Uniform(low, high), device);
        layer.norm.gamma = Param::from_tensor(random(0.4, 0.9));
        layer.norm.beta = Param::from_tensor(random(-0.2, 0.2));
        layer.norm.running_mean = RunningState::new(random(-0.3, 0.3));
        layer.norm.running_var = RunningState::new(random(0.8, 2.0));
    }
    model
}

/// Builds the reference of an architecture.
#[must_use]
pub fn reference(arch: Arch, precision: Precision, side: Option<u32>) -> Reference {
    let device = Device::flex();
    device.seed(11);
    let mut model = network(arch, &device);
    if precision == Precision::Int8 {
        model = quantise(model);
    }
    let input = Tensor::<4>::random([BATCH, 3, SIDE, SIDE], Distribution::Normal(0.0, 1.0), &device);
    let out = model.forward(input.clone());
    let precision_name = format!("{precision:?}").to_lowercase();
    let form = if side.is_some() { "-fixed" } else { "" };
    Reference {
        name: format!("{}-{precision_name}{form}", arch.name()),
        onnx: export(&model, Options { precision, side }),
        input: values(input.into_data()),
        outputs: vec![
            ("logits", values(out.logits.into_data())),
            ("features", values(out.features.into_data())),
            ("feature_map", values(out.feature_map.into_data())),
        ],
    }
}

/// Writes `NAME.onnx`, `NAME.input` and `NAME.OUTPUT` (raw little-endian float32) for each architecture, as float32
/// and as int8, of free and of fixed size.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(out: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(out)?;
    let raw = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    for arch in Arch::ALL {
        for (precision, side) in [(Precision::F32, None), (Precision::Int8, None), (Precision::Int8, Some(SIDE as u32))] {
            let reference = reference(arch, precision, side);
            let path = |end: &str| out.join(format!("{}.{end}", reference.name));
            std::fs::write(path("onnx"), &reference.onnx)?;
            std::fs::write(path("input"), raw(&reference.input))?;
            for (name, values) in &reference.outputs {
                std::fs::write(path(name), raw(values))?;
            }
        }
    }
    Ok(())
}

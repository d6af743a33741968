//! Weights under torchvision's names: pretrained ones in, ours out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::{Param, RunningState};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData, f16};
use thiserror::Error;

use super::resnet::{Arch, ConvNorm, ResNet};

/// Tensors by their names in torchvision: `layer1.0.conv1.weight`.
pub type StateDict = BTreeMap<String, Entry>;

/// A tensor of float32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Lengths, outermost first.
    pub shape: Vec<usize>,
    /// Row-major, four little-endian bytes a value: copied as a block, never value by value.
    pub bytes: Vec<u8>,
}

/// Weights that do not fit.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WeightsError {
    /// No such file, or not what its name says.
    #[error("cannot read the weights {}: {detail}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// A file of another kind.
    #[error("{} is neither .safetensors nor .pth: give torchvision's weights, or --from the folder of a training", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// A tensor that the architecture needs is not there.
    #[error("the weights have no `{name}`: they are not a torchvision {arch}")]
    Missing {
        /// The tensor.
        name: String,
        /// The recipe's architecture.
        arch: &'static str,
    },
    /// A tensor of another shape.
    #[error("`{name}` is {found:?} where a {arch} has {wanted:?}: the weights are of another architecture")]
    Shape {
        /// The tensor.
        name: String,
        /// The recipe's architecture.
        arch: &'static str,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the network.
        wanted: Vec<usize>,
    },
}

/// Reads `.safetensors`, or `.pth` and `.pt` as `torch.save` writes a state dict; no code in the file is run.
///
/// # Errors
/// See [`WeightsError`].
pub fn read(path: &Path) -> Result<StateDict, WeightsError> {
    let refuse = |detail: String| WeightsError::Unreadable { path: path.to_owned(), detail };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => {
            let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
            read_safetensors(&bytes).map_err(refuse)
        }
        Some("pth" | "pt") => read_pytorch(path).map_err(refuse),
        _ => Err(WeightsError::Kind { path: path.to_owned() }),
    }
}

fn read_safetensors(bytes: &[u8]) -> Result<StateDict, String> {
    let file = safetensors::SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let entry = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        let bytes = match view.dtype() {
            safetensors::Dtype::F32 => view.data().to_vec(),
            safetensors::Dtype::F16 => from_halves(view.data()),
            // Counters of batches seen; nothing that we need.
            safetensors::Dtype::I64 => return None,
            other => return Some(Err(format!("`{name}` has type {other:?}; float32 and float16 are known"))),
        };
        Some(Ok((name, Entry { shape: view.shape().to_vec(), bytes })))
    };
    file.tensors().into_iter().filter_map(entry).collect()
}

fn read_pytorch(path: &Path) -> Result<StateDict, String> {
    let file = pytorch_reader::PytorchReader::new(path).map_err(|error| error.to_string())?;
    let entry = |(name, tensor): (&String, &pytorch_reader::Tensor)| {
        let halved = match tensor.dtype() {
            pytorch_reader::DType::F32 => false,
            pytorch_reader::DType::F16 => true,
            pytorch_reader::DType::I64 => return None,
            other => return Some(Err(format!("`{name}` has type {other:?}; float32 and float16 are known"))),
        };
        let read = || {
            let bytes = tensor.read().map_err(|error| error.to_string())?;
            let bytes = if halved { from_halves(&bytes) } else { bytes };
            Ok((name.clone(), Entry { shape: tensor.shape().to_vec(), bytes }))
        };
        Some(read())
    };
    file.tensors().iter().filter_map(entry).collect()
}

/// Float16 to float32.
fn from_halves(bytes: &[u8]) -> Vec<u8> {
    bytes.as_chunks::<2>().0.iter().flat_map(|half| f16::from_le_bytes(*half).to_f32().to_le_bytes()).collect()
}

/// Puts the weights into a network on its device. A classifier for another number of labels is left as it is; says
/// whether it was loaded.
///
/// # Errors
/// When a tensor is missing or has another shape.
pub fn load(model: &mut ResNet, arch: Arch, weights: &StateDict, device: &Device) -> Result<bool, WeightsError> {
    let source = Source { arch, weights, device };
    for (names, layer) in layer_names(arch).into_iter().zip(model.layers_mut()) {
        source.layer(&names, layer)?;
    }
    let [channels, labels] = model.fc.weight.dims();
    let fits = weights.get("fc.weight").is_some_and(|entry| entry.shape == [labels, channels]);
    if fits {
        let weight: Tensor<2> = source.tensor("fc.weight", [labels, channels])?;
        model.fc.weight = Param::from_tensor(weight.transpose());
        model.fc.bias = Some(Param::from_tensor(source.tensor("fc.bias", [labels])?));
    }
    Ok(fits)
}

struct Source<'a> {
    arch: Arch,
    weights: &'a StateDict,
    device: &'a Device,
}

impl Source<'_> {
    fn layer(&self, names: &LayerNames, layer: &mut ConvNorm) -> Result<(), WeightsError> {
        let shape = layer.conv.weight.dims();
        layer.conv.weight = Param::from_tensor(self.tensor(&format!("{}.weight", names.conv), shape)?);
        let vector = |part: &str| self.tensor(&format!("{}.{part}", names.norm), [shape[0]]);
        layer.norm.gamma = Param::from_tensor(vector("weight")?);
        layer.norm.beta = Param::from_tensor(vector("bias")?);
        layer.norm.running_mean = RunningState::new(vector("running_mean")?);
        layer.norm.running_var = RunningState::new(vector("running_var")?);
        Ok(())
    }

    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightsError> {
        let entry = self.weights.get(name);
        let entry = entry.ok_or_else(|| WeightsError::Missing { name: name.to_owned(), arch: self.arch.name() })?;
        if entry.shape != shape {
            let (name, arch) = (name.to_owned(), self.arch.name());
            return Err(WeightsError::Shape { name, arch, found: entry.shape.clone(), wanted: shape.to_vec() });
        }
        Ok(Tensor::from_data(TensorData::from_bytes_vec(entry.bytes.clone(), shape, DType::F32), self.device))
    }
}

/// The weights of a network in inference form (`Module::valid`).
#[must_use]
pub fn collect(model: &mut ResNet, arch: Arch) -> StateDict {
    let mut weights = StateDict::new();
    for (names, layer) in layer_names(arch).into_iter().zip(model.layers_mut()) {
        let (conv, norm) = (&layer.conv, &layer.norm);
        weights.insert(format!("{}.weight", names.conv), entry(conv.weight.val()));
        let parts = [
            ("weight", norm.gamma.val()),
            ("bias", norm.beta.val()),
            ("running_mean", norm.running_mean.value_sync()),
            ("running_var", norm.running_var.value_sync()),
        ];
        weights.extend(parts.map(|(part, tensor)| (format!("{}.{part}", names.norm), entry(tensor))));
    }
    weights.insert("fc.weight".to_owned(), entry(model.fc.weight.val().transpose()));
    if let Some(bias) = &model.fc.bias {
        weights.insert("fc.bias".to_owned(), entry(bias.val()));
    }
    weights
}

/// The gradients of a network's weights by the names of the weights.
///
/// # Panics
/// When a weight has no gradient.
#[must_use]
pub fn collect_gradients(model: &mut ResNet, arch: Arch, gradients: &GradientsParams) -> StateDict {
    fn of<const D: usize>(gradients: &GradientsParams, weight: &Param<Tensor<D>>) -> Tensor<D> {
        gradients.get(weight.id).expect("each weight has a gradient")
    }
    let mut named = StateDict::new();
    for (names, layer) in layer_names(arch).into_iter().zip(model.layers_mut()) {
        named.insert(format!("{}.weight", names.conv), entry(of(gradients, &layer.conv.weight)));
        named.insert(format!("{}.weight", names.norm), entry(of(gradients, &layer.norm.gamma)));
        named.insert(format!("{}.bias", names.norm), entry(of(gradients, &layer.norm.beta)));
    }
    named.insert("fc.weight".to_owned(), entry(of(gradients, &model.fc.weight).transpose()));
    named.extend(model.fc.bias.iter().map(|bias| ("fc.bias".to_owned(), entry(of(gradients, bias)))));
    named
}

fn entry<const D: usize>(tensor: Tensor<D>) -> Entry {
    let shape = tensor.dims().to_vec();
    Entry { shape, bytes: tensor.cast(FloatDType::F32).into_data().as_bytes().to_vec() }
}

/// The weights as a `.safetensors` file.
///
/// # Panics
/// When an entry has another number of values than its shape.
#[must_use]
pub fn to_safetensors(weights: &StateDict) -> Vec<u8> {
    let views = weights.iter().map(|(name, entry)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, entry.shape.clone(), &entry.bytes);
        (name.as_str(), view.expect("as many values as the shape says"))
    });
    safetensors::serialize(views, None).expect("float32 tensors can be written")
}

/// What torchvision calls a convolution and its normalisation: `layer2.0.conv1` and `layer2.0.bn1`.
pub(super) struct LayerNames {
    pub(super) conv: String,
    pub(super) norm: String,
}

/// In the order of `ResNet::layers_mut`.
pub(super) fn layer_names(arch: Arch) -> Vec<LayerNames> {
    let mut names = vec![LayerNames { conv: "conv1".to_owned(), norm: "bn1".to_owned() }];
    for (stage, depth) in arch.depths().into_iter().enumerate() {
        for block in 0..depth {
            let prefix = format!("layer{}.{block}", stage + 1);
            let body = |i: usize| LayerNames { conv: format!("{prefix}.conv{i}"), norm: format!("{prefix}.bn{i}") };
            names.extend((1..=arch.convolutions()).map(body));
            // The first block of a stage changes the shape, except where the stem's 64 channels are those of the block.
            if block == 0 && (stage > 0 || arch.features() > 512) {
                let shortcut = format!("{prefix}.downsample");
                names.push(LayerNames { conv: format!("{shortcut}.0"), norm: format!("{shortcut}.1") });
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::resnet::ResNetConfig;
    use crate::train::start::seeded;

    #[test]
    fn weights_survive_the_way_out_and_in() {
        for arch in Arch::ALL {
            let device = Device::flex();
            let mut model = seeded(&ResNetConfig::new(arch, 7), 3, &device);
            let weights = collect(&mut model, arch);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("weights.safetensors");
            std::fs::write(&path, to_safetensors(&weights)).unwrap();
            let read = read(&path).unwrap();
            assert_eq!(read, weights);
            let mut other = seeded(&ResNetConfig::new(arch, 7), 4, &device);
            assert!(load(&mut other, arch, &read, &device).unwrap());
            assert_eq!(collect(&mut other, arch), weights);
            let mut fewer = seeded(&ResNetConfig::new(arch, 5), 4, &device);
            assert!(!load(&mut fewer, arch, &read, &device).unwrap());
        }
    }

    #[test]
    fn names_are_torchvisions() {
        let names: Vec<String> = layer_names(Arch::ResNet50).into_iter().map(|names| names.conv).collect();
        assert_eq!(names.len(), 53);
        assert_eq!(
            names[..6],
            ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer1.0.conv3", "layer1.0.downsample.0", "layer1.1.conv1"]
        );
        let names: Vec<String> = layer_names(Arch::ResNet18).into_iter().map(|names| names.norm).collect();
        assert_eq!(names.len(), 20);
        assert_eq!(
            names[1..8],
            [
                "layer1.0.bn1",
                "layer1.0.bn2",
                "layer1.1.bn1",
                "layer1.1.bn2",
                "layer2.0.bn1",
                "layer2.0.bn2",
                "layer2.0.downsample.1"
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let device = Device::flex();
        let weights = collect(&mut seeded(&ResNetConfig::new(Arch::ResNet18, 7), 3, &device), Arch::ResNet18);
        let mut deeper = seeded(&ResNetConfig::new(Arch::ResNet34, 7), 3, &device);
        let error = load(&mut deeper, Arch::ResNet34, &weights, &device).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the weights have no `layer1.2.conv1.weight`: they are not a torchvision resnet34"
        );
        let mut wider = seeded(&ResNetConfig::new(Arch::ResNet50, 7), 3, &device);
        let error = load(&mut wider, Arch::ResNet50, &weights, &device).unwrap_err();
        assert!(matches!(&error, WeightsError::Shape { name, .. } if name == "layer1.0.conv1.weight"), "{error}");
        let error = read(Path::new("model.onnx")).unwrap_err();
        assert!(matches!(error, WeightsError::Kind { .. }));
        assert!(matches!(read(Path::new("none.pth")), Err(WeightsError::Unreadable { .. })));
    }
}

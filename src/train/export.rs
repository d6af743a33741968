//! A trained network as an ONNX model.
//!
//! Input `input` `[batch, 3, height, width]`. Outputs `logits` `[batch, labels]`, `features` `[batch, channels]`,
//! `feature_map` `[batch, channels, rows, columns]` and `cams` `[batch, labels, rows, columns]`: class activation
//! maps (Zhou et al. 2016), the classifier applied to each position, whose mean over the positions is the logit.

use burn::tensor::f16;
use tract_onnx::pb::tensor_proto::DataType;

use super::evaluate::values;
use super::fold::{Folded, Quantised};
use super::onnx::{Attribute, Graph, Side};
use super::resnet::{Block, ConvNorm, ResNet};

/// Name of the classifier's weights, `[labels, channels]`.
pub const WEIGHT: &str = "classifier.weight";
/// Name of the same weights as a convolution, `[labels, channels, 1, 1]`.
pub const MAP_WEIGHT: &str = "cams.weight";
/// Name of the biases of both, `[labels]`.
pub const BIAS: &str = "classifier.bias";

/// How the weights of the convolutions are stored; they are computed with as float32 always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 4 bytes a weight: the network as trained.
    F32,
    /// 2 bytes a weight, rounded to 11 significant bits.
    F16,
    /// 1 byte a weight and a scale an output channel; see [`super::fold::quantise`].
    Int8,
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How weights are stored.
    pub precision: Precision,
    /// Side of the square input, pixels; `None` leaves height and width to the caller, which costs tract some of
    /// its optimisations.
    pub side: Option<u32>,
}

/// Writes the network, which must be in inference form (`Module::valid`).
#[must_use]
pub fn export(model: &ResNet, options: Options) -> Vec<u8> {
    let mut writer = Writer { graph: Graph::new("resnet"), precision: options.precision };
    let [channels, labels] = model.fc.weight.dims();
    let (input, rows, columns) = match options.side {
        Some(side) => {
            let (side, cells) = (side as usize, (side as usize).div_ceil(model.output_stride()));
            ([Side::Fixed(side); 2], Side::Fixed(cells), Side::Fixed(cells))
        }
        None => ([Side::Named("height"), Side::Named("width")], Side::Named("rows"), Side::Named("columns")),
    };
    let batch = Side::Named("batch");
    writer.graph.input("input", &[batch, Side::Fixed(3), input[0], input[1]]);
    writer.body(model);
    writer.head(model, channels, labels);
    writer.graph.output("logits", &[batch, Side::Fixed(labels)]);
    writer.graph.output("features", &[batch, Side::Fixed(channels)]);
    writer.graph.output("feature_map", &[batch, Side::Fixed(channels), rows, columns]);
    writer.graph.output("cams", &[batch, Side::Fixed(labels), rows, columns]);
    let precision = format!("{:?}", options.precision).to_lowercase();
    writer.graph.encode(&[("weights", precision.as_str()), ("task", "street photo to municipality")])
}

struct Writer {
    graph: Graph,
    precision: Precision,
}

impl Writer {
    fn body(&mut self, model: &ResNet) {
        let stem = self.convolution("stem", "input", &model.stem);
        let stem = self.graph.node("Relu", "stem.relu", &[&stem], &[]);
        let window = [
            ("kernel_shape", Attribute::Ints(vec![3, 3])),
            ("strides", Attribute::Ints(vec![2, 2])),
            ("pads", Attribute::Ints(vec![1; 4])),
        ];
        let mut x = self.graph.node("MaxPool", "stem.pool", &[&stem], &window);
        for (i, block) in model.blocks.iter().enumerate() {
            let name = if i + 1 == model.blocks.len() { "feature_map" } else { &format!("block{i}") };
            x = self.block(&format!("block{i}"), name, &x, block);
        }
    }

    fn block(&mut self, prefix: &str, output: &str, input: &str, block: &Block) -> String {
        let mut x = input.to_owned();
        for (i, layer) in block.body.iter().enumerate() {
            if i > 0 {
                x = self.graph.node("Relu", &format!("{prefix}.relu{i}"), &[&x], &[]);
            }
            x = self.convolution(&format!("{prefix}.conv{i}"), &x, layer);
        }
        let shortcut = match &block.shortcut {
            Some(layer) => self.convolution(&format!("{prefix}.shortcut"), input, layer),
            None => input.to_owned(),
        };
        let sum = self.graph.node("Add", &format!("{prefix}.sum"), &[&x, &shortcut], &[]);
        self.graph.node("Relu", output, &[&sum], &[])
    }

    fn head(&mut self, model: &ResNet, channels: usize, labels: usize) {
        // Burn's classifier is [channels, labels]; a convolution of one pixel wants [labels, channels, 1, 1].
        let weight = values(model.fc.weight.val().transpose().into_data());
        let bias = model.fc.bias.as_ref().map_or_else(|| vec![0.0; labels], |bias| values(bias.val().into_data()));
        let bias = self.graph.float(BIAS, &[labels], &bias);
        let flat = self.graph.float(WEIGHT, &[labels, channels], &weight);
        let kernel = self.graph.float(MAP_WEIGHT, &[labels, channels, 1, 1], &weight);
        let pooled = self.graph.node("GlobalAveragePool", "pooled", &["feature_map"], &[]);
        self.graph.node("Flatten", "features", &[&pooled], &[("axis", Attribute::Int(1))]);
        self.graph.node("Gemm", "logits", &["features", &flat, &bias], &[("transB", Attribute::Int(1))]);
        self.graph.node(
            "Conv",
            "cams",
            &["feature_map", &kernel, &bias],
            &[("kernel_shape", Attribute::Ints(vec![1, 1]))],
        );
    }

    fn convolution(&mut self, name: &str, input: &str, layer: &ConvNorm) -> String {
        let folded = Folded::of(layer);
        let weight = self.weight(name, &folded);
        let bias = self.graph.float(&format!("{name}.bias"), &[folded.shape[0]], &folded.bias);
        let both = |value: usize| Attribute::Ints(vec![value as i64; 2]);
        let attributes = [
            ("kernel_shape", both(folded.shape[2])),
            ("strides", both(folded.stride)),
            ("pads", Attribute::Ints(vec![folded.padding() as i64; 4])),
        ];
        self.graph.node("Conv", name, &[input, &weight, &bias], &attributes)
    }

    /// The name of the weights as float32.
    fn weight(&mut self, layer: &str, folded: &Folded) -> String {
        let name = format!("{layer}.weight");
        let to_float = [("to", Attribute::Int(DataType::Float as i64))];
        match self.precision {
            Precision::F32 => self.graph.float(&name, &folded.shape, &folded.weight),
            Precision::F16 => {
                let raw = folded.weight.iter().flat_map(|w| f16::from_f32(*w).to_le_bytes()).collect();
                let stored = self.graph.constant(&format!("{name}.f16"), &folded.shape, DataType::Float16, raw);
                self.graph.node("Cast", &name, &[&stored], &to_float)
            }
            Precision::Int8 => {
                let Quantised { weight, scale } = Quantised::of(folded);
                let raw = weight.iter().flat_map(|w| w.to_le_bytes()).collect();
                let stored = self.graph.constant(&format!("{name}.int8"), &folded.shape, DataType::Int8, raw);
                let steps = self.graph.node("Cast", &format!("{name}.steps"), &[&stored], &to_float);
                let scale = self.graph.float(&format!("{name}.scale"), &[folded.shape[0], 1, 1, 1], &scale);
                self.graph.node("Mul", &name, &[&steps, &scale], &[])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Area;
    use crate::infer::manifest::{Manifest, Metrics, ModelFiles, Provenance, sha256_hex};
    use crate::infer::onnx::{Backend, Network};
    use crate::infer::preprocess::Preprocess;
    use crate::infer::queue::Run;
    use crate::train::reference::{Reference, reference};
    use crate::train::resnet::Arch;

    fn files(reference: &Reference) -> ModelFiles {
        let manifest = Manifest {
            name: reference.name.clone(),
            version: "0.0.0".into(),
            arch: "resnet".into(),
            output_stride: 32,
            sha256: sha256_hex(&reference.onnx),
            temperature: 1.0,
            abstain_below: 0.0,
            provenance: Provenance {
                data: "noise".into(),
                command: String::new(),
                licence: "MIT".into(),
                attribution: vec![],
            },
            input: Preprocess::imagenet(64),
            metrics: Metrics::default(),
            index: None,
            street: None,
            labels: (0..7).map(|i| Area::new("県", &i.to_string(), "")).collect(),
        };
        ModelFiles { manifest, onnx: reference.onnx.clone(), index: None }
    }

    fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    /// tract answers what Burn answers, and each map's mean is its logit.
    fn check(arch: Arch, precision: Precision, side: Option<u32>, tolerance: f32) {
        let reference = reference(arch, precision, side);
        let mut network = Network::load(&files(&reference), &Backend::Tract).unwrap();
        let outputs = network.run(2, &reference.input).unwrap();
        let logits = &reference.outputs[0].1;
        let spread = largest_difference(logits, &vec![logits[0]; logits.len()]);
        assert!(spread > 0.05, "logits that are all alike prove nothing: {logits:?}");
        let difference = largest_difference(&outputs.logits, logits);
        assert!(difference <= tolerance, "{}: {difference}", reference.name);
        assert_eq!(outputs.grid, (2, 2));
        let features = network.features(2, &reference.input).unwrap();
        assert!(features.len() >= 2 * 512 && largest_difference(&outputs.features, &features) <= 1e-6);
        let means: Vec<f32> = outputs.cams.chunks(4).map(|map| map.iter().sum::<f32>() / 4.0).collect();
        assert!(largest_difference(&means, &outputs.logits) <= 1e-4);
    }

    #[test]
    fn tract_agrees_on_resnet_18() {
        check(Arch::ResNet18, Precision::F32, None, 1e-3);
        check(Arch::ResNet18, Precision::Int8, Some(64), 1e-3);
        // Half precision is rounded on writing: the reference is not.
        check(Arch::ResNet18, Precision::F16, Some(64), 1e-2);
    }

    #[test]
    fn tract_agrees_on_resnet_34() {
        check(Arch::ResNet34, Precision::F32, Some(64), 1e-3);
        check(Arch::ResNet34, Precision::Int8, None, 1e-3);
    }

    #[test]
    fn tract_agrees_on_resnet_50() {
        check(Arch::ResNet50, Precision::F32, None, 1e-3);
        check(Arch::ResNet50, Precision::Int8, Some(64), 1e-3);
    }

    #[test]
    fn the_built_in_form_stays_under_twelve_megabytes() {
        assert!(reference(Arch::ResNet18, Precision::Int8, Some(64)).onnx.len() <= 12_000_000);
    }
}

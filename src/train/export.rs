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
            let (side, cells) = (side as usize, side.div_ceil(32) as usize);
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
        let bias = self.graph.float("classifier.bias", &[labels], &bias);
        let flat = self.graph.float("classifier.weight", &[labels, channels], &weight);
        let kernel = self.graph.float("cams.weight", &[labels, channels, 1, 1], &weight);
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

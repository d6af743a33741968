//! Residual networks (He et al. 2016) in torchvision's layout, so that its weights can be loaded.

use burn::module::{Initializer, Module, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, FloatDType, Tensor};
use serde::{Deserialize, Serialize};

use super::{convolve, normalise, pool};
use crate::infer::manifest::OUTPUT_STRIDE;

/// Depth of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 18 layers: two 3x3 convolutions a block, 11.7 million weights.
    ResNet18,
    /// 34 layers: two 3x3 convolutions a block, 21.8 million weights.
    ResNet34,
    /// 50 layers: 1x1, 3x3, 1x1 a block, the stride in the 3x3 ("v1.5"), 25.6 million weights.
    ResNet50,
}

impl Arch {
    /// Every architecture.
    pub const ALL: [Self; 3] = [Self::ResNet18, Self::ResNet34, Self::ResNet50];

    /// Name as in manifests: `resnet18`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "resnet18",
            Self::ResNet34 => "resnet34",
            Self::ResNet50 => "resnet50",
        }
    }

    /// Number of values in the pooled features.
    #[must_use]
    pub fn features(self) -> usize {
        512 * self.expansion()
    }

    /// Blocks in each of the four stages.
    pub(super) fn depths(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 => [3, 4, 6, 3],
        }
    }

    /// Convolutions in the body of a block.
    pub(super) fn convolutions(self) -> usize {
        self.body(1, 1).len()
    }

    /// Output channels of a block over the channels of its 3x3 convolution.
    fn expansion(self) -> usize {
        match self {
            Self::ResNet18 | Self::ResNet34 => 1,
            Self::ResNet50 => 4,
        }
    }

    /// `(kernel, stride, output channels)` of each convolution of a block.
    fn body(self, width: usize, stride: usize) -> Vec<(usize, usize, usize)> {
        match self {
            Self::ResNet18 | Self::ResNet34 => vec![(3, stride, width), (3, 1, width)],
            Self::ResNet50 => vec![(1, 1, width), (3, stride, width), (1, 1, width * self.expansion())],
        }
    }
}

/// What to build.
#[derive(Clone, Debug, PartialEq)]
pub struct ResNetConfig {
    /// Depth.
    pub arch: Arch,
    /// Number of labels, 1 or more.
    pub classes: usize,
    /// Starts each block as the identity by a zero scale in its last normalisation (Goyal et al. 2017).
    pub zero_init: bool,
    /// Pixels of the input that a cell of the feature map stands for, each way: 32, or 16 or 8 where the last stages do
    /// not halve it (Chen et al. 2017, "DeepLab", without its dilation). The weights are the same; heatmaps are finer,
    /// and a stage that does not halve costs four times as much.
    pub output_stride: usize,
}

impl ResNetConfig {
    /// A network for `classes` labels whose blocks start as the identity.
    #[must_use]
    pub fn new(arch: Arch, classes: usize) -> Self {
        Self { arch, classes, zero_init: true, output_stride: OUTPUT_STRIDE }
    }

    /// Random weights from the device's generator (`Device::seed`): Kaiming normal over the fan-out for
    /// convolutions, uniform for the classifier, as torchvision does.
    #[must_use]
    pub fn init(&self, device: &Device) -> ResNet {
        let blocks = self.blocks();
        let blocks = blocks.into_iter().map(|(channels, width, stride)| self.block(channels, width, stride, device));
        ResNet {
            stem: ConvNorm::new(3, (7, 2, 64), false, device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            blocks: blocks.collect(),
            fc: LinearConfig::new(self.arch.features(), self.classes).init(device),
        }
    }

    /// Multiply-adds of the convolutions in one run over a square picture.
    #[must_use]
    pub fn multiply_adds(&self, side: u32) -> f64 {
        let mut side = side.div_ceil(2) as usize;
        let cost = |side: usize, kernel: usize, inside: usize, out: usize| {
            (side * side) as f64 * (kernel * kernel * inside * out) as f64
        };
        let mut all = cost(side, 7, 3, 64);
        side = side.div_ceil(2);
        for (channels, width, stride) in self.blocks() {
            let mut inside = channels;
            for (kernel, step, out) in self.arch.body(width, stride) {
                side = side.div_ceil(step);
                all += cost(side, kernel, inside, out);
                inside = out;
            }
            if stride > 1 || channels != inside {
                all += cost(side, 1, channels, inside);
            }
        }
        all
    }

    /// Input channels, width and stride of each block.
    fn blocks(&self) -> Vec<(usize, usize, usize)> {
        let mut channels = 64;
        let mut blocks = Vec::new();
        for (stage, depth) in self.arch.depths().into_iter().enumerate() {
            let width = 64 << stage;
            for block in 0..depth {
                let halves = stage > 0 && block == 0 && 4 << stage <= self.output_stride;
                blocks.push((channels, width, if halves { 2 } else { 1 }));
                channels = width * self.arch.expansion();
            }
        }
        blocks
    }

    fn block(&self, channels: usize, width: usize, stride: usize, device: &Device) -> Block {
        let body = self.arch.body(width, stride);
        let last = body.len() - 1;
        let out = width * self.arch.expansion();
        let mut inside = channels;
        let mut convolutions = Vec::new();
        for (i, conv) in body.into_iter().enumerate() {
            convolutions.push(ConvNorm::new(inside, conv, self.zero_init && i == last, device));
            inside = conv.2;
        }
        let same = stride == 1 && channels == out;
        let shortcut = (!same).then(|| ConvNorm::new(channels, (1, stride, out), false, device));
        Block { body: convolutions, shortcut }
    }
}

/// What follows a normalisation.
enum Then {
    Nothing,
    Relu,
    /// The end of a block: a shortcut is added, and a ReLU follows.
    Join(Box<Tensor<4>>),
}

impl Then {
    /// With Burn's own operations.
    fn apply(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Nothing => x,
            Self::Relu => relu(x),
            Self::Join(shortcut) => relu(x + *shortcut),
        }
    }
}

/// A convolution without bias and its normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    pub(super) conv: Conv2d,
    pub(super) norm: BatchNorm,
}

impl ConvNorm {
    fn new(channels: usize, (kernel, stride, out): (usize, usize, usize), zero: bool, device: &Device) -> Self {
        let pad = kernel / 2;
        let conv = Conv2dConfig::new([channels, out], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_bias(false)
            .with_initializer(Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true })
            .init(device);
        let mut norm = BatchNormConfig::new(out).init(device);
        if zero {
            norm.gamma = Initializer::Zeros.init([out], device);
        }
        Self { conv, norm }
    }

    /// Convolution and normalisation, and what follows.
    fn forward(&self, x: Tensor<4>, then: Then) -> Tensor<4> {
        if !ours(&x) {
            return self.forward_as(x, then);
        }
        let (stride, padding) = (self.conv.stride[0], self.conv.kernel_size[0] / 2);
        self.normalise(convolve::convolve(x, self.conv.weight.val(), stride, padding), then)
    }

    /// [`Self::forward`] with Burn's own operations: the convolution in the type of the input, the normalisation and
    /// its running statistics in float32.
    fn forward_as(&self, x: Tensor<4>, then: Then) -> Tensor<4> {
        let (kind, conv) = (x.dtype(), &self.conv);
        let pad = conv.kernel_size[0] / 2;
        let options = ConvOptions::new(conv.stride, [pad; 2], conv.dilation, conv.groups);
        let x = conv2d(x, conv.weight.val().cast(kind), None, options).cast(FloatDType::F32);
        let norm = &self.norm;
        let x = if x.device().is_autodiff() && norm.training.is_enabled() {
            let factor = unbiased(&x);
            let done = batch_norm_train(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
            self.track(done.mean.detach(), done.variance.detach() * factor);
            done.output
        } else {
            norm.forward(x)
        };
        then.apply(x.cast(kind))
    }

    /// [`BatchNorm::forward`] with our own operations.
    fn normalise(&self, x: Tensor<4>, then: Then) -> Tensor<4> {
        let norm = &self.norm;
        let (tracked, training) = (x.device().is_autodiff(), norm.training.is_enabled());
        if tracked && !training {
            // Ours takes the moments for those of the input; frozen ones are constants.
            return then.apply(norm.forward(x));
        }
        let moments = if tracked {
            let moments = normalise::moments(x.clone());
            let row = |row: usize| moments.clone().narrow(0, row, 1).flatten::<1>(0, 1).detach();
            self.track(row(0), row(1) * unbiased(&x));
            moments
        } else {
            let row = |running: &RunningState<Tensor<1>>| running.value().to_device(&x.device()).unsqueeze::<2>();
            Tensor::cat(vec![row(&norm.running_mean), row(&norm.running_var)], 0)
        };
        let (gamma, beta, epsilon) = (norm.gamma.val(), norm.beta.val(), norm.epsilon);
        match then {
            Then::Join(shortcut) => normalise::join(x, moments, gamma, beta, epsilon, *shortcut),
            Then::Relu => normalise::normalise(x, moments, gamma, beta, epsilon, true),
            Then::Nothing => normalise::normalise(x, moments, gamma, beta, epsilon, false),
        }
    }

    /// Moves the running statistics towards the moments of a batch.
    fn track(&self, mean: Tensor<1>, variance: Tensor<1>) {
        let momentum = self.norm.momentum;
        let update = |running: &RunningState<Tensor<1>>, new: Tensor<1>| {
            let old = running.value_sync().to_device(&new.device());
            running.update((old * (1.0 - momentum) + new * momentum).detach());
        };
        update(&self.norm.running_mean, mean);
        update(&self.norm.running_var, variance);
    }
}

/// A residual block: `relu(body(x) + shortcut(x))`, with a ReLU between the convolutions of the body.
#[derive(Module, Debug)]
pub struct Block {
    pub(super) body: Vec<ConvNorm>,
    pub(super) shortcut: Option<ConvNorm>,
}

impl Block {
    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let (last, first) = self.body.split_last().expect("a block has a body");
        let x = first.iter().fold(input.clone(), |x, conv| conv.forward(x, Then::Relu));
        let shortcut = match &self.shortcut {
            Some(conv) => conv.forward(input, Then::Nothing),
            None => input,
        };
        last.forward(x, Then::Join(Box::new(shortcut)))
    }
}

/// Turns the variance of a batch into the estimate of the whole, as PyTorch does for the running statistics (n over
/// n - 1).
fn unbiased(x: &Tensor<4>) -> f64 {
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    count / (count - 1.0).max(1.0)
}

/// Whether our own operations know such a tensor.
fn ours(x: &Tensor<4>) -> bool {
    convolve::supports(x)
}

/// The network.
#[derive(Module, Debug)]
pub struct ResNet {
    pub(super) stem: ConvNorm,
    pub(super) pool: MaxPool2d,
    pub(super) blocks: Vec<Block>,
    pub(super) fc: Linear,
}

/// What a forward pass gives.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[batch, classes]`, unscaled.
    pub logits: Tensor<2>,
    /// `[batch, channels]`: the mean of the feature map.
    pub features: Tensor<2>,
    /// `[batch, channels, rows, columns]`, after the last ReLU; a row stands for
    /// [`ResNet::output_stride`] pixels.
    pub feature_map: Tensor<4>,
}

impl ResNet {
    /// Runs a batch, `[batch, 3, height, width]`, normalised; each side 32 or more. The convolutions compute in the type
    /// of the input, float32 or bfloat16; everything else, and the outputs, are float32.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Outputs {
        let x = self.stem.forward(input, Then::Relu);
        let ours = ours(&x) && convolve::on_processor(&x.device());
        let mut x = if ours { pool::max_pool(x) } else { self.pool.forward(x) };
        for block in &self.blocks {
            x = block.forward(x);
        }
        let x = x.cast(FloatDType::F32);
        let features = x.clone().mean_dims(&[2, 3]).flatten::<2>(1, 3);
        Outputs { logits: self.fc.forward(features.clone()), features, feature_map: x }
    }

    /// As in [`ResNetConfig`].
    #[must_use]
    pub fn output_stride(&self) -> usize {
        let strides = |block: &Block| block.body.iter().map(|layer| layer.conv.stride[0]).product::<usize>();
        self.stem.conv.stride[0] * self.pool.stride[0] * self.blocks.iter().map(strides).product::<usize>()
    }

    /// Every convolution with its normalisation, from the input on; shortcuts after the body of their block.
    pub(super) fn layers_mut(&mut self) -> Vec<&mut ConvNorm> {
        let blocks = self.blocks.iter_mut().flat_map(|block| block.body.iter_mut().chain(block.shortcut.as_mut()));
        std::iter::once(&mut self.stem).chain(blocks).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Param;
    use burn::tensor::{DType, TensorData};

    fn weights(arch: Arch) -> usize {
        ResNetConfig::new(arch, 1000).init(&Device::flex()).num_params()
    }

    #[test]
    fn weights_are_as_many_as_torchvisions() {
        // torchvision.models: trainable parameters. Burn also counts the running statistics, two for each of the
        // channels that are normalised.
        assert_eq!(weights(Arch::ResNet18), 11_689_512 + 2 * 4_800);
        assert_eq!(weights(Arch::ResNet34), 21_797_672 + 2 * 8_512);
        assert_eq!(weights(Arch::ResNet50), 25_557_032 + 2 * 26_560);
    }

    #[test]
    fn the_work_is_what_torchvision_documents_and_a_stage_that_does_not_halve_is_four() {
        // torchvision.models, GFLOPS of the weights; they count multiply-adds, and the classifier's 1000 labels.
        for (arch, giga) in [(Arch::ResNet18, 1.81), (Arch::ResNet34, 3.66), (Arch::ResNet50, 4.09)] {
            let found = ResNetConfig::new(arch, 1000).multiply_adds(224) / 1e9;
            assert!((found - giga).abs() < 0.01, "{arch:?}: {found}");
        }
        let work =
            |output_stride| ResNetConfig { output_stride, ..ResNetConfig::new(Arch::ResNet18, 7) }.multiply_adds(128);
        assert!((1.6..1.7).contains(&(work(16) / work(32))), "{}", work(16) / work(32));
    }

    #[test]
    fn outputs_have_their_shapes() {
        let device = Device::flex();
        for arch in Arch::ALL {
            let out = ResNetConfig::new(arch, 7).init(&device).valid().forward(Tensor::zeros([2, 3, 64, 96], &device));
            assert_eq!(out.logits.dims(), [2, 7]);
            assert_eq!(out.features.dims(), [2, arch.features()]);
            assert_eq!(out.feature_map.dims(), [2, arch.features(), 2, 3]);
        }
    }

    #[test]
    fn stages_that_do_not_halve_leave_a_finer_map_and_the_same_weights() {
        let device = Device::flex();
        for arch in Arch::ALL {
            for (output_stride, rows) in [(32, 2), (16, 4), (8, 8)] {
                let config = ResNetConfig { output_stride, ..ResNetConfig::new(arch, 7) };
                let model = config.init(&device).valid();
                assert_eq!(model.output_stride(), output_stride);
                assert_eq!(model.num_params(), ResNetConfig::new(arch, 7).init(&device).num_params());
                let map = model.forward(Tensor::zeros([1, 3, 64, 64], &device)).feature_map;
                assert_eq!(map.dims(), [1, arch.features(), rows, rows]);
            }
        }
    }

    #[test]
    fn bfloat16_answers_nearly_alike_and_its_gradients_are_float32() {
        let device = Device::flex().autodiff();
        let mut model = crate::train::start::seeded(&ResNetConfig::new(Arch::ResNet18, 3), 1, &device);
        for layer in model.layers_mut() {
            // Frozen moments: those of a batch of four would blow any rounding up.
            layer.norm.training = Param::from_bool(false);
            layer.norm.gamma = Param::from_tensor(Tensor::full(layer.norm.gamma.dims(), 0.5, &device));
        }
        let values: Vec<f32> = (0..4 * 3 * 32 * 32).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let input = Tensor::<4>::from_data(TensorData::new(values, [4, 3, 32, 32]), &device);
        let full = model.forward(input.clone()).logits;
        let half = model.forward(input.cast(FloatDType::BF16)).logits;
        assert_eq!(half.dtype(), DType::F32);
        let largest = |x: Tensor<2>| x.inner().abs().max().into_scalar::<f32>();
        let (spread, apart) = (largest(full.clone()), largest(full - half.clone()));
        // 8 significant bits a value, through 20 layers.
        assert!(apart > 0.0 && apart < 0.1 * spread, "{apart} of {spread}");
        let gradient = model.stem.conv.weight.grad(&half.sum().backward()).unwrap();
        assert_eq!(gradient.dtype(), DType::F32);
        assert!(gradient.abs().max().into_scalar::<f32>() > 0.0);
    }
}

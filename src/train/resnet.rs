//! Residual networks (He et al. 2016) in torchvision's layout, so that its weights can be loaded.

use burn::module::{Initializer, Module, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{convolve, normalise};

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
    fn depths(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 => [3, 4, 6, 3],
        }
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
}

impl ResNetConfig {
    /// A network for `classes` labels whose blocks start as the identity.
    #[must_use]
    pub fn new(arch: Arch, classes: usize) -> Self {
        Self { arch, classes, zero_init: true }
    }

    /// Random weights from the device's generator (`Device::seed`): Kaiming normal over the fan-out for
    /// convolutions, uniform for the classifier, as torchvision does.
    #[must_use]
    pub fn init(&self, device: &Device) -> ResNet {
        let mut channels = 64;
        let mut blocks = Vec::new();
        for (stage, depth) in self.arch.depths().into_iter().enumerate() {
            let width = 64 << stage;
            for block in 0..depth {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(self.block(channels, width, stride, device));
                channels = width * self.arch.expansion();
            }
        }
        ResNet {
            stem: ConvNorm::new(3, (7, 2, 64), false, device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            blocks,
            fc: LinearConfig::new(channels, self.classes).init(device),
        }
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

    /// Convolution and normalisation, and a ReLU if asked.
    fn forward(&self, x: Tensor<4>, rectify: bool) -> Tensor<4> {
        if !convolve::supports(&x.device()) {
            let x = self.norm.forward(self.conv.forward(x));
            return if rectify { relu(x) } else { x };
        }
        let (stride, padding) = (self.conv.stride[0], self.conv.kernel_size[0] / 2);
        self.normalise(convolve::convolve(x, self.conv.weight.val(), stride, padding), rectify)
    }

    /// [`BatchNorm::forward`] with our own operations.
    fn normalise(&self, x: Tensor<4>, rectify: bool) -> Tensor<4> {
        let norm = &self.norm;
        let (tracked, training) = (x.device().is_autodiff(), norm.training.is_enabled());
        if tracked && !training {
            // Ours takes the moments for those of the input; frozen ones are constants.
            let x = norm.forward(x);
            return if rectify { relu(x) } else { x };
        }
        let moments = if tracked {
            let moments = normalise::moments(x.clone());
            let update = |running: &RunningState<Tensor<1>>, row: usize| {
                let new = moments.clone().narrow(0, row, 1).flatten::<1>(0, 1).detach();
                let old = running.value_sync().to_device(&x.device());
                running.update((old * (1.0 - norm.momentum) + new * norm.momentum).detach());
            };
            update(&norm.running_mean, 0);
            update(&norm.running_var, 1);
            moments
        } else {
            let row = |running: &RunningState<Tensor<1>>| running.value().to_device(&x.device()).unsqueeze::<2>();
            Tensor::cat(vec![row(&norm.running_mean), row(&norm.running_var)], 0)
        };
        normalise::normalise(x, moments, norm.gamma.val(), norm.beta.val(), norm.epsilon, rectify)
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
        let last = self.body.len() - 1;
        let mut x = input.clone();
        for (i, conv) in self.body.iter().enumerate() {
            x = conv.forward(x, i < last);
        }
        let shortcut = match &self.shortcut {
            Some(conv) => conv.forward(input, false),
            None => input,
        };
        if convolve::supports(&x.device()) { normalise::add_relu(x, shortcut) } else { relu(x + shortcut) }
    }
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
    /// `[batch, channels, rows, columns]`, after the last ReLU; a row stands for 32 pixels.
    pub feature_map: Tensor<4>,
}

impl ResNet {
    /// Runs a batch, `[batch, 3, height, width]`, normalised; each side 32 or more.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Outputs {
        let mut x = self.pool.forward(self.stem.forward(input, true));
        for block in &self.blocks {
            x = block.forward(x);
        }
        let features = x.clone().mean_dims(&[2, 3]).flatten::<2>(1, 3);
        Outputs { logits: self.fc.forward(features.clone()), features, feature_map: x }
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
    fn outputs_have_their_shapes() {
        let device = Device::flex();
        for arch in Arch::ALL {
            let out = ResNetConfig::new(arch, 7).init(&device).valid().forward(Tensor::zeros([2, 3, 64, 96], &device));
            assert_eq!(out.logits.dims(), [2, 7]);
            assert_eq!(out.features.dims(), [2, arch.features()]);
            assert_eq!(out.feature_map.dims(), [2, arch.features(), 2, 3]);
        }
    }
}

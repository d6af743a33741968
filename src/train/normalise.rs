//! Batch normalisation with its ReLU, and the residual sum with its ReLU, in few passes on all cores.
//!
//! Burn composes them of a dozen passes over memory, most on one core: more time than the convolutions take.
//! `train::gpu` does the same on a GPU; see [`super::convolve::supports`].

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::passes::{CHUNK, vectorised};
use super::recycle::{Own, Piece, recycle, room, whole};

/// Mean and (biased) variance of each channel of `[batch, channels, height, width]`: `[2, channels]`. No gradient
/// flows through it; [`normalise`] knows that both depend on the input.
#[must_use]
pub fn moments(x: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Normalise>::moments(x.into_dispatch()))
}

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta`, then a ReLU if asked; the moments must be those of `x`.
#[must_use]
pub fn normalise(
    x: Tensor<4>,
    moments: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    relu: bool,
) -> Tensor<4> {
    let (x, moments, gamma, beta) =
        (x.into_dispatch(), moments.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Normalise>::normalise(x, moments, gamma, beta, epsilon, relu))
}

/// The end of a residual block: `relu(normalise(x) + shortcut)`, in one pass; the moments must be those of `x`.
#[must_use]
pub fn join(
    x: Tensor<4>,
    moments: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    shortcut: Tensor<4>,
) -> Tensor<4> {
    let (x, moments, gamma, beta) =
        (x.into_dispatch(), moments.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    let shortcut = shortcut.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Normalise>::join(x, moments, gamma, beta, epsilon, shortcut))
}

/// The operations, for Burn's dispatch.
#[backend_extension(Flex, Cube: cfg(feature = "cuda"), Autodiff)]
pub trait Normalise: Backend {
    /// See [`moments`].
    fn moments(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`normalise`].
    fn normalise(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self>;
    /// See [`join`].
    fn join(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        shortcut: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// What a backend that normalises brings for training.
pub trait NormaliseGradient: Normalise {
    /// The gradients of input, gamma and beta by that of the output.
    fn normalise_gradient(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
        grad: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3];
    /// The gradients of input, gamma, beta and shortcut of a [`join`], by what came out of it and the gradient of that.
    fn join_gradient(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        out: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 4];
}

impl Normalise for Flex {
    fn moments(x: FlexTensor) -> FlexTensor {
        let x = x.to_contiguous();
        let [_, channels, height, width] = x.layout().shape().dims();
        let planes = Planes { channels, size: height * width, values: x.storage() };
        let both: Vec<(f32, f32)> = (0..channels).into_par_iter().map(|channel| planes.moments(channel)).collect();
        let (mean, variance): (Vec<f32>, Vec<f32>) = both.into_iter().unzip();
        FlexTensor::from_data(TensorData::new([mean, variance].concat(), [2, channels]))
    }

    fn normalise(
        x: FlexTensor,
        moments: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        relu: bool,
    ) -> FlexTensor {
        let x = x.to_contiguous();
        let [batch, channels, height, width] = x.layout().shape().dims();
        let size = height * width;
        let affine = affine(&moments, &gamma, &beta, epsilon);
        let mut out = room([batch, channels, height, width]);
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        let planes = out.storage_mut::<f32>().par_chunks_mut(size);
        let planes = planes.zip(x.storage::<f32>().par_chunks(size)).enumerate();
        planes.with_min_len(min_planes(size)).for_each(|(plane, (out, x))| {
            let Affine { scale, shift, .. } = affine[plane % channels];
            vectorised(
                #[inline(always)]
                || out.iter_mut().zip(x).for_each(|(out, x)| *out = (x * scale + shift).max(least)),
            );
        });
        out
    }

    fn join(
        x: FlexTensor,
        moments: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        shortcut: FlexTensor,
    ) -> FlexTensor {
        let (x, mut out) = (x.to_contiguous(), Own::new(shortcut));
        let [_, channels, height, width] = x.layout().shape().dims();
        let size = height * width;
        let affine = affine(&moments, &gamma, &beta, epsilon);
        let planes = out.pieces(size).into_par_iter().zip(x.storage::<f32>().par_chunks(size)).enumerate();
        planes.with_min_len(min_planes(size)).for_each(|(plane, (out, x))| {
            let (out, Affine { scale, shift, .. }) = (out.values(), affine[plane % channels]);
            vectorised(
                #[inline(always)]
                || out.iter_mut().zip(x).for_each(|(out, x)| *out = (*out + (x * scale + shift)).max(0.0)),
            );
        });
        out.tensor
    }
}

impl NormaliseGradient for Flex {
    /// After Ioffe and Szegedy 2015, section 3.
    fn normalise_gradient(
        x: FlexTensor,
        moments: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        relu: bool,
        grad: FlexTensor,
    ) -> [FlexTensor; 3] {
        let (x, mut out) = (whole(x), Own::new(grad));
        let [batch, channels, height, width] = x.layout().shape().dims();
        let affine = affine(&moments, &gamma, &beta, epsilon);
        let planes = Planes { channels, size: height * width, values: x.storage() };
        let count = (batch * planes.size) as f32;
        // Channel by channel, so that the planes are still in the cache when the sums are known.
        let sums: (Vec<f32>, Vec<f32>) = by_channel(out.pieces(planes.size), channels)
            .into_par_iter()
            .enumerate()
            .map(|(channel, pieces)| {
                let (mut grads, at) = (values(pieces), &affine[channel]);
                let (plain, weighted) = at.channel_sums(planes.of(channel), &grads, relu);
                for (x, grad) in planes.of(channel).zip(&mut grads) {
                    vectorised(
                        #[inline(always)]
                        || at.input_gradient(x, grad, relu, (plain / count, weighted / count)),
                    );
                }
                (weighted, plain)
            })
            .unzip();
        recycle(x);
        [out.tensor, vector(sums.0), vector(sums.1)]
    }

    fn join_gradient(
        x: FlexTensor,
        moments: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        out: FlexTensor,
        grad: FlexTensor,
    ) -> [FlexTensor; 4] {
        // What came out is needed no more: the gradient of the input takes its place.
        let (x, mut back, mut grad) = (whole(x), Own::new(out), Own::new(grad));
        let [batch, channels, height, width] = x.layout().shape().dims();
        let affine = affine(&moments, &gamma, &beta, epsilon);
        let planes = Planes { channels, size: height * width, values: x.storage() };
        let count = (batch * planes.size) as f32;
        let pairs = by_channel(grad.pieces(planes.size), channels);
        let pairs = pairs.into_par_iter().zip(by_channel(back.pieces(planes.size), channels));
        let sums: (Vec<f32>, Vec<f32>) = pairs
            .enumerate()
            .map(|(channel, (grads, backs))| {
                let (mut grads, mut backs, at) = (values(grads), values(backs), &affine[channel]);
                for (grad, out) in grads.iter_mut().zip(&backs) {
                    vectorised(
                        #[inline(always)]
                        || grad.iter_mut().zip(&**out).for_each(|(grad, out)| *grad = passed(*grad, *out)),
                    );
                }
                let (plain, weighted) = at.channel_sums(planes.of(channel), &grads, false);
                for ((x, grad), back) in planes.of(channel).zip(&grads).zip(&mut backs) {
                    vectorised(
                        #[inline(always)]
                        || {
                            back.copy_from_slice(grad);
                            at.input_gradient(x, back, false, (plain / count, weighted / count));
                        },
                    );
                }
                (weighted, plain)
            })
            .unzip();
        recycle(x);
        [back.tensor, vector(sums.0), vector(sums.1), grad.tensor]
    }
}

/// One value a channel.
fn vector(values: Vec<f32>) -> FlexTensor {
    let channels = values.len();
    FlexTensor::from_data(TensorData::new(values, [channels]))
}

/// The gradient before a ReLU, by what came out of it.
#[inline(always)]
fn passed(grad: f32, out: f32) -> f32 {
    if out > 0.0 { grad } else { 0.0 }
}

impl<B: NormaliseGradient, C: CheckpointStrategy> Normalise for Autodiff<B, C> {
    fn moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
        <Self as AutodiffBackend>::from_inner(B::moments(x.into_primitive()))
    }

    fn normalise(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let tensors = [x, moments, gamma, beta].map(|tensor| tensor.into_primitive());
        let [x, moments, gamma, beta] = tensors.clone();
        let out = B::normalise(x, moments, gamma, beta, epsilon, relu);
        match Gradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((tensors, epsilon, relu), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn join(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        shortcut: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node(), shortcut.node()];
        let tensors = [x, moments, gamma, beta].map(|tensor| tensor.into_primitive());
        let [x, moments, gamma, beta] = tensors.clone();
        let out = B::join(x, moments, gamma, beta, epsilon, shortcut.into_primitive());
        match JoinGradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((tensors, epsilon, out.clone()), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }
}

#[derive(Debug)]
struct Gradient;

impl<B: NormaliseGradient> Backward<B, 3> for Gradient {
    /// Input, moments, gamma and beta; epsilon; whether there is a ReLU.
    type State = ([FloatTensor<B>; 4], f64, bool);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let ([x, moments, gamma, beta], epsilon, relu) = ops.state;
        let gradients = B::normalise_gradient(x, moments, gamma, beta, epsilon, relu, grad);
        register::<B, 3>(ops.parents.map(|node| node.map(|node| node.id)), gradients, grads);
    }
}

#[derive(Debug)]
struct JoinGradient;

impl<B: NormaliseGradient> Backward<B, 4> for JoinGradient {
    /// Input, moments, gamma and beta; epsilon; what came out.
    type State = ([FloatTensor<B>; 4], f64, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let ([x, moments, gamma, beta], epsilon, out) = ops.state;
        let gradients = B::join_gradient(x, moments, gamma, beta, epsilon, out, grad);
        register::<B, 4>(ops.parents.map(|node| node.map(|node| node.id)), gradients, grads);
    }
}

/// Hands each parent that wants one its gradient.
fn register<B: Backend, const N: usize>(
    parents: [Option<NodeId>; N],
    gradients: [FloatTensor<B>; N],
    grads: &mut Gradients,
) {
    for (node, gradient) in parents.into_iter().zip(gradients) {
        if let Some(node) = node {
            grads.register::<B>(node, gradient);
        }
    }
}

/// Planes, picture after picture, by channel.
fn by_channel(pieces: Vec<Piece<'_>>, channels: usize) -> Vec<Vec<Piece<'_>>> {
    let mut planes: Vec<Vec<Piece<'_>>> = (0..channels).map(|_| Vec::new()).collect();
    pieces.into_iter().enumerate().for_each(|(at, piece)| planes[at % channels].push(piece));
    planes
}

/// The values of planes, which are there from now on.
fn values(pieces: Vec<Piece<'_>>) -> Vec<&mut [f32]> {
    pieces.into_iter().map(Piece::values).collect()
}

/// Sums run in so many lanes, so that the compiler may use vectors.
const LANES: usize = 16;

/// Planes that make a task worth its start.
fn min_planes(size: usize) -> usize {
    CHUNK.div_ceil(size.max(1))
}

/// What normalisation does to one channel.
#[derive(Clone, Copy)]
struct Affine {
    mean: f32,
    /// 1 / standard deviation.
    inverse: f32,
    /// Output per input.
    scale: f32,
    /// Output at input 0.
    shift: f32,
}

impl Affine {
    /// Whether a gradient passes the ReLU, if there is one.
    #[inline(always)]
    fn passes(&self, x: f32, relu: bool) -> bool {
        !relu || x * self.scale + self.shift > 0.0
    }

    /// The sums of the gradient, and of the gradient times the normalised input, over all planes of the channel.
    fn channel_sums<'a>(
        &self,
        planes: impl Iterator<Item = &'a [f32]>,
        grads: &[&mut [f32]],
        relu: bool,
    ) -> (f32, f32) {
        let (mut plain, mut weighted) = (0.0_f64, 0.0_f64);
        for (x, grad) in planes.zip(grads) {
            let (a, b) = Arch::new().dispatch(GradientSums { affine: self, x, grad, relu });
            plain += f64::from(a);
            weighted += f64::from(b);
        }
        (plain as f32, (weighted * f64::from(self.inverse)) as f32)
    }

    /// The gradient of the input in place of that of the output, by the means of the sums.
    #[inline(always)]
    fn input_gradient(&self, xs: &[f32], grads: &mut [f32], relu: bool, (plain, weighted): (f32, f32)) {
        let weighted = weighted * self.inverse;
        for (x, grad) in xs.iter().zip(grads) {
            let passed = if self.passes(*x, relu) { *grad } else { 0.0 };
            *grad = self.scale * (passed - plain - (x - self.mean) * weighted);
        }
    }
}

/// The sums of a plane's gradient, and of the gradient times the input less its mean. Written for vectors: left to itself,
/// the compiler adds lane by lane.
struct GradientSums<'a> {
    affine: &'a Affine,
    x: &'a [f32],
    grad: &'a [f32],
    relu: bool,
}

impl WithSimd for GradientSums<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f32, f32) {
        let Self { affine, x, grad, relu } = self;
        let [zero, mean, scale, shift] = [0.0, affine.mean, affine.scale, affine.shift].map(|v| simd.splat_f32s(v));
        let ((xs, x), (grads, grad)) = (S::as_simd_f32s(x), S::as_simd_f32s(grad));
        let (mut plain, mut weighted) = (zero, zero);
        for (x, grad) in xs.iter().zip(grads) {
            let before = simd.add_f32s(simd.mul_f32s(*x, scale), shift);
            let passes = simd.less_than_f32s(zero, before);
            let grad = if relu { simd.select_f32s(passes, *grad, zero) } else { *grad };
            plain = simd.add_f32s(plain, grad);
            weighted = simd.mul_add_f32s(grad, simd.sub_f32s(*x, mean), weighted);
        }
        let (mut plain, mut weighted) = (simd.reduce_sum_f32s(plain), simd.reduce_sum_f32s(weighted));
        for (x, grad) in x.iter().zip(grad) {
            let grad = if affine.passes(*x, relu) { *grad } else { 0.0 };
            plain += grad;
            weighted += grad * (x - affine.mean);
        }
        (plain, weighted)
    }
}

fn affine(moments: &FlexTensor, gamma: &FlexTensor, beta: &FlexTensor, epsilon: f64) -> Vec<Affine> {
    let (moments, gamma, beta) = (moments.to_contiguous(), gamma.to_contiguous(), beta.to_contiguous());
    let (mean, variance) = moments.storage::<f32>().split_at(gamma.storage::<f32>().len());
    let one = |channel: usize| {
        let inverse = (1.0 / (f64::from(variance[channel]) + epsilon).sqrt()) as f32;
        let scale = inverse * gamma.storage::<f32>()[channel];
        let shift = beta.storage::<f32>()[channel] - mean[channel] * scale;
        Affine { mean: mean[channel], inverse, scale, shift }
    };
    (0..mean.len()).map(one).collect()
}

/// A batch as planes: picture after picture, channel after channel.
struct Planes<'a> {
    channels: usize,
    size: usize,
    values: &'a [f32],
}

impl Planes<'_> {
    /// The planes of a channel.
    fn of(&self, channel: usize) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.size).skip(channel).step_by(self.channels)
    }

    fn moments(&self, channel: usize) -> (f32, f32) {
        let planes = || self.of(channel);
        let count = (planes().count() * self.size) as f64;
        let mean = (planes().map(|plane| f64::from(sum(plane, |x| x))).sum::<f64>() / count) as f32;
        let squares: f64 = planes().map(|plane| f64::from(sum(plane, |x| (x - mean) * (x - mean)))).sum();
        (mean, (squares / count) as f32)
    }
}

fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    vectorised(
        #[inline(always)]
        || {
            let mut lanes = [0.0_f32; LANES];
            let (chunks, rest) = values.as_chunks::<LANES>();
            for chunk in chunks {
                lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += term(*x));
            }
            lanes.iter().sum::<f32>() + rest.iter().map(|x| term(*x)).sum::<f32>()
        },
    )
}

#[cfg(test)]
mod tests;

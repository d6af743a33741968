//! Batch normalisation with its ReLU, and the residual sum with its ReLU, in few passes on all cores.
//!
//! Burn composes them of a dozen passes over memory, most on one core: more time than the convolutions take.
//! `train::gpu` does the same on a GPU; see [`super::convolve::supports`].

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::passes::{CHUNK, vectorised, zeros};

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

/// `relu(a + b)`.
#[must_use]
pub fn add_relu(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Normalise>::add_relu(a.into_dispatch(), b.into_dispatch()))
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
    /// See [`add_relu`].
    fn add_relu(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
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
    /// The gradient before a ReLU, by what came out of it and the gradient after it.
    fn relu_gradient(out: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self>;
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
        let mut out = zeros(x.storage::<f32>().len());
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        let planes = out.par_chunks_mut(size).zip(x.storage::<f32>().par_chunks(size)).enumerate();
        planes.with_min_len(min_planes(size)).for_each(|(plane, (out, x))| {
            let Affine { scale, shift, .. } = affine[plane % channels];
            vectorised(
                #[inline(always)]
                || out.iter_mut().zip(x).for_each(|(out, x)| *out = (x * scale + shift).max(least)),
            );
        });
        FlexTensor::from_data(TensorData::new(out, [batch, channels, height, width]))
    }

    fn add_relu(a: FlexTensor, b: FlexTensor) -> FlexTensor {
        let (mut out, b) = (Own::new(a), b.to_contiguous());
        out.pieces(CHUNK).into_par_iter().zip(b.storage::<f32>().par_chunks(CHUNK)).for_each(|(out, b)| {
            let out = out.values();
            vectorised(
                #[inline(always)]
                || out.iter_mut().zip(b).for_each(|(out, b)| *out = (*out + b).max(0.0)),
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
        let (x, mut out) = (x.to_contiguous(), Own::new(grad));
        let [batch, channels, height, width] = x.layout().shape().dims();
        let affine = affine(&moments, &gamma, &beta, epsilon);
        let planes = Planes { channels, size: height * width, values: x.storage() };
        let count = (batch * planes.size) as f32;
        // Channel by channel, so that the planes are still in the cache when the sums are known.
        let sums: (Vec<f32>, Vec<f32>) = by_channel(out.pieces(planes.size), channels)
            .into_par_iter()
            .enumerate()
            .map(|(channel, pieces)| {
                let mut grads: Vec<&mut [f32]> = pieces.into_iter().map(Piece::values).collect();
                let at = &affine[channel];
                let (mut plain, mut weighted) = (0.0_f64, 0.0_f64);
                for (x, grad) in planes.of(channel).zip(&grads) {
                    let (a, b) = vectorised(
                        #[inline(always)]
                        || at.gradient_sums(x, grad, relu),
                    );
                    plain += f64::from(a);
                    weighted += f64::from(b);
                }
                let (plain, weighted) = (plain as f32, weighted as f32);
                for (x, grad) in planes.of(channel).zip(&mut grads) {
                    vectorised(
                        #[inline(always)]
                        || at.input_gradient(x, grad, relu, (plain / count, weighted / count)),
                    );
                }
                (weighted, plain)
            })
            .unzip();
        let vector = |values: Vec<f32>| FlexTensor::from_data(TensorData::new(values, [channels]));
        [out.tensor, vector(sums.0), vector(sums.1)]
    }

    fn relu_gradient(out: FlexTensor, grad: FlexTensor) -> FlexTensor {
        let (out, mut grad) = (out.to_contiguous(), Own::new(grad));
        grad.pieces(CHUNK).into_par_iter().zip(out.storage::<f32>().par_chunks(CHUNK)).for_each(|(grad, out)| {
            let grad = grad.values();
            vectorised(
                #[inline(always)]
                || grad.iter_mut().zip(out).for_each(|(grad, out)| *grad = if *out > 0.0 { *grad } else { 0.0 }),
            );
        });
        grad.tensor
    }
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

    fn add_relu(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let out = B::add_relu(a.into_primitive(), b.into_primitive());
        match AddReluGradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(out.clone(), out),
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
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct AddReluGradient;

impl<B: NormaliseGradient> Backward<B, 2> for AddReluGradient {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::relu_gradient(ops.state, grads.consume::<B>(&ops.node));
        for node in ops.parents.into_iter().flatten() {
            grads.register::<B>(node.id, gradient.clone());
        }
    }
}

/// A tensor to be written over: itself when nobody else has its values, else a copy, made piece by piece where they are
/// worked on.
struct Own {
    tensor: FlexTensor,
    from: Option<FlexTensor>,
}

/// Some values of it.
struct Piece<'a> {
    to: &'a mut [f32],
    from: Option<&'a [f32]>,
}

impl Own {
    fn new(tensor: FlexTensor) -> Self {
        let whole = tensor.to_contiguous();
        drop(tensor);
        if whole.is_unique() {
            return Self { tensor: whole, from: None };
        }
        let shape = whole.layout().shape().clone();
        let copy = FlexTensor::from_data(TensorData::new(zeros(shape.num_elements()), shape));
        Self { tensor: copy, from: Some(whole) }
    }

    /// Its values in pieces of a size.
    fn pieces(&mut self, size: usize) -> Vec<Piece<'_>> {
        let mut from = self.from.as_ref().map(|from| from.storage().chunks(size));
        let to = self.tensor.storage_mut().chunks_mut(size);
        to.map(|to| Piece { to, from: from.as_mut().and_then(Iterator::next) }).collect()
    }
}

impl<'a> Piece<'a> {
    /// The values, which are there from now on.
    fn values(self) -> &'a mut [f32] {
        if let Some(from) = self.from {
            self.to.copy_from_slice(from);
        }
        self.to
    }
}

/// Planes, picture after picture, by channel.
fn by_channel(pieces: Vec<Piece<'_>>, channels: usize) -> Vec<Vec<Piece<'_>>> {
    let mut planes: Vec<Vec<Piece<'_>>> = (0..channels).map(|_| Vec::new()).collect();
    pieces.into_iter().enumerate().for_each(|(at, piece)| planes[at % channels].push(piece));
    planes
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

    /// The sums of the gradient, and of the gradient times the normalised input.
    #[inline(always)]
    fn gradient_sums(&self, xs: &[f32], grads: &[f32], relu: bool) -> (f32, f32) {
        let (mut plain, mut weighted) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        let mut add = |lane: usize, x: f32, grad: f32| {
            let grad = if self.passes(x, relu) { grad } else { 0.0 };
            plain[lane] += grad;
            weighted[lane] += grad * (x - self.mean);
        };
        let ((xs, x), (grads, grad)) = (xs.as_chunks::<LANES>(), grads.as_chunks::<LANES>());
        for (xs, grads) in xs.iter().zip(grads) {
            (0..LANES).for_each(|lane| add(lane, xs[lane], grads[lane]));
        }
        x.iter().zip(grad).enumerate().for_each(|(lane, (x, grad))| add(lane, *x, *grad));
        (plain.iter().sum(), weighted.iter().sum::<f32>() * self.inverse)
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
mod tests {
    use super::*;
    use burn::nn::BatchNormConfig;
    use burn::tensor::activation;
    use burn::tensor::{Device, Distribution};
    use proptest::prelude::*;

    fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn agrees_with_burns_normalisation_forward_and_backward(
            batch in 2_usize..5, channels in 1_usize..5, height in 3_usize..8, width in 3_usize..8, rectify: bool,
        ) {
            let device = Device::flex().autodiff();
            let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.3, 2.0), &device);
            let x = random([batch, channels, height, width]).require_grad();
            let norm = BatchNormConfig::new(channels).init(&device);
            let vector = |seed: f32| Tensor::<1>::from_floats(
                (0..channels).map(|c| seed + 0.3 * c as f32).collect::<Vec<_>>().as_slice(), &device).require_grad();
            let (gamma, beta) = (vector(0.7), vector(-0.4));
            let mut theirs = norm;
            theirs.gamma = burn::module::Param::from_tensor(gamma.clone());
            theirs.beta = burn::module::Param::from_tensor(beta.clone());
            let expected = theirs.forward(x.clone());
            let expected = if rectify { activation::relu(expected) } else { expected };
            let ours = normalise(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, rectify);
            prop_assert!(distance(expected.clone().inner(), ours.clone().inner()) < 1e-4);
            let above = random(ours.dims()).detach();
            let (expected, ours) = ((expected * above.clone()).sum().backward(), (ours * above).sum().backward());
            prop_assert!(distance(x.grad(&expected).unwrap(), x.grad(&ours).unwrap()) < 1e-3);
            for (their, our) in [(theirs.gamma.val(), gamma), (theirs.beta.val(), beta)] {
                prop_assert!(distance(their.grad(&expected).unwrap(), our.grad(&ours).unwrap()) < 2e-3);
            }
        }

        #[test]
        fn the_residual_sum_agrees_with_burns(batch in 1_usize..4, side in 1_usize..70) {
            let device = Device::flex().autodiff();
            let random = || Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
            let (a, b, above) = (random().require_grad(), random().require_grad(), random());
            let ours = add_relu(a.clone(), b.clone());
            let theirs = activation::relu(a.clone() + b.clone());
            prop_assert!(distance(ours.clone().inner(), theirs.clone().inner()) == 0.0);
            let (ours, theirs) = ((ours * above.clone()).sum().backward(), (theirs * above).sum().backward());
            prop_assert!(distance(a.grad(&ours).unwrap(), a.grad(&theirs).unwrap()) == 0.0);
            prop_assert!(distance(b.grad(&ours).unwrap(), b.grad(&theirs).unwrap()) == 0.0);
        }
    }

    /// What a residual sum hands back goes both ways: the normalisation must not write over what the other way gets.
    #[test]
    fn a_gradient_that_others_hold_is_left_as_it_is() {
        let device = Device::flex().autodiff();
        let random = || Tensor::<4>::random([3, 2, 5, 7], Distribution::Normal(0.0, 1.0), &device);
        let (gamma, beta) = (Tensor::<1>::ones([2], &device), Tensor::<1>::zeros([2], &device));
        for first in [true, false] {
            let (x, other, above) = (random().require_grad(), random().require_grad(), random());
            let normal = normalise(x.clone(), moments(x.clone()), gamma.clone(), beta.clone(), 1e-5, false);
            let pair = if first { (normal, other.clone()) } else { (other.clone(), normal) };
            let out = add_relu(pair.0, pair.1);
            let passed = (above.clone() * out.clone().sign()).inner();
            let gradients = (out * above).sum().backward();
            assert_eq!(distance(other.grad(&gradients).unwrap(), passed), 0.0);
        }
    }
}

//! Max pooling by windows of 3x3, two steps apart, one position around: what follows a ResNet's first convolution. On the
//! processor it takes less than half the time of Burn's.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::passes::vectorised;
use super::recycle::{Own, room};

/// Positions of a window along a side.
const WINDOW: usize = 3;
/// From one window to the next.
const STRIDE: usize = 2;

/// `[batch, channels, height, width]` to `[batch, channels, (height + 1) / 2, (width + 1) / 2]`: the largest value of each
/// window; the gradient goes to the first of the largest, row by row.
///
/// # Panics
/// On any device but the processor.
#[must_use]
pub fn max_pool(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Pool>::max_pool(x.into_dispatch()))
}

/// The operation, for Burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait Pool: Backend {
    /// See [`max_pool`].
    fn max_pool(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// What a backend that pools brings for training.
pub trait PoolGradient: Pool {
    /// The gradient of `x` by that of the output; may take the place of `x`.
    fn max_pool_gradient(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Pool for Flex {
    fn max_pool(x: FlexTensor) -> FlexTensor {
        let x = x.to_contiguous();
        let [batch, channels, height, width] = x.layout().shape().dims();
        let [rows, columns] = [height, width].map(|side| side.div_ceil(STRIDE));
        let mut out = room([batch, channels, rows, columns]);
        let planes = out.storage_mut::<f32>().par_chunks_mut(rows * columns);
        planes.zip(x.storage::<f32>().par_chunks(height * width)).for_each(|(out, x)| pool(x, width, out, columns));
        out
    }
}

impl PoolGradient for Flex {
    fn max_pool_gradient(x: FlexTensor, grad: FlexTensor) -> FlexTensor {
        let (mut out, grad) = (Own::new(x), grad.to_contiguous());
        let [_, _, height, width] = out.tensor.layout().shape().dims();
        let [rows, columns] = [height, width].map(|side| side.div_ceil(STRIDE));
        let planes = out.pieces(height * width).into_par_iter();
        planes.zip(grad.storage::<f32>().par_chunks(rows * columns)).for_each_with(Vec::new(), |x, (plane, grad)| {
            let plane = plane.values();
            x.clear();
            x.extend_from_slice(plane);
            plane.fill(0.0);
            spread(grad, columns, (x, width), plane);
        });
        out.tensor
    }
}

/// The windows of a plane.
fn pool(x: &[f32], width: usize, out: &mut [f32], columns: usize) {
    let height = x.len() / width;
    // The largest of three rows, one position around.
    let mut room = vec![f32::NEG_INFINITY; width + WINDOW];
    for (row, out) in out.chunks_exact_mut(columns).enumerate() {
        let mut lines = x.chunks_exact(width).take(height.min(row * STRIDE + 2)).skip((row * STRIDE).saturating_sub(1));
        let room = &mut room;
        vectorised(
            #[inline(always)]
            || {
                let largest = &mut room[1..][..width];
                largest.copy_from_slice(lines.next().expect("a window holds a row"));
                for line in lines {
                    largest.iter_mut().zip(line).for_each(|(largest, x)| *largest = larger(*largest, *x));
                }
                let (pairs, after) = (room.as_chunks::<STRIDE>().0, room[STRIDE..].as_chunks::<STRIDE>().0);
                for ((out, [a, b]), [c, _]) in out.iter_mut().zip(pairs).zip(after) {
                    *out = larger(larger(*a, *b), *c);
                }
            },
        );
    }
}

/// One comparison of vectors; `f32::max` asks for numbers first.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Adds the gradient of each window of a plane to that of its first largest value.
fn spread(grad: &[f32], columns: usize, (x, width): (&[f32], usize), out: &mut [f32]) {
    let height = x.len() / width;
    let reach = |at: usize, side: usize| (at * STRIDE).saturating_sub(1)..side.min(at * STRIDE + 2);
    for (row, grad) in grad.chunks_exact(columns).enumerate() {
        for (column, grad) in grad.iter().enumerate() {
            let mut first = (f32::NEG_INFINITY, reach(row, height).start * width + reach(column, width).start);
            for at in reach(row, height).flat_map(|row| reach(column, width).map(move |column| row * width + column)) {
                if x[at] > first.0 {
                    first = (x[at], at);
                }
            }
            out[first.1] += grad;
        }
    }
}

impl<B: PoolGradient, C: CheckpointStrategy> Pool for Autodiff<B, C> {
    fn max_pool(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match Gradient.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = prepared.checkpoint(&x);
                prepared.finish(state, B::max_pool(x.into_primitive()))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::max_pool(x.into_primitive())),
        }
    }
}

#[derive(Debug)]
struct Gradient;

impl<B: PoolGradient> Backward<B, 1> for Gradient {
    type State = NodeId;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let x = checkpointer.retrieve_node_output::<FloatTensor<B>>(ops.state);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::max_pool_gradient(x, grad));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::PaddingConfig2d;
    use burn::nn::pool::MaxPool2dConfig;
    use burn::tensor::{Device, Distribution};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn agrees_with_burns_pooling_forward_and_backward(
            batch in 1_usize..4, channels in 1_usize..4, height in 1_usize..20, width in 1_usize..40, relu: bool,
        ) {
            let device = Device::flex().autodiff();
            let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            // After a ReLU many values of a window are as large.
            let x = random([batch, channels, height, width]);
            let x = if relu { x.clamp_min(0.0) } else { x }.detach().require_grad();
            let config = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]);
            let theirs = config.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init().forward(x.clone());
            let ours = max_pool(x.clone());
            prop_assert_eq!(theirs.clone().inner().into_data(), ours.clone().inner().into_data());
            let above = random(theirs.dims());
            let (theirs, ours) = ((theirs * above.clone()).sum().backward(), (ours * above).sum().backward());
            let apart: f32 = (x.grad(&theirs).unwrap() - x.grad(&ours).unwrap()).abs().max().into_scalar();
            prop_assert!(apart < 1e-5, "{apart}");
        }
    }
}

//! Convolution on the processor as few large matrix products, forward and backward.
//!
//! Burn's `flex` computes the gradient of the weights as a convolution whose kernel is a whole feature map: 9
//! columns a product for a 3x3 kernel, which wastes most of the vector unit. Here each group of pictures is
//! unfolded into columns (im2col; Chellapilla et al. 2006) once, and all three products are well shaped. `train::gpu`
//! does the same on a GPU.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

/// Convolves `[batch, in, height, width]` with square kernels `[out, in, kernel, kernel]`, zeros around. The output has
/// the type of `x`; the weights are float32.
///
/// # Panics
/// With a tensor that it does not know; see [`supports`].
#[must_use]
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: usize) -> Tensor<4> {
    let out = <Dispatch as Convolve>::convolve(x.into_dispatch(), weight.into_dispatch(), stride, padding);
    Tensor::from_dispatch(out)
}

/// Whether [`convolve`] and the operations of [`super::normalise`] know such a tensor: float32 on the processor, that or
/// bfloat16 on a GPU.
#[must_use]
pub fn supports(x: &Tensor<4>) -> bool {
    match x.dtype() {
        DType::F32 => true,
        DType::BF16 => !on_processor(&x.device()),
        _ => false,
    }
}

/// Whether the device is the processor, with or without autodiff.
#[must_use]
pub fn on_processor(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// The operation, for Burn's dispatch.
#[backend_extension(Flex, Cube: cfg(feature = "cuda"), Autodiff)]
pub trait Convolve: Backend {
    /// See [`convolve`].
    fn convolve(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize, padding: usize) -> FloatTensor<Self>;
}

/// What a backend that convolves brings for training.
pub trait ConvolveGradient: Convolve {
    /// The gradient of `x` by that of the output.
    fn input_gradient(
        x: &FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self>;
    /// The gradient of `weight` by that of the output.
    fn weight_gradient(
        x: FloatTensor<Self>,
        weight: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self>;
}

impl Convolve for Flex {
    fn convolve(x: FlexTensor, weight: FlexTensor, stride: usize, padding: usize) -> FlexTensor {
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        Shape::of(&x, &weight, stride, padding).forward(x, &weight)
    }
}

impl ConvolveGradient for Flex {
    fn input_gradient(
        x: &FlexTensor,
        weight: FlexTensor,
        grad: FlexTensor,
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        Shape::of(x, &weight, stride, padding).input_gradient(grad.to_contiguous(), &weight.to_contiguous())
    }

    fn weight_gradient(
        x: FlexTensor,
        weight: &FlexTensor,
        grad: FlexTensor,
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let (x, grad) = (x.to_contiguous(), grad.to_contiguous());
        Shape::of(&x, weight, stride, padding).weight_gradient(x.storage(), grad.storage())
    }
}

impl<B: ConvolveGradient, C: CheckpointStrategy> Convolve for Autodiff<B, C> {
    fn convolve(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize, padding: usize) -> FloatTensor<Self> {
        match Gradient.prepare::<C>([x.node(), weight.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), prepared.checkpoint(&weight), stride, padding);
                prepared.finish(state, B::convolve(x.into_primitive(), weight.into_primitive(), stride, padding))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::convolve(x.into_primitive(), weight.into_primitive(), stride, padding))
            }
        }
    }
}

#[derive(Debug)]
struct Gradient;

impl<B: ConvolveGradient> Backward<B, 2> for Gradient {
    type State = (NodeId, NodeId, usize, usize);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_weight] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, weight, stride, padding) = ops.state;
        let x = checkpointer.retrieve_node_output::<FloatTensor<B>>(x);
        let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
        if let Some(node) = node_x {
            let gradient = B::input_gradient(&x, weight.clone(), grad.clone(), stride, padding);
            grads.register::<B>(node.id, gradient);
        }
        if let Some(node) = node_weight {
            grads.register::<B>(node.id, B::weight_gradient(x, &weight, grad, stride, padding));
        }
    }
}

/// The sizes of one convolution.
#[derive(Clone, Copy, Debug)]
struct Shape {
    batch: usize,
    inputs: usize,
    height: usize,
    width: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    /// Rows and columns of the output.
    rows: usize,
    columns: usize,
}

/// Columns that make a matrix product efficient: pictures are grouped until they have so many.
const ENOUGH_COLUMNS: usize = 256;

/// Most groups of a batch in the gradient of the weights; more than the cores of a small machine, so that they share
/// the work evenly, and fixed, so that the order of summation does not depend on the machine.
const WEIGHT_GROUPS: usize = 4;

/// Positions that make a group in the gradient of the weights worth a gradient of its own, which must be added.
const ENOUGH_POSITIONS: usize = 2048;

/// Values that one task unfolds at least.
const UNFOLD: usize = 1 << 15;

/// Positions of a picture from which a kernel of one pixel needs no grouping: the pictures are the columns.
const POINTWISE_POSITIONS: usize = 128;

impl Shape {
    fn of(x: &FlexTensor, weight: &FlexTensor, stride: usize, padding: usize) -> Self {
        let [batch, inputs, height, width] = x.layout().shape().dims();
        let [outputs, of, kernel, other] = weight.layout().shape().dims();
        assert_eq!((inputs, kernel), (of, other), "the weights fit the input and are square");
        let side = |length: usize| (length + 2 * padding - kernel) / stride + 1;
        let (rows, columns) = (side(height), side(width));
        Self { batch, inputs, height, width, outputs, kernel, stride, padding, rows, columns }
    }

    /// Positions of one output picture.
    fn positions(&self) -> usize {
        self.rows * self.columns
    }

    /// Values under one position of the kernel.
    fn taps(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    fn input_values(&self) -> usize {
        self.inputs * self.height * self.width
    }

    fn output_values(&self) -> usize {
        self.outputs * self.positions()
    }

    /// Pictures in a group: enough columns, but two groups at least.
    fn group(&self) -> usize {
        ENOUGH_COLUMNS.div_ceil(self.positions()).clamp(1, self.batch.div_ceil(2))
    }

    /// Whether each picture is multiplied as it lies.
    fn pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0 && self.positions() >= POINTWISE_POSITIONS
    }

    fn forward(&self, x: FlexTensor, weight: &FlexTensor) -> FlexTensor {
        let weight = weight.reshape([self.outputs, self.taps()].into());
        if self.pointwise() {
            let weight = weight.reshape([1, self.outputs, self.inputs].into());
            let out = product(weight, x.reshape([self.batch, self.inputs, self.positions()].into()));
            return out.reshape([self.batch, self.outputs, self.rows, self.columns].into());
        }
        let x: &[f32] = x.storage();
        let mut out = vec![0.0; self.batch * self.output_values()];
        let groups = out.par_chunks_mut(self.group() * self.output_values());
        groups.zip(x.par_chunks(self.group() * self.input_values())).for_each(|(out, x)| {
            let product = product(weight.clone(), self.unfold(x));
            self.write_pictures(product.storage(), out);
        });
        tensor(out, [self.batch, self.outputs, self.rows, self.columns])
    }

    fn input_gradient(&self, grad: FlexTensor, weight: &FlexTensor) -> FlexTensor {
        if self.pointwise() {
            let weight = weight.reshape([1, self.outputs, self.inputs].into()).transpose(1, 2);
            let out = product(weight, grad.reshape([self.batch, self.outputs, self.positions()].into()));
            return out.reshape([self.batch, self.inputs, self.height, self.width].into());
        }
        let grad: &[f32] = grad.storage();
        let weight = weight.reshape([self.outputs, self.taps()].into()).transpose(0, 1);
        let mut out = vec![0.0; self.batch * self.input_values()];
        let groups = out.par_chunks_mut(self.group() * self.input_values());
        groups.zip(grad.par_chunks(self.group() * self.output_values())).for_each(|(out, grad)| {
            let product = product(weight.clone(), self.columns_of(grad));
            self.fold(product.storage(), out);
        });
        tensor(out, [self.batch, self.inputs, self.height, self.width])
    }

    fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> FlexTensor {
        let groups = (self.batch * self.positions() / ENOUGH_POSITIONS).clamp(1, WEIGHT_GROUPS);
        let group = self.batch.div_ceil(groups);
        let pairs = x.par_chunks(group * self.input_values()).zip(grad.par_chunks(group * self.output_values()));
        let parts: Vec<FlexTensor> =
            pairs.map(|(x, grad)| product(self.columns_of(grad), self.unfold(x).transpose(0, 1))).collect();
        let sum = parts.into_iter().reduce(Flex::float_add).expect("a batch has a picture");
        sum.reshape([self.outputs, self.inputs, self.kernel, self.kernel].into())
    }

    /// Pictures `[n, in, height, width]` to columns `[taps, n * positions]`: what lies under the kernel.
    fn unfold(&self, x: &[f32]) -> FlexTensor {
        let line = x.len() / self.input_values() * self.positions();
        let mut columns = vec![0.0; self.taps() * line];
        let lines = columns.par_chunks_exact_mut(line).with_min_len(UNFOLD.div_ceil(line)).enumerate();
        lines.for_each(|(tap, columns)| self.unfold_tap(x, tap, columns));
        tensor(columns, [self.taps(), line])
    }

    /// One line of the columns: what lies under one tap of the kernel.
    fn unfold_tap(&self, x: &[f32], tap: usize, columns: &mut [f32]) {
        for (x, columns) in x.chunks_exact(self.input_values()).zip(columns.chunks_exact_mut(self.positions())) {
            self.each_row(tap, |input, first, output| {
                let (from, to) = (&x[input], &mut columns[output]);
                if self.stride == 1 {
                    to.copy_from_slice(&from[first..first + to.len()]);
                } else {
                    to.iter_mut().zip(from[first..].iter().step_by(self.stride)).for_each(|(to, from)| *to = *from);
                }
            });
        }
    }

    /// Adds columns `[taps, n * positions]` to the pictures that they were unfolded from.
    fn fold(&self, columns: &[f32], out: &mut [f32]) {
        let line = columns.len() / self.taps();
        for (tap, columns) in columns.chunks_exact(line).enumerate() {
            for (out, columns) in out.chunks_exact_mut(self.input_values()).zip(columns.chunks_exact(self.positions()))
            {
                self.each_row(tap, |input, first, output| {
                    let (to, from) = (&mut out[input], &columns[output]);
                    if self.stride == 1 {
                        to[first..first + from.len()].iter_mut().zip(from).for_each(|(to, from)| *to += from);
                    } else {
                        to[first..].iter_mut().step_by(self.stride).zip(from).for_each(|(to, from)| *to += from);
                    }
                });
            }
        }
    }

    /// Calls `visit` for each row of the output that a tap of the kernel meets inside the picture: the row of
    /// the input as a range, the first position in it, the part of the output as a range.
    fn each_row(&self, tap: usize, mut visit: impl FnMut(std::ops::Range<usize>, usize, std::ops::Range<usize>)) {
        let (channel, tap) = (tap / (self.kernel * self.kernel), tap % (self.kernel * self.kernel));
        let (down, right) = (tap / self.kernel, tap % self.kernel);
        let rows = self.inside(down, self.height, self.rows);
        let columns = self.inside(right, self.width, self.columns);
        if columns.is_empty() {
            return;
        }
        let first = columns.start * self.stride + right - self.padding;
        for row in rows {
            let input = (channel * self.height + row * self.stride + down - self.padding) * self.width;
            let output = row * self.columns;
            visit(input..input + self.width, first, output + columns.start..output + columns.end);
        }
    }

    /// Output positions whose tap `offset` lies inside an input of `length`.
    fn inside(&self, offset: usize, length: usize, outputs: usize) -> std::ops::Range<usize> {
        let start = self.padding.saturating_sub(offset).div_ceil(self.stride);
        let end = (length + self.padding).saturating_sub(offset).div_ceil(self.stride).min(outputs);
        start.min(end)..end
    }

    /// `[n, out, positions]` to `[out, n * positions]`.
    fn columns_of(&self, pictures: &[f32]) -> FlexTensor {
        let (n, positions) = (pictures.len() / self.output_values(), self.positions());
        let mut columns = vec![0.0; pictures.len()];
        for (i, picture) in pictures.chunks_exact(self.output_values()).enumerate() {
            for (channel, values) in picture.chunks_exact(positions).enumerate() {
                let at = (channel * n + i) * positions;
                columns[at..at + positions].copy_from_slice(values);
            }
        }
        tensor(columns, [self.outputs, n * positions])
    }

    /// `[out, n * positions]` to `[n, out, positions]`.
    fn write_pictures(&self, columns: &[f32], out: &mut [f32]) {
        let (n, positions) = (out.len() / self.output_values(), self.positions());
        for (i, picture) in out.chunks_exact_mut(self.output_values()).enumerate() {
            for (channel, values) in picture.chunks_exact_mut(positions).enumerate() {
                let at = (channel * n + i) * positions;
                values.copy_from_slice(&columns[at..at + positions]);
            }
        }
    }
}

fn product(left: FlexTensor, right: FlexTensor) -> FlexTensor {
    Flex::float_matmul(left, right).to_contiguous()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use proptest::prelude::*;

    fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        assert_eq!(a.dims(), b.dims());
        (a - b).abs().max().into_scalar()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn agrees_with_burns_convolution_forward_and_backward(
            batch in 1_usize..6, inputs in 1_usize..5, outputs in 1_usize..5, height in 7_usize..13,
            width in 7_usize..13, half in 0_usize..4, stride in 1_usize..3, large: bool,
        ) {
            // Large pictures under a kernel of one pixel go another way.
            let (height, width) = if large { (height + 5, width + 5) } else { (height, width) };
            let device = Device::flex().autodiff();
            let kernel = 2 * half + 1;
            let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device).require_grad();
            let (x, w) = (random([batch, inputs, height, width]), random([outputs, inputs, kernel, kernel]));
            let options = ConvOptions::new([stride; 2], [half; 2], [1; 2], 1);
            let theirs = conv2d(x.clone(), w.clone(), None, options);
            let ours = convolve(x.clone(), w.clone(), stride, half);
            prop_assert!(distance(theirs.clone().inner(), ours.clone().inner()) < 1e-3);
            // A random gradient from above, the same for both.
            let above = random(theirs.dims()).detach();
            let (theirs, ours) = ((theirs * above.clone()).sum().backward(), (ours * above).sum().backward());
            for tensor in [&x, &w] {
                prop_assert!(distance(tensor.grad(&theirs).unwrap(), tensor.grad(&ours).unwrap()) < 2e-3);
            }
        }
    }
}

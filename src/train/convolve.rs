//! Convolution for training, forward and backward, on the processor; `train::gpu` has it for a GPU.
//!
//! Burn's `flex` computes the gradient of the weights as a convolution whose kernel is a whole feature map: 9
//! columns a product for a 3x3 kernel, which wastes most of the vector unit. Here all three are matrix products, whose
//! columns are laid out as they are needed ([`direct`]), and for most kernels of 3x3 a quarter of the products
//! ([`winograd`]).

mod columns;
mod direct;
mod kernel;
mod parts;
mod pictures;
mod product;
mod winograd;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{DType, Device, Tensor, TensorData};

use self::winograd::Winograd;
use super::recycle::{Own, recycle, room, whole};

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
    /// The gradient of `x` by that of the output; may take the place of `x`.
    fn input_gradient(
        x: FloatTensor<Self>,
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
        let shape = Shape::of(&x, &weight, stride, padding);
        let (x, weight) = (x.storage(), weight.storage());
        let mut out = room([shape.batch, shape.outputs, shape.rows, shape.columns]);
        match shape.winograd() {
            Some(winograd) => winograd.forward(x, weight, out.storage_mut()),
            None => shape.forward(x, weight, out.storage_mut()),
        }
        out
    }
}

impl ConvolveGradient for Flex {
    fn input_gradient(
        x: FlexTensor,
        weight: FlexTensor,
        grad: FlexTensor,
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let shape = Shape::of(&x, &weight, stride, padding);
        let (grad, weight, mut out) = (whole(grad), weight.to_contiguous(), Own::new(x).tensor);
        match shape.winograd() {
            Some(winograd) => winograd.input_gradient(grad.storage(), weight.storage(), out.storage_mut()),
            None => shape.input_gradient(grad.storage(), weight.storage(), out.storage_mut()),
        }
        recycle(grad);
        out
    }

    fn weight_gradient(
        x: FlexTensor,
        weight: &FlexTensor,
        grad: FlexTensor,
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let (x, grad) = (x.to_contiguous(), grad.to_contiguous());
        let shape = Shape::of(&x, weight, stride, padding);
        let (x, grad) = (x.storage(), grad.storage());
        let out = match shape.winograd() {
            Some(winograd) => winograd.weight_gradient(x, grad),
            None => shape.weight_gradient(x, grad),
        };
        let weights = [shape.outputs, shape.inputs, shape.kernel, shape.kernel];
        FlexTensor::from_data(TensorData::new(out, weights))
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
        if let Some(node) = node_weight {
            let gradient = B::weight_gradient(x.clone(), &weight, grad.clone(), stride, padding);
            grads.register::<B>(node.id, gradient);
        }
        // Nobody needs the input any more.
        if let Some(node) = node_x {
            grads.register::<B>(node.id, B::input_gradient(x, weight, grad, stride, padding));
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

    /// The quicker way for kernels of 3x3.
    fn winograd(&self) -> Option<Winograd> {
        let fits = self.kernel == 3 && self.stride == 1 && self.padding == 1;
        fits.then(|| Winograd::new(self.batch, [self.inputs, self.outputs], [self.height, self.width])).flatten()
    }
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
            // The weights' gradient goes another way where many positions lie side by side.
            let (height, width) = if large { (height + 5, width + 50) } else { (height, width) };
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

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        // Few and many tiles of 4x4, panels otherwise; a stride that leaves two classes of inputs.
        for (channels, kernel, stride, width) in
            [(32, 3, 1, 17), (32, 3, 1, 61), (3, 7, 2, 17), (3, 7, 2, 61), (8, 1, 1, 17)]
        {
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let device = Device::flex().autodiff();
                    let value = |i: usize| (i * 37 % 101) as f32 / 50.0 - 1.0;
                    let tensor = |shape: [usize; 4]| {
                        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
                        Tensor::<4>::from_data(TensorData::new(values, shape), &device).require_grad()
                    };
                    let (x, w) = (tensor([6, channels, 13, width]), tensor([32, channels, kernel, kernel]));
                    let out = convolve(x.clone(), w.clone(), stride, kernel / 2);
                    let gradients = (out.clone() * out.clone().detach()).sum().backward();
                    [out.inner(), x.grad(&gradients).unwrap(), w.grad(&gradients).unwrap()].map(Tensor::into_data)
                })
            };
            assert_eq!(run(1), run(5));
        }
    }
}

//! [`Convolve`] on a GPU.

use burn::backend::Cube;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::permute;
use burn_cubecl::tensor::CubeTensor;

use super::kernels::{WindowLaunch, arrange, arrange_back, gather_weights, unfold, unfold_gradient};
use super::{Gpu, Pictures, element, empty, pictures, product, shaped, threads, vector};
use crate::train::convolve::{Convolve, ConvolveGradient};

/// Columns of an unfolded batch are a multiple of this, so that tensor cores can read them.
const ALIGN: usize = 16;
/// Tiles of a product that keep a large GPU busy.
const ENOUGH_TILES: usize = 256;
/// Sides of a tile.
const TILE: usize = 64;
/// Positions that make a part of the gradient of the weights worth a sum of its own.
const ENOUGH_POSITIONS: usize = 512;

impl Convolve for Cube {
    fn convolve(x: Gpu, weight: Gpu, stride: usize, padding: usize) -> Gpu {
        let shape = Shape::of(&x, &weight, stride, padding);
        let x = Pictures::of(x);
        let kind = x.values.dtype;
        let weight = shape.weights(weight, kind);
        let out = product(shape.columns(x), weight, kind);
        pictures(out, [shape.batch, shape.rows, shape.across, shape.outputs])
    }
}

impl ConvolveGradient for Cube {
    fn input_gradient(x: Gpu, weight: Gpu, grad: Gpu, stride: usize, padding: usize) -> Gpu {
        let shape = Shape::of(&x, &weight, stride, padding);
        let grad = Pictures::of(grad);
        let kind = grad.values.dtype;
        let weight = shape.weights_back(weight, kind);
        let out = product(shape.gradient_columns(grad), weight, kind);
        pictures(out, [shape.batch, shape.height, shape.width, shape.inputs])
    }

    fn weight_gradient(x: Gpu, weight: &Gpu, grad: Gpu, stride: usize, padding: usize) -> Gpu {
        let shape = Shape::of(&x, weight, stride, padding);
        let (x, grad) = (Pictures::of(x), Pictures::of(grad));
        let positions = shape.batch * shape.positions();
        let parts = shape.parts();
        let columns = shaped(shape.columns(x), [parts, positions / parts, shape.line()]);
        let grad = shaped(grad.values, [parts, positions / parts, shape.outputs]);
        let sums = product(permute(columns, &[0, 2, 1]), grad, DType::F32);
        shape.gather(sums, parts)
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
    /// Of the output.
    rows: usize,
    /// Of the output.
    across: usize,
}

impl Shape {
    fn of(x: &Gpu, weight: &Gpu, stride: usize, padding: usize) -> Self {
        let [batch, inputs, height, width] = x.meta.shape().dims();
        let [outputs, of, kernel, other] = weight.meta.shape().dims();
        assert_eq!((inputs, kernel), (of, other), "the weights fit the input and are square");
        let side = |length: usize| (length + 2 * padding - kernel) / stride + 1;
        Self { batch, inputs, height, width, outputs, kernel, stride, padding, rows: side(height), across: side(width) }
    }

    fn positions(&self) -> usize {
        self.rows * self.across
    }

    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Values of an unfolded position.
    fn line(&self) -> usize {
        (self.taps() * self.inputs).next_multiple_of(ALIGN)
    }

    /// Whether pictures are their own columns.
    fn pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    fn columns(&self, x: Pictures) -> CubeTensor {
        let lines = self.batch * self.positions();
        if self.pointwise() && self.line() == self.inputs {
            return shaped(x.values, [lines, self.inputs]);
        }
        let kind = x.values.dtype;
        let out = empty(&x.values, [lines, self.line()], kind);
        let size = vector(self.inputs, kind);
        let total = lines * self.line() / size;
        let (count, dim) = threads(&out, total);
        let window = WindowLaunch::new(
            self.height,
            self.width,
            self.inputs / size,
            self.rows,
            self.across,
            self.line() / size,
            self.kernel,
            self.stride,
            self.padding,
            total,
        );
        let client = out.client.clone();
        unfold::launch(
            &client,
            count,
            dim,
            size,
            x.values.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            window,
            element(kind),
        );
        out
    }

    fn gradient_columns(&self, grad: Pictures) -> CubeTensor {
        let lines = self.batch * self.height * self.width;
        if self.pointwise() {
            return shaped(grad.values, [lines, self.outputs]);
        }
        let kind = grad.values.dtype;
        let line = self.taps() * self.outputs;
        let out = empty(&grad.values, [lines, line], kind);
        let size = vector(self.outputs, kind);
        let total = lines * line / size;
        let (count, dim) = threads(&out, total);
        let window = WindowLaunch::new(
            self.rows,
            self.across,
            self.outputs / size,
            self.height,
            self.width,
            line / size,
            self.kernel,
            self.stride,
            self.padding,
            total,
        );
        let client = out.client.clone();
        unfold_gradient::launch(
            &client,
            count,
            dim,
            size,
            grad.values.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            window,
            element(kind),
        );
        out
    }

    fn weights(&self, weight: Gpu, kind: DType) -> CubeTensor {
        let weight = into_contiguous(weight);
        let out = empty(&weight, [self.line(), self.outputs], kind);
        let total = self.line() * self.outputs;
        let (count, dim) = threads(&out, total);
        let client = out.client.clone();
        arrange::launch(
            &client,
            count,
            dim,
            weight.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            self.outputs,
            self.inputs,
            self.taps(),
            total,
            element(kind),
        );
        out
    }

    fn weights_back(&self, weight: Gpu, kind: DType) -> CubeTensor {
        let weight = into_contiguous(weight);
        let out = empty(&weight, [self.taps() * self.outputs, self.inputs], kind);
        let total = self.taps() * self.outputs * self.inputs;
        let (count, dim) = threads(&out, total);
        let client = out.client.clone();
        arrange_back::launch(
            &client,
            count,
            dim,
            weight.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            self.outputs,
            self.inputs,
            self.taps(),
            total,
            element(kind),
        );
        out
    }

    /// Parts that the gradient of the weights is summed in: its products are few and long, so that one alone would
    /// leave most of a GPU idle.
    fn parts(&self) -> usize {
        let positions = self.batch * self.positions();
        let tiles = self.line().div_ceil(TILE) * self.outputs.div_ceil(TILE);
        let wanted = (ENOUGH_TILES / tiles).min(positions / ENOUGH_POSITIONS).max(1);
        (1..=wanted).rev().find(|parts| positions.is_multiple_of(*parts)).unwrap_or(1)
    }

    fn gather(&self, sums: CubeTensor, parts: usize) -> Gpu {
        let out = empty(&sums, [self.outputs, self.inputs, self.kernel, self.kernel], DType::F32);
        let (count, dim) = threads(&out, self.taps() * self.inputs * self.outputs);
        let client = out.client.clone();
        gather_weights::launch(
            &client,
            count,
            dim,
            sums.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            self.outputs,
            self.inputs,
            self.taps(),
            self.line(),
            parts,
        );
        out
    }
}

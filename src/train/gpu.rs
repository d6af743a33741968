//! Convolution and normalisation on a GPU in kernels of our own, and matrix products by CubeCL's.
//!
//! Burn's own convolutions choose among a dozen kernels for each shape by compiling and timing them all: minutes before
//! the first step. Here pictures lie channels last and are unfolded into columns (im2col), so that everything heavy is
//! a matrix product, for which CubeCL has one good kernel, and the rest are the small kernels of this module: a few
//! dozen compilations for a whole network. [`super::convolve`] and [`super::normalise`] are the ways in.

mod convolution;
mod kernels;
mod normalisation;

use burn::backend::Cube;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::{permute_nchw_to_nhwc, permute_nhwc_to_nchw};
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::{CubeCount, CubeDim};

/// A tensor on the GPU.
type Gpu = FloatTensor<Cube>;

/// Pictures `[batch, channels, height, width]` as they lie, channels last and without gaps.
struct Pictures {
    values: CubeTensor,
    batch: usize,
    height: usize,
    width: usize,
    channels: usize,
}

impl Pictures {
    fn of(x: Gpu) -> Self {
        let values = into_contiguous(permute_nchw_to_nhwc(x));
        let [batch, height, width, channels] = values.meta.shape().dims();
        Self { values, batch, height, width, channels }
    }

    /// Positions of all pictures.
    fn rows(&self) -> usize {
        self.batch * self.height * self.width
    }
}

/// Values `[batch * height * width, channels]`, or of that size, as pictures in Burn's order of axes.
fn pictures(values: CubeTensor, [batch, height, width, channels]: [usize; 4]) -> Gpu {
    permute_nhwc_to_nchw(shaped(values, [batch, height, width, channels]))
}

/// The same values under another shape; they lie without gaps.
fn shaped<const D: usize>(x: CubeTensor, shape: [usize; D]) -> CubeTensor {
    CubeTensor::new_contiguous(x.client, x.device, Shape::from(shape), x.handle, x.dtype)
}

/// Room beside `like`.
fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D], kind: DType) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), Shape::from(shape), kind)
}

/// The product of two matrices, or of a batch of them: values of `kind`, sums in float32.
fn product(left: CubeTensor, right: CubeTensor, kind: DType) -> CubeTensor {
    let mut shape = left.meta.shape().clone();
    let last = shape.num_dims() - 1;
    shape[last] = right.meta.shape()[last];
    // Burn would leave gaps between rows.
    let out = empty_device_contiguous_dtype(left.client.clone(), left.device.clone(), shape, kind);
    matmul(left, right, Some(out), MatmulStrategy::Cube, kind).expect("a device that trains multiplies matrices")
}

/// What a kernel of so many threads is launched with.
fn threads(x: &CubeTensor, count: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(&x.client, count);
    (calculate_cube_count_elemwise(&x.client, count, dim), dim)
}

/// The type of the values, for a kernel.
fn element(kind: DType) -> ElemType {
    match kind {
        DType::F32 => ElemType::Float(FloatKind::F32),
        DType::BF16 => ElemType::Float(FloatKind::BF16),
        other => unreachable!("networks compute in float32 or bfloat16, not {other:?}"),
    }
}

/// Values that a thread moves at once: 16 bytes where the channels allow.
fn vector(channels: usize, kind: DType) -> usize {
    let most = 16 / kind.size();
    if channels.is_multiple_of(most) { most } else { 1 }
}

//! [`Normalise`] on a GPU.

use burn::backend::Cube;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::kernels::{
    add_relu, finish_moments, normalise, normalise_gradient, relu_gradient, sum_gradients, sum_lines, sum_moments,
};
use super::{Gpu, Pictures, element, empty, pictures, threads};
use crate::train::normalise::{Normalise, NormaliseGradient};

/// Rows that one thread sums.
const STRETCH: usize = 64;
/// Most stretches of a channel.
const STRETCHES: usize = 1024;
/// Partial sums that one thread adds.
const FOLD: usize = 32;

impl Normalise for Cube {
    fn moments(x: Gpu) -> Gpu {
        let x = Pictures::of(x);
        let (rows, channels, kind) = (x.rows(), x.channels, x.values.dtype);
        let (per, stretches) = stretches(rows);
        let sums = empty(&x.values, [stretches, 2, channels], DType::F32);
        let total = stretches * channels;
        let (count, dim) = threads(&sums, total);
        let client = sums.client.clone();
        sum_moments::launch(
            &client,
            count,
            dim,
            x.values.clone().into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            channels,
            rows,
            per,
            total,
            element(kind),
        );
        let sums = add_up(sums, stretches, 2 * channels);
        let out = empty(&sums, [2, channels], DType::F32);
        let (count, dim) = threads(&out, channels);
        finish_moments::launch(
            &client,
            count,
            dim,
            x.values.into_buffer_arg(),
            sums.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            channels,
            rows as f32,
            element(kind),
        );
        out
    }

    fn normalise(x: Gpu, moments: Gpu, gamma: Gpu, beta: Gpu, epsilon: f64, relu: bool) -> Gpu {
        let x = Pictures::of(x);
        let shape = [x.batch, x.height, x.width, x.channels];
        let (total, kind) = (x.rows() * x.channels, x.values.dtype);
        let out = empty(&x.values, shape, kind);
        let (count, dim) = threads(&out, total);
        let client = out.client.clone();
        normalise::launch(
            &client,
            count,
            dim,
            x.values.into_buffer_arg(),
            into_contiguous(moments).into_buffer_arg(),
            into_contiguous(gamma).into_buffer_arg(),
            into_contiguous(beta).into_buffer_arg(),
            out.clone().into_buffer_arg(),
            x.channels,
            epsilon as f32,
            total,
            relu,
            element(kind),
        );
        pictures(out, shape)
    }

    fn join(x: Gpu, moments: Gpu, gamma: Gpu, beta: Gpu, epsilon: f64, shortcut: Gpu) -> Gpu {
        rectified_sum(Self::normalise(x, moments, gamma, beta, epsilon, false), shortcut)
    }
}

impl NormaliseGradient for Cube {
    fn normalise_gradient(
        x: Gpu,
        moments: Gpu,
        gamma: Gpu,
        beta: Gpu,
        epsilon: f64,
        relu: bool,
        grad: Gpu,
    ) -> [Gpu; 3] {
        let (x, grad) = (Pictures::of(x), Pictures::of(grad));
        let [moments, gamma, beta] = [moments, gamma, beta].map(into_contiguous);
        let (rows, channels, kind) = (x.rows(), x.channels, x.values.dtype);
        let (per, stretches) = stretches(rows);
        let sums = empty(&x.values, [stretches, 2, channels], DType::F32);
        let total = stretches * channels;
        let (count, dim) = threads(&sums, total);
        let client = sums.client.clone();
        sum_gradients::launch(
            &client,
            count,
            dim,
            x.values.clone().into_buffer_arg(),
            grad.values.clone().into_buffer_arg(),
            moments.clone().into_buffer_arg(),
            gamma.clone().into_buffer_arg(),
            beta.clone().into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            channels,
            epsilon as f32,
            rows,
            per,
            total,
            relu,
            element(kind),
        );
        let sums = add_up(sums, stretches, 2 * channels);
        let shape = [x.batch, x.height, x.width, channels];
        let out = empty(&x.values, shape, kind);
        let total = rows * channels;
        let (count, dim) = threads(&out, total);
        normalise_gradient::launch(
            &client,
            count,
            dim,
            x.values.into_buffer_arg(),
            grad.values.into_buffer_arg(),
            moments.into_buffer_arg(),
            gamma.into_buffer_arg(),
            beta.into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            out.clone().into_buffer_arg(),
            channels,
            epsilon as f32,
            rows as f32,
            total,
            relu,
            element(kind),
        );
        [pictures(out, shape), row(&sums, 1, channels), row(&sums, 0, channels)]
    }

    fn join_gradient(x: Gpu, moments: Gpu, gamma: Gpu, beta: Gpu, epsilon: f64, out: Gpu, grad: Gpu) -> [Gpu; 4] {
        let grad = passed(out, grad);
        let [x, gamma, beta] = Self::normalise_gradient(x, moments, gamma, beta, epsilon, false, grad.clone());
        [x, gamma, beta, grad]
    }
}

/// `relu(a + b)`.
fn rectified_sum(a: Gpu, b: Gpu) -> Gpu {
    let (a, b) = (Pictures::of(a), Pictures::of(b));
    let shape = [a.batch, a.height, a.width, a.channels];
    let (total, kind) = (a.rows() * a.channels, a.values.dtype);
    let out = empty(&a.values, shape, kind);
    let (count, dim) = threads(&out, total);
    let client = out.client.clone();
    let (a, b) = (a.values.into_buffer_arg(), b.values.into_buffer_arg());
    add_relu::launch(&client, count, dim, a, b, out.clone().into_buffer_arg(), total, element(kind));
    pictures(out, shape)
}

/// The gradient before a ReLU, by what came out of it and the gradient after it.
fn passed(out: Gpu, grad: Gpu) -> Gpu {
    let (out, grad) = (Pictures::of(out), Pictures::of(grad));
    let shape = [out.batch, out.height, out.width, out.channels];
    let (total, kind) = (out.rows() * out.channels, out.values.dtype);
    let result = empty(&out.values, shape, kind);
    let (count, dim) = threads(&result, total);
    let client = result.client.clone();
    let (out, grad) = (out.values.into_buffer_arg(), grad.values.into_buffer_arg());
    relu_gradient::launch(&client, count, dim, out, grad, result.clone().into_buffer_arg(), total, element(kind));
    pictures(result, shape)
}

/// How many rows a thread sums, and into how many stretches that cuts them.
fn stretches(rows: usize) -> (usize, usize) {
    let per = STRETCH.max(rows.div_ceil(STRETCHES));
    (per, rows.div_ceil(per))
}

/// Sums all lines of `[lines, width]`.
fn add_up(mut sums: CubeTensor, mut lines: usize, width: usize) -> CubeTensor {
    while lines > 1 {
        let left = lines.div_ceil(FOLD);
        let out = empty(&sums, [left, width], DType::F32);
        let total = left * width;
        let (count, dim) = threads(&out, total);
        let client = out.client.clone();
        let (from, to) = (sums.into_buffer_arg(), out.clone().into_buffer_arg());
        sum_lines::launch(&client, count, dim, from, to, width, lines, FOLD, total);
        (sums, lines) = (out, left);
    }
    sums
}

/// A row of `[2, channels]`.
fn row(both: &CubeTensor, row: usize, channels: usize) -> Gpu {
    let range = row * channels..(row + 1) * channels;
    burn_cubecl::kernel::slice(super::shaped(both.clone(), [2 * channels]), &[range])
}

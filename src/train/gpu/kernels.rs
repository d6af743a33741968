//! What runs on the GPU. Each thread makes one value (or one vector) of the result; pictures lie channels last.

// The kernel language reads parameters by reference and has no slices' methods.
#![allow(clippy::needless_pass_by_value, clippy::too_many_arguments, missing_docs)]

use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// The geometry of a convolution. Channels are counted in vectors.
#[derive(CubeLaunch, CubeType)]
pub struct Window {
    /// Of what is read.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Of the positions that are written.
    pub rows: usize,
    pub columns: usize,
    /// Values of a line of columns: taps times channels, and zeros.
    pub line: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    /// Lines times values.
    pub total: usize,
}

/// What lies under the kernel at each output position, `[positions, line]`: tap by tap, its channels.
#[cube(launch)]
pub fn unfold<F: Float, N: Size>(
    x: &[Vector<F, N>],
    out: &mut [Vector<F, N>],
    window: &Window,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= window.total {
        terminate!();
    }
    let inside = ABSOLUTE_POS % window.line;
    let position = ABSOLUTE_POS / window.line;
    let channel = inside % window.channels;
    let tap = inside / window.channels;
    let column = position % window.columns;
    let above = position / window.columns;
    let row = above % window.rows;
    let picture = above / window.rows;
    let y = row * window.stride + tap / window.kernel;
    let across = column * window.stride + tap % window.kernel;
    let mut value = Vector::new(F::new(0.0));
    if tap < window.kernel * window.kernel
        && y >= window.padding
        && y < window.height + window.padding
        && across >= window.padding
        && across < window.width + window.padding
    {
        let at = (picture * window.height + y - window.padding) * window.width + across - window.padding;
        value = x[at * window.channels + channel];
    }
    out[ABSOLUTE_POS] = value;
}

/// Which output gradients an input position has a part in, `[input positions, line]`: tap by tap, its output channels.
#[cube(launch)]
pub fn unfold_gradient<F: Float, N: Size>(
    grad: &[Vector<F, N>],
    out: &mut [Vector<F, N>],
    window: &Window,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= window.total {
        terminate!();
    }
    let inside = ABSOLUTE_POS % window.line;
    let position = ABSOLUTE_POS / window.line;
    let channel = inside % window.channels;
    let tap = inside / window.channels;
    let column = position % window.columns;
    let above = position / window.columns;
    let row = above % window.rows;
    let picture = above / window.rows;
    let y = row + window.padding;
    let across = column + window.padding;
    let down = tap / window.kernel;
    let right = tap % window.kernel;
    let mut value = Vector::new(F::new(0.0));
    if y >= down && across >= right {
        let y = y - down;
        let across = across - right;
        let from_row = y / window.stride;
        let from_column = across / window.stride;
        if from_row * window.stride == y
            && from_column * window.stride == across
            && from_row < window.height
            && from_column < window.width
        {
            let at = (picture * window.height + from_row) * window.width + from_column;
            value = grad[at * window.channels + channel];
        }
    }
    out[ABSOLUTE_POS] = value;
}

/// Weights `[outputs, inputs, taps]` as the right side of a product, `[line, outputs]`: tap by tap, its inputs.
#[cube(launch)]
pub fn arrange<F: Float>(
    weight: &[f32],
    out: &mut [F],
    outputs: usize,
    inputs: usize,
    taps: usize,
    total: usize,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let output = ABSOLUTE_POS % outputs;
    let inside = ABSOLUTE_POS / outputs;
    let input = inside % inputs;
    let tap = inside / inputs;
    let mut value = F::new(0.0);
    if tap < taps {
        value = F::cast_from(weight[(output * inputs + input) * taps + tap]);
    }
    out[ABSOLUTE_POS] = value;
}

/// Weights `[outputs, inputs, taps]` as the right side of the product that gives gradients of the input,
/// `[taps * outputs, inputs]`.
#[cube(launch)]
pub fn arrange_back<F: Float>(
    weight: &[f32],
    out: &mut [F],
    outputs: usize,
    inputs: usize,
    taps: usize,
    total: usize,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let input = ABSOLUTE_POS % inputs;
    let inside = ABSOLUTE_POS / inputs;
    let output = inside % outputs;
    let tap = inside / outputs;
    out[ABSOLUTE_POS] = F::cast_from(weight[(output * inputs + input) * taps + tap]);
}

/// Sums partial gradients `[parts, line, outputs]` to those of the weights, `[outputs, inputs, taps]`.
#[cube(launch)]
pub fn gather_weights(
    parts: &[f32],
    out: &mut [f32],
    outputs: usize,
    inputs: usize,
    taps: usize,
    line: usize,
    count: usize,
) {
    if ABSOLUTE_POS >= taps * inputs * outputs {
        terminate!();
    }
    let output = ABSOLUTE_POS % outputs;
    let inside = ABSOLUTE_POS / outputs;
    let input = inside % inputs;
    let tap = inside / inputs;
    let mut sum = f32::new(0.0);
    for part in 0..count {
        sum += parts[part * line * outputs + ABSOLUTE_POS];
    }
    out[(output * inputs + input) * taps + tap] = sum;
}

/// Sums of a stretch of `per` rows, `[stretches, 2, channels]`: of `x` less its first row, and of the square of that.
#[cube(launch)]
pub fn sum_moments<F: Float>(
    x: &[F],
    out: &mut [f32],
    channels: usize,
    rows: usize,
    per: usize,
    total: usize,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let channel = ABSOLUTE_POS % channels;
    let stretch = ABSOLUTE_POS / channels;
    let pivot = f32::cast_from(x[channel]);
    let mut sum = f32::new(0.0);
    let mut squares = f32::new(0.0);
    for step in 0..per {
        let row = stretch * per + step;
        if row < rows {
            let apart = f32::cast_from(x[row * channels + channel]) - pivot;
            sum += apart;
            squares += apart * apart;
        }
    }
    let at = stretch * 2 * channels + channel;
    out[at] = sum;
    out[at + channels] = squares;
}

/// Sums `per` lines of `width` values each: `[lines, width]` to `[ceil(lines / per), width]`.
#[cube(launch)]
pub fn sum_lines(x: &[f32], out: &mut [f32], width: usize, lines: usize, per: usize, total: usize) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let at = ABSOLUTE_POS % width;
    let group = ABSOLUTE_POS / width;
    let mut sum = f32::new(0.0);
    for step in 0..per {
        let line = group * per + step;
        if line < lines {
            sum += x[line * width + at];
        }
    }
    out[ABSOLUTE_POS] = sum;
}

/// Mean and biased variance, `[2, channels]`, of the sums that [`sum_moments`] made.
#[cube(launch)]
pub fn finish_moments<F: Float>(
    x: &[F],
    sums: &[f32],
    out: &mut [f32],
    channels: usize,
    count: f32,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= channels {
        terminate!();
    }
    let mean = sums[ABSOLUTE_POS] / count;
    let variance = sums[channels + ABSOLUTE_POS] / count - mean * mean;
    out[ABSOLUTE_POS] = f32::cast_from(x[ABSOLUTE_POS]) + mean;
    out[channels + ABSOLUTE_POS] = max(variance, f32::new(0.0));
}

/// Scale and shift that normalise a channel.
#[cube]
fn affine(moments: &[f32], gamma: &[f32], beta: &[f32], channel: usize, channels: usize, epsilon: f32) -> (f32, f32) {
    let scale = gamma[channel] / f32::sqrt(moments[channels + channel] + epsilon);
    (scale, beta[channel] - moments[channel] * scale)
}

/// The normalised input, then a ReLU if asked.
#[cube(launch)]
pub fn normalise<F: Float>(
    x: &[F],
    moments: &[f32],
    gamma: &[f32],
    beta: &[f32],
    out: &mut [F],
    channels: usize,
    epsilon: f32,
    total: usize,
    #[comptime] relu: bool,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let channel = ABSOLUTE_POS % channels;
    let (scale, shift) = affine(moments, gamma, beta, channel, channels, epsilon);
    let mut value = f32::cast_from(x[ABSOLUTE_POS]) * scale + shift;
    if comptime!(relu) {
        value = max(value, f32::new(0.0));
    }
    out[ABSOLUTE_POS] = F::cast_from(value);
}

/// Sums of a stretch of `per` rows, `[stretches, 2, channels]`: of the gradient, and of the gradient times the normalised
/// input; the gradients of beta and gamma.
#[cube(launch)]
pub fn sum_gradients<F: Float>(
    x: &[F],
    grad: &[F],
    moments: &[f32],
    gamma: &[f32],
    beta: &[f32],
    out: &mut [f32],
    channels: usize,
    epsilon: f32,
    rows: usize,
    per: usize,
    total: usize,
    #[comptime] relu: bool,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let channel = ABSOLUTE_POS % channels;
    let stretch = ABSOLUTE_POS / channels;
    let (scale, shift) = affine(moments, gamma, beta, channel, channels, epsilon);
    let mean = moments[channel];
    let mut plain = f32::new(0.0);
    let mut weighted = f32::new(0.0);
    for step in 0..per {
        let row = stretch * per + step;
        if row < rows {
            let at = row * channels + channel;
            let value = f32::cast_from(x[at]);
            let mut slope = f32::cast_from(grad[at]);
            if comptime!(relu) {
                slope = select(value * scale + shift > 0.0, slope, f32::new(0.0));
            }
            plain += slope;
            weighted += slope * (value - mean);
        }
    }
    let at = stretch * 2 * channels + channel;
    out[at] = plain;
    out[at + channels] = weighted / f32::sqrt(moments[channels + channel] + epsilon);
}

/// The gradient of the input of a normalisation (Ioffe and Szegedy 2015, section 3); `sums` are those of
/// [`sum_gradients`] over all rows.
#[cube(launch)]
pub fn normalise_gradient<F: Float>(
    x: &[F],
    grad: &[F],
    moments: &[f32],
    gamma: &[f32],
    beta: &[f32],
    sums: &[f32],
    out: &mut [F],
    channels: usize,
    epsilon: f32,
    count: f32,
    total: usize,
    #[comptime] relu: bool,
    #[define(F)] _kind: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let channel = ABSOLUTE_POS % channels;
    let (scale, shift) = affine(moments, gamma, beta, channel, channels, epsilon);
    let inverse = f32::new(1.0) / f32::sqrt(moments[channels + channel] + epsilon);
    let value = f32::cast_from(x[ABSOLUTE_POS]);
    let mut slope = f32::cast_from(grad[ABSOLUTE_POS]);
    if comptime!(relu) {
        slope = select(value * scale + shift > 0.0, slope, f32::new(0.0));
    }
    let plain = sums[channel] / count;
    let weighted = sums[channels + channel] / count * inverse;
    out[ABSOLUTE_POS] = F::cast_from(scale * (slope - plain - (value - moments[channel]) * weighted));
}

/// `relu(a + b)`.
#[cube(launch)]
pub fn add_relu<F: Float>(a: &[F], b: &[F], out: &mut [F], total: usize, #[define(F)] _kind: ElemType) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    out[ABSOLUTE_POS] = max(a[ABSOLUTE_POS] + b[ABSOLUTE_POS], F::new(0.0));
}

/// The gradient of a ReLU by what came out of it.
#[cube(launch)]
pub fn relu_gradient<F: Float>(out: &[F], grad: &[F], result: &mut [F], total: usize, #[define(F)] _kind: ElemType) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    result[ABSOLUTE_POS] = select(out[ABSOLUTE_POS] > F::new(0.0), grad[ABSOLUTE_POS], F::new(0.0));
}

//! Convolution by a kernel of 3x3 in a quarter of the products: tiles of 4x4 outputs are computed where the convolution
//! is a product of points (F(4x4, 3x3) of Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//!
//! A tile of 6x6 inputs becomes 36 points, a kernel becomes 36 points, and at each point the tiles of all pictures meet
//! the weights of all channels in one matrix product. Sixteen channels lie side by side while they are transformed, so
//! that every step is the same for a whole vector. The two gradients are the same sums with the transforms turned round.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::passes::{share, zeros};
use super::kernel::{COLUMNS, DEPTH, Line, ROWS, Tile, add_outer, add_rows};

/// Outputs of a tile along a side.
const TILE: usize = 4;
/// Inputs of a tile along a side.
const SIDE: usize = 6;
/// Products that a tile and a kernel make.
const POINTS: usize = SIDE * SIDE;
/// Values of a kernel.
const TAPS: usize = 9;
/// Channels that are transformed together.
const LANES: usize = 16;
/// Tiles from which a batch is worth the transform of the weights, which is four times as large as they are.
const ENOUGH_TILES: usize = 48;

/// One value of sixteen channels.
type Lane = [f32; LANES];

/// The sizes of a convolution by 3x3, one step at a time, with one zero around.
#[derive(Clone, Copy, Debug)]
pub(super) struct Winograd {
    batch: usize,
    inputs: usize,
    outputs: usize,
    height: usize,
    width: usize,
}

impl Winograd {
    /// For pictures `[batch, inputs, height, width]`; none where the plain way is as good.
    pub(super) fn new(batch: usize, [inputs, outputs]: [usize; 2], [height, width]: [usize; 2]) -> Option<Self> {
        let this = Self { batch, inputs, outputs, height, width };
        let whole = inputs.is_multiple_of(COLUMNS) && outputs.is_multiple_of(COLUMNS);
        (whole && batch * this.tiles() >= ENOUGH_TILES).then_some(this)
    }

    /// The convolution of `x` with weights `[outputs, inputs, 3, 3]`: `[batch, outputs, height, width]`. Written to `out`,
    /// whatever stands there.
    pub(super) fn forward(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        self.convolve(x, &self.weight_points(weight, [self.inputs * TAPS, TAPS], false), out);
    }

    /// The gradient of the input by that of the output: its convolution with the kernels turned round.
    pub(super) fn input_gradient(&self, grad: &[f32], weight: &[f32], out: &mut [f32]) {
        let turned = Self { inputs: self.outputs, outputs: self.inputs, ..*self };
        turned.convolve(grad, &turned.weight_points(weight, [TAPS, self.inputs * TAPS], true), out);
    }

    /// The gradient of the weights, `[outputs, inputs, 3, 3]`. Each is summed over the tiles in their order, so that the
    /// result does not depend on the number of threads.
    pub(super) fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let share = self.share();
        let pairs = x.par_chunks(share * self.plane() * self.inputs);
        let pairs = pairs.zip(grad.par_chunks(share * self.plane() * self.outputs));
        let points: Vec<(Vec<f32>, Vec<f32>)> =
            pairs.map(|(x, grad)| (self.input_points(x, self.inputs), self.gradient_points(grad))).collect();
        let products: Vec<Vec<f32>> = (0..POINTS)
            .into_par_iter()
            .map(|point| {
                let mut out = vec![0.0; self.outputs * self.inputs];
                for (x, grad) in &points {
                    let (x, grad) = (at_point(x, point), at_point(grad, point));
                    Arch::new().dispatch(Outer {
                        left: grad,
                        right: x,
                        widths: (self.outputs, self.inputs),
                        out: &mut out,
                    });
                }
                out
            })
            .collect();
        self.weights(&products)
    }

    /// `x` `[batch, inputs, height, width]` with the points of weights.
    fn convolve(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        let weight: &[Line] = weight.as_chunks().0;
        let share = self.share();
        let tasks = out.par_chunks_mut(share * self.outputs * self.plane());
        tasks.zip(x.par_chunks(share * self.inputs * self.plane())).for_each(|(out, x)| {
            let points = self.input_points(x, self.inputs);
            let mut products = vec![0.0; points.len() / self.inputs * self.outputs];
            for (point, out) in
                products.chunks_exact_mut(points.len() / POINTS / self.inputs * self.outputs).enumerate()
            {
                let panels = weight.chunks_exact(POINTS * self.inputs).map(|panel| &panel[point * self.inputs..]);
                let depth = self.inputs;
                Arch::new().dispatch(Rows { left: at_point(&points, point), depth, width: self.outputs, panels, out });
            }
            self.write_outputs(&products, out);
        });
    }

    /// Pictures in a task.
    fn share(&self) -> usize {
        share(self.batch, |pictures| (pictures * self.tiles()).div_ceil(ROWS))
    }

    fn down(&self) -> usize {
        self.height.div_ceil(TILE)
    }

    fn across(&self) -> usize {
        self.width.div_ceil(TILE)
    }

    /// Tiles of a picture.
    fn tiles(&self) -> usize {
        self.down() * self.across()
    }

    /// Values of one channel of a picture.
    fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Pictures `[n, channels, height, width]` to points `[36, n * tiles, channels]`.
    fn input_points(&self, x: &[f32], channels: usize) -> Vec<f32> {
        let room = Room { width: self.across() * TILE + 2, height: self.down() * TILE + 2, margin: 1 };
        self.points(x, channels, &room, input_points)
    }

    /// Gradients `[n, outputs, height, width]` to points `[36, n * tiles, outputs]`.
    fn gradient_points(&self, grad: &[f32]) -> Vec<f32> {
        let room = Room { width: self.across() * TILE, height: self.down() * TILE, margin: 0 };
        self.points(grad, self.outputs, &room, gradient_points)
    }

    fn points<const N: usize>(
        &self,
        x: &[f32],
        channels: usize,
        room: &Room,
        transform: impl Fn([&Lane; N]) -> [Lane; SIDE],
    ) -> Vec<f32> {
        let line = x.len() / self.plane() * self.tiles();
        let mut points = vec![0.0; POINTS * line];
        let mut lanes = vec![[0.0; LANES]; room.width * room.height];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (block, planes) in x.chunks_exact(LANES * self.plane()).enumerate() {
                    room.gather(planes, [self.height, self.width], &mut lanes);
                    let (picture, channel) = (block / (channels / LANES), block % (channels / LANES) * LANES);
                    for tile in 0..self.tiles() {
                        let corner = (tile / self.across() * room.width + tile % self.across()) * TILE;
                        let at = (picture * self.tiles() + tile) * channels + channel;
                        let value = |row: usize, column: usize| &lanes[corner + row * room.width + column];
                        both(value, &transform, |point, value| {
                            points[point * line + at..][..LANES].copy_from_slice(value);
                        });
                    }
                }
            },
        );
        points
    }

    /// Points `[36, n * tiles, outputs]` to pictures `[n, outputs, height, width]`.
    fn write_outputs(&self, points: &[f32], out: &mut [f32]) {
        let line = points.len() / POINTS;
        let room = Room { width: self.across() * TILE, height: self.down() * TILE, margin: 0 };
        let mut lanes = vec![[0.0; LANES]; room.width * room.height];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (block, planes) in out.chunks_exact_mut(LANES * self.plane()).enumerate() {
                    let (picture, channel) = (block / (self.outputs / LANES), block % (self.outputs / LANES) * LANES);
                    for tile in 0..self.tiles() {
                        let at = (picture * self.tiles() + tile) * self.outputs + channel;
                        let value = |row: usize, column: usize| lane(&points[(row * SIDE + column) * line + at..]);
                        let corner = (tile / self.across() * room.width + tile % self.across()) * TILE;
                        both(value, output_values, |i, value| {
                            lanes[corner + i / TILE * room.width + i % TILE] = *value;
                        });
                    }
                    room.scatter(&lanes, [self.height, self.width], planes);
                }
            },
        );
    }

    /// Weights to points `[outputs / 32, 36, inputs, 32]`. The kernels of an output, and of an input, begin so many values
    /// after those of the last; `turned`: by half a turn.
    fn weight_points(&self, weight: &[f32], [output, input]: [usize; 2], turned: bool) -> Vec<f32> {
        let mut points = zeros(POINTS * self.outputs * self.inputs);
        let lines = points.as_chunks_mut::<COLUMNS>().0;
        lines.par_chunks_mut(POINTS * self.inputs).enumerate().for_each(|(panel, points)| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    // Both halves of a line while it is in the cache.
                    for (channel, half) in (0..self.inputs).flat_map(|c| [0, LANES].map(move |h| (c, h))) {
                        let kernels = &weight[(panel * COLUMNS + half) * output + channel * input..];
                        let values: [[Lane; 3]; 3] = std::array::from_fn(|row| {
                            std::array::from_fn(|column| {
                                let tap = row * 3 + column;
                                let tap = if turned { TAPS - 1 - tap } else { tap };
                                std::array::from_fn(|lane| kernels[lane * output + tap])
                            })
                        });
                        both(
                            |row, column| &values[row][column],
                            weight_points,
                            |point, value| {
                                points[point * self.inputs + channel][half..][..LANES].copy_from_slice(value);
                            },
                        );
                    }
                },
            );
        });
        points
    }

    /// Gradients at each point, `[outputs, inputs]`, to those of the weights, `[outputs, inputs, 3, 3]`.
    fn weights(&self, points: &[Vec<f32>]) -> Vec<f32> {
        let mut weight = zeros(self.outputs * self.inputs * TAPS);
        weight.par_chunks_mut(self.inputs * TAPS).enumerate().for_each(|(output, weight)| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (block, kernels) in weight.chunks_exact_mut(LANES * TAPS).enumerate() {
                        let from = output * self.inputs + block * LANES;
                        let value = |row: usize, column: usize| lane(&points[row * SIDE + column][from..]);
                        both(value, weight_values, |tap, value| {
                            for (channel, value) in value.iter().enumerate() {
                                kernels[channel * TAPS + tap] = *value;
                            }
                        });
                    }
                },
            );
        });
        weight
    }
}

/// The part of points `[36, ...]` that belongs to one.
fn at_point(points: &[f32], point: usize) -> &[f32] {
    let line = points.len() / POINTS;
    &points[point * line..][..line]
}

/// `left [rows, depth] x right`, whose columns come in panels of 32, `[depth, 32]` and more, to `out [rows, width]`.
struct Rows<'a, P> {
    left: &'a [f32],
    depth: usize,
    width: usize,
    panels: P,
    out: &'a mut [f32],
}

impl<'a, P: Iterator<Item = &'a [Line]>> WithSimd for Rows<'a, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { left, depth, width, panels, out } = self;
        let last = left.len() / depth - 1;
        for (panel, right) in panels.enumerate() {
            for (group, out) in out.chunks_mut(ROWS * width).enumerate() {
                let rows: [&[f32]; ROWS] =
                    std::array::from_fn(|i| &left[(group * ROWS + i).min(last) * depth..][..depth]);
                let mut tile = [[0.0; COLUMNS]; ROWS];
                for (part, right) in right[..depth].chunks(DEPTH).enumerate() {
                    add_rows(simd, rows.map(|row| &row[part * DEPTH..]), right, &mut tile);
                }
                for (out, line) in out.chunks_exact_mut(width).zip(&tile) {
                    out[panel * COLUMNS..][..COLUMNS].copy_from_slice(line);
                }
            }
        }
    }
}

/// Adds `left^T [width, depth] x right [depth, width]` to `out`.
struct Outer<'a> {
    left: &'a [f32],
    right: &'a [f32],
    /// Of `left` and `right`, whole tiles.
    widths: (usize, usize),
    out: &'a mut [f32],
}

impl WithSimd for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.widths.1;
        for column in (0..width).step_by(COLUMNS) {
            for (group, out) in self.out.chunks_exact_mut(ROWS * width).enumerate() {
                let mut tile: Tile = std::array::from_fn(|row| *line(&out[row * width + column..]));
                add_outer(simd, &self.left[group * ROWS..], &self.right[column..], self.widths, &mut tile);
                for (out, line) in out.chunks_exact_mut(width).zip(&tile) {
                    out[column..][..COLUMNS].copy_from_slice(line);
                }
            }
        }
    }
}

/// Where sixteen planes lie side by side, whole tiles of them, with a margin of zeros.
struct Room {
    width: usize,
    height: usize,
    margin: usize,
}

impl Room {
    /// Sixteen planes `[16, height, width]` into the room.
    #[inline(always)]
    fn gather(&self, planes: &[f32], [height, width]: [usize; 2], lanes: &mut [Lane]) {
        debug_assert!(height + self.margin <= self.height);
        for row in 0..height {
            let to = &mut lanes[(row + self.margin) * self.width + self.margin..][..width];
            for (column, to) in to.iter_mut().enumerate() {
                *to = std::array::from_fn(|channel| planes[(channel * height + row) * width + column]);
            }
        }
    }

    /// The room's part that is picture into sixteen planes.
    #[inline(always)]
    fn scatter(&self, lanes: &[Lane], [height, width]: [usize; 2], planes: &mut [f32]) {
        for row in 0..height {
            let from = &lanes[(row + self.margin) * self.width + self.margin..][..width];
            for (column, from) in from.iter().enumerate() {
                for (channel, value) in from.iter().enumerate() {
                    planes[(channel * height + row) * width + column] = *value;
                }
            }
        }
    }
}

/// The first 32 values.
#[inline(always)]
fn line(values: &[f32]) -> &Line {
    values.first_chunk().expect("whole lines")
}

/// The first sixteen values.
#[inline(always)]
fn lane(values: &[f32]) -> &Lane {
    values.first_chunk().expect("whole lanes")
}

/// A transform along the rows, then along the columns; gives each value of the result to `put`, with its number.
#[inline(always)]
fn both<'a, const N: usize, const M: usize>(
    value: impl Fn(usize, usize) -> &'a Lane,
    transform: impl Fn([&Lane; N]) -> [Lane; M],
    mut put: impl FnMut(usize, &Lane),
) {
    let mut rows = [[[0.0; LANES]; M]; N];
    for (row, out) in rows.iter_mut().enumerate() {
        *out = transform(std::array::from_fn(|column| value(row, column)));
    }
    (0..M).for_each(|column| {
        let values = transform(std::array::from_fn(|row| &rows[row][column]));
        values.iter().enumerate().for_each(|(row, value)| put(row * M + column, value));
    });
}

/// A value of each channel, computed from those of others.
#[inline(always)]
fn each<const N: usize>(x: [&Lane; N], value: impl Fn([f32; N]) -> f32) -> Lane {
    std::array::from_fn(|lane| value(std::array::from_fn(|i| x[i][lane])))
}

/// B^T of the paper, with the points 0, 1, -1, 2, -2 and infinity.
#[inline(always)]
fn input_points(x: [&Lane; SIDE]) -> [Lane; SIDE] {
    [
        each(x, |[a, _, c, _, e, _]| 4.0 * a - 5.0 * c + e),
        each(x, |[_, b, c, d, e, _]| (e - 4.0 * c) + (d - 4.0 * b)),
        each(x, |[_, b, c, d, e, _]| (e - 4.0 * c) - (d - 4.0 * b)),
        each(x, |[_, b, c, d, e, _]| (e - c) + 2.0 * (d - b)),
        each(x, |[_, b, c, d, e, _]| (e - c) - 2.0 * (d - b)),
        each(x, |[_, b, _, d, _, f]| 4.0 * b - 5.0 * d + f),
    ]
}

/// A^T.
#[inline(always)]
fn output_values(x: [&Lane; SIDE]) -> [Lane; TILE] {
    [
        each(x, |[a, b, c, d, e, _]| a + (b + c) + (d + e)),
        each(x, |[_, b, c, d, e, _]| (b - c) + 2.0 * (d - e)),
        each(x, |[_, b, c, d, e, _]| (b + c) + 4.0 * (d + e)),
        each(x, |[_, b, c, d, e, f]| (b - c) + 8.0 * (d - e) + f),
    ]
}

/// A.
#[inline(always)]
fn gradient_points(x: [&Lane; TILE]) -> [Lane; SIDE] {
    [
        *x[0],
        each(x, |[a, b, c, d]| (a + c) + (b + d)),
        each(x, |[a, b, c, d]| (a + c) - (b + d)),
        each(x, |[a, b, c, d]| (a + 4.0 * c) + (2.0 * b + 8.0 * d)),
        each(x, |[a, b, c, d]| (a + 4.0 * c) - (2.0 * b + 8.0 * d)),
        *x[3],
    ]
}

/// G.
#[inline(always)]
fn weight_points(x: [&Lane; 3]) -> [Lane; SIDE] {
    [
        each(x, |[a, _, _]| a / 4.0),
        each(x, |[a, b, c]| -((a + c) + b) / 6.0),
        each(x, |[a, b, c]| -((a + c) - b) / 6.0),
        each(x, |[a, b, c]| (a / 24.0 + c / 6.0) + b / 12.0),
        each(x, |[a, b, c]| (a / 24.0 + c / 6.0) - b / 12.0),
        *x[2],
    ]
}

/// G^T.
#[inline(always)]
fn weight_values(x: [&Lane; SIDE]) -> [Lane; 3] {
    [
        each(x, |[a, b, c, d, e, _]| a / 4.0 - (b + c) / 6.0 + (d + e) / 24.0),
        each(x, |[_, b, c, d, e, _]| (c - b) / 6.0 + (d - e) / 12.0),
        each(x, |[_, b, c, d, e, f]| (d + e) / 6.0 - (b + c) / 6.0 + f),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::convolve::convolve;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Device, Distribution, Tensor};
    use proptest::prelude::*;

    /// The largest difference over the largest value.
    fn apart(a: Tensor<4>, b: Tensor<4>) -> f32 {
        assert_eq!(a.dims(), b.dims());
        let largest: f32 = b.clone().abs().max().into_scalar();
        (a - b).abs().max().into_scalar::<f32>() / largest
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn agrees_with_burns_convolution_forward_and_backward(
            batch in 1_usize..7, inputs in 1_usize..4, outputs in 1_usize..4, height in 1_usize..14, width in 1_usize..14,
        ) {
            let (inputs, outputs) = (inputs * COLUMNS, outputs * COLUMNS);
            let pictures = batch * (ENOUGH_TILES / (height.div_ceil(TILE) * width.div_ceil(TILE)) + 1);
            prop_assert!(Winograd::new(pictures, [inputs, outputs], [height, width]).is_some());
            let device = Device::flex().autodiff();
            let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.5, 1.0), &device).require_grad();
            let (x, w) = (random([pictures, inputs, height, width]), random([outputs, inputs, 3, 3]));
            let theirs = conv2d(x.clone(), w.clone(), None, ConvOptions::new([1; 2], [1; 2], [1; 2], 1));
            let ours = convolve(x.clone(), w.clone(), 1, 1);
            prop_assert!(apart(ours.clone().inner(), theirs.clone().inner()) < 1e-5);
            let above = random(theirs.dims()).detach();
            let (theirs, ours) = ((theirs * above.clone()).sum().backward(), (ours * above).sum().backward());
            for tensor in [&x, &w] {
                let error = apart(tensor.grad(&ours).unwrap(), tensor.grad(&theirs).unwrap());
                prop_assert!(error < 1e-5, "{error}");
            }
        }
    }
}

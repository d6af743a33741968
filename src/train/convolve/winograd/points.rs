//! From pictures and kernels to points, and back. Sixteen channels lie side by side while they are transformed, so that
//! every step is the same for a whole vector.

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use super::super::super::passes::zeros;
use super::super::kernel::{COLUMNS, Line};
use super::Winograd;
use super::products::at_point;

/// Outputs of a tile along a side.
pub(super) const TILE: usize = 4;
/// Inputs of a tile along a side.
const SIDE: usize = 6;
/// Products that a tile and a kernel make.
pub(super) const POINTS: usize = SIDE * SIDE;
/// Values of a kernel.
pub(super) const TAPS: usize = 9;
/// Channels that are transformed together.
pub(super) const LANES: usize = 16;

/// One value of sixteen channels.
type Lane = [f32; LANES];

/// Weights `[outputs, inputs, 3, 3]` as kernels.
#[derive(Clone, Copy)]
pub(super) struct Kernels<'a> {
    pub(super) weight: &'a [f32],
    /// Values from one output's to the next, and from one input's.
    pub(super) apart: [usize; 2],
    /// By half a turn.
    pub(super) turned: bool,
}

impl Winograd {
    /// Rows of tiles of pictures `[n, inputs, height, width]` to points `[36, tiles, inputs]`.
    pub(super) fn input_points(&self, x: &[f32], rows: Range<usize>, points: &mut [f32]) {
        let room = Room { width: self.across() * TILE + 2, margin: 1 };
        self.points(x, (self.inputs, rows), &room, input_points, points);
    }

    /// Rows of tiles of gradients `[n, outputs, height, width]` to points `[36, tiles, outputs]`.
    pub(super) fn gradient_points(&self, grad: &[f32], rows: Range<usize>, points: &mut [f32]) {
        let room = Room { width: self.across() * TILE, margin: 0 };
        self.points(grad, (self.outputs, rows), &room, gradient_points, points);
    }

    fn points<const N: usize>(
        &self,
        x: &[f32],
        (channels, rows): (usize, Range<usize>),
        room: &Room,
        transform: impl Fn([&Lane; N]) -> [Lane; SIDE],
        points: &mut [f32],
    ) {
        let line = points.len() / POINTS;
        let mut lanes = vec![[0.0; LANES]; room.width * (rows.len() * TILE + 2 * room.margin)];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (picture, rows, first) in self.pictures(rows) {
                    let planes = &x[picture * channels * self.plane()..][..channels * self.plane()];
                    for (block, planes) in planes.chunks_exact(LANES * self.plane()).enumerate() {
                        room.gather(planes, [self.height, self.width], &rows, &mut lanes);
                        for tile in 0..rows.len() * self.across() {
                            let corner = (tile / self.across() * room.width + tile % self.across()) * TILE;
                            let at = (first + tile) * channels + block * LANES;
                            let value = |row: usize, column: usize| &lanes[corner + row * room.width + column];
                            both(value, &transform, |point, value| {
                                points[point * line + at..][..LANES].copy_from_slice(value);
                            });
                        }
                    }
                }
            },
        );
    }

    /// Pictures that rows of tiles, counted through all pictures, belong to: their number, the rows counted within, and the
    /// number of the first tile among all those of the rows.
    fn pictures(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>, usize)> {
        let (down, across) = (self.down(), self.across());
        (rows.start / down..rows.end.div_ceil(down)).map(move |picture| {
            let within = rows.start.max(picture * down)..rows.end.min((picture + 1) * down);
            let first = (within.start - rows.start) * across;
            (picture, within.start - picture * down..within.end - picture * down, first)
        })
    }

    /// Points `[36, tiles]` of 32 outputs to rows of tiles of pictures `[n][32, height, width]`.
    pub(super) fn write_outputs(&self, points: &[Line], rows: Range<usize>, out: &mut [&mut [f32]]) {
        let line = points.len() / POINTS;
        let room = Room { width: self.across() * TILE, margin: 0 };
        let mut lanes = vec![[0.0; LANES]; room.width * rows.len() * TILE];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (picture, rows, first) in self.pictures(rows) {
                    for (half, planes) in out[picture].chunks_exact_mut(LANES * self.plane()).enumerate() {
                        for tile in 0..rows.len() * self.across() {
                            let value = |row: usize, column: usize| {
                                lane(&points[(row * SIDE + column) * line + first + tile][half * LANES..])
                            };
                            let corner = (tile / self.across() * room.width + tile % self.across()) * TILE;
                            both(value, output_values, |i, value| {
                                lanes[corner + i / TILE * room.width + i % TILE] = *value;
                            });
                        }
                        room.scatter(&lanes, [self.height, self.width], &rows, planes);
                    }
                }
            },
        );
    }

    /// Kernels to points `[outputs / 32, 36, inputs, 32]`.
    pub(super) fn weight_points(&self, kernels: Kernels<'_>) -> Vec<f32> {
        let mut points = zeros(POINTS * self.outputs * self.inputs);
        let panels = points.as_chunks_mut::<COLUMNS>().0.par_chunks_mut(POINTS * self.inputs);
        panels.enumerate().for_each(|(panel, points)| self.panel_points(kernels, panel, points));
        points
    }

    /// Kernels of 32 outputs to points `[36, inputs, 32]`.
    pub(super) fn panel_points(&self, kernels: Kernels<'_>, panel: usize, points: &mut [Line]) {
        let Kernels { weight, apart: [output, input], turned } = kernels;
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
    }

    /// Gradients at each point, `[36, outputs, inputs]`, to those of the weights of an output, `[inputs, 3, 3]`.
    pub(super) fn weights(&self, points: &[f32], output: usize, weight: &mut [f32]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (block, kernels) in weight.chunks_exact_mut(LANES * TAPS).enumerate() {
                    let from = output * self.inputs + block * LANES;
                    let value = |row: usize, column: usize| lane(&at_point(points, row * SIDE + column)[from..]);
                    both(value, weight_values, |tap, value| {
                        for (channel, value) in value.iter().enumerate() {
                            kernels[channel * TAPS + tap] = *value;
                        }
                    });
                }
            },
        );
    }
}

/// Where rows of tiles of sixteen planes lie side by side, with a margin of zeros.
struct Room {
    width: usize,
    margin: usize,
}

impl Room {
    /// Rows of tiles of sixteen planes `[16, height, width]` into the room.
    #[inline(always)]
    fn gather(&self, planes: &[f32], [height, width]: [usize; 2], rows: &Range<usize>, lanes: &mut [Lane]) {
        let above = rows.start * TILE;
        for (at, to) in lanes.chunks_exact_mut(self.width).take(rows.len() * TILE + 2 * self.margin).enumerate() {
            let Some(row) = (above + at).checked_sub(self.margin).filter(|row| *row < height) else {
                to.fill([0.0; LANES]);
                continue;
            };
            for (column, to) in to[self.margin..][..width].iter_mut().enumerate() {
                *to = std::array::from_fn(|channel| planes[(channel * height + row) * width + column]);
            }
        }
    }

    /// The room's part that is picture into sixteen planes.
    #[inline(always)]
    fn scatter(&self, lanes: &[Lane], [height, width]: [usize; 2], rows: &Range<usize>, planes: &mut [f32]) {
        let within = rows.start * TILE..height.min(rows.end * TILE);
        for (row, from) in within.zip(lanes.chunks_exact(self.width)) {
            for (column, from) in from[..width].iter().enumerate() {
                for (channel, value) in from.iter().enumerate() {
                    planes[(channel * height + row) * width + column] = *value;
                }
            }
        }
    }
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

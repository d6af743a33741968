//! Convolution as one matrix product, forward and backward, whose columns are laid out panel by panel (im2col; Chellapilla
//! et al. 2006).

use pulp::Arch;
use rayon::prelude::*;

use super::super::passes::{CHUNK, share, zeros};
use super::Shape;
use super::columns::{Columns, Source};
use super::kernel::{COLUMNS, Column, ROWS};
use super::parts::Parts;
use super::pictures::{ByPicture, turn};
use super::product::{Place, Product};

/// Most weights whose gradient is summed picture by picture.
const FEW: usize = 1 << 17;
/// Positions side by side from which it is.
const LONG: usize = 28;

impl Shape {
    /// The convolution of `x` with `weight`: `[batch, out, rows, columns]`. Written to `out`, whatever stands there.
    pub(super) fn forward(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        let taps: Vec<_> = self.taps().map(|(down, right)| (self.from(down), self.from(right))).collect();
        let place = Place { step: 1, row: 0, column: 0, width: self.columns, plane: self.positions() };
        let weight = packed(weight, self.outputs);
        let share = share(self.batch, |pictures| panels(pictures * self.positions()));
        let tasks = out.par_chunks_mut(share * self.outputs * self.positions());
        tasks.zip(x.par_chunks(share * self.inputs * self.height * self.width)).for_each(|(out, x)| {
            let source = self.source(x);
            let columns = Columns::new(&source, &taps, [self.rows, self.columns]);
            let outputs = self.outputs;
            let weight = weight.as_chunks().0;
            Arch::new().dispatch(Product { weight, outputs, columns: &columns, place: &place, out });
        });
    }

    /// The gradient of the input: for each remainder by the stride, a convolution of the output's gradient with the taps
    /// that meet it. Written to `out`, whatever stands there.
    pub(super) fn input_gradient(&self, grad: &[f32], weight: &[f32], out: &mut [f32]) {
        let plane = self.height * self.width;
        if self.kernel < self.stride {
            // Inputs that no tap meets.
            out.par_chunks_mut(CHUNK).for_each(|out| out.fill(0.0));
        }
        for (row, column) in (0..self.stride).flat_map(|row| (0..self.stride).map(move |column| (row, column))) {
            let class = Class::new(self, row, column);
            if class.taps.is_empty() || class.grid.contains(&0) {
                continue;
            }
            let weight = class.weights(self, weight);
            let place = Place { step: self.stride, row, column, width: self.width, plane };
            let share = share(self.batch, |pictures| panels(pictures * class.grid[0] * class.grid[1]));
            let tasks = out.par_chunks_mut(share * self.inputs * plane);
            tasks.zip(grad.par_chunks(share * self.outputs * self.positions())).for_each(|(out, grad)| {
                let source = Source::new(grad, self.outputs, [self.rows, self.columns], class.zeros);
                let columns = Columns::new(&source, &class.offsets, class.grid);
                let outputs = self.inputs;
                let weight = weight.as_chunks().0;
                Arch::new().dispatch(Product { weight, outputs, columns: &columns, place: &place, out });
            });
        }
    }

    /// The gradient of the weights, `[out, in, kernel, kernel]`. Each is summed over the positions in their order, so that
    /// the result does not depend on the number of threads.
    pub(super) fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let grid = [self.rows, self.columns];
        if self.kernel == 1 && self.stride == 1 && self.padding == 0 && self.inputs < self.outputs {
            // Of one pixel under each weight either side may be turned: the smaller one.
            let source = Source::new(grad, self.outputs, grid, [0; 2]);
            return self.sum(&Columns::new(&source, &[(0, 0)], grid), x, self.inputs).joined(self.inputs);
        }
        let taps: Vec<_> = self.taps().map(|(down, right)| (self.from(down), self.from(right))).collect();
        let source = self.source(x);
        self.sum(&Columns::new(&source, &taps, grid), grad, self.outputs).joined_turned(self.outputs)
    }

    /// `columns [depth, positions] x other [positions, channels]`, of `other [batch, channels, positions]`.
    fn sum(&self, columns: &Columns<'_>, other: &[f32], channels: usize) -> Parts {
        let depth = columns.depth();
        if depth * channels <= FEW && columns.run(0, LONG).len() == LONG {
            let tiles = vec![ByPicture { columns, other, channels }.sum()];
            return Parts { tiles, depth, rows: depth.next_multiple_of(ROWS) };
        }
        Parts::sum(columns, &self.by_position(other, channels))
    }

    /// What lies under the kernel at the positions of the output.
    fn source<'a>(&self, x: &'a [f32]) -> Source<'a> {
        let apart = (self.stride, self.kernel);
        Source::apart(x, self.inputs, [self.height, self.width], [self.padding; 2], apart)
    }

    /// Rows and columns of the kernel.
    fn taps(&self) -> impl Iterator<Item = (usize, usize)> {
        let kernel = self.kernel;
        (0..kernel).flat_map(move |down| (0..kernel).map(move |right| (down, right)))
    }

    /// From the first position of the input to the tap at the first position of the output.
    fn from(&self, tap: usize) -> isize {
        tap as isize - self.padding as isize
    }

    /// `[batch, channels, positions]` to `[channels / 32, batch * positions, 32]`, with zeros after the last channel.
    fn by_position(&self, values: &[f32], channels: usize) -> Vec<f32> {
        let (positions, all) = (self.positions(), self.batch * self.positions());
        let mut lines = zeros(channels.next_multiple_of(COLUMNS) * all);
        lines.as_chunks_mut::<COLUMNS>().0.par_chunks_mut(positions).enumerate().for_each(|(at, lines)| {
            let (panel, picture) = (at / self.batch, at % self.batch);
            let count = COLUMNS.min(channels - panel * COLUMNS);
            let values = &values[(picture * channels + panel * COLUMNS) * positions..][..count * positions];
            turn(values, positions, 0, lines);
        });
        lines
    }
}

/// Inputs whose row and column leave some remainder by the stride.
struct Class {
    /// Taps that meet them.
    taps: Vec<(usize, usize)>,
    /// From such an input, counted among its like, to the output that a tap met it for.
    offsets: Vec<(isize, isize)>,
    /// How many rows and columns of such inputs there are.
    grid: [usize; 2],
    /// Zeros before and after the outputs that the offsets reach.
    zeros: [usize; 2],
}

impl Class {
    fn new(shape: &Shape, row: usize, column: usize) -> Self {
        let stride = shape.stride as isize;
        let offset = |input: usize, tap: usize| {
            let offset = input as isize - shape.from(tap);
            (offset.rem_euclid(stride) == 0).then_some(offset.div_euclid(stride))
        };
        let met = shape.taps().filter_map(|tap| Some((tap, (offset(row, tap.0)?, offset(column, tap.1)?))));
        let (taps, offsets): (Vec<_>, Vec<(isize, isize)>) = met.unzip();
        let count = |length: usize, first: usize| length.saturating_sub(first).div_ceil(shape.stride);
        let grid = [count(shape.height, row), count(shape.width, column)];
        let before = offsets.iter().map(|(down, right)| -*down.min(right)).max().unwrap_or(0).max(0);
        let reach = |&(down, right): &(isize, isize)| {
            let beyond = |offset: isize, grid: usize, outputs: usize| grid as isize + offset - outputs as isize;
            beyond(down, grid[0], shape.rows).max(beyond(right, grid[1], shape.columns))
        };
        let after = offsets.iter().map(reach).max().unwrap_or(0).max(0);
        Self { taps, offsets, grid, zeros: [before as usize, after as usize] }
    }

    /// Weights `[out, in, kernel, kernel]` as those `[in, out * taps]` of the turned convolution, [`packed`].
    fn weights(&self, shape: &Shape, weight: &[f32]) -> Vec<f32> {
        let taps: Vec<usize> = self.taps.iter().map(|(down, right)| down * shape.kernel + right).collect();
        let kernel = shape.kernel * shape.kernel;
        let depth = shape.outputs * taps.len();
        let mut packed = zeros(shape.inputs.next_multiple_of(ROWS) * depth);
        let columns = packed.as_chunks_mut::<ROWS>().0;
        columns.par_chunks_mut(depth).enumerate().for_each(|(group, columns)| {
            let first = group * ROWS;
            let count = ROWS.min(shape.inputs - first);
            for (output, columns) in columns.chunks_exact_mut(taps.len()).enumerate() {
                let from = &weight[(output * shape.inputs + first) * kernel..][..count * kernel];
                if let ([column], Ok(from)) = (&mut *columns, <&Column>::try_from(from)) {
                    *column = *from;
                    continue;
                }
                for (column, tap) in columns.iter_mut().zip(&taps) {
                    // The last one stands for those after it.
                    *column = std::array::from_fn(|input| from[input.min(count - 1) * kernel + tap]);
                }
            }
        });
        packed
    }
}

/// What a product of so many columns takes.
fn panels(columns: usize) -> usize {
    columns.div_ceil(COLUMNS / 2)
}

/// A matrix `[rows, depth]` in groups of 8 rows, `[rows / 8, depth, 8]`: what a product needs of it next lies side by
/// side.
fn packed(matrix: &[f32], rows: usize) -> Vec<f32> {
    let depth = matrix.len() / rows;
    let mut packed = zeros(rows.next_multiple_of(ROWS) * depth);
    let columns = packed.as_chunks_mut::<ROWS>().0;
    columns.par_chunks_mut(depth).zip(matrix.par_chunks(ROWS * depth)).for_each(|(columns, rows)| {
        // The last one stands for those after it.
        let last = rows.len() / depth - 1;
        let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &rows[row.min(last) * depth..][..depth]);
        for (at, column) in columns.iter_mut().enumerate() {
            *column = std::array::from_fn(|row| rows[row][at]);
        }
    });
    packed
}

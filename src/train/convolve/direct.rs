//! Convolution as one matrix product, forward and backward, whose columns are laid out panel by panel (im2col; Chellapilla
//! et al. 2006).

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::passes::zeros;
use super::Shape;
use super::columns::{Columns, Source};
use super::kernel::{COLUMNS, Column, DEPTH, Line, ROWS, Tile, add_packed, add_rows};

/// Most rows of the gradient of the weights, turned, that are summed together.
const PART: usize = 8 * ROWS;

/// Positions that a task has at least.
const TASK: usize = 4 * COLUMNS;

impl Shape {
    /// Pictures in a task of a grid with so many positions: no more than make one worth its start, and as many tasks as
    /// threads.
    fn share(&self, positions: usize) -> usize {
        TASK.div_ceil(positions).clamp(1, self.batch.div_ceil(rayon::current_num_threads()))
    }

    /// The convolution of `x` with `weight`: `[batch, out, rows, columns]`.
    pub(super) fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let taps: Vec<_> = self.taps().map(|(down, right)| (self.from(down), self.from(right))).collect();
        let place = Place { step: 1, row: 0, column: 0, width: self.columns, plane: self.positions() };
        let weight = packed(weight, self.outputs);
        let mut out = zeros(self.batch * self.outputs * self.positions());
        let share = self.share(self.positions());
        let tasks = out.par_chunks_mut(share * self.outputs * self.positions());
        tasks.zip(x.par_chunks(share * self.inputs * self.height * self.width)).for_each(|(out, x)| {
            let source = self.source(x);
            let columns = Columns::new(&source, &taps, [self.rows, self.columns]);
            let outputs = self.outputs;
            Arch::new().dispatch(Product { weight: &weight, outputs, columns: &columns, place: &place, out });
        });
        out
    }

    /// The gradient of the input: for each remainder by the stride, a convolution of the output's gradient with the taps
    /// that meet it.
    pub(super) fn input_gradient(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        let plane = self.height * self.width;
        let mut out = zeros(self.batch * self.inputs * plane);
        let share = self.share(plane);
        for (row, column) in (0..self.stride).flat_map(|row| (0..self.stride).map(move |column| (row, column))) {
            let class = Class::new(self, row, column);
            if class.taps.is_empty() || class.grid.contains(&0) {
                continue;
            }
            let weight = class.weights(self, weight);
            let place = Place { step: self.stride, row, column, width: self.width, plane };
            let tasks = out.par_chunks_mut(share * self.inputs * plane);
            tasks.zip(grad.par_chunks(share * self.outputs * self.positions())).for_each(|(out, grad)| {
                let source = Source::new(grad, self.outputs, [self.rows, self.columns], class.zeros);
                let columns = Columns::new(&source, &class.offsets, class.grid);
                let outputs = self.inputs;
                Arch::new().dispatch(Product { weight: &weight, outputs, columns: &columns, place: &place, out });
            });
        }
        out
    }

    /// The gradient of the weights, `[out, in, kernel, kernel]`. Each is summed over the positions in their order, so that
    /// the result does not depend on the number of threads.
    pub(super) fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let taps: Vec<_> = self.taps().map(|(down, right)| (self.from(down), self.from(right))).collect();
        let source = self.source(x);
        let columns = Columns::new(&source, &taps, [self.rows, self.columns]);
        let grad = self.by_position(grad);
        let depth = columns.depth();
        let rows = depth.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(ROWS).clamp(2 * ROWS, PART);
        let parts: Vec<Vec<Tile>> = (0..depth.div_ceil(rows))
            .into_par_iter()
            .map(|part| {
                let rows = part * rows..depth.min((part + 1) * rows);
                Arch::new().dispatch(WeightGradient { columns: &columns, grad: grad.as_chunks().0, rows })
            })
            .collect();
        self.joined(&parts, depth, rows)
    }

    /// The gradient of the weights from its parts, of so many rows each.
    fn joined(&self, parts: &[Vec<Tile>], depth: usize, rows: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.outputs * depth];
        out.par_chunks_mut(COLUMNS * depth).enumerate().for_each(|(panel, out)| {
            for (group, row) in (0..depth).step_by(ROWS).enumerate() {
                let tiles = &parts[row / rows];
                let of_panel = tiles.len() / self.outputs.div_ceil(COLUMNS);
                let tile = &tiles[panel * of_panel + group % (rows / ROWS)];
                for (output, out) in out.chunks_exact_mut(depth).enumerate() {
                    out[row..].iter_mut().zip(tile).for_each(|(out, line)| *out = line[output]);
                }
            }
        });
        out
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

    /// `[batch, out, positions]` to `[out / 32, batch * positions, 32]`, with zeros after the last output.
    fn by_position(&self, grad: &[f32]) -> Vec<f32> {
        let (positions, all) = (self.positions(), self.batch * self.positions());
        let mut lines = zeros(self.outputs.div_ceil(COLUMNS) * all * COLUMNS);
        lines.as_chunks_mut::<COLUMNS>().0.par_chunks_mut(positions).enumerate().for_each(|(at, lines)| {
            let (panel, picture) = (at / self.batch, at % self.batch);
            let outputs = COLUMNS.min(self.outputs - panel * COLUMNS);
            let grad = &grad[(picture * self.outputs + panel * COLUMNS) * positions..][..outputs * positions];
            // In short pieces, so that the lines stay in the cache.
            for (piece, lines) in lines.chunks_mut(COLUMNS).enumerate() {
                for (output, grad) in grad.chunks_exact(positions).enumerate() {
                    let grad = &grad[piece * COLUMNS..];
                    lines.iter_mut().zip(grad).for_each(|(line, value)| line[output] = *value);
                }
            }
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
    fn weights(&self, shape: &Shape, weight: &[f32]) -> Vec<Column> {
        let taps: Vec<usize> = self.taps.iter().map(|(down, right)| down * shape.kernel + right).collect();
        let kernel = shape.kernel * shape.kernel;
        let depth = shape.outputs * taps.len();
        let mut columns = vec![[0.0; ROWS]; shape.inputs.div_ceil(ROWS) * depth];
        columns.par_chunks_mut(depth).enumerate().for_each(|(group, columns)| {
            let first = group * ROWS;
            let count = ROWS.min(shape.inputs - first);
            for (output, columns) in columns.chunks_exact_mut(taps.len()).enumerate() {
                let from = &weight[(output * shape.inputs + first) * kernel..][..count * kernel];
                for (column, tap) in columns.iter_mut().zip(&taps) {
                    (0..count).for_each(|input| column[input] = from[input * kernel + tap]);
                }
            }
        });
        columns
    }
}

/// A matrix `[rows, depth]` in groups of 8 rows, `[rows / 8, depth, 8]`: what a product needs of it next lies side by
/// side.
fn packed(matrix: &[f32], rows: usize) -> Vec<Column> {
    let depth = matrix.len() / rows;
    let mut columns = vec![[0.0; ROWS]; rows.div_ceil(ROWS) * depth];
    columns.par_chunks_mut(depth).zip(matrix.par_chunks(ROWS * depth)).for_each(|(columns, rows)| {
        // The last one stands for those after it.
        let last = rows.len() / depth - 1;
        let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &rows[row.min(last) * depth..][..depth]);
        for (at, column) in columns.iter_mut().enumerate() {
            *column = std::array::from_fn(|row| rows[row][at]);
        }
    });
    columns
}

/// Where the positions of a grid lie in a picture.
struct Place {
    step: usize,
    row: usize,
    column: usize,
    width: usize,
    plane: usize,
}

/// `weight [outputs, depth] x columns [depth, positions]`, written to pictures `[n, outputs, ...]`.
struct Product<'a> {
    /// [`packed`].
    weight: &'a [Column],
    outputs: usize,
    columns: &'a Columns<'a>,
    place: &'a Place,
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let depth = self.columns.depth();
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; self.outputs.div_ceil(ROWS)];
        let mut panel = vec![[0.0; COLUMNS]; DEPTH];
        for first in (0..self.columns.positions()).step_by(COLUMNS) {
            tiles.fill([[0.0; COLUMNS]; ROWS]);
            for from in (0..depth).step_by(DEPTH) {
                let panel = &mut panel[..DEPTH.min(depth - from)];
                self.columns.fill(from, first, panel.as_flattened_mut(), COLUMNS);
                for (weight, tile) in self.weight.chunks_exact(depth).zip(&mut tiles) {
                    add_packed(simd, &weight[from..][..panel.len()], panel, tile);
                }
            }
            self.place.write(&tiles, (first, self.columns), self.outputs, self.out);
        }
    }
}

impl Place {
    /// Writes a panel of the product whose columns begin at a position.
    #[inline(always)]
    fn write(&self, tiles: &[Tile], (first, columns): (usize, &Columns<'_>), outputs: usize, out: &mut [f32]) {
        let count = (columns.positions() - first).min(COLUMNS);
        let to: [usize; COLUMNS] = std::array::from_fn(|i| {
            let (picture, row, column) = columns.position((first + i).min(columns.positions() - 1));
            let within = (row * self.step + self.row) * self.width + column * self.step + self.column;
            picture * outputs * self.plane + within
        });
        let straight = count == COLUMNS && to.windows(2).all(|pair| pair[1] == pair[0] + 1);
        for output in 0..outputs {
            let line = &tiles[output / ROWS][output % ROWS];
            let out = &mut out[output * self.plane..];
            if straight {
                out[to[0]..][..COLUMNS].copy_from_slice(line);
            } else {
                to.iter().zip(line).take(count).for_each(|(to, value)| out[*to] = *value);
            }
        }
    }
}

/// Some rows of `columns [depth, positions] x grad [positions, outputs]`: tiles `[outputs / 32, rows / 8]`.
struct WeightGradient<'a> {
    columns: &'a Columns<'a>,
    /// `[outputs / 32, positions, 32]`.
    grad: &'a [Line],
    rows: Range<usize>,
}

impl WithSimd for WeightGradient<'_> {
    type Output = Vec<Tile>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Tile> {
        let positions = self.columns.positions();
        let groups = self.rows.len().div_ceil(ROWS);
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; self.grad.len() / positions * groups];
        let mut room = vec![[0.0; DEPTH]; groups * ROWS];
        for first in (0..positions).step_by(DEPTH) {
            let terms = DEPTH.min(positions - first);
            for column in (0..terms).step_by(COLUMNS) {
                let room = &mut room[..self.rows.len()].as_flattened_mut()[column..];
                self.columns.fill(self.rows.start, first + column, room, DEPTH);
            }
            for (grad, tiles) in self.grad.chunks_exact(positions).zip(tiles.chunks_exact_mut(groups)) {
                for (rows, tile) in room.as_chunks::<ROWS>().0.iter().zip(tiles) {
                    add_rows(simd, rows.each_ref().map(|row| &row[..terms]), &grad[first..][..terms], tile);
                }
            }
        }
        tiles
    }
}

//! Convolution as one matrix product, forward and backward, whose columns are laid out panel by panel (im2col; Chellapilla
//! et al. 2006).

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::passes::{CHUNK, share, zeros};
use super::Shape;
use super::columns::{Columns, Source};
use super::kernel::{COLUMNS, Column, DEPTH, Line, ROWS, Tile, add_packed, add_rows};

/// Most rows of the gradient of the weights, turned, that are summed together.
const PART: usize = 8 * ROWS;

impl Shape {
    /// The convolution of `x` with `weight`: `[batch, out, rows, columns]`. Written to `out`, whatever stands there.
    pub(super) fn forward(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        let taps: Vec<_> = self.taps().map(|(down, right)| (self.from(down), self.from(right))).collect();
        let place = Place { step: 1, row: 0, column: 0, width: self.columns, plane: self.positions() };
        let weight = packed(weight, self.outputs);
        let share = share(self.batch, self.positions(), COLUMNS);
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
            let share = share(self.batch, class.grid[0] * class.grid[1], COLUMNS);
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
            // Of one pixel under each weight either side may be laid out by position: the smaller one.
            let source = Source::new(grad, self.outputs, grid, [0; 2]);
            let parts = Parts::sum(&Columns::new(&source, &[(0, 0)], grid), &self.by_position(x, self.inputs));
            return parts.joined(self.inputs);
        }
        let taps: Vec<_> = self.taps().map(|(down, right)| (self.from(down), self.from(right))).collect();
        let source = self.source(x);
        let parts = Parts::sum(&Columns::new(&source, &taps, grid), &self.by_position(grad, self.outputs));
        parts.joined_turned(self.outputs)
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
            // In short pieces, so that the lines stay in the cache.
            for (piece, lines) in lines.chunks_mut(COLUMNS).enumerate() {
                for (channel, values) in values.chunks_exact(positions).enumerate() {
                    let values = &values[piece * COLUMNS..];
                    lines.iter_mut().zip(values).for_each(|(line, value)| line[channel] = *value);
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

/// `columns [depth, positions] x lines [positions, channels]` in parts of so many rows, which threads sum side by side.
struct Parts {
    /// Tiles `[channels / 32, rows / 8]` of each.
    tiles: Vec<Vec<Tile>>,
    depth: usize,
    rows: usize,
}

impl Parts {
    /// `lines` is `[channels / 32, positions, 32]`.
    fn sum(columns: &Columns<'_>, lines: &[f32]) -> Self {
        let depth = columns.depth();
        let rows = depth.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(ROWS).clamp(2 * ROWS, PART);
        let part = |part: usize| {
            let rows = part * rows..depth.min((part + 1) * rows);
            Arch::new().dispatch(SumRows { columns, lines: lines.as_chunks().0, rows })
        };
        Self { tiles: (0..depth.div_ceil(rows)).into_par_iter().map(part).collect(), depth, rows }
    }

    /// `[depth, channels]`.
    fn joined(&self, channels: usize) -> Vec<f32> {
        let mut out = zeros(self.depth * channels);
        out.par_chunks_mut(ROWS * channels).enumerate().for_each(|(group, out)| {
            for (panel, first) in (0..channels).step_by(COLUMNS).enumerate() {
                let tile = self.tile(group * ROWS, panel, channels);
                for (out, line) in out.chunks_exact_mut(channels).zip(tile) {
                    out[first..].iter_mut().zip(line).for_each(|(out, value)| *out = *value);
                }
            }
        });
        out
    }

    /// `[channels, depth]`.
    fn joined_turned(&self, channels: usize) -> Vec<f32> {
        let mut out = zeros(channels * self.depth);
        out.par_chunks_mut(COLUMNS * self.depth).enumerate().for_each(|(panel, out)| {
            for row in (0..self.depth).step_by(ROWS) {
                let tile = self.tile(row, panel, channels);
                for (channel, out) in out.chunks_exact_mut(self.depth).enumerate() {
                    out[row..].iter_mut().zip(tile).for_each(|(out, line)| *out = line[channel]);
                }
            }
        });
        out
    }

    /// The tile whose first row is a multiple of 8.
    fn tile(&self, row: usize, panel: usize, channels: usize) -> &Tile {
        let tiles = &self.tiles[row / self.rows];
        let of_panel = tiles.len() / channels.div_ceil(COLUMNS);
        &tiles[panel * of_panel + row % self.rows / ROWS]
    }
}

/// Some rows of `columns [depth, positions] x lines [positions, channels]`: tiles `[channels / 32, rows / 8]`.
struct SumRows<'a> {
    columns: &'a Columns<'a>,
    /// `[channels / 32, positions, 32]`.
    lines: &'a [Line],
    rows: Range<usize>,
}

impl WithSimd for SumRows<'_> {
    type Output = Vec<Tile>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Tile> {
        let positions = self.columns.positions();
        let groups = self.rows.len().div_ceil(ROWS);
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; self.lines.len() / positions * groups];
        let mut room = vec![[0.0; DEPTH]; groups * ROWS];
        for first in (0..positions).step_by(DEPTH) {
            let terms = DEPTH.min(positions - first);
            for column in (0..terms).step_by(COLUMNS) {
                let room = &mut room[..self.rows.len()].as_flattened_mut()[column..];
                self.columns.fill(self.rows.start, first + column, room, DEPTH);
            }
            for (lines, tiles) in self.lines.chunks_exact(positions).zip(tiles.chunks_exact_mut(groups)) {
                for (rows, tile) in room.as_chunks::<ROWS>().0.iter().zip(tiles) {
                    add_rows(simd, rows.each_ref().map(|row| &row[..terms]), &lines[first..][..terms], tile);
                }
            }
        }
        tiles
    }
}

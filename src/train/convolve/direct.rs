//! Convolution as one matrix product, forward and backward, whose columns are laid out panel by panel (im2col; Chellapilla
//! et al. 2006).

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Shape;
use super::columns::{Columns, Source};
use super::kernel::{COLUMNS, DEPTH, Line, ROWS, Tile, add_rows};

/// Panels that are multiplied by the same weights one after the other.
const PANELS: usize = 4;

/// Positions that a task has at least.
const TASK: usize = COLUMNS * PANELS;

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
        let mut out = vec![0.0; self.batch * self.outputs * self.positions()];
        let share = self.share(self.positions());
        let tasks = out.par_chunks_mut(share * self.outputs * self.positions());
        tasks.zip(x.par_chunks(share * self.inputs * self.height * self.width)).for_each(|(out, x)| {
            let source = Source::new(x, self.inputs, [self.height, self.width], [self.padding; 2]);
            let columns = Columns::new(&source, &taps, [self.rows, self.columns], self.stride);
            Arch::new().dispatch(Product { weight, outputs: self.outputs, columns: &columns, place: &place, out });
        });
        out
    }

    /// The gradient of the input: for each remainder by the stride, a convolution of the output's gradient with the taps
    /// that meet it.
    pub(super) fn input_gradient(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        let plane = self.height * self.width;
        let mut out = vec![0.0; self.batch * self.inputs * plane];
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
                let columns = Columns::new(&source, &class.offsets, class.grid, 1);
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
        let source = Source::new(x, self.inputs, [self.height, self.width], [self.padding; 2]);
        let columns = Columns::new(&source, &taps, [self.rows, self.columns], self.stride);
        let grad = self.by_channel(grad);
        let depth = columns.depth();
        let parts: Vec<Vec<Tile>> = (0..depth.div_ceil(COLUMNS))
            .into_par_iter()
            .map(|part| Arch::new().dispatch(WeightGradient { columns: &columns, grad: &grad, from: part * COLUMNS }))
            .collect();
        let mut out = vec![0.0; self.outputs * depth];
        out.par_chunks_mut(depth).enumerate().for_each(|(output, out)| {
            for (part, out) in parts.iter().zip(out.chunks_mut(COLUMNS)) {
                out.copy_from_slice(&part[output / ROWS][output % ROWS][..out.len()]);
            }
        });
        out
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

    /// `[batch, out, positions]` to `[out, batch * positions]`, each row filled up with zeros to whole lines.
    fn by_channel(&self, grad: &[f32]) -> Vec<f32> {
        let line = (self.batch * self.positions()).next_multiple_of(COLUMNS);
        let mut rows = vec![0.0; self.outputs * line];
        rows.par_chunks_mut(line).enumerate().for_each(|(channel, row)| {
            let from = grad.chunks_exact(self.positions()).skip(channel).step_by(self.outputs);
            row.chunks_mut(self.positions()).zip(from).for_each(|(to, from)| to.copy_from_slice(from));
        });
        rows
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

    /// Weights `[out, in, kernel, kernel]` to `[in, out, taps]`.
    fn weights(&self, shape: &Shape, weight: &[f32]) -> Vec<f32> {
        let taps: Vec<usize> = self.taps.iter().map(|(down, right)| down * shape.kernel + right).collect();
        let kernel = shape.kernel * shape.kernel;
        let mut out = vec![0.0; shape.inputs * shape.outputs * taps.len()];
        out.par_chunks_mut(shape.outputs * taps.len()).enumerate().for_each(|(input, out)| {
            for (output, out) in out.chunks_exact_mut(taps.len()).enumerate() {
                let from = &weight[(output * shape.inputs + input) * kernel..][..kernel];
                out.iter_mut().zip(&taps).for_each(|(to, tap)| *to = from[*tap]);
            }
        });
        out
    }
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
    weight: &'a [f32],
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
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; self.outputs.div_ceil(ROWS) * PANELS];
        let mut panels = vec![[0.0; COLUMNS]; DEPTH * PANELS];
        for first in (0..self.columns.positions()).step_by(COLUMNS * PANELS) {
            let count = (self.columns.positions() - first).div_ceil(COLUMNS).min(PANELS);
            tiles.fill([[0.0; COLUMNS]; ROWS]);
            for from in (0..depth).step_by(DEPTH) {
                let terms = DEPTH.min(depth - from);
                for (panel, lines) in panels.chunks_exact_mut(DEPTH).take(count).enumerate() {
                    let lines = lines[..terms].as_flattened_mut();
                    self.columns.fill(from, first + panel * COLUMNS, lines, COLUMNS);
                }
                for (group, tiles) in tiles.chunks_exact_mut(PANELS).enumerate() {
                    let rows = rows(self.weight, depth, group, from..from + terms);
                    for (panel, tile) in panels.chunks_exact(DEPTH).zip(tiles).take(count) {
                        add_rows(simd, rows, &panel[..terms], tile);
                    }
                }
            }
            for panel in 0..count {
                self.place.write(&tiles, panel, (first, self.columns), self.outputs, self.out);
            }
        }
    }
}

/// Eight rows of a matrix, a part of each; the last one stands for those after it.
#[inline(always)]
fn rows(matrix: &[f32], width: usize, group: usize, part: std::ops::Range<usize>) -> [&[f32]; ROWS] {
    let last = matrix.len() / width - 1;
    std::array::from_fn(|i| &matrix[(group * ROWS + i).min(last) * width..][part.clone()])
}

impl Place {
    /// Writes a panel of the product whose columns begin at a position.
    #[inline(always)]
    fn write(&self, tiles: &[Tile], panel: usize, at: (usize, &Columns<'_>), outputs: usize, out: &mut [f32]) {
        let (first, columns) = (at.0 + panel * COLUMNS, at.1);
        let count = (columns.positions() - first).min(COLUMNS);
        let to: [usize; COLUMNS] = std::array::from_fn(|i| {
            let (picture, row, column) = columns.position((first + i).min(columns.positions() - 1));
            let within = (row * self.step + self.row) * self.width + column * self.step + self.column;
            picture * outputs * self.plane + within
        });
        let straight = count == COLUMNS && to.windows(2).all(|pair| pair[1] == pair[0] + 1);
        for output in 0..outputs {
            let line = &tiles[output / ROWS * PANELS + panel][output % ROWS];
            let out = &mut out[output * self.plane..];
            if straight {
                out[to[0]..][..COLUMNS].copy_from_slice(line);
            } else {
                to.iter().zip(line).take(count).for_each(|(to, value)| out[*to] = *value);
            }
        }
    }
}

/// `grad [outputs, positions] x columns^T [positions, depth]`, 32 columns of it.
struct WeightGradient<'a> {
    columns: &'a Columns<'a>,
    /// `[outputs, positions]`, with zeros up to whole lines.
    grad: &'a [f32],
    from: usize,
}

impl WithSimd for WeightGradient<'_> {
    type Output = Vec<Tile>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Tile> {
        let positions = self.columns.positions().next_multiple_of(COLUMNS);
        let outputs = self.grad.len() / positions;
        let count = COLUMNS.min(self.columns.depth() - self.from);
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; outputs.div_ceil(ROWS)];
        let mut square: [Line; COLUMNS] = [[0.0; COLUMNS]; COLUMNS];
        let mut panel: Vec<Line> = vec![[0.0; COLUMNS]; DEPTH];
        for first in (0..positions).step_by(DEPTH) {
            let terms = DEPTH.min(positions - first);
            for (block, lines) in panel[..terms].chunks_exact_mut(COLUMNS).enumerate() {
                let lines: &mut [Line; COLUMNS] = lines.first_chunk_mut().expect("a square");
                let room = square[..count].as_flattened_mut();
                self.columns.fill(self.from, first + block * COLUMNS, room, COLUMNS);
                for (i, line) in lines.iter_mut().enumerate() {
                    *line = std::array::from_fn(|j| square[j][i]);
                }
            }
            for (group, tile) in tiles.iter_mut().enumerate() {
                add_rows(simd, rows(self.grad, positions, group, first..first + terms), &panel[..terms], tile);
            }
        }
        tiles
    }
}

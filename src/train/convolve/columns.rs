//! What lies under a kernel at each of its positions, laid out when it is needed.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::super::passes::zeros;
use super::kernel::{COLUMNS, DEPTH, Line};

/// Pictures with zeros around. Under a stride their rows and columns lie apart by the remainder, so that what lies under one
/// tap at neighbouring positions are neighbours.
pub(super) struct Source<'a> {
    values: Cow<'a, [f32]>,
    batch: usize,
    channels: usize,
    /// Values of a channel.
    plane: usize,
    /// Remainders along a side that taps meet.
    phases: usize,
    stride: usize,
    /// Rows and columns of one remainder, the zeros included.
    sides: [usize; 2],
    /// Zeros before the first row and before the first value of each.
    before: usize,
}

impl<'a> Source<'a> {
    /// Pictures `[batch, channels, height, width]` with so many zeros before and after, on all sides.
    pub(super) fn new(x: &'a [f32], channels: usize, sides: [usize; 2], zeros: [usize; 2]) -> Self {
        Self::apart(x, channels, sides, zeros, (1, 1))
    }

    /// The same for positions `stride` apart, under a kernel.
    pub(super) fn apart(
        x: &'a [f32],
        channels: usize,
        [height, width]: [usize; 2],
        [before, after]: [usize; 2],
        (stride, kernel): (usize, usize),
    ) -> Self {
        let batch = x.len() / (channels * height * width);
        let sides = [height, width].map(|side| (before + side + after).div_ceil(stride));
        let phases = stride.min(kernel);
        let plane = phases * phases * sides[0] * sides[1];
        let mut source = Self { values: Cow::Borrowed(x), batch, channels, plane, phases, stride, sides, before };
        if stride > 1 || before + after > 0 {
            let mut values = zeros(batch * channels * plane);
            let planes = values.par_chunks_exact_mut(plane).zip(x.par_chunks_exact(height * width));
            planes.for_each(|(to, from)| {
                for (row, from) in from.chunks_exact(width).enumerate() {
                    source.lay(row, from, to);
                }
            });
            source.values = Cow::Owned(values);
        }
        source
    }

    /// Copies a row of a channel to where it belongs.
    #[inline(always)]
    fn lay(&self, row: usize, from: &[f32], to: &mut [f32]) {
        if self.stride == 1 {
            let at = (row + self.before) * self.sides[1] + self.before;
            to[at..][..from.len()].copy_from_slice(from);
            return;
        }
        if (row + self.before) % self.stride >= self.phases {
            return;
        }
        for remainder in 0..self.phases {
            // The first value that leaves it.
            let first = (remainder + self.stride * self.before - self.before) % self.stride;
            let to = &mut to[self.offset(row + self.before, first + self.before)..];
            to.iter_mut().zip(from.iter().skip(first).step_by(self.stride)).for_each(|(to, from)| *to = *from);
        }
    }

    /// Where a row and column, counted from the first zero, lie in a channel.
    fn offset(&self, row: usize, column: usize) -> usize {
        let phase = row % self.stride * self.phases + column % self.stride;
        (phase * self.sides[0] + row / self.stride) * self.sides[1] + column / self.stride
    }
}

/// 32 neighbouring columns.
pub(super) struct Panel {
    /// Picture, row and column of each.
    pub(super) places: [(usize, usize, usize); COLUMNS],
    /// How many there are.
    pub(super) count: usize,
    /// Where the first value of each lies.
    at: [usize; COLUMNS],
    /// Each so many are neighbours in the pictures as well.
    run: usize,
}

/// The columns of a convolution, `[channels * taps, batch * rows * columns]`: at each position of a grid, the stride apart,
/// what lies at some offsets.
pub(super) struct Columns<'a> {
    source: &'a Source<'a>,
    /// Where each row of a position's column lies, counted from the position.
    rows: Vec<usize>,
    grid: [usize; 2],
}

impl<'a> Columns<'a> {
    /// For a grid of rows and columns; taps are `(down, right)` from the first value that is no zero.
    pub(super) fn new(source: &'a Source<'a>, taps: &[(isize, isize)], grid: [usize; 2]) -> Self {
        let offset = |(down, right): &(isize, isize)| {
            let inside =
                |offset: isize| offset.checked_add_unsigned(source.before).and_then(|o| usize::try_from(o).ok());
            let (down, right) = (inside(*down), inside(*right));
            down.zip(right).map(|(down, right)| source.offset(down, right)).expect("the zeros reach as far as the taps")
        };
        let taps: Vec<usize> = taps.iter().map(offset).collect();
        let channels = (0..source.channels).map(|channel| channel * source.plane);
        let rows = channels.flat_map(|channel| taps.iter().map(move |tap| channel + tap)).collect();
        Self { source, rows, grid }
    }

    /// Values under one position.
    pub(super) fn depth(&self) -> usize {
        self.rows.len()
    }

    /// Positions in all pictures.
    pub(super) fn positions(&self) -> usize {
        self.source.batch * self.grid[0] * self.grid[1]
    }

    /// Pictures.
    pub(super) fn batch(&self) -> usize {
        self.source.batch
    }

    /// Where the rows lie in [`values`](Self::values), counted from where a position does.
    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What the columns are made of.
    pub(super) fn values(&self) -> &[f32] {
        &self.source.values
    }

    /// Where a position and those after it lie that are neighbours, at most so many.
    #[inline(always)]
    pub(super) fn run(&self, position: usize, most: usize) -> Range<usize> {
        let [rows, columns] = self.grid;
        let place = self.position(position);
        let (_, row, column) = place;
        // Where nothing lies between two rows, the next one goes on.
        let end = if columns == self.source.sides[1] { rows } else { row + 1 } * columns;
        let origin = self.origin(place);
        origin..origin + most.min(end - (row * columns + column))
    }

    /// 32 columns from `first` on; the last position stands for those after it.
    #[inline(always)]
    pub(super) fn panel(&self, first: usize) -> Panel {
        let [rows, columns] = self.grid;
        let last = self.positions() - 1;
        let mut place = self.position(first);
        let places = std::array::from_fn(|i| {
            let here = place;
            if first + i < last {
                place = match here {
                    (picture, row, column) if column + 1 < columns => (picture, row, column + 1),
                    (picture, row, _) if row + 1 < rows => (picture, row + 1, 0),
                    (picture, ..) => (picture + 1, 0, 0),
                };
            }
            here
        });
        let at = places.map(|place| self.origin(place));
        // Rows of a grid break the line, but often at the same places.
        let runs = |length: &usize| at.chunks(*length).all(|run| run.windows(2).all(|pair| pair[1] == pair[0] + 1));
        let run = [32, 16, 8, 4].into_iter().find(runs).unwrap_or(1);
        Panel { places, count: COLUMNS.min(self.positions() - first), at, run }
    }

    /// Writes rows `from..` of a panel, each `stride` values after the one before, as many as `out` has room for.
    #[inline(always)]
    pub(super) fn fill(&self, panel: &Panel, from: usize, out: &mut [f32], stride: usize) {
        match panel.run {
            32 => self.fill_runs::<32>(&panel.at, from, out, stride),
            16 => self.fill_runs::<16>(&panel.at, from, out, stride),
            8 => self.fill_runs::<8>(&panel.at, from, out, stride),
            4 => self.fill_runs::<4>(&panel.at, from, out, stride),
            _ => self.fill_runs::<1>(&panel.at, from, out, stride),
        }
    }

    /// The same where each `N` columns are neighbours.
    #[inline(always)]
    fn fill_runs<const N: usize>(&self, at: &[usize; COLUMNS], from: usize, out: &mut [f32], stride: usize) {
        for (row, out) in self.rows[from..].iter().zip(out.chunks_mut(stride)) {
            let values = &self.source.values[*row..];
            let out: &mut Line = out.first_chunk_mut().expect("room for a line");
            for (to, at) in out.as_chunks_mut::<N>().0.iter_mut().zip(at.iter().step_by(N)) {
                *to = *values[*at..].first_chunk().expect("a run lies in the pictures");
            }
        }
    }

    /// Writes some rows of panels, each panel [`DEPTH`] lines after the one before.
    #[inline(always)]
    pub(super) fn fill_panels(&self, panels: &[Panel], rows: Range<usize>, out: &mut [Line]) {
        if panels.iter().any(|panel| panel.run < COLUMNS) {
            for (panel, out) in panels.iter().zip(out.chunks_mut(DEPTH)) {
                self.fill(panel, rows.start, out[..rows.len()].as_flattened_mut(), COLUMNS);
            }
            return;
        }
        // What lies side by side in a picture is read at once, which memory is quicker at.
        for (line, row) in self.rows[rows].iter().enumerate() {
            let values = &self.source.values[*row..];
            for (panel, out) in panels.iter().zip(out.chunks_mut(DEPTH)) {
                out[line] = *values[panel.at[0]..].first_chunk().expect("a run lies in the pictures");
            }
        }
    }

    /// Picture, row and column of a position.
    #[inline(always)]
    fn position(&self, position: usize) -> (usize, usize, usize) {
        let [rows, columns] = self.grid;
        let (picture, within) = (position / (rows * columns), position % (rows * columns));
        (picture, within / columns, within % columns)
    }

    /// Where a position's first channel begins.
    #[inline(always)]
    fn origin(&self, (picture, row, column): (usize, usize, usize)) -> usize {
        picture * self.source.channels * self.source.plane + row * self.source.sides[1] + column
    }
}

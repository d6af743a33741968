//! What lies under a kernel at each of its positions, laid out when it is needed.

use std::borrow::Cow;

use super::kernel::COLUMNS;

/// Pictures with zeros around.
pub(super) struct Source<'a> {
    values: Cow<'a, [f32]>,
    batch: usize,
    channels: usize,
    /// Values of a channel, the zeros included.
    plane: usize,
    /// Values of a row, the zeros included.
    width: usize,
    /// Zeros before the first row and before the first value of each.
    before: usize,
}

impl<'a> Source<'a> {
    /// Pictures `[batch, channels, height, width]` with so many zeros before and after, on all sides.
    pub(super) fn new(x: &'a [f32], channels: usize, [height, width]: [usize; 2], [before, after]: [usize; 2]) -> Self {
        let batch = x.len() / (channels * height * width);
        let (rows, columns) = (before + height + after, before + width + after);
        let plane = rows * columns;
        let values = if before + after == 0 {
            Cow::Borrowed(x)
        } else {
            let mut values = vec![0.0; batch * channels * plane];
            for (from, to) in x.chunks_exact(height * width).zip(values.chunks_exact_mut(plane)) {
                let to = to[before * columns..].chunks_mut(columns);
                for (from, to) in from.chunks_exact(width).zip(to) {
                    to[before..before + width].copy_from_slice(from);
                }
            }
            Cow::Owned(values)
        };
        Self { values, batch, channels, plane, width: columns, before }
    }
}

/// The columns of a convolution, `[channels * taps, batch * rows * columns]`: at each position of a grid, `step` apart,
/// what lies at some offsets.
pub(super) struct Columns<'a> {
    source: &'a Source<'a>,
    /// Offsets in a channel.
    taps: Vec<usize>,
    grid: [usize; 2],
    step: usize,
}

impl<'a> Columns<'a> {
    /// For a grid of rows and columns; taps are `(down, right)` from the first value that is no zero.
    pub(super) fn new(source: &'a Source<'a>, taps: &[(isize, isize)], grid: [usize; 2], step: usize) -> Self {
        let offset = |(down, right): &(isize, isize)| {
            let inside =
                |offset: isize| offset.checked_add_unsigned(source.before).and_then(|o| usize::try_from(o).ok());
            let (down, right) = (inside(*down), inside(*right));
            down.zip(right)
                .map(|(down, right)| down * source.width + right)
                .expect("the zeros reach as far as the taps")
        };
        Self { source, taps: taps.iter().map(offset).collect(), grid, step }
    }

    /// Values under one position.
    pub(super) fn depth(&self) -> usize {
        self.source.channels * self.taps.len()
    }

    /// Positions in all pictures.
    pub(super) fn positions(&self) -> usize {
        self.source.batch * self.grid[0] * self.grid[1]
    }

    /// Writes rows `from..` of 32 columns from `first` on, a row each `stride` values, as many as `out` has room for. What
    /// lies after the last position is some value of the pictures.
    #[inline(always)]
    pub(super) fn fill(&self, from: usize, first: usize, out: &mut [f32], stride: usize) {
        let at: [usize; COLUMNS] = std::array::from_fn(|i| self.origin((first + i).min(self.positions() - 1)));
        let straight = at.windows(2).all(|pair| pair[1] == pair[0] + 1);
        for (row, out) in out.chunks_mut(stride).enumerate() {
            let (channel, tap) = ((from + row) / self.taps.len(), (from + row) % self.taps.len());
            let values = &self.source.values[channel * self.source.plane + self.taps[tap]..];
            let out: &mut [f32; COLUMNS] = out.first_chunk_mut().expect("room for a line");
            if straight {
                out.copy_from_slice(&values[at[0]..][..COLUMNS]);
            } else {
                *out = at.map(|at| values[at]);
            }
        }
    }

    /// Picture, row and column of a position.
    #[inline(always)]
    pub(super) fn position(&self, position: usize) -> (usize, usize, usize) {
        let [rows, columns] = self.grid;
        let (picture, within) = (position / (rows * columns), position % (rows * columns));
        (picture, within / columns, within % columns)
    }

    /// Where a position's first channel begins.
    #[inline(always)]
    fn origin(&self, position: usize) -> usize {
        let (picture, row, column) = self.position(position);
        picture * self.source.channels * self.source.plane + (row * self.source.width + column) * self.step
    }
}

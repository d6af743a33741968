//! `columns x lines`, part by part: the gradient of many weights.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::passes::zeros;
use super::columns::Columns;
use super::kernel::{COLUMNS, DEPTH, Line, ROWS, Tile, add_rows};

/// Most rows of the gradient of the weights, turned, that are summed together.
const PART: usize = 8 * ROWS;

/// `columns [depth, positions] x lines [positions, channels]` in parts of so many rows, which threads sum side by side.
pub(super) struct Parts {
    /// Tiles `[channels / 32, rows / 8]` of each.
    pub(super) tiles: Vec<Vec<Tile>>,
    pub(super) depth: usize,
    pub(super) rows: usize,
}

impl Parts {
    /// `lines` is `[channels / 32, positions, 32]`.
    pub(super) fn sum(columns: &Columns<'_>, lines: &[f32]) -> Self {
        let depth = columns.depth();
        let rows = depth.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(ROWS).clamp(2 * ROWS, PART);
        let part = |part: usize| {
            let rows = part * rows..depth.min((part + 1) * rows);
            Arch::new().dispatch(SumRows { columns, lines: lines.as_chunks().0, rows })
        };
        Self { tiles: (0..depth.div_ceil(rows)).into_par_iter().map(part).collect(), depth, rows }
    }

    /// `[depth, channels]`.
    pub(super) fn joined(&self, channels: usize) -> Vec<f32> {
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
    pub(super) fn joined_turned(&self, channels: usize) -> Vec<f32> {
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
                let panel = self.columns.panel(first + column);
                self.columns.fill(&panel, self.rows.start, room, DEPTH);
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

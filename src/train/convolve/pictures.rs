//! The gradient of few weights, picture by picture: what lies under the kernel is read where it is, and what it meets is
//! turned block by block, in the nearest cache. Where there are many weights, laying out both sides first is little beside
//! the products ([`super::parts`]); here it would take up to as long as they do.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::passes::{SUMS, add};
use super::columns::Columns;
use super::kernel::{COLUMNS, Line, ROWS, Tile, add_rows};

/// Positions that are turned at once: with what meets them they fill the nearest cache.
const BLOCK: usize = 128;

/// `columns [depth, positions] x other [positions, channels]`.
#[derive(Clone, Copy)]
pub(super) struct ByPicture<'a> {
    pub(super) columns: &'a Columns<'a>,
    /// `[batch, channels, positions of a picture]`.
    pub(super) other: &'a [f32],
    pub(super) channels: usize,
}

impl ByPicture<'_> {
    /// Tiles `[channels / 32, depth / 8]`. What is added, and in which order, does not depend on the number of threads.
    pub(super) fn sum(&self) -> Vec<Tile> {
        let (batch, panels) = (self.columns.batch(), self.channels.div_ceil(COLUMNS));
        let pictures = batch.div_ceil(SUMS);
        let sums = batch.div_ceil(pictures);
        let share = panels.div_ceil(rayon::current_num_threads().div_ceil(sums));
        // Where there are more threads than sums, several make one.
        let sum = |sum: usize| {
            let pictures = sum * pictures..batch.min((sum + 1) * pictures);
            let part = |part: usize| {
                let panels = part * share..panels.min((part + 1) * share);
                Arch::new().dispatch(Part { of: *self, pictures: pictures.clone(), panels })
            };
            (0..panels.div_ceil(share)).into_par_iter().map(part).collect::<Vec<_>>().concat()
        };
        let mut sums: Vec<Vec<Tile>> = (0..sums).into_par_iter().map(sum).collect();
        let (sum, others) = sums.split_first_mut().expect("a batch has pictures");
        let others: Vec<&[f32]> = others.iter().map(|other| other.as_flattened().as_flattened()).collect();
        add(sum.as_flattened_mut().as_flattened_mut(), &others);
        sums.swap_remove(0)
    }
}

/// Of some pictures, for some panels of 32 channels.
struct Part<'a> {
    of: ByPicture<'a>,
    pictures: Range<usize>,
    panels: Range<usize>,
}

impl WithSimd for Part<'_> {
    type Output = Vec<Tile>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Tile> {
        let ByPicture { columns, other, channels } = self.of;
        let (rows, positions) = (columns.rows(), columns.positions() / columns.batch());
        let groups = rows.len().div_ceil(ROWS);
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; self.panels.len() * groups];
        let mut turned = vec![[0.0; COLUMNS]; BLOCK];
        for picture in self.pictures {
            let other = &other[picture * channels * positions..][..channels * positions];
            let mut first = 0;
            while first < positions {
                let run = columns.run(picture * positions + first, BLOCK);
                let turned = &mut turned[..run.len()];
                for (panel, tiles) in self.panels.clone().zip(tiles.chunks_exact_mut(groups)) {
                    turn(&other[panel * COLUMNS * positions..], positions, first, turned);
                    for (group, tile) in tiles.iter_mut().enumerate() {
                        // The last one stands for those after it.
                        let row = |row: usize| rows[(group * ROWS + row).min(rows.len() - 1)];
                        let rows = std::array::from_fn(|i| &columns.values()[row(i)..][run.clone()]);
                        add_rows(simd, rows, turned, tile);
                    }
                }
                first += run.len();
            }
        }
        tiles
    }
}

/// Positions from `first` on of the next 32 channels `[channels, positions]`. After the last channel a line stays as it is:
/// nobody reads what becomes of that.
#[inline(always)]
pub(super) fn turn(values: &[f32], positions: usize, first: usize, lines: &mut [Line]) {
    // In short pieces, so that the lines stay in the cache.
    for (piece, lines) in lines.chunks_mut(COLUMNS).enumerate() {
        for (channel, values) in values.chunks_exact(positions).take(COLUMNS).enumerate() {
            let values = &values[first + piece * COLUMNS..];
            lines.iter_mut().zip(values).for_each(|(line, value)| line[channel] = *value);
        }
    }
}

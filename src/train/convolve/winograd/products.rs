//! The products at the points of tiles, and how points lie in memory.

use pulp::{Simd, WithSimd};

use super::super::kernel::{COLUMNS, DEPTH, Line, ROWS, Tile, add_outer, add_rows};
use super::points::{LANES, POINTS};

/// Values from one point to the next when so many belong to it: lines of the cache that come together do not take the places of
/// each other.
pub(super) fn apart(values: usize) -> usize {
    odd(values / LANES) * LANES
}

/// The same in lines of the cache, or pairs of them.
pub(super) fn odd(lines: usize) -> usize {
    lines | 1
}

/// The part of points `[36, ...]` that belongs to one, and what lies between.
pub(super) fn at_point(points: &[f32], point: usize) -> &[f32] {
    let line = points.len() / POINTS;
    &points[point * line..][..line]
}

/// `left [tiles, depth] x right [depth, 32]` to `out [tiles, 32]`.
pub(super) struct Rows<'a> {
    pub(super) left: &'a [f32],
    pub(super) right: &'a [Line],
    pub(super) out: &'a mut [Line],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { left, right, out } = self;
        let (depth, tiles) = (right.len(), out.len());
        for (group, out) in out.chunks_mut(ROWS).enumerate() {
            // The last one stands for those after it.
            let rows: [&[f32]; ROWS] =
                std::array::from_fn(|i| &left[(group * ROWS + i).min(tiles - 1) * depth..][..depth]);
            let mut tile = [[0.0; COLUMNS]; ROWS];
            for (part, right) in right.chunks(DEPTH).enumerate() {
                add_rows(simd, rows.map(|row| &row[part * DEPTH..]), right, &mut tile);
            }
            out.copy_from_slice(&tile[..out.len()]);
        }
    }
}

/// Adds `left^T [width, depth] x right [depth, width]` to `out`.
pub(super) struct Outer<'a> {
    pub(super) left: &'a [f32],
    pub(super) right: &'a [f32],
    /// Of `left` and `right`, whole tiles.
    pub(super) widths: (usize, usize),
    pub(super) out: &'a mut [f32],
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

/// The first 32 values.
#[inline(always)]
fn line(values: &[f32]) -> &Line {
    values.first_chunk().expect("whole lines")
}

//! `weight x columns`, panel by panel, written to pictures.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::columns::{Columns, Panel};
use super::kernel::{COLUMNS, Column, DEPTH, ROWS, Tile, add_packed};

/// Most panels that are laid out together.
const WIDE: usize = 8;
/// Tiles that are summed together: they stay in the cache.
const TILES: usize = 128;

/// Where the positions of a grid lie in a picture.
pub(super) struct Place {
    pub(super) step: usize,
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) width: usize,
    pub(super) plane: usize,
}

/// `weight [outputs, depth] x columns [depth, positions]`, written to pictures `[n, outputs, ...]`.
pub(super) struct Product<'a> {
    /// In groups of 8 rows, `[outputs / 8, depth, 8]`.
    pub(super) weight: &'a [Column],
    pub(super) outputs: usize,
    pub(super) columns: &'a Columns<'a>,
    pub(super) place: &'a Place,
    pub(super) out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let depth = self.columns.depth();
        let groups = self.outputs.div_ceil(ROWS);
        let wide = (TILES / groups).clamp(1, WIDE);
        let mut tiles = vec![[[0.0; COLUMNS]; ROWS]; groups * wide];
        let mut room = vec![[0.0; COLUMNS]; DEPTH * wide];
        let firsts: Vec<usize> = (0..self.columns.positions()).step_by(COLUMNS).collect();
        for firsts in firsts.chunks(wide) {
            let panels: Vec<Panel> = firsts.iter().map(|first| self.columns.panel(*first)).collect();
            let targets: Vec<Target> = panels.iter().map(|panel| self.place.target(panel, self.outputs)).collect();
            tiles.fill([[0.0; COLUMNS]; ROWS]);
            for from in (0..depth).step_by(DEPTH) {
                let terms = DEPTH.min(depth - from);
                self.columns.fill_panels(&panels, from..from + terms, &mut room);
                let last = from + terms == depth;
                for (group, (weight, tiles)) in
                    self.weight.chunks_exact(depth).zip(tiles.chunks_exact_mut(wide)).enumerate()
                {
                    for ((target, room), tile) in targets.iter().zip(room.chunks_exact(DEPTH)).zip(tiles) {
                        add_packed(simd, &weight[from..][..terms], &room[..terms], target.count, tile);
                        if last {
                            // While the next tile is computed, its values travel.
                            let outputs = group * ROWS..self.outputs.min((group + 1) * ROWS);
                            target.write(tile, outputs, self.place.plane, self.out);
                        }
                    }
                }
            }
        }
    }
}

impl Place {
    /// Where a panel of the product goes.
    #[inline(always)]
    fn target(&self, panel: &Panel, outputs: usize) -> Target {
        let to = panel.places.map(|(picture, row, column)| {
            let within = (row * self.step + self.row) * self.width + column * self.step + self.column;
            picture * outputs * self.plane + within
        });
        let straight = panel.count == COLUMNS && to.windows(2).all(|pair| pair[1] == pair[0] + 1);
        Target { count: panel.count, straight, to }
    }
}

/// Where the columns of a panel go.
struct Target {
    to: [usize; COLUMNS],
    /// How many there are.
    count: usize,
    /// Side by side, all of them.
    straight: bool,
}

impl Target {
    /// Writes rows of the product, a plane each.
    #[inline(always)]
    fn write(&self, tile: &Tile, outputs: Range<usize>, plane: usize, out: &mut [f32]) {
        for (output, line) in outputs.zip(tile) {
            let out = &mut out[output * plane..];
            if self.straight {
                out[self.to[0]..][..COLUMNS].copy_from_slice(line);
            } else {
                self.to.iter().zip(line).take(self.count).for_each(|(to, value)| out[*to] = *value);
            }
        }
    }
}

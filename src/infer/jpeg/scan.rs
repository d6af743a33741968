//! The entropy-coded data: which blocks are decoded, and how small.

use std::hint::select_unpredictable;

use super::flat::Flat;
use super::header::{Component, Header};
use super::huffman::Symbol;
use super::idct::{self, Plan, Sample};
use super::walk::Path;

/// Samples of one component around the centre square.
pub(super) struct Plane {
    /// From one row to the next.
    pub(super) stride: usize,
    /// Samples of a row, from its first on, that are picture; the others lie beyond its edge.
    pub(super) columns: usize,
    /// Rows that are picture, likewise.
    pub(super) rows: usize,
    /// Row by row from the top.
    pub(super) samples: Vec<Sample>,
    /// The centre square in samples of this plane, real numbers: left, top, width, height.
    pub(super) crop: [f64; 4],
}

/// A component while it is decoded.
struct Work<'a> {
    component: &'a Component,
    plan: Plan,
    plane: Plane,
    /// The mean of the last block, in quantisation steps (F.2.1.3.1).
    mean: i32,
}

/// The blocks that are decoded: MCUs from left to right and from top to bottom, ends excluded.
struct Region {
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
    /// MCUs in a row of the picture.
    across: u32,
}

/// One plane a component, each at least as fine as a centre square of `side` samples needs, as far as the file is. `None`
/// for damage, and where every block would be needed in full.
pub(super) fn decode(bytes: &[u8], header: &Header, side: u32) -> Option<Vec<Plane>> {
    let most = |factor: fn(&Component) -> u32| header.components.iter().map(factor).max().unwrap_or(1);
    let mcu = (most(|component| component.blocks.0), most(|component| component.blocks.1));
    let region = Region::new(header, mcu, side);
    let works = header.components.iter().map(|component| Work::new(component, header, &region, mcu, side));
    let mut works: Vec<Work> = works.collect();
    // Where nothing can be left out, the library is as quick.
    works.iter().any(|work| work.plan.side < 8).then_some(())?;
    let flat = Flat::new(bytes, header.scan, header.restart > 0)?;
    let codes = |component: &Component| {
        let count = (component.blocks.0 * component.blocks.1) as usize;
        std::iter::repeat_n((component.dc.clone(), component.ac.clone()), count)
    };
    let path = Path::new(header.components.iter().flat_map(codes).collect())?;
    let mcus = region.across as usize * region.bottom as usize;
    let begins = path.walk(&flat, mcus, header.restart as usize)?;
    read(&flat, &begins, header, &region, &mut works)?;
    Some(works.into_iter().map(|work| work.plane).collect())
}

/// Reads the blocks that begin at such bits.
#[inline(never)] // profiles find it by its name
fn read(flat: &Flat, begins: &[u32], header: &Header, region: &Region, works: &mut [Work]) -> Option<()> {
    let mut begins = begins.iter();
    let mut until_restart = header.restart;
    for y in 0..region.bottom {
        for x in 0..region.across {
            if header.restart > 0 {
                if until_restart == 0 {
                    works.iter_mut().for_each(|work| work.mean = 0);
                    until_restart = header.restart;
                }
                until_restart -= 1;
            }
            let inside = y >= region.top && x >= region.left && x < region.right;
            let place = inside.then(|| (x - region.left, y - region.top));
            for work in &mut *works {
                work.mcu(flat, &mut begins, place)?;
            }
        }
    }
    Some(())
}

impl Region {
    fn new(header: &Header, mcu: (u32, u32), side: u32) -> Self {
        let square = f64::from(header.width.min(header.height));
        // Filters see one pixel of the result beyond the square.
        let margin = square / f64::from(side);
        let reach = |size: u32, mcu: u32| {
            let (size, mcu_size) = (f64::from(size), f64::from(8 * mcu));
            let begin = ((size - square) / 2.0 - margin).max(0.0) / mcu_size;
            let end = ((size + square) / 2.0 + margin).min(size) / mcu_size;
            (begin as u32, end.ceil() as u32)
        };
        let ((left, right), (top, bottom)) = (reach(header.width, mcu.0), reach(header.height, mcu.1));
        Self { left, right, top, bottom, across: header.width.div_ceil(8 * mcu.0) }
    }
}

impl<'a> Work<'a> {
    fn new(component: &'a Component, header: &Header, region: &Region, mcu: (u32, u32), side: u32) -> Self {
        let (h, v) = component.blocks;
        let share = [f64::from(h) / f64::from(mcu.0), f64::from(v) / f64::from(mcu.1)];
        let square = f64::from(header.width.min(header.height));
        let enough = |block: &u32| square * share[0].min(share[1]) * f64::from(*block) / 8.0 >= f64::from(side);
        let block = [1, 2, 4].into_iter().find(enough).unwrap_or(8);
        let scale = [share[0] * f64::from(block) / 8.0, share[1] * f64::from(block) / 8.0];
        let sized = |from: u32, to: u32, blocks: u32, size: u32, scale: f64| {
            let (from, to) = (from * blocks * block, to * blocks * block);
            let picture = (f64::from(size) * scale).ceil() as u32;
            let crop = (f64::from(size) - square) / 2.0 * scale - f64::from(from);
            ((to - from) as usize, (picture.min(to) - from) as usize, crop)
        };
        let (stride, columns, x) = sized(region.left, region.right, h, header.width, scale[0]);
        let (height, rows, y) = sized(region.top, region.bottom, v, header.height, scale[1]);
        let plane = Plane {
            stride,
            columns,
            rows,
            samples: vec![0; stride * height],
            crop: [x, y, square * scale[0], square * scale[1]],
        };
        Self { component, plan: Plan::new(block, &component.steps), plane, mean: 0 }
    }

    /// Reads the component's blocks of an MCU; without a place: their means alone.
    #[inline(always)]
    fn mcu(&mut self, flat: &Flat, begins: &mut std::slice::Iter<u32>, place: Option<(u32, u32)>) -> Option<()> {
        let (h, v) = self.component.blocks;
        for row in 0..v {
            for column in 0..h {
                let begin = *begins.next()?;
                let window = flat.window(begin)?;
                let symbol = self.component.dc.next(window)?;
                // The difference to the block before (F.2.2.1).
                self.mean = self.mean.wrapping_add(value(window, symbol));
                let Some((x, y)) = place else { continue };
                let side = self.plan.side;
                let (top, left) = ((y * v + row) * side, (x * h + column) * side);
                let at = top as usize * self.plane.stride + left as usize;
                let mean = self.mean as f32 * self.plan.factor[0];
                let rest = begin + symbol.takes;
                match side {
                    1 => self.plane.samples[at] = idct::sample(mean),
                    2 => self.block::<2, 5>(flat, rest, mean, at)?,
                    4 => self.block::<4, 17>(flat, rest, mean, at)?,
                    _ => self.block::<8, 65>(flat, rest, mean, at)?,
                }
            }
        }
        Some(())
    }

    /// Decodes a block that is wanted with more than its mean, whose codes begin at the bit `rest`.
    #[inline(always)]
    fn block<const N: usize, const PLACES: usize>(
        &mut self,
        flat: &Flat,
        rest: u32,
        mean: f32,
        at: usize,
    ) -> Option<()> {
        let mut block = [0.0; PLACES];
        block[0] = mean;
        self.frequencies(flat, rest, &mut block)?;
        idct::write::<N>(&block, &mut self.plane.samples[at..], self.plane.stride);
        Some(())
    }

    /// Reads the frequencies that count (F.2.2.2), of a block that [`Path::walk`] found sound.
    #[inline(always)]
    fn frequencies(&self, flat: &Flat, mut at: u32, block: &mut [f32]) -> Option<()> {
        let mut k = 1;
        while k <= self.plan.last {
            let window = flat.window(at)?;
            let symbol = self.component.ac.next(window)?;
            if symbol.size == 0 && symbol.run < 15 {
                break;
            }
            at += symbol.takes;
            k += symbol.run;
            // A run of 16 is stored as 15 and a zero.
            let to = k.min(63) as usize;
            block[usize::from(self.plan.place[to])] = value(window, symbol) as f32 * self.plan.factor[to];
            k += 1;
        }
        Some(())
    }
}

/// The value in the last bits of the next code (F.2.2.1, EXTEND); 0 where it has none.
#[inline(always)]
fn value(window: u64, symbol: Symbol) -> i32 {
    let (all, half) = ((1 << symbol.size) - 1, (1 << symbol.size) >> 1);
    let raw = (window >> (64 - symbol.takes)) as u32 & all;
    raw as i32 - select_unpredictable(raw < half, all as i32, 0)
}

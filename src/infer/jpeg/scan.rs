//! The entropy-coded data: which blocks are decoded, and how small.

use super::bits::Bits;
use super::header::{Component, Header};
use super::huffman::{LONGEST, Table, extend};
use super::idct::{self, Block, Plan, Sample};

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
    let mut bits = Bits::new(bytes, header.scan);
    let mut until_restart = header.restart;
    for y in 0..region.bottom {
        for x in 0..region.across {
            if header.restart > 0 {
                if until_restart == 0 {
                    bits.restart()?;
                    works.iter_mut().for_each(|work| work.mean = 0);
                    until_restart = header.restart;
                }
                until_restart -= 1;
            }
            let inside = y >= region.top && x >= region.left && x < region.right;
            let place = inside.then(|| (x - region.left, y - region.top));
            for work in &mut works {
                work.mcu(&mut bits, place)?;
            }
        }
        if bits.is_beyond() {
            return None;
        }
    }
    Some(works.into_iter().map(|work| work.plane).collect())
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

    /// Decodes the component's blocks of an MCU; `None` for a place: only steps over them.
    #[inline(always)]
    fn mcu(&mut self, bits: &mut Bits, place: Option<(u32, u32)>) -> Option<()> {
        let (h, v) = self.component.blocks;
        for row in 0..v {
            for column in 0..h {
                self.mean = self.mean.wrapping_add(difference(&self.component.dc, bits)?);
                let Some((x, y)) = place else {
                    self.component.ac.skip_block(bits, 1)?;
                    continue;
                };
                let side = self.plan.side;
                let (top, left) = ((y * v + row) * side, (x * h + column) * side);
                let at = top as usize * self.plane.stride + left as usize;
                let mean = self.mean as f32 * self.plan.factor[0];
                match side {
                    1 => {
                        self.component.ac.skip_block(bits, 1)?;
                        self.plane.samples[at] = idct::sample(mean);
                    }
                    2 => self.block::<2>(bits, mean, at)?,
                    4 => self.block::<4>(bits, mean, at)?,
                    _ => self.block::<8>(bits, mean, at)?,
                }
            }
        }
        Some(())
    }

    /// Decodes a block that is wanted with more than its mean.
    #[inline(always)]
    fn block<const N: usize>(&mut self, bits: &mut Bits, mean: f32, at: usize) -> Option<()> {
        let mut block: Block = [0.0; 65];
        block[0] = mean;
        frequencies(&self.component.ac, &self.plan, bits, &mut block)?;
        idct::write::<N>(&block, &mut self.plane.samples[at..], self.plane.stride);
        Some(())
    }
}

/// The difference of a block's mean to the one before (F.2.2.1).
#[inline(always)]
fn difference(codes: &Table, bits: &mut Bits) -> Option<i32> {
    if bits.count < LONGEST {
        bits.fill();
    }
    let symbol = codes.next(bits)?;
    let value = value(bits, symbol.takes, symbol.size);
    bits.skip(symbol.takes);
    Some(value)
}

/// The value at the end of the next `takes` bits.
#[inline(always)]
fn value(bits: &Bits, takes: u32, size: u32) -> i32 {
    if size == 0 {
        return 0;
    }
    let raw = (bits.window >> (64 - takes)) as u32 & ((1 << size) - 1);
    extend(raw, size)
}

/// Reads the frequencies that count and steps over the others (F.2.2.2).
#[inline(always)]
fn frequencies(codes: &Table, plan: &Plan, bits: &mut Bits, block: &mut Block) -> Option<()> {
    let mut k = 1;
    while k <= plan.last {
        if bits.count < LONGEST {
            bits.fill();
        }
        let symbol = codes.next(bits)?;
        let value = value(bits, symbol.takes, symbol.size);
        bits.skip(symbol.takes);
        if symbol.size == 0 {
            match symbol.run {
                0 => return Some(()),
                15 => {
                    k += 16;
                    continue;
                }
                _ => return None,
            }
        }
        k += symbol.run;
        let at = k.min(63) as usize;
        block[usize::from(plan.place[at])] = value as f32 * plan.factor[at];
        k += 1;
    }
    match k {
        ..64 => codes.skip_block(bits, k),
        64 => Some(()),
        _ => None,
    }
}

//! Where each block of the entropy-coded data begins.
//!
//! Of a large photo nearly all codes are only stepped over, and each has to be measured before the next can be looked up.
//! So the loop here looks up several codes at once, and branches on nothing that depends on the data, as long as all goes
//! as usual: where a block ends is chosen, not guessed. What remains is waiting for lookups, which two walkers do together,
//! one from the beginning and one from the middle of the data. The second does not know where in a block it stands, but
//! codes that are read from a wrong place soon fall into step with the right ones, here after some ten blocks: where the
//! first walker comes to a beginning that the second has noted for the same block of an MCU, both go on alike.

use std::hint::select_unpredictable;
use std::rc::Rc;

use super::flat::Flat;
use super::huffman::{Symbol, Table};

/// Bits that a table is asked with; the tables of a photo then fit into the processor's nearest cache.
const LOOK: u32 = 12;
const ENTRIES: usize = 1 << LOOK;
/// A power of two; three components have six at most.
const TABLES: usize = 8;
/// Bits of an entry's place that say in which table it is.
const TABLE: u32 = (TABLES as u32 - 1) << LOOK;
/// Lookups in a window, of which 57 bits are sure to be there.
const LOOKUPS: usize = 3;
/// Most bits of an entry.
const MOST: u32 = 21;
/// In an entry, the bits that it takes are the lowest six; above stands how many frequencies it goes on.
const TAKES: u32 = 6;
const TAKEN: u32 = (1 << TAKES) - 1;
const _: () = assert!(MOST * (LOOKUPS as u32 - 1) + LOOK <= 57 && MOST * LOOKUPS as u32 <= TAKEN);
/// Where the block ends before its last frequency; besides, the end counts as a frequency.
const ENDS: u32 = 256;
/// Beyond the end of any block.
const FAULT: u32 = 1 | 127 << TAKES;
/// Set in a sum of entries, once [`UP_TO_BEYOND`] is added, if it goes beyond the 63 frequencies of a block.
const BEYOND: u32 = 128 << TAKES;
const UP_TO_BEYOND: u32 = BEYOND - (65 << TAKES);
/// No fewer than an MCU has: three components of 4 x 4, and as many again as end in a stride.
const BLOCKS: usize = 64;
/// Bits from which on a second walker is worth it.
const LARGE: u32 = 1 << 18;
/// The second walker stops so many bits before the end, so that it reads nothing beyond.
const MARGIN: u32 = 128;
/// Bits that the first walker goes on before it looks whether they have met.
const PACE: u32 = 2_000;
/// Notes beyond those of the last block: of a stride that begins before it.
const SPARE: usize = 8;

/// Tables and what is known of the blocks of a photo.
pub(super) struct Path {
    /// One for each kind of rest of a block, and one for each kind of beginning.
    tables: Box<[u16; TABLES * ENTRIES]>,
    /// By block of an MCU, over and over: where the table for the rest of the block begins, and, 16 bits higher, where the
    /// one for the beginning of the next block does. In one number, since of two the compiler chooses the address, and the
    /// next lookup would wait for another load.
    ways: [u32; BLOCKS],
    /// Codes for the mean and for the other frequencies of each block of an MCU.
    codes: Vec<(Rc<Table>, Rc<Table>)>,
    /// Blocks of whole MCUs, [`LOOKUPS`] or more.
    cycle: u32,
}

#[derive(Clone, Copy)]
struct Walker {
    /// The bit that is next.
    at: u32,
    /// Where the table for it begins.
    table: u32,
    /// The frequency that is next; 0: the mean.
    k: u32,
    /// Blocks that have ended.
    blocks: u32,
    /// As many before the last stride.
    before: u32,
    /// The same of [`Path::cycle`].
    turn: u32,
    /// The last entry; 0: its code is in no table.
    entry: u32,
    /// See [`BEYOND`].
    faults: u32,
    /// The first block with a fault.
    first_fault: u32,
    /// There was none from this block on.
    sound: u32,
}

impl Walker {
    /// Whether it has to go on code by code.
    #[inline(always)]
    fn is_stuck(&self) -> bool {
        self.entry == 0 || self.faults & BEYOND != 0
    }
}

impl Path {
    /// For MCUs of blocks with such codes for the mean and for the other frequencies.
    #[inline(never)] // profiles find it by its name
    pub(super) fn new(codes: Vec<(Rc<Table>, Rc<Table>)>) -> Option<Self> {
        let count = codes.len();
        let mut tables: Box<[u16; TABLES * ENTRIES]> = vec![0; TABLES * ENTRIES].into_boxed_slice().try_into().ok()?;
        let mut free = tables.as_chunks_mut::<ENTRIES>().0.iter_mut().zip((0_u32..).step_by(ENTRIES));
        let mut made = Vec::new();
        let mut table_of = |dc: Option<&Rc<Table>>, ac: &Rc<Table>| {
            let key = (dc.map(Rc::as_ptr), Rc::as_ptr(ac));
            if let Some((_, begin)) = made.iter().find(|(made, _)| *made == key) {
                return Some(*begin);
            }
            let (table, begin) = free.next()?;
            fill(table, dc.map(|dc| &**dc), ac);
            made.push((key, begin));
            Some(begin)
        };
        let mut ways = [0; BLOCKS];
        for (n, (_, ac)) in codes.iter().enumerate() {
            let (dc_after, ac_after) = &codes[(n + 1) % count];
            let way = table_of(None, ac)? | table_of(Some(dc_after), ac_after)? << 16;
            ways.iter_mut().skip(n).step_by(count).for_each(|same| *same = way);
        }
        let cycle = (count * LOOKUPS.div_ceil(count)) as u32;
        Some(Self { tables, ways, codes, cycle })
    }

    /// The bits at which the first `mcus` MCUs' blocks begin; `restart` of them lie between two restart markers, 0: all.
    /// `None` for damage.
    #[inline(never)] // profiles find it by its name
    pub(super) fn walk(&self, flat: &Flat, mcus: usize, restart: usize) -> Option<Vec<u32>> {
        let total = mcus * self.codes.len();
        let mut begins = vec![0; total + SPARE];
        if restart == 0 {
            self.interval(flat, (0, flat.end()), total, &mut begins)?;
        } else {
            let step = restart * self.codes.len();
            let mut intervals = flat.intervals.windows(2);
            for done in (0..total).step_by(step) {
                let &[begin, end] = intervals.next()? else { return None };
                let count = step.min(total - done);
                self.interval(flat, (begin, end), count, &mut begins[done..done + count + SPARE])?;
                // Only a part of a byte may be left before a marker (E.1.4).
                (count < step || done + count == total || end - begins[done + count] < 8).then_some(())?;
            }
        }
        begins.truncate(total);
        Some(begins)
    }

    /// Notes where blocks of an interval begin, and where the last of `count` ends.
    fn interval(&self, flat: &Flat, (begin, end): (u32, u32), count: usize, notes: &mut [u32]) -> Option<()> {
        let mut walker = self.start(begin);
        notes[0] = begin;
        if end - begin >= LARGE {
            walker = self.two(flat, walker, end, notes);
        }
        self.alone(flat, &mut walker, end, notes);
        let count_32 = count as u32;
        (walker.blocks >= count_32 && walker.first_fault >= count_32 && notes[count] <= end).then_some(())
    }

    /// Walks from both ends of the first half, and says who is to go on: near the end if they have met.
    fn two(&self, flat: &Flat, mut first: Walker, end: u32, notes: &mut [u32]) -> Walker {
        let middle = (first.at + (end - first.at) / 2) & !7;
        let mut second = self.start(middle);
        let mut others = vec![0; notes.len()];
        others[0] = middle;
        let until = [middle, end - MARGIN];
        loop {
            self.together(flat, [&mut first, &mut second], until, [notes, &mut others]);
            if !(self.settle(flat, &mut first, notes) | self.settle(flat, &mut second, &mut others)) {
                break;
            }
        }
        self.alone(flat, &mut first, until[0], notes);
        self.alone(flat, &mut second, until[1], &mut others);
        let (mut here, mut there) = (0, second.sound as usize);
        while first.at < end {
            let others = &others[..=second.blocks as usize];
            for place in here..=first.blocks as usize {
                there += others[there..].iter().take_while(|other| **other < notes[place]).count();
                if others.get(there) == Some(&notes[place]) && place % self.codes.len() == there % self.codes.len() {
                    let count = (others.len() - there).min(notes.len() - place);
                    notes[place..place + count].copy_from_slice(&others[there..there + count]);
                    let blocks = (place + count - 1) as u32;
                    return Walker { blocks, turn: blocks % self.cycle, first_fault: first.first_fault, ..second };
                }
            }
            here = first.blocks as usize;
            let (at, until) = (first.at, end.min(first.at + PACE));
            self.alone(flat, &mut first, until, notes);
            if first.at == at {
                break;
            }
        }
        first
    }

    fn start(&self, at: u32) -> Walker {
        let table = self.ways[self.codes.len() - 1] >> 16;
        Walker { at, table, k: 0, blocks: 0, before: 0, turn: 0, entry: 1, faults: 0, first_fault: u32::MAX, sound: 0 }
    }

    /// Goes on until one of them has come so far, has no room for notes or is stuck.
    #[inline(never)]
    fn together(&self, flat: &Flat, walkers: [&mut Walker; 2], until: [u32; 2], notes: [&mut [u32]; 2]) {
        let [first, second] = walkers;
        let [first_notes, second_notes] = notes;
        // Copies stay in registers.
        let (mut one, mut other) = (*first, *second);
        while one.at < until[0] && other.at < until[1] {
            let (Some(window), Some(other_window)) = (flat.window(one.at), flat.window(other.at)) else { break };
            let Some(out) = room(first_notes, one.blocks) else { break };
            let Some(other_out) = room(second_notes, other.blocks) else { break };
            self.stride(&mut one, window, out);
            self.stride(&mut other, other_window, other_out);
            if one.is_stuck() || other.is_stuck() {
                break;
            }
        }
        (*first, *second) = (one, other);
    }

    /// Goes on until the walker has come so far or has no room for notes.
    #[inline(never)]
    fn alone(&self, flat: &Flat, walker: &mut Walker, until: u32, notes: &mut [u32]) {
        loop {
            let mut one = *walker;
            while one.at < until
                && let (Some(window), Some(out)) = (flat.window(one.at), room(notes, one.blocks))
            {
                self.stride(&mut one, window, out);
                if one.is_stuck() {
                    break;
                }
            }
            *walker = one;
            if !self.settle(flat, walker, notes) {
                return;
            }
        }
    }

    /// [`LOOKUPS`] lookups; `out` is where the ends of the blocks go that end.
    #[inline(always)]
    fn stride(&self, walker: &mut Walker, mut window: u64, out: &mut [u32; LOOKUPS + 1]) {
        let (mut table, mut sum, mut ended, mut entry) = (walker.table, walker.k << TAKES, 0, 0);
        for _ in 0..LOOKUPS {
            let place = (table & TABLE) | (window >> (64 - LOOK)) as u32;
            entry = u32::from(self.tables[place as usize]);
            window <<= entry & TAKEN;
            sum += entry;
            walker.faults |= sum + UP_TO_BEYOND;
            let taken = sum & TAKEN;
            out[ended as usize % (LOOKUPS + 1)] = walker.at + taken;
            let way = self.ways[(walker.turn + ended) as usize % BLOCKS];
            let ends = sum >= 64 << TAKES;
            sum = select_unpredictable(ends, taken, sum);
            table = select_unpredictable(ends, way >> 16, way);
            ended += u32::from(ends);
        }
        (walker.table, walker.k, walker.entry) = (table & TABLE, sum >> TAKES, entry);
        walker.at += sum & TAKEN;
        walker.before = walker.blocks;
        walker.blocks += ended;
        let turn = walker.turn + ended;
        walker.turn = select_unpredictable(turn < self.cycle, turn, turn.wrapping_sub(self.cycle));
    }

    /// Helps a walker on that is stuck, and says whether it was: its code is in no table, or an entry had codes of this
    /// block and of the next.
    #[cold]
    #[inline(never)]
    fn settle(&self, flat: &Flat, walker: &mut Walker, notes: &mut [u32]) -> bool {
        if !walker.is_stuck() {
            return false;
        }
        if walker.faults & BEYOND == 0 {
            self.step(flat, walker, notes);
        } else {
            let (before, blocks) = (walker.before, walker.blocks);
            *walker = Walker { at: notes[before as usize], k: 0, blocks: before, turn: before % self.cycle, ..*walker };
            while walker.blocks < blocks {
                self.step(flat, walker, notes);
            }
        }
        (walker.entry, walker.faults) = (1, 0);
        true
    }

    /// A single code.
    fn step(&self, flat: &Flat, walker: &mut Walker, notes: &mut [u32]) {
        let turn = walker.turn as usize;
        let (way, (dc, ac)) = (self.ways[turn], &self.codes[turn % self.codes.len()]);
        let table = if walker.k == 0 { dc } else { ac };
        let symbol = flat.window(walker.at).and_then(|window| table.next(window));
        walker.at += symbol.map_or(1, |symbol| symbol.takes);
        walker.k = match symbol {
            Some(_) if walker.k == 0 => 1,
            Some(Symbol { size: 0, run: 0, .. }) => 64,
            None | Some(Symbol { size: 0, run: 1..15, .. }) => 65,
            Some(symbol) => walker.k + symbol.run + 1,
        };
        walker.table = way & TABLE;
        if walker.k < 64 {
            return;
        }
        if walker.k > 64 {
            walker.first_fault = walker.first_fault.min(walker.blocks);
            walker.sound = walker.blocks + 1;
        }
        walker.blocks += 1;
        notes[walker.blocks as usize] = walker.at;
        (walker.k, walker.table, walker.turn) = (0, way >> 16, (walker.turn + 1) % self.cycle);
    }
}

/// Where the ends of the blocks after the first `blocks` are noted.
#[inline(always)]
fn room(notes: &mut [u32], blocks: u32) -> Option<&mut [u32; LOOKUPS + 1]> {
    notes.get_mut(blocks as usize + 1..)?.first_chunk_mut()
}

/// By the next bits: as many codes, with their values, as can be seen in them; those for the mean first, in a table for the
/// beginning of a block. 0 for other codes that cannot be seen.
fn fill(table: &mut [u16; ENTRIES], dc: Option<&Table>, ac: &Table) {
    let (dc, ac) = (dc.map(|dc| dc.seen(LOOK)), ac.seen(LOOK));
    for (bits, entry) in table.iter_mut().enumerate() {
        let (mut taken, mut advance) = (0, 0);
        if let Some(dc) = &dc {
            let (length, size) = (u32::from(dc[bits] >> 8), u32::from(dc[bits] & 15));
            (taken, advance) = (length + size, 1);
            if length == 0 || taken > MOST {
                // The block is read once more, code by code.
                *entry = FAULT as u16;
                continue;
            }
        }
        while taken < LOOK && advance < ENDS {
            let code = u32::from(ac[(bits << taken) % ENTRIES]);
            let (length, run, size) = (code >> 8, (code >> 4) & 15, code & 15);
            let takes = taken + length + size;
            let is_end = size == 0 && run < 15;
            let is_seen = length > 0 && taken + length <= LOOK && takes <= MOST;
            if !is_seen || (is_end && run > 0) || advance + run + 1 > 63 {
                break;
            }
            taken = takes;
            advance += if is_end { ENDS + 1 } else { run + 1 };
        }
        *entry = (taken | advance << TAKES) as u16;
    }
}

//! Huffman codes (T.81, annex C) as tables over the next bits.

use super::bits::Bits;

/// Most bits of a code with its value.
pub(super) const LONGEST: u32 = 16 + 15;
/// Bits that a table is asked with: with fewer, fewer codes are stepped over at once; with more, the tables leave the
/// processor's nearest cache.
const LOOK: u32 = 13;
const ENTRIES: usize = 1 << LOOK;
/// In an entry, the bits that it takes are the lowest five.
const TAKES: u32 = 5;
/// Added to the advance of an entry that ends its block.
const ENDS: u16 = 64;
/// Advance of an entry whose code does not fit.
const TOO_LONG: u16 = 127;

/// A code with the bits that follow it.
#[derive(Clone, Copy)]
pub(super) struct Symbol {
    /// Bits of code and value, 1 to 31.
    pub(super) takes: u32,
    /// Bits of the value, 0 to 15.
    pub(super) size: u32,
    /// Zeros before the value, 0 to 15.
    pub(super) run: u32,
}

/// The codes of one kind of number.
pub(super) struct Table {
    /// By the next bits: `takes | size << 5 | run << 9`; 0 where the code or its value is longer than [`LOOK`].
    single: Box<[u16; ENTRIES]>,
    /// By the next bits: bits of as many codes, with their values, as fit, and `advance << 5` in the block.
    several: Box<[u16; ENTRIES]>,
    /// For each length from 1 to 16: the first code, left-aligned in 16 bits, that is longer; how far codes are shifted
    /// to be so aligned; and what is added to a code for the place of its symbol (the inverse of C.2).
    lengths: [(u32, u32, i32); 16],
    symbols: Vec<u8>,
}

impl Table {
    /// Codes of blocks' means: the symbol is the size of the value, at most 11 (F.1.2.1).
    pub(super) fn dc(codes: &[u8]) -> Option<Self> {
        let table = Self::new(codes)?;
        table.symbols.iter().all(|symbol| *symbol <= 11).then_some(table)
    }

    /// Codes of other frequencies: the symbol is run and size (F.1.2.2).
    pub(super) fn ac(codes: &[u8]) -> Option<Self> {
        let mut table = Self::new(codes)?;
        table.join();
        Some(table)
    }

    /// `codes`: how many codes there are of each length from 1 to 16, then the symbols.
    fn new(codes: &[u8]) -> Option<Self> {
        let (counts, symbols) = codes.split_first_chunk::<16>()?;
        let mut table = Self {
            single: vec![0; ENTRIES].into_boxed_slice().try_into().ok()?,
            several: vec![0; ENTRIES].into_boxed_slice().try_into().ok()?,
            lengths: [(0, 0, 0); 16],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut first) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            let end = code + (u32::from(count) << (16 - length));
            if end > 1 << 16 {
                return None;
            }
            let of_length = symbols.get(first..first + usize::from(count))?;
            table.lengths[length as usize - 1] = (end, 16 - length, first as i32 - (code >> (16 - length)) as i32);
            for (n, &symbol) in (0_u32..).zip(of_length) {
                let takes = length + u32::from(symbol & 15);
                if takes <= LOOK {
                    let entry = takes as u16 | u16::from(symbol & 15) << TAKES | u16::from(symbol >> 4) << 9;
                    let begin = ((code + (n << (16 - length))) >> (16 - LOOK)) as usize;
                    table.single[begin..begin + (1 << (LOOK - length))].fill(entry);
                }
            }
            code = end;
            first += usize::from(count);
        }
        Some(table)
    }

    /// Fills [`Self::several`] from [`Self::single`].
    fn join(&mut self) {
        for (bits, entry) in (0_usize..).zip(self.several.iter_mut()) {
            let (mut taken, mut advance) = (0, 0);
            loop {
                let next = self.single[(bits << taken) % ENTRIES];
                let (takes, size, run) = (next & 31, (next >> TAKES) & 15, next >> 9);
                let is_end = size == 0 && run < 15;
                // A run that ends a block before its time is no baseline code: single steps find it out.
                if next == 0 || taken + takes > LOOK as u16 || (is_end && run != 0) || advance + run + 1 > 62 {
                    break;
                }
                taken += takes;
                if is_end {
                    advance += ENDS;
                    break;
                }
                advance += run + 1;
            }
            *entry = if taken == 0 { TOO_LONG << TAKES } else { taken | advance << TAKES };
        }
    }

    /// The next code; at least [`LONGEST`] bits must count. `None`: there is no such code.
    #[inline(always)]
    pub(super) fn next(&self, bits: &Bits) -> Option<Symbol> {
        let entry = u32::from(self.single[(bits.window >> (64 - LOOK)) as usize]);
        if entry == 0 {
            return self.next_long(bits.window);
        }
        Some(Symbol { takes: entry & 31, size: (entry >> TAKES) & 15, run: entry >> 9 })
    }

    #[cold]
    #[inline(never)]
    fn next_long(&self, window: u64) -> Option<Symbol> {
        let next = (window >> 48) as u32;
        let (&(_, shift, offset), length) = self.lengths.iter().zip(1_u32..).find(|((end, ..), _)| next < *end)?;
        let symbol = *self.symbols.get(usize::try_from((next >> shift) as i32 + offset).ok()?)?;
        let size = u32::from(symbol & 15);
        Some(Symbol { takes: length + size, size, run: u32::from(symbol >> 4) })
    }

    /// Steps over the rest of a block, from the frequency `k` (1 to 63, in zigzag order) on.
    #[inline(always)]
    pub(super) fn skip_block(&self, bits: &mut Bits, mut k: u32) -> Option<()> {
        loop {
            while bits.count >= LOOK {
                let entry = u32::from(self.several[(bits.window >> (64 - LOOK)) as usize]);
                let (takes, advance) = (entry & 31, entry >> TAKES);
                let next = k + advance;
                if next < 64 {
                    bits.skip(takes);
                    k = next;
                    continue;
                }
                // The block ends with these codes, if they are all its own.
                let ends = advance >= u32::from(ENDS) && advance < u32::from(TOO_LONG) && next < 128;
                if ends || next == 64 {
                    bits.skip(takes);
                    return Some(());
                }
                (*bits, k) = self.skip_one(*bits, k)?;
                if k == 64 {
                    return Some(());
                }
            }
            bits.fill();
        }
    }

    /// Steps over one code, and says at which frequency the next one is; 64 after the last.
    #[cold]
    #[inline(never)]
    fn skip_one<'a>(&self, mut bits: Bits<'a>, k: u32) -> Option<(Bits<'a>, u32)> {
        bits.fill();
        let symbol = self.next(&bits)?;
        bits.skip(symbol.takes);
        match (symbol.run, symbol.size) {
            (0, 0) => Some((bits, 64)),
            (..15, 0) => None,
            (run, _) => Some((bits, k + run + 1)).filter(|(_, k)| *k <= 64),
        }
    }
}

/// A value from its bits (F.2.2.1, EXTEND): `raw` has `size` bits, 1 to 15.
#[inline(always)]
pub(super) fn extend(raw: u32, size: u32) -> i32 {
    let negative = raw < 1 << (size - 1);
    raw as i32 - if negative { (1 << size) - 1 } else { 0 }
}

//! Huffman codes (T.81, annex C) as tables over the next bits.

/// Bits that a table is asked with; longer codes are rare.
const LOOK: u32 = 13;
const ENTRIES: usize = 1 << LOOK;
/// In an entry, the bits that it takes are the lowest five.
const TAKES: u32 = 5;

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

    /// Codes of other frequencies, whose symbols are run and size (F.1.2.2). `codes`: how many codes there are of each length
    /// from 1 to 16, then the symbols.
    pub(super) fn new(codes: &[u8]) -> Option<Self> {
        let (counts, symbols) = codes.split_first_chunk::<16>()?;
        let mut table = Self {
            single: vec![0; ENTRIES].into_boxed_slice().try_into().ok()?,
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

    /// The next code, from the next bits, of which 31 or more have to be there. `None`: there is no such code.
    #[inline(always)]
    pub(super) fn next(&self, window: u64) -> Option<Symbol> {
        let entry = u32::from(self.single[(window >> (64 - LOOK)) as usize]);
        if entry == 0 {
            return self.next_long(window);
        }
        Some(Symbol { takes: entry & 31, size: (entry >> TAKES) & 15, run: entry >> 9 })
    }

    /// By the next `look` bits (1 to 16): `length << 8 | symbol` of the code; 0 where it is longer, or there is none.
    pub(super) fn seen(&self, look: u32) -> Vec<u16> {
        let mut seen = vec![0; 1 << look];
        let (mut code, mut first) = (0, 0);
        for (&(end, shift, _), length) in self.lengths.iter().zip(1..=look as u16) {
            let count = ((end - code) >> shift) as usize;
            for symbol in &self.symbols[first..first + count] {
                let next = code + (1 << shift);
                seen[(code >> (16 - look)) as usize..(next >> (16 - look)) as usize]
                    .fill(length << 8 | u16::from(*symbol));
                code = next;
            }
            first += count;
        }
        seen
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
}

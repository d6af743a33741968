//! The bits of entropy-coded data, without the zero bytes that are stuffed after 0xff (T.81, F.1.2.3).

/// Reads bits from the highest on.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, from the top. Below [`Self::count`] bits there may be more of the next bytes, or zeros.
    pub(super) window: u64,
    /// Bits that count, 0 to 64.
    pub(super) count: u32,
    /// How many of them were made up because the data had ended.
    made_up: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, window: 0, count: 0, made_up: 0 }
    }

    /// Afterwards 56 bits or more count. Where the data ends, or a marker stands, zeros follow.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        if let Some(next) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_be_bytes(*next);
            if !has_ff(word) {
                self.window |= word >> self.count;
                self.at += ((63 - self.count) >> 3) as usize;
                self.count |= 56;
                return;
            }
        }
        *self = self.fill_slowly();
    }

    // By value, here and in whatever else is not inlined: the reader then stays in registers.
    #[cold]
    #[inline(never)]
    fn fill_slowly(mut self) -> Self {
        while self.count < 56 {
            let (byte, step, made_up) = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xff), Some(0)) => (0xff, 2, 0),
                (Some(0xff), _) | (None, _) => (0, 0, 8),
                (Some(byte), _) => (*byte, 1, 0),
            };
            self.window |= u64::from(byte) << (56 - self.count);
            self.at += step;
            self.made_up += made_up;
            self.count += 8;
        }
        self
    }

    /// Steps over bits, as many as count or fewer.
    #[inline(always)]
    pub(super) fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.count -= bits;
    }

    /// Whether more was read than there is.
    pub(super) fn is_beyond(&self) -> bool {
        self.made_up > self.count
    }

    /// Goes on after a restart marker, which must stand next (E.2.4).
    pub(super) fn restart(&mut self) -> Option<()> {
        // Only a part of a byte may be left before the marker.
        if self.is_beyond() || self.count - self.made_up > 7 {
            return None;
        }
        match self.bytes.get(self.at..self.at + 2)? {
            [0xff, 0xd0..=0xd7] => *self = Self::new(self.bytes, self.at + 2),
            _ => return None,
        }
        Some(())
    }
}

/// Whether a byte of the word is 0xff.
#[inline(always)]
fn has_ff(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    // A byte of the complement is 0: Hacker's Delight, 6-1.
    (!word).wrapping_sub(ONES) & word & (ONES << 7) != 0
}

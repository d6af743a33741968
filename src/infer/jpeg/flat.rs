//! Entropy-coded data without the zero bytes that are stuffed after 0xff (T.81, F.1.2.3), so that nobody who reads it has to
//! look for them.

/// The data of all intervals between restart markers, one after another.
pub(super) struct Flat {
    /// With the padding.
    bytes: Vec<u8>,
    /// The bits at which intervals begin, and at which the last ends.
    pub(super) intervals: Vec<u32>,
}

/// Zeros, so that a window can be had from wherever the data have not ended.
const PADDING: usize = 16;
/// Bytes that are copied at once.
const STEP: usize = 32;

impl Flat {
    /// The data from `at` on, as far as the end or a marker; of restart markers (E.1.4) only if there `may_be` any. `None`
    /// from 256 MiB on.
    #[inline(never)] // profiles find it by its name
    pub(super) fn new(bytes: &[u8], at: usize, may_be: bool) -> Option<Self> {
        let data = bytes.get(at..).filter(|data| data.len() < 1 << 28)?;
        let mut flat = vec![0; data.len() + STEP + PADDING];
        let mut intervals = vec![0];
        let (mut from, mut to) = (0, 0);
        while from < data.len() {
            let step = copy(&data[from..], &mut flat[to..]);
            (from, to) = (from + step, to + step);
            match data.get(from..) {
                Some([0xff, 0, ..]) => flat[to] = 0xff,
                Some([0xff, 0xd0..=0xd7, ..]) if may_be => intervals.push(8 * to as u32),
                Some([0xff, ..]) => break,
                _ => continue,
            }
            to += usize::from(data[from + 1] == 0);
            from += 2;
        }
        intervals.push(8 * to as u32);
        flat.truncate(to);
        flat.resize(to + PADDING, 0);
        Some(Self { bytes: flat, intervals })
    }

    /// The bit at which the data end.
    pub(super) fn end(&self) -> u32 {
        self.intervals.last().copied().unwrap_or(0)
    }

    /// The bits from the one at `at` on, 57 or more of them; `None` far beyond the end.
    #[inline(always)]
    pub(super) fn window(&self, at: u32) -> Option<u64> {
        let next = self.bytes.get(at as usize >> 3..)?.first_chunk()?;
        Some(u64::from_be_bytes(*next) << (at & 7))
    }
}

/// Copies bytes before the next 0xff, at most [`STEP`], and says how many. What is written behind them does not count.
#[inline(always)]
fn copy(data: &[u8], flat: &mut [u8]) -> usize {
    let is_ff = |byte: &u8| *byte == 0xff;
    if let (Some(step), Some(out)) = (data.first_chunk::<STEP>(), flat.first_chunk_mut::<STEP>()) {
        *out = *step;
        // All at once, which vectors do well.
        return if step.iter().fold(false, |any, byte| any | is_ff(byte)) {
            step.iter().position(is_ff).unwrap_or(STEP)
        } else {
            STEP
        };
    }
    let count = data.iter().position(is_ff).unwrap_or(data.len());
    flat[..count].copy_from_slice(&data[..count]);
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn plainly(data: &[u8], may_be: bool) -> (Vec<u8>, Vec<u32>) {
        let (mut flat, mut intervals, mut at) = (Vec::new(), vec![0], 0);
        while at < data.len() {
            match (data[at], data.get(at + 1)) {
                (0xff, Some(0)) => (flat.push(0xff), at += 2).0,
                (0xff, Some(0xd0..=0xd7)) if may_be => (intervals.push(8 * flat.len() as u32), at += 2).0,
                (0xff, _) => break,
                (byte, _) => (flat.push(byte), at += 1).0,
            }
        }
        intervals.push(8 * flat.len() as u32);
        (flat, intervals)
    }

    proptest! {
        #[test]
        fn stuffed_bytes_and_markers_are_gone(
            data in prop::collection::vec(prop::sample::select(&[0, 1, 7, 0xd0, 0xd7, 0xd9, 0xff][..]), 0..40),
            plain in prop::collection::vec(0..0xff_u8, 0..200), may_be: bool, at in 0_usize..3,
        ) {
            let bytes = [&plain[..], &data, &plain, &[0xff, 0], &plain, &[0xff, 0xd3], &plain].concat();
            let found = Flat::new(&bytes, at, may_be);
            prop_assert_eq!(found.is_none(), at > bytes.len());
            let Some(found) = found else { return Ok(()) };
            let (flat, intervals) = plainly(&bytes[at..], may_be);
            prop_assert_eq!(found.end() as usize, 8 * flat.len());
            prop_assert_eq!(&found.bytes[..flat.len()], &flat[..]);
            prop_assert_eq!(&found.bytes[flat.len()..], [0; PADDING]);
            prop_assert_eq!(found.intervals, intervals);
        }
    }
}

//! Numbers as people read them on a phone.

use std::time::Duration;

use crate::domain::imagery::Micros;

/// Longest words under a picture, in UTF-16 units: Telegram takes 1,024, and a line may come above.
pub(super) const CAPTION: usize = 950;
/// Cells of a bar.
const CELLS: usize = 10;
/// As wide as a digit, so that percentages stand in line in proportional fonts.
const FIGURE_SPACE: char = '\u{2007}';

/// The first of these words that fits under a picture; the last, cut, where none does.
pub(super) fn fitting(candidates: impl IntoIterator<Item = String>) -> String {
    let mut last = String::new();
    for words in candidates {
        if words.encode_utf16().count() <= CAPTION {
            return words;
        }
        last = words;
    }
    let mut left = CAPTION;
    let fits = |letter: &char| {
        let units = letter.len_utf16();
        let room = left >= units;
        left = left.saturating_sub(units);
        room
    };
    last.chars().take_while(fits).collect()
}

/// A share of 0 to 1 in whole per cent; never claims more certainty than there is.
pub(super) fn percent(share: f32) -> String {
    let rounded = (share * 100.0).round();
    if share > 0.0 && rounded < 1.0 {
        "<1%".to_owned()
    } else if share < 1.0 && rounded > 99.0 {
        ">99%".to_owned()
    } else {
        format!("{rounded:.0}%")
    }
}

/// A share of 0 to 1 in per cent with one decimal, for figures of merit.
pub(super) fn percent_1(share: f32) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A percentage as wide as `<1%` and `62%` are.
pub(super) fn padded(percent: &str) -> String {
    let missing = 3_usize.saturating_sub(percent.chars().count());
    std::iter::repeat_n(FIGURE_SPACE, missing).chain(percent.chars()).collect()
}

/// A bar of ten cells, for a share of 0 to 1.
pub(super) fn bar(share: f32) -> String {
    let full = (share * CELLS as f32).round() as usize;
    (0..CELLS).map(|cell| if cell < full { '▰' } else { '▱' }).collect()
}

/// Bytes in units of 2^20, one decimal, rounded down: what a limit promises.
pub(super) fn megabytes_floor(bytes: usize) -> String {
    tenths((bytes as u64 * 10) >> 20)
}

/// Bytes in units of 2^20, one decimal, rounded up: a file beyond a limit never looks as large as the limit.
pub(super) fn megabytes_ceil(bytes: usize) -> String {
    tenths((bytes as u64 * 10).div_ceil(1 << 20))
}

/// Pixels in millions, one decimal, rounded down.
pub(super) fn megapixels(pixels: u64) -> String {
    tenths(pixels / 100_000)
}

/// Whole seconds, rounded up, at least 1: nobody is asked to come back too early.
pub(super) fn seconds(wait: Duration) -> String {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1).to_string()
}

/// A count with commas: `12,345`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let comma = |index: usize| (index > 0 && (digits.len() - index).is_multiple_of(3)).then_some(',');
    digits.char_indices().flat_map(|(index, digit)| comma(index).into_iter().chain([digit])).collect()
}

/// Money in hundredths, rounded up, so that nothing looks cheaper than it is: `1,234.50 USD`.
pub(super) fn money(amount: Micros, currency: &str) -> String {
    let hundredths = amount.0.max(0).unsigned_abs().div_ceil(10_000);
    format!("{}.{:02} {currency}", count(hundredths / 100), hundredths % 100)
}

/// Room on a disk in units of 10^6 or 10^9 bytes, rounded up.
pub(super) fn storage(bytes: u64) -> String {
    match bytes.div_ceil(1_000_000) {
        megabytes @ 0..1_000 => format!("{megabytes} MB"),
        megabytes => format!("{} GB", tenths(megabytes.div_ceil(100))),
    }
}

fn tenths(tenths: u64) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentages_do_not_overclaim() {
        let shown = [0.0, 0.004, 0.005, 0.62, 0.994, 0.996, 1.0].map(percent);
        assert_eq!(shown, ["0%", "<1%", "1%", "62%", "99%", ">99%", "100%"]);
    }

    #[test]
    fn bars_and_columns() {
        assert_eq!(bar(0.62), "▰▰▰▰▰▰▱▱▱▱");
        assert_eq!(bar(0.04), "▱▱▱▱▱▱▱▱▱▱", "a full cell would look like 10%");
        assert_eq!(bar(1.0), "▰▰▰▰▰▰▰▰▰▰");
        assert_eq!(padded("8%"), "\u{2007}8%");
        assert_eq!(padded(">99%"), ">99%");
    }

    #[test]
    fn sizes() {
        assert_eq!(megabytes_floor(20 << 20), "20");
        assert_eq!(megabytes_ceil((20 << 20) + 1), "20.1");
        assert_eq!(megapixels(16_000_000), "16");
        assert_eq!(megapixels(2_560_000), "2.5");
        assert_eq!(seconds(Duration::from_millis(1_001)), "2");
        assert_eq!(seconds(Duration::ZERO), "1");
    }

    #[test]
    fn plans_are_never_rounded_down() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        let shown = [0, 7_000, 2_240_000, 1_234_567_000_001].map(|micros| money(Micros(micros), "USD"));
        assert_eq!(shown, ["0.00 USD", "0.01 USD", "2.24 USD", "1,234,567.01 USD"]);
        let shown = [0, 1, 86_000_000, 999_000_001, 1_300_000_000].map(storage);
        assert_eq!(shown, ["0 MB", "1 MB", "86 MB", "1 GB", "1.3 GB"]);
    }

    proptest! {
        #[test]
        fn a_bar_has_ten_cells(share in 0.0..=1.0_f32) {
            prop_assert_eq!(bar(share).chars().count(), CELLS);
        }
    }
}

//! Which part of the data a place belongs to.

use std::str::FromStr;

/// A part of the data. Splits are by place (town), never by photo, so that a model is judged on
/// streets that it has not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// Fits the weights.
    Train,
    /// Fits temperature and abstention threshold, and chooses the checkpoint.
    Validation,
    /// Judges the model, once.
    Test,
    /// Feeds the quiz.
    Quiz,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 4] = [Self::Train, Self::Validation, Self::Test, Self::Quiz];

    /// The split of a place: 70 % train, 10 % each for the others, by a hash of area and town, so that it
    /// never changes when places are added.
    #[must_use]
    pub fn of_place(area: &str, town: &str) -> Self {
        match fnv1a(area, town) % 10 {
            0..=6 => Self::Train,
            7 => Self::Validation,
            8 => Self::Test,
            _ => Self::Quiz,
        }
    }

    /// Lower-case name, as in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Quiz => "quiz",
        }
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|split| split.name() == s);
        found.ok_or_else(|| format!("`{s}` is no split: choose train, validation, test or quiz"))
    }
}

/// FNV-1a, 64 bits, with a final avalanche, since its low bits alone are uneven on short names
/// (Fowler, Noll, Vo; avalanche of MurmurHash3's fmix64).
fn fnv1a(area: &str, town: &str) -> u64 {
    let bytes = area.bytes().chain([0]).chain(town.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3_u64));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_about_seven_to_one() {
        let mut count = [0_u32; 4];
        for i in 0..10_000 {
            count[Split::of_place("東京都港区", &format!("赤坂{i}丁目")) as usize] += 1;
        }
        assert!((6_800..7_200).contains(&count[0]), "{count:?}");
        assert!(count[1..].iter().all(|c| (900..1_100).contains(c)), "{count:?}");
    }

    #[test]
    fn a_place_keeps_its_split() {
        // Changing these would move photos that a model was trained on into the test split.
        let split = |town| Split::of_place("東京都港区", town).name();
        insta::assert_snapshot!(format!(
            "{} {} {} {}",
            split("赤坂一丁目"),
            split("芝公園四丁目"),
            split("六本木六丁目"),
            split("台場一丁目")
        ),);
    }

    #[test]
    fn names_round_trip() {
        for split in Split::ALL {
            assert_eq!(split.name().parse(), Ok(split));
        }
        assert!("training".parse::<Split>().is_err());
    }
}

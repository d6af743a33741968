//! What there is, in numbers: pictures by area, town, month and split.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::Split;
use crate::store::ImageSum;

/// The whole dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Pictures.
    pub images: u64,
    /// Their files together, bytes.
    pub bytes: u64,
    /// Pictures by split.
    pub splits: BTreeMap<&'static str, u64>,
    /// Pictures by month of capture, `2024-05`; `unknown` when the source does not say.
    pub months: BTreeMap<String, u64>,
    /// The areas, by their names.
    pub areas: Vec<AreaStats>,
}

/// An area.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AreaStats {
    /// Full Japanese name.
    pub area: String,
    /// Pictures.
    pub images: u64,
    /// Their files together, bytes.
    pub bytes: u64,
    /// Pictures by split.
    pub splits: BTreeMap<&'static str, u64>,
    /// Pictures by month of capture.
    pub months: BTreeMap<String, u64>,
    /// The towns, by their names.
    pub towns: Vec<TownStats>,
}

/// A town.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TownStats {
    /// Its name; empty where the area is not divided.
    pub town: String,
    /// Its split.
    pub split: &'static str,
    /// Pictures.
    pub images: u64,
}

impl Stats {
    /// Adds up sums that are sorted by area and town.
    #[must_use]
    pub fn new(sums: &[ImageSum]) -> Self {
        let mut stats = Self { splits: no_pictures(), ..Self::default() };
        for sum in sums {
            if stats.areas.last().is_none_or(|last| last.area != sum.place.area) {
                let area = sum.place.area.clone();
                stats.areas.push(AreaStats { area, splits: no_pictures(), ..AreaStats::default() });
            }
            stats.add(sum);
        }
        stats
    }

    fn add(&mut self, sum: &ImageSum) {
        let month = if sum.month.is_empty() { "unknown" } else { &sum.month };
        let Some(area) = self.areas.last_mut() else { return };
        for (images, bytes) in [(&mut self.images, &mut self.bytes), (&mut area.images, &mut area.bytes)] {
            *images += sum.images;
            *bytes += sum.bytes;
        }
        for (splits, months) in [(&mut self.splits, &mut self.months), (&mut area.splits, &mut area.months)] {
            *splits.entry(sum.split.name()).or_default() += sum.images;
            *months.entry(month.to_owned()).or_default() += sum.images;
        }
        match area.towns.last_mut().filter(|last| last.town == sum.place.town) {
            Some(town) => town.images += sum.images,
            None => {
                area.towns.push(TownStats { town: sum.place.town.clone(), split: sum.split.name(), images: sum.images })
            }
        }
    }
}

/// Every split, so that an empty one is seen.
fn no_pictures() -> BTreeMap<&'static str, u64> {
    Split::ALL.map(|split| (split.name(), 0)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;

    #[test]
    fn everything_is_counted_once() {
        let sum = |area: &str, town: &str, split, month: &str, images| ImageSum {
            place: Place { area: area.to_owned(), town: town.to_owned() },
            split,
            month: month.to_owned(),
            images,
            bytes: images * 100,
        };
        let stats = Stats::new(&[
            sum("東京都港区", "三田", Split::Train, "", 1),
            sum("東京都港区", "三田", Split::Train, "2024-05", 2),
            sum("東京都港区", "芝", Split::Quiz, "2024-05", 4),
            sum("東京都渋谷区", "三田", Split::Train, "2024-06", 8),
        ]);
        insta::assert_json_snapshot!(stats);
        assert_eq!(Stats::new(&[]).images, 0);
    }
}

//! No drive dominates: a car that photographs every second fills a street, and a model would learn its windscreen.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::collect::offer::Offer;
use crate::domain::Coordinate;

/// Most images of one drive in a run.
const MOST: u32 = 10;

/// How many images of each drive were taken in this run.
#[derive(Default)]
pub(super) struct Drives(Mutex<HashMap<String, u32>>);

impl Drives {
    /// The offer nearest to `at` of each drive, least used drives first, then by distance. An image without a drive
    /// is one of its own.
    pub(super) fn choose(&self, offers: Vec<Offer>, at: Coordinate) -> Vec<Offer> {
        let mut ranked: Vec<(u32, f64, Offer)> = {
            let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let used = |offer: &Offer| offer.drive.as_ref().and_then(|drive| taken.get(drive)).copied().unwrap_or(0);
            let ranked = offers.into_iter().map(|offer| (used(&offer), offer.sighting.position.distance_m(at), offer));
            ranked.filter(|(used, _, _)| *used < MOST).collect()
        };
        ranked.sort_by(|(a_used, a_far, a), (b_used, b_far, b)| {
            a_used.cmp(b_used).then(a_far.total_cmp(b_far)).then_with(|| a.sighting.id.cmp(&b.sighting.id))
        });
        let mut seen = std::collections::HashSet::new();
        let first = |offer: &Offer| offer.drive.as_ref().is_none_or(|drive| seen.insert(drive.clone()));
        ranked.into_iter().map(|(_, _, offer)| offer).filter(first).collect()
    }

    /// Counts an image.
    pub(super) fn took(&self, offer: &Offer) {
        if let Some(drive) = &offer.drive {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(drive.clone()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::imagery::{Sighting, Source};

    const HERE: Coordinate = Coordinate { lat: 35.0, lng: 139.0 };

    fn offer(id: &str, east_m: f64, drive: Option<&str>) -> Offer {
        let sighting = Sighting {
            source: Source::Mapillary,
            id: id.to_owned(),
            position: HERE.offset_m(east_m, 0.0),
            captured: None,
            heading: None,
            attribution: String::new(),
            licence: String::new(),
            link: None,
        };
        Offer { sighting, drive: drive.map(str::to_owned), file: None }
    }

    #[test]
    fn each_drive_offers_its_nearest_and_used_ones_come_later() {
        let drives = Drives::default();
        let all = || {
            let of = [
                ("1", 9.0, Some("a")),
                ("2", 5.0, Some("a")),
                ("3", 7.0, Some("b")),
                ("4", 8.0, None),
                ("5", 20.0, None),
            ];
            of.map(|(id, east, drive)| offer(id, east, drive)).to_vec()
        };
        let ids = || drives.choose(all(), HERE).into_iter().map(|offer| offer.sighting.id).collect::<Vec<_>>().concat();
        assert_eq!(ids(), "2345");
        drives.took(&offer("2", 5.0, Some("a")));
        assert_eq!(ids(), "3452");
        for _ in 0..MOST {
            drives.took(&offer("2", 5.0, Some("a")));
        }
        assert_eq!(ids(), "345");
    }
}

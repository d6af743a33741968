//! Boxes that searches take.

use std::fmt;

use crate::domain::Coordinate;

/// Longest side of a box, degrees; the service refuses larger ones.
const LONGEST_SIDE: f64 = 0.009_9;
/// A box with a shorter side is not split any more: about 3 m.
const SHORTEST_SIDE: f64 = 0.000_03;

/// A box between two corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Area {
    /// The box around a circle, cut where the service would not take it whole.
    pub(super) fn around(at: Coordinate, radius_m: f64) -> Self {
        let (low, high) = (at.offset_m(-radius_m, -radius_m), at.offset_m(radius_m, radius_m));
        let half = LONGEST_SIDE / 2.0;
        let (half_lng, half_lat) = (half.min((high.lng - low.lng) / 2.0), half.min((high.lat - low.lat) / 2.0));
        Self { west: at.lng - half_lng, south: at.lat - half_lat, east: at.lng + half_lng, north: at.lat + half_lat }
    }

    /// Its four quarters; `None` when it is small.
    pub(super) fn quarters(&self) -> Option<[Self; 4]> {
        let Self { west, south, east, north } = *self;
        if (east - west).min(north - south) < SHORTEST_SIDE {
            return None;
        }
        let (lng, lat) = (f64::midpoint(west, east), f64::midpoint(south, north));
        Some([
            Self { east: lng, north: lat, ..*self },
            Self { west: lng, north: lat, ..*self },
            Self { east: lng, south: lat, ..*self },
            Self { west: lng, south: lat, ..*self },
        ])
    }
}

impl fmt::Display for Area {
    /// `minLon,minLat,maxLon,maxLat`, to a centimetre.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { west, south, east, north } = self;
        write!(f, "{west:.7},{south:.7},{east:.7},{north:.7}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_box_holds_its_circle() {
        let tower = Coordinate { lat: 35.6586, lng: 139.7454 };
        assert_eq!(Area::around(tower, 50.0).to_string(), "139.7448466,35.6581503,139.7459534,35.6590497");
    }

    proptest! {
        #[test]
        fn no_box_is_too_large(lat in -84.0..84.0_f64, lng in -179.0..179.0_f64, radius in 1.0..5_000.0_f64) {
            let area = Area::around(Coordinate { lat, lng }, radius);
            prop_assert!(area.east - area.west < 0.01 && area.north - area.south < 0.01, "{area}");
            prop_assert!(area.west < lng && lng < area.east && area.south < lat && lat < area.north, "{area}");
        }

        #[test]
        fn splitting_ends_and_loses_nothing(radius in 1.0..500.0_f64) {
            let whole = Area::around(Coordinate { lat: 35.0, lng: 139.0 }, radius);
            let (mut area, mut splits) = (whole, 0);
            while let Some(quarters) = area.quarters() {
                let size = |area: &Area| (area.east - area.west) * (area.north - area.south);
                let sum: f64 = quarters.iter().map(size).sum();
                prop_assert!((sum - size(&area)).abs() < 1e-6 * size(&area));
                area = quarters[splits % 4];
                splits += 1;
            }
            prop_assert!(splits <= 9, "{splits}");
        }
    }
}

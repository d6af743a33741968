//! Positions on the Earth.

use serde::{Deserialize, Serialize};

/// Mean Earth radius in metres (IUGG mean radius R1).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A WGS 84 position in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coordinate {
    /// Latitude in degrees, -90 to 90, north positive.
    pub lat: f64,
    /// Longitude in degrees, -180 to 180, east positive.
    pub lng: f64,
}

impl Coordinate {
    /// A position, or `None` when a value is not finite or lies outside its range.
    ///
    /// ```
    /// use kokodoko::domain::Coordinate;
    /// assert!(Coordinate::new(35.658, 139.745).is_some());
    /// assert!(Coordinate::new(139.745, 35.658).is_none(), "swapped");
    /// ```
    #[must_use]
    pub fn new(lat: f64, lng: f64) -> Option<Self> {
        let valid = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lng);
        valid.then_some(Self { lat, lng })
    }

    /// Great-circle distance in metres (haversine formula).
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = (lat2 - lat1) / 2.0;
        let half_lng = (other.lng - self.lng).to_radians() / 2.0;
        let a = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lng.sin().powi(2);
        2.0 * EARTH_RADIUS_M * a.sqrt().min(1.0).asin()
    }

    /// The position `east` and `north` metres away, on the plane that touches the Earth here.
    /// Good to a millimetre over the few hundred metres of a town.
    #[must_use]
    pub fn offset_m(self, east: f64, north: f64) -> Self {
        let lat = self.lat + (north / EARTH_RADIUS_M).to_degrees();
        let lng = self.lng + (east / (EARTH_RADIUS_M * self.lat.to_radians().cos())).to_degrees();
        Self { lat, lng }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokyo_to_asahikawa_is_about_910_km() {
        let tokyo = Coordinate { lat: 35.6812, lng: 139.7671 };
        let asahikawa = Coordinate { lat: 43.7706, lng: 142.3650 };
        let km = tokyo.distance_m(asahikawa) / 1000.0;
        assert!((922.0..928.0).contains(&km), "{km}");
    }

    proptest! {
        #[test]
        fn an_offset_has_its_length(
            lat in -60.0..60.0_f64, lng in -170.0..170.0_f64,
            east in -500.0..500.0_f64, north in -500.0..500.0_f64,
        ) {
            let from = Coordinate { lat, lng };
            let length = east.hypot(north);
            prop_assert!((from.distance_m(from.offset_m(east, north)) - length).abs() < 0.1 + length * 1e-3);
        }

        #[test]
        fn distance_is_symmetric(a in -90.0..90.0_f64, b in -180.0..180.0_f64, c in -90.0..90.0_f64, d in -180.0..180.0_f64) {
            let (p, q) = (Coordinate { lat: a, lng: b }, Coordinate { lat: c, lng: d });
            prop_assert!((p.distance_m(q) - q.distance_m(p)).abs() < 1e-6);
        }
    }
}

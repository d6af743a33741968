//! Cells of the globe: S2's, quarters of quarters of the six faces of a cube around it (<https://s2geometry.io>).

use s2::cell::Cell;
use s2::cellid::{CellID, MAX_LEVEL};
use s2::latlng::LatLng;
use s2::point::Point;
use serde::{Deserialize, Serialize};

use super::{Border, Coordinate};

/// Finest level, cells of about a square centimetre.
pub const FINEST: u8 = MAX_LEVEL as u8;
/// Surface of a unit sphere's square radian on the Earth, square kilometres (mean Earth radius 6,371.0088 km, IUGG).
const KM2: f64 = 6_371.008_8 * 6_371.008_8;
/// Pieces of an edge in a border: edges are great circles, which bend on maps.
const PIECES: usize = 8;

/// Level of the cells that stand for towns where no town is known: about 1 km, as a town.
const TOWN: u8 = 13;

/// The place of a photo of which no town is known, for splits by place: its cell of about a square kilometre.
#[must_use]
pub fn grid_cell(at: Coordinate) -> String {
    Geocell::of(at, TOWN).token()
}

/// A cell of the globe. Cells are ordered along S2's curve, so that neighbours are mostly near each other; a cell stands
/// between its descendants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Geocell(CellID);

impl Geocell {
    /// The six faces, which cover the globe.
    #[must_use]
    pub fn faces() -> [Self; 6] {
        [0, 1, 2, 3, 4, 5].map(|face| Self(CellID::from_face(face)))
    }

    /// The cell of a level, 0 (faces) to [`FINEST`], that holds a position; beyond that the finest.
    #[must_use]
    pub fn of(at: Coordinate, level: u8) -> Self {
        let leaf = CellID::from(LatLng::from_degrees(at.lat, at.lng));
        Self(leaf.parent(u64::from(level.min(FINEST))))
    }

    /// The cell of a token, as [`Self::token`] writes it; `None` of anything else.
    ///
    /// ```
    /// use kokodoko::domain::{Coordinate, Geocell};
    /// let tokyo = Geocell::parse("60188c").unwrap();
    /// assert!(tokyo.contains(Coordinate::new(35.6586, 139.7454).unwrap()));
    /// assert!(Geocell::parse("tokyo").is_none());
    /// ```
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        let plain = (1..=16).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_hexdigit());
        let cell = Self(if plain { CellID::from_token(token) } else { CellID(0) });
        (plain && cell.0.is_valid() && cell.token() == token).then_some(cell)
    }

    /// Its token: up to 16 hexadecimal digits, the fewer the larger it is.
    #[must_use]
    pub fn token(self) -> String {
        self.0.to_token()
    }

    /// Its level, 0 (a face) to [`FINEST`]; an edge is about 7,800 km / 2^level long.
    #[must_use]
    pub fn level(self) -> u8 {
        self.0.level() as u8
    }

    /// Its four quarters; none of the finest.
    #[must_use]
    pub fn children(self) -> Vec<Self> {
        if self.0.is_leaf() { Vec::new() } else { self.0.children().map(Self).to_vec() }
    }

    /// Whether a position lies within. Every position lies in exactly one cell of a level.
    #[must_use]
    pub fn contains(self, at: Coordinate) -> bool {
        self.holds(Self::of(at, FINEST))
    }

    /// Whether another cell is this one or lies within.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Its middle: where it is divided in four.
    #[must_use]
    pub fn middle(self) -> Coordinate {
        coordinate(&Cell::from(self.0).center())
    }

    /// Its size, square kilometres.
    #[must_use]
    pub fn area_km2(self) -> f64 {
        Cell::from(self.0).exact_area() * KM2
    }

    /// Its border as one ring. Longitudes go on beyond 180 degrees rather than jump; around a pole the ring follows the
    /// edge of the map.
    #[must_use]
    pub fn border(self) -> Border {
        let corners = Cell::from(self.0).vertices();
        let edges = corners.iter().zip(corners.iter().cycle().skip(1));
        let point = |from: &Point, to: &Point, piece: usize| {
            let share = piece as f64 / PIECES as f64;
            coordinate(&Point((from.0 * (1.0 - share) + to.0 * share).normalize()))
        };
        let points = edges.flat_map(|(from, to)| (0..PIECES).map(move |piece| point(from, to, piece)));
        let mut ring: Vec<[f64; 2]> = Vec::with_capacity(4 * PIECES + 3);
        let mut last = self.middle().lng;
        for Coordinate { lat, lng } in points {
            last += (lng - last + 180.0).rem_euclid(360.0) - 180.0;
            ring.push([last, lat]);
        }
        close_around_pole(&mut ring);
        Border::new(vec![ring])
    }
}

/// A ring that comes back to its beginning a turn further on goes around a pole.
fn close_around_pole(ring: &mut Vec<[f64; 2]>) {
    let (Some(&[first, lat]), Some(&[last, _])) = (ring.first(), ring.last()) else { return };
    let back = last + (first - last + 180.0).rem_euclid(360.0) - 180.0;
    if (back - first).abs() > 180.0 {
        let pole = 90.0_f64.copysign(lat);
        ring.extend([[back, lat], [back, pole], [first, pole]]);
    }
}

fn coordinate(point: &Point) -> Coordinate {
    Coordinate { lat: point.latitude().deg(), lng: point.longitude().deg() }
}

impl TryFrom<String> for Geocell {
    type Error = String;

    fn try_from(token: String) -> Result<Self, String> {
        Self::parse(&token).ok_or_else(|| format!("`{token}` is no token of an S2 cell"))
    }
}

impl From<Geocell> for String {
    fn from(cell: Geocell) -> Self {
        cell.token()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn positions() -> impl Strategy<Value = Coordinate> {
        (-90.0..=90.0_f64, -180.0..=180.0_f64).prop_map(|(lat, lng)| Coordinate { lat, lng })
    }

    #[test]
    fn the_faces_cover_the_globe() {
        let sum: f64 = Geocell::faces().into_iter().map(Geocell::area_km2).sum();
        assert!((sum / 510_065_600.0 - 1.0).abs() < 1e-3, "{sum} km2");
    }

    #[test]
    fn tokens_are_read_strictly() {
        for wrong in ["", "x", "0", "60188c00", "+6018", "60188C", "ffffffffffffffff1"] {
            assert_eq!(Geocell::parse(wrong), None, "{wrong}");
        }
        assert!(serde_json::from_str::<Geocell>(r#""nowhere""#).is_err());
    }

    #[test]
    fn a_border_around_a_pole_holds_it_and_one_across_the_date_line_does_not_jump() {
        let north = Geocell::faces()[2];
        let (low, high) = north.border().bounds().unwrap();
        assert_eq!(high.lat, 90.0);
        assert!((high.lng - low.lng - 360.0).abs() < 1e-9 && low.lat > 35.0, "{low:?} {high:?}");
        let fiji = Geocell::of(Coordinate { lat: -17.0, lng: 179.9 }, 4);
        let (low, high) = fiji.border().bounds().unwrap();
        assert!(high.lng - low.lng < 12.0, "{low:?} {high:?}");
    }

    proptest! {
        #[test]
        fn a_position_lies_in_one_child_of_its_cell(at in positions(), level in 0..FINEST) {
            let cell = Geocell::of(at, level);
            prop_assert_eq!(cell.level(), level);
            let children = cell.children();
            prop_assert_eq!(children.iter().filter(|child| child.contains(at)).count(), 1);
            prop_assert!(children.iter().all(|child| cell.holds(*child) && !child.holds(cell)));
            let parts: f64 = children.iter().map(|child| child.area_km2()).sum();
            prop_assert!(level > 20 || (parts / cell.area_km2() - 1.0).abs() < 1e-3);
        }

        #[test]
        fn tokens_round_trip(at in positions(), level in 0..=FINEST) {
            let cell = Geocell::of(at, level);
            prop_assert_eq!(Geocell::parse(&cell.token()), Some(cell));
            prop_assert!(cell.contains(cell.middle()));
        }

        #[test]
        fn a_border_lies_around_its_cell(at in positions(), level in 3_u8..16) {
            let cell = Geocell::of(at, level);
            let middle = cell.middle();
            prop_assume!(middle.lat.abs() < 80.0);
            prop_assert!(cell.border().contains(middle));
            // No cell of a level has a diagonal of more than 2.44 / 2^level radians (S2's MaxDiag).
            let most = 2.44 / f64::from(1_u32 << level) * 6_371_008.8;
            for &[lng, lat] in &cell.border().rings()[0] {
                let corner = Coordinate { lat, lng };
                prop_assert!(middle.distance_m(corner) < most);
            }
        }
    }
}

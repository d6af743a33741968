//! Adaptive cells: small where there are many photos, large where there are few.
//!
//! As in PlaNet (Weyand, Kostrikov and Philbin 2016, "PlaNet - Photo Geolocation with Convolutional Neural Networks",
//! section 3): the six faces of S2's cube are divided in four, and the parts again, until no cell holds more than so many
//! photos; cells with few photos are dropped, and with them places of which too little is known. Beyond PlaNet, a cell
//! whose photos all lie in one of its quarters is narrowed to it, down to about 60 km: with few photos the cell of a city
//! would else be a sixth of the globe, its middle at a pole.

use serde::{Deserialize, Serialize};

use super::geocell::FINEST;
use super::{Coordinate, Geocell};

/// Level below which no cell is narrowed: edges of about 60 km, a region.
const NARROW: u8 = 7;

/// When a cell is divided and when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// A cell with more photos is divided, 1 or more.
    pub most: usize,
    /// One with fewer is dropped, 1 or more.
    pub least: usize,
    /// Level at which none is divided any more, at most [`FINEST`]. Level 12 has edges of about 2 km.
    pub deepest: u8,
}

impl Default for Limits {
    /// At most 300 photos, at least 20, and edges of no less than about a kilometre, the size of a town.
    fn default() -> Self {
        Self { most: 300, least: 20, deepest: 13 }
    }
}

/// The cells that photos at these positions make, in S2's order, whatever order the positions have. They are disjoint;
/// positions in none of them are those of dropped cells.
#[must_use]
pub fn partition(positions: &[Coordinate], limits: Limits) -> Vec<Geocell> {
    let mut leaves: Vec<Geocell> = positions.iter().map(|at| Geocell::of(*at, FINEST)).collect();
    leaves.sort_unstable();
    let mut kept = Vec::new();
    for face in Geocell::faces() {
        divide(face, within(&leaves, face), limits, &mut kept);
    }
    kept
}

/// The leaves in a cell: neighbours among sorted ones.
fn within(leaves: &[Geocell], cell: Geocell) -> &[Geocell] {
    let from = leaves.partition_point(|leaf| !cell.holds(*leaf) && *leaf < cell);
    let count = leaves[from..].partition_point(|leaf| cell.holds(*leaf));
    &leaves[from..from + count]
}

fn divide(cell: Geocell, leaves: &[Geocell], limits: Limits, kept: &mut Vec<Geocell>) {
    if leaves.len() < limits.least.max(1) {
        return;
    }
    if leaves.len() <= limits.most || cell.level() >= limits.deepest.min(FINEST) {
        kept.push(narrowed(cell, leaves, NARROW.min(limits.deepest)));
        return;
    }
    for child in cell.children() {
        divide(child, within(leaves, child), limits, kept);
    }
}

/// The smallest cell, of this level at the most, that holds all leaves: sorted ones lie between the first and the last.
fn narrowed(mut cell: Geocell, leaves: &[Geocell], level: u8) -> Geocell {
    let (Some(&first), Some(&last)) = (leaves.first(), leaves.last()) else { return cell };
    while cell.level() < level
        && let Some(child) = cell.children().into_iter().find(|child| child.holds(first) && child.holds(last))
    {
        cell = child;
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limits(most: usize, least: usize) -> Limits {
        Limits { most, least, deepest: 16 }
    }

    fn at(lat: f64, lng: f64) -> Coordinate {
        Coordinate { lat, lng }
    }

    #[test]
    fn a_city_gets_many_cells_the_country_few_and_a_lonely_photo_none() {
        let city = (0..400).map(|i| at(35.66 + f64::from(i % 20) * 1e-3, 139.70 + f64::from(i / 20) * 1e-3));
        let country = (0..30).map(|i| at(43.0 + f64::from(i) * 0.02, 142.3));
        let positions: Vec<Coordinate> = city.chain(country).chain([at(-33.9, 151.2)]).collect();
        let cells = partition(&positions, limits(50, 5));
        let count = |near: Coordinate| cells.iter().filter(|cell| cell.middle().distance_m(near) < 5e5).count();
        assert!(count(at(35.67, 139.71)) >= 8, "{cells:?}");
        assert!((1..=3).contains(&count(at(43.3, 142.3))), "{cells:?}");
        assert!(!cells.iter().any(|cell| cell.contains(at(-33.9, 151.2))));
        assert!(partition(&[], limits(50, 5)).is_empty());
    }

    #[test]
    fn few_photos_do_not_claim_a_sixth_of_the_globe() {
        let city: Vec<Coordinate> = (0..10).map(|i| at(43.77 + f64::from(i) * 1e-3, 142.36)).collect();
        assert_eq!(partition(&city, limits(50, 5)), [Geocell::of(city[0], NARROW)]);
        let two: Vec<Coordinate> = city.iter().copied().chain([at(35.68, 139.76)]).collect();
        assert_eq!(partition(&two, Limits { most: 50, least: 1, deepest: 3 }).len(), 2, "on two faces");
    }

    #[test]
    fn photos_of_one_spot_are_not_divided_for_ever() {
        let spot = vec![at(35.0, 139.0); 100];
        let cells = partition(&spot, limits(10, 1));
        assert_eq!(cells, [Geocell::of(spot[0], 16)]);
        assert_eq!(partition(&spot, Limits { most: 10, least: 1, deepest: 99 })[0].level(), FINEST);
    }

    /// Photos around a few towns, and some anywhere.
    fn positions() -> impl Strategy<Value = Vec<Coordinate>> {
        let anywhere = (-90.0..=90.0_f64, -180.0..=180.0_f64);
        let town = (prop::sample::select(vec![35.6_f64, 43.7, -33.9]), -0.05..0.05_f64, -0.05..0.05_f64)
            .prop_map(|(lat, north, east)| (lat + north, 139.7 + east));
        let one = prop_oneof![4 => town, 1 => anywhere].prop_map(|(lat, lng)| at(lat, lng));
        prop::collection::vec(one, 0..300)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn cells_are_disjoint_and_within_the_limits(
            positions in positions(), most in 1_usize..60, least in 1_usize..20, deepest in 0_u8..20,
        ) {
            let limits = Limits { most, least, deepest };
            let cells = partition(&positions, limits);
            let count = |cell: &Geocell| positions.iter().filter(|at| cell.contains(**at)).count();
            for cell in &cells {
                prop_assert!(count(cell) >= least);
                prop_assert!(count(cell) <= most || cell.level() == deepest);
                prop_assert!(cell.level() <= deepest);
            }
            for at in &positions {
                let of: Vec<_> = cells.iter().filter(|cell| cell.contains(*at)).collect();
                prop_assert!(of.len() <= 1, "{of:?}");
                // What is dropped lies in a cell that would have been too small.
                if of.is_empty() {
                    let dropped = (0..=deepest).map(|level| Geocell::of(*at, level)).find(|cell| count(cell) < least);
                    prop_assert!(dropped.is_some());
                }
            }
        }

        #[test]
        fn the_order_of_photos_does_not_matter(positions in positions(), turn in 0_usize..300) {
            let mut other = positions.clone();
            other.reverse();
            other.rotate_left(turn.min(positions.len()));
            prop_assert_eq!(partition(&positions, limits(20, 3)), partition(&other, limits(20, 3)));
        }
    }
}

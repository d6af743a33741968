//! Squares of a kilometre, for regions that have no list of towns.

use super::plan::Town;
use crate::domain::{Border, Coordinate};

/// Side of a square in degrees of latitude: a kilometre (the meridian is 40,007,863 m long, WGS 84).
const SIDE_DEGREES: f64 = 1_000.0 * 360.0 / 40_007_863.0;
/// Most squares of a region: about the size of 富山県.
const MAX_SQUARES: usize = 5_000;
/// A square belongs to a region when one of so many by so many positions in it does.
const PROBES: u32 = 7;
/// Farthest from the equator that the squares keep their shape.
const MAX_LATITUDE: f64 = 85.0;

/// A region that is too large, or too near a pole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the region is larger than {MAX_SQUARES} square kilometres, or reaches beyond {MAX_LATITUDE} degrees: divide it"
)]
pub struct TooLarge;

/// The squares that a border touches, from the south-west to the north-east, each as a town. They lie on one grid over
/// the Earth, so that a square keeps its name and its points when the border changes; slivers may be left out.
///
/// # Errors
/// See [`TooLarge`].
pub fn squares(border: &Border) -> Result<Vec<Town>, TooLarge> {
    let Some((low, high)) = border.bounds() else { return Ok(Vec::new()) };
    if low.lat < -MAX_LATITUDE || high.lat > MAX_LATITUDE {
        return Err(TooLarge);
    }
    let rows = row(low.lat)..=row(high.lat);
    let columns = |row: i64| (row, column(row, low.lng)..=column(row, high.lng));
    // The box may hold far more squares than the region in it, but not without end.
    let in_box: i64 = rows.clone().map(columns).map(|(_, columns)| columns.end() - columns.start() + 1).sum();
    if in_box > 20 * MAX_SQUARES as i64 {
        return Err(TooLarge);
    }
    let all = rows.map(columns).flat_map(|(row, columns)| columns.map(move |column| (row, column)));
    let touched = all.filter(|&(row, column)| touches(border, row, column)).map(|(row, column)| town(row, column));
    let found: Vec<Town> = touched.take(MAX_SQUARES + 1).collect();
    if found.len() > MAX_SQUARES { Err(TooLarge) } else { Ok(found) }
}

fn row(lat: f64) -> i64 {
    (lat / SIDE_DEGREES).floor() as i64
}

/// Width of the squares of a row in degrees of longitude: a whole number of them goes round the Earth.
fn width(row: i64) -> f64 {
    let middle = (row as f64 + 0.5) * SIDE_DEGREES;
    360.0 / (360.0 * middle.to_radians().cos() / SIDE_DEGREES).round()
}

fn column(row: i64, lng: f64) -> i64 {
    ((lng + 180.0) / width(row)).floor() as i64
}

/// A position in a square; `east` and `north` from 0 to 1.
fn position(row: i64, column: i64, east: f64, north: f64) -> Coordinate {
    Coordinate { lat: (row as f64 + north) * SIDE_DEGREES, lng: (column as f64 + east) * width(row) - 180.0 }
}

fn touches(border: &Border, row: i64, column: i64) -> bool {
    let share = |index: u32| (f64::from(index) + 0.5) / f64::from(PROBES);
    let probe = |index: u32| position(row, column, share(index % PROBES), share(index / PROBES));
    (0..PROBES * PROBES).map(probe).any(|at| border.contains(at))
}

fn town(row: i64, column: i64) -> Town {
    let center = position(row, column, 0.5, 0.5);
    let (south, west) = (center.lat < 0.0, center.lng < 0.0);
    let name = format!(
        "{}{:.3} {}{:.3}",
        if south { 'S' } else { 'N' },
        center.lat.abs(),
        if west { 'W' } else { 'E' },
        center.lng.abs()
    );
    Town { name, centers: vec![center] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::plan::AreaPlan;
    use crate::domain::Area;
    use std::collections::HashSet;

    fn rectangle(south: f64, west: f64, north: f64, east: f64) -> Border {
        Border::new(vec![vec![[west, south], [east, south], [east, north], [west, north]]])
    }

    #[test]
    fn squares_have_a_kilometre_and_names_of_their_own() {
        for (south, west) in [(48.80, 2.25), (-33.95, 151.10), (64.10, -21.95), (0.0, 0.0)] {
            let found = squares(&rectangle(south, west, south + 0.05, west + 0.05)).unwrap();
            let names: HashSet<&str> = found.iter().map(|town| &*town.name).collect();
            assert_eq!(names.len(), found.len());
            let [a, b] = [0, 1].map(|index| found[index].centers[0]);
            assert!((a.distance_m(b) - 1_000.0).abs() < 5.0, "{} m", a.distance_m(b));
        }
    }

    #[test]
    fn a_square_keeps_its_name_when_the_border_grows() {
        let [small, large] =
            [0.03, 0.06].map(|side| squares(&rectangle(48.85, 2.30, 48.85 + side, 2.30 + side)).unwrap());
        assert!(small.len() < large.len() && small.iter().all(|town| large.contains(town)));
    }

    #[test]
    fn the_whole_region_is_covered() {
        let border = rectangle(48.85, 2.30, 48.89, 2.36);
        let plan = AreaPlan::new(Area::new("", "Paris", "Paris"), border.clone(), &squares(&border).unwrap(), 20);
        let area_km2 = 0.04 * 111.2 * 0.06 * 111.2 * 48.87_f64.to_radians().cos();
        let whole = plan.towns.iter().filter(|town| town.points.len() == 20).count() as f64;
        assert!(whole >= area_km2, "{whole} squares for {area_km2} km²");
        // A corner of a square is of no other: the discs reach it.
        let corner = position(row(48.87), column(row(48.87), 2.33), 0.02, 0.02);
        let town = plan.town_at(corner).unwrap();
        assert!(town.discs.iter().any(|disc| disc.center.distance_m(corner) < disc.radius_m));
    }

    #[test]
    fn countries_and_poles_are_refused() {
        assert_eq!(squares(&rectangle(30.0, 130.0, 45.0, 145.0)), Err(TooLarge));
        assert_eq!(squares(&rectangle(35.0, 139.0, 35.9, 140.0)), Err(TooLarge));
        assert_eq!(squares(&rectangle(86.0, 0.0, 86.1, 0.1)), Err(TooLarge));
        assert_eq!(squares(&Border::default()), Ok(Vec::new()));
    }
}

//! Which town each spot of an area is nearest to.

/// For each town the part of a box that is nearer to it than to every other (its Voronoi cell), as a convex ring;
/// empty where two towns stand on the same spot. `low` and `high` are corners of the box, which holds the towns.
pub(super) fn cells(towns: &[(f32, f32)], low: (f32, f32), high: (f32, f32)) -> Vec<Vec<(f32, f32)>> {
    let corners = [low, (high.0, low.1), high, (low.0, high.1)].map(|(x, y)| (f64::from(x), f64::from(y)));
    let towns: Vec<(f64, f64)> = towns.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
    (0..towns.len()).map(|town| cell(town, &towns, corners.to_vec())).collect()
}

fn cell(town: usize, towns: &[(f64, f64)], mut ring: Vec<(f64, f64)>) -> Vec<(f32, f32)> {
    let own = towns[town];
    for (index, &other) in towns.iter().enumerate() {
        let towards = (other.0 - own.0, other.1 - own.1);
        if index == town || (towards == (0.0, 0.0) && index > town) {
            continue;
        }
        // Nearer to us: before the line half way, seen from us.
        let half = (other.0 * other.0 + other.1 * other.1 - own.0 * own.0 - own.1 * own.1) / 2.0;
        let beyond = |at: (f64, f64)| at.0 * towards.0 + at.1 * towards.1 - half;
        if towards == (0.0, 0.0) {
            return Vec::new();
        }
        // Most towns are too far away to matter.
        if ring.iter().any(|&at| beyond(at) > 0.0) {
            ring = cut(&ring, beyond);
        }
    }
    ring.into_iter().map(|(x, y)| (x as f32, y as f32)).collect()
}

/// The part of a convex ring where `beyond` is not positive (Sutherland and Hodgman 1974).
fn cut(ring: &[(f64, f64)], beyond: impl Fn((f64, f64)) -> f64) -> Vec<(f64, f64)> {
    let mut kept = Vec::with_capacity(ring.len() + 1);
    for (&from, &to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (before, after) = (beyond(from), beyond(to));
        if before <= 0.0 {
            kept.push(from);
        }
        if (before <= 0.0) != (after <= 0.0) {
            let share = before / (before - after);
            kept.push((from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(ring: &[(f32, f32)]) -> f64 {
        let doubled = ring.iter().zip(ring.iter().cycle().skip(1));
        doubled.map(|(a, b)| f64::from(a.0) * f64::from(b.1) - f64::from(b.0) * f64::from(a.1)).sum::<f64>() / 2.0
    }

    proptest! {
        #[test]
        fn cells_fill_the_box_and_hold_what_is_nearest(
            towns in prop::collection::vec((0_u8..100, 0_u8..100), 1..40), spot in (0_u8..100, 0_u8..100),
        ) {
            let place = |(x, y): (u8, u8)| (f32::from(x), f32::from(y));
            let towns: Vec<(f32, f32)> = towns.into_iter().map(place).collect();
            let cells = cells(&towns, (0.0, 0.0), (100.0, 100.0));
            let all: f64 = cells.iter().map(|cell| size(cell).abs()).sum();
            prop_assert!((all - 10_000.0).abs() < 0.1, "{all}");
            let spot = place(spot);
            let distance = |town: &(f32, f32)| (town.0 - spot.0).hypot(town.1 - spot.1);
            let nearest = towns.iter().map(distance).fold(f32::INFINITY, f32::min);
            for (town, cell) in towns.iter().zip(&cells) {
                // Inside a convex ring: on the same side of each edge, edges on the way round being outside by rounding.
                let side = |(a, b): (&(f32, f32), &(f32, f32))| {
                    (b.0 - a.0) * (spot.1 - a.1) - (b.1 - a.1) * (spot.0 - a.0) >= -0.05
                };
                let inside = !cell.is_empty() && cell.iter().zip(cell.iter().cycle().skip(1)).all(side);
                prop_assert!(!inside || distance(town) < nearest + 0.1, "{town:?} holds {spot:?}");
            }
        }
    }
}

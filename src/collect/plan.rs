//! Where to look: points in every town of every area, the same in each run.
//!
//! A town is the part of its area that lies nearer to its own position than to any other town's, within a disc round
//! that position. Points are uniform over it: drawn uniformly from the disc (radius by the square root of a uniform
//! value, longitude corrected by the cosine of the latitude) and kept when they fall into the town and inside the
//! border. The draws are a stream that the town's name seeds, so that more points only add to fewer.

use super::chance::Chance;
use crate::domain::{Area, Border, Coordinate};

/// Neighbours whose mean distance says how large a town is.
const NEIGHBOURS: usize = 3;
/// Radius of a disc, share of that distance: three quarters reach well over the half-way line to the neighbours.
const REACH: f64 = 0.75;
/// Least radius of a disc, metres: a block.
const MIN_RADIUS_M: f64 = 100.0;
/// Greatest radius of a disc, metres: what is farther from a town's position is rarely of it.
pub(super) const MAX_RADIUS_M: f64 = 750.0;
/// Neighbours farther than this cannot decide: with one of three there, their mean gives [`MAX_RADIUS_M`] in any case.
/// Metres.
const NEIGHBOURHOOD_M: f64 = MAX_RADIUS_M / REACH * NEIGHBOURS as f64 * 1.05;
/// Metres of a degree of latitude (mean Earth radius).
const DEGREE_M: f64 = 111_195.0;
/// Draws in a row that may miss the town before it counts as full.
const MISSES: u32 = 2_000;

/// Where to look, area by area.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The areas, in the order of the configuration.
    pub areas: Vec<AreaPlan>,
}

/// The plan of an area.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaPlan {
    /// Its names.
    pub area: Area,
    /// Its border. What lies outside is not of the area.
    pub border: Border,
    /// Its towns, in the order of their list; some may have no points.
    pub towns: Vec<TownPlan>,
    /// Towns that the list has no position of: nothing is planned there.
    pub unplaced: usize,
}

/// The plan of a town (字), or of a square of a kilometre where there are no towns.
#[derive(Clone, Debug, PartialEq)]
pub struct TownPlan {
    /// Its name, unique within the area.
    pub name: String,
    /// Where it lies: one disc, or several when its parts (小字) have positions of their own.
    pub discs: Vec<Disc>,
    /// The points, first those that fewer would be.
    pub points: Vec<Coordinate>,
}

/// A disc on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disc {
    /// Its middle.
    pub center: Coordinate,
    /// Its radius in metres.
    pub radius_m: f64,
}

/// A town as lists have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Town {
    /// Its name, unique within the area.
    pub name: String,
    /// Its positions: none when nobody knows, several when it has parts.
    pub centers: Vec<Coordinate>,
}

impl Plan {
    /// Points in all areas.
    #[must_use]
    pub fn points(&self) -> usize {
        self.areas.iter().map(AreaPlan::points).sum()
    }
}

impl AreaPlan {
    /// Plans `points_per_town` points in each town, fewer where no more fall inside the border.
    #[must_use]
    pub fn new(area: Area, border: Border, towns: &[Town], points_per_town: u32) -> Self {
        let (placed, unplaced): (Vec<_>, Vec<_>) = towns.iter().partition(|town| !town.centers.is_empty());
        let ground = Ground::of(&placed);
        let plan = |(index, town): (usize, &&Town)| {
            let chance = Chance::of(&["points", &area.area, &town.name]);
            let points = ground.points(index, &border, chance, points_per_town as usize);
            TownPlan { name: town.name.clone(), discs: ground.discs(index), points }
        };
        let towns = placed.iter().enumerate().map(plan).collect();
        Self { border, towns, unplaced: unplaced.len(), area }
    }

    /// Points in all towns.
    #[must_use]
    pub fn points(&self) -> usize {
        self.towns.iter().map(|town| town.points.len()).sum()
    }

    /// The town that a position belongs to: the one whose own position is nearest, the first of equals. `None` outside
    /// the border, and where no town has a position.
    #[must_use]
    pub fn town_at(&self, at: Coordinate) -> Option<&TownPlan> {
        let distance =
            |town: &&TownPlan| town.discs.iter().map(|disc| disc.center.distance_m(at)).fold(f64::INFINITY, f64::min);
        let nearest = || self.towns.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        self.border.contains(at).then(nearest).flatten()
    }
}

/// The towns' positions among each other.
struct Ground {
    plots: Vec<Plot>,
}

/// One position.
struct Plot {
    /// Number of its town.
    town: usize,
    disc: Disc,
    /// Numbers of the plots that may be nearer to a point of the disc than this one.
    rivals: Vec<usize>,
}

impl Ground {
    fn of(towns: &[&Town]) -> Self {
        let centers =
            towns.iter().enumerate().flat_map(|(town, it)| it.centers.iter().map(move |center| (town, *center)));
        let centers: Vec<(usize, Coordinate)> = centers.collect();
        let plot = |(index, &(town, center)): (usize, &(usize, Coordinate))| {
            let neighbour = |other: usize, at: Coordinate| {
                let may_be = other != index && is_within(center, at, NEIGHBOURHOOD_M);
                may_be.then(|| (center.distance_m(at), other))
            };
            let others = centers.iter().enumerate().filter_map(|(other, (_, at))| neighbour(other, *at));
            let mut others: Vec<(f64, usize)> = others.collect();
            let radius_m = radius_m(&mut others, NEIGHBOURS.min(centers.len() - 1));
            // Who is nearer to a point of the disc than its middle lies within twice the radius of the middle.
            let rivals = others.into_iter().filter(|(distance, _)| *distance < 2.0 * radius_m).map(|(_, other)| other);
            Plot { town, disc: Disc { center, radius_m }, rivals: rivals.collect() }
        };
        Self { plots: centers.iter().enumerate().map(plot).collect() }
    }

    fn of_town(&self, town: usize) -> impl Iterator<Item = (usize, &Plot)> {
        self.plots.iter().enumerate().filter(move |(_, plot)| plot.town == town)
    }

    fn discs(&self, town: usize) -> Vec<Disc> {
        self.of_town(town).map(|(_, plot)| plot.disc).collect()
    }

    fn points(&self, town: usize, border: &Border, mut chance: Chance, count: usize) -> Vec<Coordinate> {
        let plots: Vec<(usize, &Plot)> = self.of_town(town).collect();
        let mut points = Vec::with_capacity(count);
        let mut misses = 0;
        while points.len() < count && misses < MISSES {
            let (index, plot, at) = candidate(&plots, &mut chance);
            if self.owns(index, plot, at) && border.contains(at) {
                points.push(at);
                misses = 0;
            } else {
                misses += 1;
            }
        }
        points
    }

    /// Whether no rival is nearer; of equals the first has it.
    fn owns(&self, index: usize, plot: &Plot, at: Coordinate) -> bool {
        let own = plot.disc.center.distance_m(at);
        plot.rivals.iter().all(|&rival| {
            let distance = self.plots[rival].disc.center.distance_m(at);
            distance > own || (distance == own && rival > index)
        })
    }
}

/// Whether a position is within a box round another, half a side of it so many metres: told without trigonometry but
/// one cosine, since all positions of an area are compared with each other.
fn is_within(center: Coordinate, at: Coordinate, half_side_m: f64) -> bool {
    let degrees = half_side_m / DEGREE_M;
    (at.lat - center.lat).abs() <= degrees && (at.lng - center.lng).abs() * center.lat.to_radians().cos() <= degrees
}

/// The radius for a position, from the distances to those in its neighbourhood; `count` of the nearest decide.
fn radius_m(others: &mut [(f64, usize)], count: usize) -> f64 {
    if count == 0 || others.len() < count {
        return MAX_RADIUS_M;
    }
    others.select_nth_unstable_by(count - 1, |a, b| a.0.total_cmp(&b.0));
    let mean = others[..count].iter().map(|(distance, _)| distance).sum::<f64>() / count as f64;
    (REACH * mean).clamp(MIN_RADIUS_M, MAX_RADIUS_M)
}

/// A position in one of the discs; a disc comes as often as it is large.
fn candidate<'a>(plots: &[(usize, &'a Plot)], chance: &mut Chance) -> (usize, &'a Plot, Coordinate) {
    let size = |plot: &Plot| plot.disc.radius_m.powi(2);
    let mut left = chance.unit() * plots.iter().map(|(_, plot)| size(plot)).sum::<f64>();
    let hit = |(_, plot): &&(usize, &Plot)| {
        left -= size(plot);
        left < 0.0
    };
    let (index, plot) = *plots.iter().find(hit).unwrap_or(&plots[plots.len() - 1]);
    let (radius, angle) = (plot.disc.radius_m * chance.unit().sqrt(), chance.unit() * std::f64::consts::TAU);
    (index, plot, plot.disc.center.offset_m(radius * angle.cos(), radius * angle.sin()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area() -> Area {
        Area::new("東京都", "港区", "Minato, Tokyo")
    }

    /// A square of so many metres' half side, and its middle at this latitude.
    fn square(lat: f64, half: f64) -> (Border, Coordinate) {
        let middle = Coordinate { lat, lng: 139.7 };
        let corner = |east, north| {
            let at = middle.offset_m(east, north);
            [at.lng, at.lat]
        };
        let ring = vec![corner(-half, -half), corner(half, -half), corner(half, half), corner(-half, half)];
        (Border::new(vec![ring]), middle)
    }

    fn town(name: &str, centers: &[Coordinate]) -> Town {
        Town { name: name.to_owned(), centers: centers.to_vec() }
    }

    /// Metres east and north of a position, measured along the sides and not by the formula under test.
    fn metres(from: Coordinate, to: Coordinate) -> (f64, f64) {
        let (east, north) = (Coordinate { lng: to.lng, ..from }, Coordinate { lat: to.lat, ..from });
        (from.distance_m(east).copysign(to.lng - from.lng), from.distance_m(north).copysign(to.lat - from.lat))
    }

    /// Chi-square over bins of equal area: 8 sectors by 4 rings.
    fn chi_square(points: &[Coordinate], disc: Disc) -> f64 {
        let mut bins = [0_f64; 32];
        for point in points {
            let (east, north) = metres(disc.center, *point);
            let sector = (north.atan2(east) / std::f64::consts::TAU).rem_euclid(1.0) * 8.0;
            let ring = (east.hypot(north) / disc.radius_m).powi(2) * 4.0;
            bins[(ring as usize).min(3) * 8 + (sector as usize).min(7)] += 1.0;
        }
        let expected = points.len() as f64 / 32.0;
        bins.iter().map(|count| (count - expected).powi(2) / expected).sum()
    }

    #[test]
    fn points_are_uniform_over_a_disc_at_any_latitude() {
        for lat in [35.66, 64.0] {
            let (border, middle) = square(lat, 2_000.0);
            let plan = AreaPlan::new(area(), border, &[town("赤坂一丁目", &[middle])], 1_000);
            let [only] = &plan.towns[..] else { panic!("one town") };
            assert_eq!((only.points.len(), only.discs[0].radius_m), (1_000, MAX_RADIUS_M));
            // 99.9 % of uniform samples stay below 61.1 (31 degrees of freedom).
            let statistic = chi_square(&only.points, only.discs[0]);
            assert!(statistic < 61.1, "{statistic} at {lat}");
        }
    }

    #[test]
    fn the_measure_notices_a_longitude_that_is_not_corrected() {
        let (border, middle) = square(64.0, 2_000.0);
        let plan = AreaPlan::new(area(), border, &[town("赤坂一丁目", &[middle])], 1_000);
        let stretch = middle.lat.to_radians().cos();
        let squeezed = |at: &Coordinate| Coordinate { lng: middle.lng + (at.lng - middle.lng) * stretch, ..*at };
        let squeezed: Vec<Coordinate> = plan.towns[0].points.iter().map(squeezed).collect();
        assert!(chi_square(&squeezed, plan.towns[0].discs[0]) > 200.0);
    }

    #[test]
    fn towns_without_a_position_are_counted_and_towns_beyond_the_border_stay_empty() {
        let (border, middle) = square(43.8, 400.0);
        let towns = [
            town("一条通", &[middle]),
            town("地先", &[]),
            town("遠方", &[middle.offset_m(5_000.0, 0.0)]),
            town("同所", &[middle]),
        ];
        let plan = AreaPlan::new(area(), border, &towns, 3);
        let counts: Vec<(&str, usize)> = plan.towns.iter().map(|town| (&*town.name, town.points.len())).collect();
        assert_eq!(counts, [("一条通", 3), ("遠方", 0), ("同所", 0)], "of equals the first has the ground");
        assert_eq!((plan.unplaced, plan.points()), (1, 3));
        assert_eq!(plan.town_at(middle).map(|town| &*town.name), Some("一条通"));
        assert_eq!(plan.town_at(middle.offset_m(5_000.0, 0.0)), None, "outside the border");
    }

    #[test]
    fn the_parts_of_a_town_are_covered_by_their_size() {
        let (border, middle) = square(43.8, 20_000.0);
        let near = middle.offset_m(300.0, 0.0);
        let far = middle.offset_m(9_000.0, 0.0);
        let parts = town("西神楽", &[middle, near, far]);
        let plan = AreaPlan::new(area(), border, &[parts], 300);
        let [only] = &plan.towns[..] else { panic!("one town") };
        assert_eq!(only.discs.len(), 3);
        let at_far = only.points.iter().filter(|at| at.distance_m(far) < only.discs[2].radius_m).count();
        // The two near parts overlap: each has a bit more than half of its disc, the far one the whole of its own.
        assert!((100..200).contains(&at_far), "{at_far}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn points_are_inside_and_of_their_town_and_more_keep_the_fewer(
            lat in -60.0..60.0_f64,
            places in prop::collection::vec((-1_200.0..1_200.0_f64, -1_200.0..1_200.0_f64), 1..12),
            few in 1..6_u32,
            more in 0..6_u32,
        ) {
            let (border, middle) = square(lat, 1_000.0);
            let towns: Vec<Town> = places
                .iter()
                .enumerate()
                .map(|(index, (east, north))| town(&format!("{index}丁目"), &[middle.offset_m(*east, *north)]))
                .collect();
            let plan = |points| AreaPlan::new(area(), border.clone(), &towns, points);
            let (fewer, all) = (plan(few), plan(few + more));
            prop_assert_eq!(&all, &plan(few + more), "the same each time");
            for (small, large) in fewer.towns.iter().zip(&all.towns) {
                prop_assert!(large.points.starts_with(&small.points));
                for &at in &large.points {
                    prop_assert!(border.contains(at));
                    prop_assert!(large.discs[0].center.distance_m(at) <= large.discs[0].radius_m * 1.001);
                    prop_assert_eq!(all.town_at(at).map(|town| &town.name), Some(&large.name));
                }
            }
        }
    }
}

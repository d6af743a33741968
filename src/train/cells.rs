//! Labels that are cells of the globe: made of where the photos to train on were taken, and named after what is there.

use std::collections::BTreeMap;

use crate::collect::area::Municipality;
use crate::domain::area::label_at;
use crate::domain::partition::{Limits, partition};
use crate::domain::{Area, Coordinate, Geocell, Split};

/// Share of a cell's photos from which on one municipality is its name.
const ALONE: f64 = 0.6;

/// Where labels come from.
#[derive(Clone, Copy, Debug)]
pub enum Rule<'a> {
    /// They are made of the photos of the train split.
    Made(Limits),
    /// They are a model's.
    Known(&'a [Area]),
}

/// What is known of where a photo was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Where exactly.
    pub at: Option<Coordinate>,
    /// Full name of its municipality or region; empty where it is not known.
    pub area: String,
    /// The split of its place.
    pub split: Split,
}

/// Photos with cells for labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The cells, in S2's order.
    pub labels: Vec<Area>,
    /// For each photo the index of its label; `None` of those that are left out.
    pub of: Vec<Option<usize>>,
    /// Why photos are left out.
    pub lost: Lost,
}

/// Photos of the train, validation and test splits that are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Their position is not known.
    pub unplaced: usize,
    /// They lie outside all cells: where there are too few photos.
    pub outside: usize,
}

/// Gives photos labels.
#[must_use]
pub fn label(sights: &[Sight], rule: &Rule<'_>) -> Labelled {
    let labels = match rule {
        Rule::Known(labels) => labels.to_vec(),
        Rule::Made(limits) => made(sights, *limits),
    };
    let mut lost = Lost::default();
    let mut of = Vec::with_capacity(sights.len());
    for sight in sights {
        let found = sight.at.and_then(|at| label_at(&labels, at));
        if sight.split != Split::Quiz {
            lost.unplaced += usize::from(sight.at.is_none());
            lost.outside += usize::from(sight.at.is_some() && found.is_none());
        }
        of.push(found);
    }
    Labelled { labels, of, lost }
}

/// Cells of the photos to train on: what is judged later must not decide where they are.
fn made(sights: &[Sight], limits: Limits) -> Vec<Area> {
    let train: Vec<(Coordinate, &str)> = sights
        .iter()
        .filter(|sight| sight.split == Split::Train)
        .filter_map(|sight| Some((sight.at?, sight.area.as_str())))
        .collect();
    let positions: Vec<Coordinate> = train.iter().map(|(at, _)| *at).collect();
    let named = |cell: Geocell| {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, name) in train.iter().filter(|(at, _)| cell.contains(*at)) {
            *names.entry(*name).or_default() += 1;
        }
        Area { cell: Some(cell), ..name(cell, &names) }
    };
    numbered(partition(&positions, limits).into_iter().map(named).collect())
}

/// A name for a cell with photos of these municipalities: that of the one, those of the two with most photos, or its
/// position where none is known.
fn name(cell: Geocell, photos: &BTreeMap<&str, usize>) -> Area {
    let all: usize = photos.values().sum();
    let mut known: Vec<(&str, usize)> = photos.iter().map(|(name, count)| (*name, *count)).collect();
    known.retain(|(name, _)| !name.is_empty());
    known.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let area = |name: &str| Municipality::parse(name, None).map(|known| known.area().clone());
    let area = |name: &str| area(name).unwrap_or_else(|| Area::new("", name, name));
    let is_alone = |count: usize| count as f64 >= ALONE * all as f64;
    match known[..] {
        [] => position(cell),
        [(first, count), (second, _), ..] if !is_alone(count) => both(&area(first), &area(second)),
        [(first, _), ..] => {
            let Area { prefecture, municipality, name_en, .. } = area(first);
            Area::new(&prefecture, &format!("{municipality}付近"), &format!("near {name_en}"))
        }
    }
}

fn both(first: &Area, second: &Area) -> Area {
    let english = |area: &Area| area.name_en.split_once(", ").map(|(city, rest)| (city.to_owned(), rest.to_owned()));
    match (english(first), english(second)) {
        (Some((a, rest)), Some((b, other))) if first.prefecture == second.prefecture && rest == other => {
            let municipality = format!("{}・{}付近", first.municipality, second.municipality);
            Area::new(&first.prefecture, &municipality, &format!("near {a} and {b}, {rest}"))
        }
        _ => {
            let municipality = format!("{}・{}付近", first.area, second.area);
            Area::new("", &municipality, &format!("near {} and {}", first.name_en, second.name_en))
        }
    }
}

/// Where a cell is, in as many decimals as its size deserves.
fn position(cell: Geocell) -> Area {
    let Coordinate { lat, lng } = cell.middle();
    let decimals = match cell.level() {
        0..=5 => 0,
        6..=9 => 1,
        10..=12 => 2,
        _ => 3,
    };
    let (north, east) = (lat >= 0.0, lng >= 0.0);
    let (lat, lng) = (lat.abs(), lng.abs());
    let (north_ja, east_ja) = (if north { "北緯" } else { "南緯" }, if east { "東経" } else { "西経" });
    let ja = format!("{north_ja}{lat:.decimals$}度・{east_ja}{lng:.decimals$}度付近");
    let (north, east) = (if north { "N" } else { "S" }, if east { "E" } else { "W" });
    Area::new("", &ja, &format!("near {lat:.decimals$}°{north} {lng:.decimals$}°{east}"))
}

/// Cells of the same name get numbers, in their order.
fn numbered(areas: Vec<Area>) -> Vec<Area> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    areas.iter().for_each(|area| *counts.entry(area.area.clone()).or_default() += 1);
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    let number = |area: Area| {
        if counts[&area.area] == 1 {
            return area;
        }
        let number = given.entry(area.area.clone()).or_default();
        *number += 1;
        let english = match area.name_en.split_once(',') {
            Some((city, rest)) => format!("{city} {number},{rest}"),
            None => format!("{} {number}", area.name_en),
        };
        Area { cell: area.cell, ..Area::new(&area.prefecture, &format!("{} {number}", area.municipality), &english) }
    };
    areas.into_iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(lat: f64, lng: f64, area: &str, split: Split) -> Sight {
        Sight { at: Coordinate::new(lat, lng), area: area.to_owned(), split }
    }

    /// Photos of five places, of which one has few and one is none.
    fn sights() -> Vec<Sight> {
        let spots = [
            (35.65, 139.74, "東京都港区", 8),
            (35.69, 139.79, "東京都港区", 4),
            (35.69, 139.7901, "東京都中央区", 4),
            (43.77, 142.36, "", 6),
            (-33.87, 151.21, "", 2),
        ];
        let photos = spots.into_iter().flat_map(|(lat, lng, area, count)| {
            (0..count).map(move |i| sight(lat + f64::from(i) * 1e-4, lng, area, Split::Train))
        });
        let held_out = [
            sight(35.651, 139.741, "東京都港区", Split::Test),
            sight(-33.87, 151.21, "", Split::Test),
            sight(95.0, 0.0, "東京都港区", Split::Validation),
            sight(-33.87, 151.21, "", Split::Quiz),
        ];
        photos.chain(held_out).collect()
    }

    #[test]
    fn cells_are_named_after_what_is_there_and_the_lost_are_counted() {
        let limits = Limits { most: 10, least: 3, deepest: 12 };
        let found = label(&sights(), &Rule::Made(limits));
        let names: Vec<(&str, &str)> =
            found.labels.iter().map(|area| (area.area.as_str(), area.name_en.as_str())).collect();
        assert_eq!(
            names,
            [
                ("北緯43.6度・東経142.2度付近", "near 43.6°N 142.2°E"),
                ("東京都中央区・港区付近", "near Chuo and Minato, Tokyo"),
                ("東京都港区付近", "near Minato, Tokyo"),
            ]
        );
        // The lonely photos of the train split, the one of the test split and the one without a position.
        assert_eq!(found.lost, Lost { unplaced: 1, outside: 3 });
        let of = &found.of[24..];
        assert_eq!(of, [Some(2), None, None, None]);
        assert_eq!(label(&sights(), &Rule::Known(&found.labels)), found);
    }

    #[test]
    fn names_are_unique() {
        let photos: Vec<Sight> =
            (0..40).map(|i| sight(35.60 + f64::from(i / 10) * 0.03, 139.74, "東京都港区", Split::Train)).collect();
        let found = label(&photos, &Rule::Made(Limits { most: 10, least: 1, deepest: 12 }));
        let names: Vec<&str> = found.labels.iter().map(|area| area.municipality.as_str()).collect();
        assert_eq!(names, ["港区付近 1", "港区付近 2", "港区付近 3", "港区付近 4"]);
        assert_eq!(found.labels[1].name_en, "near Minato 2, Tokyo");
    }
}

//! Where the panoramas stand: borders, towns, positions, and the grid that finds them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use geojson::FeatureCollection;
use serde::Deserialize;

use super::dice::{Dice, hash};
use super::{Panorama, Season, Town};
use crate::domain::{Area, Border, Coordinate};

/// Panoramas that each area has, about; towns share them.
const PANORAMAS_PER_AREA: f32 = 2_900.0;
/// Share of towns that no survey car ever entered.
const UNCOVERED: f32 = 0.05;
/// Share of panoramas inside a building.
const INDOOR: f32 = 0.03;
/// Panoramas lie at most this far from their town's centre.
const TOWN_RADIUS_M: f32 = 240.0;
/// Side of a grid cell in degrees.
const CELL: f64 = 0.002;

const BORDERS: &str = include_str!("data/areas.geojson");
/// `(prefecture, municipality, name_en, towns)` in the order of [`super::World::areas`].
const AREAS: [(&str, &str, &str, &str); 7] = [
    ("東京都", "中央区", "Chuo, Tokyo", include_str!("data/towns/東京都中央区.json")),
    ("東京都", "港区", "Minato, Tokyo", include_str!("data/towns/東京都港区.json")),
    ("東京都", "新宿区", "Shinjuku, Tokyo", include_str!("data/towns/東京都新宿区.json")),
    ("東京都", "渋谷区", "Shibuya, Tokyo", include_str!("data/towns/東京都渋谷区.json")),
    ("東京都", "江東区", "Koto, Tokyo", include_str!("data/towns/東京都江東区.json")),
    ("東京都", "千代田区", "Chiyoda, Tokyo", include_str!("data/towns/東京都千代田区.json")),
    ("北海道", "旭川市", "Asahikawa, Hokkaido", include_str!("data/towns/北海道旭川市.json")),
];

/// The seven areas, in their order.
pub fn areas() -> Vec<Area> {
    AREAS.iter().map(|(prefecture, municipality, name_en, _)| Area::new(prefecture, municipality, name_en)).collect()
}

/// The borders in the order of the areas.
pub fn borders() -> Vec<Border> {
    let collection: FeatureCollection = BORDERS.parse().expect("the embedded borders are GeoJSON; a test loads them");
    AREAS.iter().map(|(_, municipality, ..)| border_of(&collection, municipality)).collect()
}

fn border_of(collection: &FeatureCollection, municipality: &str) -> Border {
    let is_it =
        |feature: &&geojson::Feature| feature.property("N03_004").and_then(|name| name.as_str()) == Some(municipality);
    let geometry = collection.features.iter().find(is_it).and_then(|feature| feature.geometry.as_ref());
    geometry.map(|geometry| Border::of_geometry(&geometry.value)).unwrap_or_default()
}

/// An entry of the town lists.
#[derive(Deserialize)]
struct Entry {
    town: String,
    lat: Option<f64>,
    lng: Option<f64>,
}

/// The towns of an area: one for each name, at the first centre that lies inside the border. Towns without any
/// centre are kept without one; towns whose centre the simplified border leaves outside are dropped.
pub fn towns(area: usize, border: &Border) -> Vec<Town> {
    let entries: Vec<Entry> =
        serde_json::from_str(AREAS[area].3).expect("embedded town lists are JSON; a test loads them");
    let mut towns: Vec<Town> = Vec::new();
    let mut index = HashMap::new();
    for entry in entries {
        let center = entry.lat.zip(entry.lng).and_then(|(lat, lng)| Coordinate::new(lat, lng));
        if center.is_some_and(|center| !border.contains(center)) {
            continue;
        }
        let slot = *index.entry(entry.town.clone()).or_insert(towns.len());
        if slot == towns.len() {
            let covered = Dice::new(hash(&[AREAS[area].1, &entry.town]), 1).unit() >= UNCOVERED;
            towns.push(Town { name: entry.town, center, covered: covered && center.is_some() });
        } else if towns[slot].center.is_none() {
            towns[slot].center = center;
        }
    }
    towns
}

/// The panoramas of an area, town by town.
pub fn panoramas(area: usize, border: &Border, towns: &[Town]) -> Vec<Panorama> {
    let covered = towns.iter().filter(|town| town.covered).count().max(1);
    let mean = PANORAMAS_PER_AREA / covered as f32;
    let of_town = |town: &Town| {
        let mut dice = Dice::new(hash(&[AREAS[area].1, &town.name]), 2);
        // The fraction is settled by chance, so that a mean of 1.4 gives one or two and not always one.
        let count = (mean * dice.range(0.6, 1.4) + dice.unit()) as usize;
        let grid = dice.range(0.0, 90.0);
        let center = town.center.filter(|_| town.covered);
        let found = center.into_iter().flat_map(|center| {
            (0..count).filter_map(|_| panorama(area, town, center, border, grid, &mut dice)).collect::<Vec<_>>()
        });
        found.collect::<Vec<_>>()
    };
    towns.iter().flat_map(of_town).collect()
}

fn panorama(
    area: usize,
    town: &Town,
    center: Coordinate,
    border: &Border,
    grid: f32,
    dice: &mut Dice,
) -> Option<Panorama> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&dice.bits().to_le_bytes());
    bytes[8..].copy_from_slice(&dice.bits().to_le_bytes());
    let mut draw = || {
        let (east, north) = (dice.range(-1.0, 1.0), dice.range(-1.0, 1.0));
        (east.hypot(north) <= 1.0)
            .then(|| center.offset_m(f64::from(east * TOWN_RADIUS_M), f64::from(north * TOWN_RADIUS_M)))
    };
    let position = (0..24).filter_map(|_| draw()).find(|&at| border.contains(at))?;
    let quarter = dice.below(4) as f32 * 90.0;
    let month = 1 + dice.below(12) as u32;
    Some(Panorama {
        id: URL_SAFE_NO_PAD.encode(bytes),
        area,
        town: town.name.clone(),
        position,
        road_heading: (grid + quarter + dice.bell() * 8.0).rem_euclid(360.0),
        captured: (2015 + dice.below(11) as i32, month),
        season: season(month),
        indoor: dice.chance(INDOOR),
        seed: dice.bits(),
    })
}

fn season(month: u32) -> Season {
    match month {
        3..=5 => Season::Spring,
        6..=8 => Season::Summer,
        9..=11 => Season::Autumn,
        _ => Season::Winter,
    }
}

/// Finds panoramas near a position without looking at all of them.
#[derive(Debug, Default)]
pub struct Grid(HashMap<(i32, i32), Vec<(usize, usize)>>);

fn cell(at: Coordinate) -> (i32, i32) {
    ((at.lat / CELL).floor() as i32, (at.lng / CELL).floor() as i32)
}

impl Grid {
    /// Indexes the panoramas of all areas.
    pub fn new(panoramas: &[Vec<Panorama>]) -> Self {
        let mut cells: HashMap<_, Vec<_>> = HashMap::new();
        for (area, list) in panoramas.iter().enumerate() {
            for (i, panorama) in list.iter().enumerate() {
                cells.entry(cell(panorama.position)).or_default().push((area, i));
            }
        }
        Self(cells)
    }

    /// `(area, index)` of every panorama in the cells that a box touches, in no particular order.
    pub fn candidates(&self, south_west: Coordinate, north_east: Coordinate) -> Vec<(usize, usize)> {
        let (low, high) = (cell(south_west), cell(north_east));
        let span = |low: i32, high: i32| i64::from(high) - i64::from(low) + 1;
        let touched = span(low.0, high.0).saturating_mul(span(low.1, high.1));
        if touched > self.0.len() as i64 {
            let inside = |key: &(i32, i32)| (low.0..=high.0).contains(&key.0) && (low.1..=high.1).contains(&key.1);
            return self.0.iter().filter(|(key, _)| inside(key)).flat_map(|(_, found)| found.iter().copied()).collect();
        }
        let keys = (low.0..=high.0).flat_map(|lat| (low.1..=high.1).map(move |lng| (lat, lng)));
        keys.filter_map(|key| self.0.get(&key)).flatten().copied().collect()
    }
}

//! The drawn world: a deterministic stand-in for street imagery.
//!
//! Nothing outside this module (and the commands that drive it) knows that pictures are drawn:
//! photos leave it as JPEG bytes, as they would leave Street View or Mapillary.
//!
//! # From a place to a picture
//!
//! ```text
//! data/*.json, areas.geojson ─ places ─► Town ─► Panorama (position, road heading, date, seed)
//!                                                   │
//!                        style: the area's tables ──┤
//!                                                   ▼
//!                                     scene: what stands where, in metres
//!                                                   │ View (heading, fov, pitch, size)
//!                                                   ▼
//!                                     render: pinhole camera, far to near ─► Rendered (RGB, cues)
//!                                                   │ photo: random views, JPEG quality
//!                                                   ▼
//!                                                 Photo
//! ```
//!
//! # What the areas differ in, and what not
//!
//! An area is a *distribution*: `style` holds its tables of fences, façades, pavements, trees, lamps, bollards and
//! signs. Neighbours share entries. A town nudges its area's tables, so that a model that has seen other towns of the
//! area has not seen all. Light, weather, colours of walls and cars, camera height, white balance, exposure, blur and
//! JPEG quality are drawn without looking at the area: a colour betrays nothing, a shape does.
//!
//! # The same picture everywhere
//!
//! [`render`](render::render) is a pure function. Chance comes from ChaCha8 (`dice`), nothing iterates over a hash map
//! to draw, and no clock or file is read. A test holds the hash of a few pictures.
//!
//! ```
//! use kokodoko::world::{View, World, render::render};
//!
//! let world = World::load();
//! let panorama = &world.panoramas(6)[0];
//! let view = View { heading: panorama.road_heading, fov: 90.0, pitch: 0.0, width: 64, height: 64 };
//! let drawn = render(&world, panorama, &view);
//! assert_eq!(drawn.image.dimensions(), (64, 64));
//! ```

mod dice;
pub mod photo;
mod places;
pub mod render;
mod scene;
pub mod serve;
pub mod sheet;
pub mod strays;
mod style;
pub mod tag;

use std::collections::HashMap;

use image::RgbImage;
pub use photo::{PhotoSpec, RenderToError, Written, photos, render_to};
use serde::Serialize;

use crate::domain::{Area, Border, Coordinate};

/// Season in which a panorama was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Season {
    /// March to May.
    Spring,
    /// June to August.
    Summer,
    /// September to November.
    Autumn,
    /// December to February.
    Winter,
}

/// One camera position with everything around it: the drawn world's unit of place.
#[derive(Clone, Debug, PartialEq)]
pub struct Panorama {
    /// Stable identifier, 22 characters of URL-safe base64, as Street View's are.
    pub id: String,
    /// Index into [`World::areas`].
    pub area: usize,
    /// Town (字, `赤坂一丁目`) whose disc holds the position; the unit of splits.
    pub town: String,
    /// Where the camera stands, inside the area's border.
    pub position: Coordinate,
    /// Compass direction of the road, degrees, 0 to 360.
    pub road_heading: f32,
    /// Capture year and month.
    pub captured: (i32, u32),
    /// Season of the capture.
    pub season: Season,
    /// Taken inside a building: what `source=outdoor` leaves out.
    pub indoor: bool,
    /// Seeds all that is random in the scene.
    pub seed: u64,
}

/// A camera's look at a panorama.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Compass direction, degrees, 0 to 360.
    pub heading: f32,
    /// Horizontal field of view, degrees, 10 to 120.
    pub fov: f32,
    /// Up (positive) or down from the horizon, degrees, -90 to 90.
    pub pitch: f32,
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
}

/// A kind of thing that betrays the area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CueKind {
    /// Guard rail or fence between road and pavement.
    Fence,
    /// Pattern of the pavement.
    Pavement,
    /// A building façade of a telling material or height.
    Building,
    /// Street or ward sign.
    Sign,
    /// Tree or planting.
    Tree,
    /// Lying snow, snow pole.
    Snow,
    /// Bollard, lamp, vending machine and the like.
    Furniture,
}

/// Which signs of its area a street shows: to ask what an answer hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    /// Whether its fence stands. Where it does not, everything else is drawn as if it did.
    pub fence: bool,
    /// Whether what is no fence is the area's own; else it is drawn from tables common to all areas, each its share, and
    /// tells nothing.
    pub others: bool,
}

impl Signs {
    /// The world as it is.
    pub const ALL: Self = Self { fence: true, others: true };
}

/// Where a cue is in the picture: ground truth for heatmaps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cue {
    /// What it is.
    pub kind: CueKind,
    /// Left edge, pixels from the left, clipped to the picture.
    pub x: u32,
    /// Top edge, pixels from the top, clipped to the picture.
    pub y: u32,
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
}

/// A drawn picture with its truth.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// RGB, 8 bits a channel, upright.
    pub image: RgbImage,
    /// Visible cues, far to near.
    pub cues: Vec<Cue>,
}

/// A photo as it would come from a camera or a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Index into [`World::areas`].
    pub area: usize,
    /// Where and when it was taken.
    pub panorama: Panorama,
    /// How the camera looked.
    pub view: View,
    /// Baseline JPEG.
    pub jpeg: Vec<u8>,
    /// Ground truth.
    pub cues: Vec<Cue>,
}

/// A town (字, 丁目) of an area: the unit of splits.
#[derive(Clone, Debug, PartialEq)]
pub struct Town {
    /// Name as in the address: `赤坂一丁目`.
    pub name: String,
    /// Centre, inside the area's border; `None` where the address data has none.
    pub center: Option<Coordinate>,
    /// Whether any panorama was ever taken here.
    pub covered: bool,
}

/// All areas, towns and panoramas.
#[derive(Debug)]
pub struct World {
    areas: Vec<Area>,
    towns: Vec<Vec<Town>>,
    panoramas: Vec<Vec<Panorama>>,
    borders: Vec<Border>,
    grid: places::Grid,
    ids: HashMap<String, (usize, usize)>,
}

impl World {
    /// Builds the world from the embedded lists of towns and borders; tens of milliseconds.
    #[must_use]
    pub fn load() -> Self {
        let areas = places::areas();
        let borders = places::borders();
        let towns: Vec<_> = borders.iter().enumerate().map(|(area, border)| places::towns(area, border)).collect();
        let panoramas: Vec<_> =
            (0..areas.len()).map(|area| places::panoramas(area, &borders[area], &towns[area])).collect();
        let grid = places::Grid::new(&panoramas);
        let numbered = panoramas.iter().enumerate().flat_map(|(area, list)| {
            list.iter().enumerate().map(move |(i, panorama)| (panorama.id.clone(), (area, i)))
        });
        let ids = numbered.collect();
        Self { areas, towns, panoramas, borders, grid, ids }
    }

    /// The seven areas: 中央区, 港区, 新宿区, 渋谷区, 江東区, 千代田区 of 東京都, and 北海道旭川市.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// Towns of an area, in the order of the address data.
    ///
    /// # Panics
    /// When `area` is not below `areas().len()`.
    #[must_use]
    pub fn towns(&self, area: usize) -> &[Town] {
        &self.towns[area]
    }

    /// Panoramas of an area, about 2,900, town by town.
    ///
    /// # Panics
    /// When `area` is not below `areas().len()`.
    #[must_use]
    pub fn panoramas(&self, area: usize) -> &[Panorama] {
        &self.panoramas[area]
    }

    /// Whether a position lies inside the border of an area.
    ///
    /// # Panics
    /// When `area` is not below `areas().len()`.
    #[must_use]
    pub fn is_inside(&self, area: usize, at: Coordinate) -> bool {
        self.borders[area].contains(at)
    }

    /// The panorama with this identifier.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Panorama> {
        self.ids.get(id).map(|&(area, i)| &self.panoramas[area][i])
    }

    /// The nearest panorama at most `radius_m` metres away, as Street View snaps a location. Of two equally near ones
    /// the one with the smaller identifier.
    #[must_use]
    pub fn nearest(&self, position: Coordinate, radius_m: f64, outdoor_only: bool) -> Option<&Panorama> {
        // A little wider than the circle, since an offset is exact only near its origin.
        let reach = radius_m * 1.02 + 1.0;
        let (south_west, north_east) = (position.offset_m(-reach, -reach), position.offset_m(reach, reach));
        let near = self.grid.candidates(south_west, north_east).into_iter().map(|(area, i)| &self.panoramas[area][i]);
        let wanted = near.filter(|panorama| !(outdoor_only && panorama.indoor));
        let measured = wanted.map(|panorama| (panorama.position.distance_m(position), panorama));
        let within = measured.filter(|(distance, _)| *distance <= radius_m);
        let nearest = within.min_by(|(a, p), (b, q)| a.total_cmp(b).then_with(|| p.id.cmp(&q.id)));
        nearest.map(|(_, panorama)| panorama)
    }

    /// Panoramas in a box of latitudes and longitudes, borders included, ordered by identifier.
    #[must_use]
    pub fn within(&self, south: f64, west: f64, north: f64, east: f64) -> Vec<&Panorama> {
        let corners = (Coordinate { lat: south, lng: west }, Coordinate { lat: north, lng: east });
        let candidates = self.grid.candidates(corners.0, corners.1).into_iter();
        let panoramas = candidates.map(|(area, i)| &self.panoramas[area][i]);
        let inside =
            |p: &&Panorama| (south..=north).contains(&p.position.lat) && (west..=east).contains(&p.position.lng);
        let mut found: Vec<_> = panoramas.filter(inside).collect();
        found.sort_by(|p, q| p.id.cmp(&q.id));
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn world() -> &'static World {
        static WORLD: std::sync::LazyLock<World> = std::sync::LazyLock::new(World::load);
        &WORLD
    }

    fn all() -> impl Iterator<Item = &'static Panorama> {
        (0..7).flat_map(|area| world().panoramas(area))
    }

    #[test]
    fn areas_have_their_names_and_order() {
        let names: Vec<&str> = world().areas().iter().map(|area| area.area.as_str()).collect();
        let wards = ["東京都中央区", "東京都港区", "東京都新宿区", "東京都渋谷区", "東京都江東区", "東京都千代田区"];
        assert_eq!(names[..6], wards);
        assert_eq!(names[6], "北海道旭川市");
    }

    #[test]
    fn every_area_has_enough_panoramas_inside_its_border_alone() {
        for area in 0..7 {
            let list = world().panoramas(area);
            assert!((2_500..3_500).contains(&list.len()), "{area}: {}", list.len());
            for panorama in list {
                assert!(world().is_inside(area, panorama.position), "{panorama:?}");
                assert_eq!(panorama.area, area);
            }
        }
    }

    #[test]
    fn borders_are_those_of_the_real_areas() {
        let tower = Coordinate { lat: 35.6586, lng: 139.7454 };
        assert_eq!((0..7).filter(|&area| world().is_inside(area, tower)).collect::<Vec<_>>(), [1], "Tokyo Tower");
        let station = Coordinate { lat: 43.7628, lng: 142.3583 };
        assert_eq!(
            (0..7).filter(|&area| world().is_inside(area, station)).collect::<Vec<_>>(),
            [6],
            "Asahikawa station"
        );
    }

    #[test]
    fn identifiers_look_like_street_views_and_are_unique() {
        let ids: HashSet<&str> = all().map(|panorama| panorama.id.as_str()).collect();
        assert_eq!(ids.len(), all().count());
        assert!(
            ids.iter().all(|id| id.len() == 22 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
        );
        assert!(all().step_by(97).all(|panorama| world().by_id(&panorama.id) == Some(panorama)));
        assert_eq!(world().by_id("nowhere"), None);
    }

    #[test]
    fn some_towns_are_uncovered_and_some_panoramas_indoors() {
        let towns = (0..7).flat_map(|area| world().towns(area));
        let uncovered = towns.clone().filter(|town| !town.covered).count() as f64 / towns.clone().count() as f64;
        assert!((0.03..0.08).contains(&uncovered), "{uncovered}");
        let indoor = all().filter(|panorama| panorama.indoor).count() as f64 / all().count() as f64;
        assert!((0.02..0.04).contains(&indoor), "{indoor}");
        let of_uncovered =
            |town: &Town, area: usize| world().panoramas(area).iter().filter(|p| p.town == town.name).count();
        for town in world().towns(0).iter().filter(|town| !town.covered) {
            assert_eq!(of_uncovered(town, 0), 0, "{town:?}");
        }
    }

    #[test]
    fn dates_and_seasons_agree() {
        for panorama in all() {
            let (year, month) = panorama.captured;
            assert!((2015..=2025).contains(&year) && (1..=12).contains(&month));
            assert_eq!(panorama.season == Season::Winter, matches!(month, 12 | 1 | 2));
            assert!((0.0..360.0).contains(&panorama.road_heading));
        }
    }

    #[test]
    fn a_radius_around_the_world_finds_something() {
        let pole = Coordinate { lat: 90.0, lng: 0.0 };
        assert!(world().nearest(pole, 3e7, false).is_some());
        assert_eq!(world().nearest(pole, 1_000.0, false), None);
    }

    proptest! {
        #[test]
        fn nearest_agrees_with_looking_at_all(
            area in 0..7_usize, n in 0..2_500_usize, east in -400.0..400.0_f64, north in -400.0..400.0_f64,
            radius in prop_oneof![Just(50.0_f64), 1.0..3_000.0], outdoor_only: bool,
        ) {
            let at = world().panoramas(area)[n].position.offset_m(east, north);
            let near = all().filter(|p| !(outdoor_only && p.indoor) && p.position.distance_m(at) <= radius);
            let wanted = near.min_by(|p, q| p.position.distance_m(at).total_cmp(&q.position.distance_m(at)));
            prop_assert_eq!(world().nearest(at, radius, outdoor_only), wanted);
        }

        #[test]
        fn within_agrees_with_looking_at_all(area in 0..7_usize, n in 0..2_500_usize, size in 0.0..0.02_f64) {
            let at = world().panoramas(area)[n].position;
            let found = world().within(at.lat - size, at.lng - size, at.lat + size, at.lng + size);
            let inside = |p: &&Panorama| (p.position.lat - at.lat).abs() <= size && (p.position.lng - at.lng).abs() <= size;
            prop_assert_eq!(found.len(), all().filter(inside).count());
            prop_assert!(found.contains(&&world().panoramas(area)[n]));
        }
    }
}

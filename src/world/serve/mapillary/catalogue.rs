//! What volunteers photographed: two to four images at every outdoor panorama.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Coordinate;
use crate::world::dice::{Dice, hash};
use crate::world::serve::drawing::Picture;
use crate::world::{Panorama, View, World};

/// Share of panoramas whose first image is a 360° strip.
const STRIPS: f32 = 0.04;
/// Share of images that structure from motion could place.
const PLACED: f32 = 0.92;
/// Standard deviation of a phone's position along each axis, metres.
const GPS_NOISE_M: f32 = 4.0;
/// No position of an image is farther than this from its panorama, metres: 3.5 deviations on both axes.
pub const LARGEST_ERROR_M: f64 = 20.0;

/// A camera that volunteers carry.
#[derive(Debug, PartialEq)]
pub struct Camera {
    /// Maker.
    pub make: &'static str,
    /// Model.
    pub model: &'static str,
    /// Width and height of its files, pixels.
    pub size: (u32, u32),
    /// Horizontal field of view, degrees.
    fov: f32,
}

const CAMERAS: [Camera; 3] = [
    Camera { make: "Drawn World", model: "Phone 4:3", size: (2_048, 1_536), fov: 66.0 },
    Camera { make: "Drawn World", model: "Dashcam 16:9", size: (1_920, 1_080), fov: 84.0 },
    Camera { make: "Drawn World", model: "Phone 3:2", size: (1_440, 960), fov: 70.0 },
];
const ALL_ROUND: Camera = Camera { make: "Drawn World", model: "Ball 2:1", size: (2_048, 1_024), fov: 360.0 };

/// An image with all that its fields tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// 16 digits.
    pub id: u64,
    /// Where it was taken.
    pub panorama: Panorama,
    /// Where the phone thought it was, inside the area's border.
    pub gps: Coordinate,
    /// Where structure from motion placed it: exactly there. `None` where that failed.
    pub computed: Option<Coordinate>,
    /// Compass direction of the middle, degrees.
    pub heading: f32,
    /// What took it.
    pub camera: &'static Camera,
    /// Shows all directions.
    pub is_strip: bool,
    /// Milliseconds since 1970.
    pub captured_at: i64,
    /// The drive or walk it belongs to: those of a town in a month.
    pub sequence: String,
    /// Number of the volunteer.
    pub creator: u32,
    /// From 0 to 1.
    pub quality: f32,
}

impl Shot {
    /// The position that counts: the computed one where there is one.
    pub fn position(&self) -> Coordinate {
        self.computed.unwrap_or(self.gps)
    }

    /// The image `width` pixels wide, its own size where that is smaller.
    pub fn picture(&self, width: u32) -> Picture {
        let (full_width, full_height) = self.camera.size;
        let width = width.min(full_width);
        if self.is_strip {
            return Picture::Strip { heading: self.heading, width };
        }
        let height = (width * full_height).div_ceil(full_width);
        Picture::View(View { heading: self.heading, fov: self.camera.fov, pitch: 0.0, width, height })
    }
}

/// Finds images by their number; everything else about them is derived from their panorama.
pub struct Catalogue(HashMap<u64, (usize, usize)>);

impl Catalogue {
    /// Numbers the images of every panorama.
    pub fn new(world: &World) -> Self {
        let panoramas = (0..world.areas().len()).flat_map(|area| {
            world.panoramas(area).iter().enumerate().map(move |(index, panorama)| ((area, index), panorama))
        });
        let numbered = panoramas.flat_map(|(key, panorama)| (0..count(panorama)).map(move |k| (id(panorama, k), key)));
        Self(numbered.collect())
    }

    /// The image with this number.
    pub fn find(&self, world: &World, id: &str) -> Option<Shot> {
        let id = id.parse().ok()?;
        let &(area, index) = self.0.get(&id)?;
        shots(world, &world.panoramas(area)[index]).into_iter().find(|shot| shot.id == id)
    }
}

/// The images taken at a panorama, none indoors.
pub fn shots(world: &World, panorama: &Panorama) -> Vec<Shot> {
    (0..count(panorama)).map(|k| shot(world, panorama, k)).collect()
}

fn count(panorama: &Panorama) -> u64 {
    if panorama.indoor { 0 } else { 2 + Dice::new(hash(&["mapillary", &panorama.id]), 0).below(3) as u64 }
}

/// 16 digits, the first not 0.
fn id(panorama: &Panorama, k: u64) -> u64 {
    const FIRST: u64 = 1_000_000_000_000_000;
    FIRST + Dice::new(hash(&["mapillary id", &panorama.id]), k).bits() % (9 * FIRST)
}

fn shot(world: &World, panorama: &Panorama, k: u64) -> Shot {
    // Forwards, backwards, then to the sides.
    const TURNS: [f32; 4] = [0.0, 180.0, 90.0, 270.0];
    let mut dice = Dice::new(hash(&["mapillary shot", &panorama.id]), k);
    let (is_strip, camera) = (dice.chance(STRIPS) && k == 0, dice.below(CAMERAS.len()));
    let (year, month) = panorama.captured;
    let trip = format!("{year}-{month}");
    let mut trip_dice =
        Dice::new(hash(&["mapillary trip", &world.areas()[panorama.area].area, &panorama.town, &trip]), 0);
    Shot {
        id: id(panorama, k),
        panorama: panorama.clone(),
        gps: gps(world, panorama, &mut dice),
        computed: dice.chance(PLACED).then_some(panorama.position),
        heading: (panorama.road_heading + TURNS[k as usize % 4] + 6.0 * dice.bell()).rem_euclid(360.0),
        camera: if is_strip { &ALL_ROUND } else { &CAMERAS[camera] },
        is_strip,
        captured_at: captured_at(panorama, &mut dice),
        sequence: sequence(&mut trip_dice),
        creator: trip_dice.below(400) as u32,
        quality: dice.range(0.3, 1.0),
    }
}

/// The position with a phone's error, unless that would move it into another area.
fn gps(world: &World, panorama: &Panorama, dice: &mut Dice) -> Coordinate {
    let mut error = || f64::from(GPS_NOISE_M * dice.bell());
    let noisy = panorama.position.offset_m(error(), error());
    if world.is_inside(panorama.area, noisy) { noisy } else { panorama.position }
}

/// A moment of daylight (9:00 to 19:00 in Japan) in the month of the panorama.
fn captured_at(panorama: &Panorama, dice: &mut Dice) -> i64 {
    let (year, month) = panorama.captured;
    let day = 1 + dice.below(28) as i64;
    let seconds = dice.below(10 * 60 * 60) as i64;
    (days_since_1970(year.into(), month.into(), day) * 86_400 + seconds) * 1_000
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, from year 1 on. Years begin in March here, so that the
/// leap day is the last and months follow one formula.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469
}

fn sequence(dice: &mut Dice) -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&dice.bits().to_le_bytes());
    bytes[8..].copy_from_slice(&dice.bits().to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(days_since_1970(2000, 2, 29), 11_016);
        assert_eq!(days_since_1970(2024, 3, 1), 19_783);
    }

    #[test]
    fn every_image_has_its_own_number_and_is_found_by_it() {
        let world = World::load();
        let catalogue = Catalogue::new(&world);
        let outdoor = || (0..7).flat_map(|area| world.panoramas(area)).filter(|panorama| !panorama.indoor);
        assert_eq!(catalogue.0.len() as u64, outdoor().map(count).sum::<u64>(), "no number twice");
        for shot in outdoor().step_by(500).flat_map(|panorama| shots(&world, panorama)) {
            assert_eq!(shot.id.to_string().len(), 16);
            assert_eq!(catalogue.find(&world, &shot.id.to_string()), Some(shot));
        }
        assert_eq!(catalogue.find(&world, "7"), None);
        assert_eq!(catalogue.find(&world, "images"), None);
    }

    #[test]
    fn every_image_is_in_its_area_and_near_its_panorama() {
        let world = World::load();
        let (mut total, mut strips, mut placed) = (0, 0, 0);
        for area in 0..7 {
            for shot in world.panoramas(area).iter().flat_map(|panorama| shots(&world, panorama)) {
                assert!(world.is_inside(area, shot.gps) && world.is_inside(area, shot.position()), "{shot:?}");
                assert!(shot.gps.distance_m(shot.panorama.position) < LARGEST_ERROR_M);
                total += 1;
                strips += usize::from(shot.is_strip);
                placed += usize::from(shot.computed.is_some());
            }
        }
        assert!((total / 200..total / 40).contains(&strips), "{strips} strips of {total}");
        assert!((total * 9 / 10..total * 19 / 20).contains(&placed), "{placed} placed of {total}");
    }
}

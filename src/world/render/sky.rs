//! Sky, clouds and mountains.

use super::super::dice::Dice;
use super::super::scene::{Rgb, Scene, Street};
use super::camera::V3;
use super::painter::{Ink, Painter, Plane};

/// Where clouds hang and mountains stand, metres.
const FAR: f32 = 900.0;

/// `a` with a share `t` of `b`.
pub fn blend(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

/// Fills the picture with sky, then hangs clouds and hills into it.
pub fn draw(painter: &mut Painter, scene: &Scene, street: &Street) {
    gradient(painter);
    painter.at_distance(0.0);
    let mut dice = Dice::new(scene.light.seed, 3);
    for _ in 0..scene.light.clouds {
        cloud(painter, &mut dice);
    }
    if let Some(seed) = street.hills {
        hills(painter, seed, scene.snow);
    }
}

fn gradient(painter: &mut Painter) {
    let camera = painter.camera;
    let light = painter.light;
    painter.rows(|row| {
        let elevation = camera.pitch + ((0.5 - row) * camera.height / camera.focal).atan();
        let climb = (elevation / 1.1).clamp(0.0, 1.0);
        blend(light.sky_low, light.sky_top, climb.sqrt() * 0.55 + climb * 0.45)
    });
}

/// A vertical plane that faces the street's origin from far away.
fn backdrop(azimuth: f32) -> Plane {
    let (sin, cos) = (f64::from(azimuth).sin() as f32, f64::from(azimuth).cos() as f32);
    Plane { origin: [sin * FAR, cos * FAR, 0.0], along: [cos, -sin, 0.0], out: [-sin, -cos, 0.0] }
}

fn cloud(painter: &mut Painter, dice: &mut Dice) {
    let plane = backdrop(dice.range(0.0, std::f32::consts::TAU));
    let (base, size) = (dice.range(120.0, 620.0), dice.range(40.0, 120.0));
    let puffs = 4 + dice.below(4);
    let ink = Ink(painter.light.cloud, 0.85);
    let shade = Ink(blend(painter.light.cloud, painter.light.sky_low, 0.45), 0.85);
    let places: Vec<[f32; 3]> = (0..puffs)
        .map(|i| {
            let along = (i as f32 - puffs as f32 / 2.0 + dice.range(0.0, 0.7)) * size * 0.62;
            [along, base + dice.range(-0.08, 0.16) * size, size * dice.range(0.45, 0.8)]
        })
        .collect();
    for (ink, lift) in [(shade, -0.14), (ink, 0.0)] {
        for &[u, v, r] in &places {
            painter.oval(&plane, [u, v + lift * size], [r * 1.25, r * 0.42], ink);
        }
    }
}

/// Two ranges of mountains, the farther one higher, paler, and white at its tops.
fn hills(painter: &mut Painter, seed: u64, snow: bool) {
    let mut dice = Dice::new(seed, 4);
    let base: Rgb = if snow { [0.66, 0.72, 0.80] } else { [0.36, 0.48, 0.50] };
    for (tall, pale, capped) in [(150.0, 0.72, true), (80.0, 0.5, false)] {
        let colour = blend(painter.lit(base, [0.0, 0.0, 1.0]), painter.light.haze, pale);
        let cap = blend(painter.lit([0.95, 0.96, 0.98], [0.0, 0.0, 1.0]), painter.light.haze, pale);
        let peaks = 22_u8;
        for i in 0..peaks {
            let height = dice.range(0.35, 1.0) * tall;
            let plane = backdrop(f32::from(i) / f32::from(peaks) * std::f32::consts::TAU);
            peak(painter, &plane, height, colour, capped.then_some(cap));
        }
    }
}

fn peak(painter: &mut Painter, plane: &Plane, h: f32, colour: Rgb, cap: Option<Rgb>) {
    let half = FAR * 0.34;
    let slope = [[-half, -6.0], [half, -6.0], [half * 0.3, h * 0.72], [0.0, h], [-half * 0.4, h * 0.66]];
    painter.shape(plane, &slope, colour);
    let brow =
        [[-half * 0.2, h * 0.83], [0.0, h], [half * 0.16, h * 0.84], [half * 0.05, h * 0.78], [-half * 0.06, h * 0.86]];
    cap.into_iter().for_each(|cap| painter.shape(plane, &brow, cap));
}

/// Four corners of a flat rectangle at height `z`.
pub fn flat(x0: f32, x1: f32, y0: f32, y1: f32, z: f32) -> [V3; 4] {
    [[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]]
}

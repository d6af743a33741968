//! Road, markings, pavement patterns, water, cast shadows: all that lies flat.

use super::super::dice::Dice;
use super::super::scene::{Building, Crossing, Marking, Rgb, Scene, Side, Street, Thing};
use super::super::style::{Frontage, Pavement};
use super::painter::{Ink, Painter};
use super::pavement;
use super::sky::{blend, flat};

/// Rings of distance along the road; each gets its own haze.
const RINGS: [(f32, f32); 9] = [
    (-420.0, -150.0),
    (-150.0, -70.0),
    (-70.0, -26.0),
    (-26.0, -9.0),
    (-9.0, 9.0),
    (9.0, 26.0),
    (26.0, 70.0),
    (70.0, 150.0),
    (150.0, 420.0),
];
/// Kerbs raise the pavement so much, metres.
pub const KERB: f32 = 0.12;

/// Draws the ground.
pub fn draw(painter: &mut Painter, scene: &Scene, street: &Street) {
    let snow = if scene.snow { 0.75 } else { 0.0 };
    let white = [0.93, 0.94, 0.97];
    let cover = |colour: Rgb, share: f32| blend(colour, white, snow * share);
    let earth = cover([0.52, 0.51, 0.48], 1.0);
    let asphalt = cover(street.asphalt, 0.7);
    for (from, to) in RINGS {
        let up = [0.0, 0.0, 1.0];
        painter.at_distance(from.abs().min(to.abs()));
        let ink = painter.lit(earth, up);
        painter.polygon(&flat(-420.0, 420.0, from, to, -0.02), ink);
        let ink = painter.lit(asphalt, up);
        painter.polygon(&flat(-street.half_road, street.half_road, from, to, 0.0), ink);
    }
    for side in &street.sides {
        beyond(painter, side, &cover);
        sidewalk(painter, side, street, &cover);
    }
    wear(painter, street, scene.light.seed);
    if let Some(crossing) = street.crossing {
        cross_street(painter, street, crossing, asphalt);
    }
    markings(painter, street, if scene.snow { 0.35 } else { 0.9 });
    shadows(painter, street);
}

/// Water, lawn or field behind the pavement.
fn beyond(painter: &mut Painter, side: &Side, cover: &impl Fn(Rgb, f32) -> Rgb) {
    let light = painter.light;
    let (near, far, colour) = match side.frontage {
        Frontage::Buildings => return,
        Frontage::Canal => (0.3, 25.0, blend([0.30, 0.42, 0.46], light.sky_low, 0.35)),
        Frontage::Moat => (0.3, 15.0, blend([0.26, 0.38, 0.34], light.sky_low, 0.28)),
        Frontage::Park => (0.0, 40.0, cover([0.42, 0.54, 0.30], 1.0)),
        Frontage::Fields => (0.0, 300.0, cover([0.56, 0.58, 0.34], 1.0)),
    };
    let water = matches!(side.frontage, Frontage::Canal | Frontage::Moat);
    let (x0, x1) = (side.sign * (side.front + near), side.sign * (side.front + far));
    for (from, to) in RINGS {
        painter.at_distance(from.abs().min(to.abs()).max(side.front));
        let ink = if water { colour.map(|c| c * 0.9) } else { painter.lit(colour, [0.0, 0.0, 1.0]) };
        painter.polygon(&flat(x0, x1, from, to, 0.0), ink);
    }
    painter.at_distance(side.front + 5.0);
    if water {
        ripples(painter, side, far);
    }
    if side.frontage == Frontage::Moat {
        stone_wall(painter, side, x1);
    }
}

fn ripples(painter: &mut Painter, side: &Side, far: f32) {
    let mut dice = Dice::new(side.front.to_bits().into(), 5);
    for _ in 0..70 {
        let x = side.sign * (side.front + dice.range(1.5, far - 1.0));
        let (y, length) = (dice.range(-60.0, 60.0), dice.range(1.0, 4.0));
        painter.polygon(&flat(x, x + 0.22, y, y + length, 0.01), Ink(painter.light.sky_low, 0.4));
    }
}

/// The dry-stone wall of a castle moat, leaning back.
fn stone_wall(painter: &mut Painter, side: &Side, x: f32) {
    let back = x + side.sign * 2.4;
    let normal = [-side.sign * 0.93, 0.0, 0.36];
    let ink = painter.lit([0.50, 0.48, 0.44], normal);
    painter.polygon(&[[x, -110.0, 0.0], [x, 110.0, 0.0], [back, 110.0, 6.5], [back, -110.0, 6.5]], ink);
    let mut dice = Dice::new(side.front.to_bits().into(), 6);
    let shades = [[0.58, 0.56, 0.51], [0.43, 0.42, 0.39]];
    for shade in shades {
        let ink = painter.lit(shade, normal);
        for row in 0..6 {
            let (low, high) = (row as f32 * 1.08 + 0.06, row as f32 * 1.08 + 1.0);
            let lean = |z: f32| x + side.sign * 2.4 * z / 6.5;
            let mut y = -60.0 + dice.range(0.0, 2.0);
            while y < 60.0 {
                let length = dice.range(0.9, 2.0);
                let skew = dice.range(-0.25, 0.25);
                painter.polygon(
                    &[
                        [lean(low), y, low],
                        [lean(low), y + length, low],
                        [lean(high), y + length + skew, high],
                        [lean(high), y + skew, high],
                    ],
                    ink,
                );
                y += length + dice.range(0.8, 2.6);
            }
        }
    }
}

fn sidewalk(painter: &mut Painter, side: &Side, street: &Street, cover: &impl Fn(Rgb, f32) -> Rgb) {
    let (x0, x1) = (street.half_road, side.front);
    let base = if side.pavement == Pavement::Asphalt { street.asphalt.map(|c| c * 1.12) } else { side.paving[0] };
    let s = side.sign;
    for (from, to) in RINGS {
        painter.at_distance(from.abs().min(to.abs()));
        let ink = painter.lit(cover(base, 1.0), [0.0, 0.0, 1.0]);
        painter.polygon(&flat(s * x0, s * x1, from, to, KERB), ink);
    }
    painter.at_distance(5.0);
    let ink = painter.lit(cover(side.paving[1], 0.8), [0.0, 0.0, 1.0]);
    pavement::draw(painter, side, [x0 + 0.2, x1], ink);
    if side.tactile {
        tactile(painter, s * (x0 + x1) / 2.0, cover);
    }
    let kerb = painter.lit(cover([0.74, 0.73, 0.71], 0.8), [0.0, 0.0, 1.0]);
    let face = painter.lit(cover([0.64, 0.63, 0.61], 0.6), [-s, 0.0, 0.0]);
    painter.polygon(&flat(s * x0, s * (x0 + 0.18), -150.0, 150.0, KERB), kerb);
    let edge = s * x0;
    painter.polygon(&[[edge, -150.0, 0.0], [edge, 150.0, 0.0], [edge, 150.0, KERB], [edge, -150.0, KERB]], face);
}

fn tactile(painter: &mut Painter, x: f32, cover: &impl Fn(Rgb, f32) -> Rgb) {
    let yellow = painter.lit(cover([0.86, 0.70, 0.26], 0.9), [0.0, 0.0, 1.0]);
    painter.polygon(&flat(x - 0.18, x + 0.18, -60.0, 60.0, KERB), yellow);
    let dark = painter.lit(cover([0.70, 0.55, 0.18], 0.9), [0.0, 0.0, 1.0]);
    for line in [-0.09, 0.0, 0.09] {
        painter.polygon(&flat(x + line - 0.012, x + line + 0.012, -12.0, 12.0, KERB), dark);
    }
}

/// Patches and a manhole on the road.
fn wear(painter: &mut Painter, street: &Street, seed: u64) {
    let mut dice = Dice::new(seed, 7);
    painter.at_distance(6.0);
    for _ in 0..6 {
        let (x, y) = (dice.range(-0.8, 0.6) * street.half_road, dice.range(-25.0, 25.0));
        let (w, l) = (dice.range(0.5, 1.6), dice.range(1.0, 6.0));
        painter.polygon(&flat(x, x + w, y, y + l, 0.0), Ink([0.12, 0.12, 0.13], 0.10));
    }
    for _ in 0..4 {
        let at = [dice.range(-0.7, 0.7) * street.half_road, dice.range(-20.0, 20.0), 0.0];
        let rim = painter.lit([0.40, 0.40, 0.40], [0.0, 0.0, 1.0]);
        painter.flat_oval(at, [0.34, 0.34], rim);
        let lid = painter.lit([0.30, 0.30, 0.31], [0.0, 0.0, 1.0]);
        painter.flat_oval(at, [0.28, 0.28], lid);
    }
}

fn cross_street(painter: &mut Painter, street: &Street, crossing: Crossing, asphalt: Rgb) {
    let (low, high) = (crossing.y - crossing.half, crossing.y + crossing.half);
    painter.at_distance(crossing.y.abs());
    let ink = painter.lit(asphalt, [0.0, 0.0, 1.0]);
    painter.polygon(&flat(-90.0, 90.0, low, high, KERB), ink);
    let white = Ink(painter.lit([0.95, 0.95, 0.93], [0.0, 0.0, 1.0]), 0.9);
    for end in [-1.0, 1.0] {
        let y = crossing.y + end * (crossing.half + 2.4);
        let mut x = -street.half_road + 0.3;
        while x < street.half_road - 0.4 {
            painter.polygon(&flat(x, x + 0.45, y - 1.4, y + 1.4, 0.0), white);
            x += 0.9;
        }
        let stop = crossing.y + end * (crossing.half + 5.0);
        let lane = if end < 0.0 { [-street.half_road + 0.2, -0.2] } else { [0.2, street.half_road - 0.2] };
        painter.polygon(&flat(lane[0], lane[1], stop, stop + 0.35, 0.0), white);
    }
}

fn markings(painter: &mut Painter, street: &Street, opacity: f32) {
    let up = [0.0, 0.0, 1.0];
    let white = Ink(painter.lit([0.95, 0.95, 0.93], up), opacity);
    let orange = Ink(painter.lit([0.90, 0.66, 0.24], up), opacity);
    let clear = |y0: f32, y1: f32| !street.crossing.is_some_and(|c| y1 > c.y - c.half - 5.0 && y0 < c.y + c.half + 5.0);
    painter.at_distance(8.0);
    let mut y = -110.0;
    while y < 110.0 {
        if clear(y, y + 4.0) {
            match street.marking {
                Marking::Dashes if (y as i32).rem_euclid(8) == 2 => {
                    painter.polygon(&flat(-0.075, 0.075, y, y + 4.0, 0.0), white)
                }
                Marking::Orange => painter.polygon(&flat(-0.075, 0.075, y, y + 4.0, 0.0), orange),
                _ => {}
            }
            for edge in [-1.0, 1.0] {
                let x = edge * (street.half_road - 0.45);
                painter.polygon(&flat(x - 0.07, x + 0.07, y, y + 4.0, 0.0), white);
            }
        }
        y += 4.0;
    }
}

/// Shadows of the first row of buildings, united into one shape so that they do not add up.
fn shadows(painter: &mut Painter, street: &Street) {
    if painter.light.shadow <= 0.0 {
        return;
    }
    painter.at_distance(0.0);
    let sun = painter.light.sun_direction;
    let ink = Ink([0.10, 0.12, 0.22], painter.light.shadow);
    for item in &street.items {
        let Thing::Building(Building { width, height, .. }) = &item.thing else { continue };
        if item.x.abs() > street.half_road + 8.0 || item.x * sun[0] <= 0.0 {
            continue;
        }
        let (reach_x, reach_y) = (-sun[0] / sun[2] * height, -sun[1] / sun[2] * height);
        let limit = street.sides.iter().map(|side| side.front).fold(0.0, f32::max);
        let share = ((limit + item.x.abs()) / reach_x.abs().max(0.01)).min(1.0);
        let (y0, y1) = (item.y - width / 2.0, item.y + width / 2.0);
        let (far_x, far_y) = (item.x + reach_x * share, reach_y * share);
        painter
            .polygon(&[[item.x, y0, 0.0], [item.x, y1, 0.0], [far_x, y1 + far_y, 0.0], [far_x, y0 + far_y, 0.0]], ink);
    }
}

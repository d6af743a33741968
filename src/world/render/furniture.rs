//! Poles, machines, boxes, benches: what stands on a pavement of any area.

use super::super::dice::Dice;
use super::super::scene::{Item, Rgb, Scene, Thing};
use super::painter::{Painter, Plane};
use super::{bollard, lamp, sign};

/// Draws a piece of street furniture.
pub fn draw(painter: &mut Painter, scene: &Scene, item: &Item, distance: f32) {
    match &item.thing {
        Thing::Lamp { style, colour } => lamp::draw(painter, *style, *colour, item),
        Thing::Bollard { style, colour } => bollard::draw(painter, *style, *colour, item),
        Thing::Sign { style, colour } => sign::draw(painter, *style, *colour, item),
        Thing::Direction => direction(painter, item),
        Thing::Signal => signal(painter, item),
        Thing::Pole { span } => pole(painter, *span, item, distance),
        Thing::SnowPole => snow_pole(painter, item),
        Thing::SnowBank { length, height } => snow_bank(painter, *length, *height, item),
        Thing::Vending => vending(painter, item),
        Thing::PostBox => post_box(painter, item),
        Thing::Bench => bench(painter, item),
        Thing::BusStop => bus_stop(painter, scene, item),
        // Drawn by their own modules.
        Thing::Building(_)
        | Thing::Block { .. }
        | Thing::Fence { .. }
        | Thing::Parapet { .. }
        | Thing::Tree { .. }
        | Thing::Bicycle
        | Thing::Person
        | Thing::Vehicle { .. } => {}
    }
}

/// The normal of the ground.
pub const UP: [f32; 3] = [0.0, 0.0, 1.0];

/// An upright pole at the item.
pub fn mast(painter: &mut Painter, item: &Item, height: f32, width: f32, ink: Rgb) {
    painter.line([item.x, item.y, 0.0], [item.x, item.y, height], width, ink);
}

/// A plane across the road at the item; `u` runs from the item to the road's middle.
pub fn across(item: &Item) -> Plane {
    Plane { origin: [item.x, item.y, 0.0], along: [-item.x.signum(), 0.0, 0.0], out: [0.0, -1.0, 0.0] }
}

/// Cloth and paint of banners and bus stops.
pub const BANNERS: [Rgb; 5] =
    [[0.72, 0.26, 0.24], [0.22, 0.40, 0.60], [0.26, 0.50, 0.40], [0.88, 0.66, 0.26], [0.54, 0.34, 0.56]];

fn direction(painter: &mut Painter, item: &Item) {
    let post = painter.lit([0.66, 0.67, 0.68], [0.0, -0.6, 0.4]);
    mast(painter, item, 5.8, 0.2, post);
    let plane = across(item);
    painter.line(plane.at(0.0, 5.6, 0.0), plane.at(3.4, 5.6, 0.0), 0.14, post);
    let blue = painter.lit([0.12, 0.30, 0.60], [0.0, 0.0, 0.8]);
    let white = painter.lit([0.95; 3], [0.0, 0.0, 0.8]);
    painter.rect(&plane, [0.7, 4.4, 3.5, 6.3], 0.0, white);
    painter.rect(&plane, [0.76, 4.46, 3.44, 6.24], 0.01, blue);
    painter.line(plane.at(2.1, 4.6, 0.02), plane.at(2.1, 5.9, 0.02), 0.14, white);
    painter.line(plane.at(1.2, 5.2, 0.02), plane.at(3.0, 5.2, 0.02), 0.14, white);
    for (u, v) in [(1.0, 5.55), (2.5, 5.55), (1.0, 4.75), (2.5, 4.75)] {
        painter.rect(&plane, [u, v, u + 0.7, v + 0.16], 0.02, white);
    }
}

fn signal(painter: &mut Painter, item: &Item) {
    let post = painter.lit([0.62, 0.63, 0.62], [0.0, -0.6, 0.4]);
    mast(painter, item, 5.5, 0.18, post);
    let plane = across(item);
    painter.line(plane.at(0.0, 5.3, 0.0), plane.at(2.6, 5.4, 0.0), 0.1, post);
    let case = painter.lit([0.30, 0.32, 0.32], [0.0, 0.0, 0.8]);
    painter.rect(&plane, [1.4, 5.1, 2.7, 5.55], 0.0, case);
    let green = Dice::new(item.seed, 52).chance(0.5);
    let dim = [0.16, 0.17, 0.17];
    let lights = [
        (1.63, if green { [0.30, 0.85, 0.66] } else { dim }),
        (2.05, dim),
        (2.47, if green { dim } else { [0.92, 0.24, 0.20] }),
    ];
    for (u, ink) in lights {
        painter.oval(&plane, [u, 5.32], [0.16, 0.16], ink);
    }
}

fn pole(painter: &mut Painter, span: f32, item: &Item, distance: f32) {
    let concrete = painter.lit([0.60, 0.58, 0.55], [0.0, -0.6, 0.4]);
    let wire = painter.lit([0.18, 0.18, 0.20], UP);
    let height = 9.4;
    let (x, y) = (item.x, item.y);
    for (v, reach, sag) in [(9.1, 0.75, 0.5), (9.1, -0.75, 0.5), (8.1, 0.5, 0.7), (6.4, 0.2, 0.8), (6.0, 0.2, 0.9)] {
        let at = |t: f32| [x + reach, y + t * span, v - sag * 4.0 * t * (1.0 - t)];
        let width = if v < 7.0 { 0.05 } else { 0.03 };
        (0..6).for_each(|i| painter.line(at(i as f32 / 6.0), at((i + 1) as f32 / 6.0), width, wire));
    }
    mast(painter, item, height, 0.3, concrete);
    for v in [9.05, 8.1] {
        painter.line([x - 0.9, y, v], [x + 0.9, y, v], 0.1, wire);
    }
    if distance < 60.0 && Dice::new(item.seed, 53).chance(0.6) {
        let grey = painter.lit([0.66, 0.67, 0.66], [0.0, -0.6, 0.5]);
        painter.line([x + 0.38, y, 6.9], [x + 0.38, y, 7.8], 0.5, grey);
    }
    let band = painter.lit([0.86, 0.72, 0.26], [0.0, -0.6, 0.4]);
    painter.line([x, y, 0.5], [x, y, 1.7], 0.31, band);
}

/// 矢羽根: the arrow over the road's edge that shows ploughs where the road ends.
fn snow_pole(painter: &mut Painter, item: &Item) {
    let steel = painter.lit([0.70, 0.71, 0.72], [0.0, -0.6, 0.4]);
    mast(painter, item, 4.7, 0.13, steel);
    let plane = across(item);
    painter.line(plane.at(0.0, 4.65, 0.0), plane.at(0.9, 4.65, 0.0), 0.12, steel);
    let inks = [painter.lit([0.82, 0.20, 0.16], [0.0, 0.0, 0.8]), painter.lit([0.95, 0.95, 0.93], [0.0, 0.0, 0.8])];
    let outline = [[0.6, 4.55], [1.2, 4.55], [1.2, 3.55], [0.9, 3.15], [0.6, 3.55]];
    painter.shape(&plane, &outline, inks[0]);
    for v in [3.65, 4.15] {
        painter.shape(
            &plane,
            &[[0.6, v], [0.9, v - 0.25], [1.2, v], [1.2, v + 0.22], [0.9, v - 0.03], [0.6, v + 0.22]],
            inks[1],
        );
    }
}

fn snow_bank(painter: &mut Painter, length: f32, height: f32, item: &Item) {
    let mut dice = Dice::new(item.seed, 54);
    let s = item.x.signum();
    let slope = painter.lit([0.90, 0.92, 0.96], [-s * 0.7, 0.0, 0.7]);
    let top = painter.lit([0.96, 0.97, 0.99], UP);
    let (y0, y1) = (item.y - length / 2.0, item.y + length / 2.0);
    let steps = 5;
    let ridge: Vec<[f32; 2]> =
        (0..=steps).map(|i| [y0 + (y1 - y0) * i as f32 / steps as f32, height * dice.range(0.75, 1.1)]).collect();
    let mut face: Vec<[f32; 3]> = ridge.iter().map(|&[y, z]| [item.x - s * 0.1, y, z]).collect();
    face.extend([[item.x - s * 0.65, y1, 0.0], [item.x - s * 0.65, y0, 0.0]]);
    let mut crest: Vec<[f32; 3]> = ridge.iter().map(|&[y, z]| [item.x - s * 0.1, y, z]).collect();
    crest.extend(ridge.iter().rev().map(|&[y, z]| [item.x + s * 0.35, y, z * 0.8]));
    painter.polygon(&crest, top);
    painter.polygon(&face, slope);
}

fn vending(painter: &mut Painter, item: &Item) {
    let mut dice = Dice::new(item.seed, 55);
    let s = item.x.signum();
    for i in 0..1 + dice.below(2) {
        let y = item.y + i as f32 * 1.1;
        let colour = dice.pick(&[[0.80, 0.20, 0.18], [0.92, 0.92, 0.90], [0.18, 0.34, 0.62]]);
        painter.cuboid([item.x - 0.35, y - 0.5, 0.1], [item.x + 0.35, y + 0.5, 1.95], colour);
        let plane = Plane { origin: [item.x - s * 0.36, y - 0.5, 0.0], along: [0.0, 1.0, 0.0], out: [-s, 0.0, 0.0] };
        let window = if painter.light.lamps { [0.98, 0.97, 0.90] } else { painter.lit([0.88, 0.92, 0.94], plane.out) };
        painter.rect(&plane, [0.1, 0.95, 0.9, 1.8], 0.0, window);
        let cans = [[0.76, 0.26, 0.24], [0.22, 0.44, 0.62], [0.30, 0.52, 0.34], [0.86, 0.66, 0.26]];
        for n in 0..12 {
            let (u, v) = (0.15 + (n % 4) as f32 * 0.19, 1.02 + (n / 4) as f32 * 0.26);
            let can = painter.lit(dice.pick(&cans), plane.out);
            painter.rect(&plane, [u, v, u + 0.12, v + 0.18], 0.0, can);
        }
        painter.rect(&plane, [0.2, 0.3, 0.8, 0.5], 0.0, [0.15, 0.15, 0.16]);
    }
}

fn post_box(painter: &mut Painter, item: &Item) {
    let red = [0.78, 0.20, 0.16];
    painter.cuboid([item.x - 0.1, item.y - 0.1, 0.1], [item.x + 0.1, item.y + 0.1, 0.8], [0.4, 0.4, 0.4]);
    painter.cuboid([item.x - 0.24, item.y - 0.3, 0.75], [item.x + 0.24, item.y + 0.3, 1.45], red);
}

fn bench(painter: &mut Painter, item: &Item) {
    let wood = [0.60, 0.44, 0.30];
    for leg in [-0.65, 0.65] {
        painter.cuboid(
            [item.x - 0.2, item.y + leg - 0.05, 0.1],
            [item.x + 0.2, item.y + leg + 0.05, 0.45],
            [0.3, 0.3, 0.3],
        );
    }
    painter.cuboid([item.x - 0.25, item.y - 0.85, 0.45], [item.x + 0.25, item.y + 0.85, 0.53], wood);
    let s = item.x.signum();
    let back = item.x + s * 0.22;
    painter.cuboid([back - 0.03, item.y - 0.85, 0.65], [back + 0.03, item.y + 0.85, 0.95], wood);
}

fn bus_stop(painter: &mut Painter, scene: &Scene, item: &Item) {
    let steel = painter.lit([0.60, 0.61, 0.62], [0.0, -0.6, 0.4]);
    mast(painter, item, 2.5, 0.09, steel);
    let board = painter.billboard(item.x, item.y);
    let white = painter.lit([0.95, 0.95, 0.92], [0.0, 0.0, 0.8]);
    let disc = painter.lit(Dice::new(scene.light.seed, 56).pick(&BANNERS), [0.0, 0.0, 0.8]);
    painter.rect(&board, [-0.25, 1.0, 0.25, 1.9], 0.0, white);
    painter.oval(&board, [0.0, 2.4], [0.36, 0.36], disc);
    painter.oval(&board, [0.0, 2.4], [0.26, 0.26], white);
    painter.rect(&board, [-0.2, 2.34, 0.2, 2.46], 0.0, disc);
}

//! The inside of a shop or café, for panoramas that are no street.

use super::super::dice::Dice;
use super::super::scene::Rgb;
use super::painter::{Ink, Painter, Plane};
use super::sky::{blend, flat};

const WALLS: [Rgb; 4] = [[0.90, 0.87, 0.80], [0.78, 0.82, 0.80], [0.86, 0.80, 0.76], [0.74, 0.74, 0.76]];
const WOODS: [Rgb; 3] = [[0.62, 0.46, 0.32], [0.48, 0.34, 0.25], [0.74, 0.60, 0.44]];

/// Draws a room with shelves, tables and a window around the camera.
pub fn draw(painter: &mut Painter, seed: u64) {
    let mut dice = Dice::new(seed, 61);
    let (w, l, h) = (dice.range(3.0, 5.0), dice.range(4.0, 7.0), dice.range(2.6, 3.4));
    let (wall, wood) = (dice.pick(&WALLS), dice.pick(&WOODS));
    painter.rows(|_| wall);
    shell(painter, wall, wood, [w, l, h]);
    for (plane, _) in walls([w, l]) {
        match dice.below(3) {
            0 => window(painter, &plane, wood),
            1 => shelf(painter, &plane, wood, &mut dice),
            _ => pictures(painter, &plane, &mut dice),
        }
    }
    let mut tables: Vec<[f32; 2]> = (0..5)
        .map(|i| [dice.range(-0.7, 0.7) * w, (1.4 + dice.range(0.0, l - 2.2)) * if i % 2 == 0 { 1.0 } else { -1.0 }])
        .collect();
    tables.sort_by(|a, b| b[0].hypot(b[1]).total_cmp(&a[0].hypot(a[1])));
    let seat = dice.pick(&[[0.30, 0.40, 0.44], [0.66, 0.34, 0.28], [0.36, 0.42, 0.32]]);
    tables.into_iter().for_each(|at| table(painter, at, wood, seat));
}

/// A table for two.
fn table(painter: &mut Painter, [x, y]: [f32; 2], wood: Rgb, seat: Rgb) {
    painter.flat_oval([x, y, 0.0], [0.9, 0.7], Ink([0.1, 0.08, 0.06], 0.2));
    // The chair behind the table is painted first.
    let far = (x - painter.camera.eye[0]).signum();
    for side in [far, -far] {
        let (chair, back) = (x + side * 0.75, x + side * 0.95);
        painter.cuboid([chair - 0.2, y - 0.2, 0.0], [chair + 0.2, y + 0.2, 0.45], seat);
        painter.cuboid([back - 0.03, y - 0.2, 0.45], [back + 0.03, y + 0.2, 0.9], seat);
        if side == far {
            painter.cuboid([x - 0.05, y - 0.05, 0.0], [x + 0.05, y + 0.05, 0.7], [0.25, 0.25, 0.26]);
            painter.cuboid([x - 0.5, y - 0.4, 0.7], [x + 0.5, y + 0.4, 0.76], wood);
        }
    }
}

fn shell(painter: &mut Painter, wall: Rgb, wood: Rgb, [w, l, h]: [f32; 3]) {
    let floor = painter.lit(wood, [0.0, 0.0, 1.0]);
    painter.polygon(&flat(-w, w, -l, l, 0.0), floor);
    let joint = blend(floor, [0.1; 3], 0.25);
    let boards = (w * 2.0 / 0.4) as i32;
    for i in 0..boards {
        let x = -w + i as f32 * 0.4;
        painter.polygon(&flat(x, x + 0.03, -l, l, 0.0), joint);
    }
    // Lamps throw light on the floor, which throws it back to the ceiling.
    let ceiling = [0.82, 0.81, 0.78];
    painter.polygon(&flat(-w, w, -l, l, h), ceiling);
    for y in [-0.5, 0.0, 0.5] {
        painter.polygon(&flat(-0.2, 0.2, y * l - 0.6, y * l + 0.6, h - 0.01), [1.0, 0.99, 0.94]);
    }
    for (plane, half) in walls([w, l]) {
        let ink = painter.lit(wall, plane.out);
        painter.rect(&plane, [-half, 0.0, half, h], 0.0, ink);
        let skirting = painter.lit(wood.map(|c| c * 0.8), plane.out);
        painter.rect(&plane, [-half, 0.0, half, 0.12], 0.0, skirting);
    }
}

/// The four walls with half their lengths; `u = 0` is the middle of each.
fn walls([w, l]: [f32; 2]) -> [(Plane, f32); 4] {
    [
        (Plane { origin: [-w, 0.0, 0.0], along: [0.0, 1.0, 0.0], out: [1.0, 0.0, 0.0] }, l),
        (Plane { origin: [w, 0.0, 0.0], along: [0.0, 1.0, 0.0], out: [-1.0, 0.0, 0.0] }, l),
        (Plane { origin: [0.0, -l, 0.0], along: [1.0, 0.0, 0.0], out: [0.0, 1.0, 0.0] }, w),
        (Plane { origin: [0.0, l, 0.0], along: [1.0, 0.0, 0.0], out: [0.0, -1.0, 0.0] }, w),
    ]
}

fn window(painter: &mut Painter, plane: &Plane, wood: Rgb) {
    let frame = painter.lit(wood, plane.out);
    painter.rect(plane, [-1.6, 0.9, 1.6, 2.3], 0.0, frame);
    for u in [-1.5, 0.05] {
        painter.rect(plane, [u, 1.0, u + 1.45, 2.2], 0.0, [0.84, 0.91, 0.95]);
    }
}

fn shelf(painter: &mut Painter, plane: &Plane, wood: Rgb, dice: &mut Dice) {
    let board = painter.lit(wood, plane.out);
    let back = painter.lit(wood.map(|c| c * 0.6), plane.out);
    painter.rect(plane, [-1.8, 0.1, 1.8, 2.2], 0.02, back);
    for row in 0..5 {
        let v = 0.15 + row as f32 * 0.42;
        let mut u = -1.75;
        while u < 1.6 {
            let (width, height) = (dice.range(0.06, 0.16), dice.range(0.2, 0.34));
            let tone = [dice.range(0.3, 0.85), dice.range(0.3, 0.75), dice.range(0.3, 0.7)];
            let ink = painter.lit(tone, plane.out);
            painter.rect(plane, [u, v, u + width, v + height], 0.03, ink);
            u += width + 0.015;
        }
        painter.rect(plane, [-1.8, v - 0.05, 1.8, v], 0.04, board);
    }
}

fn pictures(painter: &mut Painter, plane: &Plane, dice: &mut Dice) {
    for u in [-1.2, 0.2] {
        painter.rect(plane, [u, 1.2, u + 0.9, 1.9], 0.02, [0.24, 0.22, 0.20]);
        let tone = [dice.range(0.5, 0.9), dice.range(0.5, 0.85), dice.range(0.5, 0.8)];
        painter.rect(plane, [u + 0.06, 1.26, u + 0.84, 1.84], 0.02, tone);
    }
}

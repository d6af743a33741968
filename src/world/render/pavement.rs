//! Patterns of pavements: the second colour that is laid into the first.

use super::super::scene::{Rgb, Side};
use super::super::style::Pavement;
use super::camera::V3;
use super::ground::KERB;
use super::painter::Painter;
use super::sky::flat;

/// Patterns of the pavement are drawn this far, metres along the road.
const PATTERN_REACH: f32 = 22.0;

/// Draws the second colour of a pavement between two distances from the road's middle.
pub fn draw(painter: &mut Painter, side: &Side, [x0, x1]: [f32; 2], ink: Rgb) {
    let s = side.sign;
    let mut quad = |a: [f32; 4]| {
        let [u0, u1, y0, y1] = a;
        let (u0, u1) = (u0.max(x0), u1.min(x1));
        if u1 > u0 {
            painter.polygon(&flat(s * u0, s * u1, y0, y1, KERB), ink);
        }
    };
    let steps = |step: f32| {
        let count = (PATTERN_REACH / step) as i32;
        (-count..count).map(move |i| i as f32 * step)
    };
    match side.pavement {
        Pavement::Asphalt => {
            quad([x0 + 0.3, x0 + 1.3, -7.0, -3.0]);
            quad([x0 + 0.6, x0 + 1.8, 5.0, 7.4]);
        }
        Pavement::Slabs => {
            steps(0.8).for_each(|y| quad([x0, x1, y, y + 0.07]));
            let columns = ((x1 - x0) / 0.8) as i32;
            (0..=columns)
                .for_each(|i| quad([x0 + i as f32 * 0.8, x0 + i as f32 * 0.8 + 0.07, -PATTERN_REACH, PATTERN_REACH]));
        }
        Pavement::Courses => {
            for (row, y) in steps(0.42).enumerate() {
                quad([x0, x1, y, y + 0.07]);
                let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
                (0..5).for_each(|i| {
                    let u = x0 + shift + i as f32;
                    quad([u, u + 0.07, y, y + 0.42]);
                });
            }
        }
        Pavement::Bands => {
            steps(3.0).for_each(|y| quad([x0, x1, y, y + 0.7]));
            quad([x0, x0 + 0.45, -40.0, 40.0]);
            quad([x1 - 0.45, x1, -40.0, 40.0]);
        }
        Pavement::Checker => {
            for (row, y) in steps(0.6).enumerate() {
                (0..4).for_each(|i| {
                    let u = x0 + (i * 2 + row % 2) as f32 * 0.6;
                    quad([u, u + 0.6, y, y + 0.6]);
                });
            }
        }
        Pavement::Herringbone => zigzag(painter, s, [x0, x1], ink),
        Pavement::Hexagons => hexagons(painter, s, [x0, x1], ink),
        Pavement::Fans => fans(painter, s, [x0, x1], ink),
    }
}

fn zigzag(painter: &mut Painter, s: f32, [x0, x1]: [f32; 2], ink: Rgb) {
    let count = (PATTERN_REACH / 0.7) as i32;
    let teeth = 4;
    let step = (x1 - x0) / teeth as f32;
    for i in -count..count {
        let y = i as f32 * 0.7;
        for tooth in 0..teeth {
            let (u, rise) = (x0 + tooth as f32 * step, if tooth % 2 == 0 { 0.5 } else { -0.5 });
            let start = if tooth % 2 == 0 { y } else { y + 0.5 };
            painter.polygon(
                &[
                    [s * u, start, KERB],
                    [s * (u + step), start + rise, KERB],
                    [s * (u + step), start + rise + 0.24, KERB],
                    [s * u, start + 0.24, KERB],
                ],
                ink,
            );
        }
    }
}

fn hexagons(painter: &mut Painter, s: f32, [x0, x1]: [f32; 2], ink: Rgb) {
    let r = 0.46;
    let rows = (PATTERN_REACH / (r * 1.5)) as i32;
    let columns = ((x1 - x0) / (r * 1.732)) as i32;
    for row in -rows..rows {
        for column in 0..columns {
            if (row + column * 2).rem_euclid(3) == 0 {
                continue;
            }
            let shift = if row.rem_euclid(2) == 0 { 0.5 } else { 1.0 };
            let (u, y) = (x0 + (column as f32 + shift) * r * 1.732, row as f32 * r * 1.5);
            let (w, h) = (r * 0.76, r * 0.88);
            let corners = [[0.0, -h], [w, -h / 2.0], [w, h / 2.0], [0.0, h], [-w, h / 2.0], [-w, -h / 2.0]];
            painter.polygon(&corners.map(|[a, b]| [s * (u + a), y + b, KERB]), ink);
        }
    }
}

fn fans(painter: &mut Painter, s: f32, [x0, x1]: [f32; 2], ink: Rgb) {
    let r = 0.62;
    let rows = (PATTERN_REACH / r) as i32;
    let columns = ((x1 - x0) / (2.0 * r)) as i32;
    for row in -rows..rows {
        for column in 0..=columns {
            let shift = if row.rem_euclid(2) == 0 { 0.0 } else { 1.0 };
            let (u, y) = (x0 + (column as f32 * 2.0 + shift) * r, row as f32 * r);
            let arc = |radius: f32, i: i32| -> V3 {
                let angle = f64::from(i) / 6.0 * std::f64::consts::PI;
                let x = (u + radius * angle.cos() as f32).clamp(x0, x1);
                [s * x, y + radius * angle.sin() as f32, KERB]
            };
            let band: Vec<V3> = (0..=6).map(|i| arc(r, i)).chain((0..=6).rev().map(|i| arc(r * 0.72, i))).collect();
            painter.polygon(&band, ink);
        }
    }
}

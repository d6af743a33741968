//! Strokes that read as letters from across a street, without any font.

use super::camera::V3;
use super::painter::{Ink, Painter, Plane};

/// Strokes `[u0, v0, u1, v1]` in the unit square.
type Glyph = &'static [[f32; 4]];

const GLYPHS: [Glyph; 8] = [
    // 田
    &[
        [0.1, 0.1, 0.9, 0.2],
        [0.1, 0.8, 0.9, 0.9],
        [0.1, 0.1, 0.22, 0.9],
        [0.78, 0.1, 0.9, 0.9],
        [0.44, 0.1, 0.56, 0.9],
        [0.1, 0.45, 0.9, 0.55],
    ],
    // 日
    &[
        [0.2, 0.05, 0.32, 0.95],
        [0.68, 0.05, 0.8, 0.95],
        [0.2, 0.85, 0.8, 0.95],
        [0.2, 0.45, 0.8, 0.55],
        [0.2, 0.05, 0.8, 0.15],
    ],
    // 工
    &[[0.1, 0.8, 0.9, 0.92], [0.43, 0.1, 0.57, 0.85], [0.05, 0.06, 0.95, 0.18]],
    // 山
    &[[0.1, 0.1, 0.22, 0.6], [0.78, 0.1, 0.9, 0.6], [0.44, 0.1, 0.56, 0.95], [0.1, 0.08, 0.9, 0.2]],
    // 三
    &[[0.15, 0.78, 0.85, 0.9], [0.22, 0.45, 0.78, 0.57], [0.08, 0.1, 0.92, 0.22]],
    // 中
    &[
        [0.15, 0.4, 0.27, 0.8],
        [0.73, 0.4, 0.85, 0.8],
        [0.15, 0.7, 0.85, 0.8],
        [0.15, 0.35, 0.85, 0.45],
        [0.44, 0.02, 0.56, 0.98],
    ],
    // 王
    &[[0.12, 0.82, 0.88, 0.93], [0.2, 0.45, 0.8, 0.56], [0.08, 0.06, 0.92, 0.18], [0.44, 0.1, 0.56, 0.9]],
    // 口
    &[[0.12, 0.1, 0.26, 0.88], [0.74, 0.1, 0.88, 0.88], [0.12, 0.76, 0.88, 0.88], [0.12, 0.1, 0.88, 0.22]],
];

/// Writes one letter into the square at `[u, v]` of a plane; `which` chooses the letter.
pub fn write(painter: &mut Painter, plane: &Plane, [u, v]: [f32; 2], size: f32, which: usize, ink: impl Into<Ink>) {
    let ink = ink.into();
    for &[u0, v0, u1, v1] in GLYPHS[which % GLYPHS.len()] {
        let corner = |a: f32, b: f32| -> V3 { plane.at(u + a * size, v + b * size, 0.015) };
        painter.polygon(&[corner(u0, v0), corner(u1, v0), corner(u1, v1), corner(u0, v1)], ink);
    }
}

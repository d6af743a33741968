//! Bollards, one silhouette for each style.

use super::super::scene::{Item, Rgb};
use super::super::style::Bollard;
use super::painter::{Ink, Painter};
use super::sky::blend;

/// Draws a bollard.
pub fn draw(painter: &mut Painter, style: Bollard, colour: Rgb, item: &Item) {
    let ink = painter.lit(colour, [0.0, -0.7, 0.4]);
    let light = blend(ink, [1.0; 3], 0.4);
    let board = painter.billboard(item.x, item.y);
    let k = super::ground::KERB;
    painter.flat_oval([item.x, item.y, k], [0.24, 0.24], Ink([0.06, 0.07, 0.1], 0.22));
    match style {
        Bollard::Post => {
            painter.rect(&board, [-0.13, k, 0.13, 1.0], 0.0, ink);
            painter.rect(&board, [-0.13, 0.72, 0.13, 0.86], 0.0, light);
        }
        Bollard::Ball => {
            painter.rect(&board, [-0.10, k, 0.10, 0.8], 0.0, ink);
            painter.oval(&board, [0.0, 0.92], [0.21, 0.21], ink);
            painter.oval(&board, [-0.05, 0.98], [0.08, 0.08], light);
        }
        Bollard::Arch => {
            let at = |u: f32, v: f32| [item.x, item.y + u, v];
            let points = [at(-0.5, k), at(-0.5, 0.75), at(-0.3, 0.95), at(0.3, 0.95), at(0.5, 0.75), at(0.5, k)];
            points.windows(2).for_each(|pair| painter.line(pair[0], pair[1], 0.11, ink));
        }
        Bollard::Cube => painter.cuboid([item.x - 0.3, item.y - 0.3, k], [item.x + 0.3, item.y + 0.3, 0.62], colour),
        Bollard::Delineator => {
            painter.shape(&board, &[[-0.3, k], [0.3, k], [0.09, 0.3], [-0.09, 0.3]], ink);
            painter.rect(&board, [-0.09, 0.25, 0.09, 1.15], 0.0, ink);
            for v in [0.55, 0.85] {
                painter.rect(&board, [-0.09, v, 0.09, v + 0.14], 0.0, light);
            }
        }
        Bollard::Disc => {
            painter.rect(&board, [-0.07, k, 0.07, 0.5], 0.0, ink);
            painter.oval(&board, [0.0, 0.75], [0.34, 0.34], ink);
            painter.oval(&board, [0.0, 0.75], [0.17, 0.17], light);
        }
        Bollard::Slab => {
            let (x, y) = (item.x, item.y);
            painter.polygon(&[[x, y - 0.4, k], [x, y + 0.4, k], [x, y + 0.4, 1.0], [x, y - 0.4, 0.55]], ink);
            painter.polygon(
                &[[x, y - 0.4, 0.55], [x, y + 0.4, 1.0], [x + 0.2, y + 0.4, 1.0], [x + 0.2, y - 0.4, 0.55]],
                light,
            );
        }
    }
}

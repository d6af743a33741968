//! Ward signs.

use super::super::dice::Dice;
use super::super::scene::{Item, Rgb};
use super::super::style::Sign;
use super::furniture::mast;
use super::glyph;
use super::painter::Painter;

/// Ward signs are bold plates above head height, each outline another ward's favourite.
pub fn draw(painter: &mut Painter, style: Sign, colour: Rgb, item: &Item) {
    let post = painter.lit([0.55, 0.56, 0.57], [0.0, -0.6, 0.4]);
    let ink = painter.lit(colour, [0.0, 0.0, 0.6]);
    let white = painter.lit([0.95, 0.95, 0.92], [0.0, 0.0, 0.6]);
    let board = painter.billboard(item.x, item.y);
    let outline: &[[f32; 2]] = match style {
        Sign::RoundTop => &[
            [-0.45, 1.7],
            [0.45, 1.7],
            [0.45, 2.5],
            [0.38, 2.75],
            [0.2, 2.92],
            [0.0, 2.97],
            [-0.2, 2.92],
            [-0.38, 2.75],
            [-0.45, 2.5],
        ],
        Sign::Hexagon => &[[-0.3, 1.75], [0.3, 1.75], [0.6, 2.3], [0.3, 2.85], [-0.3, 2.85], [-0.6, 2.3]],
        Sign::Totem => &[[-0.36, 0.1], [0.36, 0.1], [0.36, 2.6], [-0.36, 2.9]],
        Sign::Shield => &[[0.0, 1.6], [0.4, 1.95], [0.55, 2.4], [0.55, 2.9], [-0.55, 2.9], [-0.55, 2.4], [-0.4, 1.95]],
        Sign::Fingers => &[[-0.1, 2.5], [1.0, 2.5], [1.25, 2.68], [1.0, 2.86], [-0.1, 2.86]],
        Sign::Lollipop => &[[-0.4, 1.35], [0.4, 1.35], [0.4, 1.8], [-0.4, 1.8]],
        Sign::Diamond => &[[0.0, 1.6], [0.68, 2.28], [0.0, 2.96], [-0.68, 2.28]],
    };
    mast(painter, item, 2.9, 0.1, post);
    painter.shape(&board, outline, ink);
    match style {
        Sign::Fingers => {
            painter.shape(&board, &[[0.1, 1.95], [-0.9, 1.95], [-1.15, 2.12], [-0.9, 2.3], [0.1, 2.3]], ink);
            painter.rect(&board, [0.1, 2.64, 0.8, 2.72], 0.0, white);
            painter.rect(&board, [-0.8, 2.08, -0.1, 2.16], 0.0, white);
        }
        Sign::Lollipop => {
            painter.oval(&board, [0.0, 2.5], [0.55, 0.55], ink);
            painter.oval(&board, [0.0, 2.5], [0.38, 0.38], white);
            painter.rect(&board, [-0.25, 1.52, 0.25, 1.62], 0.0, white);
        }
        Sign::Totem => {
            painter.rect(&board, [-0.22, 1.6, 0.22, 2.2], 0.0, white);
            for (n, v) in [1.15, 0.7, 0.25].into_iter().enumerate() {
                glyph::write(painter, &board, [-0.19, v], 0.38, n * 3 + item.seed as usize % 5, white);
            }
        }
        _ => {
            let letter = Dice::new(item.seed, 57).below(8);
            glyph::write(painter, &board, [-0.3, 2.02], 0.6, letter, white);
        }
    }
}

//! Street lamps, one silhouette for each style.

use super::super::dice::Dice;
use super::super::scene::{Item, Rgb};
use super::super::style::Lamp;
use super::furniture::{BANNERS, UP, across, mast};
use super::glyph;
use super::painter::{Painter, Plane};

/// A lamp post with its paint and its light.
struct Post<'p, 'a> {
    painter: &'p mut Painter<'a>,
    item: &'p Item,
    ink: Rgb,
    bulb: Rgb,
    /// Across the road, for arms and banners.
    plane: Plane,
    /// Facing the camera, for what is round.
    board: Plane,
}

/// Draws a street lamp.
pub fn draw(painter: &mut Painter, style: Lamp, colour: Rgb, item: &Item) {
    let ink = painter.lit(colour, [0.0, -0.6, 0.5]);
    let bulb = if painter.light.lamps { [1.0, 0.92, 0.70] } else { painter.lit([0.95, 0.94, 0.90], UP) };
    let (plane, board) = (across(item), painter.billboard(item.x, item.y));
    let mut post = Post { painter, item, ink, bulb, plane, board };
    match style {
        Lamp::Arm => post.arm(),
        Lamp::Globes => post.globes(),
        Lamp::Lantern => post.lantern(),
        Lamp::Banner => post.banner(),
        Lamp::Ring => post.ring(),
        Lamp::Sail => post.sail(),
        Lamp::Bells => post.bells(),
    }
}

impl Post<'_, '_> {
    fn mast(&mut self, height: f32, width: f32) {
        mast(self.painter, self.item, height, width, self.ink);
    }

    /// A line across the road.
    fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32, ink: Rgb) {
        let (a, b) = (self.plane.at(from[0], from[1], 0.0), self.plane.at(to[0], to[1], 0.0));
        self.painter.line(a, b, width, ink);
    }

    fn arm(&mut self) {
        let (ink, bulb) = (self.ink, self.bulb);
        self.mast(6.2, 0.16);
        self.line([0.0, 6.2], [0.5, 6.9], 0.13, ink);
        self.line([0.5, 6.9], [1.4, 7.1], 0.13, ink);
        self.line([1.3, 7.05], [2.3, 7.1], 0.26, ink);
        self.line([1.5, 6.93], [2.2, 6.97], 0.12, bulb);
    }

    fn globes(&mut self) {
        let (ink, bulb, board) = (self.ink, self.bulb, self.board);
        self.mast(3.9, 0.18);
        self.line([-0.65, 3.75], [0.65, 3.75], 0.12, ink);
        for u in [-0.65, 0.65] {
            let x = board.origin[0] + self.plane.along[0] * u;
            let shifted = Plane { origin: [x, board.origin[1], 0.0], ..board };
            self.painter.oval(&shifted, [0.0, 4.05], [0.34, 0.34], bulb);
        }
        self.painter.oval(&board, [0.0, 4.5], [0.34, 0.34], bulb);
    }

    fn lantern(&mut self) {
        let (ink, bulb, board) = (self.ink, self.bulb, self.board);
        self.mast(3.2, 0.2);
        self.painter.shape(&board, &[[-0.28, 3.2], [0.28, 3.2], [0.46, 4.1], [-0.46, 4.1]], bulb);
        self.painter.shape(&board, &[[-0.6, 4.1], [0.6, 4.1], [0.0, 4.65]], ink);
        for u in [-0.37, 0.0, 0.37] {
            self.painter.line(board.at(u * 0.75, 3.2, 0.0), board.at(u * 1.2, 4.1, 0.0), 0.07, ink);
        }
        self.painter.rect(&board, [-0.34, 3.1, 0.34, 3.24], 0.0, ink);
    }

    fn banner(&mut self) {
        let (ink, bulb, plane, board) = (self.ink, self.bulb, self.plane, self.board);
        self.mast(5.6, 0.16);
        let cloth = Dice::new(self.item.seed, 51).pick(&BANNERS);
        let cloth = self.painter.lit(cloth, [0.0, 0.0, 0.7]);
        for (u0, u1) in [(0.16, 0.86), (-0.86, -0.16)] {
            self.painter.rect(&plane, [u0, 2.9, u1, 4.9], 0.0, cloth);
            for (n, v) in [3.1, 3.65, 4.2].into_iter().enumerate() {
                glyph::write(self.painter, &plane, [(u0 + u1) / 2.0 - 0.22, v], 0.44, n + 2, [0.96; 3]);
            }
        }
        self.line([-0.9, 4.95], [0.9, 4.95], 0.08, ink);
        self.painter.oval(&board, [0.0, 5.7], [0.4, 0.22], bulb);
    }

    fn ring(&mut self) {
        let board = self.board;
        self.mast(4.3, 0.16);
        let point = |i: i32| {
            let angle = f64::from(i) / 16.0 * std::f64::consts::TAU;
            board.at(0.72 * angle.cos() as f32, 5.0 + 0.72 * angle.sin() as f32, 0.0)
        };
        for (width, ink) in [(0.17, self.bulb), (0.05, self.ink)] {
            (0..16).for_each(|i| self.painter.line(point(i), point(i + 1), width, ink));
        }
    }

    fn sail(&mut self) {
        let (ink, bulb, plane) = (self.ink, self.bulb, self.plane);
        self.mast(5.4, 0.17);
        self.painter.shape(&plane, &[[0.0, 5.4], [0.0, 3.9], [1.7, 5.5]], ink);
        self.line([0.1, 4.1], [1.7, 5.45], 0.12, bulb);
    }

    fn bells(&mut self) {
        let (ink, bulb, board) = (self.ink, self.bulb, self.board);
        self.mast(4.4, 0.16);
        for (u, v) in [(-0.62, 3.9), (0.62, 3.9), (-0.34, 4.4), (0.34, 4.4)] {
            self.painter.line(board.at(0.0, 4.5, 0.0), board.at(u, v + 0.25, 0.0), 0.07, ink);
            let bell = [[u - 0.26, v - 0.22], [u + 0.26, v - 0.22], [u + 0.12, v + 0.22], [u - 0.12, v + 0.22]];
            self.painter.shape(&board, &bell, bulb);
        }
    }
}

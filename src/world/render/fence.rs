//! Guard rails and fences: the cue that the project is named for in its origin, so each style is its own geometry.

use super::super::dice::Dice;
use super::super::scene::{Item, Rgb};
use super::super::style::Fence;
use super::camera::V3;
use super::painter::{Ink, Painter, Plane};
use super::sky::blend;

/// Metres between posts.
const BAY: f32 = 2.0;
/// Beyond this distance only the bold lines are drawn, metres.
const COARSE: f32 = 34.0;

/// A stretch of fence with the tones of its paint.
struct Stretch<'p, 'a> {
    painter: &'p mut Painter<'a>,
    /// Lower edge along the fence, facing the road.
    plane: Plane,
    length: f32,
    paint: Rgb,
    bright: Rgb,
    shade: Rgb,
    coarse: bool,
    seed: u64,
}

/// Draws a stretch of fence that is centred on the item.
pub fn draw(painter: &mut Painter, style: Fence, length: f32, colour: Rgb, item: &Item, distance: f32) {
    let side = item.x.signum();
    let ground = [item.x, item.y - length / 2.0, super::ground::KERB];
    shadow(painter, ground, length);
    let paint = painter.lit(colour, [-side * 0.8, 0.0, 0.4]);
    let mut stretch = Stretch {
        plane: Plane { origin: ground, along: [0.0, 1.0, 0.0], out: [-side, 0.0, 0.0] },
        length,
        paint,
        bright: blend(paint, [1.0; 3], 0.22),
        shade: blend(paint, [0.08, 0.09, 0.12], 0.30),
        coarse: distance > COARSE,
        seed: item.seed,
        painter,
    };
    match style {
        Fence::TwoBar => stretch.pipes(&[0.42, 0.85]),
        Fence::ThreeBar => stretch.pipes(&[0.30, 0.66, 1.02]),
        Fence::WBeam => stretch.w_beam(),
        Fence::Chain => stretch.chain(),
        Fence::Hoop => stretch.hoops(),
        Fence::Lattice => stretch.lattice(),
        Fence::GinkgoPanel => stretch.ginkgo(),
        Fence::Circles => stretch.circles(),
        Fence::Planters => stretch.planters(),
        Fence::Net => stretch.net(),
        Fence::Hedge => stretch.hedge(),
        Fence::Pickets => stretch.pickets(),
        Fence::Waves => stretch.waves(),
        Fence::Cable => stretch.cable(),
        Fence::Cross => stretch.cross(),
    }
}

/// The railing of a canal or a moat: plain, so that it tells nothing about the area.
pub fn parapet(painter: &mut Painter, length: f32, colour: Rgb, item: &Item) {
    let side = item.x.signum();
    let (y0, y1) = (item.y - length / 2.0, item.y + length / 2.0);
    let paint = painter.lit(colour, [-side, 0.0, 0.0]);
    for z in [0.45, 0.8, 1.15] {
        painter.line([item.x, y0, z], [item.x, y1, z], 0.07, paint);
    }
    for i in 0..3 {
        let y = y0 + i as f32 * length / 3.0;
        painter.line([item.x, y, 0.0], [item.x, y, 1.2], 0.10, paint);
    }
}

fn shadow(painter: &mut Painter, [x, y, z]: V3, length: f32) {
    let ink = Ink([0.08, 0.09, 0.14], 0.16);
    painter.polygon(&[[x - 0.18, y, z], [x + 0.18, y, z], [x + 0.18, y + length, z], [x - 0.18, y + length, z]], ink);
}

impl Stretch<'_, '_> {
    fn bar(&mut self, from: [f32; 2], to: [f32; 2], width: f32, colour: Rgb) {
        let (a, b) = (self.plane.at(from[0], from[1], 0.0), self.plane.at(to[0], to[1], 0.0));
        self.painter.line(a, b, width, colour);
    }

    /// A horizontal pipe with its bright upper edge.
    fn rail(&mut self, v: f32, width: f32) {
        let (paint, bright, length) = (self.paint, self.bright, self.length);
        self.bar([0.0, v], [length, v], width, paint);
        if !self.coarse {
            self.bar([0.0, v + width * 0.28], [length, v + width * 0.28], width * 0.3, bright);
        }
    }

    fn bays(&self) -> Vec<f32> {
        (0..(self.length / BAY) as usize).map(|i| i as f32 * BAY).collect()
    }

    fn posts(&mut self, height: f32, width: f32) {
        let shade = self.shade;
        self.bays().iter().for_each(|u| self.bar([*u + 0.05, 0.0], [*u + 0.05, height], width, shade));
    }

    fn ring(&mut self, [u, v]: [f32; 2], radius: [f32; 2], width: f32, steps: usize, colour: Rgb) {
        let point = |i: usize| {
            let angle = i as f64 / steps as f64 * std::f64::consts::TAU;
            [u + radius[0] * angle.cos() as f32, v + radius[1] * angle.sin() as f32]
        };
        (0..steps).for_each(|i| self.bar(point(i), point(i + 1), width, colour));
    }

    fn pipes(&mut self, heights: &[f32]) {
        self.posts(heights[heights.len() - 1] + 0.08, 0.13);
        heights.iter().for_each(|v| self.rail(*v, 0.12));
    }

    fn w_beam(&mut self) {
        self.posts(0.95, 0.16);
        let length = self.length;
        for (v, colour) in
            [(0.42, self.paint), (0.53, self.shade), (0.64, self.bright), (0.75, self.shade), (0.86, self.paint)]
        {
            self.painter.rect(&self.plane, [0.0, v, length, v + 0.12], 0.08, colour);
        }
    }

    fn chain(&mut self) {
        let (paint, bright) = (self.paint, self.bright);
        for u in self.bays() {
            self.bar([u + 0.05, 0.0], [u + 0.05, 0.95], 0.2, paint);
            self.ring([u + 0.05, 1.02], [0.08, 0.08], 0.14, 6, bright);
            for (top, sag) in [(0.82, 0.36), (0.5, 0.30)] {
                let point = |i: i32| {
                    let t = i as f32 / 8.0;
                    [u + 0.05 + t * BAY, top - sag * 4.0 * t * (1.0 - t)]
                };
                let shade = self.shade;
                (0..8).for_each(|i| self.bar(point(i), point(i + 1), 0.075, shade));
            }
        }
    }

    fn hoops(&mut self) {
        let (paint, shade) = (self.paint, self.shade);
        let steps = if self.coarse { 6 } else { 12 };
        let mut u = 0.0;
        let mut odd = false;
        while u < self.length {
            let arch = |i: usize| {
                let angle = i as f64 / steps as f64 * std::f64::consts::PI;
                [u + 0.65 - 0.65 * angle.cos() as f32, 0.42 + 0.66 * angle.sin() as f32]
            };
            let colour = if odd { shade } else { paint };
            self.bar([u, 0.0], [u, 0.42], 0.09, colour);
            self.bar([u + 1.3, 0.0], [u + 1.3, 0.42], 0.09, colour);
            (0..steps).for_each(|i| self.bar(arch(i), arch(i + 1), 0.09, colour));
            odd = !odd;
            u += 0.75;
        }
    }

    fn lattice(&mut self) {
        self.posts(1.15, 0.11);
        self.rail(0.12, 0.08);
        self.rail(1.12, 0.08);
        let (paint, length) = (self.paint, self.length);
        let step = if self.coarse { 0.8 } else { 0.4 };
        let mut u = -1.0;
        while u < length {
            for (from, to) in [([u, 0.12], [u + 1.0, 1.12]), ([u + 1.0, 0.12], [u, 1.12])] {
                if from[0] >= 0.0 && to[0] >= 0.0 && from[0] <= length && to[0] <= length {
                    self.bar(from, to, 0.05, paint);
                }
            }
            u += step;
        }
    }

    fn ginkgo(&mut self) {
        self.posts(1.12, 0.12);
        self.rail(0.14, 0.08);
        self.rail(1.08, 0.10);
        let (paint, shade) = (self.paint, self.shade);
        for u in self.bays() {
            for c in [0.55, 1.5] {
                let centre = u + c;
                // A leaf: a fan over a stem, notched in the middle.
                let fan: Vec<[f32; 2]> = [-1.15_f32, -0.9, -0.6, -0.3, -0.08, 0.0, 0.08, 0.3, 0.6, 0.9, 1.15]
                    .iter()
                    .map(|&angle| {
                        let reach = if angle == 0.0 { 0.36 } else { 0.56 };
                        let angle = f64::from(angle);
                        [centre + reach * angle.sin() as f32 * 0.85, 0.36 + reach * angle.cos() as f32]
                    })
                    .chain([[centre, 0.30]])
                    .collect();
                self.painter.shape(&self.plane, &fan, paint);
                self.bar([centre, 0.14], [centre, 0.36], 0.07, paint);
            }
            self.bar([u + 1.02, 0.14], [u + 1.02, 1.08], 0.05, shade);
        }
    }

    fn circles(&mut self) {
        self.posts(1.1, 0.12);
        self.rail(0.16, 0.09);
        self.rail(1.06, 0.10);
        let paint = self.paint;
        let steps = if self.coarse { 8 } else { 16 };
        let mut u = 0.40;
        while u + 0.3 < self.length {
            self.ring([u, 0.61], [0.36, 0.36], 0.085, steps, paint);
            u += 0.78;
        }
    }

    fn planters(&mut self) {
        let mut dice = Dice::new(self.seed, 21);
        let (paint, shade) = (self.paint, self.shade);
        for u in self.bays() {
            let plane = self.plane;
            self.painter.rect(&plane, [u + 0.1, 0.0, u + 1.75, 0.62], 0.2, paint);
            for v in [0.18, 0.38, 0.58] {
                self.painter.rect(&plane, [u + 0.1, v, u + 1.75, v + 0.04], 0.2, shade);
            }
            let leaf = self.painter.lit([0.34, 0.48, 0.26], [0.0, 0.0, 1.0]);
            for i in 0..5 {
                let at = [u + 0.25 + i as f32 * 0.33, 0.72 + dice.range(0.0, 0.12)];
                self.painter.oval(&plane, at, [0.26, 0.24], leaf);
            }
            let bloom = dice.pick(&[[0.86, 0.36, 0.40], [0.92, 0.76, 0.30], [0.92, 0.90, 0.88], [0.64, 0.46, 0.72]]);
            let bloom = self.painter.lit(bloom, [0.0, 0.0, 1.0]);
            for _ in 0..7 {
                let at = [u + dice.range(0.2, 1.65), dice.range(0.66, 0.95)];
                self.painter.oval(&plane, at, [0.075, 0.075], bloom);
            }
        }
    }

    fn net(&mut self) {
        let (shade, length) = (self.shade, self.length);
        let veil = Ink(self.paint, 0.34);
        self.painter.rect(&self.plane, [0.0, 0.1, length, 1.75], 0.0, veil);
        self.posts(1.85, 0.12);
        self.rail(1.8, 0.09);
        self.rail(0.1, 0.07);
        if !self.coarse {
            let mut u = 0.25;
            while u < length {
                self.bar([u, 0.1], [u, 1.8], 0.035, shade);
                u += 0.25;
            }
            [0.35, 0.6, 0.85, 1.1, 1.35, 1.6].iter().for_each(|v| self.bar([0.0, *v], [length, *v], 0.035, shade));
        }
    }

    fn hedge(&mut self) {
        let mut dice = Dice::new(self.seed, 22);
        let plane = self.plane;
        let tones = [[0.24, 0.36, 0.22], [0.32, 0.46, 0.26], [0.42, 0.55, 0.32]];
        let inks = tones.map(|tone| self.painter.lit(tone, [0.0, 0.0, 1.0]));
        let length = self.length;
        self.painter.rect(&plane, [0.0, 0.0, length, 0.85], 0.25, inks[0]);
        for (ink, low, high) in [(inks[0], 0.75, 0.95), (inks[1], 0.35, 0.9), (inks[2], 0.6, 0.95)] {
            for _ in 0..12 {
                let at = [dice.range(0.0, length), dice.range(low, high)];
                self.painter.oval(&plane, at, [dice.range(0.14, 0.3), 0.13], ink);
            }
        }
    }

    fn pickets(&mut self) {
        self.posts(1.2, 0.13);
        self.rail(0.2, 0.07);
        self.rail(0.95, 0.07);
        let paint = self.paint;
        let step = if self.coarse { 0.5 } else { 0.25 };
        let mut u = 0.2;
        while u < self.length {
            self.bar([u, 0.05], [u, 1.12], 0.06, paint);
            if !self.coarse {
                self.painter.shape(&self.plane, &[[u - 0.075, 1.1], [u + 0.075, 1.1], [u, 1.32]], paint);
            }
            u += step;
        }
    }

    fn waves(&mut self) {
        self.posts(1.12, 0.12);
        self.rail(1.08, 0.09);
        let length = self.length;
        let steps = if self.coarse { 24 } else { 48 };
        for (v, colour) in [(0.28, self.shade), (0.52, self.paint), (0.78, self.paint)] {
            let point = |i: i32| {
                let u = i as f32 / steps as f32 * length;
                [u, v + 0.15 * f64::from(u * std::f32::consts::TAU / 1.5 + v).sin() as f32]
            };
            (0..steps).for_each(|i| self.bar(point(i), point(i + 1), 0.09, colour));
        }
    }

    fn cable(&mut self) {
        let (length, bright) = (self.length, self.bright);
        [0.4, 0.62, 0.84, 1.06].iter().for_each(|v| self.bar([0.0, *v], [length, *v], 0.06, bright));
        // Broad posts with a round head and a reflector.
        let (paint, shade) = (self.paint, self.shade);
        for u in self.bays() {
            self.bar([u + 0.1, 0.0], [u + 0.1, 1.2], 0.24, shade);
            self.ring([u + 0.1, 1.2], [0.06, 0.06], 0.14, 6, shade);
            self.bar([u + 0.1, 0.98], [u + 0.1, 1.12], 0.22, paint);
        }
    }

    fn cross(&mut self) {
        let (paint, shade) = (self.paint, self.shade);
        self.rail(0.14, 0.08);
        self.rail(1.05, 0.10);
        for u in self.bays() {
            self.bar([u + 0.05, 0.0], [u + 0.05, 1.12], 0.14, shade);
            for half in [0.0, BAY / 2.0] {
                let (l, r) = (u + half + 0.1, u + half + BAY / 2.0 - 0.02);
                self.bar([l, 0.16], [r, 1.02], 0.09, paint);
                self.bar([l, 1.02], [r, 0.16], 0.09, paint);
            }
        }
    }
}

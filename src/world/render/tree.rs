//! Street trees: one silhouette for each species, in leaf, bare or in blossom as the season has it.

use super::super::Season;
use super::super::dice::Dice;
use super::super::scene::{Item, Rgb, Scene};
use super::super::style::Tree;
use super::painter::{Ink, Painter, Plane};

/// A tree's frame: a billboard, with chance for its details.
struct Frame<'p, 'a> {
    painter: &'p mut Painter<'a>,
    plane: Plane,
    height: f32,
    dice: Dice,
    /// Shadow, middle and light tone of the leaves.
    leaves: [Rgb; 3],
    bark: Rgb,
    fine: bool,
}

/// Draws a tree.
pub fn draw(painter: &mut Painter, scene: &Scene, species: Tree, height: f32, item: &Item, distance: f32) {
    let ink = Ink([0.08, 0.10, 0.14], 0.18);
    painter.flat_oval([item.x, item.y, super::ground::KERB], [1.1, 1.1], ink);
    let plane = painter.billboard(item.x, item.y);
    let leaf = leaf_colour(species, scene.season);
    let tone = |share: f32| leaf.map(|leaf| leaf.map(|c| c * share));
    let lit = |painter: &Painter, colour: Rgb| painter.lit(colour, [0.0, 0.0, 1.0]);
    let leaves = [0.66, 0.88, 1.12].map(|share| lit(painter, tone(share).unwrap_or([0.5; 3])));
    let bark = lit(painter, if species == Tree::Birch { [0.88, 0.87, 0.84] } else { [0.36, 0.29, 0.24] });
    let fine = painter.pixels_per_m(distance) > 3.0;
    let mut frame = Frame { painter, plane, height, dice: Dice::new(item.seed, 31), leaves, bark, fine };
    match leaf {
        Some(_) => frame.leafy(species),
        None => frame.bare(species, scene.snow),
    }
}

/// The colour of the leaves; `None` for a bare tree.
fn leaf_colour(species: Tree, season: Season) -> Option<Rgb> {
    let green = Some([0.36, 0.52, 0.28]);
    let dark = Some([0.24, 0.40, 0.26]);
    match (species, season) {
        (Tree::Camphor | Tree::Pine | Tree::Palm, _) => dark,
        (Tree::Cherry, Season::Spring) => Some([0.95, 0.76, 0.80]),
        (Tree::Willow, Season::Spring) => Some([0.58, 0.68, 0.34]),
        (_, Season::Winter) => None,
        (Tree::Ginkgo, Season::Autumn) => Some([0.90, 0.74, 0.24]),
        (Tree::Larch, Season::Autumn) => Some([0.82, 0.60, 0.24]),
        (Tree::Birch, Season::Autumn) => Some([0.86, 0.74, 0.34]),
        (Tree::Zelkova, Season::Autumn) => Some([0.72, 0.46, 0.26]),
        (Tree::Cherry, Season::Autumn) => Some([0.72, 0.40, 0.28]),
        _ => green,
    }
}

impl Frame<'_, '_> {
    fn limb(&mut self, from: [f32; 2], to: [f32; 2], width: f32) {
        let (a, b) = (self.plane.at(from[0], from[1], 0.0), self.plane.at(to[0], to[1], 0.0));
        let bark = self.bark;
        self.painter.line(a, b, width, bark);
    }

    /// Overlapping ovals in three tones, the light ones up and to the left: `[u, v, ru, rv]` as shares of the height.
    fn clumps(&mut self, clumps: &[[f32; 4]]) {
        let h = self.height;
        for (tone, (shift, size)) in [(-0.012, 1.06), (0.0, 0.94), (0.03, 0.62)].into_iter().enumerate() {
            let ink = self.leaves[tone];
            for &[u, v, ru, rv] in clumps {
                let at = [(u - shift) * h, (v + shift) * h];
                self.painter.oval(&self.plane, at, [ru * h * size, rv * h * size], ink);
            }
        }
    }

    fn leafy(&mut self, species: Tree) {
        match species {
            Tree::Ginkgo => self.cone(0.22, 7, 1.0),
            Tree::Zelkova => self.vase(),
            Tree::Cherry => self.cloud(),
            Tree::Willow => self.willow(),
            Tree::Camphor => self.camphor(),
            Tree::Palm => self.palm(),
            Tree::Pine => self.pine(),
            Tree::Larch => self.larch(),
            Tree::Birch => self.birch(),
        }
    }

    fn bare(&mut self, species: Tree, snow: bool) {
        let h = self.height;
        match species {
            Tree::Birch => self.birch_stems(),
            Tree::Larch => {
                self.limb([0.0, 0.0], [0.0, h], 0.18);
                for i in 0..9 {
                    let v = h * (0.18 + 0.085 * i as f32);
                    let reach = h * 0.26 * (1.0 - i as f32 / 10.0);
                    self.limb([0.0, v], [-reach, v - 0.12 * reach], 0.09);
                    self.limb([0.0, v], [reach, v - 0.12 * reach], 0.09);
                }
            }
            Tree::Willow => {
                self.fork([0.0, 0.0], [0.0, h * 0.55], 0.2, 3);
                for i in 0..14 {
                    let u = (i as f32 - 6.5) * h * 0.055;
                    let top = h * (0.92 - (u / h).powi(2) * 1.6);
                    self.limb([u * 0.8, top], [u * 1.15, h * 0.28], 0.02);
                }
            }
            _ => {
                let spread = if species == Tree::Ginkgo { 0.55 } else { 1.0 };
                self.limb([0.0, 0.0], [0.0, h * 0.36], 0.22);
                for lean in [-0.30, -0.12, 0.06, 0.24] {
                    let lean = lean * spread + self.dice.range(-0.04, 0.04);
                    self.fork([0.0, h * 0.33], [lean * h, h * 0.68], 0.12, 2);
                }
            }
        }
        if snow {
            let white = self.painter.lit([0.94, 0.95, 0.98], [0.0, 0.0, 1.0]);
            self.painter.oval(&self.plane, [0.0, 0.08], [0.7, 0.2], white);
        }
    }

    /// A branch that splits in two, `depth` times.
    fn fork(&mut self, from: [f32; 2], to: [f32; 2], width: f32, depth: usize) {
        self.limb(from, to, width);
        if depth == 0 || (!self.fine && depth < 2) {
            return;
        }
        let (du, dv) = (to[0] - from[0], to[1] - from[1]);
        for turn in [-0.45_f32, 0.40] {
            let turn = f64::from(turn + self.dice.range(-0.12, 0.12));
            let (sin, cos) = (turn.sin() as f32 * 0.66, turn.cos() as f32 * 0.66);
            self.fork(to, [to[0] + du * cos + dv * sin, to[1] + dv * cos - du * sin], width * 0.6, depth - 1);
        }
    }

    fn cone(&mut self, width: f32, tiers: usize, droop: f32) {
        let h = self.height;
        self.limb([0.0, 0.0], [0.0, h * 0.5], 0.22);
        let mut clumps = Vec::new();
        for i in 0..tiers {
            let t = i as f32 / tiers as f32;
            let reach = width * (1.0 - t * 0.85) * droop;
            let v = 0.30 + 0.66 * t;
            for side in [-0.5, 0.5] {
                clumps.push([side * reach + self.dice.range(-0.02, 0.02), v, reach * 0.62, 0.075]);
            }
        }
        self.clumps(&clumps);
    }

    fn vase(&mut self) {
        let h = self.height;
        for lean in [-0.22, 0.0, 0.22] {
            self.limb([0.0, 0.0], [lean * h, h * 0.66], 0.16);
        }
        let mut clumps = Vec::new();
        for i in 0..9 {
            let t = i as f32 / 8.0 - 0.5;
            clumps.push([t * 0.86, 0.86 - t * t * 0.5 + self.dice.range(-0.04, 0.04), 0.15, 0.11]);
        }
        for t in [-0.22, 0.0, 0.22] {
            clumps.push([t, 0.70, 0.14, 0.10]);
        }
        self.clumps(&clumps);
    }

    fn cloud(&mut self) {
        let h = self.height;
        self.limb([0.0, 0.0], [0.05 * h, h * 0.4], 0.3);
        self.limb([0.05 * h, h * 0.36], [-0.3 * h, h * 0.62], 0.14);
        self.limb([0.05 * h, h * 0.36], [0.34 * h, h * 0.6], 0.14);
        let mut clumps = Vec::new();
        for i in 0..11 {
            let t = i as f32 / 10.0 - 0.5;
            clumps.push([t * 1.0, 0.62 - t.abs() * 0.12 + self.dice.range(-0.05, 0.06), 0.13, 0.09]);
        }
        self.clumps(&clumps);
    }

    fn willow(&mut self) {
        let h = self.height;
        self.limb([0.0, 0.0], [0.0, h * 0.6], 0.26);
        self.clumps(&[[0.0, 0.86, 0.28, 0.12], [-0.2, 0.78, 0.16, 0.11], [0.2, 0.78, 0.16, 0.11]]);
        for (tone, count) in [(0, 21), (1, 17), (2, 12)] {
            let ink = self.leaves[tone];
            for i in 0..count {
                let t = i as f32 / (count - 1) as f32 - 0.5;
                let u = t * 0.74 * h;
                let top = h * (0.90 - t * t * 0.9);
                let end = h * (0.20 + self.dice.range(0.0, 0.22));
                let (a, b) = (self.plane.at(u * 0.86, top, 0.0), self.plane.at(u * 1.12, end, 0.0));
                self.painter.line(a, b, 0.12, ink);
            }
        }
    }

    fn camphor(&mut self) {
        let h = self.height;
        self.limb([0.0, 0.0], [0.0, h * 0.5], 0.36);
        let mut clumps = vec![[0.0, 0.66, 0.34, 0.30]];
        for i in 0..8 {
            let angle = f64::from(i) / 8.0 * std::f64::consts::TAU;
            let r = 0.26 + self.dice.range(-0.03, 0.03);
            clumps.push([r * angle.cos() as f32, 0.66 + r * 0.85 * angle.sin() as f32, 0.13, 0.12]);
        }
        self.clumps(&clumps);
    }

    fn palm(&mut self) {
        let h = self.height;
        self.limb([0.0, 0.0], [0.06 * h, h * 0.45], 0.26);
        self.limb([0.06 * h, h * 0.44], [0.03 * h, h * 0.84], 0.22);
        for i in 0..11 {
            let angle = f64::from(i) / 10.0 * 3.9 - 0.4;
            let (cos, sin) = (angle.cos() as f32, angle.sin() as f32);
            let top = [0.03 * h, h * 0.85];
            let knee = [top[0] + cos * 0.18 * h, top[1] + sin * 0.14 * h + 0.04 * h];
            let tip = [top[0] + cos * 0.36 * h, top[1] + sin * 0.14 * h - 0.10 * h];
            let ink = self.leaves[usize::try_from(i % 3).unwrap_or(0)];
            let at = |p: [f32; 2]| self.plane.at(p[0], p[1], 0.0);
            let (a, b, c) = (at(top), at(knee), at(tip));
            self.painter.line(a, b, 0.22, ink);
            self.painter.line(b, c, 0.16, ink);
        }
    }

    fn pine(&mut self) {
        let h = self.height;
        let lean = if self.dice.chance(0.5) { 1.0 } else { -1.0 };
        self.limb([0.0, 0.0], [0.16 * h * lean, h * 0.38], 0.3);
        self.limb([0.16 * h * lean, h * 0.36], [-0.04 * h * lean, h * 0.74], 0.22);
        self.limb([0.1 * h * lean, h * 0.5], [0.36 * h * lean, h * 0.56], 0.12);
        let cushions = [
            [-0.04, 0.86, 0.26, 0.07],
            [-0.24, 0.68, 0.20, 0.055],
            [0.34, 0.60, 0.22, 0.06],
            [0.14, 0.74, 0.18, 0.05],
            [-0.16, 0.50, 0.16, 0.045],
        ];
        let cushions = cushions.map(|[u, v, ru, rv]| [u * lean, v, ru, rv]);
        self.clumps(&cushions);
    }

    fn larch(&mut self) {
        let h = self.height;
        self.limb([0.0, 0.0], [0.0, h * 0.9], 0.2);
        for i in 0..7 {
            let t = i as f32 / 7.0;
            let (v, reach) = (h * (0.16 + 0.76 * t), h * 0.27 * (1.0 - t * 0.9));
            for (tone, share) in [(0, 1.0), (1, 0.78), (2, 0.4)] {
                let ink = self.leaves[tone];
                let r = reach * share;
                self.painter.shape(&self.plane, &[[-r, v], [r, v], [0.0, v + h * 0.2]], ink);
            }
        }
    }

    fn birch_stems(&mut self) {
        let h = self.height;
        for (lean, top) in [(-0.10, 0.88), (0.02, 1.0), (0.14, 0.84)] {
            self.limb([lean * h * 0.2, 0.0], [lean * h, top * h], 0.2);
        }
        let marks = self.painter.lit([0.16, 0.15, 0.15], [0.0, 0.0, 1.0]);
        for i in 0..8 {
            let v = h * (0.08 + 0.1 * i as f32);
            let u = h * 0.02 * v / h + self.dice.range(-0.05, 0.05);
            let (a, b) = (self.plane.at(u - 0.09, v, 0.01), self.plane.at(u + 0.07, v, 0.01));
            self.painter.line(a, b, 0.07, marks);
        }
        let bark = std::mem::replace(&mut self.bark, marks);
        for i in 0..6 {
            let v = h * (0.42 + 0.09 * i as f32);
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            self.limb([0.02 * h, v], [side * h * 0.16, v + h * 0.12], 0.05);
        }
        self.bark = bark;
    }

    fn birch(&mut self) {
        self.birch_stems();
        let mut clumps = Vec::new();
        for _ in 0..11 {
            let (u, v) = (self.dice.range(-0.2, 0.22), self.dice.range(0.46, 0.98));
            clumps.push([u, v, 0.085, 0.05]);
        }
        self.clumps(&clumps);
    }
}

//! Textures of façades and what meets the pavement.

use super::super::dice::Dice;
use super::super::scene::{Building, Rgb};
use super::super::style::Facade;
use super::glyph;
use super::painter::{Ink, Painter, Plane};
use super::sky::blend;

/// A wall to draw on, with the tones of its building.
struct Wall<'p, 'a> {
    painter: &'p mut Painter<'a>,
    plane: Plane,
    width: f32,
    height: f32,
    glass: Rgb,
    frame: Rgb,
    dark: Rgb,
    light: Rgb,
    accent: Rgb,
    dice: &'p mut Dice,
}

/// Height of the street level, above which a façade's own texture starts.
const STREET_LEVEL: f32 = 3.6;

/// Draws the texture of a façade on a wall.
pub fn draw(painter: &mut Painter, building: &Building, plane: &Plane, width: f32, dice: &mut Dice, detail: f32) {
    let base = painter.lit(building.wall, plane.out);
    let accent = painter.lit(building.accent, plane.out);
    let facing = painter.lit([1.0; 3], plane.out);
    let glass = std::array::from_fn(|i| painter.light.glass[i] * (0.45 + 0.4 * facing[i]));
    let mut wall = Wall {
        plane: *plane,
        width,
        height: building.height,
        glass,
        frame: blend(base, [0.96; 3], 0.5),
        dark: blend(base, [0.10, 0.11, 0.14], 0.42),
        light: blend(base, [1.0; 3], 0.35),
        accent,
        painter,
        dice,
    };
    match building.facade {
        Facade::Curtain => wall.curtain(),
        Facade::Ribbon => wall.ribbon(),
        Facade::Punched => wall.punched(),
        Facade::Balcony => wall.balcony(),
        Facade::Fins => wall.fins(),
        Facade::Brick => wall.brick(detail),
        Facade::Pencil => wall.pencil(),
        Facade::Wooden => wall.wooden(),
        Facade::Warehouse => wall.warehouse(),
        Facade::SnowHouse => wall.snow_house(),
        Facade::ShopHouse => wall.shop_house(),
        Facade::Stone => wall.stone(),
        Facade::Diagrid => wall.diagrid(),
    }
}

impl Wall<'_, '_> {
    fn rect(&mut self, u0: f32, v0: f32, u1: f32, v1: f32, colour: Rgb) {
        let (u0, u1) = (u0.max(0.0), u1.min(self.width));
        if u1 > u0 && v1 > v0 {
            self.painter.rect(&self.plane, [u0, v0, u1, v1], 0.0, colour);
        }
    }

    fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32, colour: Rgb) {
        let (a, b) = (self.plane.at(from[0], from[1], 0.02), self.plane.at(to[0], to[1], 0.02));
        self.painter.line(a, b, width, colour);
    }

    /// Windows on a regular grid, `[left, bottom, width, height]` within cells of `cell` metres; some are lit.
    fn windows(&mut self, cell: [f32; 2], window: [f32; 4], from: f32) {
        let columns = (self.width / cell[0]).max(1.0) as usize;
        let inset = (self.width - columns as f32 * cell[0]) / 2.0;
        let rows = ((self.height - from - 0.5) / cell[1]).max(0.0) as usize;
        let mut lit = Vec::new();
        let glass = self.glass;
        for i in 0..rows * columns {
            let u = inset + (i % columns) as f32 * cell[0] + window[0];
            let v = from + (i / columns) as f32 * cell[1] + window[1];
            let shape = [u, v, u + window[2], v + window[3]];
            if self.dice.chance(self.painter.light.lit_windows) {
                lit.push(shape);
            } else {
                self.rect(shape[0], shape[1], shape[2], shape[3], glass);
            }
        }
        lit.iter().for_each(|&[u0, v0, u1, v1]| self.rect(u0, v0, u1, v1, [0.98, 0.86, 0.60]));
    }

    fn rows(&self, from: f32, storey: f32) -> Vec<f32> {
        let count = ((self.height - from - 0.4) / storey).max(0.0) as usize;
        (0..count).map(|i| from + i as f32 * storey).collect()
    }

    fn columns(&self, step: f32) -> Vec<f32> {
        let count = (self.width / step) as usize;
        let inset = (self.width - count as f32 * step) / 2.0;
        (0..=count).map(|i| inset + i as f32 * step).collect()
    }

    fn curtain(&mut self) {
        let (w, h) = (self.width, self.height);
        let glass = self.glass;
        self.rect(0.0, STREET_LEVEL, w, h - 0.3, glass);
        // A few panes reflect the sky.
        let sky = blend(glass, self.painter.light.sky_low, 0.55);
        for row in self.rows(STREET_LEVEL, 2.0) {
            for u in self.columns(2.0) {
                if self.dice.chance(0.22) {
                    self.rect(u, row, u + 2.0, row + 2.0, sky);
                }
            }
        }
        let frame = self.frame;
        self.rows(STREET_LEVEL, 2.0).iter().for_each(|v| self.rect(0.0, *v - 0.09, w, *v + 0.09, frame));
        self.columns(2.0).iter().for_each(|u| self.rect(*u - 0.09, STREET_LEVEL, *u + 0.09, h, frame));
    }

    fn ribbon(&mut self) {
        let (w, glass, light) = (self.width, self.glass, self.light);
        let rows = self.rows(STREET_LEVEL, 3.3);
        rows.iter().for_each(|v| self.rect(0.0, *v + 1.15, w, *v + 2.9, glass));
        rows.iter().for_each(|v| self.rect(0.0, *v + 0.1, w, *v + 0.45, light));
        let dark = self.dark;
        rows.iter().for_each(|v| self.rect(0.0, *v + 2.9, w, *v + 3.1, dark));
    }

    fn punched(&mut self) {
        let light = self.light;
        for row in self.rows(STREET_LEVEL, 3.1) {
            self.columns(2.9).iter().for_each(|u| self.rect(*u + 0.6, row + 0.7, *u + 2.3, row + 2.5, light));
        }
        self.windows([2.9, 3.1], [0.75, 0.85, 1.4, 1.5], STREET_LEVEL);
    }

    fn balcony(&mut self) {
        let (w, light, dark, frame) = (self.width, self.light, self.dark, self.frame);
        let rows = self.rows(STREET_LEVEL, 3.0);
        rows.iter().for_each(|v| self.rect(0.3, *v, w - 0.3, *v + 2.7, dark));
        self.windows([3.6, 3.0], [0.6, 0.9, 2.2, 1.5], STREET_LEVEL);
        rows.iter().for_each(|v| self.rect(0.1, *v - 0.25, w - 0.1, *v + 1.05, light));
        rows.iter().for_each(|v| self.rect(0.1, *v - 0.25, w - 0.1, *v - 0.08, frame));
        // Thin partitions between flats.
        let bays = self.columns(3.6);
        bays.iter().for_each(|u| self.rect(*u - 0.1, STREET_LEVEL, *u + 0.1, self.height - 0.4, light));
        for v in rows {
            for u in &bays {
                if self.dice.chance(0.25) {
                    let cloth = self.accent;
                    self.rect(u + 0.8, v + 1.0, u + 2.0, v + 2.0, cloth);
                }
            }
        }
    }

    fn fins(&mut self) {
        let (h, glass, light, dark) = (self.height, self.glass, self.light, self.dark);
        self.rect(0.0, STREET_LEVEL, self.width, h - 0.6, blend(glass, dark, 0.4));
        let columns = self.columns(1.15);
        columns.iter().for_each(|u| self.rect(*u - 0.24, STREET_LEVEL, *u + 0.24, h - 0.2, light));
        columns.iter().for_each(|u| self.rect(*u + 0.14, STREET_LEVEL, *u + 0.28, h - 0.2, dark));
    }

    fn brick(&mut self, detail: f32) {
        let (w, h, dark, light, glass) = (self.width, self.height, self.dark, self.light, self.glass);
        if detail > 6.0 {
            let course = blend(dark, light, 0.45);
            let mut v = 0.3;
            while v < h {
                self.rect(0.0, v, w, v + 0.07, course);
                v += 0.5;
            }
        }
        for row in self.rows(STREET_LEVEL, 3.4) {
            for u in self.columns(2.8) {
                if u + 2.4 > w {
                    continue;
                }
                for (grow, colour) in [(0.25, light), (0.0, glass)] {
                    let (l, r, b, t) = (u + 0.7 - grow, u + 2.1 + grow, row + 0.5 - grow * 0.5, row + 2.0);
                    let arch: Vec<[f32; 2]> = (0..=8)
                        .map(|i| {
                            let angle = f64::from(i) / 8.0 * std::f64::consts::PI;
                            let radius = (r - l) / 2.0;
                            [(l + r) / 2.0 + radius * angle.cos() as f32, t + radius * angle.sin() as f32]
                        })
                        .chain([[l, b], [r, b]])
                        .collect();
                    self.painter.shape(&self.plane, &arch, colour);
                }
            }
        }
        self.rect(0.0, STREET_LEVEL - 0.3, w, STREET_LEVEL, light);
    }

    fn pencil(&mut self) {
        let (w, glass) = (self.width, self.glass);
        for row in self.rows(STREET_LEVEL, 3.0) {
            self.rect(1.5, row + 0.9, w - 0.5, row + 2.3, glass);
        }
        // A ladder of signs beside the windows, in several colours with strokes like letters.
        let colours = [self.accent, [0.93, 0.91, 0.86], [0.78, 0.30, 0.26], [0.24, 0.42, 0.62], [0.92, 0.74, 0.30]];
        for row in self.rows(STREET_LEVEL - 0.2, 3.0) {
            let colour = self.dice.pick(&colours);
            self.rect(0.15, row, 1.25, row + 2.7, colour);
            let stroke = if colour[0] + colour[1] + colour[2] > 1.9 { [0.20, 0.20, 0.22] } else { [0.96; 3] };
            for i in 0..3 {
                let at = [0.36, row + 0.15 + i as f32 * 0.84];
                let letter = self.dice.below(8);
                glyph::write(self.painter, &self.plane, at, 0.68, letter, stroke);
            }
        }
    }

    fn wooden(&mut self) {
        let (w, h, dark) = (self.width, self.height, self.dark);
        self.columns(0.5).iter().for_each(|u| self.rect(*u, 0.2, *u + 0.07, h, dark));
        self.rect(0.0, 2.7, w, 3.0, dark);
        let glass = blend(self.glass, [0.94, 0.90, 0.80], 0.5);
        for v in [0.7, 3.4] {
            for u in self.columns(3.2) {
                self.rect(u + 0.5, v, u + 2.4, v + 1.4, glass);
                self.rect(u + 1.4, v, u + 1.5, v + 1.4, dark);
                self.rect(u + 0.5, v + 0.65, u + 2.4, v + 0.75, dark);
            }
        }
    }

    fn warehouse(&mut self) {
        let (w, h, dark, light) = (self.width, self.height, self.dark, self.light);
        let ridge = blend(dark, light, 0.55);
        self.columns(0.7).iter().for_each(|u| self.rect(*u, 0.0, *u + 0.3, h, ridge));
        let (glass, accent) = (self.glass, self.accent);
        self.rect(0.0, h - 1.6, w, h - 1.1, accent);
        for u in self.columns(5.5) {
            self.rect(u + 0.7, 0.0, u + 4.7, 4.2, dark);
            for i in 0..6 {
                let v = 0.25 + i as f32 * 0.65;
                self.rect(u + 0.85, v, u + 4.55, v + 0.4, light);
            }
            self.rect(u + 1.2, 4.9, u + 4.2, 5.6, glass);
        }
    }

    fn snow_house(&mut self) {
        let (w, h, dark, light) = (self.width, self.height, self.dark, self.light);
        let board = blend(dark, light, 0.5);
        let mut v = 0.7;
        while v < h {
            self.rect(0.0, v, w, v + 0.09, board);
            v += 0.42;
        }
        self.rect(0.0, 0.0, w, 0.6, [0.56, 0.55, 0.53].map(|c| c * light[1]));
        for u in [0.9, w - 2.3] {
            self.rect(u - 0.12, 2.9, u + 1.52, 4.32, light);
            let glass = self.glass;
            self.rect(u, 3.02, u + 1.4, 4.2, glass);
        }
    }

    fn shop_house(&mut self) {
        let (w, h, light) = (self.width, self.height, self.light);
        self.rect(0.4, h - 1.9, w - 0.4, h - 0.4, light);
        let ink = self.accent;
        for i in 0..4 {
            let u = w * (0.2 + 0.16 * i as f32);
            let letter = self.dice.below(8);
            glyph::write(self.painter, &self.plane, [u, h - 1.65], 1.0, letter, ink);
        }
        self.windows([2.4, 2.6], [0.4, 0.9, 1.6, 1.2], 3.4);
    }

    fn stone(&mut self) {
        let (w, h, dark, light) = (self.width, self.height, self.dark, self.light);
        for row in self.rows(0.0, 0.9) {
            self.rect(0.0, row, w, row + 0.05, blend(dark, light, 0.5));
        }
        self.windows([3.0, 3.6], [0.95, 0.7, 1.1, 2.3], 1.0);
        // Pilasters with a base and a capital, under a cornice.
        for u in self.columns(3.0) {
            self.rect(u - 0.34, 0.0, u + 0.34, h - 1.8, light);
            self.rect(u + 0.22, 0.5, u + 0.34, h - 2.2, dark);
            self.rect(u - 0.5, h - 2.3, u + 0.5, h - 1.8, light);
            self.rect(u - 0.5, 0.0, u + 0.5, 0.5, light);
        }
        self.rect(0.0, h - 1.8, w, h - 1.5, dark);
        self.rect(0.0, h - 1.5, w, h, light);
    }

    fn diagrid(&mut self) {
        let (w, h, glass, frame) = (self.width, self.height, self.glass, self.frame);
        self.rect(0.0, STREET_LEVEL, w, h - 0.2, glass);
        let cell = w / (w / 3.2).round().max(2.0);
        let (columns, rows) = ((w / cell).round() as usize, ((h - STREET_LEVEL) / cell).ceil() as usize);
        for row in 0..rows {
            let v = STREET_LEVEL + row as f32 * cell;
            let share = ((h - v) / cell).min(1.0);
            for column in 0..columns {
                let (u, top) = (column as f32 * cell, v + cell * share);
                self.line([u, v], [u + cell * share, top], 0.42, frame);
                self.line([u + cell, v], [u + cell - cell * share, top], 0.42, frame);
            }
        }
    }
}

/// Doors, shop windows, awnings and projecting signs: what a passer-by sees.
pub fn street_level(painter: &mut Painter, building: &Building, plane: &Plane, dice: &mut Dice, detail: f32) {
    match building.facade {
        Facade::Wooden => door(painter, building, plane, 0.4),
        Facade::SnowHouse => wind_porch(painter, building, plane),
        Facade::Warehouse | Facade::Stone | Facade::Balcony if dice.chance(0.6) => lobby(painter, building, plane),
        Facade::ShopHouse | Facade::Pencil => {
            shop(painter, building, plane, true);
            hanging_sign(painter, building, plane, dice);
        }
        Facade::Warehouse => {}
        _ => shop(painter, building, plane, detail > 4.0 && dice.chance(0.4)),
    }
}

fn door(painter: &mut Painter, building: &Building, plane: &Plane, at: f32) {
    let ink = painter.lit(building.accent.map(|c| c * 0.7), plane.out);
    painter.rect(plane, [at, 0.0, at + 1.1, 2.2], 0.02, ink);
}

/// A glazed porch before the door keeps snow and wind out.
fn wind_porch(painter: &mut Painter, building: &Building, plane: &Plane) {
    let u = building.width * 0.42;
    let frame = painter.lit([0.80, 0.81, 0.82], plane.out);
    let glass = painter.light.glass;
    painter.rect(plane, [u, 0.0, u + 2.2, 2.6], 0.02, frame);
    for pane in [0.15, 1.2] {
        painter.rect(plane, [u + pane, 0.5, u + pane + 0.85, 2.3], 0.02, glass);
    }
    let roof = painter.lit(building.accent, plane.out);
    painter.shape(plane, &[[u - 0.3, 2.6], [u + 2.5, 2.6], [u + 1.1, 3.5]], roof);
}

fn lobby(painter: &mut Painter, building: &Building, plane: &Plane) {
    let w = building.width;
    let dark = painter.lit(building.wall.map(|c| c * 0.5), plane.out);
    let glass = painter.light.glass;
    painter.rect(plane, [w * 0.34, 0.0, w * 0.66, 3.2], 0.02, dark);
    painter.rect(plane, [w * 0.37, 0.0, w * 0.49, 2.7], 0.02, glass);
    painter.rect(plane, [w * 0.51, 0.0, w * 0.63, 2.7], 0.02, glass);
    let slab = painter.lit(building.accent, plane.out);
    painter.rect(plane, [w * 0.30, 3.2, w * 0.70, 3.5], 0.6, slab);
}

fn shop(painter: &mut Painter, building: &Building, plane: &Plane, awning: bool) {
    let w = building.width;
    let glow = painter.light.lit_windows > 0.3;
    let glass = if glow { [0.96, 0.84, 0.60] } else { blend(painter.light.glass, [0.95, 0.90, 0.78], 0.25) };
    let base = painter.lit(building.wall.map(|c| c * 0.6), plane.out);
    painter.rect(plane, [0.2, 0.0, w - 0.2, 3.3], 0.01, base);
    let bays = (w / 3.0).round().max(1.0);
    let step = (w - 0.6) / bays;
    for i in 0..bays as usize {
        let u = 0.3 + i as f32 * step;
        painter.rect(plane, [u + 0.15, 0.45, u + step - 0.15, 2.5], 0.02, glass);
    }
    // A slanted reflection on each pane.
    for i in 0..bays as usize {
        let u = 0.45 + i as f32 * step;
        let glint = [[u + 0.2, 0.45], [u + 0.6, 0.45], [u + 1.2, 2.5], [u + 0.8, 2.5]];
        painter.shape(plane, &glint, Ink([1.0; 3], 0.16));
    }
    let board = painter.lit(building.accent, plane.out);
    painter.rect(plane, [0.2, 2.6, w - 0.2, 3.3], 0.05, board);
    if awning {
        striped_awning(painter, building, plane);
    }
}

fn striped_awning(painter: &mut Painter, building: &Building, plane: &Plane) {
    let w = building.width;
    let normal = [plane.out[0] * 0.7, plane.out[1] * 0.7, 0.7];
    let inks = [painter.lit(building.accent, normal), painter.lit([0.94, 0.92, 0.88], normal)];
    let stripes = ((w - 0.6) / 0.7).max(1.0) as usize;
    let step = (w - 0.6) / stripes as f32;
    for (parity, ink) in inks.into_iter().enumerate() {
        for i in (parity..stripes).step_by(2) {
            let (u0, u1) = (0.3 + i as f32 * step, 0.3 + (i + 1) as f32 * step);
            painter.polygon(
                &[plane.at(u0, 2.75, 0.05), plane.at(u1, 2.75, 0.05), plane.at(u1, 2.25, 1.1), plane.at(u0, 2.25, 1.1)],
                ink,
            );
        }
    }
}

/// A vertical sign that projects over the pavement, with strokes that read as letters.
fn hanging_sign(painter: &mut Painter, building: &Building, plane: &Plane, dice: &mut Dice) {
    let u = building.width - 0.35;
    let (bottom, top) = (3.8, (building.height - 0.8).min(3.8 + dice.range(2.5, 5.5)));
    let face = Plane { origin: plane.at(u, 0.0, 0.0), along: plane.out, out: [0.0, -plane.along[1], 0.0] };
    let colour =
        dice.pick(&[building.accent, [0.93, 0.91, 0.86], [0.80, 0.30, 0.25], [0.93, 0.76, 0.32], [0.22, 0.40, 0.60]]);
    let ink = painter.lit(colour, [0.0, 0.0, 0.5]);
    painter.rect(&face, [0.1, bottom, 1.0, top], 0.0, ink);
    let stroke = if colour[0] + colour[1] > 1.3 { [0.22, 0.20, 0.22] } else { [0.95; 3] };
    let mut v = bottom + 0.2;
    while v + 0.7 < top {
        glyph::write(painter, &face, [0.24, v], 0.62, dice.below(8), stroke);
        v += 0.8;
    }
}

//! Passers-by and their bicycles, as flat silhouettes.

use super::super::dice::Dice;
use super::super::scene::{Item, Rgb};
use super::painter::{Ink, Painter};

const CLOTHES: [Rgb; 9] = [
    [0.20, 0.22, 0.28],
    [0.36, 0.38, 0.42],
    [0.82, 0.80, 0.76],
    [0.55, 0.28, 0.26],
    [0.28, 0.40, 0.52],
    [0.62, 0.54, 0.42],
    [0.40, 0.46, 0.36],
    [0.86, 0.72, 0.44],
    [0.52, 0.44, 0.56],
];

/// Someone walking.
pub fn person(painter: &mut Painter, item: &Item) {
    let mut dice = Dice::new(item.seed, 41);
    let plane = painter.billboard(item.x, item.y);
    painter.flat_oval([item.x, item.y, super::ground::KERB], [0.32, 0.32], Ink([0.06, 0.07, 0.1], 0.25));
    let up = [0.0, 0.0, 1.0];
    let [coat, trousers] = [0, 1].map(|_| painter.lit(dice.pick(&CLOTHES), up));
    let skin = painter.lit([0.86, 0.70, 0.58], up);
    let hair = painter.lit([0.16, 0.14, 0.13], up);
    let (h, stride) = (dice.range(1.5, 1.8), dice.range(0.06, 0.26));
    for (foot, knee) in [(-stride, -stride * 0.3), (stride, stride * 0.6)] {
        painter.line(plane.at(0.0, h * 0.48, 0.0), plane.at(knee, h * 0.25, 0.0), 0.16, trousers);
        painter.line(plane.at(knee, h * 0.27, 0.0), plane.at(foot, 0.05, 0.0), 0.13, trousers);
    }
    let torso =
        [[-0.19, h * 0.44], [0.19, h * 0.44], [0.23, h * 0.80], [0.10, h * 0.86], [-0.10, h * 0.86], [-0.23, h * 0.80]];
    painter.shape(&plane, &torso, coat);
    painter.line(plane.at(0.2, h * 0.78, 0.0), plane.at(0.2 + stride * 0.6, h * 0.48, 0.0), 0.1, coat);
    painter.oval(&plane, [0.0, h * 0.925], [0.105, 0.125], skin);
    painter.oval(&plane, [-0.015, h * 0.955], [0.115, 0.095], hair);
    if dice.chance(0.3) {
        let bag = painter.lit(dice.pick(&CLOTHES), up);
        painter.rect(&plane, [-0.36, h * 0.36, -0.14, h * 0.56], 0.0, bag);
    }
}

/// A parked bicycle, seen along the wall.
pub fn bicycle(painter: &mut Painter, item: &Item) {
    let mut dice = Dice::new(item.seed, 42);
    let dark = painter.lit([0.20, 0.20, 0.22], [0.0, 0.0, 1.0]);
    let frame = painter.lit(dice.pick(&CLOTHES), [0.0, 0.0, 1.0]);
    for n in 0..1 + dice.below(4) {
        let y = item.y + n as f32 * 0.6;
        let at = |u: f32, v: f32| [item.x, y + u, v];
        for wheel in [-0.5, 0.55] {
            let rim = |i: i32| {
                let angle = f64::from(i) / 10.0 * std::f64::consts::TAU;
                at(wheel + 0.33 * angle.cos() as f32, 0.35 + 0.33 * angle.sin() as f32)
            };
            (0..10).for_each(|i| painter.line(rim(i), rim(i + 1), 0.05, dark));
        }
        for (a, b) in [
            ((-0.5, 0.35), (-0.05, 0.75)),
            ((-0.05, 0.75), (0.45, 0.8)),
            ((0.55, 0.35), (0.42, 1.0)),
            ((0.05, 0.35), (-0.12, 0.9)),
            ((-0.5, 0.35), (0.05, 0.35)),
            ((0.05, 0.35), (0.45, 0.8)),
        ] {
            painter.line(at(a.0, a.1), at(b.0, b.1), 0.055, frame);
        }
        painter.line(at(-0.25, 0.92), at(0.0, 0.92), 0.09, dark);
        painter.line(at(0.3, 1.02), at(0.5, 1.0), 0.06, dark);
    }
}

//! Pictures that people send and that are no street: rooms, screenshots, drawings, plain colours, noise.
//!
//! A model that only knows streets names an area for each of them; they are there to measure whether it notices.

use image::{Rgb, RgbImage, imageops};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::photo::{PhotoSpec, encode_jpeg, photos};
use super::render::render;
use super::{Panorama, World};
use crate::domain::Split;

/// Side of a picture, pixels: what services send for the most part.
const SIDE: u32 = 640;

/// What a picture shows instead of a street.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stray {
    /// The inside of a shop or café, by the renderer that draws the streets, through the same camera.
    Room,
    /// A page of text with a bar, pictures and buttons.
    Screenshot,
    /// Ovals and bars in any colour.
    Shapes,
    /// One colour that fades into another, as of a covered lens or the sky alone.
    Plain,
    /// Every pixel by chance, in grains of one pixel or many.
    Noise,
}

impl Stray {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Room, Self::Screenshot, Self::Shapes, Self::Plain, Self::Noise];

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Screenshot => "screenshot",
            Self::Shapes => "shapes",
            Self::Plain => "plain",
            Self::Noise => "noise",
        }
    }
}

/// `each` pictures of every kind as JPEGs, kind by kind, drawn on all cores. The same arguments give the same pictures;
/// rooms are seen from cameras in towns of `split`.
///
/// # Panics
/// When no town lies in `split`.
#[must_use]
pub fn strays(world: &World, seed: u64, split: Split, each: usize) -> Vec<(Stray, Vec<u8>)> {
    let cameras: Vec<PhotoSpec> = photos(world, seed, &[split], each.div_ceil(world.areas().len())).collect();
    let all: Vec<(Stray, usize)> = Stray::ALL.into_iter().flat_map(|kind| (0..each).map(move |i| (kind, i))).collect();
    let draw = |&(kind, i): &(Stray, usize)| {
        let mut dice = Dice::new(seed, 1_000 + 100_000 * kind as u64 + i as u64);
        let picture = match kind {
            Stray::Room => room(world, &cameras[i], &mut dice),
            Stray::Screenshot => screenshot(&mut dice),
            Stray::Shapes => shapes(&mut dice),
            Stray::Plain => plain(&mut dice),
            Stray::Noise => noise(&mut dice),
        };
        (kind, encode_jpeg(&picture, 55 + dice.below(41) as u8))
    };
    all.par_iter().map(draw).collect()
}

/// A room of its own where the camera stands.
fn room(world: &World, camera: &PhotoSpec, dice: &mut Dice) -> RgbImage {
    let street = &world.panoramas(camera.area)[camera.panorama];
    render(world, &Panorama { indoor: true, seed: dice.bits(), ..street.clone() }, &camera.view).image
}

fn colour(dice: &mut Dice) -> Rgb<u8> {
    Rgb([0; 3].map(|_: u8| dice.below(256) as u8))
}

fn fill(picture: &mut RgbImage, [x, y, width, height]: [u32; 4], ink: Rgb<u8>) {
    for row in y..(y + height).min(picture.height()) {
        for column in x..(x + width).min(picture.width()) {
            picture.put_pixel(column, row, ink);
        }
    }
}

/// Words are bars, as they are from a distance.
fn screenshot(dice: &mut Dice) -> RgbImage {
    let (width, height) = dice.pick(&[(360, 640), (640, 480), (640, 400)]);
    let is_dark = dice.chance(0.35);
    let (paper, ink) = if is_dark { ([24; 3], [214; 3]) } else { ([250; 3], [40; 3]) };
    let accent = colour(dice);
    let mut page = RgbImage::from_pixel(width, height, Rgb(paper));
    let bar = 28 + dice.below(30) as u32;
    fill(&mut page, [0, 0, width, bar], accent);
    let (left, line) = (16 + dice.below(30) as u32, 9 + dice.below(10) as u32);
    let mut y = bar + 14;
    while y + line < height {
        match dice.below(9) {
            0 => {
                let tall = 40 + dice.below(90) as u32;
                fill(&mut page, [left, y, width - 2 * left, tall], colour(dice));
                y += tall;
            }
            1 => fill(&mut page, [left, y, 60 + dice.below(90) as u32, line + 10], accent),
            _ => words(&mut page, [left, y, line], Rgb(ink), dice),
        }
        y += line + 7 + dice.below(8) as u32;
    }
    page
}

fn words(page: &mut RgbImage, [left, y, line]: [u32; 3], ink: Rgb<u8>, dice: &mut Dice) {
    let end = (page.width() - left) * (5 + dice.below(6) as u32) / 10;
    let mut x = left;
    while x < end {
        let letters = 1 + dice.below(9) as u32;
        for _ in 0..letters {
            let thin = 1 + dice.below(2) as u32;
            fill(page, [x, y + line / 4, thin, line * 3 / 4 - dice.below(3) as u32], ink);
            fill(page, [x, y + line / 4 + dice.below(line as usize / 2) as u32, line / 2, 1], ink);
            x += line / 2 + 2;
        }
        x += line / 2;
    }
}

fn shapes(dice: &mut Dice) -> RgbImage {
    let mut picture = RgbImage::from_pixel(SIDE, SIDE, colour(dice));
    for _ in 0..3 + dice.below(20) {
        let ink = colour(dice);
        let [x, y] = [0; 2].map(|_: u8| dice.range(0.0, SIDE as f32));
        let [a, b] = [0; 2].map(|_: u8| dice.range(15.0, 170.0));
        let is_oval = dice.chance(0.6);
        for (column, row, pixel) in picture.enumerate_pixels_mut() {
            let (u, v) = ((column as f32 - x) / a, (row as f32 - y) / b);
            let inside = if is_oval { u * u + v * v < 1.0 } else { u.abs() < 1.0 && v.abs() < 1.0 };
            if inside {
                *pixel = ink;
            }
        }
    }
    picture
}

fn plain(dice: &mut Dice) -> RgbImage {
    let (from, to, grain) = (colour(dice), colour(dice), dice.range(0.0, 6.0));
    let to = if dice.chance(0.5) { from } else { to };
    RgbImage::from_fn(SIDE, SIDE, |_, y| {
        let share = y as f32 / SIDE as f32;
        let mixed = |i: usize| f32::from(from.0[i]) + (f32::from(to.0[i]) - f32::from(from.0[i])) * share;
        let grain = dice.bell() * grain;
        Rgb([0, 1, 2].map(|i| (mixed(i) + grain).clamp(0.0, 255.0) as u8))
    })
}

fn noise(dice: &mut Dice) -> RgbImage {
    let cells = SIDE / dice.pick(&[1, 2, 4, 10, 40]);
    let is_grey = dice.chance(0.3);
    let grains = RgbImage::from_fn(cells, cells, |_, _| {
        let ink = colour(dice);
        if is_grey { Rgb([ink.0[0]; 3]) } else { ink }
    });
    let filter = dice.pick(&[imageops::FilterType::Nearest, imageops::FilterType::Triangle]);
    imageops::resize(&grains, SIDE, SIDE, filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn_the_same_again_and_no_two_alike() {
        let world = World::load();
        let drawn = strays(&world, 3, Split::Test, 2);
        assert_eq!(drawn, strays(&world, 3, Split::Test, 2));
        let kinds: Vec<Stray> = drawn.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, Stray::ALL.into_iter().flat_map(|kind| [kind; 2]).collect::<Vec<_>>());
        let mut bytes: Vec<&Vec<u8>> = drawn.iter().map(|(_, jpeg)| jpeg).collect();
        bytes.sort();
        bytes.dedup();
        assert_eq!(bytes.len(), drawn.len());
        assert!(drawn.iter().all(|(_, jpeg)| image::load_from_memory(jpeg).is_ok()));
    }
}

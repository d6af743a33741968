//! Changes of shape: affine maps, crops, perspective.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{Rgb, RgbImage};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Fault, between, range, share};

/// Turns, shifts and scales the whole photo about its centre, black around it (torchvision's `RandomAffine`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// Largest turn to either side, degrees, 0 to 180.
    pub degrees: f32,
    /// Largest shift in each direction, share of the side, 0 to 1.
    pub translate: f32,
    /// Smallest and largest scale, above 0.
    pub scale: [f32; 2],
}

/// Cuts out a random part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Smallest and largest share of the area that is kept, above 0 to 1.
    pub area: [f32; 2],
    /// Largest ratio between the sides, 1 or more.
    pub ratio: f32,
}

/// Moves the corners inwards, black around it (torchvision's `RandomPerspective`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perspective {
    /// Largest shift of a corner in each direction, share of half the side, 0 to 1.
    pub distortion: f32,
    /// How often, 0 to 1.
    pub probability: f32,
}

impl Affine {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let degrees = (!(0.0..=180.0).contains(&self.degrees))
            .then(|| ("augment.affine.degrees", self.degrees.to_string(), "0 to 180"));
        let scale = range("augment.affine.scale", self.scale, 10.0, "smallest and largest scale, above 0 to 10");
        degrees.into_iter().chain(share("augment.affine.translate", self.translate)).chain(scale).collect()
    }

    pub(super) fn apply(&self, picture: &RgbImage, rng: &mut impl Rng) -> RgbImage {
        warp(picture, &self.draw(f64::from(picture.width()), f64::from(picture.height()), rng))
    }

    /// From positions in the result to positions in the photo.
    fn draw(&self, width: f64, height: f64, rng: &mut impl Rng) -> Matrix {
        let angle = f64::from(between(-self.degrees, self.degrees, rng).to_radians());
        let scale = f64::from(between(self.scale[0], self.scale[1], rng));
        let right = f64::from(between(-self.translate, self.translate, rng)) * width;
        let down = f64::from(between(-self.translate, self.translate, rng)) * height;
        let (cos, sin) = (angle.cos() / scale, angle.sin() / scale);
        let (x, y) = (width / 2.0, height / 2.0);
        // Undo the shift, then turn and scale about the centre.
        let (from_x, from_y) = (x + right, y + down);
        [[cos, sin, x - cos * from_x - sin * from_y], [-sin, cos, y + sin * from_x - cos * from_y], [0.0, 0.0, 1.0]]
    }
}

impl Crop {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let area = range("augment.crop.area", self.area, 1.0, "smallest and largest share, above 0 to 1");
        let ratio = (!(1.0..=10.0).contains(&self.ratio))
            .then(|| ("augment.crop.ratio", self.ratio.to_string(), "1 (square) to 10"));
        area.into_iter().chain(ratio).collect()
    }

    /// Left, top, width and height of a crop, inside the picture.
    fn draw(&self, width: f64, height: f64, rng: &mut impl Rng) -> (f64, f64, f64, f64) {
        let area = f64::from(between(self.area[0], self.area[1], rng));
        let ratio = f64::from(between(-self.ratio.ln(), self.ratio.ln(), rng).exp());
        let w = (width * (area * ratio).sqrt()).min(width);
        let h = (height * (area / ratio).sqrt()).min(height);
        let x = f64::from(between(0.0, 1.0, rng)) * (width - w);
        let y = f64::from(between(0.0, 1.0, rng)) * (height - h);
        (x, y, w, h)
    }
}

/// A crop, or the whole picture, as a square of `side` pixels, with an anti-aliased filter.
pub(super) fn cut(picture: &RgbImage, crop: Option<Crop>, side: u32, rng: &mut impl Rng) -> RgbImage {
    let (width, height) = picture.dimensions();
    let whole = (0.0, 0.0, f64::from(width), f64::from(height));
    let (x, y, w, h) = crop.map_or(whole, |crop| crop.draw(whole.2, whole.3, rng));
    let source = ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3).expect("an RGB buffer fits its size");
    let mut target = Image::new(side, side, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(x, y, w, h);
    Resizer::new().resize(&source, &mut target, &options).expect("the crop lies inside the picture");
    RgbImage::from_raw(side, side, target.into_vec()).expect("an RGB buffer fits its size")
}

impl Perspective {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let distortion = share("augment.perspective.distortion", self.distortion);
        distortion.into_iter().chain(share("augment.perspective.probability", self.probability)).collect()
    }

    pub(super) fn apply(&self, picture: &RgbImage, rng: &mut impl Rng) -> RgbImage {
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        warp(picture, &to_corners(self.draw(width, height, rng), width, height))
    }

    /// Where the corners of the photo go: top left, top right, bottom right, bottom left.
    fn draw(&self, width: f64, height: f64, rng: &mut impl Rng) -> [(f64, f64); 4] {
        let mut inwards = |length: f64| f64::from(between(0.0, self.distortion, rng)) * length / 2.0;
        [
            (inwards(width), inwards(height)),
            (width - inwards(width), inwards(height)),
            (width - inwards(width), height - inwards(height)),
            (inwards(width), height - inwards(height)),
        ]
    }
}

/// A projective map of the plane, row-major.
type Matrix = [[f64; 3]; 3];

/// The map from the result to the photo that puts the photo's corners there: the inverse of Heckbert's map of a square
/// to a quadrilateral ("Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3).
fn to_corners([a, b, c, d]: [(f64, f64); 4], width: f64, height: f64) -> Matrix {
    let sum = (a.0 - b.0 + c.0 - d.0, a.1 - b.1 + c.1 - d.1);
    let (right, down) = ((b.0 - c.0, b.1 - c.1), (d.0 - c.0, d.1 - c.1));
    let area = right.0 * down.1 - down.0 * right.1;
    let g = (sum.0 * down.1 - down.0 * sum.1) / area;
    let h = (right.0 * sum.1 - sum.0 * right.1) / area;
    let square =
        [[b.0 - a.0 + g * b.0, d.0 - a.0 + h * d.0, a.0], [b.1 - a.1 + g * b.1, d.1 - a.1 + h * d.1, a.1], [g, h, 1.0]];
    let [x, y, w] = inverse(&square);
    [x.map(|value| value * width), y.map(|value| value * height), w]
}

/// Also used for colours.
pub(super) fn inverse(m: &Matrix) -> Matrix {
    let minor = |row: usize, column: usize| {
        let (r, s) = ((row + 1) % 3, (row + 2) % 3);
        let (c, d) = ((column + 1) % 3, (column + 2) % 3);
        m[r][c] * m[s][d] - m[r][d] * m[s][c]
    };
    let determinant: f64 = (0..3).map(|column| m[0][column] * minor(0, column)).sum();
    std::array::from_fn(|row| std::array::from_fn(|column| minor(column, row) / determinant))
}

/// The picture seen through a map from positions in the result to positions in it; bilinear, black outside.
fn warp(picture: &RgbImage, map: &Matrix) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (x, y) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let [u, v, w] = map.map(|row| row[0] * x + row[1] * y + row[2]);
        // Behind the eye there is nothing to see.
        if w <= 0.0 { Rgb([0; 3]) } else { sample(picture, (u / w - 0.5) as f32, (v / w - 0.5) as f32) }
    })
}

fn sample(picture: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let (left, top) = (left as i32, top as i32);
    let mut sum = [0.0_f32; 3];
    for (dy, weight_y) in [(0, 1.0 - down), (1, down)] {
        for (dx, weight_x) in [(0, 1.0 - right), (1, right)] {
            let (x, y) = (left.saturating_add(dx), top.saturating_add(dy));
            if (0..width).contains(&x) && (0..height).contains(&y) {
                let pixel = picture.get_pixel(x as u32, y as u32).0;
                sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += weight_x * weight_y * f32::from(value));
            }
        }
    }
    Rgb(sum.map(|value| value.round() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn at(map: &Matrix, (x, y): (f64, f64)) -> (f64, f64) {
        let [u, v, w] = map.map(|row| row[0] * x + row[1] * y + row[2]);
        (u / w, v / w)
    }

    fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
        (a.0 - b.0).hypot(a.1 - b.1)
    }

    #[test]
    fn maps_that_change_nothing_change_nothing() {
        let picture = RgbImage::from_fn(33, 33, |x, y| Rgb([(x * 7) as u8, (y * 7) as u8, (x * y) as u8]));
        let still = Affine { degrees: 0.0, translate: 0.0, scale: [1.0, 1.0] };
        assert_eq!(still.apply(&picture, &mut rng(1)), picture);
        let flat = Perspective { distortion: 0.0, probability: 1.0 };
        assert_eq!(flat.apply(&picture, &mut rng(1)), picture);
    }

    #[test]
    fn a_turn_by_a_right_angle_moves_every_pixel_to_its_place() {
        let picture = RgbImage::from_fn(16, 16, |x, y| Rgb([(x * 16) as u8, (y * 16) as u8, 7]));
        // A quarter turn to the left: what is right of the centre in the photo is above it in the result.
        let quarter = [[0.0, -1.0, 16.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
        assert_eq!(warp(&picture, &quarter), image::imageops::rotate270(&picture));
    }

    proptest! {
        #[test]
        fn affine_maps_stay_within_their_ranges(
            seed: u64, degrees in 0.0..180.0_f32, translate in 0.0..1.0_f32, low in 0.2..1.0_f32, more in 0.0..2.0_f32,
        ) {
            let affine = Affine { degrees, translate, scale: [low, low + more] };
            let map = affine.draw(100.0, 60.0, &mut rng(seed));
            // Back from the photo to the result: the centre moves by the shift, lengths by the scale.
            let back = inverse(&map);
            let centre = at(&back, (50.0, 30.0));
            prop_assert!((centre.0 - 50.0).abs() <= f64::from(translate) * 100.0 + 1e-3);
            prop_assert!((centre.1 - 30.0).abs() <= f64::from(translate) * 60.0 + 1e-3);
            let right = at(&back, (60.0, 30.0));
            let scale = distance(right, centre) / 10.0;
            prop_assert!(scale >= f64::from(low) - 1e-3 && scale <= f64::from(low + more) + 1e-3, "{}", scale);
            let angle = (right.1 - centre.1).atan2(right.0 - centre.0).to_degrees().abs();
            prop_assert!(angle <= f64::from(degrees) + 1e-2, "{}", angle);
        }

        #[test]
        fn corners_go_inwards_by_no_more_than_the_distortion(
            seed: u64, distortion in 0.0..0.95_f32, width in 8.0..300.0_f64, height in 8.0..300.0_f64,
        ) {
            let perspective = Perspective { distortion, probability: 1.0 };
            let corners = perspective.draw(width, height, &mut rng(seed));
            let own = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
            let map = to_corners(corners, width, height);
            for (corner, own) in corners.into_iter().zip(own) {
                prop_assert!((corner.0 - own.0).abs() <= f64::from(distortion) * width / 2.0 + 1e-9);
                prop_assert!((corner.1 - own.1).abs() <= f64::from(distortion) * height / 2.0 + 1e-9);
                prop_assert!(corner.0 >= 0.0 && corner.0 <= width && corner.1 >= 0.0 && corner.1 <= height);
                // The map takes each moved corner back to its own.
                prop_assert!(distance(at(&map, corner), own) < 1e-6 * width.max(height));
            }
        }

        #[test]
        fn crops_lie_inside_and_keep_their_share(
            seed: u64, width in 10.0..500.0_f64, height in 10.0..500.0_f64, least in 0.1..1.0_f32, ratio in 1.0..2.0_f32,
        ) {
            let crop = Crop { area: [least, 1.0], ratio };
            let (x, y, w, h) = crop.draw(width, height, &mut rng(seed));
            prop_assert!(x >= 0.0 && y >= 0.0 && x + w <= width + 1e-9 && y + h <= height + 1e-9);
            // A side that would stick out is cut, which costs at most the ratio.
            prop_assert!(w * h >= f64::from(least / ratio) * width * height * 0.999);
        }

        #[test]
        fn one_colour_stays_one_colour_or_turns_black(seed: u64, colour: [u8; 3], side in 4_u32..40) {
            let picture = RgbImage::from_pixel(side, side, Rgb(colour));
            let affine = Affine { degrees: 30.0, translate: 0.2, scale: [0.7, 1.2] };
            let perspective = Perspective { distortion: 0.5, probability: 1.0 };
            for out in [affine.apply(&picture, &mut rng(seed)), perspective.apply(&picture, &mut rng(seed))] {
                // The edge is mixed with black, never with anything else.
                prop_assert!(out.pixels().all(|p| (0..3).all(|c| p.0[c] <= colour[c])));
                // The middle is whole where no edge comes within the pixel that is mixed: of tiny pictures it may. The
                // edge is at least 0.35 sides from the photo's centre, which a shift and a turn take 0.273 away.
                if side >= 16 {
                    prop_assert_eq!(out.get_pixel(side / 2, side / 2).0, colour);
                }
            }
        }
    }
}

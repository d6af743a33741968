//! Changes of light and colour, and what hides part of a photo.

use image::{Rgb, RgbImage};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::geometry::inverse;
use super::{Fault, between, range, share};

/// Changes of light and colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colour {
    /// Brightness is multiplied by 1 plus or minus up to this, 0 to 1.
    pub brightness: f32,
    /// Likewise the distance from the mean.
    pub contrast: f32,
    /// Likewise the distance of each pixel from its grey.
    pub saturation: f32,
    /// Colours turn around grey by up to this share of the circle, 0 to 0.5.
    pub hue: f32,
    /// Values (0 to 1) are raised to a power between 1 / (1 + this) and 1 + this, 0 to 1.
    pub gamma: f32,
}

/// Hides a rectangle behind noise (Zhong et al. 2017, "Random Erasing").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// How often, 0 to 1.
    pub probability: f32,
    /// Smallest and largest share of the area, above 0 to 1.
    pub area: [f32; 2],
}

/// RGB to YIQ (the NTSC standard of 1953): grey, and the two axes of the plane of colours.
const YIQ: [[f64; 3]; 3] = [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]];

impl Colour {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let shares = [
            share("augment.colour.brightness", self.brightness),
            share("augment.colour.contrast", self.contrast),
            share("augment.colour.saturation", self.saturation),
            share("augment.colour.gamma", self.gamma),
        ];
        let hue = (!(0.0..=0.5).contains(&self.hue)).then(|| ("augment.colour.hue", self.hue.to_string(), "0 to 0.5"));
        shares.into_iter().flatten().chain(hue).collect()
    }

    pub(super) fn apply(&self, picture: &mut RgbImage, rng: &mut impl Rng) {
        let mut factor = |strength: f32| 1.0 + between(-strength, strength, rng);
        let (brightness, contrast, saturation) =
            (factor(self.brightness), factor(self.contrast), factor(self.saturation));
        let turn = between(-self.hue, self.hue, rng);
        let power = between(-(1.0 + self.gamma).ln(), (1.0 + self.gamma).ln(), rng).exp();
        // Brightness and gamma act on each value alone: a table spares a power a pixel.
        let table: Vec<f32> =
            (0_u8..=255).map(|v| (f32::from(v) / 255.0 * brightness).min(1.0).powf(power) * 255.0).collect();
        let sum: f32 = picture.as_raw().iter().map(|&v| table[usize::from(v)]).sum();
        let mean = sum / picture.as_raw().len() as f32;
        let mix = mix(saturation, turn);
        for pixel in picture.pixels_mut() {
            let rgb = pixel.0.map(|v| table[usize::from(v)]);
            // A float cast to u8 saturates at 0 and 255.
            pixel.0 = mix.map(|row| {
                let value = row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2];
                ((value - mean) * contrast + mean).round() as u8
            });
        }
    }
}

/// Scales and turns (by a share of the circle) the colours around grey, which stays as it is.
fn mix(saturation: f32, turn: f32) -> [[f32; 3]; 3] {
    let (sin, cos) = (f64::from(turn) * std::f64::consts::TAU).sin_cos();
    let (sin, cos) = (sin * f64::from(saturation), cos * f64::from(saturation));
    let turned = |column: usize| {
        let [y, i, q] = YIQ.map(|row| row[column]);
        [y, cos * i - sin * q, sin * i + cos * q]
    };
    let columns = [turned(0), turned(1), turned(2)];
    inverse(&YIQ)
        .map(|row| std::array::from_fn(|column| (0..3).map(|k| row[k] * columns[column][k]).sum::<f64>() as f32))
}

impl Erase {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let area = range("augment.erase.area", self.area, 1.0, "smallest and largest share, above 0 to 1");
        share("augment.erase.probability", self.probability).into_iter().chain(area).collect()
    }

    pub(super) fn apply(&self, picture: &mut RgbImage, rng: &mut impl Rng) {
        let (width, height) = picture.dimensions();
        let area = between(self.area[0], self.area[1], rng);
        let ratio = between(-1.0, 1.0, rng).exp();
        let share = |ratio: f32| (area * ratio).sqrt().min(1.0);
        let w = (width as f32 * share(ratio)).ceil() as u32;
        let h = (height as f32 * share(1.0 / ratio)).ceil() as u32;
        let (left, top) = (rng.random_range(0..=width - w), rng.random_range(0..=height - h));
        for y in top..top + h {
            for x in left..left + w {
                picture.put_pixel(x, y, Rgb([rng.random(), rng.random(), rng.random()]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn changed(colour: Colour, pixel: [u8; 3], seed: u64) -> [u8; 3] {
        // Two greys beside the pixel keep the mean away from it, so that contrast has something to do.
        let mut picture = RgbImage::from_pixel(3, 1, Rgb([40; 3]));
        picture.put_pixel(0, 0, Rgb(pixel));
        picture.put_pixel(1, 0, Rgb([200; 3]));
        colour.apply(&mut picture, &mut ChaCha8Rng::seed_from_u64(seed));
        picture.get_pixel(0, 0).0
    }

    fn luma([r, g, b]: [u8; 3]) -> f32 {
        0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
    }

    #[test]
    fn each_change_shows() {
        let pixel = [120, 90, 60];
        let changes = [
            Colour { brightness: 0.5, ..Colour::default() },
            Colour { contrast: 0.5, ..Colour::default() },
            Colour { saturation: 0.5, ..Colour::default() },
            Colour { hue: 0.3, ..Colour::default() },
            Colour { gamma: 0.5, ..Colour::default() },
        ];
        for change in changes {
            let different = (0..20).filter(|&seed| changed(change, pixel, seed) != pixel).count();
            assert!(different > 10, "{change:?}: {different}");
        }
        assert_eq!(changed(Colour::default(), pixel, 1), pixel);
    }

    proptest! {
        #[test]
        fn brightness_stays_within_its_strength(seed: u64, value in 1_u8..120, strength in 0.0..1.0_f32) {
            let only = Colour { brightness: strength, ..Colour::default() };
            let [out, ..] = changed(only, [value; 3], seed);
            let (value, out) = (f32::from(value), f32::from(out));
            prop_assert!((out - value).abs() <= strength * value + 0.51, "{} {}", value, out);
        }

        #[test]
        fn contrast_moves_values_towards_the_mean_or_away(seed: u64, value: u8, strength in 0.0..1.0_f32) {
            let only = Colour { contrast: strength, ..Colour::default() };
            let [out, ..] = changed(only, [value; 3], seed);
            let mean = (40.0 + 200.0 + f32::from(value)) / 3.0;
            let (before, after) = (f32::from(value) - mean, f32::from(out) - mean);
            let room = (strength * before.abs() + 0.51).max(0.51);
            prop_assert!((after - before).abs() <= room, "{} {} {}", value, out, mean);
        }

        #[test]
        fn gamma_keeps_black_white_and_order(seed: u64, value in 1_u8..255, strength in 0.0..1.0_f32) {
            let only = Colour { gamma: strength, ..Colour::default() };
            prop_assert_eq!(changed(only, [0; 3], seed), [0; 3]);
            prop_assert_eq!(changed(only, [255; 3], seed), [255; 3]);
            prop_assert!(changed(only, [value - 1; 3], seed)[0] <= changed(only, [value; 3], seed)[0]);
        }

        #[test]
        fn hue_and_saturation_leave_grey_and_brightness_alone(
            seed: u64, grey: u8, pixel in prop::array::uniform3(90_u8..150), hue in 0.0..0.5_f32,
            saturation in 0.0..0.5_f32,
        ) {
            let only = Colour { hue, saturation, ..Colour::default() };
            prop_assert_eq!(changed(only, [grey; 3], seed), [grey; 3]);
            // Far from black and white nothing is cut off, so the luma stays, to rounding.
            let out = changed(only, pixel, seed);
            prop_assert!((luma(out) - luma(pixel)).abs() < 0.6, "{:?} {:?}", pixel, out);
        }

        #[test]
        fn erasing_hides_its_share_and_leaves_the_rest(seed: u64, low in 0.02..0.3_f32, more in 0.0..0.3_f32) {
            let mut picture = RgbImage::from_pixel(64, 64, Rgb([100; 3]));
            let erase = Erase { probability: 1.0, area: [low, low + more] };
            erase.apply(&mut picture, &mut ChaCha8Rng::seed_from_u64(seed));
            let changed = picture.pixels().filter(|p| p.0 != [100; 3]).count() as f32 / (64.0 * 64.0);
            // Sides are rounded up to pixels; a rectangle that would stick out is cut.
            prop_assert!(changed <= (low + more).sqrt().min(1.0).powi(2) + 0.05 && changed >= low * 0.7, "{}", changed);
        }
    }
}

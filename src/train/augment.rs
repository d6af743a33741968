//! Random changes that keep a photo's place: what makes few towns stand for many.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Which changes, and how strong. [`Augment::none`] changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augment {
    /// Smallest share of the area that a crop keeps, above 0 to 1; 1 keeps the whole picture.
    pub crop_area: f32,
    /// Largest ratio between the sides of a crop, 1 or more.
    pub crop_ratio: f32,
    /// Probability of a mirror image, 0 to 1.
    pub flip: f32,
    /// Brightness is multiplied by 1 plus or minus up to this, 0 to 1.
    pub brightness: f32,
    /// Likewise the distance from the mean grey.
    pub contrast: f32,
    /// Likewise the distance of each pixel from its grey.
    pub saturation: f32,
    /// Values (0 to 1) are raised to a power between 1 / (1 + this) and 1 + this.
    pub gamma: f32,
    /// Probability that a rectangle of noise hides part of the picture, 0 to 1.
    pub erase: f32,
}

impl Augment {
    /// No change at all: the whole picture, resized.
    #[must_use]
    pub fn none() -> Self {
        Self {
            crop_area: 1.0,
            crop_ratio: 1.0,
            flip: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            gamma: 0.0,
            erase: 0.0,
        }
    }

    /// What the built-in model is trained with.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            crop_area: 0.65,
            crop_ratio: 1.15,
            flip: 0.5,
            brightness: 0.25,
            contrast: 0.25,
            saturation: 0.25,
            gamma: 0.15,
            erase: 0.1,
        }
    }

    /// A random variant of a square picture, `side` x `side`, RGB.
    ///
    /// # Panics
    /// When `side` is 0 or the picture is empty.
    #[must_use]
    pub fn apply(&self, picture: &RgbImage, side: u32, rng: &mut impl Rng) -> RgbImage {
        let mut out = self.crop(picture, side, rng);
        if chance(self.flip, rng) {
            image::imageops::flip_horizontal_in_place(&mut out);
        }
        self.jitter(&mut out, rng);
        if chance(self.erase, rng) {
            erase(&mut out, rng);
        }
        out
    }

    fn crop(&self, picture: &RgbImage, side: u32, rng: &mut impl Rng) -> RgbImage {
        let (width, height) = picture.dimensions();
        let (x, y, w, h) = self.crop_box(f64::from(width), f64::from(height), rng);
        let source =
            ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3).expect("an RGB buffer fits its size");
        let mut target = Image::new(side, side, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(x, y, w, h);
        Resizer::new().resize(&source, &mut target, &options).expect("the crop lies inside the picture");
        RgbImage::from_raw(side, side, target.into_vec()).expect("an RGB buffer fits its size")
    }

    /// Left, top, width and height of a crop, inside the picture.
    fn crop_box(&self, width: f64, height: f64, rng: &mut impl Rng) -> (f64, f64, f64, f64) {
        let area = f64::from(between(self.crop_area, 1.0, rng));
        let ratio = f64::from(between(-self.crop_ratio.ln(), self.crop_ratio.ln(), rng).exp());
        let w = (width * (area * ratio).sqrt()).min(width);
        let h = (height * (area / ratio).sqrt()).min(height);
        let x = f64::from(between(0.0, 1.0, rng)) * (width - w);
        let y = f64::from(between(0.0, 1.0, rng)) * (height - h);
        (x, y, w, h)
    }

    fn jitter(&self, picture: &mut RgbImage, rng: &mut impl Rng) {
        let brightness = 1.0 + between(-self.brightness, self.brightness, rng);
        let contrast = 1.0 + between(-self.contrast, self.contrast, rng);
        let saturation = 1.0 + between(-self.saturation, self.saturation, rng);
        let power = between(-(1.0 + self.gamma).ln(), (1.0 + self.gamma).ln(), rng).exp();
        if [brightness, contrast, saturation, power] == [1.0; 4] {
            return;
        }
        // Brightness and gamma act on each value alone: a table spares a power a pixel.
        let table: Vec<f32> =
            (0_u8..=255).map(|v| (f32::from(v) / 255.0 * brightness).min(1.0).powf(power) * 255.0).collect();
        let sum: f32 = picture.as_raw().iter().map(|&v| table[usize::from(v)]).sum();
        let mean = sum / picture.as_raw().len() as f32;
        for pixel in picture.pixels_mut() {
            let rgb = pixel.0.map(|v| table[usize::from(v)]);
            let grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
            // A float cast to u8 saturates at 0 and 255.
            pixel.0 = rgb.map(|v| (((v - grey) * saturation + grey - mean) * contrast + mean).round() as u8);
        }
    }
}

/// Hides 2 to 15 % of the area behind noise (Zhong et al. 2017, "Random Erasing").
fn erase(picture: &mut RgbImage, rng: &mut impl Rng) {
    let (width, height) = picture.dimensions();
    let area = between(0.02, 0.15, rng);
    let ratio = between(-1.0, 1.0, rng).exp();
    let share = |ratio: f32| (area * ratio).sqrt().min(1.0);
    let w = (width as f32 * share(ratio)).ceil() as u32;
    let h = (height as f32 * share(1.0 / ratio)).ceil() as u32;
    let (left, top) = (rng.random_range(0..=width - w), rng.random_range(0..=height - h));
    for y in top..top + h {
        for x in left..left + w {
            picture.put_pixel(x, y, image::Rgb([rng.random(), rng.random(), rng.random()]));
        }
    }
}

fn chance(probability: f32, rng: &mut impl Rng) -> bool {
    rng.random::<f32>() < probability
}

fn between(low: f32, high: f32, rng: &mut impl Rng) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn gradient(side: u32) -> RgbImage {
        RgbImage::from_fn(side, side, |x, y| Rgb([(x * 5) as u8, (y * 5) as u8, 90]))
    }

    #[test]
    fn none_only_resizes() {
        let picture = gradient(40);
        let same = Augment::none().apply(&picture, 40, &mut rng(1));
        assert_eq!(same, picture);
    }

    #[test]
    fn a_sure_flip_mirrors() {
        let picture = gradient(40);
        let flipped = Augment { flip: 1.0, ..Augment::none() }.apply(&picture, 40, &mut rng(1));
        assert_eq!(flipped, image::imageops::flip_horizontal(&picture));
    }

    #[test]
    fn erasing_hides_a_share_of_the_picture_and_leaves_the_rest() {
        let picture = RgbImage::from_pixel(64, 64, Rgb([100; 3]));
        for seed in 0..50 {
            let erased = Augment { erase: 1.0, ..Augment::none() }.apply(&picture, 64, &mut rng(seed));
            let changed = erased.pixels().filter(|p| p.0 != [100; 3]).count() as f32 / (64.0 * 64.0);
            assert!((0.015..0.20).contains(&changed), "{changed}");
        }
    }

    #[test]
    fn colour_changes_stay_within_their_strength() {
        let picture = RgbImage::from_pixel(8, 8, Rgb([100; 3]));
        let only = Augment { brightness: 0.3, ..Augment::none() };
        for seed in 0..50 {
            let value = only.apply(&picture, 8, &mut rng(seed)).get_pixel(0, 0).0[0];
            assert!((70..=130).contains(&value), "{value}");
        }
    }

    #[test]
    fn grey_has_no_saturation_to_change() {
        let picture = RgbImage::from_fn(8, 8, |x, _| Rgb([(x * 30) as u8; 3]));
        let only = Augment { saturation: 0.9, ..Augment::none() };
        assert_eq!(only.apply(&picture, 8, &mut rng(3)), picture);
    }

    proptest! {
        #[test]
        fn crops_lie_inside_and_keep_their_share(
            seed: u64, width in 10.0..500.0_f64, height in 10.0..500.0_f64, least in 0.1..1.0_f32, ratio in 1.0..2.0_f32,
        ) {
            let augment = Augment { crop_area: least, crop_ratio: ratio, ..Augment::none() };
            let (x, y, w, h) = augment.crop_box(width, height, &mut rng(seed));
            prop_assert!(x >= 0.0 && y >= 0.0 && x + w <= width + 1e-9 && y + h <= height + 1e-9);
            // A side that would stick out is cut, which costs at most the ratio.
            prop_assert!(w * h >= f64::from(least / ratio) * width * height * 0.999);
        }

        #[test]
        fn the_shape_is_as_asked_and_the_seed_decides(seed: u64, from in 8_u32..64, to in 1_u32..64) {
            let picture = gradient(from);
            let a = Augment::standard().apply(&picture, to, &mut rng(seed));
            prop_assert_eq!(a.dimensions(), (to, to));
            prop_assert_eq!(&a, &Augment::standard().apply(&picture, to, &mut rng(seed)));
        }
    }
}

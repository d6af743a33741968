//! Random changes that keep a photo's place: what makes few towns stand for many.
//!
//! In this order: [`geometry`] turns and cuts, [`colour`] changes light and hue, [`geometry`] tilts and mirrors, and a
//! rectangle is hidden.

pub mod colour;
pub mod geometry;
pub mod sheet;

use image::RgbImage;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use colour::{Colour, Erase};
use geometry::{Affine, Crop, Perspective};

/// Which changes, and how strong; what is `None` is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augment {
    /// Turns, shifts and scales.
    pub affine: Option<Affine>,
    /// Cuts a part out.
    pub crop: Option<Crop>,
    /// Brightness, contrast, saturation, hue and gamma.
    pub colour: Option<Colour>,
    /// Moves the corners inwards.
    pub perspective: Option<Perspective>,
    /// Mirrors left and right.
    pub flip: Option<Flip>,
    /// Hides a rectangle.
    pub erase: Option<Erase>,
}

/// A mirror image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flip {
    /// How often, 0 to 1.
    pub probability: f32,
}

/// Key, value and cure of something out of range.
pub type Fault = (&'static str, String, &'static str);

impl Augment {
    /// No change at all: the whole picture, resized.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A random variant of a square picture, `side` x `side`, RGB.
    ///
    /// # Panics
    /// When `side` is 0 or the picture is empty.
    #[must_use]
    pub fn apply(&self, picture: &RgbImage, side: u32, rng: &mut impl Rng) -> RgbImage {
        let turned = self.affine.map(|affine| affine.apply(picture, rng));
        let mut out = geometry::cut(turned.as_ref().unwrap_or(picture), self.crop, side, rng);
        if let Some(colour) = self.colour {
            colour.apply(&mut out, rng);
        }
        if let Some(perspective) = self.perspective
            && chance(perspective.probability, rng)
        {
            out = perspective.apply(&out, rng);
        }
        if let Some(flip) = self.flip
            && chance(flip.probability, rng)
        {
            image::imageops::flip_horizontal_in_place(&mut out);
        }
        if let Some(erase) = self.erase
            && chance(erase.probability, rng)
        {
            erase.apply(&mut out, rng);
        }
        out
    }

    /// What is out of range, by the keys of a recipe.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        faults.extend(self.affine.iter().flat_map(Affine::faults));
        faults.extend(self.crop.iter().flat_map(Crop::faults));
        faults.extend(self.colour.iter().flat_map(Colour::faults));
        faults.extend(self.perspective.iter().flat_map(Perspective::faults));
        let flip = self.flip.map_or(0.0, |flip| flip.probability);
        faults.extend(share("augment.flip.probability", flip));
        faults.extend(self.erase.iter().flat_map(Erase::faults));
        faults
    }
}

/// A fault, unless the value is 0 to 1.
fn share(key: &'static str, value: f32) -> Option<Fault> {
    (!(0.0..=1.0).contains(&value)).then(|| (key, value.to_string(), "0 to 1"))
}

/// A fault, unless the two are an ascending range between the limits (the lower one excluded).
fn range(key: &'static str, [low, high]: [f32; 2], most: f32, cure: &'static str) -> Option<Fault> {
    (!(low > 0.0 && low <= high && high <= most)).then(|| (key, format!("[{low}, {high}]"), cure))
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
    use crate::train::recipe::Recipe;
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
    fn a_sure_flip_mirrors_and_an_impossible_one_never_does() {
        let picture = gradient(40);
        let flip = |probability| Augment { flip: Some(Flip { probability }), ..Augment::none() };
        let flipped = flip(1.0).apply(&picture, 40, &mut rng(1));
        assert_eq!(flipped, image::imageops::flip_horizontal(&picture));
        assert!((0..50).all(|seed| flip(0.0).apply(&picture, 40, &mut rng(seed)) == picture));
    }

    proptest! {
        #[test]
        fn the_shape_is_as_asked_and_the_seed_decides(seed: u64, from in 8_u32..64, to in 1_u32..64) {
            let picture = gradient(from);
            for recipe in ["reference", "drawn-world"] {
                let augment = Recipe::find(recipe).unwrap().augment;
                let a = augment.apply(&picture, to, &mut rng(seed));
                prop_assert_eq!(a.dimensions(), (to, to));
                prop_assert_eq!(&a, &augment.apply(&picture, to, &mut rng(seed)));
            }
        }
    }
}

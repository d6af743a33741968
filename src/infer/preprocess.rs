//! Pixels to the model's input tensor. Training and inference both come through here, so that they agree.

use fast_image_resize::images::Image;
use fast_image_resize::images::ImageRef;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use serde::{Deserialize, Serialize};

/// How a picture becomes a tensor; part of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// Side of the square input, pixels.
    pub size: u32,
    /// Mean of each channel (red, green, blue), on pixels scaled to 0..1.
    pub mean: [f32; 3],
    /// Standard deviation of each channel, likewise.
    pub std: [f32; 3],
}

impl Preprocess {
    /// ImageNet's mean and deviation, which torchvision's weights expect.
    #[must_use]
    pub fn imagenet(size: u32) -> Self {
        Self { size, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
    }

    /// Number of values in the tensor of one picture: 3 x `size` x `size`.
    #[must_use]
    pub fn values(&self) -> usize {
        3 * (self.size as usize) * (self.size as usize)
    }

    /// Resizes the shorter side to [`Self::size`] and keeps the centre square: RGB, `size` x `size`.
    #[must_use]
    pub fn square(&self, picture: &RgbImage) -> RgbImage {
        centre_square(picture, self.size)
    }

    /// Appends the normalised tensor of a square picture to `out`: layout `[3, height, width]`, value
    /// `(pixel / 255 - mean) / std`.
    ///
    /// # Panics
    /// When `square` does not measure `size` x `size`.
    pub fn normalise(&self, square: &RgbImage, out: &mut Vec<f32>) {
        assert_eq!(square.dimensions(), (self.size, self.size), "the picture is not square");
        let pixels = square.as_raw().as_chunks::<3>().0;
        for channel in 0..3 {
            let scale = 1.0 / (255.0 * self.std[channel]);
            let shift = -self.mean[channel] / self.std[channel];
            out.extend(pixels.iter().map(|pixel| f32::from(pixel[channel]) * scale + shift));
        }
    }

    /// The normalised tensor of a square picture, `[3, size, size]`.
    ///
    /// # Panics
    /// When `square` does not measure `size` x `size`.
    #[must_use]
    #[inline(never)] // profiles find it by its name
    pub fn tensor(&self, square: &RgbImage) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.values());
        self.normalise(square, &mut out);
        out
    }
}

/// The part of a picture that the model sees, in pixels of the picture: `(x, y, side)`, real numbers.
#[must_use]
pub fn seen_square(width: u32, height: u32) -> (f64, f64, f64) {
    let side = width.min(height);
    (f64::from(width - side) / 2.0, f64::from(height - side) / 2.0, f64::from(side))
}

/// The centre square, resized to `size` with an anti-aliased triangle filter (what Pillow and torchvision
/// call bilinear).
///
/// # Panics
/// When a side of the picture, or `size`, is 0.
#[must_use]
pub fn centre_square(picture: &RgbImage, size: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (x, y, side) = seen_square(width, height);
    let source = ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3).expect("an RGB buffer fits its size");
    let mut target = Image::new(size, size, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(x, y, side, side);
    Resizer::new().resize(&source, &mut target, &options).expect("the centre square lies inside the picture");
    RgbImage::from_raw(size, size, target.into_vec()).expect("an RGB buffer fits its size")
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_channel_row_column() {
        let mut picture = RgbImage::new(2, 2);
        picture.put_pixel(1, 0, Rgb([255, 0, 51]));
        let plain = Preprocess { size: 2, mean: [0.0; 3], std: [1.0; 3] };
        let tensor = plain.tensor(&plain.square(&picture));
        let expected = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.0, 0.0];
        assert!(tensor.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{tensor:?}");
    }

    #[test]
    fn the_centre_is_kept() {
        let picture = RgbImage::from_fn(30, 10, |x, _| if (10..20).contains(&x) { Rgb([255; 3]) } else { Rgb([0; 3]) });
        let square = centre_square(&picture, 5);
        // The filter reaches one target pixel beyond the square, so its edge columns are mixed.
        assert!((1..4).all(|x| square.get_pixel(x, 2).0 == [255; 3]));
        assert!(square.get_pixel(0, 2).0[0] > 200);
    }

    proptest! {
        #[test]
        fn one_colour_stays_one_colour(w in 1_u32..40, h in 1_u32..40, size in 1_u32..40, colour: [u8; 3]) {
            let square = centre_square(&RgbImage::from_pixel(w, h, Rgb(colour)), size);
            prop_assert!(square.pixels().all(|p| p.0 == colour));
        }

        #[test]
        fn normalised_values_invert(pixel: u8, size in 1_u32..4) {
            let spec = Preprocess::imagenet(size);
            let tensor = spec.tensor(&RgbImage::from_pixel(size, size, Rgb([pixel; 3])));
            prop_assert_eq!(tensor.len(), spec.values());
            for (i, value) in tensor.iter().enumerate() {
                let channel = i / (size * size) as usize;
                let back = (value * spec.std[channel] + spec.mean[channel]) * 255.0;
                prop_assert!((back - f32::from(pixel)).abs() < 1e-3);
            }
        }
    }
}

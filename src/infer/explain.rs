//! Class activation maps: where in the photo the evidence for an area lies.
//!
//! Exact for networks that end in global average pooling and one linear layer: the logit is the mean of the
//! map (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization").

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use super::preprocess::{centre_square, seen_square};

/// Longest side of a heatmap picture, pixels.
const MAX_SIDE: u32 = 1024;
/// JPEG quality of a heatmap picture, 1 to 100.
const JPEG_QUALITY: u8 = 88;
/// How much of the strongest colour covers the photo, 0 to 1: what lies below must stay recognisable.
const MAX_COVER: f32 = 0.72;
/// How bright the part of the photo stays that the model does not see, 0 to 1.
const UNSEEN_BRIGHTNESS: f32 = 0.45;

/// A photo with the evidence for every area.
pub struct Explanation {
    photo: RgbImage,
    cams: Vec<f32>,
    grid: (usize, usize),
    labels: usize,
}

impl Explanation {
    /// `cams` has shape `[labels, rows, columns]` over the photo's centre square.
    ///
    /// # Panics
    /// When `cams` does not have `labels` maps of the grid's size.
    #[must_use]
    pub fn new(photo: RgbImage, cams: Vec<f32>, grid: (usize, usize), labels: usize) -> Self {
        assert_eq!(cams.len(), labels * grid.0 * grid.1, "one map a label");
        Self { photo, cams, grid, labels }
    }

    /// The evidence that speaks for a label rather than for the others: the map less the mean of all maps
    /// (the softmax ignores what all have in common), negative values cut, scaled so that the strongest
    /// cell is 1. Shape `[rows, columns]`, 0 to 1; all 0 when nothing speaks for the label.
    ///
    /// # Panics
    /// When `label` is not one of the model's.
    #[must_use]
    pub fn evidence(&self, label: usize) -> Vec<f32> {
        let cells = self.grid.0 * self.grid.1;
        assert!(label < self.labels, "label {label} of {}", self.labels);
        let mean = |cell: usize| self.cams.iter().skip(cell).step_by(cells).sum::<f32>() / self.labels as f32;
        let own = &self.cams[label * cells..(label + 1) * cells];
        let above: Vec<f32> = own.iter().enumerate().map(|(cell, value)| (value - mean(cell)).max(0.0)).collect();
        let max = above.iter().copied().fold(0.0, f32::max);
        if max > 0.0 { above.iter().map(|value| value / max).collect() } else { above }
    }

    /// The photo, its longest side at most 1,024 pixels, under a heatmap of the evidence for `label`; darkened
    /// where the model does not look.
    ///
    /// # Panics
    /// When `label` is not one of the model's.
    #[must_use]
    pub fn overlay(&self, label: usize) -> RgbImage {
        let mut picture = shrink(&self.photo, MAX_SIDE);
        let (x0, y0, side) = seen_square(picture.width(), picture.height());
        let (x0, y0, side) = (x0 as u32, y0 as u32, (side as u32).max(1));
        let heat = enlarge(&self.evidence(label), self.grid, side);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            let seen = x >= x0 && y >= y0 && x < x0 + side && y < y0 + side;
            *pixel = if seen { tint(*pixel, heat[((y - y0) * side + (x - x0)) as usize]) } else { darken(*pixel) };
        }
        picture
    }

    /// [`Self::overlay`] as a JPEG.
    ///
    /// # Panics
    /// When `label` is not one of the model's.
    #[must_use]
    pub fn heatmap_jpeg(&self, label: usize) -> Vec<u8> {
        jpeg(&self.overlay(label))
    }

    /// The square that the model sees, `side` pixels wide, and the same under the evidence for `label`: two JPEGs.
    ///
    /// # Panics
    /// When `label` is not one of the model's, or `side` is 0.
    #[must_use]
    pub fn seen_jpegs(&self, label: usize, side: u32) -> (Vec<u8>, Vec<u8>) {
        let photo = centre_square(&self.photo, side);
        let mut tinted = photo.clone();
        for (pixel, heat) in tinted.pixels_mut().zip(enlarge(&self.evidence(label), self.grid, side)) {
            *pixel = tint(*pixel, heat);
        }
        (jpeg(&photo), jpeg(&tinted))
    }
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    picture.write_with_encoder(encoder).expect("writing to memory cannot fail");
    bytes
}

fn shrink(photo: &RgbImage, max_side: u32) -> RgbImage {
    let (width, height) = photo.dimensions();
    let longest = width.max(height);
    if longest <= max_side {
        return photo.clone();
    }
    let scale = |side: u32| ((u64::from(side) * u64::from(max_side) / u64::from(longest)) as u32).max(1);
    let mut target = Image::new(scale(width), scale(height), PixelType::U8x3);
    let source = fast_image_resize::images::ImageRef::new(width, height, photo.as_raw(), PixelType::U8x3)
        .expect("an RGB buffer fits its size");
    Resizer::new().resize(&source, &mut target, None).expect("both are RGB");
    RgbImage::from_raw(target.width(), target.height(), target.into_vec()).expect("an RGB buffer fits its size")
}

/// The map at `side` x `side` pixels, interpolated smoothly (Catmull-Rom), 0 to 1.
fn enlarge(map: &[f32], (rows, columns): (usize, usize), side: u32) -> Vec<f32> {
    let bytes: Vec<u8> = map.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let source = Image::from_vec_u8(columns as u32, rows as u32, bytes, PixelType::F32).expect("four bytes a value");
    let mut target = Image::new(side, side, PixelType::F32);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&source, &mut target, &options).expect("both are maps of one channel");
    let values = target.buffer().chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
    values.map(|value| value.clamp(0.0, 1.0)).collect()
}

/// Inferno is perceptually uniform and reads in grey as well.
fn tint(pixel: Rgb<u8>, heat: f32) -> Rgb<u8> {
    let colour = colorous::INFERNO.eval_continuous(f64::from(heat));
    let cover = MAX_COVER * heat.sqrt();
    let mix = |below: u8, above: u8| (f32::from(below) * (1.0 - cover) + f32::from(above) * cover).round() as u8;
    Rgb([mix(pixel[0], colour.r), mix(pixel[1], colour.g), mix(pixel[2], colour.b)])
}

fn darken(pixel: Rgb<u8>) -> Rgb<u8> {
    Rgb(pixel.0.map(|channel| (f32::from(channel) * UNSEEN_BRIGHTNESS) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two labels on a 2 x 2 grid: the first has its evidence top left, the second none of its own.
    fn explanation(width: u32, height: u32) -> Explanation {
        let photo = RgbImage::from_pixel(width, height, Rgb([100; 3]));
        Explanation::new(photo, vec![5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], (2, 2), 2)
    }

    #[test]
    fn evidence_is_relative_to_the_other_labels() {
        assert_eq!(explanation(4, 4).evidence(0), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(explanation(4, 4).evidence(1), [0.0; 4]);
    }

    #[test]
    fn the_hot_corner_is_tinted_and_the_unseen_darkened() {
        let overlay = explanation(60, 20).overlay(0);
        assert_eq!(overlay.get_pixel(2, 10).0, [45; 3], "left of the centre square");
        assert_ne!(overlay.get_pixel(23, 3).0, [100; 3], "top left of the square");
        let cold = overlay.get_pixel(38, 18).0[0];
        assert!((85..=100).contains(&cold), "bottom right of the square, but for a trace of ringing: {cold}");
    }

    #[test]
    fn the_seen_square_is_shown_without_and_with_its_evidence() {
        let (photo, tinted) = explanation(60, 20).seen_jpegs(0, 16);
        let open = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
        let (photo, tinted) = (open(&photo), open(&tinted));
        assert_eq!((photo.dimensions(), tinted.dimensions()), ((16, 16), (16, 16)));
        let off = |x: u32| i32::from(tinted.get_pixel(x, x).0[2]).abs_diff(i32::from(photo.get_pixel(x, x).0[2]));
        assert!(off(2) > 20 && off(14) < 20, "top left is hot: {} and {}", off(2), off(14));
    }

    #[test]
    fn large_photos_are_shrunk_and_tiny_ones_survive() {
        assert_eq!(explanation(3000, 1500).overlay(0).dimensions(), (1024, 512));
        assert_eq!(explanation(5000, 1).overlay(0).dimensions(), (1024, 1));
        assert!(explanation(1, 1).heatmap_jpeg(1).starts_with(&[0xff, 0xd8]));
    }
}

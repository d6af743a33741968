//! Class activation maps: where in the photo the evidence for an area lies.
//!
//! Exact for networks that end in global average pooling and one linear layer: the logit is the mean of the
//! map (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization").

mod seen;

use std::sync::OnceLock;

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

pub use self::seen::Seen;
use super::decode::{Limits, decode};
use super::preprocess::{centre_square, seen_square};

/// Longest side of a heatmap picture, pixels.
const MAX_SIDE: u32 = 1024;
/// JPEG quality of a heatmap picture, 1 to 100.
const JPEG_QUALITY: u8 = 88;
/// How much of the strongest colour covers the photo, 0 to 1: what lies below must stay recognisable.
const MAX_COVER: f32 = 0.72;
/// Side of the map on which the strongest spot is looked for, cells.
const PEAK_SIDE: u32 = 64;
/// How bright the part of the photo stays that the model does not see, 0 to 1.
const UNSEEN_BRIGHTNESS: f32 = 0.45;

/// What a heatmap answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Why this label? What speaks for it rather than for the others on average.
    Why(usize),
    /// Why the first and not the second? What speaks for the one rather than for the other.
    WhyNot(usize, usize),
}

impl Question {
    /// The question that asks for a label where `best` was answered.
    #[must_use]
    pub fn about(best: usize, label: usize) -> Self {
        if label == best { Self::Why(best) } else { Self::WhyNot(best, label) }
    }
}

/// A photo that somebody may want to see.
pub enum Photo {
    /// In full.
    Pixels(RgbImage),
    /// As it came: most are never shown, and decoding one in full takes longer than its answer.
    File {
        /// The file.
        bytes: Vec<u8>,
        /// What it may cost.
        limits: Limits,
        /// The centre square that the model saw: shown where the file has no more to show.
        square: RgbImage,
    },
}

impl From<RgbImage> for Photo {
    fn from(pixels: RgbImage) -> Self {
        Self::Pixels(pixels)
    }
}

/// A photo with the evidence for every area.
pub struct Explanation {
    photo: Photo,
    /// The pixels of a [`Photo::File`], once somebody has asked for them.
    decoded: OnceLock<RgbImage>,
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
    pub fn new(photo: impl Into<Photo>, cams: Vec<f32>, grid: (usize, usize), labels: usize) -> Self {
        assert_eq!(cams.len(), labels * grid.0 * grid.1, "one map a label");
        Self { photo: photo.into(), decoded: OnceLock::new(), cams, grid, labels }
    }

    fn photo(&self) -> &RgbImage {
        match &self.photo {
            Photo::Pixels(pixels) => pixels,
            Photo::File { bytes, limits, square } => {
                self.decoded.get_or_init(|| decode(bytes, limits).unwrap_or_else(|_| square.clone()))
            }
        }
    }

    /// The evidence that answers a question: the label's map less the mean of all maps (the softmax ignores what all have
    /// in common), or less the other label's map, whose mean is then the difference of the two logits; negative values
    /// cut, scaled so that the strongest cell is 1. Shape `[rows, columns]`, 0 to 1; all 0 where nothing speaks for it.
    ///
    /// # Panics
    /// When a label is not one of the model's.
    #[must_use]
    pub fn evidence(&self, question: Question) -> Vec<f32> {
        let cells = self.grid.0 * self.grid.1;
        let map = |label: usize| {
            assert!(label < self.labels, "label {label} of {}", self.labels);
            &self.cams[label * cells..(label + 1) * cells]
        };
        let mean = |cell: usize| self.cams.iter().skip(cell).step_by(cells).sum::<f32>() / self.labels as f32;
        let above: Vec<f32> = match question {
            Question::Why(label) => {
                map(label).iter().enumerate().map(|(cell, value)| (value - mean(cell)).max(0.0)).collect()
            }
            Question::WhyNot(label, other) => {
                map(label).iter().zip(map(other)).map(|(value, other)| (value - other).max(0.0)).collect()
            }
        };
        let max = above.iter().copied().fold(0.0, f32::max);
        if max > 0.0 { above.iter().map(|value| value / max).collect() } else { above }
    }

    /// Where the evidence is strongest, pixels from the left and from the top of the photo; the middle of what the model
    /// sees where there is none.
    ///
    /// # Panics
    /// When a label is not one of the model's.
    #[must_use]
    pub fn peak(&self, question: Question) -> (f32, f32) {
        let (x0, y0, side) = seen_square(self.photo().width(), self.photo().height());
        let map = enlarge(&self.evidence(question), self.grid, PEAK_SIDE);
        let most = map.iter().copied().fold(0.0, f32::max);
        // A summit that is cut flat has its middle.
        let top = map.iter().enumerate().filter(|(_, value)| **value >= most).map(|(at, _)| at as u32);
        let (count, x, y) = top.fold((0.0, 0.0, 0.0), |(count, x, y), at| {
            (count + 1.0, x + (at % PEAK_SIDE) as f32, y + (at / PEAK_SIDE) as f32)
        });
        let scale = side as f32 / PEAK_SIDE as f32;
        (x0 as f32 + (x / count + 0.5) * scale, y0 as f32 + (y / count + 0.5) * scale)
    }

    /// The photo, its longest side at most 1,024 pixels, under a heatmap of the evidence; darkened where the
    /// model does not look.
    ///
    /// # Panics
    /// When a label is not one of the model's.
    #[must_use]
    pub fn overlay(&self, question: Question) -> RgbImage {
        let mut picture = shrink(self.photo(), MAX_SIDE);
        let (x0, y0, side) = seen_square(picture.width(), picture.height());
        let (x0, y0, side) = (x0 as u32, y0 as u32, (side as u32).max(1));
        let heat = enlarge(&self.evidence(question), self.grid, side);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            let seen = x >= x0 && y >= y0 && x < x0 + side && y < y0 + side;
            *pixel = if seen { tint(*pixel, heat[((y - y0) * side + (x - x0)) as usize]) } else { darken(*pixel) };
        }
        picture
    }

    /// [`Self::overlay`] as a JPEG.
    ///
    /// # Panics
    /// When a label is not one of the model's.
    #[must_use]
    pub fn heatmap_jpeg(&self, question: Question) -> Vec<u8> {
        jpeg(&self.overlay(question))
    }

    /// The photo alone, its longest side at most 1,024 pixels, as a JPEG of its pixels: nothing that the file said of
    /// itself goes with them.
    #[must_use]
    pub fn photo_jpeg(&self) -> Vec<u8> {
        jpeg(&shrink(self.photo(), MAX_SIDE))
    }

    /// Everything in little room, with the photo as small as heatmaps show it.
    #[must_use]
    pub fn pack(&self) -> Packed {
        Packed { photo: self.photo_jpeg(), cams: self.cams.clone(), grid: self.grid, labels: self.labels }
    }

    /// The square that the model sees, `side` pixels wide, with what speaks for `label`.
    ///
    /// # Panics
    /// When `label` is not one of the model's, or `side` is 0.
    #[must_use]
    pub fn seen(&self, label: usize, side: u32) -> Seen {
        Seen::new(jpeg(&centre_square(self.photo(), side)), &self.evidence(Question::Why(label)), self.grid.0)
    }
}

/// An [`Explanation`] as a JPEG with its maps: some 200 kB.
pub struct Packed {
    photo: Vec<u8>,
    cams: Vec<f32>,
    grid: (usize, usize),
    labels: usize,
}

impl Packed {
    /// The photo, a JPEG.
    #[must_use]
    pub fn photo(&self) -> &[u8] {
        &self.photo
    }

    /// The explanation.
    ///
    /// # Panics
    /// Never: it was packed from a picture.
    #[must_use]
    pub fn open(&self) -> Explanation {
        let photo = image::load_from_memory(&self.photo).expect("we encoded it").to_rgb8();
        Explanation::new(photo, self.cams.clone(), self.grid, self.labels)
    }
}

/// The colour of evidence, 0 to 1, as heatmaps show it. Inferno is perceptually uniform and reads in grey as well.
#[must_use]
pub fn heat_colour(heat: f32) -> [u8; 3] {
    let colour = colorous::INFERNO.eval_continuous(f64::from(heat));
    [colour.r, colour.g, colour.b]
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

fn tint(pixel: Rgb<u8>, heat: f32) -> Rgb<u8> {
    let colour = heat_colour(heat);
    let cover = MAX_COVER * heat.sqrt();
    let mix = |below: u8, above: u8| (f32::from(below) * (1.0 - cover) + f32::from(above) * cover).round() as u8;
    Rgb(std::array::from_fn(|channel| mix(pixel[channel], colour[channel])))
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
        assert_eq!(explanation(4, 4).evidence(Question::Why(0)), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(explanation(4, 4).evidence(Question::Why(1)), [0.0; 4]);
    }

    #[test]
    fn one_label_is_set_against_another_where_a_third_would_hide_the_difference() {
        let cams = vec![2.0, 0.0, 1.0, 3.0, 9.0, 0.0];
        let explanation = Explanation::new(RgbImage::new(4, 4), cams, (1, 2), 3);
        assert_eq!(explanation.evidence(Question::about(0, 1)), [1.0, 0.0]);
        assert_eq!(explanation.evidence(Question::about(1, 0)), [0.0, 1.0]);
        assert_eq!(explanation.evidence(Question::about(0, 0)), [0.0, 0.0], "the third has more everywhere");
    }

    #[test]
    fn the_peak_is_where_the_evidence_is_in_the_photo() {
        // The square begins 20 pixels from the left; its top left quarter is hot.
        let (x, y) = explanation(60, 20).peak(Question::Why(0));
        assert!((20.0..30.0).contains(&x) && (0.0..10.0).contains(&y), "{x}, {y}");
        let (x, y) = explanation(60, 20).peak(Question::Why(1));
        assert!((x - 30.0).abs() < 0.5 && (y - 10.0).abs() < 0.5, "no evidence, the middle: {x}, {y}");
    }

    #[test]
    fn what_was_packed_shows_the_same() {
        let large = explanation(2048, 1024);
        let opened = large.pack().open();
        assert_eq!(opened.evidence(Question::Why(0)), large.evidence(Question::Why(0)));
        let (before, after) = (large.overlay(Question::Why(0)), opened.overlay(Question::Why(0)));
        assert_eq!(before.dimensions(), after.dimensions());
        let off = before.as_raw().iter().zip(after.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(3), "one colour survives JPEG: {off:?}");
    }

    #[test]
    fn the_hot_corner_is_tinted_and_the_unseen_darkened() {
        let overlay = explanation(60, 20).overlay(Question::Why(0));
        assert_eq!(overlay.get_pixel(2, 10).0, [45; 3], "left of the centre square");
        assert_ne!(overlay.get_pixel(23, 3).0, [100; 3], "top left of the square");
        let cold = overlay.get_pixel(38, 18).0[0];
        assert!((85..=100).contains(&cold), "bottom right of the square, but for a trace of ringing: {cold}");
    }

    #[test]
    fn the_seen_square_is_shown_without_and_with_its_evidence() {
        let seen = explanation(60, 20).seen(0, 16);
        let open = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
        let (photo, tinted) = (open(seen.photo()), open(&seen.heatmap()));
        assert_eq!((photo.dimensions(), tinted.dimensions()), ((16, 16), (16, 16)));
        let off = |x: u32| i32::from(tinted.get_pixel(x, x).0[2]).abs_diff(i32::from(photo.get_pixel(x, x).0[2]));
        assert!(off(2) > 20 && off(14) < 20, "top left is hot: {} and {}", off(2), off(14));
    }

    #[test]
    fn large_photos_are_shrunk_and_tiny_ones_survive() {
        assert_eq!(explanation(3000, 1500).overlay(Question::Why(0)).dimensions(), (1024, 512));
        assert_eq!(explanation(5000, 1).overlay(Question::Why(0)).dimensions(), (1024, 1));
        assert!(explanation(1, 1).heatmap_jpeg(Question::Why(1)).starts_with(&[0xff, 0xd8]));
    }
}

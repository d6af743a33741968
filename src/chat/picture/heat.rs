//! A heatmap with its question above and the legend of its colours below.

use image::{RgbImage, imageops};

use super::svg::{Anchor, MUTED, Sheet, Style, bold, plain};
use crate::infer::explain::{Explanation, Question, heat_colour};

/// Narrower photos are enlarged to this width, pixels: the words below must be legible on a phone.
const MIN_WIDTH: u32 = 720;
/// Photos are not enlarged beyond this height, pixels.
const MAX_HEIGHT: u32 = 1_440;
/// Steps of the legend's colours.
const STEPS: u8 = 64;

/// What stands around the map.
#[derive(Clone, Debug)]
pub struct HeatWords {
    /// The question.
    pub title: String,
    /// The ends of the colours, from the weak one.
    pub legend: [String; 2],
}

/// Draws it; a JPEG.
///
/// # Panics
/// When the question names a label that is not one of the model's.
#[must_use]
pub fn heat(explanation: &Explanation, question: Question, words: &HeatWords) -> Vec<u8> {
    let map = legible(explanation.overlay(question));
    let (width, height) = map.dimensions();
    // Sizes are shares of the width: the picture is shown as wide as the screen.
    let unit = width as f32 / 100.0;
    let (head, foot) = ((9.0 * unit) as u32, (8.0 * unit) as u32);
    let mut sheet = Sheet::new(width, head + height + foot);
    sheet.picture(&map, 0, head);
    sheet.text(
        50.0 * unit,
        6.2 * unit,
        Style { anchor: Anchor::Middle, ..bold(4.4 * unit) },
        96.0 * unit,
        &words.title,
    );
    let (left, right, top) = (33.0 * unit, 67.0 * unit, (head + height) as f32 + 2.4 * unit);
    let step = (right - left) / f32::from(STEPS);
    for index in 0..STEPS {
        let [r, g, b] = heat_colour(f32::from(index) / f32::from(STEPS - 1));
        // A little wider than a step, so that no gap shows between two.
        sheet.rect(
            left + f32::from(index) * step,
            top,
            step + 0.6,
            3.0 * unit,
            0.0,
            &format!("#{r:02x}{g:02x}{b:02x}"),
        );
    }
    let style = Style { fill: MUTED, ..plain(3.2 * unit) };
    let (baseline, room) = (top + 2.7 * unit, 31.0 * unit);
    sheet.text(left - 1.5 * unit, baseline, Style { anchor: Anchor::End, ..style }, room, &words.legend[0]);
    sheet.text(right + 1.5 * unit, baseline, style, room, &words.legend[1]);
    sheet.jpeg()
}

/// Wide enough for words.
fn legible(map: RgbImage) -> RgbImage {
    let (width, height) = map.dimensions();
    if width >= MIN_WIDTH {
        return map;
    }
    // A narrow strip keeps its shape; the sheet is widened around it.
    let factor = (f64::from(MIN_WIDTH) / f64::from(width)).min(f64::from(MAX_HEIGHT) / f64::from(height)).max(1.0);
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    let map = imageops::resize(&map, scaled(width), scaled(height), imageops::FilterType::CatmullRom);
    let mut wide = RgbImage::new(map.width().max(MIN_WIDTH), map.height());
    let left = (wide.width() - map.width()) / 2;
    imageops::replace(&mut wide, &map, i64::from(left), 0);
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn drawn(width: u32, height: u32) -> RgbImage {
        let photo = RgbImage::from_pixel(width, height, Rgb([90, 120, 150]));
        let explanation = Explanation::new(photo, vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], (2, 2), 2);
        let words = HeatWords {
            title: "なぜ港区？".to_owned(),
            legend: ["弱い手がかり", "強い手がかり"].map(str::to_owned),
        };
        image::load_from_memory(&heat(&explanation, Question::Why(0), &words)).unwrap().to_rgb8()
    }

    #[test]
    fn photos_of_every_shape_get_a_picture_with_room_for_words() {
        for (width, height) in [(1, 1), (32, 24), (640, 640), (4000, 3000), (3000, 4000), (5000, 1), (1, 5000)] {
            let (w, h) = drawn(width, height).dimensions();
            assert!((MIN_WIDTH..=1_024).contains(&w) && h <= MAX_HEIGHT + w / 5, "{width}x{height} became {w}x{h}");
        }
    }

    #[test]
    fn the_legend_goes_from_dark_to_bright() {
        let picture = drawn(1024, 768);
        let bright = |x: u32| picture.get_pixel(x, picture.height() - 40).0.map(u32::from).iter().sum::<u32>();
        assert!(
            bright(345) < bright(512) && bright(512) < bright(680),
            "{} {} {}",
            bright(345),
            bright(512),
            bright(680)
        );
    }
}

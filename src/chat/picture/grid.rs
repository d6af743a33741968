//! The photos of a round, numbered.

use super::svg::{Anchor, INK, PAPER, Sheet, Style, bold};

/// Side of the whole picture, pixels.
pub(super) const WIDTH: u32 = 1_200;
/// Space between and around photos, pixels.
pub(super) const GAP: u32 = 12;
/// Height of the title, pixels.
pub(super) const TITLE: u32 = 76;

/// Photos in a row.
pub(super) fn columns(photos: usize) -> u32 {
    match photos {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

/// Side of one photo in rows of so many, pixels.
pub(super) fn side(columns: u32) -> u32 {
    (WIDTH - GAP * (columns + 1)) / columns
}

/// Left edge of the photo at `index` of `count`: the last row is centred.
pub(super) fn left(index: usize, count: usize) -> u32 {
    let columns = columns(count);
    let (index, count) = (index as u32, count as u32);
    let in_row = (count - index / columns * columns).min(columns);
    let row = in_row * side(columns) + (in_row - 1) * GAP;
    (WIDTH - row) / 2 + index % columns * (side(columns) + GAP)
}

/// The number of a photo in its corner.
pub(super) fn badge(sheet: &mut Sheet, x: u32, y: u32, number: usize) {
    let (x, y) = (x as f32 + 40.0, y as f32 + 40.0);
    sheet.disc(x, y, 31.0, PAPER);
    sheet.disc(x, y, 27.0, INK);
    let style = Style { fill: PAPER, anchor: Anchor::Middle, ..bold(36.0) };
    sheet.text(x, y + 13.0, style, 60.0, &number.to_string());
}

/// Numbers photos (square JPEGs, 1 to 9) and puts them together under a title; a JPEG, 1,200 pixels wide.
#[must_use]
pub fn grid(photos: &[Vec<u8>], title: &str) -> Vec<u8> {
    let columns = columns(photos.len());
    let side = side(columns);
    let rows = photos.len().div_ceil(columns as usize) as u32;
    let mut sheet = Sheet::new(WIDTH, TITLE + rows * (side + GAP));
    sheet.text(WIDTH as f32 / 2.0, 51.0, Style { anchor: Anchor::Middle, ..bold(36.0) }, 1_160.0, title);
    for (index, photo) in photos.iter().enumerate() {
        let (x, y) = (left(index, photos.len()), TITLE + index as u32 / columns * (side + GAP));
        sheet.photo(photo, x, y, side);
        if photos.len() > 1 {
            badge(&mut sheet, x, y, index + 1);
        }
    }
    sheet.jpeg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    #[test]
    fn every_round_has_its_layout() {
        for (count, height) in [(1, 1_264), (3, 472), (5, 868), (9, 1_264)] {
            let photos = vec![sample::jpeg([200, 0, 0]); count];
            let drawn = image::load_from_memory(&grid(&photos, "どこ？")).expect("a JPEG");
            assert_eq!((drawn.width(), drawn.height()), (WIDTH, height), "{count}");
            for index in 0..count {
                let x = left(index, count) + side(columns(count)) / 2;
                let y = TITLE + index as u32 / columns(count) * (side(columns(count)) + GAP) + 150;
                assert!(drawn.to_rgb8().get_pixel(x, y).0[1] < 60, "photo {index} of {count} is there");
            }
        }
    }
}

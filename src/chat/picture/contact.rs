//! A contact sheet: some photos of each area, with their towns.

use super::svg::{Anchor, LINE, MUTED, Sheet, Style, bold, plain};

const WIDTH: u32 = 1_200;
/// Photos in a row.
const COLUMNS: u32 = 6;
/// Space between and around photos, pixels.
const GAP: u32 = 12;
/// Side of a photo, pixels.
const SIDE: u32 = (WIDTH - GAP * (COLUMNS + 1)) / COLUMNS;
/// Height of an area's name, pixels.
const HEAD: u32 = 62;
/// Height of the towns' names, pixels.
const FOOT: u32 = 34;

/// An area.
#[derive(Clone, Debug)]
pub struct ContactRow {
    /// Full Japanese name.
    pub area: String,
    /// How many pictures there are of it.
    pub images: u64,
    /// Up to six photos (encoded) with their towns; the rest is left out.
    pub photos: Vec<(Vec<u8>, String)>,
}

/// Draws it; a JPEG, 1,200 pixels wide.
#[must_use]
pub fn contact(rows: &[ContactRow]) -> Vec<u8> {
    let height = HEAD + SIDE + FOOT;
    let mut sheet = Sheet::new(WIDTH, height * rows.len().max(1) as u32 + GAP);
    for (row, top) in rows.iter().zip((0..).map(|index| index * height)) {
        draw(&mut sheet, row, top);
    }
    sheet.jpeg()
}

fn draw(sheet: &mut Sheet, row: &ContactRow, top: u32) {
    let (left, right, base) = (GAP as f32, (WIDTH - GAP) as f32, (top + HEAD - 18) as f32);
    if top > 0 {
        sheet.line((left, top as f32 + 2.0), (right, top as f32 + 2.0), 2.0, LINE);
    }
    sheet.text(left, base, bold(32.0), 900.0, &row.area);
    let count = Style { fill: MUTED, anchor: Anchor::End, ..plain(26.0) };
    sheet.text(right, base, count, 240.0, &row.images.to_string());
    for ((photo, town), column) in row.photos.iter().zip(0..COLUMNS) {
        let (x, y) = (GAP + column * (SIDE + GAP), top + HEAD);
        sheet.photo(photo, x, y, SIDE);
        let name = Style { fill: MUTED, anchor: Anchor::Middle, ..plain(18.0) };
        sheet.text((x + SIDE / 2) as f32, (y + SIDE + 24) as f32, name, SIDE as f32, town);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    #[test]
    fn each_area_has_its_row_and_each_photo_its_place() {
        let row = |photos: usize| ContactRow {
            area: "東京都千代田区".to_owned(),
            images: 1_234,
            photos: vec![(sample::jpeg([200, 0, 0]), "丸の内一丁目".to_owned()); photos],
        };
        let drawn = image::load_from_memory(&contact(&[row(6), row(2), row(9)])).expect("a JPEG").to_rgb8();
        let height = HEAD + SIDE + FOOT;
        assert_eq!(drawn.dimensions(), (WIDTH, 3 * height + GAP));
        for (line, photos) in [(0, 6), (1, 2), (2, 6)] {
            for column in 0..COLUMNS {
                let (x, y) = (GAP + column * (SIDE + GAP) + SIDE / 2, line * height + HEAD + SIDE / 2);
                assert_eq!(drawn.get_pixel(x, y).0[1] < 60, column < photos, "photo {column} of row {line}");
            }
        }
        assert!(image::load_from_memory(&contact(&[])).is_ok());
    }
}

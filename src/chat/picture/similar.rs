//! A photo beside those that look like it.

use super::grid::{GAP, TITLE, WIDTH, columns, left, side};
use super::svg::{Anchor, LINE, MODEL, MUTED, Sheet, Style, bold, plain};

/// Height of the words under a photo, pixels.
const STRIP: u32 = 136;
/// Baselines of the lines below the title of a tile, pixels from the photo.
const BASELINES: [f32; 2] = [84.0, 120.0];

/// A photo with its words.
#[derive(Clone, Debug)]
pub struct Tile {
    /// A JPEG, shown as a square; `None` leaves an empty field.
    pub jpeg: Option<Vec<u8>>,
    /// What it is.
    pub title: String,
    /// More of it, at most two lines.
    pub lines: Vec<String>,
    /// Stands in the field of a missing photo.
    pub missing: String,
}

/// Draws them under a title, the photo that was asked about first; a JPEG, 1,200 pixels wide.
#[must_use]
pub fn similar(title: &str, tiles: &[Tile]) -> Vec<u8> {
    let columns = columns(tiles.len());
    let (side, rows) = (side(columns), tiles.len().div_ceil(columns as usize) as u32);
    let mut sheet = Sheet::new(WIDTH, TITLE + rows * (side + STRIP + GAP));
    let middle = WIDTH as f32 / 2.0;
    sheet.text(middle, 52.0, Style { anchor: Anchor::Middle, ..bold(40.0) }, 1_160.0, title);
    for (index, tile) in tiles.iter().enumerate() {
        let (x, y) = (left(index, tiles.len()), TITLE + index as u32 / columns * (side + STRIP + GAP));
        match &tile.jpeg {
            Some(jpeg) => sheet.photo(jpeg, x, y, side),
            None => empty(&mut sheet, &tile.missing, x as f32, y as f32, side as f32),
        }
        let style = if index == 0 { Style { fill: MODEL, ..bold(36.0) } } else { bold(36.0) };
        let (x, y, room) = (x as f32 + 4.0, (y + side) as f32, side as f32 - 8.0);
        sheet.text(x, y + 44.0, style, room, &tile.title);
        for (line, baseline) in tile.lines.iter().zip(BASELINES) {
            sheet.text(x, y + baseline, Style { fill: MUTED, ..plain(28.0) }, room, line);
        }
    }
    sheet.jpeg()
}

fn empty(sheet: &mut Sheet, words: &str, x: f32, y: f32, side: f32) {
    sheet.rect(x, y, side, side, 8.0, LINE);
    let style = Style { fill: MUTED, anchor: Anchor::Middle, ..plain(28.0) };
    sheet.text(x + side / 2.0, y + side / 2.0, style, side - 40.0, words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    #[test]
    fn photos_stand_beside_each_other_and_a_missing_one_leaves_its_field() {
        let tile = |colour: Option<[u8; 3]>| Tile {
            jpeg: colour.map(sample::jpeg),
            title: "渋谷区 神南一丁目".to_owned(),
            lines: vec!["港区の中心から 5.2 km".to_owned(), "<x> & y".repeat(20)],
            missing: "もうありません".to_owned(),
        };
        for (tiles, height) in [(2, TITLE + 582 + STRIP + GAP), (4, TITLE + 2 * (582 + STRIP + GAP))] {
            let mut all = vec![tile(Some([200, 0, 0])); tiles - 1];
            all.push(tile(None));
            let drawn = image::load_from_memory(&similar("似ている写真", &all)).expect("a JPEG").to_rgb8();
            assert_eq!(drawn.dimensions(), (WIDTH, height));
            let last = drawn.get_pixel(WIDTH - 100, height - STRIP - 100).0;
            assert!(drawn.get_pixel(100, TITLE + 100).0[1] < 40 && last[1] > 200, "{last:?}");
        }
    }
}

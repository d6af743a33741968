//! The photos of a round with what they showed and who knew.

use super::grid::{GAP, TITLE, WIDTH, badge, columns, left, side};
use super::svg::{Anchor, MODEL, PEOPLE, Sheet, Style, bold, plain};

/// Height of the words under a photo, pixels.
const STRIP: u32 = 142;
/// Height of the foot, pixels.
const FOOT: u32 = 124;

/// What the picture says.
#[derive(Clone, Debug)]
pub struct RevealPicture {
    /// The line above.
    pub title: String,
    /// The photos, 1 to 9.
    pub tiles: Vec<RevealTile>,
    /// Who won.
    pub people_line: String,
    /// How the model did.
    pub model_line: String,
}

/// A photo and what became of it.
#[derive(Clone, Debug)]
pub struct RevealTile {
    /// The photo, a square JPEG.
    pub jpeg: Vec<u8>,
    /// The true area.
    pub truth: String,
    /// The model's guess with its probability.
    pub model: String,
    /// Whether that was right.
    pub model_right: bool,
    /// People who were right.
    pub people_right: u32,
    /// People who answered.
    pub people: u32,
    /// What the people are called.
    pub people_label: String,
}

/// Draws it; a JPEG, 1,200 pixels wide.
#[must_use]
pub fn reveal(picture: &RevealPicture) -> Vec<u8> {
    let count = picture.tiles.len();
    let columns = columns(count);
    let (side, rows) = (side(columns), count.div_ceil(columns as usize) as u32);
    let step = side + STRIP + GAP;
    let mut sheet = Sheet::new(WIDTH, TITLE + rows * step + FOOT);
    let centred = Style { anchor: Anchor::Middle, ..bold(40.0) };
    sheet.text(WIDTH as f32 / 2.0, 52.0, centred, 1_160.0, &picture.title);
    for (index, tile) in picture.tiles.iter().enumerate() {
        let (x, y) = (left(index, count), TITLE + index as u32 / columns * step);
        sheet.photo(&tile.jpeg, x, y, side);
        badge(&mut sheet, x, y, index + 1);
        words(&mut sheet, tile, x as f32 + 4.0, (y + side) as f32, side as f32 - 8.0);
    }
    let foot = (TITLE + rows * step) as f32;
    sheet.text(WIDTH as f32 / 2.0, foot + 40.0, Style { fill: PEOPLE, ..centred }, 1_160.0, &picture.people_line);
    let model = Style { fill: MODEL, anchor: Anchor::Middle, ..bold(34.0) };
    sheet.text(WIDTH as f32 / 2.0, foot + 92.0, model, 1_160.0, &picture.model_line);
    sheet.jpeg()
}

fn words(sheet: &mut Sheet, tile: &RevealTile, x: f32, y: f32, room: f32) {
    let mark = |right: bool| if right { "✓" } else { "✗" };
    sheet.text(x, y + 44.0, bold(38.0), room, &tile.truth);
    sheet.disc(x + 11.0, y + 76.0, 11.0, MODEL);
    let model = format!("{} {}", mark(tile.model_right), tile.model);
    sheet.text(x + 34.0, y + 87.0, Style { fill: MODEL, ..plain(30.0) }, room - 34.0, &model);
    sheet.disc(x + 11.0, y + 116.0, 11.0, PEOPLE);
    let people = format!("{} {}/{} {}", mark(tile.people_right > 0), tile.people_right, tile.people, tile.people_label);
    sheet.text(x + 34.0, y + 127.0, Style { fill: PEOPLE, ..plain(30.0) }, room - 34.0, &people);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    #[test]
    fn every_round_has_its_layout() {
        for (count, height) in [(1, 1_530), (3, 738), (5, 1_276), (9, 1_814)] {
            let tile = RevealTile {
                jpeg: sample::jpeg([200, 0, 0]),
                truth: "東京都千代田区".repeat(4),
                model: "渋谷区 61%".to_owned(),
                model_right: false,
                people_right: 2,
                people: 3,
                people_label: "<people>".to_owned(),
            };
            let (title, people_line) = ("正解は…".to_owned(), "Aoi & Ben".to_owned());
            let model_line = "Model 6/9".to_owned();
            let picture = RevealPicture { title, tiles: vec![tile; count], people_line, model_line };
            let drawn = image::load_from_memory(&reveal(&picture)).expect("a JPEG");
            assert_eq!((drawn.width(), drawn.height()), (WIDTH, height), "{count}");
        }
    }
}

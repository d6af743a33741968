//! Photos with their heatmaps: side by side with captions, or many in rows.

use super::svg::{Anchor, LINE, MODEL, MUTED, PAPER, SENTENCE, Sheet, Style, bold, plain};

const WIDTH: u32 = 1_200;
/// Space between and around photos, pixels.
const GAP: u32 = 12;
/// Between a photo and its heatmap, pixels.
const SEAM: u32 = 4;
/// Pairs of photo and heatmap in a row.
const PAIRS: u32 = 2;
/// Side of a photo beside its heatmap, pixels.
const SIDE: u32 = ((WIDTH - GAP * (PAIRS + 1)) / PAIRS - SEAM) / 2;
/// Height of the caption below a pair, pixels.
const CAPTION: u32 = 62;
/// Height of the credit below that, where there are any.
const CREDIT: u32 = 32;
/// Photos in a row of an overview.
const COLUMNS: u32 = 7;
/// Side of a photo of an overview, pixels.
const SMALL: u32 = (WIDTH - GAP * (COLUMNS + 1)) / COLUMNS;
/// Height of the head of a row of an overview, pixels.
const ROW_HEAD: u32 = 70;
/// Height of title and subtitle, pixels.
const HEAD: u32 = 128;
/// Height of a note, pixels.
const NOTE: u32 = 34;

/// A photo and what is said of it.
#[derive(Clone, Debug)]
pub struct ShownTile {
    /// The photo, a square JPEG.
    pub photo: Vec<u8>,
    /// The photo under its heatmap, likewise.
    pub heatmap: Vec<u8>,
    /// Probability of the area that it is about.
    pub share: String,
    /// Where it was taken, if elsewhere than one would think.
    pub elsewhere: Option<String>,
    /// Its town.
    pub place: String,
    /// Whom to credit.
    pub credit: String,
}

/// Photos beside their heatmaps.
#[derive(Clone, Debug)]
pub struct ShownPicture {
    /// The line above.
    pub title: String,
    /// What is shown, in a line.
    pub subtitle: String,
    /// The photos.
    pub tiles: Vec<ShownTile>,
    /// Small print.
    pub notes: Vec<String>,
}

/// Many photos under their heatmaps, in rows of seven.
#[derive(Clone, Debug)]
pub struct OverviewPicture {
    /// The line above.
    pub title: String,
    /// What is shown, in a line.
    pub subtitle: String,
    /// The rows.
    pub rows: Vec<OverviewRow>,
    /// Small print.
    pub notes: Vec<String>,
}

/// A row of an overview.
#[derive(Clone, Debug)]
pub struct OverviewRow {
    /// What it shows.
    pub name: String,
    /// How many there are, or nothing.
    pub count: String,
    /// Photos under their heatmaps, square JPEGs, and whether each was taken elsewhere than one would think.
    pub tiles: Vec<(Vec<u8>, bool)>,
}

/// Draws photos beside their heatmaps; a JPEG, 1,200 pixels wide.
#[must_use]
pub fn shown(picture: &ShownPicture) -> Vec<u8> {
    let rows = (picture.tiles.len() as u32).div_ceil(PAIRS);
    let has_credits = picture.tiles.iter().any(|tile| !tile.credit.is_empty());
    let step = SIDE + CAPTION + if has_credits { CREDIT } else { 0 };
    let below = HEAD + rows * step;
    let mut sheet = Sheet::new(WIDTH, below + foot(&picture.notes));
    head(&mut sheet, &picture.title, &picture.subtitle);
    for (tile, index) in picture.tiles.iter().zip(0_u32..) {
        let (x, y) = (GAP + index % PAIRS * (2 * SIDE + SEAM + GAP), HEAD + index / PAIRS * step);
        sheet.photo(&tile.photo, x, y, SIDE);
        sheet.photo(&tile.heatmap, x + SIDE + SEAM, y, SIDE);
        caption(&mut sheet, tile, index + 1, (x as f32, (y + SIDE) as f32));
    }
    notes(&mut sheet, &picture.notes, below);
    sheet.jpeg()
}

fn caption(sheet: &mut Sheet, tile: &ShownTile, number: u32, (x, y): (f32, f32)) {
    let room = (2 * SIDE + SEAM) as f32;
    sheet.text(x + 2.0, y + 34.0, bold(28.0), 152.0, &format!("{number}.  {}", tile.share));
    let place = tile.elsewhere.as_ref().map_or_else(
        || (plain(26.0), tile.place.clone()),
        |elsewhere| (Style { fill: MODEL, ..bold(26.0) }, format!("✗ {elsewhere} {}", tile.place)),
    );
    sheet.text(x + 156.0, y + 34.0, place.0, room - 156.0, &place.1);
    sheet.text(x + 2.0, y + 68.0, Style { fill: MUTED, ..plain(20.0) }, room * SENTENCE, &tile.credit);
}

/// Draws rows of photos under their heatmaps; a JPEG, 1,200 pixels wide.
#[must_use]
pub fn overview(picture: &OverviewPicture) -> Vec<u8> {
    let step = ROW_HEAD + SMALL;
    let below = HEAD + picture.rows.len() as u32 * step + GAP;
    let mut sheet = Sheet::new(WIDTH, below + foot(&picture.notes));
    head(&mut sheet, &picture.title, &picture.subtitle);
    let (left, right) = (GAP as f32, (WIDTH - GAP) as f32);
    for (row, top) in picture.rows.iter().zip((HEAD..).step_by(step as usize)) {
        sheet.line((left, top as f32 + 12.0), (right, top as f32 + 12.0), 2.0, LINE);
        sheet.text(left + 4.0, top as f32 + 54.0, bold(30.0), 900.0, &row.name);
        let count = Style { fill: MUTED, anchor: Anchor::End, ..plain(26.0) };
        sheet.text(right - 4.0, top as f32 + 54.0, count, 240.0, &row.count);
        for ((tile, elsewhere), column) in row.tiles.iter().zip(0..COLUMNS) {
            let (x, y) = (GAP + column * (SMALL + GAP), top + ROW_HEAD);
            sheet.photo(tile, x, y, SMALL);
            if *elsewhere {
                sheet.disc(x as f32 + 22.0, y as f32 + 22.0, 19.0, MODEL);
                let cross = Style { fill: PAPER, anchor: Anchor::Middle, ..bold(26.0) };
                sheet.text(x as f32 + 22.0, y as f32 + 31.0, cross, 40.0, "✗");
            }
        }
    }
    notes(&mut sheet, &picture.notes, below);
    sheet.jpeg()
}

fn head(sheet: &mut Sheet, title: &str, subtitle: &str) {
    let room = (WIDTH - 2 * GAP) as f32;
    sheet.text(GAP as f32 + 4.0, 60.0, bold(44.0), room, title);
    sheet.text(GAP as f32 + 4.0, 104.0, Style { fill: MUTED, ..plain(26.0) }, room * SENTENCE, subtitle);
}

/// Height of the notes.
fn foot(notes: &[String]) -> u32 {
    NOTE * notes.len() as u32 + GAP
}

fn notes(sheet: &mut Sheet, notes: &[String], top: u32) {
    for (note, y) in notes.iter().zip((top..).step_by(NOTE as usize)) {
        let style = Style { fill: MUTED, ..plain(22.0) };
        sheet.text(GAP as f32 + 4.0, y as f32 + 20.0, style, (WIDTH - 2 * GAP) as f32 * SENTENCE, note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::sample;

    fn is_red(picture: &image::RgbImage, x: u32, y: u32) -> bool {
        picture.get_pixel(x, y).0[0] > 150 && picture.get_pixel(x, y).0[1] < 60
    }

    #[test]
    fn each_photo_stands_beside_its_heatmap() {
        let tile = |elsewhere: bool| ShownTile {
            photo: sample::jpeg([200, 0, 0]),
            heatmap: sample::jpeg([0, 0, 200]),
            share: ">99%".to_owned(),
            elsewhere: elsewhere.then(|| "渋谷区".to_owned()),
            place: "赤坂一丁目".repeat(9),
            credit: "<Aoi & Ren>".to_owned(),
        };
        for count in [0_u32, 1, 2, 7] {
            let picture = ShownPicture {
                title: "港区らしい写真".to_owned(),
                subtitle: "drawn-world 2.0.0".to_owned(),
                tiles: (0..count).map(|index| tile(index == 1)).collect(),
                notes: vec!["note".to_owned()],
            };
            let drawn = image::load_from_memory(&shown(&picture)).expect("a JPEG").to_rgb8();
            assert_eq!(drawn.height(), HEAD + count.div_ceil(2) * (SIDE + CAPTION + CREDIT) + NOTE + GAP);
            for index in 0..count {
                let (x, y) =
                    (GAP + index % 2 * (2 * SIDE + SEAM + GAP) + 9, HEAD + index / 2 * (SIDE + CAPTION + CREDIT) + 9);
                assert!(is_red(&drawn, x, y) && !is_red(&drawn, x + SIDE + SEAM, y), "{index} of {count}");
            }
        }
    }

    #[test]
    fn an_overview_has_seven_photos_in_a_row() {
        let row = |tiles: usize| OverviewRow {
            name: "東京都千代田区".to_owned(),
            count: "12".to_owned(),
            tiles: vec![(sample::jpeg([200, 0, 0]), false); tiles],
        };
        let rows = vec![row(7), row(2), row(0), row(9)];
        let picture = OverviewPicture { title: String::new(), subtitle: String::new(), rows, notes: Vec::new() };
        let drawn = image::load_from_memory(&overview(&picture)).expect("a JPEG").to_rgb8();
        for (line, tiles) in [(0, 7), (1, 2), (2, 0), (3, 7)] {
            for column in 0..COLUMNS {
                let (x, y) = (GAP + column * (SMALL + GAP) + 50, HEAD + line * (ROW_HEAD + SMALL) + ROW_HEAD + 50);
                assert_eq!(is_red(&drawn, x, y), column < tiles, "photo {column} of row {line}");
            }
        }
    }
}

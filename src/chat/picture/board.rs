//! A leaderboard.

use super::svg::{Anchor, INK, LINE, MODEL, MUTED, PEOPLE, Sheet, Style, bold, plain};

const WIDTH: u32 = 1_200;
/// Height of title, subtitle and the columns' heads, pixels.
const HEAD: f32 = 190.0;
/// Height of a row, pixels.
const ROW: f32 = 76.0;
/// Where ranks end, names begin, points end and accuracies end.
const COLUMNS: [f32; 4] = [110.0, 140.0, 800.0, 1_150.0];

/// What the picture says.
#[derive(Clone, Debug)]
pub struct BoardPicture {
    /// The line above.
    pub title: String,
    /// Which time it counts.
    pub subtitle: String,
    /// Heads of rank, name, points and accuracy.
    pub columns: [String; 4],
    /// The people.
    pub rows: Vec<BoardRow>,
    /// The model, under a line of its own.
    pub model: Option<BoardRow>,
}

/// A row.
#[derive(Clone, Debug)]
pub struct BoardRow {
    /// Place.
    pub rank: String,
    /// Name.
    pub name: String,
    /// Points.
    pub points: String,
    /// Accuracy in words.
    pub accuracy: String,
    /// Accuracy as a bar, 0 to 1.
    pub share: f32,
    /// Whether it is the asker's.
    pub me: bool,
}

/// Draws it; a PNG, 1,200 pixels wide.
#[must_use]
pub fn board(picture: &BoardPicture) -> Vec<u8> {
    let rows = picture.rows.len() + usize::from(picture.model.is_some());
    let mut sheet = Sheet::new(WIDTH, (HEAD + ROW * rows as f32 + 30.0) as u32);
    sheet.text(50.0, 74.0, bold(48.0), 1_100.0, &picture.title);
    sheet.text(50.0, 122.0, Style { fill: MUTED, ..plain(32.0) }, 1_100.0, &picture.subtitle);
    let anchors = [Anchor::End, Anchor::Start, Anchor::End, Anchor::End];
    for ((head, x), anchor) in picture.columns.iter().zip(COLUMNS).zip(anchors) {
        sheet.text(x, 174.0, Style { fill: MUTED, anchor, ..plain(28.0) }, 420.0, head);
    }
    for (index, row) in picture.rows.iter().enumerate() {
        draw(&mut sheet, row, HEAD + ROW * index as f32, PEOPLE);
    }
    if let Some(model) = &picture.model {
        let y = HEAD + ROW * picture.rows.len() as f32;
        sheet.line((50.0, y), (1_150.0, y), 3.0, LINE);
        draw(&mut sheet, model, y, MODEL);
    }
    sheet.png()
}

fn draw(sheet: &mut Sheet, row: &BoardRow, y: f32, colour: &'static str) {
    if row.me {
        sheet.rect(30.0, y + 5.0, 1_140.0, ROW - 10.0, 18.0, "#dcebf5");
    }
    let base = y + 51.0;
    let style = Style { fill: if colour == MODEL { MODEL } else { INK }, ..bold(36.0) };
    sheet.text(COLUMNS[0], base, Style { anchor: Anchor::End, ..style }, 90.0, &row.rank);
    sheet.text(COLUMNS[1], base, Style { bold: row.me || colour == MODEL, ..style }, 470.0, &row.name);
    sheet.text(COLUMNS[2], base, Style { anchor: Anchor::End, ..style }, 170.0, &row.points);
    sheet.rect(830.0, y + 25.0, 200.0, 26.0, 13.0, LINE);
    sheet.rect(830.0, y + 25.0, 200.0 * row.share.clamp(0.0, 1.0), 26.0, 13.0, colour);
    sheet.text(COLUMNS[3], base, Style { anchor: Anchor::End, ..style }, 110.0, &row.accuracy);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_its_rows() {
        let row = |rank: usize, me| BoardRow {
            rank: rank.to_string(),
            name: "とても長い名前の人🗼".repeat(5),
            points: "12,345".to_owned(),
            accuracy: "72%".to_owned(),
            share: 0.72,
            me,
        };
        for count in [1, 10] {
            let columns = ["#", "Player", "Points", "Right"].map(str::to_owned);
            let rows = (1..=count).map(|rank| row(rank, rank == 2)).collect();
            let (title, subtitle) = ("このチャットの順位表".to_owned(), "今週".to_owned());
            let picture = BoardPicture { title, subtitle, columns, rows, model: Some(row(0, false)) };
            let drawn = image::load_from_memory(&board(&picture)).expect("a PNG");
            assert_eq!((drawn.width(), drawn.height()), (WIDTH, 220 + 76 * (count as u32 + 1)));
        }
    }
}

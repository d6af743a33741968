//! A person against the model: a forest plot of differences with their intervals.

use super::svg::{Anchor, INK, LINE, MODEL, MUTED, PEOPLE, Sheet, Style, bold, plain};

const WIDTH: u32 = 1_200;
/// Height of title, subtitle and the axis' labels, pixels.
const HEAD: f32 = 210.0;
/// Height of a row, pixels.
const ROW: f32 = 92.0;
/// The axis: where -1 and 1 lie.
const AXIS: (f32, f32) = (470.0, 1_150.0);

/// What the picture says.
#[derive(Clone, Debug)]
pub struct VersusPicture {
    /// The line above.
    pub title: String,
    /// What the numbers are.
    pub subtitle: String,
    /// Over the left half: the model is better.
    pub left_label: String,
    /// Over the right half: the person is better.
    pub right_label: String,
    /// The total first, then the areas.
    pub rows: Vec<VersusRow>,
}

/// One difference, person minus model, each -1 to 1.
#[derive(Clone, Debug)]
pub struct VersusRow {
    /// The area.
    pub area: String,
    /// Both shares and the number of photos, in words.
    pub detail: String,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// The difference.
    pub difference: f64,
    /// Upper end.
    pub high: f64,
    /// Photos: the more, the larger the dot.
    pub photos: u32,
}

fn x(value: f64) -> f32 {
    let (from, to) = AXIS;
    from + (to - from) * ((value.clamp(-1.0, 1.0) as f32 + 1.0) / 2.0)
}

/// Draws it; a PNG, 1,200 pixels wide.
#[must_use]
pub fn versus(picture: &VersusPicture) -> Vec<u8> {
    let bottom = HEAD + ROW * picture.rows.len() as f32;
    let mut sheet = Sheet::new(WIDTH, (bottom + 66.0) as u32);
    sheet.text(50.0, 74.0, bold(46.0), 1_100.0, &picture.title);
    sheet.text(50.0, 122.0, Style { fill: MUTED, ..plain(32.0) }, 1_100.0, &picture.subtitle);
    sheet.text(x(-0.04), 184.0, Style { fill: MODEL, anchor: Anchor::End, ..bold(30.0) }, 330.0, &picture.left_label);
    sheet.text(x(0.04), 184.0, Style { fill: PEOPLE, ..bold(30.0) }, 330.0, &picture.right_label);
    for (value, label) in [(-1.0, "-100%"), (-0.5, "-50%"), (0.0, "0"), (0.5, "+50%"), (1.0, "+100%")] {
        let (width, colour) = if value == 0.0 { (4.0, MUTED) } else { (2.0, LINE) };
        sheet.line((x(value), HEAD), (x(value), bottom), width, colour);
        let style = Style { fill: MUTED, anchor: Anchor::Middle, ..plain(26.0) };
        sheet.text(x(value), bottom + 40.0, style, 120.0, label);
    }
    for (index, row) in picture.rows.iter().enumerate() {
        draw(&mut sheet, row, HEAD + ROW * index as f32, index == 0);
    }
    sheet.png()
}

fn draw(sheet: &mut Sheet, row: &VersusRow, y: f32, is_total: bool) {
    // Colour only where the interval allows a verdict.
    let colour = match (row.low > 0.0, row.high < 0.0) {
        (true, _) => PEOPLE,
        (_, true) => MODEL,
        _ => MUTED,
    };
    let name = if is_total { bold(36.0) } else { Style { fill: INK, ..plain(36.0) } };
    sheet.text(50.0, y + 40.0, name, 400.0, &row.area);
    sheet.text(50.0, y + 76.0, Style { fill: MUTED, ..plain(26.0) }, 400.0, &row.detail);
    let middle = y + ROW / 2.0;
    sheet.line((x(row.low), middle), (x(row.high), middle), 8.0, colour);
    sheet.disc(x(row.difference), middle, (10.0 + f64::from(row.photos).sqrt() as f32).min(22.0), colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_is_symmetric_and_bounded() {
        assert!((x(0.0) - (AXIS.0 + AXIS.1) / 2.0).abs() < 0.01);
        assert_eq!((x(-7.0), x(7.0)), AXIS);
    }

    #[test]
    fn grows_with_its_rows() {
        let row = VersusRow {
            area: "千代田区".to_owned(),
            detail: "80% : 67%".to_owned(),
            low: -0.1,
            difference: 0.13,
            high: 0.4,
            photos: 12,
        };
        let [title, subtitle, left_label, right_label] = ["Aoi", "b", "c", "d"].map(str::to_owned);
        let picture = VersusPicture { title, subtitle, left_label, right_label, rows: vec![row; 8] };
        let drawn = image::load_from_memory(&versus(&picture)).expect("a PNG");
        assert_eq!((drawn.width(), drawn.height()), (WIDTH, 210 + 8 * 92 + 66));
    }
}

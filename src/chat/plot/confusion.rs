//! Truth against answer.

use super::{Anchor, Plot, TEXT, WIDTH};
use crate::chat::Lang;
use crate::chat::text::short_area;
use crate::judge::Score;

/// Room for the names of the rows.
const NAMES: f32 = 92.0;
/// Room for the names of the columns, which climb.
const HEAD: f32 = 74.0;
/// Room for the end of the last of them.
const TAIL: f32 = 52.0;

/// The confusion matrix: rows are true areas, columns answers.
#[must_use]
pub fn confusion(lang: Lang, score: &Score) -> Plot {
    let count = score.areas.len().max(1);
    let side = ((WIDTH - NAMES - TAIL) / count as f32).min(52.0);
    let mut plot = Plot::new(HEAD + side * count as f32 + 8.0);
    let numbers = (side * 0.36).min(TEXT);
    for (i, area) in score.areas.iter().enumerate() {
        let name = short_area(lang, &area.area);
        let middle = side * (i as f32 + 0.5);
        plot.text("ink", (NAMES - 8.0, HEAD + middle + 5.0), Anchor::End, name);
        plot.turned("ink", (NAMES + middle + 2.0, HEAD - 8.0), Anchor::Start, 40.0, name);
    }
    for (truth, row) in score.confusion.iter().enumerate() {
        let all = row.iter().sum::<usize>().max(1) as f32;
        for (answer, &photos) in row.iter().enumerate() {
            let at = (NAMES + side * answer as f32 + 1.0, HEAD + side * truth as f32 + 1.0);
            let class = if truth == answer { "cell a" } else { "cell b" };
            // The square root keeps rare mistakes visible.
            let strength = if photos == 0 { 0.03 } else { 0.08 + 0.82 * (photos as f32 / all).sqrt() };
            plot.cell(class, at, (side - 2.0, side - 2.0), strength);
            if photos > 0 && numbers >= 6.0 {
                let class = if strength > 0.62 { "over" } else { "ink" };
                let centre = (at.0 + side / 2.0 - 1.0, at.1 + side / 2.0 + numbers * 0.36 - 1.0);
                plot.sized(class, centre, Anchor::Middle, numbers, &photos.to_string());
            }
        }
    }
    plot
}

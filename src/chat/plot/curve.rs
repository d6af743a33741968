//! How often answers are right when only the surest photos get one.

use super::{Anchor, Field, Plot, TEXT};
use crate::chat::Lang;
use crate::chat::text::report::{Word, word};
use crate::domain::metrics::Selective;
use crate::judge::Score;

/// The coverage-accuracy curve of one model, or of two; each with its name.
#[must_use]
pub fn curve(lang: Lang, model: (&str, &Score), other: Option<(&str, &Score)>) -> Plot {
    let mut plot = Plot::new(390.0);
    let series: Vec<(&str, (&str, &Score))> =
        other.map(|other| ("b", other)).into_iter().chain([("a", model)]).collect();
    let lowest = series.iter().flat_map(|(_, (_, score))| shown(score)).map(|point| point.accuracy);
    // Down to the ten per cent below the lowest point.
    let floor = (f64::from(lowest.fold(1.0, f32::min)) * 10.0 - 0.2).floor().max(0.0) / 10.0;
    let field = Field { left: 56.0, top: 46.0, width: 400.0, height: 290.0, x: (0.0, 1.0), y: (floor.min(0.9), 1.0) };
    field.draw(&mut plot, &word(lang, Word::Coverage), &word(lang, Word::Accuracy));
    for (i, (class, (name, score))) in series.iter().enumerate() {
        let at = |point: &Selective| field.at(f64::from(point.coverage), f64::from(point.accuracy));
        plot.path(&format!("line {class}"), &shown(score).map(at).collect::<Vec<_>>());
        plot.disc(&format!("ring {class}"), at(&score.abstention), 7.0);
        if series.len() > 1 {
            let y = field.top + field.height - 36.0 + 24.0 * i as f32;
            plot.disc(class, (field.left + 20.0, y - TEXT / 3.0), 6.0);
            plot.text("ink", (field.left + 34.0, y), Anchor::Start, name);
        }
    }
    plot
}

/// Without the beginning, where a photo or two decide.
fn shown(score: &Score) -> impl Iterator<Item = &Selective> {
    let least = 10.0 / score.photos.max(1) as f32;
    score.curve.iter().filter(move |point| point.coverage >= least.min(1.0))
}

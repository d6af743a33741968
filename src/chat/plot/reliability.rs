//! Confidence against the share of right answers, before and after temperature scaling.

use super::{Anchor, Field, Plot, TEXT};
use crate::chat::Lang;
use crate::chat::text::report::{Word, word};
use crate::domain::metrics::Bin;
use crate::judge::Score;

/// The reliability diagram.
#[must_use]
pub fn reliability(lang: Lang, score: &Score) -> Plot {
    let mut plot = Plot::new(430.0);
    let field = Field { left: 56.0, top: 46.0, width: 400.0, height: 330.0, x: (0.0, 1.0), y: (0.0, 1.0) };
    field.draw(&mut plot, &word(lang, Word::Confidence), &word(lang, Word::Accuracy));
    plot.line("axis dashed", field.at(0.0, 0.0), field.at(1.0, 1.0));
    let series = [("b", &score.reliability_before, Word::Before), ("a", &score.reliability, Word::After)];
    for (i, (class, bins, name)) in series.into_iter().enumerate() {
        draw(&mut plot, &field, class, bins, score.photos);
        let y = field.top + 22.0 + 24.0 * i as f32;
        plot.disc(class, (field.left + 20.0, y - TEXT / 3.0), 6.0);
        plot.text("ink", (field.left + 34.0, y), Anchor::Start, &word(lang, name));
    }
    plot
}

fn draw(plot: &mut Plot, field: &Field, class: &str, bins: &[Bin], photos: usize) {
    let seen = || bins.iter().filter(|bin| bin.photos > 0);
    let points: Vec<(f32, f32)> = seen().map(|bin| field.at(bin.confidence, bin.accuracy)).collect();
    plot.path(&format!("line {class}"), &points);
    for (bin, at) in seen().zip(points) {
        // The area of the dot is the share of the photos.
        let radius = 3.0 + 16.0 * (bin.photos as f32 / photos.max(1) as f32).sqrt();
        plot.disc(&format!("{class} soft"), at, radius);
    }
}

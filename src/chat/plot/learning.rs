//! How a training goes: macro recall and loss, epoch by epoch.

use super::{Anchor, Field, Plot, percent};
use crate::chat::Lang;
use crate::chat::text::training;
use crate::chat::train::Epoch;

/// Height of one of the two diagrams.
const HEIGHT: f32 = 150.0;
/// Most epochs that are named on the axis.
const NAMED: usize = 10;

/// The epochs done, of so many.
#[must_use]
pub fn learning(lang: Lang, epochs: &[Epoch], of: usize) -> Plot {
    let mut plot = Plot::new(2.0 * (HEIGHT + 60.0) + 32.0);
    let field = |top: f32, most: f64| Field {
        left: 56.0,
        top,
        width: 400.0,
        height: HEIGHT,
        x: (0.0, of.max(1) as f64),
        y: (0.0, most),
    };
    let recall = field(40.0, 1.0);
    let shares = epochs.iter().map(|epoch| (epoch.epoch, f64::from(epoch.macro_recall)));
    let marks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, percent(share)));
    draw(&mut plot, &recall, &training::recall_axis(lang), &marks, ("a", shares.collect()));
    let losses: Vec<(usize, f64)> = epochs.iter().map(|epoch| (epoch.epoch, f64::from(epoch.loss))).collect();
    let most = losses.iter().map(|(_, loss)| *loss).fold(0.5, f64::max) * 1.1;
    let loss = field(40.0 + HEIGHT + 60.0, most);
    let marks = [0.0, 0.5, 1.0].map(|share| (share * most, format!("{:.2}", share * most)));
    draw(&mut plot, &loss, &training::loss_axis(lang), &marks, ("b", losses));
    let (middle, bottom) = (loss.left + loss.width / 2.0, loss.top + HEIGHT);
    let step = of.div_ceil(NAMED).max(1);
    for epoch in (0..=of).step_by(step) {
        plot.text("muted", (loss.x(epoch as f64), bottom + 18.0), Anchor::Middle, &epoch.to_string());
    }
    plot.text("ink", (middle, bottom + 38.0), Anchor::Middle, &training::epoch_axis(lang));
    plot
}

/// Axes with their marks, and one line with a dot an epoch.
fn draw(plot: &mut Plot, field: &Field, name: &str, marks: &[(f64, String)], line: (&str, Vec<(usize, f64)>)) {
    let (class, values) = line;
    let (bottom, right) = (field.top + field.height, field.left + field.width);
    plot.text("ink", (field.left - 44.0, field.top - 14.0), Anchor::Start, name);
    for (value, words) in marks {
        plot.line("grid", (field.left, field.y(*value)), (right, field.y(*value)));
        plot.text("muted", (field.left - 8.0, field.y(*value) + 5.0), Anchor::End, words);
    }
    plot.line("axis", (field.left, bottom), (right, bottom));
    plot.line("axis", (field.left, field.top), (field.left, bottom));
    let points: Vec<(f32, f32)> = values.into_iter().map(|(epoch, value)| field.at(epoch as f64, value)).collect();
    if points.len() > 1 {
        plot.path(&format!("line {class}"), &points);
    }
    for at in points {
        plot.disc(class, at, 4.5);
    }
}

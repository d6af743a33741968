//! Figures with their intervals, one a row.

use super::{Anchor, Field, Plot, WIDTH, ticks};
use crate::chat::Lang;
use crate::chat::text::report::{Word, distance_rows, points, share, word};
use crate::chat::text::short_area;
use crate::domain::metrics::Interval;
use crate::domain::metrics::distance::FULL;
use crate::judge::{Measured, Recall, Score, Verdict};

/// Height of a row.
const ROW: f32 = 36.0;
/// Where the intervals begin and end.
const SPAN: (f32, f32) = (104.0, WIDTH - 84.0);

/// Recall of each area with its interval; below each, where there is one, that of another model.
#[must_use]
pub fn recall(lang: Lang, score: &Score, other: Option<&Score>) -> Plot {
    let low = score.areas.iter().map(|area| area.interval.0).fold(1.0, f64::min);
    let floor = ((low * 10.0).floor() / 10.0 - 0.1).clamp(0.0, 0.8);
    let bottom = 14.0 + ROW * score.areas.len() as f32;
    let mut plot = Plot::new(bottom + 30.0);
    let field = field((floor, 1.0), bottom);
    scale(&mut plot, &field, |tick| format!("{:.0}%", tick * 100.0));
    for (i, area) in score.areas.iter().enumerate() {
        let y = field.top + ROW * (i as f32 + 0.5);
        let theirs = other.and_then(|other| other.areas.iter().find(|theirs| theirs.area == area.area));
        let shift = if theirs.is_some() { 6.0 } else { 0.0 };
        plot.text("ink", (SPAN.0 - 10.0, y + 5.0), Anchor::End, short_area(lang, &area.area));
        if let Some(theirs) = theirs {
            bar(&mut plot, &field, "b", &of(theirs), y + shift);
        }
        bar(&mut plot, &field, "a", &of(area), y - shift);
        plot.text("ink", (WIDTH - 8.0, y + 5.0), Anchor::End, &share(f64::from(area.recall)));
    }
    plot
}

/// How much better one model is than another.
#[must_use]
pub fn difference(lang: Lang, verdict: &Verdict) -> Plot {
    let rows: Vec<(String, Interval)> = match &verdict.measured {
        Measured::Names(by) => {
            let rows = [(Word::Macro, by.macro_recall_difference), (Word::Top1, by.top1_difference)];
            rows.map(|(name, difference)| (word(lang, name), difference)).into()
        }
        Measured::Distance(by) => {
            let Interval { low, value, high } = by.geoscore_difference;
            let geoscore = Interval { low: low / FULL, value: value / FULL, high: high / FULL };
            distance_rows(lang).into_iter().zip([geoscore].into_iter().chain(by.within_difference)).collect()
        }
    };
    let reach = rows.iter().flat_map(|(_, d)| [d.low.abs(), d.high.abs()]).fold(0.02, f64::max) * 1.15;
    let bottom = 14.0 + 52.0 * rows.len() as f32;
    let mut plot = Plot::new(bottom + 32.0);
    let field = Field { left: 24.0, width: WIDTH - 48.0, ..field((-reach, reach), bottom) };
    scale(&mut plot, &field, points);
    for (i, (name, interval)) in rows.into_iter().enumerate() {
        let y = field.top + 52.0 * i as f32;
        plot.text("ink", (field.left, y + 16.0), Anchor::Start, &name);
        plot.text("ink", (field.left + field.width, y + 16.0), Anchor::End, &points(interval.value));
        plot.line("axis", (field.x(0.0), y + 24.0), (field.x(0.0), y + 44.0));
        bar(&mut plot, &field, if interval.low > 0.0 { "a" } else { "b" }, &interval, y + 34.0);
    }
    plot
}

fn field(x: (f64, f64), bottom: f32) -> Field {
    Field { left: SPAN.0, top: 14.0, width: SPAN.1 - SPAN.0, height: bottom - 14.0, x, y: (0.0, 1.0) }
}

fn of(area: &Recall) -> Interval {
    Interval { low: area.interval.0, value: f64::from(area.recall), high: area.interval.1 }
}

fn scale(plot: &mut Plot, field: &Field, words: impl Fn(f64) -> String) {
    let bottom = field.top + field.height;
    for tick in ticks(field.x) {
        plot.line("grid", (field.x(tick), field.top), (field.x(tick), bottom));
        plot.text("muted", (field.x(tick), bottom + 20.0), Anchor::Middle, &words(tick));
    }
}

fn bar(plot: &mut Plot, field: &Field, class: &str, interval: &Interval, y: f32) {
    plot.line(&format!("line thick {class}"), (field.x(interval.low), y), (field.x(interval.high), y));
    plot.disc(class, (field.x(interval.value), y), 6.0);
}

//! What the report on a model says, on its page, in its pictures and as a table.

use fluent_bundle::FluentValue;

use super::bundle::say;
use super::{Lang, area};
use crate::domain::Area;
use crate::domain::metrics::distance::WITHIN_KM;
use crate::domain::metrics::{Distances, Interval};
use crate::judge::portrait::Source;
use crate::judge::{Decision, Measured, Model, Score, Verdict};

/// Words without variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Head of the column with the figures' names.
    Figure,
    /// Head of the column with their intervals.
    Interval,
    /// How the intervals come about.
    IntervalsNote,
    /// Title of the reliability diagram.
    Reliability,
    /// How to read it.
    ReliabilityNote,
    /// Its horizontal axis.
    Confidence,
    /// The vertical axis of two diagrams.
    Accuracy,
    /// Before temperature scaling.
    Before,
    /// After it.
    After,
    /// Title of the coverage-accuracy curve.
    Curve,
    /// How to read it.
    CurveNote,
    /// Its horizontal axis.
    Coverage,
    /// Title of the confusion matrix.
    Confusion,
    /// How to read it.
    ConfusionNote,
    /// Title of the recalls.
    Recall,
    /// How to read them.
    RecallNote,
    /// Title of the differences.
    Difference,
    /// Title of the photos most like an area.
    Gallery,
    /// How to read them.
    GalleryNote,
    /// Title of the mistakes.
    Mistakes,
    /// How to read them.
    MistakesNote,
    /// Where there are none.
    None,
    /// Title of the credits.
    Credits,
    /// The button for light and dark.
    Theme,
    /// The button for the other language, in that language.
    OtherLang,
    /// Macro recall.
    Macro,
    /// Top-1.
    Top1,
    /// Title of the figures on photos that people gave.
    Given,
    /// Title of the comparison of models whose areas differ.
    ByDistance,
}

/// A word or sentence without variables.
#[must_use]
pub fn word(lang: Lang, word: Word) -> String {
    let id = match word {
        Word::Figure => "report-figure",
        Word::Interval => "report-interval",
        Word::IntervalsNote => "report-intervals-note",
        Word::Reliability => "plot-reliability",
        Word::ReliabilityNote => "plot-reliability-note",
        Word::Confidence => "plot-confidence",
        Word::Accuracy => "plot-accuracy",
        Word::Before => "plot-before",
        Word::After => "plot-after",
        Word::Curve => "plot-curve",
        Word::CurveNote => "plot-curve-note",
        Word::Coverage => "plot-coverage",
        Word::Confusion => "plot-confusion",
        Word::ConfusionNote => "plot-confusion-note",
        Word::Recall => "plot-recall",
        Word::RecallNote => "plot-recall-note",
        Word::Difference => "plot-difference",
        Word::Gallery => "gallery-title",
        Word::GalleryNote => "gallery-note",
        Word::Mistakes => "gallery-mistakes",
        Word::MistakesNote => "gallery-mistakes-note",
        Word::None => "gallery-none",
        Word::Credits => "report-credits",
        Word::Theme => "report-theme",
        Word::OtherLang => "report-lang",
        Word::Macro => "report-macro",
        Word::Top1 => "report-top1",
        Word::Given => "report-given",
        Word::ByDistance => "report-by-distance",
    };
    say(lang, id, &[])
}

/// Name and version of a model.
#[must_use]
pub fn name(model: &Model) -> String {
    format!("{} {}", model.name, model.version)
}

/// The title.
#[must_use]
pub fn title(lang: Lang, model: &Model) -> String {
    say(lang, "report-title", &[("model", name(model).into())])
}

/// How many photos, of how many places.
#[must_use]
pub fn photos(lang: Lang, photos: usize, places: usize) -> String {
    say(lang, "report-photos", &[("photos", thousands(photos).into()), ("places", thousands(places).into())])
}

/// How many photos people gave, of how many places.
#[must_use]
pub fn given(lang: Lang, photos: usize, places: usize) -> String {
    let values = [("photos", thousands(photos).into()), ("places", thousands(places).into())];
    say(lang, "report-given-photos", &values)
}

/// Where the photos are from.
#[must_use]
pub fn source(lang: Lang, source: &Source) -> String {
    match source {
        Source::Drawn => say(lang, "report-drawn", &[]),
        Source::Folder(folder) => say(lang, "report-folder", &[("folder", folder.to_owned().into())]),
    }
}

/// That photos could not be read.
#[must_use]
pub fn left_out(lang: Lang, count: usize) -> String {
    say(lang, "report-left-out", &[("count", count.into())])
}

/// Which network, on what.
#[must_use]
pub fn model(lang: Lang, model: &Model) -> String {
    let sha256 = model.sha256.get(..12).unwrap_or(&model.sha256).to_owned();
    say(lang, "report-model", &[("sha256", sha256.into()), ("backend", model.backend.clone().into())])
}

/// Whether the candidate is better, in one sentence with the interval.
#[must_use]
pub fn decision(lang: Lang, verdict: &Verdict) -> String {
    let id = match (&verdict.measured, verdict.decision) {
        (Measured::Names(_), Decision::Better) => "report-better",
        (Measured::Names(_), Decision::NotBetter) => "report-not-better",
        (Measured::Names(_), Decision::Worse) => "report-worse",
        (Measured::Distance(_), Decision::Better) => "report-nearer",
        (Measured::Distance(_), Decision::NotBetter) => "report-not-nearer",
        (Measured::Distance(_), Decision::Worse) => "report-farther",
    };
    let [low, value, high] = deciding(&verdict.measured).map(Into::into);
    let [candidate, live] = names(verdict);
    say(lang, id, &[candidate, live, ("value", value), ("low", low), ("high", high)])
}

/// Lower end, value and upper end of the difference that decides, in points: of 100, or of the GeoScore's 5,000.
#[must_use]
pub fn deciding(measured: &Measured) -> [String; 3] {
    let Interval { low, value, high } = *measured.deciding();
    let share = match measured {
        Measured::Names(_) => 1.0,
        Measured::Distance(_) => 100.0,
    };
    [low, value, high].map(|difference| points(difference / share))
}

fn names(verdict: &Verdict) -> [(&'static str, FluentValue<'static>); 2] {
    [("candidate", name(&verdict.candidate).into()), ("live", name(&verdict.live).into())]
}

/// On how many photos just one of the two is right, or each is nearer.
#[must_use]
pub fn only(lang: Lang, verdict: &Verdict) -> String {
    let (id, ours, theirs) = match &verdict.measured {
        Measured::Names(by) => ("report-only", by.only_candidate, by.only_live),
        Measured::Distance(by) => ("report-only-nearer", by.nearer_candidate, by.nearer_live),
    };
    let [candidate, live] = names(verdict);
    say(lang, id, &[candidate, live, ("ours", thousands(ours).into()), ("theirs", thousands(theirs).into())])
}

/// How two models are compared whose areas differ.
#[must_use]
pub fn by_distance_note(lang: Lang, verdict: &Verdict) -> String {
    let values = [("photos", thousands(verdict.photos).into()), ("places", thousands(verdict.places).into())];
    say(lang, "report-by-distance-note", &values)
}

/// What the differences are of.
#[must_use]
pub fn difference_note(lang: Lang, verdict: &Verdict) -> String {
    let id = match verdict.measured {
        Measured::Names(_) => "plot-difference-note",
        Measured::Distance(_) => "plot-difference-distance-note",
    };
    say(lang, id, &names(verdict))
}

/// Names of the differences by distance in a diagram: of the GeoScore in per cent, then of the shares within so many
/// kilometres.
#[must_use]
pub fn distance_rows(lang: Lang) -> [String; 6] {
    let [a, b, c, d, e] = WITHIN_KM.map(|km| within(lang, km));
    [say(lang, "plot-geoscore", &[]), a, b, c, d, e]
}

fn within(lang: Lang, km: f64) -> String {
    say(lang, "report-within", &[("km", thousands(km as usize).into())])
}

/// The photos most like an area.
#[must_use]
pub fn like(lang: Lang, of: &Area) -> String {
    say(lang, "gallery-like", &[("area", area(lang, of).into())])
}

/// Photos of one area that are taken for another.
#[must_use]
pub fn mistake(lang: Lang, truth: &Area, answer: &Area) -> String {
    say(lang, "gallery-mistake", &[("truth", area(lang, truth).into()), ("answer", area(lang, answer).into())])
}

/// A number of photos.
#[must_use]
pub fn count(lang: Lang, count: usize) -> String {
    say(lang, "gallery-count", &[("count", count.into())])
}

/// A photo, for those who cannot see it.
#[must_use]
pub fn photo_alt(lang: Lang, truth: &Area) -> String {
    say(lang, "gallery-photo-alt", &[("truth", area(lang, truth).into())])
}

/// Its heatmap, likewise.
#[must_use]
pub fn heatmap_alt(lang: Lang, of: &Area) -> String {
    say(lang, "gallery-heatmap-alt", &[("area", area(lang, of).into())])
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub figure: String,
    /// How much.
    pub value: String,
    /// Between what, where there is an interval.
    pub interval: Option<String>,
}

/// The first figures of a model: those that say how good its answers are.
#[must_use]
pub fn short_table(lang: Lang, score: &Score) -> Vec<Line> {
    table(lang, score).into_iter().take(3).collect()
}

/// The figures of a model.
#[must_use]
pub fn table(lang: Lang, score: &Score) -> Vec<Line> {
    let distances = score.distances.iter().flat_map(|distances| far_off(lang, distances));
    named_table(lang, score).into_iter().chain(distances).collect()
}

/// The figures that say how a model names areas.
#[must_use]
pub fn named_table(lang: Lang, score: &Score) -> Vec<Line> {
    let line = |id: &str, value: String| Line { figure: say(lang, id, &[]), value, interval: None };
    let with = |id: &str, figure: &Interval| Line {
        interval: Some(interval(lang, figure.low, figure.high)),
        ..line(id, share(figure.value))
    };
    let small = |value: f64| format!("{value:.3}");
    vec![
        with("report-macro", &score.macro_recall),
        with("report-top1", &score.top1),
        line("report-top3", share(f64::from(score.top3))),
        line("report-majority", share(f64::from(score.majority_top1))),
        line("report-ece-before", small(f64::from(score.ece_before))),
        line("report-ece", small(f64::from(score.ece))),
        line("report-temperature", format!("{:.2}", score.temperature)),
        line("report-coverage", share(f64::from(score.abstention.coverage))),
        line("report-selective", share(f64::from(score.abstention.accuracy))),
        line("report-aurc", small(score.aurc)),
    ]
}

/// How far off the guesses are.
#[must_use]
pub fn far_off(lang: Lang, distances: &Distances) -> Vec<Line> {
    let of = |figure: String, interval: &Interval, words: &dyn Fn(f64) -> String| {
        let values = [("low", words(interval.low).into()), ("high", words(interval.high).into())];
        Line { figure, value: words(interval.value), interval: Some(say(lang, "report-interval-of", &values)) }
    };
    let within =
        distances.within.iter().zip(WITHIN_KM).map(|(share_of, most)| of(within(lang, most), share_of, &share));
    let median = of(say(lang, "report-median", &[]), &distances.median_km, &kilometres);
    let points = |value: f64| thousands(value.round() as usize);
    let geoscore = of(say(lang, "report-geoscore", &[]), &distances.geoscore, &points);
    within.chain([median, geoscore]).collect()
}

/// The few of them that a message has room for: the share within 25 km, the median and the GeoScore.
#[must_use]
pub fn short_far_off(lang: Lang, distances: &Distances) -> Vec<Line> {
    let lines = far_off(lang, distances).into_iter().enumerate();
    lines.filter(|(i, _)| [1, 5, 6].contains(i)).map(|(_, line)| line).collect()
}

/// What the distances are of, where they were judged.
#[must_use]
pub fn distances_note(lang: Lang, distances: &Distances) -> String {
    let (photos, outside) = (thousands(distances.photos), distances.outside);
    say(lang, "report-distances-note", &[("photos", photos.into()), ("outside", outside.into())])
}

fn kilometres(km: f64) -> String {
    if km < 10.0 { format!("{km:.2} km") } else { format!("{} km", thousands(km.round() as usize)) }
}

/// Two shares, as an interval.
#[must_use]
pub fn interval(lang: Lang, low: f64, high: f64) -> String {
    say(lang, "report-interval-of", &[("low", share(low).into()), ("high", share(high).into())])
}

/// A share of 0 to 1 in per cent with one decimal.
#[must_use]
pub fn share(value: f64) -> String {
    format!("{:.1}%", value * 100.0)
}

/// A difference of shares in points with one decimal and its sign; 0 has none.
#[must_use]
pub fn points(value: f64) -> String {
    let rounded = (value * 1_000.0).round() / 10.0;
    if rounded == 0.0 { "0.0".to_owned() } else { format!("{rounded:+.1}").replace('-', "−") }
}

fn thousands(value: usize) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{bundle, tests::messages};
    use super::*;
    use crate::chat::sample;

    #[test]
    fn both_languages_have_the_same_messages_and_all_are_used() {
        let known = messages(bundle::REPORT_EN);
        assert_eq!(messages(bundle::REPORT_JA), known);
        let code = include_str!("report.rs");
        let quoted: BTreeSet<&str> = code.split('"').skip(1).step_by(2).collect();
        let unused: Vec<&String> = known.keys().filter(|id| !quoted.contains(id.as_str())).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn what_the_report_says() {
        let said = Lang::ALL.map(|lang| {
            let score = Score { distances: Some(sample::distances()), ..sample::score() };
            let (verdict, distant) = (sample::verdict(), sample::by_distance());
            let areas = &score.areas;
            let mut lines = vec![
                title(lang, &verdict.candidate),
                photos(lang, 1_050, 98),
                source(lang, &Source::Drawn),
                source(lang, &Source::Folder("export".to_owned())),
                left_out(lang, 1),
                left_out(lang, 3),
                model(lang, &verdict.candidate),
                only(lang, &verdict),
                difference_note(lang, &verdict),
                like(lang, &areas[0].area),
                mistake(lang, &areas[0].area, &areas[1].area),
                count(lang, 1),
                count(lang, 12),
                photo_alt(lang, &areas[0].area),
                heatmap_alt(lang, &areas[1].area),
            ];
            for decision_of in [Decision::Better, Decision::NotBetter, Decision::Worse] {
                for verdict in [&verdict, &distant] {
                    lines.push(decision(lang, &Verdict { decision: decision_of, ..verdict.clone() }));
                }
            }
            lines.extend([only(lang, &distant), by_distance_note(lang, &distant), difference_note(lang, &distant)]);
            lines.push(distance_rows(lang).join(" | "));
            let table = table(lang, &score).into_iter();
            let distances = [0, 4].map(|outside| Distances { outside, ..sample::distances() });
            lines.extend(distances.iter().map(|distances| distances_note(lang, distances)));
            lines.extend(table.map(|line| format!("{} | {} | {:?}", line.figure, line.value, line.interval)));
            lines.join("\n")
        });
        insta::assert_snapshot!(said.join("\n\n"));
    }

    #[test]
    fn differences_have_signs_and_zero_has_none() {
        assert_eq!([0.0123, -0.02, 0.000_01, -0.000_01].map(points), ["+1.2", "−2.0", "0.0", "0.0"]);
        assert_eq!((thousands(1_234_567), thousands(12)), ("1,234,567".to_owned(), "12".to_owned()));
    }
}

//! What is said of a model's gallery, its confusions and its atlas.

use super::bundle::say;
use super::format::fitting;
use super::report::{interval, name, share};
use super::{Lang, area, percent, short_area};
use crate::domain::Area;
use crate::judge::portrait::{Figure, TownRecall};
use crate::judge::{Portrait, Recall};

/// Longest name of an area that is repeated, characters.
const ECHO: usize = 32;

/// Words without variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing can be read.
    Failed,
    /// Title of all areas' photos.
    Overview,
    /// How to read them.
    OverviewNote,
    /// The same, for those who cannot see them.
    OverviewAlt,
    /// Title of all mistakes.
    Mistakes,
    /// That there are none.
    MistakesNone,
    /// How to read them.
    MistakesNote,
    /// The same, for those who cannot see them.
    MistakesAlt,
    /// Title of the map of all areas.
    Atlas,
    /// The map, for those who cannot see it.
    AtlasAlt,
    /// How to read it.
    AtlasNote,
    /// Whom it is owed to.
    AtlasCredit,
}

/// A word or sentence without variables.
#[must_use]
pub fn word(lang: Lang, word: Word) -> String {
    let id = match word {
        Word::Failed => "insight-failed",
        Word::Overview => "insight-overview",
        Word::OverviewNote => "insight-overview-note",
        Word::OverviewAlt => "insight-overview-alt",
        Word::Mistakes => "insight-mistakes",
        Word::MistakesNone => "insight-mistakes-none",
        Word::MistakesNote => "insight-mistakes-note",
        Word::MistakesAlt => "insight-mistakes-alt",
        Word::Atlas => "atlas-title",
        Word::AtlasAlt => "atlas-alt",
        Word::AtlasNote => "atlas-note",
        Word::AtlasCredit => "atlas-credit",
    };
    say(lang, id, &[])
}

/// That a model was never judged, and what to do.
#[must_use]
pub fn none(lang: Lang, name: &str, version: &str) -> String {
    say(lang, "insight-none", &[("model", format!("{name} {version}").into())])
}

/// That there is no such area, and which there are.
#[must_use]
pub fn area_unknown(lang: Lang, name: &str, known: &[Area]) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(ECHO).collect();
    let areas =
        |names: &str| say(lang, "insight-area-unknown", &[("name", name.clone().into()), ("areas", names.into())]);
    fitting(listed(lang, known.iter().map(|area| short_area(lang, area).to_owned()).collect()).iter().map(|n| areas(n)))
}

/// Names in one line, all of them or, for the case that they do not fit, the first few.
fn listed(lang: Lang, names: Vec<String>) -> Vec<String> {
    let separator = separator(lang);
    let few: Vec<String> = names.iter().take(12).cloned().collect();
    let more = say(lang, "insight-and-more", &[("count", names.len().saturating_sub(few.len()).to_string().into())]);
    vec![names.join(separator), format!("{}{separator}{more}", few.join(separator))]
}

fn separator(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "、",
        Lang::En => ", ",
    }
}

/// Which model, judged on what.
#[must_use]
pub fn of(lang: Lang, portrait: &Portrait) -> String {
    let score = &portrait.score;
    let values = [
        ("model", name(&portrait.model).into()),
        ("photos", super::format::count(score.photos as u64).into()),
        ("places", super::format::count(score.places as u64).into()),
    ];
    say(lang, "insight-of", &values)
}

/// Title of the photos of one area.
#[must_use]
pub fn gallery_title(lang: Lang, of: &Area) -> String {
    say(lang, "insight-gallery", &[("area", area(lang, of).into())])
}

/// How to read the photos of one area.
#[must_use]
pub fn gallery_note(lang: Lang, of: &Area) -> String {
    say(lang, "insight-gallery-note", &[("area", short_area(lang, of).into())])
}

/// The photos of one area, for those who cannot see them.
#[must_use]
pub fn gallery_alt(lang: Lang, of: &Area) -> String {
    say(lang, "insight-gallery-alt", &[("area", area(lang, of).into())])
}

/// Photos of one area that are taken for another, likewise.
#[must_use]
pub fn mistake_alt(lang: Lang, truth: &Area, answer: &Area) -> String {
    let values = [("truth", area(lang, truth).into()), ("answer", area(lang, answer).into())];
    say(lang, "insight-mistake-alt", &values)
}

/// Photos in words: where each was taken, how sure the model is, and whom to credit; then how to read them, as far as
/// there is room.
#[must_use]
pub fn photos(lang: Lang, title: &str, of: &str, photos: &[Figure], note: &str) -> String {
    let line = |(index, figure): (usize, &Figure)| {
        let line = [
            ("number", (index + 1).to_string().into()),
            ("percent", percent(figure.probability).into()),
            ("place", place(lang, figure).into()),
        ];
        let credit = figure.credit.as_ref().map(|credit| format!(" © {credit}")).unwrap_or_default();
        format!("{}{credit}", say(lang, "insight-photo", &line))
    };
    let lines: Vec<String> = photos.iter().enumerate().map(line).collect();
    let (lines, mut credits): (_, Vec<&str>) =
        (lines.join("\n"), photos.iter().filter_map(|figure| figure.credit.as_deref()).collect());
    credits.sort_unstable();
    credits.dedup();
    // Credits are owed; everything else gives way.
    fitting([
        format!("{title}\n{of}\n\n{lines}\n\n{note}"),
        format!("{title}\n\n{lines}"),
        format!("{title}\n© {}", credits.join("; ")),
    ])
}

/// Where a photo was taken: its town, with its area where that is another than the one it is about.
#[must_use]
pub fn place(lang: Lang, figure: &Figure) -> String {
    if !figure.is_elsewhere() {
        return figure.place.clone();
    }
    let values = [("area", short_area(lang, &figure.truth).into()), ("place", figure.place.as_str().into())];
    say(lang, "insight-elsewhere", &values)
}

/// What may be said after `/gallery`, by the example of an area.
#[must_use]
pub fn overview_how(lang: Lang, example: &Area) -> String {
    say(lang, "insight-overview-how", &[("area", short_area(lang, example).into())])
}

/// That more is there than is shown.
#[must_use]
pub fn more(lang: Lang, count: usize) -> String {
    say(lang, "insight-and-more", &[("count", count.to_string().into())])
}

/// The confusions in words: which model, the most frequent mistakes, how to read the matrix.
#[must_use]
pub fn confusions(lang: Lang, portrait: &Portrait, shown: usize) -> String {
    let row = |row: &crate::judge::portrait::MistakeRow| {
        let count = super::report::count(lang, row.count);
        format!("・{} {count}", super::report::mistake(lang, &row.truth, &row.answer))
    };
    let mut rows: Vec<String> = portrait.mistakes.iter().take(shown).map(row).collect();
    if rows.is_empty() {
        rows.push(word(lang, Word::MistakesNone));
    }
    let title = super::report::word(lang, super::report::Word::Confusion);
    let matrix = super::report::word(lang, super::report::Word::ConfusionNote);
    let (of, rows, note) = (of(lang, portrait), rows.join("\n"), word(lang, Word::MistakesNote));
    let note = if portrait.mistakes.is_empty() { String::new() } else { note };
    fitting([format!("{title}\n{of}\n\n{rows}\n\n{matrix}\n{note}"), format!("{title}\n{of}\n\n{rows}")])
        .trim_end()
        .to_owned()
}

/// Title of a map of one area.
#[must_use]
pub fn atlas_title(lang: Lang, of: &Area) -> String {
    say(lang, "atlas-title-of", &[("area", area(lang, of).into())])
}

/// What the colours of the map mean, and the grey.
#[must_use]
pub fn atlas_legend(lang: Lang) -> [String; 2] {
    ["atlas-colours", "atlas-grey"].map(|id| say(lang, id, &[]))
}

/// Heads of the columns of the towns.
#[must_use]
pub fn atlas_columns(lang: Lang) -> [String; 4] {
    ["atlas-town", "atlas-area", "atlas-photos", "atlas-recall"].map(|id| say(lang, id, &[]))
}

/// The cells of a town.
#[must_use]
pub fn atlas_cells(lang: Lang, town: &TownRecall, of: &Area) -> [String; 4] {
    let recall = f64::from(town.recall().unwrap_or(0.0));
    let (low, high) = town.interval();
    let share = format!("{} ({})", share(recall), interval(lang, low, high));
    let photos = format!("{} / {}", town.right, town.photos);
    [town.town.clone(), short_area(lang, of).to_owned(), photos, share]
}

/// Areas that have no border.
#[must_use]
pub fn atlas_no_border(lang: Lang, without: &[&Area]) -> String {
    let names: Vec<String> = without.iter().map(|area| short_area(lang, area).to_owned()).collect();
    say(lang, "atlas-no-border", &[("areas", names.join(separator(lang)).into())])
}

/// The map in words: each area with its interval, the towns that are found worst, and the credit.
#[must_use]
pub fn atlas(lang: Lang, title: &str, of: &str, areas: &[&Recall], worst: &[&TownRecall]) -> String {
    let area = |recall: &&Recall| {
        let (low, high) = recall.interval;
        let values = [
            ("area", short_area(lang, &recall.area).into()),
            ("recall", share(f64::from(recall.recall)).into()),
            ("interval", interval(lang, low, high).into()),
        ];
        say(lang, "atlas-area-line", &values)
    };
    let town = |town: &&TownRecall| {
        let values = [
            ("town", town.town.as_str().into()),
            ("right", town.right.to_string().into()),
            ("photos", town.photos.to_string().into()),
        ];
        say(lang, "atlas-town-line", &values)
    };
    let areas: Vec<String> = areas.iter().map(area).collect();
    let towns: Vec<String> = worst.iter().map(town).collect();
    let worst = match towns[..] {
        [] => String::new(),
        _ => format!("\n{}", say(lang, "atlas-worst", &[("towns", towns.join(separator(lang)).into())])),
    };
    let (note, credit) = (word(lang, Word::AtlasNote), word(lang, Word::AtlasCredit));
    fitting([
        format!("{title}\n{of}\n\n{}{worst}\n\n{note}\n{credit}", areas.join("\n")),
        format!("{title}\n{of}{worst}\n{credit}"),
        format!("{title}\n{credit}"),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{INSIGHT_EN, INSIGHT_JA};
    use super::super::format::CAPTION;
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(INSIGHT_JA), messages(INSIGHT_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("insight.rs");
        let unused: Vec<String> =
            messages(INSIGHT_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn credits_stay_where_everything_else_gives_way() {
        let mut figures = sample::portrait().most_like.swap_remove(0).photos;
        figures[0].credit = Some("A".repeat(300));
        figures[1].credit = Some("B".repeat(300));
        let said = photos(Lang::Ja, "題", "何", &figures, &"注".repeat(400));
        assert!(said.contains(&"A".repeat(300)) && said.contains(&"B".repeat(300)) && !said.contains('注'), "{said}");
        figures[0].place = "町".repeat(400);
        let said = photos(Lang::Ja, "題", "何", &figures, "");
        assert!(said.contains(&"A".repeat(300)) && said.contains(&"B".repeat(300)) && !said.contains('町'), "{said}");
        figures[0].credit = Some("🙂".repeat(2_000));
        assert!(photos(Lang::Ja, "題", "何", &figures, "").encode_utf16().count() <= CAPTION);
    }
}

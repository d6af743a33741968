//! What is said about collecting imagery.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::bundle::say;
use super::format::CAPTION;
use super::{Lang, area, format};
use crate::collect::estimate::{AreaEstimate, Estimate, Sums};
use crate::domain::Area;
use crate::domain::imagery::Source;

/// Areas that a plan's words list; its picture lists more.
const LINES: usize = 8;
/// Areas that an alternative text names.
const NAMES: usize = 8;

/// In a table, for what is not planned.
const NONE: &str = "–";

/// Columns of a plan's table: area, towns, points, hits, images, money, disk, time.
pub const COLUMNS: usize = 8;

/// A source's name.
#[must_use]
pub fn source(lang: Lang, source: Source) -> String {
    let id = match source {
        Source::Mapillary => "source-mapillary",
        Source::StreetView => "source-streetview",
        Source::Folder => "source-folder",
    };
    say(lang, id, &[])
}

/// The line over a plan.
#[must_use]
pub fn plan_title(lang: Lang, estimate: &Estimate) -> String {
    let total = estimate.total();
    let towns = ("towns", format::count(total.towns).into());
    if estimate.source == Source::Folder {
        return say(lang, "plan-folder-title", &[towns, ("areas", estimate.areas.len().to_string().into())]);
    }
    let (points, source) = (format::count(total.points), source(lang, estimate.source));
    say(lang, "plan-title", &[towns, ("points", points.into()), ("source", source.into())])
}

/// A plan in words, short enough for a picture's caption: what each area comes to, as far as there is room, and on
/// what grounds.
#[must_use]
pub fn plan(lang: Lang, estimate: &Estimate) -> String {
    let most = estimate.areas.len().min(LINES);
    let fits = |words: &String| words.encode_utf16().count() <= CAPTION;
    let shorter = (0..=most).rev().map(|lines| plan_of(lang, estimate, lines)).find(fits);
    shorter.unwrap_or_else(|| plan_title(lang, estimate))
}

fn plan_of(lang: Lang, estimate: &Estimate, areas: usize) -> String {
    let mut lines = vec![plan_title(lang, estimate)];
    let of_area = |area: &AreaEstimate| match estimate.source {
        Source::Folder => folder_line(lang, area),
        Source::Mapillary | Source::StreetView => {
            line(lang, "plan-line", Some(name(lang, &area.area)), &area.sums, estimate)
        }
    };
    lines.extend(estimate.areas[..areas].iter().map(of_area));
    if estimate.areas.len() > areas {
        lines.push(plan_others(lang, estimate.areas.len() - areas));
    }
    if estimate.areas.len() > 1 && estimate.source != Source::Folder {
        lines.push(line(lang, "plan-total-line", None, &estimate.total(), estimate));
    }
    lines.extend(plan_notes(lang, estimate));
    lines.join("\n")
}

fn folder_line(lang: Lang, area: &AreaEstimate) -> String {
    let towns = format::count(area.sums.towns);
    say(lang, "plan-folder-line", &[("area", name(lang, &area.area).into()), ("towns", towns.into())])
}

fn line(lang: Lang, id: &str, area: Option<String>, sums: &Sums, estimate: &Estimate) -> String {
    let [_, points, hits, images, money, disk, time] = cells(lang, sums, estimate);
    let mut values = vec![
        ("points", points.into()),
        ("hits", hits.into()),
        ("images", images.into()),
        ("money", money.into()),
        ("disk", disk.into()),
        ("time", time.into()),
    ];
    values.extend(area.map(|area| ("area", area.into())));
    say(lang, id, &values)
}

/// On what grounds a plan is estimated, what it leaves out, and whom its data are owed to.
#[must_use]
pub fn plan_notes(lang: Lang, estimate: &Estimate) -> Vec<String> {
    let total = estimate.total();
    let grounds = match (estimate.source, estimate.assumed_share()) {
        (Source::Folder, _) => say(lang, "plan-folder", &[]),
        (_, Some(share)) => say(lang, "plan-assumed", &[("share", format::percent(share as f32).into())]),
        (_, None) => say(lang, "plan-learnt", &[]),
    };
    let mut notes = vec![grounds];
    if total.unplaced > 0 {
        notes.push(say(lang, "plan-unplaced", &[("towns", format::count(total.unplaced).into())]));
    }
    if estimate.exceeds_cap() {
        let cap = format::money(estimate.cap_per_run, &estimate.currency);
        notes.push(say(lang, "plan-cap", &[("cap", cap.into())]));
    }
    // Regions of one's own have neither a prefecture nor towns of others.
    if estimate.areas.iter().any(|area| !area.area.prefecture.is_empty()) {
        notes.push(say(lang, "plan-credit-borders", &[]));
    }
    notes
}

/// The heads of a plan's table.
#[must_use]
pub fn plan_columns(lang: Lang) -> [String; COLUMNS] {
    [
        "plan-column-area",
        "plan-column-towns",
        "plan-column-points",
        "plan-column-hits",
        "plan-column-images",
        "plan-column-money",
        "plan-column-disk",
        "plan-column-time",
    ]
    .map(|id| say(lang, id, &[]))
}

/// A row of a plan's table without its first cell.
#[must_use]
pub fn cells(lang: Lang, sums: &Sums, estimate: &Estimate) -> [String; COLUMNS - 1] {
    if estimate.source == Source::Folder {
        let mut cells = [(); COLUMNS - 1].map(|()| NONE.to_owned());
        cells[0] = format::count(sums.towns);
        return cells;
    }
    let money = match estimate.price.0 {
        0 => say(lang, "plan-free", &[]),
        _ => format::money(sums.money, &estimate.currency),
    };
    [
        format::count(sums.towns),
        format::count(sums.points),
        format::count(sums.hits),
        format::count(sums.images),
        money,
        format::storage(sums.disk),
        duration(lang, sums.time),
    ]
}

/// A plan as a table in letters of one width, with the lines around it: for the terminal.
#[must_use]
pub fn plan_table(lang: Lang, estimate: &Estimate) -> String {
    let row = |name: String, sums: &Sums| {
        let cells = cells(lang, sums, estimate);
        [vec![name], cells.to_vec()].concat()
    };
    let mut rows = vec![plan_columns(lang).to_vec()];
    rows.extend(estimate.areas.iter().map(|area| row(name(lang, &area.area), &area.sums)));
    rows.push(row(plan_total(lang), &estimate.total()));
    let widest = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..COLUMNS).map(widest).collect();
    let cell = |(index, (cell, width)): (usize, (&String, &usize))| {
        let spaces = " ".repeat(width - cell.width());
        if index == 0 { format!("{cell}{spaces}") } else { format!("{spaces}{cell}") }
    };
    let line = |row: &Vec<String>| row.iter().zip(&widths).enumerate().map(cell).collect::<Vec<_>>().join("  ");
    let mut lines = vec![plan_title(lang, estimate), String::new()];
    lines.extend(rows.iter().map(line));
    lines.push(String::new());
    lines.extend(plan_notes(lang, estimate));
    lines.join("\n")
}

/// The first cell of a table's last row.
#[must_use]
pub fn plan_total(lang: Lang) -> String {
    say(lang, "plan-total", &[])
}

/// The first cell of the row that stands for areas without one of their own.
#[must_use]
pub fn plan_others(lang: Lang, more: usize) -> String {
    say(lang, "plan-others", &[("more", more.to_string().into())])
}

/// The line over a plan's map.
#[must_use]
pub fn plan_map_title(lang: Lang) -> String {
    say(lang, "plan-map-title", &[])
}

/// What the dots of the map are: points, then towns.
#[must_use]
pub fn plan_legend(lang: Lang) -> [String; 2] {
    [say(lang, "plan-legend-point", &[]), say(lang, "plan-legend-town", &[])]
}

/// What a plan's picture shows.
#[must_use]
pub fn plan_alt(lang: Lang, estimate: &Estimate) -> String {
    let separator = if lang == Lang::Ja { "、" } else { "; " };
    let names: Vec<String> = estimate.areas.iter().take(NAMES).map(|area| name(lang, &area.area)).collect();
    say(lang, "plan-alt", &[("areas", names.join(separator).into())])
}

/// An area's short name: in Japanese without its prefecture.
#[must_use]
pub fn name(lang: Lang, of: &Area) -> String {
    match lang {
        Lang::Ja => of.municipality.clone(),
        Lang::En => area(lang, of).to_owned(),
    }
}

/// Hours and minutes, rounded up, at least a minute.
pub(super) fn duration(lang: Lang, time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60).max(1);
    let (hours, rest) = (minutes / 60, minutes % 60);
    let rest = ("minutes", rest.to_string().into());
    match hours {
        0 => say(lang, "plan-minutes", &[rest]),
        _ => say(lang, "plan-hours", &[("hours", format::count(hours).into()), rest]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundle::{COLLECT_EN, COLLECT_JA};
    use super::super::tests::messages;
    use super::*;
    use crate::chat::sample;
    use crate::domain::imagery::Micros;

    #[test]
    fn both_languages_have_the_same_messages_and_variables() {
        assert_eq!(messages(COLLECT_JA), messages(COLLECT_EN));
    }

    #[test]
    fn every_message_is_used() {
        let code = include_str!("collect.rs");
        let unused: Vec<String> =
            messages(COLLECT_EN).into_keys().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn plans_in_words() {
        for lang in Lang::ALL {
            let (_, free) = sample::plan(Source::Mapillary);
            let (_, mut dear) = sample::plan(Source::StreetView);
            dear.cap_per_run = Micros(1_000_000);
            let (_, mut learnt) = sample::plan(Source::Mapillary);
            learnt.areas.iter_mut().for_each(|area| area.learnt = true);
            learnt.areas.truncate(1);
            let (_, folder) = sample::plan(Source::Folder);
            let table = plan_table(lang, &dear);
            let said = [free, dear, learnt, folder].into_iter().map(|it| plan(lang, &it)).chain([table]);
            let said: Vec<String> = said.collect();
            insta::assert_snapshot!(format!("plan-{}", lang.tag()), said.join("\n----\n"));
        }
    }

    #[test]
    fn a_plan_fits_a_caption() {
        for lang in Lang::ALL {
            let (_, mut estimate) = sample::plan(Source::StreetView);
            let mut large = estimate.areas[0].clone();
            large.area = Area::new("鹿児島県", "大島郡瀬戸内町", "Setouchi, Oshima District, Kagoshima");
            let sums = &mut large.sums;
            (sums.towns, sums.points, sums.hits, sums.images) = (2_500, 250_000, 200_000, 7_200_000);
            (sums.unplaced, sums.money, sums.disk) = (100, Micros(50_400_000_000), 590_000_000_000);
            sums.time = Duration::from_secs(745_000);
            estimate.areas = vec![large; 60];
            let words = plan(lang, &estimate);
            assert!(words.encode_utf16().count() <= CAPTION, "{} in {words}", words.encode_utf16().count());
        }
    }
}

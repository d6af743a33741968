//! What the map of towns shows.

use crate::chat::picture::atlas::{AtlasArea, AtlasPicture, AtlasTown};
use crate::chat::text::insight::{self as words, Word, word};
use crate::chat::text::{Lang, percent, report, short_area};
use crate::domain::Border;
use crate::judge::Portrait;
use crate::judge::portrait::TownRecall;

/// Towns of the table.
const WORST: usize = 8;
/// Towns that are named on the map of one area.
const NAMED: usize = 24;

/// The map of all areas, or of only one, with its words. `borders` are those of the portrait's areas.
pub(super) fn atlas(
    lang: Lang,
    portrait: &Portrait,
    only: Option<usize>,
    borders: &[Border],
) -> (AtlasPicture, String) {
    let areas = &portrait.score.areas;
    let shown: Vec<usize> = (0..areas.len()).filter(|area| only.is_none_or(|only| only == *area)).collect();
    let worst = worst(portrait, &shown);
    let title = only.map_or_else(|| word(lang, Word::Atlas), |area| words::atlas_title(lang, &areas[area].area));
    let of = words::of(lang, portrait);
    let recalls: Vec<_> = shown.iter().map(|&area| &areas[area]).collect();
    let said = words::atlas(lang, &title, &of, &recalls, &worst[..worst.len().min(3)]);
    let without: Vec<_> =
        shown.iter().filter(|&&area| borders[area].rings().is_empty()).map(|&area| &areas[area].area).collect();
    let no_border = (!without.is_empty()).then(|| words::atlas_no_border(lang, &without));
    let notes = [word(lang, Word::AtlasNote), report::source(lang, &portrait.photos), word(lang, Word::AtlasCredit)];
    let picture = AtlasPicture {
        title,
        subtitle: of,
        areas: shown.iter().map(|&area| map_area(lang, portrait, area, &borders[area], only.is_some())).collect(),
        legend: words::atlas_legend(lang),
        columns: words::atlas_columns(lang),
        rows: worst.iter().map(|town| words::atlas_cells(lang, town, &areas[town.area].area)).collect(),
        notes: no_border.into_iter().chain(notes).collect(),
    };
    (picture, said)
}

/// The towns that are found worst, by the upper ends of their intervals: one photo that is missed says little.
fn worst<'a>(portrait: &'a Portrait, areas: &[usize]) -> Vec<&'a TownRecall> {
    let missed = |town: &&TownRecall| town.right < town.photos && areas.contains(&town.area);
    let mut towns: Vec<&TownRecall> = portrait.towns.iter().filter(missed).collect();
    towns.sort_by(|a, b| a.interval().1.total_cmp(&b.interval().1));
    towns.truncate(WORST);
    towns
}

/// Towns have names where there is room: on the map of one area with few of them.
fn map_area(lang: Lang, portrait: &Portrait, area: usize, border: &Border, alone: bool) -> AtlasArea {
    let recall = &portrait.score.areas[area];
    let towns = || portrait.towns.iter().filter(|town| town.area == area);
    let named = alone && towns().filter(|town| town.photos > 0).count() <= NAMED;
    let town = |town: &TownRecall| {
        let label = (named && town.photos > 0).then(|| town.town.clone());
        Some(AtlasTown { at: town.at?, recall: town.recall(), label })
    };
    let (name, share) = match alone {
        true => (String::new(), String::new()),
        false => (short_area(lang, &recall.area).to_owned(), percent(recall.recall)),
    };
    AtlasArea { name, share, border: border.clone(), towns: towns().filter_map(town).collect() }
}

//! A plan of collecting: a map of its points, areas that lie far apart in panels of their own, over a table.

use super::panel::{Panel, panels};
use super::svg::{Anchor, INK, LINE, MUTED, SENTENCE, Sheet, Style, bold, plain};
use crate::domain::{Border, Coordinate};

/// Areas with a row of their own; one more row stands for the others.
pub const ROWS: usize = 20;
const WIDTH: u32 = 1_200;
/// Left and right end of everything.
const SIDES: (f32, f32) = (40.0, 1_160.0);
/// Height of title and subtitle, pixels.
const HEAD: f32 = 150.0;
/// Height of all panels together.
const MAP: f32 = 640.0;
/// Between panels.
const GAP: f32 = 20.0;
/// Height of the columns' heads and of a row.
const ROW: f32 = 44.0;
/// Height of a note.
const NOTE: f32 = 34.0;
/// Where names begin and the other columns end.
const COLUMNS: [f32; 8] = [76.0, 400.0, 504.0, 622.0, 726.0, 898.0, 1_000.0, 1_160.0];
/// Room for a name.
const NAME: f32 = 300.0;
/// Letters of numbers are narrower than [`Sheet::text`] takes letters to be: so much more fits.
const NARROW: f32 = 1.45;
/// Colours of areas, in turn: those that colour-blind people can tell apart (Okabe and Ito 2008), darkened for paper.
const COLOURS: [&str; 8] = ["#0072b2", "#c75000", "#00805c", "#b0568a", "#8a6d00", "#2b8cc4", "#6a4ba0", "#7a5230"];

/// What the picture says.
#[derive(Clone, Debug)]
pub struct PlanPicture {
    /// The line above.
    pub title: String,
    /// The plan in a line.
    pub subtitle: String,
    /// The areas.
    pub areas: Vec<MapArea>,
    /// What dots mean: points, then towns.
    pub legend: [String; 2],
    /// Heads of the columns.
    pub columns: [String; 8],
    /// The first [`ROWS`] areas' rows, in the order of the areas.
    pub rows: Vec<MapRow>,
    /// The row for the areas without one.
    pub others: Option<String>,
    /// The last row.
    pub total: MapRow,
    /// Small print: grounds and credits.
    pub notes: Vec<String>,
}

/// An area on the map.
#[derive(Clone, Debug)]
pub struct MapArea {
    /// Its name, short: there is little room.
    pub name: String,
    /// Its border.
    pub border: Border,
    /// Positions of its towns.
    pub towns: Vec<Coordinate>,
    /// Planned points.
    pub points: Vec<Coordinate>,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct MapRow {
    /// The area.
    pub name: String,
    /// The other cells.
    pub cells: [String; 7],
}

fn colour(area: usize) -> &'static str {
    COLOURS[area % COLOURS.len()]
}

/// Draws it; a PNG, 1,200 pixels wide.
#[must_use]
pub fn plan_map(picture: &PlanPicture) -> Vec<u8> {
    sheet(picture).png()
}

fn sheet(picture: &PlanPicture) -> Sheet {
    let rows = 2 + picture.rows.len() + usize::from(picture.others.is_some());
    let table = HEAD + MAP + 50.0;
    let notes = table + ROW * rows as f32 + 24.0;
    let mut sheet = Sheet::new(WIDTH, (notes + NOTE * picture.notes.len() as f32 + 16.0) as u32);
    let room = SIDES.1 - SIDES.0;
    sheet.text(SIDES.0, 70.0, bold(46.0), room, &picture.title);
    sheet.text(SIDES.0, 118.0, Style { fill: MUTED, ..plain(28.0) }, room, &picture.subtitle);
    let borders: Vec<&Border> = picture.areas.iter().map(|area| &area.border).collect();
    for panel in panels(&borders, (SIDES.0, HEAD), (room, MAP), GAP) {
        draw(&mut sheet, picture, &panel);
    }
    legend(&mut sheet, picture, HEAD + MAP + 34.0);
    heads(&mut sheet, picture, table);
    let mut y = table + ROW;
    for (index, row) in picture.rows.iter().enumerate() {
        sheet.disc(SIDES.0 + 12.0, y + 25.0, 11.0, colour(index));
        cells(&mut sheet, row, y, false);
        y += ROW;
    }
    if let Some(others) = &picture.others {
        sheet.text(COLUMNS[0], y + 33.0, Style { fill: MUTED, ..plain(26.0) }, 600.0, others);
        y += ROW;
    }
    sheet.line((SIDES.0, y), (SIDES.1, y), 2.0, MUTED);
    cells(&mut sheet, &picture.total, y, true);
    for (index, note) in picture.notes.iter().enumerate() {
        let y = notes + NOTE * (index as f32 + 0.6);
        sheet.text(SIDES.0, y, Style { fill: MUTED, ..plain(21.0) }, room * SENTENCE, note);
    }
    sheet
}

fn draw(sheet: &mut Sheet, picture: &PlanPicture, panel: &Panel) {
    let ((x, y), (width, height)) = panel.frame();
    sheet.rect(x, y, width, height, 14.0, "#ffffff");
    for &index in panel.areas() {
        sheet.shape(&panel.rings(&picture.areas[index].border), colour(index));
    }
    let radius = panel.dot(panel.areas().iter().map(|&area| picture.areas[area].points.len()).sum());
    for &index in panel.areas() {
        let area = &picture.areas[index];
        for (x, y) in area.points.iter().map(|at| panel.place(*at)) {
            sheet.disc(x, y, radius, colour(index));
        }
        for (x, y) in area.towns.iter().map(|at| panel.place(*at)) {
            sheet.disc(x, y, radius * 0.6, INK);
        }
    }
    for &index in panel.areas() {
        let area = &picture.areas[index];
        if let Some((at_x, at_y)) = panel.middle(&area.border) {
            let style = Style { fill: colour(index), anchor: Anchor::Middle, ..bold(28.0) };
            sheet.label(at_x, at_y + 10.0, style, 320.0, &area.name);
        }
    }
    panel.draw_scale(sheet);
}

fn legend(sheet: &mut Sheet, picture: &PlanPicture, y: f32) {
    let style = Style { fill: MUTED, ..plain(24.0) };
    let [point, town] = &picture.legend;
    sheet.disc(SIDES.0 + 12.0, y - 8.0, 6.0, colour(0));
    sheet.text(SIDES.0 + 36.0, y, style, 200.0, point);
    sheet.disc(SIDES.0 + 262.0, y - 8.0, 4.0, INK);
    sheet.text(SIDES.0 + 280.0, y, style, 300.0, town);
}

fn heads(sheet: &mut Sheet, picture: &PlanPicture, y: f32) {
    for (index, (head, x)) in picture.columns.iter().zip(COLUMNS).enumerate() {
        let anchor = if index == 0 { Anchor::Start } else { Anchor::End };
        sheet.text(x, y + 31.0, Style { fill: MUTED, anchor, ..plain(24.0) }, 140.0, head);
    }
    sheet.line((SIDES.0, y + ROW), (SIDES.1, y + ROW), 2.0, LINE);
}

fn cells(sheet: &mut Sheet, row: &MapRow, y: f32, is_total: bool) {
    let style = if is_total { bold(24.0) } else { plain(24.0) };
    sheet.text(COLUMNS[0], y + 33.0, style, NAME, &row.name);
    for (cell, pair) in row.cells.iter().zip(COLUMNS.windows(2)) {
        // The first of them shares its room with the name.
        let room = if pair[0] == COLUMNS[0] { 80.0 } else { pair[1] - pair[0] - 12.0 };
        sheet.text(pair[1], y + 33.0, Style { anchor: Anchor::End, ..style }, room * NARROW, cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::plan::picture;
    use crate::chat::{Lang, sample};
    use crate::domain::imagery::{Micros, Source};
    use std::time::Duration;

    fn decoded(picture: &PlanPicture) -> image::RgbImage {
        image::load_from_memory(&plan_map(picture)).expect("a PNG").to_rgb8()
    }

    #[test]
    fn every_area_has_its_colour_on_the_map_and_a_row() {
        let (plan, estimate) = sample::plan(Source::StreetView);
        let mut picture = picture(Lang::Ja, plan, &estimate);
        let drawn = decoded(&picture);
        let count = |colour: [u8; 3]| {
            drawn.rows().take((HEAD + MAP) as usize).flatten().filter(|pixel| pixel.0 == colour).count()
        };
        for (index, colour) in [[0, 0x72, 0xb2], [0xc7, 0x50, 0], [0, 0x80, 0x5c]].into_iter().enumerate() {
            assert!(count(colour) > 400, "area {index}: {}", count(colour));
        }
        picture.rows.truncate(1);
        picture.others = Some("2 more".to_owned());
        assert_eq!(decoded(&picture).height() + ROW as u32, drawn.height());
    }

    #[test]
    fn the_numbers_of_a_large_plan_are_not_cut() {
        let (plan, mut estimate) = sample::plan(Source::StreetView);
        let sums = &mut estimate.areas[2].sums;
        (sums.towns, sums.points, sums.hits, sums.images) = (12_991, 111_960, 109_568, 938_272);
        (sums.money, sums.disk, sums.time) = (Micros(99_967_910_000), 123_200_000_000, Duration::from_secs(359_000));
        for lang in Lang::ALL {
            let drawn = sheet(&picture(lang, plan.clone(), &estimate));
            let cut: Vec<&str> = drawn.drawn().split('>').filter(|text| text.contains('…')).collect();
            assert!(cut.is_empty(), "{cut:?}");
        }
    }

    #[test]
    fn nothing_to_show_is_a_picture_too() {
        let (mut plan, mut estimate) = sample::plan(Source::Folder);
        plan.areas[0].border = Border::default();
        (plan.areas[1].towns, estimate.areas) = (Vec::new(), Vec::new());
        let mut picture = picture(Lang::En, plan, &estimate);
        assert_eq!(decoded(&picture).width(), WIDTH);
        picture.areas.clear();
        assert_eq!(decoded(&picture).width(), WIDTH);
    }
}

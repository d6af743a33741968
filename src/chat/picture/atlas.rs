//! Where a model is at home: towns coloured by how well they are found, within the borders of their areas.

mod cells;

use self::cells::cells;
use super::panel::{Panel, panels};
use super::svg::{Anchor, INK, LINE, MUTED, SENTENCE, Sheet, Style, bold, plain};
use crate::domain::{Border, Coordinate};

const WIDTH: u32 = 1_200;
/// Left and right end of everything.
const SIDES: (f32, f32) = (40.0, 1_160.0);
/// Height of title and subtitle, pixels.
const HEAD: f32 = 150.0;
/// Height of all panels together.
const MAP: f32 = 700.0;
/// Between panels.
const GAP: f32 = 20.0;
/// Height of the legend below the panels.
const LEGEND: f32 = 92.0;
/// Height of a row of the table.
const ROW: f32 = 42.0;
/// Height of a note.
const NOTE: f32 = 32.0;
/// Where the columns begin (the first two) and end.
const COLUMNS: [f32; 4] = [40.0, 420.0, 760.0, 1_160.0];
/// Steps of the legend's colours.
const STEPS: u8 = 50;
/// Towns without a photo.
const UNKNOWN: &str = "#e2ddd2";

/// What the picture says.
#[derive(Clone, Debug)]
pub struct AtlasPicture {
    /// The line above.
    pub title: String,
    /// What is shown, in a line.
    pub subtitle: String,
    /// The areas.
    pub areas: Vec<AtlasArea>,
    /// What the colours mean, and the grey.
    pub legend: [String; 2],
    /// Heads of the columns: town, area, photos, recall.
    pub columns: [String; 4],
    /// The towns that are found worst.
    pub rows: Vec<[String; 4]>,
    /// Small print.
    pub notes: Vec<String>,
}

/// An area on the map.
#[derive(Clone, Debug)]
pub struct AtlasArea {
    /// Its name, short; empty where it is said above.
    pub name: String,
    /// How well it is found, likewise.
    pub share: String,
    /// Its border; an area without one is left out.
    pub border: Border,
    /// Its towns.
    pub towns: Vec<AtlasTown>,
}

/// A town on the map.
#[derive(Clone, Debug)]
pub struct AtlasTown {
    /// Where it lies.
    pub at: Coordinate,
    /// Share of its photos that are given to the right area, 0 to 1; `None` where there are none.
    pub recall: Option<f32>,
    /// What is written there, if anything.
    pub label: Option<String>,
}

/// Draws it; a PNG, 1,200 pixels wide.
#[must_use]
pub fn atlas(picture: &AtlasPicture) -> Vec<u8> {
    let table = HEAD + MAP + LEGEND;
    let rows = if picture.rows.is_empty() { 0 } else { picture.rows.len() + 1 };
    let notes = table + ROW * rows as f32 + 20.0;
    let mut sheet = Sheet::new(WIDTH, (notes + NOTE * picture.notes.len() as f32 + 12.0) as u32);
    let room = SIDES.1 - SIDES.0;
    sheet.text(SIDES.0, 70.0, bold(46.0), room, &picture.title);
    sheet.text(SIDES.0, 118.0, Style { fill: MUTED, ..plain(28.0) }, room * SENTENCE, &picture.subtitle);
    let borders: Vec<&Border> = picture.areas.iter().map(|area| &area.border).collect();
    for panel in panels(&borders, (SIDES.0, HEAD), (room, MAP), GAP) {
        draw(&mut sheet, picture, &panel);
    }
    legend(&mut sheet, picture, HEAD + MAP);
    for (index, row) in std::iter::once(&picture.columns).chain(&picture.rows).take(rows).enumerate() {
        cells_of(&mut sheet, row, table + ROW * index as f32, index == 0);
    }
    for (index, note) in picture.notes.iter().enumerate() {
        let y = notes + NOTE * (index as f32 + 0.6);
        sheet.text(SIDES.0, y, Style { fill: MUTED, ..plain(21.0) }, room * SENTENCE, note);
    }
    sheet.png()
}

fn draw(sheet: &mut Sheet, picture: &AtlasPicture, panel: &Panel) {
    let ((x, y), (width, height)) = panel.frame();
    sheet.rect(x, y, width, height, 14.0, "#ffffff");
    for &index in panel.areas() {
        let area = &picture.areas[index];
        let places: Vec<(f32, f32)> = area.towns.iter().map(|town| panel.place(town.at)).collect();
        // Towns may lie a little outside of a simplified border.
        let pieces = cells(&places, (x - width, y - height), (x + 2.0 * width, y + 2.0 * height));
        let colours = area.towns.iter().map(|town| town.recall.map_or_else(|| UNKNOWN.to_owned(), colour));
        sheet.mosaic(&panel.rings(&area.border), &pieces.into_iter().zip(colours).collect::<Vec<_>>());
    }
    for &index in panel.areas() {
        let area = &picture.areas[index];
        for town in &area.towns {
            if let Some(label) = &town.label {
                let (x, y) = panel.place(town.at);
                sheet.label(x, y + 7.0, Style { anchor: Anchor::Middle, ..plain(19.0) }, 220.0, label);
            }
        }
        if let Some((at_x, at_y)) = panel.middle(&area.border)
            && !area.name.is_empty()
        {
            let style = Style { anchor: Anchor::Middle, ..bold(26.0) };
            sheet.label(at_x, at_y - 4.0, style, 320.0, &area.name);
            sheet.label(at_x, at_y + 24.0, style, 320.0, &area.share);
        }
    }
    panel.draw_scale(sheet);
}

/// The colour of a recall, 0 to 1: perceptually uniform, for colour-blind people too (viridis).
fn colour(recall: f32) -> String {
    let colour = colorous::VIRIDIS.eval_continuous(f64::from(recall.clamp(0.0, 1.0)));
    format!("#{:02x}{:02x}{:02x}", colour.r, colour.g, colour.b)
}

fn legend(sheet: &mut Sheet, picture: &AtlasPicture, y: f32) {
    let [colours, none] = &picture.legend;
    let style = Style { fill: MUTED, ..plain(24.0) };
    let (left, right, top) = (SIDES.0 + 70.0, SIDES.0 + 370.0, y + 22.0);
    let step = (right - left) / f32::from(STEPS);
    for index in 0..STEPS {
        let fill = colour(f32::from(index) / f32::from(STEPS - 1));
        // A little wider than a step, so that no gap shows between two.
        sheet.rect(left + f32::from(index) * step, top, step + 0.6, 24.0, 0.0, &fill);
    }
    sheet.text(left - 10.0, top + 21.0, Style { anchor: Anchor::End, ..style }, 70.0, "0%");
    sheet.text(right + 10.0, top + 21.0, style, 80.0, "100%");
    sheet.text(right + 90.0, top + 21.0, style, 330.0, colours);
    sheet.rect(860.0, top, 34.0, 24.0, 4.0, UNKNOWN);
    sheet.text(906.0, top + 21.0, style, SIDES.1 - 906.0, none);
}

fn cells_of(sheet: &mut Sheet, row: &[String; 4], y: f32, is_head: bool) {
    let style = if is_head { Style { fill: MUTED, ..plain(24.0) } } else { Style { fill: INK, ..plain(25.0) } };
    for (index, (cell, x)) in row.iter().zip(COLUMNS).enumerate() {
        let (anchor, room) = if index < 2 { (Anchor::Start, 360.0) } else { (Anchor::End, 390.0) };
        sheet.text(x, y + 30.0, Style { anchor, ..style }, room, cell);
    }
    if is_head {
        sheet.line((SIDES.0, y + ROW), (SIDES.1, y + ROW), 2.0, LINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> AtlasPicture {
        let town = |lat: f64, recall| AtlasTown { at: Coordinate { lat, lng: 139.75 }, recall, label: None };
        let ring = vec![[139.7, 35.6], [139.8, 35.6], [139.8, 35.8], [139.7, 35.8]];
        AtlasPicture {
            title: "港区".to_owned(),
            subtitle: "1,050".to_owned(),
            areas: vec![AtlasArea {
                name: String::new(),
                share: String::new(),
                border: Border::new(vec![ring]),
                towns: vec![town(35.65, Some(0.0)), town(35.7, None), town(35.75, Some(1.0))],
            }],
            legend: ["recall", "no photo"].map(str::to_owned),
            columns: ["a", "b", "c", "d"].map(str::to_owned),
            rows: vec![["赤坂", "港区", "7", "57.1%"].map(str::to_owned)],
            notes: vec!["credit".to_owned()],
        }
    }

    fn drawn(picture: &AtlasPicture) -> image::RgbImage {
        image::load_from_memory(&atlas(picture)).expect("a PNG").to_rgb8()
    }

    #[test]
    fn each_town_has_the_colour_of_its_recall_within_the_border() {
        let map = drawn(&picture());
        let count = |colour: [u8; 3]| {
            map.rows().skip(HEAD as usize).take(MAP as usize).flatten().filter(|pixel| pixel.0 == colour).count()
        };
        let (lost, found) = (count([0x44, 0x01, 0x54]), count([0xfd, 0xe7, 0x25]));
        let unknown = count([0xe2, 0xdd, 0xd2]);
        assert!(lost > 5_000 && found > 5_000 && unknown > 5_000, "{lost} {unknown} {found}");
        // The strips have borders half way between the towns: the middle one is two thirds as high as the others.
        assert!((unknown * 3).abs_diff(lost * 2) < lost / 20, "{lost} {unknown} {found}");
        assert!(lost.abs_diff(found) < lost / 20, "{lost} {unknown} {found}");
    }

    #[test]
    fn areas_without_border_or_towns_and_no_areas_are_pictures_too() {
        let mut picture = picture();
        picture.areas[0].towns.clear();
        assert_eq!(drawn(&picture).width(), WIDTH);
        picture.areas[0].border = Border::default();
        assert_eq!(drawn(&picture).width(), WIDTH);
        (picture.areas, picture.rows) = (Vec::new(), Vec::new());
        assert_eq!(drawn(&picture).width(), WIDTH);
    }
}

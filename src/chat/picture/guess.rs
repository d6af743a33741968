//! Where a photo may have been taken: the most probable areas on a map, the guess in the best of them.

use super::panel::{Bounds, Panel, around, middle, panels_around};
use super::svg::{Anchor, INK, LINE, MODEL, MUTED, SENTENCE, Sheet, Style, bold, length, plain};
use crate::domain::{Border, Coordinate};

const WIDTH: u32 = 1_200;
/// Left and right end of everything.
const SIDES: (f32, f32) = (40.0, 1_160.0);
/// Height of title and subtitle, pixels.
const HEAD: f32 = 150.0;
/// Height of the map.
const MAP: f32 = 640.0;
/// Side of the overview beside it.
const OVERVIEW: f32 = 360.0;
/// Between panels.
const GAP: f32 = 20.0;
/// Size of a name on the map.
const NAME: f32 = 23.0;
/// Height of a row.
const ROW: f32 = 50.0;
/// Height of a note.
const NOTE: f32 = 32.0;
/// So much of an area's size is shown around it, share.
const AIR: f64 = 0.5;
/// And at least so many degrees: about two kilometres.
const LEAST_AIR: f64 = 0.02;
/// Degrees that an overview shows at least.
const SPAN: f64 = 14.0;
/// Maps of less show borders of municipalities, wider ones land and sea, which is coarse, metres.
const WIDE_M: f64 = 400_000.0;
/// Steps of the legend's colours.
const STEPS: u8 = 50;
/// Land.
const GROUND: &str = "#eee9dd";
/// Outlines behind the areas.
const OUTLINE: &str = "#b9b1a1";

/// What the picture says.
#[derive(Clone, Debug)]
pub struct GuessPicture {
    /// The line above.
    pub title: String,
    /// The guess, in a line.
    pub subtitle: String,
    /// The most probable areas, best first.
    pub areas: Vec<GuessArea>,
    /// The guess.
    pub at: Option<Coordinate>,
    /// What the colours mean, and the mark.
    pub legend: [String; 2],
    /// Small print.
    pub notes: Vec<String>,
}

/// An area on the map.
#[derive(Clone, Debug)]
pub struct GuessArea {
    /// Its name.
    pub name: String,
    /// The same, short.
    pub short: String,
    /// How probable it is, in words.
    pub percent: String,
    /// How probable, 0 to 1.
    pub probability: f32,
    /// Its border; empty where it is not known.
    pub border: Border,
}

/// Lines behind the areas.
#[derive(Clone, Copy, Debug)]
pub struct Backdrop<'a> {
    /// Land, for wide maps.
    pub land: &'a Border,
    /// Borders, for narrow ones.
    pub borders: &'a [Border],
}

/// Draws it; a PNG, 1,200 pixels wide.
#[must_use]
pub fn guess(picture: &GuessPicture, backdrop: Backdrop<'_>) -> Vec<u8> {
    sheet(picture, backdrop).png()
}

fn sheet(picture: &GuessPicture, backdrop: Backdrop<'_>) -> Sheet {
    let rows = HEAD + MAP + 24.0;
    let notes = rows + ROW * picture.areas.len() as f32 + 20.0;
    let mut sheet = Sheet::new(WIDTH, (notes + NOTE * picture.notes.len() as f32 + 12.0) as u32);
    let room = SIDES.1 - SIDES.0;
    sheet.text(SIDES.0, 70.0, bold(46.0), room * SENTENCE, &picture.title);
    sheet.text(SIDES.0, 118.0, Style { fill: MUTED, ..plain(28.0) }, room, &picture.subtitle);
    let bounds: Vec<Option<Bounds>> = picture.areas.iter().map(|area| area.border.bounds()).collect();
    let airy: Vec<Option<Bounds>> = bounds.iter().map(|bounds| bounds.map(with_air)).collect();
    let map = (SIDES.1 - SIDES.0 - OVERVIEW - GAP, MAP);
    for panel in panels_around(&airy, (SIDES.0, HEAD), map, GAP) {
        draw(&mut sheet, picture, &panel, backdrop);
    }
    if let Some(all) = bounds.into_iter().flatten().reduce(around) {
        overview(&mut sheet, picture, all, backdrop);
    }
    legend(&mut sheet, picture, HEAD + OVERVIEW + GAP);
    for (index, area) in picture.areas.iter().enumerate() {
        row(&mut sheet, area, index + 1, rows + ROW * index as f32);
    }
    for (index, note) in picture.notes.iter().enumerate() {
        let y = notes + NOTE * (index as f32 + 0.6);
        sheet.text(SIDES.0, y, Style { fill: MUTED, ..plain(21.0) }, room * SENTENCE, note);
    }
    sheet
}

fn with_air((low, high): Bounds) -> Bounds {
    let north = ((high.lat - low.lat) * AIR).max(LEAST_AIR);
    let east = ((high.lng - low.lng) * AIR).max(LEAST_AIR);
    (
        Coordinate { lat: low.lat - north, lng: low.lng - east },
        Coordinate { lat: high.lat + north, lng: high.lng + east },
    )
}

/// The areas of a panel, over what is there besides, with their names.
fn draw(sheet: &mut Sheet, picture: &GuessPicture, panel: &Panel, backdrop: Backdrop<'_>) {
    let (origin, size) = panel.frame();
    sheet.rect(origin.0, origin.1, size.0, size.1, 14.0, "#ffffff");
    sheet.within(origin, size, |sheet| {
        let is_wide = panel.width_m() > WIDE_M;
        if is_wide {
            sheet.tinted(&panel.rings(backdrop.land), GROUND, 1.0, OUTLINE);
        }
        panel.draw_graticule(sheet);
        for &index in panel.areas().iter().rev() {
            let area = &picture.areas[index];
            sheet.tinted(&panel.rings(&area.border), &colour(area.probability), 0.85, INK);
        }
        for border in backdrop.borders.iter().filter(|_| !is_wide) {
            sheet.tinted(&panel.rings(border), "#ffffff", 0.0, OUTLINE);
        }
        for &index in panel.areas() {
            name(sheet, panel, &picture.areas[index], index + 1);
        }
        mark(sheet, picture, panel);
    });
    panel.draw_scale(sheet);
}

/// The name of an area and how probable it is; its rank in the list where it is too small for them.
fn name(sheet: &mut Sheet, panel: &Panel, area: &GuessArea, rank: usize) {
    let Some((x, y)) = panel.middle(&area.border) else { return };
    let style = |size: f32| Style { anchor: Anchor::Middle, ..bold(size) };
    let points = panel.rings(&area.border).into_iter().flatten();
    let around = points
        .fold((x, x, y, y), |(left, right, top, foot), (x, y)| (left.min(x), right.max(x), top.min(y), foot.max(y)));
    let (width, height) = (around.1 - around.0, around.3 - around.2);
    // Between name and share is room for the mark.
    if length(&area.short) * NAME <= width && height >= 4.0 * NAME {
        sheet.label(x, y - 24.0, style(NAME), width, &area.short);
        sheet.label(x, y + 42.0, style(25.0), 200.0, &area.percent);
    } else if width >= NAME && height >= NAME {
        sheet.label(x, y - 14.0, style(NAME), 60.0, &rank.to_string());
    }
}

/// The guess, where it lies on the panel.
fn mark(sheet: &mut Sheet, picture: &GuessPicture, panel: &Panel) {
    let Some(at) = picture.at.filter(|_| panel.areas().contains(&0)) else { return };
    let (x, y) = panel.place(at);
    sheet.disc(x, y, 9.0, "#ffffff");
    sheet.disc(x, y, 6.5, MODEL);
}

/// Where in the world that is.
fn overview(sheet: &mut Sheet, picture: &GuessPicture, all: Bounds, backdrop: Backdrop<'_>) {
    let (origin, size) = ((SIDES.1 - OVERVIEW, HEAD), (OVERVIEW, OVERVIEW));
    let Coordinate { lat, lng } = middle(all);
    let half = SPAN / 2.0;
    let least = (Coordinate { lat: lat - half, lng: lng - half }, Coordinate { lat: lat + half, lng: lng + half });
    let panel = Panel::new(vec![0], around(all, least), origin, size);
    sheet.rect(origin.0, origin.1, size.0, size.1, 14.0, "#ffffff");
    sheet.within(origin, size, |sheet| {
        sheet.tinted(&panel.rings(backdrop.land), GROUND, 1.0, OUTLINE);
        panel.draw_graticule(sheet);
        for area in picture.areas.iter().rev() {
            let Some(at) = area.border.middle() else { continue };
            let (x, y) = panel.place(at);
            sheet.disc(x, y, 9.0, &colour(area.probability));
            sheet.circle(x, y, 9.0, 1.5, INK);
        }
        if let Some((x, y)) = picture.at.map(|at| panel.place(at)) {
            sheet.circle(x, y, 18.0, 4.0, MODEL);
        }
    });
    panel.draw_scale(sheet);
}

/// The colour of a probability, 0 to 1: the darker, the more probable. Perceptually uniform (magma); its root, so that
/// small ones differ too.
fn colour(probability: f32) -> String {
    let colour = colorous::MAGMA.eval_continuous(1.0 - 0.8 * f64::from(probability.clamp(0.0, 1.0)).sqrt());
    format!("#{:02x}{:02x}{:02x}", colour.r, colour.g, colour.b)
}

fn legend(sheet: &mut Sheet, picture: &GuessPicture, y: f32) {
    let [colours, guess] = &picture.legend;
    let style = Style { fill: MUTED, ..plain(24.0) };
    let (left, right) = (SIDES.1 - OVERVIEW, SIDES.1);
    sheet.text(left, y + 40.0, style, OVERVIEW, colours);
    let step = (right - left) / f32::from(STEPS);
    for index in 0..STEPS {
        let fill = colour(f32::from(index) / f32::from(STEPS - 1));
        // A little wider than a step, so that no gap shows between two.
        sheet.rect(left + f32::from(index) * step, y + 58.0, step + 0.6, 24.0, 0.0, &fill);
    }
    sheet.text(left, y + 110.0, style, 80.0, "0%");
    sheet.text(right, y + 110.0, Style { anchor: Anchor::End, ..style }, 80.0, "100%");
    if picture.at.is_some() {
        sheet.disc(left + 12.0, y + 160.0, 6.5, MODEL);
        sheet.text(left + 34.0, y + 168.0, style, OVERVIEW - 34.0, guess);
    }
}

fn row(sheet: &mut Sheet, area: &GuessArea, rank: usize, y: f32) {
    let (bar, width) = (760.0, 270.0);
    sheet.rect(SIDES.0, y + 12.0, 26.0, 26.0, 5.0, &colour(area.probability));
    sheet.text(SIDES.0 + 42.0, y + 35.0, plain(27.0), bar - SIDES.0 - 60.0, &format!("{rank}. {}", area.name));
    sheet.rect(bar, y + 16.0, width, 18.0, 9.0, LINE);
    sheet.rect(bar, y + 16.0, (width * area.probability.clamp(0.0, 1.0)).max(4.0), 18.0, 9.0, MODEL);
    sheet.text(SIDES.1, y + 35.0, Style { anchor: Anchor::End, ..bold(27.0) }, 110.0, &area.percent);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::borders;
    use crate::domain::Geocell;

    fn backdrop() -> Backdrop<'static> {
        Backdrop { land: borders::land(), borders: borders::built_in() }
    }

    fn area(name: &str, probability: f32, at: (f64, f64), level: u8) -> GuessArea {
        let cell = Geocell::of(Coordinate { lat: at.0, lng: at.1 }, level);
        let percent = format!("{:.0}%", probability * 100.0);
        GuessArea { name: name.to_owned(), short: name.to_owned(), percent, probability, border: cell.border() }
    }

    fn picture(areas: Vec<GuessArea>) -> GuessPicture {
        GuessPicture {
            title: "港区付近 62%".to_owned(),
            subtitle: "35.66, 139.75".to_owned(),
            at: areas.first().and_then(|area| area.border.middle()),
            areas,
            legend: ["probability", "best guess"].map(str::to_owned),
            notes: vec!["credit".to_owned()],
        }
    }

    fn drawn(picture: &GuessPicture) -> image::RgbImage {
        image::load_from_memory(&guess(picture, backdrop())).expect("a PNG").to_rgb8()
    }

    #[test]
    fn the_more_probable_the_darker_and_the_guess_is_marked() {
        let areas = vec![area("港区付近", 0.62, (35.66, 139.75), 12), area("渋谷区付近", 0.2, (35.66, 139.70), 12)];
        let map = drawn(&picture(areas));
        let count = |colour: [u8; 3]| map.pixels().filter(|pixel| pixel.0 == colour).count();
        assert!(count([0xc7, 0x50, 0]) > 300, "the mark and the bars");
        let luma = |probability: f32| {
            let hex = u32::from_str_radix(&colour(probability)[1..], 16).unwrap();
            (hex >> 16) + (hex >> 8 & 255) + (hex & 255)
        };
        assert!([0.0, 0.05, 0.2, 0.62, 1.0].map(luma).is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn cells_around_the_world_at_its_pole_and_on_the_date_line_and_nothing_are_pictures_too() {
        let spots = [(35.66, 139.75), (-33.9, 151.2), (64.1, -21.9), (-17.7, 179.9), (89.0, 0.0)];
        let areas = spots.into_iter().map(|at| area("どこか", 0.2, at, 4)).collect();
        assert_eq!(drawn(&picture(areas)).width(), WIDTH);
        let faces = Geocell::faces()
            .into_iter()
            .map(|face| GuessArea { border: face.border(), ..area("どこか", 0.1, (0.0, 0.0), 0) });
        assert_eq!(drawn(&picture(faces.collect())).width(), WIDTH);
        let unknown = GuessArea { border: Border::default(), ..area("どこか", 0.9, (0.0, 0.0), 4) };
        assert_eq!(drawn(&picture(vec![unknown])).width(), WIDTH);
        assert_eq!(drawn(&picture(Vec::new())).width(), WIDTH);
    }
}

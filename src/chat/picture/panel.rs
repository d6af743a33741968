//! Panels: which areas are drawn together, and where on the sheet a position lies.

use super::svg::{INK, LINE, MUTED, Sheet, Style, plain};
use crate::domain::border::centroid;
use crate::domain::{Border, Coordinate};

/// Areas whose middles are nearer than this share a panel, metres.
const TOGETHER_M: f64 = 60_000.0;
/// Most panels; areas farther out stand in the table alone.
const MOST: usize = 9;
/// Between a panel's frame and what it shows, pixels; more below, for the scale.
const MARGIN: f32 = 26.0;
/// Room for the scale below.
const FOOT: f32 = 34.0;
/// Metres of a degree of latitude (mean Earth radius).
const DEGREE_M: f64 = 111_195.0;

/// A piece of the map.
pub(super) struct Panel {
    areas: Vec<usize>,
    origin: (f32, f32),
    size: (f32, f32),
    /// What lies in the middle of the panel.
    middle: Coordinate,
    /// Metres of a pixel.
    metres: f64,
}

/// The panels of a map of areas with these borders, at `origin` and of this size, the one with most areas first and
/// largest.
pub(super) fn panels(borders: &[&Border], origin: (f32, f32), size: (f32, f32), gap: f32) -> Vec<Panel> {
    let bounds: Vec<Option<Bounds>> = borders.iter().map(|border| border.bounds()).collect();
    panels_around(&bounds, origin, size, gap)
}

/// The same of areas within these bounds.
pub(super) fn panels_around(bounds: &[Option<Bounds>], origin: (f32, f32), size: (f32, f32), gap: f32) -> Vec<Panel> {
    let mut groups = groups(bounds);
    groups.sort_by_key(|(group, _)| std::cmp::Reverse(group.len()));
    groups.truncate(MOST);
    let frames = frames(groups.len(), origin, size, gap);
    let panel = |((areas, bounds), (origin, size))| Panel::new(areas, bounds, origin, size);
    groups.into_iter().zip(frames).map(panel).collect()
}

/// South-western and north-eastern corner.
pub(super) type Bounds = (Coordinate, Coordinate);

/// Areas that lie near each other, with the box around them. Areas without bounds are left out.
fn groups(all: &[Option<Bounds>]) -> Vec<(Vec<usize>, Bounds)> {
    let mut groups: Vec<(Vec<usize>, Bounds)> = Vec::new();
    for (index, bounds) in all.iter().enumerate() {
        let Some(bounds) = *bounds else { continue };
        let is_near = |(group, _): &(Vec<usize>, Bounds)| {
            let near = |other: &usize| {
                let near = |other| overlap(other, bounds) || middle(other).distance_m(middle(bounds)) < TOGETHER_M;
                all[*other].is_some_and(near)
            };
            group.iter().any(near)
        };
        // An area may join groups that were apart until now.
        let (near, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_near);
        let joined = near.into_iter().fold((vec![index], bounds), |(mut all, box_), (group, other)| {
            all.extend(group);
            (all, around(box_, other))
        });
        rest.push(joined);
        groups = rest;
    }
    groups
}

/// The middle of a box.
pub(super) fn middle((low, high): Bounds) -> Coordinate {
    Coordinate { lat: (low.lat + high.lat) / 2.0, lng: (low.lng + high.lng) / 2.0 }
}

/// Whether two boxes have more than an edge in common.
fn overlap(a: Bounds, b: Bounds) -> bool {
    a.0.lat < b.1.lat && b.0.lat < a.1.lat && a.0.lng < b.1.lng && b.0.lng < a.1.lng
}

/// The box around two.
pub(super) fn around(a: Bounds, b: Bounds) -> Bounds {
    let low = Coordinate { lat: a.0.lat.min(b.0.lat), lng: a.0.lng.min(b.0.lng) };
    (low, Coordinate { lat: a.1.lat.max(b.1.lat), lng: a.1.lng.max(b.1.lng) })
}

type Frame = ((f32, f32), (f32, f32));

/// Origins and sizes: one alone, two of which the first is wider, or a grid.
fn frames(count: usize, (x, y): (f32, f32), (width, height): (f32, f32), gap: f32) -> Vec<Frame> {
    if count == 2 {
        let first = ((width - gap) * 0.6).round();
        let second = width - gap - first;
        return vec![((x, y), (first, height)), ((x + first + gap, y), (second, height))];
    }
    let columns = (1..).find(|columns| columns * columns >= count).unwrap_or(1);
    let rows = count.div_ceil(columns).max(1);
    let side = |whole: f32, parts: usize| (whole - gap * (parts - 1) as f32) / parts as f32;
    let size = (side(width, columns), side(height, rows));
    let frame = |index: usize| {
        let (column, row) = (index % columns, index / columns);
        ((x + column as f32 * (size.0 + gap), y + row as f32 * (size.1 + gap)), size)
    };
    (0..count).map(frame).collect()
}

impl Panel {
    /// The panel of these areas, which shows what lies within `bounds`.
    pub(super) fn new(areas: Vec<usize>, bounds: Bounds, origin: (f32, f32), size: (f32, f32)) -> Self {
        let middle = middle(bounds);
        let east = (bounds.1.lng - bounds.0.lng) * DEGREE_M * middle.lat.to_radians().cos();
        let north = (bounds.1.lat - bounds.0.lat) * DEGREE_M;
        let room = (f64::from(size.0 - 2.0 * MARGIN), f64::from(size.1 - 2.0 * MARGIN - FOOT));
        // A border of a single point would be infinitely large.
        let metres = (east / room.0).max(north / room.1).max(1.0);
        Self { areas, origin, size, middle, metres }
    }

    /// Upper left corner and size, pixels.
    pub(super) fn frame(&self) -> ((f32, f32), (f32, f32)) {
        (self.origin, self.size)
    }

    /// Numbers of the areas in it.
    pub(super) fn areas(&self) -> &[usize] {
        &self.areas
    }

    /// Where on the sheet a position lies: north is up, both scales are true in the middle.
    pub(super) fn place(&self, at: Coordinate) -> (f32, f32) {
        let scale = DEGREE_M / self.metres;
        let east = (at.lng - self.middle.lng) * scale * self.middle.lat.to_radians().cos();
        let north = (at.lat - self.middle.lat) * scale;
        let (x, y) = (self.origin.0 + self.size.0 / 2.0, self.origin.1 + (self.size.1 - FOOT) / 2.0);
        (x + east as f32, y - north as f32)
    }

    /// What lies at a point of the sheet.
    fn at(&self, (x, y): (f32, f32)) -> Coordinate {
        let scale = DEGREE_M / self.metres;
        let (left, top) = (self.origin.0 + self.size.0 / 2.0, self.origin.1 + (self.size.1 - FOOT) / 2.0);
        Coordinate {
            lat: self.middle.lat - f64::from(y - top) / scale,
            lng: self.middle.lng + f64::from(x - left) / (scale * self.middle.lat.to_radians().cos()),
        }
    }

    /// Width of what is shown, metres.
    pub(super) fn width_m(&self) -> f64 {
        self.metres * f64::from(self.size.0)
    }

    /// Draws lines of latitude and longitude with their degrees.
    pub(super) fn draw_graticule(&self, sheet: &mut Sheet) {
        let ((x, y), (width, height)) = self.frame();
        let (low, high) = (self.at((x, y + height)), self.at((x + width, y)));
        let style = Style { fill: MUTED, ..plain(17.0) };
        for (lat, words) in lines_between(low.lat.max(-90.0), high.lat.min(90.0), ['N', 'S']) {
            let (_, at) = self.place(Coordinate { lat, lng: self.middle.lng });
            sheet.line((x, at), (x + width, at), 1.0, LINE);
            // Above are the names of the other lines, below is the scale.
            if at > y + 46.0 && at < y + height - 60.0 {
                sheet.text(x + 8.0, at - 5.0, style, 120.0, &words);
            }
        }
        for (lng, words) in lines_between(low.lng, high.lng, ['E', 'W']) {
            let (at, _) = self.place(Coordinate { lat: self.middle.lat, lng });
            sheet.line((at, y), (at, y + height), 1.0, LINE);
            if at > x && at < x + width - 80.0 {
                sheet.text(at + 5.0, y + 20.0, style, 120.0, &words);
            }
        }
    }

    /// Radius of the dot of each of so many points: the more points, the smaller.
    pub(super) fn dot(&self, points: usize) -> f32 {
        (0.22 * (self.size.0 * self.size.1 / points.max(1) as f32).sqrt()).clamp(1.1, 4.0)
    }

    /// The rings of a border, on the sheet.
    pub(super) fn rings(&self, border: &Border) -> Vec<Vec<(f32, f32)>> {
        let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(|&[lng, lat]| self.place(Coordinate { lat, lng })).collect();
        border.rings().iter().map(ring).collect()
    }

    /// Draws the scale in its corner.
    pub(super) fn draw_scale(&self, sheet: &mut Sheet) {
        let ((x, y), (_, height)) = self.frame();
        let (length, words) = self.scale_bar();
        let (left, base) = (x + 24.0, y + height - 24.0);
        sheet.line((left, base), (left + length, base), 4.0, INK);
        sheet.label(left + length + 14.0, base + 8.0, plain(22.0), 160.0, &words);
    }

    /// Where a name is best written: the centroid of the largest ring.
    pub(super) fn middle(&self, border: &Border) -> Option<(f32, f32)> {
        let rings = self.rings(border);
        let corners = |ring: &Vec<(f32, f32)>| centroid(ring.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))));
        let (_, (x, y)) = rings.iter().filter_map(corners).max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((x as f32, y as f32))
    }

    /// A bar of a round length, in pixels, and the length in words.
    fn scale_bar(&self) -> (f32, String) {
        let most = self.metres * f64::from(self.size.0) / 4.0;
        let length = round_below(most);
        let words =
            if length >= 1_000.0 { format!("{} km", length / 1_000.0) } else { format!("{} m", length.round()) };
        ((length / self.metres) as f32, words)
    }
}

/// The largest number that is 1, 2 or 5 with zeros before or after it and not above `most`, greater than 0.
fn round_below(most: f64) -> f64 {
    let power = 10.0_f64.powf(most.log10().floor());
    [5.0, 2.0, 1.0].map(|step| step * power).into_iter().find(|round| *round <= most).unwrap_or(power)
}

/// Two to four round degrees between two, with their names: positive ones by the first letter, negative ones by the
/// second.
fn lines_between(low: f64, high: f64, letters: [char; 2]) -> Vec<(f64, String)> {
    let step = round_below((high - low) / 3.0);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let line = |index: i64| {
        let degrees = index as f64 * step;
        // Beyond the date line degrees go on.
        let shown = (degrees + 180.0).rem_euclid(360.0) - 180.0;
        let letter = letters[usize::from(shown < 0.0)];
        (degrees, format!("{:.decimals$}°{letter}", shown.abs()))
    };
    (first..=last).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(lat: f64, lng: f64) -> Border {
        let ring = vec![[lng, lat], [lng + 0.1, lat], [lng + 0.1, lat + 0.1], [lng, lat + 0.1]];
        Border::new(vec![ring])
    }

    #[test]
    fn neighbours_share_a_panel_and_cities_far_away_have_their_own() {
        let areas = [area(43.7, 142.3), area(35.6, 139.7), area(35.7, 139.8), area(34.6, 135.4), area(35.65, 140.2)];
        let drawn = panels(&areas.iter().collect::<Vec<_>>(), (40.0, 100.0), (1_120.0, 640.0), 20.0);
        let mut groups: Vec<Vec<usize>> = drawn.iter().map(|panel| panel.areas().to_vec()).collect();
        groups.iter_mut().for_each(|group| group.sort_unstable());
        assert_eq!(groups, [vec![1, 2, 4], vec![0], vec![3]]);
    }

    #[test]
    fn everything_stays_within_its_frame() {
        for count in 1..12 {
            let areas: Vec<Border> = (0..count).map(|index| area(-60.0 + 10.0 * f64::from(index), 100.0)).collect();
            let drawn = panels(&areas.iter().collect::<Vec<_>>(), (40.0, 100.0), (1_120.0, 640.0), 20.0);
            assert_eq!(drawn.len(), areas.len().min(MOST));
            for panel in &drawn {
                let ((x, y), (width, height)) = panel.frame();
                assert!(x >= 40.0 && y >= 100.0 && x + width <= 1_160.5 && y + height <= 740.5);
                for &[lng, lat] in areas[panel.areas()[0]].rings()[0].iter() {
                    let (at_x, at_y) = panel.place(Coordinate { lat, lng });
                    assert!((x..=x + width).contains(&at_x) && (y..=y + height).contains(&at_y), "{at_x} {at_y}");
                }
                let (length, words) = panel.scale_bar();
                assert!(length <= width / 4.0 && length >= width / 16.0 && words.ends_with('m'), "{length} {words}");
            }
        }
    }

    #[test]
    fn lines_are_round_and_few() {
        let names =
            |low, high| lines_between(low, high, ['E', 'W']).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(139.68, 139.83), ["139.70°E", "139.75°E", "139.80°E"]);
        assert_eq!(names(-30.0, 25.0), ["30°W", "20°W", "10°W", "0°E", "10°E", "20°E"]);
        assert_eq!(names(170.0, 200.0), ["170°E", "180°W", "170°W", "160°W"]);
        let panel = Panel::new(vec![0], area(35.6, 139.7).bounds().unwrap(), (40.0, 100.0), (600.0, 500.0));
        let at = panel.at(panel.place(Coordinate { lat: 35.62, lng: 139.77 }));
        assert!((at.lat - 35.62).abs() < 1e-4 && (at.lng - 139.77).abs() < 1e-4, "{at:?}");
    }

    #[test]
    fn a_name_stands_in_the_middle() {
        let areas = [area(35.6, 139.7)];
        let drawn = panels(&areas.iter().collect::<Vec<_>>(), (0.0, 0.0), (600.0, 600.0), 20.0);
        let (x, y) = drawn[0].middle(&areas[0]).unwrap();
        let expected = drawn[0].place(Coordinate { lat: 35.65, lng: 139.75 });
        assert!((x - expected.0).abs() < 0.5 && (y - expected.1).abs() < 0.5);
        assert_eq!(drawn[0].middle(&Border::default()), None);
    }
}

//! Borders of municipalities and other regions.

use geojson::GeometryValue;

use super::Coordinate;

/// A border: outer and inner rings of all its polygons, as `[longitude, latitude]` in degrees (WGS 84), GeoJSON's
/// order. A ring may repeat its first point at its end or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Border {
    rings: Vec<Vec<[f64; 2]>>,
}

impl Border {
    /// The border made of these rings, in any order and direction.
    #[must_use]
    pub fn new(rings: Vec<Vec<[f64; 2]>>) -> Self {
        Self { rings }
    }

    /// The border of a polygon or several; empty for other shapes. Positions without two numbers are left out.
    #[must_use]
    pub fn of_geometry(geometry: &GeometryValue) -> Self {
        let mut rings = Vec::new();
        collect_rings(geometry, &mut rings);
        Self { rings }
    }

    /// Adds the rings of another border; where both are, there is outside.
    pub fn extend(&mut self, other: Self) {
        self.rings.extend(other.rings);
    }

    /// All rings.
    #[must_use]
    pub fn rings(&self) -> &[Vec<[f64; 2]>] {
        &self.rings
    }

    /// South-western and north-eastern corner of the box around it; `None` when there are no rings.
    #[must_use]
    pub fn bounds(&self) -> Option<(Coordinate, Coordinate)> {
        let mut points = self.rings.iter().flatten();
        let &[lng, lat] = points.next()?;
        let first = (Coordinate { lat, lng }, Coordinate { lat, lng });
        Some(points.fold(first, |(low, high), &[lng, lat]| {
            let low = Coordinate { lat: low.lat.min(lat), lng: low.lng.min(lng) };
            (low, Coordinate { lat: high.lat.max(lat), lng: high.lng.max(lng) })
        }))
    }

    /// Its middle: the centroid of its largest ring (the shoelace formula, in degrees, which keeps centroids as they
    /// are). `None` when no ring has an inside.
    #[must_use]
    pub fn middle(&self) -> Option<Coordinate> {
        let centroids = self.rings.iter().filter_map(|ring| centroid(ring.iter().map(|[lng, lat]| (*lng, *lat))));
        let largest = centroids.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let (lng, lat) = largest.1;
        // A cell's ring may go on beyond the date line.
        Coordinate::new(lat, (lng + 180.0).rem_euclid(360.0) - 180.0)
    }

    /// Whether a position lies inside, by the even-odd rule (holes and islands need no special case).
    #[must_use]
    pub fn contains(&self, at: Coordinate) -> bool {
        let crossings = self.rings.iter().flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)));
        crossings.filter(|(a, b)| crosses_east_of(at, a, b)).count() % 2 == 1
    }
}

fn collect_rings(geometry: &GeometryValue, rings: &mut Vec<Vec<[f64; 2]>>) {
    let mut polygon = |polygon: &Vec<Vec<geojson::Position>>| {
        let position = |position: &geojson::Position| match position.as_slice() {
            [lng, lat, ..] => Some([*lng, *lat]),
            _ => None,
        };
        rings.extend(polygon.iter().map(|ring| ring.iter().filter_map(position).collect::<Vec<_>>()));
    };
    match geometry {
        GeometryValue::Polygon { coordinates } => polygon(coordinates),
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().for_each(polygon),
        GeometryValue::GeometryCollection { geometries } => {
            geometries.iter().for_each(|geometry| collect_rings(&geometry.value, rings));
        }
        _ => {}
    }
}

/// Size of what a ring of corners holds, and its centre of mass (the shoelace formula); `None` where it holds nothing.
#[must_use]
pub fn centroid(ring: impl Iterator<Item = (f64, f64)> + Clone) -> Option<(f64, (f64, f64))> {
    let (left, low) = ring.clone().next()?;
    // Relative to the first corner: products of large numbers lose the small differences.
    let near = ring.map(|(x, y)| (x - left, y - low));
    let (mut doubled, mut x, mut y) = (0.0, 0.0, 0.0);
    for (a, b) in near.clone().zip(near.cycle().skip(1)) {
        let cross = a.0 * b.1 - b.0 * a.1;
        doubled += cross;
        x += (a.0 + b.0) * cross;
        y += (a.1 + b.1) * cross;
    }
    (doubled != 0.0).then(|| (doubled.abs() / 2.0, (left + x / (3.0 * doubled), low + y / (3.0 * doubled))))
}

fn crosses_east_of(at: Coordinate, a: &[f64; 2], b: &[f64; 2]) -> bool {
    (a[1] > at.lat) != (b[1] > at.lat) && at.lng < (b[0] - a[0]) * (at.lat - a[1]) / (b[1] - a[1]) + a[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(low: f64, high: f64) -> Vec<[f64; 2]> {
        vec![[low, low], [high, low], [high, high], [low, high]]
    }

    #[test]
    fn every_polygon_of_a_geometry_counts_and_nothing_else() {
        let border = |json: &str| Border::of_geometry(&json.parse::<geojson::Geometry>().unwrap().value);
        let polygon = r#"{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,1],[0,0]]]}"#;
        let both = format!(
            r#"{{"type":"GeometryCollection","geometries":[{polygon},{{"type":"MultiPolygon",
            "coordinates":[[[[5,5],[6,5],[6,7],[5,5]]]]}},{{"type":"Point","coordinates":[9,9]}}]}}"#
        );
        assert_eq!(border(polygon).rings().len(), 1);
        assert_eq!(border(&both).rings().len(), 2);
        let corner = |lat, lng| Coordinate { lat, lng };
        assert_eq!(border(&both).bounds(), Some((corner(0.0, 0.0), corner(7.0, 6.0))));
        assert_eq!(Border::default().bounds(), None);
    }

    #[test]
    fn the_middle_is_that_of_the_largest_ring() {
        let border = Border::new(vec![square(20.0, 21.0), square(0.0, 8.0)]);
        let middle = border.middle().unwrap();
        assert!((middle.lat - 4.0).abs() < 1e-9 && (middle.lng - 4.0).abs() < 1e-9, "{middle:?}");
        assert_eq!(Border::new(vec![vec![[1.0, 1.0], [2.0, 2.0]]]).middle(), None);
        let across = Border::new(vec![vec![[179.0, 0.0], [183.0, 0.0], [183.0, 2.0], [179.0, 2.0]]]);
        assert!((across.middle().unwrap().lng + 179.0).abs() < 1e-9);
    }

    #[test]
    fn holes_are_outside_and_islands_in_them_inside() {
        let border = Border::new(vec![square(0.0, 9.0), square(2.0, 7.0), square(4.0, 5.0)]);
        for (at, inside) in [(1.0, true), (3.0, false), (4.5, true), (8.0, true), (9.5, false), (-1.0, false)] {
            assert_eq!(border.contains(Coordinate { lat: at, lng: at }), inside, "{at}");
        }
        assert!(!Border::default().contains(Coordinate { lat: 0.0, lng: 0.0 }));
    }
}

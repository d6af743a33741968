//! Borders of municipalities and other regions.

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

    /// All rings.
    #[must_use]
    pub fn rings(&self) -> &[Vec<[f64; 2]>] {
        &self.rings
    }

    /// Whether a position lies inside, by the even-odd rule (holes and islands need no special case).
    #[must_use]
    pub fn contains(&self, at: Coordinate) -> bool {
        let crossings = self.rings.iter().flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)));
        crossings.filter(|(a, b)| crosses_east_of(at, a, b)).count() % 2 == 1
    }
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
    fn holes_are_outside_and_islands_in_them_inside() {
        let border = Border::new(vec![square(0.0, 9.0), square(2.0, 7.0), square(4.0, 5.0)]);
        for (at, inside) in [(1.0, true), (3.0, false), (4.5, true), (8.0, true), (9.5, false), (-1.0, false)] {
            assert_eq!(border.contains(Coordinate { lat: at, lng: at }), inside, "{at}");
        }
        assert!(!Border::default().contains(Coordinate { lat: 0.0, lng: 0.0 }));
    }
}

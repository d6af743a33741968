//! `GET /images`: the images in a box.

use super::catalogue::{LARGEST_ERROR_M, Shot, shots};
use super::error::GraphError;
use crate::domain::Coordinate;
use crate::world::World;
use crate::world::serve::query::{Params, number};

/// Boxes must be smaller, square degrees.
const LARGEST_AREA: f64 = 0.01;
/// Most images that one search gives, and how many it gives unless told.
const LARGEST_LIMIT: usize = 2_000;

/// Documented filters that the drawn world does not serve: ignoring them would give wrong images without a word.
const NOT_SERVED: [&str; 10] = [
    "creator_username",
    "end_captured_at",
    "lat",
    "lng",
    "make",
    "model",
    "organization_id",
    "radius",
    "sequence_ids",
    "start_captured_at",
];

/// A well-formed search.
#[derive(Debug, PartialEq)]
pub struct Search {
    south_west: Coordinate,
    north_east: Coordinate,
    limit: usize,
    is_strip: Option<bool>,
}

impl Search {
    /// Reads `bbox`, `limit` and `is_pano`.
    pub fn parse(params: &Params) -> Result<Self, GraphError> {
        if let Some(name) = params.any_of(&NOT_SERVED) {
            return Err(GraphError::bad_parameter(format!("The drawn world does not serve the parameter {name}")));
        }
        let text = params.get("bbox").ok_or_else(|| GraphError::bad_parameter("The parameter bbox is required"))?;
        let (south_west, north_east) = bbox(text)?;
        Ok(Self { south_west, north_east, limit: limit(params)?, is_strip: is_pano(params)? })
    }

    /// The images whose position lies in the box, in the order of their numbers, as many as the limit allows.
    pub fn run(&self, world: &World) -> Vec<Shot> {
        let low = self.south_west.offset_m(-LARGEST_ERROR_M, -LARGEST_ERROR_M);
        let high = self.north_east.offset_m(LARGEST_ERROR_M, LARGEST_ERROR_M);
        let panoramas = world.within(low.lat, low.lng, high.lat, high.lng);
        let taken = panoramas.into_iter().flat_map(|panorama| shots(world, panorama));
        let mut found: Vec<Shot> = taken.filter(|shot| self.wants(shot)).collect();
        found.sort_by_key(|shot| shot.id);
        found.truncate(self.limit);
        found
    }

    fn wants(&self, shot: &Shot) -> bool {
        let Coordinate { lat, lng } = shot.position();
        (self.south_west.lat..=self.north_east.lat).contains(&lat)
            && (self.south_west.lng..=self.north_east.lng).contains(&lng)
            && self.is_strip.is_none_or(|is_strip| is_strip == shot.is_strip)
    }
}

/// `minLon,minLat,maxLon,maxLat`.
fn bbox(text: &str) -> Result<(Coordinate, Coordinate), GraphError> {
    let malformed = || GraphError::bad_parameter("Param bbox must be minLon,minLat,maxLon,maxLat in degrees");
    let sides: Vec<f64> = text.split(',').map(number).collect::<Option<_>>().ok_or_else(malformed)?;
    let &[west, south, east, north] = sides.as_slice() else { return Err(malformed()) };
    let corners = Coordinate::new(south, west).zip(Coordinate::new(north, east)).ok_or_else(malformed)?;
    if west > east || south > north {
        return Err(malformed());
    }
    if (east - west) * (north - south) >= LARGEST_AREA {
        return Err(GraphError::bad_parameter("Param bbox: the area must be smaller than 0.01 degrees square"));
    }
    Ok(corners)
}

fn limit(params: &Params) -> Result<usize, GraphError> {
    let Some(text) = params.get("limit") else { return Ok(LARGEST_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
    limit.ok_or_else(|| GraphError::bad_parameter("Param limit must be an integer from 1 to 2000"))
}

fn is_pano(params: &Params) -> Result<Option<bool>, GraphError> {
    let parse = |text: &str| text.parse().map_err(|_| GraphError::bad_parameter("Param is_pano must be a boolean"));
    params.get("is_pano").map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Search, GraphError> {
        Search::parse(&Params::of(&format!("/images?{query}").parse().unwrap()))
    }

    #[test]
    fn boxes_have_four_sides_in_order_and_a_largest_area() {
        for good in ["139.7,35.6,139.79,35.7", "139.7,35.6,139.7,35.6", "139.0,35.6,139.9,35.61"] {
            assert!(parse(&format!("bbox={good}")).is_ok(), "{good}");
        }
        let wrong = [
            "139.7,35.6,139.8,35.7",
            "139.8,35.6,139.7,35.7",
            "35.6,139.7,35.7,139.8",
            "1,2,3",
            "1,2,3,x",
            "1,2,3,4,5",
        ];
        for wrong in wrong {
            assert!(parse(&format!("bbox={wrong}")).is_err(), "{wrong}");
        }
        assert!(parse("").is_err(), "no box");
    }

    #[test]
    fn limits_end_at_2000() {
        let with = |rest: &str| parse(&format!("bbox=1,2,1.01,2.01{rest}"));
        assert_eq!(with("").unwrap().limit, 2_000);
        assert_eq!(with("&limit=7").unwrap().limit, 7);
        for wrong in ["&limit=0", "&limit=2001", "&limit=x", "&is_pano=maybe", "&sequence_ids=a"] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn neighbouring_boxes_share_nothing_and_lose_nothing() {
        let world = World::load();
        let middle = world.panoramas(3)[400].position;
        let search = |west: f64, east: f64| {
            let sides = format!("{west},{},{east},{}", middle.lat - 0.004, middle.lat + 0.004);
            parse(&format!("bbox={sides}")).unwrap().run(&world)
        };
        let ids = |shots: Vec<Shot>| shots.into_iter().map(|shot| shot.id).collect::<Vec<_>>();
        let (west, east) = (middle.lng - 0.004, middle.lng + 0.004);
        let seam = middle.lng + 1e-9;
        let mut halves = ids(search(west, seam));
        assert!(!halves.is_empty());
        halves.extend(ids(search(seam, east)));
        halves.sort_unstable();
        assert_eq!(halves, ids(search(west, east)));
    }
}

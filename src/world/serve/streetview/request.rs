//! Parses the parameters that both paths share.

use crate::domain::Coordinate;
use crate::world::serve::query::{Params, number};

/// Largest width and height; larger ones become this.
const LARGEST_SIDE: u32 = 640;
const DEFAULT_RADIUS_M: f64 = 50.0;
const DEFAULT_FOV: f64 = 90.0;

/// Where to look from.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// This panorama.
    Pano(String),
    /// The panorama nearest to here.
    Near(Coordinate),
    /// Somewhere that only a geocoder knows.
    Address(String),
}

/// A well-formed request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Where to look from.
    pub place: Place,
    /// Compass direction, degrees, 0 to 360; `None` looks at the location.
    pub heading: Option<f64>,
    /// Horizontal field of view, degrees, above 0, at most 120.
    pub fov: f64,
    /// Up or down from the horizon, degrees, -90 to 90.
    pub pitch: f64,
    /// How far a panorama may be, metres.
    pub radius_m: f64,
    /// Leave indoor panoramas out.
    pub outdoor_only: bool,
    /// Answer with 404 instead of a grey tile.
    pub return_error_code: bool,
}

/// A parameter that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Neither parameter has a value.
    #[error("Invalid request. Missing the 'location' or 'pano' parameter.")]
    NoPlace,
    /// The parameter is required here.
    #[error("Invalid request. Missing the '{0}' parameter.")]
    Missing(&'static str),
    /// The value is not of the documented form or range.
    #[error("Invalid request. Invalid '{0}' parameter.")]
    Invalid(&'static str),
}

impl Request {
    /// A metadata request: like an image request, only that the size may be absent.
    pub fn of_metadata(params: &Params) -> Result<Self, Malformed> {
        params.get("size").map(size).transpose()?;
        Self::parse(params)
    }

    /// An image request with its width and height.
    pub fn of_image(params: &Params) -> Result<(Self, (u32, u32)), Malformed> {
        let size = size(params.get("size").ok_or(Malformed::Missing("size"))?)?;
        Ok((Self::parse(params)?, size))
    }

    fn parse(params: &Params) -> Result<Self, Malformed> {
        let place = match (params.get("pano"), params.get("location")) {
            (Some(id), _) => Place::Pano(id.to_owned()),
            (None, Some(text)) => location(text)?,
            (None, None) => return Err(Malformed::NoPlace),
        };
        let source = params.get("source").map_or(Ok(false), |text| choice("source", text, "default", "outdoor"))?;
        let code = params.get("return_error_code");
        let code = code.map_or(Ok(false), |text| choice("return_error_code", text, "false", "true"))?;
        Ok(Self {
            place,
            heading: ranged(params, "heading", |heading| (0.0..=360.0).contains(&heading))?,
            fov: ranged(params, "fov", |fov| fov > 0.0 && fov <= 120.0)?.unwrap_or(DEFAULT_FOV),
            pitch: ranged(params, "pitch", |pitch| (-90.0..=90.0).contains(&pitch))?.unwrap_or_default(),
            radius_m: ranged(params, "radius", |radius| radius >= 0.0 && radius.fract() == 0.0)?
                .unwrap_or(DEFAULT_RADIUS_M),
            outdoor_only: source,
            return_error_code: code,
        })
    }
}

fn ranged(params: &Params, name: &'static str, valid: impl Fn(f64) -> bool) -> Result<Option<f64>, Malformed> {
    let parse = |text| number(text).filter(|&value| valid(value)).ok_or(Malformed::Invalid(name));
    params.get(name).map(parse).transpose()
}

fn choice(name: &'static str, text: &str, no: &str, yes: &str) -> Result<bool, Malformed> {
    if text == yes || text == no { Ok(text == yes) } else { Err(Malformed::Invalid(name)) }
}

/// `{width}x{height}`, each at least 1; above 640 becomes 640.
fn size(text: &str) -> Result<(u32, u32), Malformed> {
    let side = |text: &str| text.parse().ok().filter(|&side: &u32| side > 0).map(|side| side.min(LARGEST_SIDE));
    let sides = text.split_once('x').and_then(|(width, height)| side(width).zip(side(height)));
    sides.ok_or(Malformed::Invalid("size"))
}

/// Two numbers are a position, anything else an address.
fn location(text: &str) -> Result<Place, Malformed> {
    let numbers = text.split_once(',').and_then(|(lat, lng)| number(lat).zip(number(lng)));
    match numbers {
        Some((lat, lng)) => Coordinate::new(lat, lng).map(Place::Near).ok_or(Malformed::Invalid("location")),
        None => Ok(Place::Address(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Uri;

    fn parse(query: &str) -> Result<(Request, (u32, u32)), Malformed> {
        let uri: Uri = format!("/maps/api/streetview?{query}").parse().unwrap();
        Request::of_image(&Params::of(&uri))
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let (request, size) = parse("size=600x400&location=40,-110").unwrap();
        let place = Place::Near(Coordinate { lat: 40.0, lng: -110.0 });
        let expected = Request {
            place,
            heading: None,
            fov: 90.0,
            pitch: 0.0,
            radius_m: 50.0,
            outdoor_only: false,
            return_error_code: false,
        };
        assert_eq!((request, size), (expected, (600, 400)));
    }

    #[test]
    fn large_sizes_become_640() {
        assert_eq!(parse("size=1000x20&pano=x").unwrap().1, (640, 20));
    }

    #[test]
    fn words_are_an_address_and_a_pano_wins() {
        let place = |query| parse(query).unwrap().0.place;
        assert_eq!(place("size=9x9&location=Chagrin+Falls,+OH"), Place::Address("Chagrin Falls, OH".to_owned()));
        assert_eq!(place("size=9x9&location=1,2&pano=abc"), Place::Pano("abc".to_owned()));
    }

    #[test]
    fn each_parameter_has_its_range() {
        let wrong = [
            ("size", "size=600"),
            ("size", "size=0x5"),
            ("size", "size=5x-5"),
            ("location", "size=9x9&location=91,0"),
            ("heading", "size=9x9&pano=a&heading=361"),
            ("heading", "size=9x9&pano=a&heading=north"),
            ("fov", "size=9x9&pano=a&fov=121"),
            ("fov", "size=9x9&pano=a&fov=0"),
            ("pitch", "size=9x9&pano=a&pitch=-91"),
            ("radius", "size=9x9&pano=a&radius=-1"),
            ("radius", "size=9x9&pano=a&radius=2.5"),
            ("source", "size=9x9&pano=a&source=indoor"),
            ("return_error_code", "size=9x9&pano=a&return_error_code=1"),
        ];
        for (name, query) in wrong {
            assert_eq!(parse(query), Err(Malformed::Invalid(name)), "{query}");
        }
        assert_eq!(parse("pano=a"), Err(Malformed::Missing("size")));
        assert_eq!(parse("size=9x9&location="), Err(Malformed::NoPlace));
    }

    #[test]
    fn the_ends_of_the_ranges_belong_to_them() {
        let query = "size=640x1&pano=a&heading=360&fov=120&pitch=-90&radius=0&source=outdoor&return_error_code=true";
        let (request, _) = parse(query).unwrap();
        assert_eq!((request.heading, request.fov, request.pitch), (Some(360.0), 120.0, -90.0));
        assert!(request.outdoor_only && request.return_error_code);
    }
}

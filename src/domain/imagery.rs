//! Street imagery as its sources describe it, before and after it is fetched.

use std::fmt;
use std::str::FromStr;

use super::Coordinate;

/// Where imagery comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Mapillary's Graph API v4: free, CC BY-SA 4.0.
    Mapillary,
    /// Google's Street View Static API: billed for each image.
    StreetView,
    /// Photos in a folder of the admin's own.
    Folder,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Mapillary, Self::StreetView, Self::Folder];

    /// Lower-case name, as in the configuration, in commands and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapillary => "mapillary",
            Self::StreetView => "streetview",
            Self::Folder => "folder",
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|source| source.name() == s);
        found.ok_or_else(|| format!("`{s}` is no source: choose mapillary, streetview or folder"))
    }
}

/// What a source says of one panorama or image before anything is paid for.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Who offers it.
    pub source: Source,
    /// The source's own number of the panorama (Street View) or image (Mapillary, a file's SHA-256).
    pub id: String,
    /// Where it was taken: of the panorama itself, not where we asked.
    pub position: Coordinate,
    /// When it was taken: `2024-05` or `2024-05-17`, as far as the source says.
    pub captured: Option<String>,
    /// Compass direction of the camera, degrees, 0 to 360, where the picture has a direction of its own. `None` for
    /// panoramas, which are looked at in any direction.
    pub heading: Option<f32>,
    /// Whom it is owed to, as they want to be named: `© Google`, `Mapillary / some_user`.
    pub attribution: String,
    /// Licence, an SPDX expression or the name of the terms.
    pub licence: String,
    /// Where the original can be seen by people; never a link that holds a key.
    pub link: Option<String>,
}

/// A camera's look at a panorama. For images with a direction of their own all looks are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Look {
    /// Compass direction, degrees, 0 to 359.
    pub heading: u16,
    /// Horizontal field of view, degrees, 10 to 120.
    pub fov: u16,
    /// Up (positive) or down from the horizon, degrees, -90 to 90.
    pub pitch: i16,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl fmt::Display for Look {
    /// As in the database: `90/75/-5/640x640` for heading, field of view, pitch and size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heading, fov, pitch, width, height } = self;
        write!(f, "{heading}/{fov}/{pitch}/{width}x{height}")
    }
}

impl FromStr for Look {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let parse = || {
            let [heading, fov, pitch, size]: [&str; 4] = s.split('/').collect::<Vec<_>>().try_into().ok()?;
            let (width, height) = size.split_once('x')?;
            Some(Self {
                heading: heading.parse().ok()?,
                fov: fov.parse().ok()?,
                pitch: pitch.parse().ok()?,
                width: width.parse().ok()?,
                height: height.parse().ok()?,
            })
        };
        parse().ok_or_else(|| format!("`{s}` is no look: heading/fov/pitch/WxH"))
    }
}

/// An amount of money in millionths of the currency that the configuration names; never negative where it is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Micros(pub i64);

impl fmt::Display for Micros {
    /// In whole units, with two to six digits after the point: `7.00`, `0.007`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let digits = format!("{rest:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{}{units}.{}", if self.0 < 0 { "-" } else { "" }, &digits[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert!(Source::ALL.into_iter().all(|source| source.name().parse() == Ok(source)));
        assert!("google".parse::<Source>().is_err());
    }

    #[test]
    fn money_is_written_in_whole_units() {
        for (micros, written) in [(0, "0.00"), (7_000, "0.007"), (1_230_000, "1.23"), (-10, "-0.00001")] {
            assert_eq!(Micros(micros).to_string(), written);
        }
        assert_eq!(Micros(i64::MIN).to_string(), "-9223372036854.775808");
    }

    #[test]
    fn looks_round_trip() {
        let look = Look { heading: 359, fov: 90, pitch: -5, width: 640, height: 480 };
        assert_eq!(look.to_string(), "359/90/-5/640x480");
        assert_eq!(look.to_string().parse(), Ok(look));
        for wrong in ["", "1/2/3", "1/2/3/4", "1/2/3/4x5/6", "a/2/3/4x5"] {
            assert!(wrong.parse::<Look>().is_err(), "{wrong}");
        }
    }
}

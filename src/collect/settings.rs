//! What to collect, from where, and for how much: the configuration's part of it, valid.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use thiserror::Error;

use super::area::{Municipality, Region};
use super::meters::Meters;
use crate::domain::imagery::{Micros, Source};

/// Widest and highest picture that Street View Static gives, pixels.
const STREETVIEW_MAX_SIDE: u32 = 640;

/// Everything about collecting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where imagery comes from, unless a command says otherwise.
    pub source: Source,
    /// Municipalities to cover.
    pub municipalities: Vec<Municipality>,
    /// Other regions to cover.
    pub regions: Vec<Region>,
    /// GeoJSON with borders in the form of 国土数値情報 N03; `None`: the built-in borders of seven municipalities.
    pub borders_file: Option<PathBuf>,
    /// How densely, and what the pictures look like.
    pub density: Density,
    /// Folder of the images.
    pub data_folder: PathBuf,
    /// How gently the services are asked.
    pub pace: Pace,
    /// What it may cost.
    pub money: Money,
    /// Mapillary's access.
    pub mapillary: Mapillary,
    /// Street View's access.
    pub streetview: StreetView,
    /// Where the lists of towns come from.
    pub geolonia: Geolonia,
    /// The folder with photos of the admin's own; `None`: there is none.
    pub folder: Option<PathBuf>,
    /// Where requests are counted.
    pub meters: Meters,
}

/// How densely, and what the pictures look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Density {
    /// Points in each town, 1 to 1,000.
    pub points_per_town: u32,
    /// Looks from each panorama, 1 to 36, evenly around from a start of its own.
    pub headings_per_point: u32,
    /// Horizontal field of view, degrees, 10 to 120.
    pub fov: u16,
    /// Up (positive) or down from the horizon, degrees, -90 to 90.
    pub pitch: i16,
    /// Width in pixels, 64 to 2,048.
    pub width: u32,
    /// Height in pixels, 64 to 2,048.
    pub height: u32,
    /// Farthest that imagery may lie from a point, metres, 1 to 500.
    pub search_radius_m: u32,
}

/// How gently a service is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Requests of a kind a second to one service, more than 0, at most 1,000: questions and pictures are counted apart,
    /// as the services do.
    pub requests_per_second: f64,
    /// Requests on their way to one service, 1 to 256.
    pub concurrency: usize,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// How long an answer may take, from the request to its last byte.
    pub read_timeout: Duration,
}

/// What collecting may cost. All caps are hard, and hold over runs, restarts and kills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// ISO 4217 code of everything here: `USD`.
    pub currency: String,
    /// What Street View bills for an image.
    pub price_per_image: Micros,
    /// Most that one run may spend.
    pub cap_per_run: Micros,
    /// Most in one day (UTC).
    pub cap_per_day: Micros,
    /// Most in one month (UTC).
    pub cap_per_month: Micros,
}

impl Money {
    /// What one image of a source costs: nothing, but at Street View.
    #[must_use]
    pub fn price(&self, source: Source) -> Micros {
        match source {
            Source::StreetView => self.price_per_image,
            Source::Mapillary | Source::Folder => Micros(0),
        }
    }
}

/// Mapillary's access.
#[derive(Clone, Debug)]
pub struct Mapillary {
    /// The access token, if one is configured.
    pub token: Option<SecretString>,
    /// Base URL, a slash at its end means nothing.
    pub api_url: Url,
}

/// Street View's access.
#[derive(Clone, Debug)]
pub struct StreetView {
    /// The API key, if one is configured.
    pub key: Option<SecretString>,
    /// The secret that signs requests, base64 as Google hands it out; `None`: requests are not signed.
    pub signing_secret: Option<SecretString>,
    /// Whether the admin has said that Google's terms allow what they do.
    pub accept_google_terms: bool,
    /// Base URL, a slash at its end means nothing.
    pub api_url: Url,
}

/// Where the lists of towns come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geolonia {
    /// Which shape they have.
    pub version: GeoloniaVersion,
    /// Base URL, a slash at its end means nothing.
    pub api_url: Url,
}

/// A version of Geolonia's address API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeoloniaVersion {
    /// 住所データ, the list of towns with a position each.
    V1,
    /// Japanese Addresses v2, from the address base registry.
    V2,
}

impl GeoloniaVersion {
    /// 1 or 2.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// Where it is served.
    #[must_use]
    pub fn public_url(self) -> &'static str {
        match self {
            Self::V1 => "https://geolonia.github.io/japanese-addresses",
            Self::V2 => "https://japanese-addresses-v2.geoloniamaps.com",
        }
    }
}

/// Why a source cannot be used as configured, and what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotReady {
    /// Nobody has said that Google's terms allow it.
    #[error(
        "Street View is not used, since `streetview.accept_google_terms` is false: Google's terms forbid bulk download \
         of Street View images, and storing them outside the exceptions that they name. If your agreement with Google \
         allows what you plan, set it to true; otherwise use the source `mapillary` (free, CC BY-SA 4.0)"
    )]
    TermsNotAccepted,
    /// A secret is nowhere.
    #[error(
        "`{key}` is missing: set the environment variable {variable}, or name a file that holds it in `{key}_file`"
    )]
    SecretMissing {
        /// The key, dotted.
        key: &'static str,
        /// The environment variable.
        variable: &'static str,
    },
    /// The pictures are too large for Street View.
    #[error(
        "`collect.width` and `collect.height` are {width} and {height}: Street View gives at most \
         {STREETVIEW_MAX_SIDE} pixels a side"
    )]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// No folder is named.
    #[error("`folder.path` is empty: name the folder that your photos lie in")]
    FolderMissing,
}

impl Settings {
    /// Whether a source may be asked: its terms are accepted, its secret is there, its limits are kept.
    ///
    /// # Errors
    /// See [`NotReady`].
    pub fn ready(&self, source: Source) -> Result<(), NotReady> {
        match source {
            Source::Mapillary if self.mapillary.token.is_none() => {
                Err(NotReady::SecretMissing { key: "mapillary.token", variable: "KOKODOKO_MAPILLARY__TOKEN" })
            }
            Source::StreetView => self.streetview_ready(),
            Source::Folder if self.folder.is_none() => Err(NotReady::FolderMissing),
            Source::Mapillary | Source::Folder => Ok(()),
        }
    }

    /// Whether a source may be planned with: a plan needs no secret, but the terms have to be accepted.
    ///
    /// # Errors
    /// See [`NotReady`].
    pub fn allowed(&self, source: Source) -> Result<(), NotReady> {
        let Density { width, height, .. } = self.density;
        match source {
            Source::StreetView if !self.streetview.accept_google_terms => Err(NotReady::TermsNotAccepted),
            Source::StreetView if width.max(height) > STREETVIEW_MAX_SIDE => Err(NotReady::TooLarge { width, height }),
            _ => Ok(()),
        }
    }

    fn streetview_ready(&self) -> Result<(), NotReady> {
        self.allowed(Source::StreetView)?;
        let missing = NotReady::SecretMissing { key: "streetview.key", variable: "KOKODOKO_STREETVIEW__KEY" };
        self.streetview.key.as_ref().map(|_| ()).ok_or(missing)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Settings that ask nobody, of these municipalities.
    pub(in crate::collect) fn settings(names: &[&str]) -> Settings {
        let municipality = |name: &&str| Municipality::parse(name, None).expect("a full name");
        let server: Url = "http://127.0.0.1:9".parse().expect("a URL");
        Settings {
            source: Source::Mapillary,
            municipalities: names.iter().map(municipality).collect(),
            regions: Vec::new(),
            borders_file: None,
            density: Density {
                points_per_town: 4,
                headings_per_point: 4,
                fov: 90,
                pitch: 0,
                width: 640,
                height: 640,
                search_radius_m: 50,
            },
            data_folder: PathBuf::from("data/images"),
            pace: Pace {
                requests_per_second: 10.0,
                concurrency: 8,
                connect_timeout: Duration::from_secs(10),
                read_timeout: Duration::from_secs(30),
            },
            money: Money {
                currency: "USD".to_owned(),
                price_per_image: Micros(7_000),
                cap_per_run: Micros(20_000_000),
                cap_per_day: Micros(20_000_000),
                cap_per_month: Micros(100_000_000),
            },
            mapillary: Mapillary { token: None, api_url: server.clone() },
            streetview: StreetView {
                key: None,
                signing_secret: None,
                accept_google_terms: false,
                api_url: server.clone(),
            },
            geolonia: Geolonia { version: GeoloniaVersion::V2, api_url: server },
            folder: None,
            meters: Meters::default(),
        }
    }
}

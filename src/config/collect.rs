//! The sections about collecting: `collect`, `mapillary`, `streetview`, `geolonia` and `folder`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use super::environment::Secrets;
use super::raw::Raw;
use super::{ConfigError, non_empty, path_of};
use crate::collect::area::{Municipality, Region};
use crate::collect::meters::Meters;
use crate::collect::settings::{self, Density, GeoloniaVersion, Money, NotReady, Pace, Settings};
use crate::domain::imagery::{Micros, Source};

/// Most money in one key, in whole units of the currency: more is a slip of the hand.
const MOST_MONEY: f64 = 1e6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Collect {
    source: SourceName,
    areas: Vec<String>,
    names_en: BTreeMap<String, String>,
    regions: Vec<RegionEntry>,
    borders_file: String,
    points_per_town: i64,
    headings_per_point: i64,
    fov: i64,
    pitch: i64,
    width: i64,
    height: i64,
    search_radius_m: i64,
    data_folder: String,
    requests_per_second: f64,
    concurrency: i64,
    connect_timeout_seconds: i64,
    read_timeout_seconds: i64,
    currency: String,
    price_per_1000_images: f64,
    cap_per_run: f64,
    cap_per_day: f64,
    cap_per_month: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SourceName {
    Mapillary,
    Streetview,
    Folder,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionEntry {
    name: String,
    #[serde(default)]
    name_en: String,
    file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapillary {
    token_file: String,
    api_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreetView {
    accept_google_terms: bool,
    key_file: String,
    signing_secret_file: String,
    api_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Geolonia {
    version: i64,
    api_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Folder {
    path: String,
}

/// The sections as settings.
pub(super) fn settings(raw: &Raw, secrets: &Secrets) -> Result<Settings, ConfigError> {
    let Raw { collect, mapillary, streetview, .. } = raw;
    let settings = Settings {
        source: source(collect.source),
        municipalities: municipalities(collect)?,
        regions: regions(collect)?,
        borders_file: non_empty(&collect.borders_file).map(PathBuf::from),
        density: density(collect)?,
        data_folder: path_of(
            "collect.data_folder",
            &collect.data_folder,
            "write the path of the folder for the images",
        )?,
        pace: pace(collect)?,
        money: money(collect)?,
        mapillary: settings::Mapillary {
            token: secrets.find("mapillary.token", &mapillary.token_file)?,
            api_url: server("mapillary.api_url", &mapillary.api_url, "https://graph.mapillary.com")?,
        },
        streetview: settings::StreetView {
            key: secrets.find("streetview.key", &streetview.key_file)?,
            signing_secret: secrets.find("streetview.signing_secret", &streetview.signing_secret_file)?,
            accept_google_terms: streetview.accept_google_terms,
            api_url: server("streetview.api_url", &streetview.api_url, "https://maps.googleapis.com")?,
        },
        geolonia: geolonia(&raw.geolonia)?,
        folder: non_empty(&raw.folder.path).map(PathBuf::from),
        meters: Meters::default(),
    };
    settings.allowed(settings.source).map_err(|reason| refused(settings.source, &reason))?;
    Ok(settings)
}

fn source(name: SourceName) -> Source {
    match name {
        SourceName::Mapillary => Source::Mapillary,
        SourceName::Streetview => Source::StreetView,
        SourceName::Folder => Source::Folder,
    }
}

fn refused(source: Source, reason: &NotReady) -> ConfigError {
    ConfigError::Value { key: "collect.source", value: format!("{:?}", source.name()), cure: reason.to_string() }
}

fn municipalities(raw: &Collect) -> Result<Vec<Municipality>, ConfigError> {
    let parse = |name: &String| {
        let name_en = raw.names_en.get(name).map(String::as_str);
        Municipality::parse(name, name_en).ok_or_else(|| ConfigError::Value {
            key: "collect.areas",
            value: format!("{name:?}"),
            cure: "write full names with the prefecture first, such as \"東京都港区\"".to_owned(),
        })
    };
    let found: Vec<Municipality> = raw.areas.iter().map(parse).collect::<Result<_, _>>()?;
    distinct("collect.areas", found.iter().map(|municipality| municipality.area().area.clone()))?;
    Ok(found)
}

fn regions(raw: &Collect) -> Result<Vec<Region>, ConfigError> {
    let fault = |value: String, cure: &str| ConfigError::Value { key: "collect.regions", value, cure: cure.to_owned() };
    for RegionEntry { name, file, .. } in &raw.regions {
        if name.trim().is_empty() || file.as_os_str().is_empty() {
            return Err(fault(format!("{name:?}"), "give each region a name and a GeoJSON file"));
        }
    }
    let names = raw.regions.iter().map(|region| region.name.clone());
    distinct("collect.regions", names.chain(raw.areas.iter().cloned()))?;
    let region = |entry: &RegionEntry| {
        let RegionEntry { name, name_en, file } = entry;
        Region { name: name.clone(), name_en: non_empty(name_en).unwrap_or(name).to_owned(), file: file.clone() }
    };
    Ok(raw.regions.iter().map(region).collect())
}

/// Two areas of one name would be one label.
fn distinct(key: &'static str, names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            let cure = "name each area once".to_owned();
            return Err(ConfigError::Value { key, value: format!("{name:?} twice"), cure });
        }
    }
    Ok(())
}

fn density(raw: &Collect) -> Result<Density, ConfigError> {
    Ok(Density {
        points_per_town: within("collect.points_per_town", raw.points_per_town, 1..=1_000)? as u32,
        headings_per_point: within("collect.headings_per_point", raw.headings_per_point, 1..=36)? as u32,
        fov: within("collect.fov", raw.fov, 10..=120)? as u16,
        pitch: within("collect.pitch", raw.pitch, -90..=90)? as i16,
        width: within("collect.width", raw.width, 64..=2_048)? as u32,
        height: within("collect.height", raw.height, 64..=2_048)? as u32,
        search_radius_m: within("collect.search_radius_m", raw.search_radius_m, 1..=500)? as u32,
    })
}

fn pace(raw: &Collect) -> Result<Pace, ConfigError> {
    let rate = raw.requests_per_second;
    if !(rate > 0.0 && rate <= 1_000.0) {
        let cure = "write a number above 0, at most 1000".to_owned();
        return Err(ConfigError::Value { key: "collect.requests_per_second", value: rate.to_string(), cure });
    }
    let seconds = |key, value| within(key, value, 1..=600).map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
    Ok(Pace {
        requests_per_second: rate,
        concurrency: within("collect.concurrency", raw.concurrency, 1..=256)? as usize,
        connect_timeout: seconds("collect.connect_timeout_seconds", raw.connect_timeout_seconds)?,
        read_timeout: seconds("collect.read_timeout_seconds", raw.read_timeout_seconds)?,
    })
}

fn money(raw: &Collect) -> Result<Money, ConfigError> {
    let currency = raw.currency.clone();
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let cure = "write an ISO 4217 code, such as \"USD\" or \"JPY\"".to_owned();
        return Err(ConfigError::Value { key: "collect.currency", value: format!("{currency:?}"), cure });
    }
    Ok(Money {
        currency,
        price_per_image: Micros(micros("collect.price_per_1000_images", raw.price_per_1000_images)?.0 / 1_000),
        cap_per_run: micros("collect.cap_per_run", raw.cap_per_run)?,
        cap_per_day: micros("collect.cap_per_day", raw.cap_per_day)?,
        cap_per_month: micros("collect.cap_per_month", raw.cap_per_month)?,
    })
}

fn micros(key: &'static str, value: f64) -> Result<Micros, ConfigError> {
    if (0.0..=MOST_MONEY).contains(&value) {
        return Ok(Micros((value * 1e6).round() as i64));
    }
    let cure = format!("write an amount of money from 0 to {MOST_MONEY}");
    Err(ConfigError::Value { key, value: value.to_string(), cure })
}

fn geolonia(raw: &Geolonia) -> Result<settings::Geolonia, ConfigError> {
    let version = match raw.version {
        1 => GeoloniaVersion::V1,
        2 => GeoloniaVersion::V2,
        other => {
            let cure = "write 1 or 2".to_owned();
            return Err(ConfigError::Value { key: "geolonia.version", value: other.to_string(), cure });
        }
    };
    Ok(settings::Geolonia { version, api_url: server("geolonia.api_url", &raw.api_url, version.public_url())? })
}

fn within(key: &'static str, value: i64, range: RangeInclusive<i64>) -> Result<i64, ConfigError> {
    let cure = || format!("write a whole number from {} to {}", range.start(), range.end());
    let fault = || ConfigError::Value { key, value: value.to_string(), cure: cure() };
    range.contains(&value).then_some(value).ok_or_else(fault)
}

/// A base URL. Secrets travel there: plain http only within this machine.
fn server(key: &'static str, value: &str, usual: &str) -> Result<Url, ConfigError> {
    let value = non_empty(value).unwrap_or(usual);
    let is_safe = |url: &Url| match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    Url::parse(value).ok().filter(is_safe).ok_or_else(|| ConfigError::Value {
        key,
        value: format!("{value:?}"),
        cure: "write an https address, or an http one on this machine, such as \"http://127.0.0.1:8600\"".to_owned(),
    })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

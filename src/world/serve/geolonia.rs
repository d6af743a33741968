//! Geolonia's address API, versions 1 and 2: prefectures, municipalities, and the towns of the seven areas.

mod v2;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::{Services, Shared};

/// Every prefecture with its municipalities: version 1's `ja.json`, byte for byte.
const MUNICIPALITIES: &str = include_str!("../data/ja.json");

/// An area whose towns are embedded.
struct Source {
    prefecture: &'static str,
    municipality: &'static str,
    /// 全国地方公共団体コード: five digits and a check digit, leading zeros dropped.
    code: u32,
    /// Version 1's list of towns.
    towns: &'static str,
}

/// In the order of the codes.
const SOURCES: [Source; 7] = [
    Source {
        prefecture: "北海道",
        municipality: "旭川市",
        code: 12_041,
        towns: include_str!("../data/towns/北海道旭川市.json"),
    },
    Source {
        prefecture: "東京都",
        municipality: "千代田区",
        code: 131_016,
        towns: include_str!("../data/towns/東京都千代田区.json"),
    },
    Source {
        prefecture: "東京都",
        municipality: "中央区",
        code: 131_024,
        towns: include_str!("../data/towns/東京都中央区.json"),
    },
    Source {
        prefecture: "東京都",
        municipality: "港区",
        code: 131_032,
        towns: include_str!("../data/towns/東京都港区.json"),
    },
    Source {
        prefecture: "東京都",
        municipality: "新宿区",
        code: 131_041,
        towns: include_str!("../data/towns/東京都新宿区.json"),
    },
    Source {
        prefecture: "東京都",
        municipality: "江東区",
        code: 131_083,
        towns: include_str!("../data/towns/東京都江東区.json"),
    },
    Source {
        prefecture: "東京都",
        municipality: "渋谷区",
        code: 131_130,
        towns: include_str!("../data/towns/東京都渋谷区.json"),
    },
];

/// An entry of version 1's town lists.
#[derive(Debug, Deserialize)]
struct Entry {
    town: String,
    koaza: String,
    lat: Option<f64>,
    lng: Option<f64>,
}

impl Source {
    fn entries(&self) -> Vec<Entry> {
        serde_json::from_str(self.towns).expect("embedded town lists are JSON of this shape; a test reads them all")
    }
}

/// The four kinds of lists, ready to send.
pub struct Addresses {
    v2_prefectures: Bytes,
    /// Versions 1 and 2 of a list of towns, by `prefecture/municipality`.
    towns: HashMap<String, (Bytes, Bytes)>,
}

impl Addresses {
    /// Derives version 2 from the embedded lists of version 1.
    pub fn load() -> Self {
        let towns = SOURCES.iter().map(|source| {
            let lists = (Bytes::from_static(source.towns.as_bytes()), json(&v2::towns(&source.entries())));
            (format!("{}/{}", source.prefecture, source.municipality), lists)
        });
        Self { v2_prefectures: json(&v2::prefectures(&SOURCES)), towns: towns.collect() }
    }
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value).expect("structs of strings and finite numbers always serialise").into()
}

/// All paths of both versions.
pub fn routes() -> Router<Arc<Services>> {
    Router::new()
        .route("/geolonia/v1/api/ja.json", get(v1_prefectures))
        .route("/geolonia/v1/api/ja/{prefecture}/{file}", get(v1_towns))
        .route("/geolonia/v2/api/ja.json", get(v2_prefectures))
        .route("/geolonia/v2/api/ja/{prefecture}/{file}", get(v2_towns))
}

async fn v1_prefectures(State(services): Shared) -> Response {
    list(&services, Some(Bytes::from_static(MUNICIPALITIES.as_bytes())))
}

async fn v2_prefectures(State(services): Shared) -> Response {
    list(&services, Some(services.addresses.v2_prefectures.clone()))
}

async fn v1_towns(State(services): Shared, Path(path): Path<(String, String)>) -> Response {
    list(&services, services.addresses.find(&path).map(|(v1, _)| v1.clone()))
}

async fn v2_towns(State(services): Shared, Path(path): Path<(String, String)>) -> Response {
    list(&services, services.addresses.find(&path).map(|(_, v2)| v2.clone()))
}

impl Addresses {
    fn find(&self, (prefecture, file): &(String, String)) -> Option<&(Bytes, Bytes)> {
        self.towns.get(&format!("{prefecture}/{}", file.strip_suffix(".json")?))
    }
}

/// A list as JSON, or 404; both are booked.
fn list(services: &Services, list: Option<Bytes>) -> Response {
    services.books.write(|ledger| match list {
        Some(_) => ledger.geolonia.lists += 1,
        None => ledger.geolonia.not_found += 1,
    });
    match list {
        Some(json) => ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response(),
        None => (StatusCode::NOT_FOUND, "Not Found").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_area_is_a_municipality_of_version_1() {
        let listed: HashMap<String, Vec<String>> = serde_json::from_str(MUNICIPALITIES).unwrap();
        assert_eq!(listed.len(), 47);
        for Source { prefecture, municipality, .. } in &SOURCES {
            assert!(listed[*prefecture].iter().any(|name| name == municipality), "{municipality}");
        }
    }

    /// 総務省's check digit: weights 6 to 2, then 11 minus the remainder by 11, of which the last digit.
    #[test]
    fn codes_carry_their_check_digit() {
        for Source { municipality, code, .. } in &SOURCES {
            let digits = (0..5_u32).map(|i| code / 10_u32.pow(5 - i) % 10 * (6 - i));
            assert_eq!((11 - digits.sum::<u32>() % 11) % 10, code % 10, "{municipality}");
        }
    }
}

//! The lists as they come.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::collect::plan::Town;
use crate::collect::settings::GeoloniaVersion;
use crate::domain::Coordinate;

/// A town of version 1.
#[derive(Deserialize)]
struct TownV1 {
    town: String,
    lat: Option<f64>,
    lng: Option<f64>,
}

/// The envelope of version 2.
#[derive(Deserialize)]
struct Envelope<T> {
    data: Vec<T>,
}

/// A town of version 2; `point` is longitude, then latitude.
#[derive(Deserialize)]
struct TownV2 {
    #[serde(default)]
    oaza_cho: String,
    #[serde(default)]
    chome: String,
    #[serde(default)]
    koaza: String,
    point: Option<[f64; 2]>,
}

/// A prefecture of version 2.
#[derive(Deserialize)]
struct Prefecture {
    pref: String,
    cities: Vec<City>,
}

/// A municipality of version 2: 郡, 市区町村, and the ward of a 政令市.
#[derive(Deserialize)]
struct City {
    #[serde(default)]
    county: String,
    city: String,
    #[serde(default)]
    ward: String,
}

/// Towns in the order of the list, those of one name as one.
pub(in crate::collect) fn towns(version: GeoloniaVersion, body: &[u8]) -> Result<Vec<Town>, String> {
    let entries: Vec<(String, Option<Coordinate>)> = match version {
        GeoloniaVersion::V1 => parse::<Vec<TownV1>>(body)?.into_iter().map(TownV1::entry).collect(),
        GeoloniaVersion::V2 => parse::<Envelope<TownV2>>(body)?.data.into_iter().map(TownV2::entry).collect(),
    };
    Ok(merged(entries))
}

/// `(prefecture, municipality)` of all.
pub(in crate::collect) fn municipalities(
    version: GeoloniaVersion,
    body: &[u8],
) -> Result<Vec<(String, String)>, String> {
    let pairs = |(prefecture, municipalities): (String, Vec<String>)| {
        municipalities.into_iter().map(move |municipality| (prefecture.clone(), municipality))
    };
    Ok(match version {
        GeoloniaVersion::V1 => parse::<BTreeMap<String, Vec<String>>>(body)?.into_iter().flat_map(pairs).collect(),
        GeoloniaVersion::V2 => {
            let prefectures = parse::<Envelope<Prefecture>>(body)?.data.into_iter();
            prefectures.map(|it| (it.pref, it.cities.iter().map(City::name).collect())).flat_map(pairs).collect()
        }
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

impl TownV1 {
    fn entry(self) -> (String, Option<Coordinate>) {
        (self.town, self.lat.zip(self.lng).and_then(|(lat, lng)| Coordinate::new(lat, lng)))
    }
}

impl TownV2 {
    fn entry(self) -> (String, Option<Coordinate>) {
        let name = format!("{}{}", self.oaza_cho, self.chome);
        let name = if name.is_empty() { self.koaza } else { name };
        (name, self.point.and_then(|[lng, lat]| Coordinate::new(lat, lng)))
    }
}

impl City {
    fn name(&self) -> String {
        format!("{}{}{}", self.county, self.city, self.ward)
    }
}

fn merged(entries: Vec<(String, Option<Coordinate>)>) -> Vec<Town> {
    let mut towns: Vec<Town> = Vec::new();
    let mut index = HashMap::new();
    for (name, center) in entries.into_iter().filter(|(name, _)| !name.is_empty()) {
        let slot = *index.entry(name.clone()).or_insert(towns.len());
        if slot == towns.len() {
            towns.push(Town { name, centers: Vec::new() });
        }
        let centers = &mut towns[slot].centers;
        centers.extend(center.filter(|center| !centers.contains(center)));
    }
    towns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_give_the_same_towns() {
        let v1 = r#"[{"town":"西神楽一線","koaza":"六号","lat":43.68,"lng":142.43},{"town":"西神楽一線","koaza":"七号","lat":43.67,
            "lng":142.44},{"town":"赤坂一丁目","koaza":"","lat":35.66,"lng":139.74},{"town":"地先","koaza":"","lat":null,
            "lng":null},{"town":"西神楽一線","koaza":"八号","lat":43.68,"lng":142.43}]"#;
        let v2 = r#"{"meta":{"updated":1},"data":[
            {"machiaza_id":"0001001","oaza_cho":"西神楽一線","koaza":"六号","point":[142.43,43.68]},
            {"machiaza_id":"0001002","oaza_cho":"西神楽一線","koaza":"七号","point":[142.44,43.67]},
            {"machiaza_id":"0002001","oaza_cho":"赤坂","chome":"一丁目","point":[139.74,35.66]},
            {"machiaza_id":"0003000","oaza_cho":"地先"}]}"#;
        let towns = [(GeoloniaVersion::V1, v1), (GeoloniaVersion::V2, v2)].map(|(v, body)| towns(v, body.as_bytes()));
        let [first, second] = towns.map(Result::unwrap);
        assert_eq!(first, second);
        let sizes: Vec<(&str, usize)> = first.iter().map(|town| (&*town.name, town.centers.len())).collect();
        assert_eq!(sizes, [("西神楽一線", 2), ("赤坂一丁目", 1), ("地先", 0)]);
        assert_eq!(first[0].centers[1], Coordinate { lat: 43.67, lng: 142.44 });
    }

    #[test]
    fn municipalities_are_named_in_full() {
        let v1 = r#"{"北海道":["上川郡鷹栖町"],"神奈川県":["横浜市西区"]}"#;
        let v2 = r#"{"meta":{},"data":[{"code":1,"pref":"北海道","cities":[{"county":"上川郡","city":"鷹栖町"}]},
            {"code":14,"pref":"神奈川県","cities":[{"city":"横浜市","ward":"西区"}]}]}"#;
        for (version, body) in [(GeoloniaVersion::V1, v1), (GeoloniaVersion::V2, v2)] {
            let names = municipalities(version, body.as_bytes()).unwrap();
            let names: Vec<String> = names.into_iter().map(|(prefecture, name)| prefecture + &name).collect();
            assert_eq!(names, ["北海道上川郡鷹栖町", "神奈川県横浜市西区"]);
        }
    }

    #[test]
    fn the_other_version_is_an_error_and_positions_off_the_earth_are_none() {
        assert!(towns(GeoloniaVersion::V2, b"[]").is_err() && towns(GeoloniaVersion::V1, b"{\"data\":[]}").is_err());
        let body = r#"[{"town":"a","lat":139.7,"lng":35.6},{"town":"","lat":1,"lng":1}]"#;
        let read = towns(GeoloniaVersion::V1, body.as_bytes()).unwrap();
        assert_eq!(read, [Town { name: "a".to_owned(), centers: Vec::new() }]);
    }
}

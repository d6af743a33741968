//! Version 2 of the lists, derived from version 1.

use std::collections::HashMap;

use serde::Serialize;

use super::{Entry, Source};

/// Longitude, then latitude: the order of version 2.
type Point = [f64; 2];

/// Seconds since 1970 at which the data were published, so they say: 2024-11-01, the year of version 2.
const UPDATED: u64 = 1_730_419_200;

/// 都道府県: name, code, and the point of its office.
const PREFECTURES: [(&str, u32, Point); 2] =
    [("北海道", 10_006, [141.347_907, 43.063_941]), ("東京都", 130_001, [139.691_722, 35.689_501])];

/// The envelope of every answer.
#[derive(Debug, Serialize)]
pub struct Envelope<T> {
    meta: Meta,
    data: Vec<T>,
}

#[derive(Debug, Serialize)]
struct Meta {
    updated: u64,
}

/// 都道府県 with its municipalities.
#[derive(Debug, Serialize)]
pub struct Prefecture {
    code: u32,
    pref: &'static str,
    point: Point,
    cities: Vec<City>,
}

/// 市区町村.
#[derive(Debug, Serialize)]
struct City {
    code: u32,
    city: &'static str,
    point: Point,
}

/// 町字.
#[derive(Debug, PartialEq, Serialize)]
pub struct Town {
    machiaza_id: String,
    oaza_cho: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    koaza: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
}

fn envelope<T>(data: Vec<T>) -> Envelope<T> {
    Envelope { meta: Meta { updated: UPDATED }, data }
}

/// The prefectures of the given areas.
pub fn prefectures(sources: &[Source]) -> Envelope<Prefecture> {
    let cities = |pref: &str| {
        let here = sources.iter().filter(|source| source.prefecture == pref);
        here.map(|source| City { code: source.code, city: source.municipality, point: middle(&source.entries()) })
            .collect()
    };
    let prefecture =
        |&(pref, code, point): &(&'static str, u32, Point)| Prefecture { code, pref, point, cities: cities(pref) };
    envelope(PREFECTURES.iter().map(prefecture).collect())
}

/// The mean of the towns' points, since the embedded data do not say where the offices stand.
fn middle(entries: &[Entry]) -> Point {
    let points: Vec<Point> = entries.iter().filter_map(point).collect();
    let mean = |axis: usize| points.iter().map(|point| point[axis]).sum::<f64>() / points.len().max(1) as f64;
    [0, 1].map(|axis| (mean(axis) * 1e6).round() / 1e6)
}

fn point(entry: &Entry) -> Option<Point> {
    entry.lng.zip(entry.lat).map(|(lng, lat)| [lng, lat])
}

/// The towns of one municipality, in the order of version 1.
pub fn towns(entries: &[Entry]) -> Envelope<Town> {
    let mut ids = Ids::default();
    envelope(entries.iter().map(|entry| town(entry, &mut ids)).collect())
}

fn town(entry: &Entry, ids: &mut Ids) -> Town {
    let (oaza_cho, chome) = split_chome(&entry.town);
    Town {
        machiaza_id: ids.next(oaza_cho),
        oaza_cho: oaza_cho.to_owned(),
        chome: chome.map(str::to_owned),
        koaza: Some(entry.koaza.clone()).filter(|koaza| !koaza.is_empty()),
        point: point(entry),
    }
}

/// Splits `赤坂一丁目` into `赤坂` and `一丁目`. Names without a number before a final 丁目 stay whole.
fn split_chome(town: &str) -> (&str, Option<&str>) {
    let Some(before) = town.strip_suffix("丁目") else { return (town, None) };
    let oaza = before.trim_end_matches(|c| "一二三四五六七八九十".contains(c));
    if oaza.is_empty() || oaza.len() == before.len() { (town, None) } else { (oaza, Some(&town[oaza.len()..])) }
}

/// Invents machiaza ids: four digits for the 大字, three for the town within it.
#[derive(Default)]
struct Ids(HashMap<String, (usize, usize)>);

impl Ids {
    fn next(&mut self, oaza_cho: &str) -> String {
        let number = self.0.len() + 1;
        let (oaza, town) = self.0.entry(oaza_cho.to_owned()).or_insert((number, 0));
        *town += 1;
        format!("{oaza:04}{town:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::serve::geolonia::SOURCES;
    use std::collections::HashSet;

    #[test]
    fn a_chome_is_split_off_where_there_is_one() {
        assert_eq!(split_chome("赤坂一丁目"), ("赤坂", Some("一丁目")));
        assert_eq!(split_chome("三条通二十六丁目"), ("三条通", Some("二十六丁目")));
        assert_eq!(split_chome("五番町"), ("五番町", None));
        assert_eq!(split_chome("青海二丁目地先"), ("青海二丁目地先", None));
        assert_eq!(split_chome("一丁目"), ("一丁目", None), "nothing would be left");
    }

    #[test]
    fn nothing_is_lost_from_version_1() {
        for source in &SOURCES {
            let entries = source.entries();
            let towns = towns(&entries).data;
            assert_eq!(towns.len(), entries.len());
            for (town, entry) in towns.iter().zip(&entries) {
                assert_eq!(town.oaza_cho.clone() + town.chome.as_deref().unwrap_or_default(), entry.town);
                assert_eq!(town.koaza.as_deref().unwrap_or_default(), entry.koaza);
                assert_eq!(town.point.map(|[lng, lat]| (lat, lng)), entry.lat.zip(entry.lng));
            }
            let ids: HashSet<_> = towns.iter().map(|town| &town.machiaza_id).collect();
            assert_eq!(ids.len(), towns.len(), "ids of {}", source.municipality);
            assert!(ids.iter().all(|id| id.len() == 7));
        }
    }

    #[test]
    fn prefectures_hold_their_municipalities() {
        insta::assert_json_snapshot!(prefectures(&SOURCES));
    }
}

//! Borders from GeoJSON: those of municipalities in the form of 国土数値情報 N03, and polygons of regions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use geojson::{Feature, FeatureReader, GeoJson};

use super::area::Region;
use crate::domain::{Area, Border, Coordinate};

/// The borders of seven municipalities, simplified; see `src/world/data/README.md`.
const BUILT_IN: &str = include_str!("../world/data/areas.geojson");
/// Land and sea, coarse; see `src/world/data/README.md`.
const GROUND: &str = include_str!("../world/data/land.geojson");
/// Largest file of a region, bytes.
const MAX_REGION_BYTES: u64 = 64 << 20;

/// Why there is no border, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BorderError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no GeoJSON of the wanted form.
    #[error("{} is no GeoJSON with polygons: {problem}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Positions are not longitude and latitude.
    #[error(
        "the positions in {} are not degrees of longitude and latitude (WGS 84 or JGD2011): convert the file, for \
         example with `ogr2ogr -t_srs EPSG:4326`", path.display()
    )]
    NotDegrees {
        /// The file.
        path: PathBuf,
    },
    /// The municipality is not among the borders.
    #[error(
        "there is no border of {area} {place}: download 国土数値情報 N03 (行政区域データ) of its prefecture as GeoJSON from \
         https://nlftp.mlit.go.jp/ksj/ and name the file in `collect.borders_file`"
    )]
    Missing {
        /// Its full name.
        area: String,
        /// Where it was looked for.
        place: String,
    },
}

/// The borders of municipalities, in their order.
///
/// # Errors
/// See [`BorderError`]: each of them needs a border, since what lies outside it must not carry its name.
pub fn of_municipalities(file: Option<&Path>, areas: &[&Area]) -> Result<Vec<Border>, BorderError> {
    let (place, path) = match file {
        Some(path) => (format!("in {}", path.display()), path),
        None => ("built in".to_owned(), Path::new("the built-in borders")),
    };
    let mut found = match file {
        Some(path) => read_n03(open(path)?, path, areas)?,
        None => read_n03(BUILT_IN.as_bytes(), path, areas)?,
    };
    let border = |area: &&Area| {
        let missing = || BorderError::Missing { area: area.area.clone(), place: place.clone() };
        found.remove(&area.area).ok_or_else(missing)
    };
    areas.iter().map(border).collect()
}

/// The borders that are built in, whoever asks: what there is to see on a map besides what it is about.
#[must_use]
pub fn built_in() -> &'static [Border] {
    static KNOWN: LazyLock<Vec<Border>> = LazyLock::new(|| {
        let features = FeatureReader::from_reader(BUILT_IN.as_bytes()).features().map_while(Result::ok);
        features.filter_map(|feature| Some(Border::of_geometry(&feature.geometry?.value))).collect()
    });
    &KNOWN
}

/// The continents and larger islands, good enough for maps of more than a few hundred kilometres.
#[must_use]
pub fn land() -> &'static Border {
    static LAND: LazyLock<Border> = LazyLock::new(|| match GROUND.parse::<geojson::Geometry>() {
        Ok(geometry) => Border::of_geometry(&geometry.value),
        Err(_) => Border::default(),
    });
    &LAND
}

/// Where borders are looked for, besides those that are built in.
#[derive(Clone, Debug, Default)]
pub struct Grounds {
    /// Municipalities, a 国土数値情報 N03 file.
    pub file: Option<PathBuf>,
    /// Regions of one's own.
    pub regions: Vec<Region>,
}

/// The borders of these areas, as far as they are known; empty where there is none. A cell knows its own.
///
/// # Errors
/// When a file cannot be read.
pub fn known(grounds: &Grounds, areas: &[&Area]) -> Result<Vec<Border>, BorderError> {
    let mut found = match &grounds.file {
        Some(path) => read_n03(open(path)?, path, areas)?,
        None => BTreeMap::new(),
    };
    for (name, border) in read_n03(BUILT_IN.as_bytes(), Path::new("the built-in borders"), areas)? {
        found.entry(name).or_insert(border);
    }
    let region = |area: &Area| grounds.regions.iter().find(|region| region.name == area.area);
    let border = |area: &&Area| match (area.cell, region(area)) {
        (Some(cell), _) => Ok(cell.border()),
        (None, Some(region)) => of_region(&region.file),
        (None, None) => Ok(found.remove(&area.area).unwrap_or_default()),
    };
    areas.iter().map(border).collect()
}

/// The border of a region: all polygons of its file.
///
/// # Errors
/// See [`BorderError`].
pub fn of_region(path: &Path) -> Result<Border, BorderError> {
    let form = |problem: String| BorderError::Form { path: path.to_owned(), problem };
    let mut text = String::new();
    let read = open(path)?.take(MAX_REGION_BYTES + 1).read_to_string(&mut text);
    read.map_err(|source| BorderError::Read { path: path.to_owned(), source })?;
    if text.len() as u64 > MAX_REGION_BYTES {
        return Err(form(format!("it is larger than {} MiB", MAX_REGION_BYTES >> 20)));
    }
    let features = match text.parse::<GeoJson>().map_err(|error| form(error.to_string()))? {
        GeoJson::FeatureCollection(collection) => collection.features,
        GeoJson::Feature(feature) => vec![feature],
        GeoJson::Geometry(geometry) => vec![Feature { geometry: Some(geometry), ..Feature::default() }],
    };
    let mut border = Border::default();
    for feature in features {
        border.extend(border_of(&feature, path)?);
    }
    if border.rings().is_empty() { Err(form("there is no polygon in it".to_owned())) } else { Ok(border) }
}

fn open(path: &Path) -> Result<BufReader<File>, BorderError> {
    File::open(path).map(BufReader::new).map_err(|source| BorderError::Read { path: path.to_owned(), source })
}

/// The wanted borders by full name. The file is read feature by feature: one of a prefecture has a hundred megabytes.
fn read_n03(file: impl Read, path: &Path, areas: &[&Area]) -> Result<BTreeMap<String, Border>, BorderError> {
    let mut found: BTreeMap<String, Border> = BTreeMap::new();
    for feature in FeatureReader::from_reader(file).features() {
        let feature =
            feature.map_err(|error| BorderError::Form { path: path.to_owned(), problem: error.to_string() })?;
        if let Some(area) = areas.iter().find(|area| is_of(&feature, area)) {
            found.entry(area.area.clone()).or_default().extend(border_of(&feature, path)?);
        }
    }
    Ok(found)
}

/// Whether a feature is of this municipality: prefecture, then 郡 or 政令市, then the name, then the ward since 2024.
/// Lists of towns name a 町 or 村 with its 郡 or without.
fn is_of(feature: &Feature, area: &Area) -> bool {
    let part = |key| feature.property(key).and_then(|value| value.as_str()).unwrap_or_default();
    let [prefecture, district, name, ward] = ["N03_001", "N03_003", "N03_004", "N03_005"].map(part);
    let wanted = &area.municipality;
    prefecture == area.prefecture
        && !name.is_empty()
        && (format!("{district}{name}{ward}") == *wanted || format!("{name}{ward}") == *wanted)
}

fn border_of(feature: &Feature, path: &Path) -> Result<Border, BorderError> {
    let border = feature.geometry.as_ref().map(|geometry| Border::of_geometry(&geometry.value)).unwrap_or_default();
    let are_degrees = border.rings().iter().flatten().all(|&[lng, lat]| Coordinate::new(lat, lng).is_some());
    if are_degrees { Ok(border) } else { Err(BorderError::NotDegrees { path: path.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(prefecture: &str, municipality: &str) -> Area {
        Area::new(prefecture, municipality, "x")
    }

    fn feature(names: [&str; 4], from: f64) -> String {
        let [prefecture, district, name, ward] = names;
        let to = from + 1.0;
        format!(
            r#"{{"type":"Feature","properties":{{"N03_001":"{prefecture}","N03_003":"{district}","N03_004":"{name}",
            "N03_005":"{ward}"}},"geometry":{{"type":"Polygon","coordinates":[[[{from},0],[{to},0],[{to},1],[{from},0]]]}}}}"#
        )
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("borders.geojson");
        std::fs::write(&path, text).expect("the file is written");
        (folder, path)
    }

    #[test]
    fn the_seven_are_built_in_and_others_are_asked_for() {
        let minato = area("東京都", "港区");
        let borders = of_municipalities(None, &[&minato, &area("北海道", "旭川市")]).unwrap();
        let tower = Coordinate { lat: 35.6586, lng: 139.7454 };
        assert_eq!([0, 1].map(|index: usize| borders[index].contains(tower)), [true, false]);
        let missing = of_municipalities(None, &[&minato, &area("沖縄県", "那覇市")]).unwrap_err();
        insta::assert_snapshot!(missing);
    }

    #[test]
    fn what_is_built_in_can_be_drawn() {
        assert_eq!(built_in().len(), 7);
        let inside = [(48.85, 2.35), (35.5, 139.3), (-25.0, 135.0)].map(|(lat, lng)| Coordinate { lat, lng });
        assert!(inside.into_iter().all(|at| land().contains(at)), "Paris, Japan, Australia");
        assert!(!land().contains(Coordinate { lat: 0.0, lng: -30.0 }), "the Atlantic");
    }

    #[test]
    fn names_of_every_kind_are_found_and_islands_belong_to_them() {
        let names = [
            ["神奈川県", "横浜市", "西区", ""],
            ["神奈川県", "", "川崎市", "幸区"],
            ["北海道", "上川郡", "鷹栖町", ""],
            ["北海道", "", "旭川市", ""],
            ["北海道", "", "旭川市", ""],
            ["大阪府", "", "旭川市", ""],
        ];
        let features: Vec<String> =
            names.iter().enumerate().map(|(index, names)| feature(*names, 10.0 + 2.0 * index as f64)).collect();
        let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        let (_folder, path) = file(&text);
        let areas = [
            area("北海道", "旭川市"),
            area("北海道", "上川郡鷹栖町"),
            area("神奈川県", "横浜市西区"),
            area("神奈川県", "川崎市幸区"),
        ];
        let borders = of_municipalities(Some(&path), &areas.iter().collect::<Vec<_>>()).unwrap();
        let rings: Vec<usize> = borders.iter().map(|border| border.rings().len()).collect();
        assert_eq!(rings, [2, 1, 1, 1], "an island is a feature of its own");
        assert!(of_municipalities(Some(&path), &[&area("北海道", "鷹栖町")]).is_ok(), "without its 郡");
        assert!(of_municipalities(Some(&path), &[&area("神奈川県", "横浜市")]).is_err(), "a city is not its ward");
    }

    #[test]
    fn a_region_is_any_geojson_with_polygons() {
        let polygon = r#"{"type":"Polygon","coordinates":[[[2,48],[3,48],[3,49],[2,48]]]}"#;
        let feature = format!(r#"{{"type":"Feature","properties":null,"geometry":{polygon}}}"#);
        let collection = format!(r#"{{"type":"FeatureCollection","features":[{feature},{feature}]}}"#);
        for (text, rings) in [(polygon, 1), (&*feature, 1), (&*collection, 2)] {
            let (_folder, path) = file(text);
            assert_eq!(of_region(&path).unwrap().rings().len(), rings, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let texts = [
            "no JSON",
            r#"{"type":"Point","coordinates":[2,48]}"#,
            r#"{"type":"Polygon","coordinates":[[[389000,3948000],[390000,3948000],[390000,3949000]]]}"#,
        ];
        let said = texts.map(|text| {
            let (folder, path) = file(text);
            of_region(&path).unwrap_err().to_string().replace(&folder.path().display().to_string(), "DIR")
        });
        let nowhere = of_region(Path::new("/nowhere/region.geojson")).unwrap_err().to_string();
        insta::assert_snapshot!(said.into_iter().chain([nowhere]).collect::<Vec<_>>().join("\n"));
    }
}

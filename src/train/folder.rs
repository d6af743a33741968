//! Photos in folders: `SPLIT/AREA/PHOTO`, with a table of their towns.
//!
//! The splits are `train`, `validation`, `test` and `quiz` (left out); an area is named in full, prefecture first
//! (`東京都港区`). Every `*.csv` beside the splits that has columns `file_name` or `file` (path within the folder) and `town`
//! says where photos were taken; columns `licence`, `attribution`, `link`, `lat` and `lng` say what they may be used for,
//! whom they are owed to, where the original is and where exactly it was taken.
//!
//! For labels that are cells ([`super::cells`]) photos may lie anywhere in the folder: `lat` and `lng` are enough, and
//! `area`, `town` and `split` are read where the table has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

use super::cells::{Labelled, Lost, Rule, Sight, label};
use super::data::{DataError, Dataset, Example, RawPhoto};
use crate::collect::area::Municipality;
use crate::domain::geocell::grid_cell;
use crate::domain::quiz::Credit;
use crate::domain::{Area, Coordinate, Split};
use crate::infer::decode::{self, PhotoError, decode_square};
use crate::infer::manifest::Provenance;
use crate::infer::preprocess::Preprocess;
use crate::judge::photos::within;

/// What a folder holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// The areas of the train split, by name.
    pub labels: Vec<Area>,
    /// Photos, by split, area and name.
    pub photos: Vec<Found>,
    /// Licences in the table.
    pub licences: BTreeSet<String>,
}

/// A photo in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Which split it lies in.
    pub split: Split,
    /// Index of its area among the labels.
    pub label: usize,
    /// Its town; where the table does not say, its own file name, so that it stands for itself.
    pub place: String,
    /// Where exactly it was taken, if the table says so.
    pub position: Option<Coordinate>,
    /// Whom it is owed to, as far as the table says.
    pub credit: Credit,
}

/// A folder that nothing can be trained on.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A folder or table that cannot be read.
    #[error("cannot read {}: {detail}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// No areas.
    #[error("{} has no folders train/AREA: give a folder as `kokodoko data export` writes it", path.display())]
    NoAreas {
        /// The folder.
        path: PathBuf,
    },
    /// No cells.
    #[error(
        "{} has too few photos with positions in the train split for any cell: give a table (metadata.csv) with columns \
         file_name, lat and lng, or a smaller --least", path.display()
    )]
    NoCells {
        /// The folder.
        path: PathBuf,
    },
    /// Photos of an area that is not learnt.
    #[error("{area} has photos in the {} split, but none to train on: remove them, or collect more towns", split.name())]
    Unknown {
        /// The area.
        area: String,
        /// The split.
        split: Split,
    },
    /// A photo that cannot be read.
    #[error("{}: {source}; remove it", path.display())]
    Photo {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PhotoError,
    },
    /// A split without photos of an area.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// What a table says about a photo.
struct Row {
    town: Option<String>,
    area: Option<String>,
    split: Option<Split>,
    position: Option<Coordinate>,
    attribution: Option<String>,
    licence: Option<String>,
    link: Option<String>,
}

impl Row {
    fn credit(&self) -> Credit {
        let words = |value: &Option<String>| value.clone().unwrap_or_default();
        Credit { source: words(&self.attribution), licence: words(&self.licence), url: self.link.clone() }
    }
}

impl Folder {
    /// Looks what there is; no photo is opened.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn read(root: &Path) -> Result<Self, FolderError> {
        let areas = folders(&root.join(Split::Train.name()))?;
        if areas.is_empty() {
            return Err(FolderError::NoAreas { path: root.to_owned() });
        }
        let table = tables(root)?;
        let mut photos = Vec::new();
        for split in [Split::Train, Split::Validation, Split::Test] {
            for area in folders(&root.join(split.name()))? {
                let unknown = || FolderError::Unknown { area: area.clone(), split };
                let label = areas.iter().position(|known| *known == area).ok_or_else(unknown)?;
                for file in entries(&root.join(split.name()).join(&area))? {
                    let name = format!("{}/{area}/{file}", split.name());
                    let row = table.get(&name);
                    photos.push(Found {
                        path: root.join(&name),
                        split,
                        label,
                        place: row.and_then(|row| row.town.clone()).unwrap_or_else(|| file.clone()),
                        position: row.and_then(|row| row.position),
                        credit: row.map_or_else(nobody, Row::credit),
                    });
                }
            }
        }
        let licences = table.into_values().filter_map(|row| row.licence).collect();
        Ok(Self { labels: areas.iter().map(|name| area(name)).collect(), photos, licences })
    }

    /// Photos of a folder with positions, labelled with cells; with what is left out and why.
    ///
    /// # Errors
    /// When a table cannot be read, leads out of the folder, or no photo to train on is left.
    pub fn in_cells(root: &Path, rule: &Rule<'_>) -> Result<(Self, Lost), FolderError> {
        let (mut photos, mut sights, mut licences) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (file, row) in tables(root)? {
            let path = within(root, &file).map_err(|detail| unreadable(root, detail))?;
            let area = row.area.clone().unwrap_or_default();
            let place = row.town.clone().or_else(|| row.position.map(grid_cell)).unwrap_or_else(|| file.clone());
            let split = row.split.unwrap_or_else(|| Split::of_place(&area, &place));
            sights.push(Sight { at: row.position, area, split });
            let (position, credit) = (row.position, row.credit());
            licences.extend(row.licence);
            photos.push(Found { path, split, label: 0, place, position, credit });
        }
        let Labelled { labels, of, lost } = label(&sights, rule);
        if labels.is_empty() {
            return Err(FolderError::NoCells { path: root.to_owned() });
        }
        let kept = photos.into_iter().zip(of).filter_map(|(photo, label)| Some(Found { label: label?, ..photo }));
        Ok((Self { labels, photos: kept.collect(), licences }, lost))
    }

    /// What a model says of these photos; `command` is how it was made.
    #[must_use]
    pub fn provenance(&self, command: String) -> Provenance {
        Provenance {
            data: "folder".to_owned(),
            command,
            licence: "that of the photos".to_owned(),
            attribution: self.licences.iter().cloned().collect(),
        }
    }

    /// Reads the files of the photos, as they are.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn raw(&self) -> Result<Vec<RawPhoto>, FolderError> {
        let read = |photo: &Found| {
            let (label, place, split) = (photo.label, photo.place.clone(), photo.split);
            Ok(RawPhoto { bytes: photo.read()?, label, place, split })
        };
        self.photos.iter().map(read).collect()
    }

    /// Decodes the photos on all cores.
    ///
    /// # Errors
    /// When a photo is damaged, or an area has none in a split.
    pub fn dataset(&self, input: Preprocess, stored: u32) -> Result<Dataset, FolderError> {
        let open = |photo: &Found| {
            let side = if photo.split == Split::Train { stored } else { input.size };
            let picture = decode_square(&photo.read()?, &decode::Limits::default(), side)
                .map_err(|source| FolderError::Photo { path: photo.path.clone(), source })?;
            Ok((photo.split, Example { picture, label: photo.label, place: photo.place.clone() }))
        };
        let examples: Vec<(Split, Example)> = self.photos.par_iter().map(open).collect::<Result<_, FolderError>>()?;
        Ok(Dataset::gather(examples, self.labels.clone(), input, stored)?)
    }
}

/// The credit of a photo of which no table knows.
fn nobody() -> Credit {
    Credit { source: String::new(), licence: String::new(), url: None }
}

impl Found {
    /// The file, as it is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, FolderError> {
        fs::read(&self.path).map_err(|error| unreadable(&self.path, error))
    }
}

/// A name that begins with no prefecture is that of a region of one's own.
fn area(name: &str) -> Area {
    Municipality::parse(name, None).map_or_else(|| Area::new("", name, name), |known| known.area().clone())
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> FolderError {
    FolderError::Unreadable { path: path.to_owned(), detail: error.to_string() }
}

/// Names within a folder, sorted, without hidden ones; none when there is no such folder.
fn entries(path: &Path) -> Result<Vec<String>, FolderError> {
    let listed = match fs::read_dir(path) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(path, error)),
    };
    let mut names = Vec::new();
    for entry in listed {
        let name = entry.map_err(|error| unreadable(path, error))?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn folders(path: &Path) -> Result<Vec<String>, FolderError> {
    Ok(entries(path)?.into_iter().filter(|name| path.join(name).is_dir()).collect())
}

/// The rows of all tables, by file.
fn tables(root: &Path) -> Result<BTreeMap<String, Row>, FolderError> {
    let mut rows = BTreeMap::new();
    for name in entries(root)?.into_iter().filter(|name| name.ends_with(".csv")) {
        let path = root.join(name);
        let mut table = csv::Reader::from_path(&path).map_err(|error| unreadable(&path, error))?;
        let headers = table.headers().map_err(|error| unreadable(&path, error))?.clone();
        let column = |name: &str| headers.iter().position(|header| header == name);
        let [licence, attribution, link, lat, lng] = ["licence", "attribution", "link", "lat", "lng"].map(column);
        let [town, area, split] = ["town", "area", "split"].map(column);
        let Some(file) = column("file_name").or_else(|| column("file")).filter(|_| town.or(lat.and(lng)).is_some())
        else {
            continue;
        };
        for record in table.records() {
            let record = record.map_err(|error| unreadable(&path, error))?;
            let words = |at: Option<usize>| at.map(|at| record[at].trim()).filter(|words| !words.is_empty());
            let degrees = |at: Option<usize>| words(at).and_then(|words| words.parse().ok());
            let row = Row {
                town: words(town).map(str::to_owned),
                area: words(area).map(str::to_owned),
                split: words(split).map(str::parse).transpose().map_err(|error| unreadable(&path, error))?,
                position: degrees(lat).zip(degrees(lng)).and_then(|(lat, lng)| Coordinate::new(lat, lng)),
                attribution: words(attribution).map(str::to_owned),
                licence: words(licence).map(str::to_owned),
                link: words(link).map(str::to_owned),
            };
            rows.insert(record[file].replace('\\', "/"), row);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::partition::Limits;
    use image::{Rgb, RgbImage};

    fn photo(root: &Path, name: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_pixel(30, 20, Rgb([9, 99, 200])).save(path).unwrap();
    }

    fn tree(areas: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for split in Split::ALL {
            for area in areas {
                photo(root.path(), &format!("{}/{area}/a.png", split.name()));
            }
        }
        root
    }

    #[test]
    fn splits_areas_and_towns_are_read() {
        let root = tree(&["東京都港区", "北海道旭川市"]);
        photo(root.path(), "train/東京都港区/b.png");
        let table = "file,town,licence,lat,lng,attribution,link\n\
            train/東京都港区/b.png,芝公園四丁目,CC BY-SA 4.0,35.6581,139.7514,Mapillary / Aoi,\n";
        fs::write(root.path().join("images.csv"), table).unwrap();
        fs::write(root.path().join("other.csv"), "name\nx\n").unwrap();
        let folder = Folder::read(root.path()).unwrap();
        let names: Vec<&str> = folder.labels.iter().map(|area| area.name_en.as_str()).collect();
        assert_eq!(names, ["Asahikawa, Hokkaido", "Minato, Tokyo"]);
        let places: Vec<&str> = folder.photos.iter().map(|photo| photo.place.as_str()).collect();
        assert_eq!(places, ["a.png", "a.png", "芝公園四丁目", "a.png", "a.png", "a.png", "a.png"]);
        let photo = &folder.photos[2];
        assert_eq!(photo.position, Coordinate::new(35.6581, 139.7514));
        assert_eq!((photo.credit.source.as_str(), &photo.credit.url), ("Mapillary / Aoi", &None));
        assert_eq!((folder.photos[0].position, folder.photos[0].credit.source.as_str()), (None, ""));
        assert_eq!(folder.licences, BTreeSet::from(["CC BY-SA 4.0".to_owned()]));
        let data = folder.dataset(Preprocess::imagenet(16), 20).unwrap();
        assert_eq!((data.train.len(), data.validation.len(), data.test.len()), (3, 2, 2));
        assert_eq!(data.train[2].picture.dimensions(), (20, 20));
        assert_eq!((data.train[2].label, data.train[0].label), (1, 0));
    }

    #[test]
    fn photos_with_positions_get_cells_wherever_they_lie() {
        let root = tempfile::tempdir().unwrap();
        let mut table = "file_name,lat,lng,area,town,split\n".to_owned();
        for i in 0..30 {
            let name = format!("somewhere/{i}.png");
            photo(root.path(), &name);
            let (lat, lng) = if i < 20 { (35.65, 139.74 + f64::from(i % 10) * 0.001) } else { (43.77, 142.36) };
            let split = ["train", "validation", "test"][(i % 10 / 4) as usize];
            let area = if i < 20 { "東京都港区" } else { "" };
            table.push_str(&format!("{name},{lat},{lng},{area},町{},{split}\n", i % 10));
        }
        fs::write(root.path().join("metadata.csv"), &table).unwrap();
        let limits = Limits { most: 10, least: 3, deepest: 10 };
        let (folder, lost) = Folder::in_cells(root.path(), &Rule::Made(limits)).unwrap();
        let names: Vec<&str> = folder.labels.iter().map(|area| area.name_en.as_str()).collect();
        assert_eq!(names, ["near 43.6°N 142.2°E", "near Minato, Tokyo"]);
        assert_eq!((folder.photos.len(), lost), (30, Lost::default()));
        let (again, _) = Folder::in_cells(root.path(), &Rule::Known(&folder.labels)).unwrap();
        assert_eq!(again, folder);
        let data = folder.dataset(Preprocess::imagenet(16), 20).unwrap();
        assert_eq!((data.train.len(), data.validation.len(), data.test.len()), (12, 12, 6));
        let none = Limits { least: 100, ..limits };
        let error = Folder::in_cells(root.path(), &Rule::Made(none)).unwrap_err();
        assert!(matches!(error, FolderError::NoCells { .. }), "{error}");
        fs::write(root.path().join("metadata.csv"), "file,lat,lng\n../a.jpg,1,2\n").unwrap();
        assert!(Folder::in_cells(root.path(), &Rule::Made(limits)).unwrap_err().to_string().contains("outside"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::read(root.path()), Err(FolderError::NoAreas { .. })));
        let root = tree(&["港区", "甲"]);
        fs::remove_dir_all(root.path().join("test/甲")).unwrap();
        let error = Folder::read(root.path()).unwrap().dataset(Preprocess::imagenet(16), 20).unwrap_err();
        assert_eq!(error.to_string(), "甲 has no photo in the test split: collect more places there");
        fs::remove_dir_all(root.path().join("train/甲")).unwrap();
        assert!(matches!(Folder::read(root.path()), Err(FolderError::Unknown { split: Split::Validation, .. })));
        fs::remove_dir_all(root.path().join("validation/甲")).unwrap();
        fs::write(root.path().join("test/港区/broken.jpg"), b"no picture").unwrap();
        let error = Folder::read(root.path()).unwrap().dataset(Preprocess::imagenet(16), 20).unwrap_err();
        assert!(matches!(&error, FolderError::Photo { path, .. } if path.ends_with("broken.jpg")), "{error}");
    }
}

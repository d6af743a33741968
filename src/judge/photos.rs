//! Photos to judge models by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::domain::area::{are_cells, label_at};
use crate::domain::geocell::grid_cell;
use crate::domain::{Area, Coordinate, Split};
use crate::world::World;
use crate::world::photo::PhotoSpec;

/// The tables of `data export` and of `world render`.
const TABLES: [&str; 2] = ["metadata.csv", "truth.csv"];

/// A photo whose truth is known.
#[derive(Clone, Debug)]
pub struct TestPhoto {
    /// Full name of the true area: `東京都港区`.
    pub area: String,
    /// Town or grid cell within the area; for a photo of unknown place, a name of its own.
    pub place: String,
    /// Where exactly it was taken, if that is known.
    pub position: Option<Coordinate>,
    /// Whom to credit when it is shown.
    pub credit: Option<String>,
    /// Where its bytes come from.
    pub origin: Origin,
}

/// A town whose position is known, whatever split it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedTown {
    /// Full name of its area.
    pub area: String,
    /// Its name.
    pub town: String,
    /// Where it lies: its centre, or the middle of its photos.
    pub at: Coordinate,
}

/// Where the bytes of a photo come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// It is drawn.
    Drawn {
        /// The world.
        world: Arc<World>,
        /// The photo.
        spec: PhotoSpec,
    },
    /// It lies in a file.
    File(PathBuf),
    /// It is here.
    Memory(Arc<[u8]>),
}

/// Photos that cannot be had.
#[derive(Debug, Error)]
pub enum PhotoError {
    /// The folder has no table.
    #[error(
        "{} has no table of its photos ({}): export the dataset again, or name a folder that has one",
        folder.display(), TABLES.join(" or ")
    )]
    NoTable {
        /// The folder.
        folder: PathBuf,
    },
    /// The table is not as it should be.
    #[error("{}: {problem}", table.display())]
    Table {
        /// The table.
        table: PathBuf,
        /// What is wrong, and in which row.
        problem: String,
    },
    /// No photo belongs to the split.
    #[error("{} has no photo in the {} split: collect more places", folder.display(), split.name())]
    Empty {
        /// The folder.
        folder: PathBuf,
        /// Which split.
        split: Split,
    },
}

impl TestPhoto {
    /// The bytes of the photo; drawing one takes tens of milliseconds.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn load(&self) -> std::io::Result<Vec<u8>> {
        match &self.origin {
            Origin::Drawn { world, spec } => Ok(spec.shoot(world).jpeg),
            Origin::File(path) => std::fs::read(path),
            Origin::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Names the photo in logs: its file, or what it is.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::File(path) => path.display().to_string(),
            Origin::Drawn { spec, .. } => format!("drawing {} of {}", spec.panorama, self.area),
            Origin::Memory(_) => format!("photo of {} {}", self.area, self.place),
        }
    }
}

/// Drawn photos.
#[must_use]
pub fn drawn(world: &Arc<World>, specs: impl IntoIterator<Item = PhotoSpec>) -> Vec<TestPhoto> {
    let photo = |spec: PhotoSpec| TestPhoto {
        area: world.areas()[spec.area].area.clone(),
        place: world.panoramas(spec.area)[spec.panorama].town.clone(),
        position: Some(world.panoramas(spec.area)[spec.panorama].position),
        credit: None,
        origin: Origin::Drawn { world: world.clone(), spec },
    };
    specs.into_iter().map(photo).collect()
}

/// Photos as a model knows them.
#[derive(Clone, Debug)]
pub struct Known {
    /// Those that lie in its areas, by the names of these.
    pub photos: Vec<TestPhoto>,
    /// Where each of them stands among all.
    pub inside: Vec<usize>,
    /// Where those stand that lie outside.
    pub outside: Vec<usize>,
}

/// Photos as a model with these labels knows them: for cells a photo's area follows from its position alone; for others
/// all photos stay as they are.
#[must_use]
pub fn as_known(photos: &[TestPhoto], labels: &[Area]) -> Known {
    let cells = are_cells(labels);
    let mut known = Known { photos: Vec::new(), inside: Vec::new(), outside: Vec::new() };
    for (i, photo) in photos.iter().enumerate() {
        let area = if cells {
            photo.position.and_then(|at| label_at(labels, at)).map(|label| &labels[label].area)
        } else {
            Some(&photo.area)
        };
        if let Some(area) = area {
            known.photos.push(TestPhoto { area: area.clone(), ..photo.clone() });
            known.inside.push(i);
        } else {
            known.outside.push(i);
        }
    }
    known
}

/// Towns as a model with these labels knows them: the cells that they lie in decide, where there are cells.
#[must_use]
pub fn towns_as_known(towns: Vec<PlacedTown>, labels: &[Area]) -> Vec<PlacedTown> {
    if !are_cells(labels) {
        return towns;
    }
    let known = |town: PlacedTown| Some(PlacedTown { area: labels[label_at(labels, town.at)?].area.clone(), ..town });
    towns.into_iter().filter_map(known).collect()
}

/// The file of a table's row.
///
/// # Errors
/// When it lies outside the folder: a table from elsewhere must not lead out of it.
pub fn within(folder: &Path, file: &str) -> Result<PathBuf, String> {
    let file = Path::new(file);
    if file.is_absolute() || file.components().any(|part| part == std::path::Component::ParentDir) {
        return Err(format!("`{}` lies outside the folder", file.display()));
    }
    Ok(folder.join(file))
}

/// The photos of one split of an exported dataset: a folder with photos and a table (CSV) that names, for each, its
/// file relative to the folder (`file_name` or `file`), its area (`area`), its town (`town`) and, where known, its split
/// (`split`; else [`Split::of_place`]), whom to credit (`attribution`, `licence`, `link`) and its position (`lat`, `lng`,
/// degrees). Where there are positions, area and town may be missing.
///
/// # Errors
/// See [`PhotoError`].
pub fn folder(folder: &Path, split: Split) -> Result<Vec<TestPhoto>, PhotoError> {
    let mut photos = Vec::new();
    each_row(folder, |columns, row| {
        photos.extend(columns.photo(folder, row, split)?);
        Ok(())
    })?;
    if photos.is_empty() {
        return Err(PhotoError::Empty { folder: folder.to_owned(), split });
    }
    Ok(photos)
}

/// The towns of an exported dataset, of every split, each in the middle of its photos; none where the table names no
/// positions (`lat` and `lng`, degrees).
///
/// # Errors
/// See [`PhotoError`].
pub fn folder_towns(folder: &Path) -> Result<Vec<PlacedTown>, PhotoError> {
    let mut sums: BTreeMap<(String, String), (f64, f64, f64)> = BTreeMap::new();
    each_row(folder, |columns, row| {
        if let Some(at) = columns.position(row) {
            let (lat, lng, count) = sums.entry(columns.place(row)).or_default();
            (*lat, *lng, *count) = (*lat + at.lat, *lng + at.lng, *count + 1.0);
        }
        Ok(())
    })?;
    let town = |((area, town), (lat, lng, count)): ((String, String), (f64, f64, f64))| {
        // A town does not reach around the globe, so that its middle is that of its degrees.
        PlacedTown { area, town, at: Coordinate { lat: lat / count, lng: lng / count } }
    };
    Ok(sums.into_iter().map(town).collect())
}

/// The towns of the drawn world.
#[must_use]
pub fn drawn_towns(world: &World) -> Vec<PlacedTown> {
    let of = |(index, area): (usize, &Area)| {
        let placed = world.towns(index).iter().filter_map(|town| Some((town.name.clone(), town.center?)));
        placed.map(|(town, at)| PlacedTown { area: area.area.clone(), town, at }).collect::<Vec<_>>()
    };
    world.areas().iter().enumerate().flat_map(of).collect()
}

/// Reads the table of a folder row by row.
fn each_row(
    folder: &Path,
    mut take: impl FnMut(&Columns, &csv::StringRecord) -> Result<(), String>,
) -> Result<(), PhotoError> {
    let table = TABLES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let table = table.ok_or_else(|| PhotoError::NoTable { folder: folder.to_owned() })?;
    let bad = |problem: String| PhotoError::Table { table: table.clone(), problem };
    let mut reader = csv::Reader::from_path(&table).map_err(|error| bad(error.to_string()))?;
    let columns = Columns::of(reader.headers().map_err(|error| bad(error.to_string()))?).map_err(&bad)?;
    for (i, row) in reader.records().enumerate() {
        let row = row.map_err(|error| bad(error.to_string()))?;
        // The first row stands on line 2.
        take(&columns, &row).map_err(|problem| bad(format!("line {}: {problem}", i + 2)))?;
    }
    Ok(())
}

/// Where the table has what.
struct Columns {
    file: usize,
    area: Option<usize>,
    place: Option<usize>,
    split: Option<usize>,
    credit: Option<usize>,
    licence: Option<usize>,
    link: Option<usize>,
    position: Option<(usize, usize)>,
}

impl Columns {
    fn of(head: &csv::StringRecord) -> Result<Self, String> {
        let find = |names: &[&str]| head.iter().position(|column| names.contains(&column.trim()));
        let need = |names: &[&str]| find(names).ok_or_else(|| format!("there is no column `{}`", names.join("` or `")));
        let position = find(&["lat"]).zip(find(&["lng"]));
        let unless_placed = |name: &str| if position.is_some() { Ok(find(&[name])) } else { need(&[name]).map(Some) };
        Ok(Self {
            file: need(&["file_name", "file"])?,
            area: unless_placed("area")?,
            place: unless_placed("town")?,
            split: find(&["split"]),
            credit: find(&["attribution"]),
            licence: find(&["licence"]),
            link: find(&["link"]),
            position,
        })
    }

    /// Where the photo was taken, degrees; `None` where the table does not say.
    fn position(&self, row: &csv::StringRecord) -> Option<Coordinate> {
        let degrees = |column: usize| row.get(column)?.trim().parse::<f64>().ok();
        let (lat, lng) = self.position?;
        Coordinate::new(degrees(lat)?, degrees(lng)?)
    }

    /// Area and town; a cell stands for a town that is not named.
    fn place(&self, row: &csv::StringRecord) -> (String, String) {
        let cell =
            |column: Option<usize>| column.and_then(|column| row.get(column)).unwrap_or_default().trim().to_owned();
        let town = Some(cell(self.place)).filter(|town| !town.is_empty());
        (cell(self.area), town.or_else(|| self.position(row).map(grid_cell)).unwrap_or_default())
    }

    /// `None` when the row belongs to another split.
    fn photo(&self, folder: &Path, row: &csv::StringRecord, wanted: Split) -> Result<Option<TestPhoto>, String> {
        let cell = |column: usize| row.get(column).unwrap_or_default().trim();
        let optional = |column: Option<usize>| column.map(cell).filter(|words| !words.is_empty());
        let (area, place) = self.place(row);
        let split = match optional(self.split) {
            Some(name) => name.parse()?,
            None => Split::of_place(&area, &place),
        };
        let file = within(folder, cell(self.file))?;
        let credit: Vec<&str> = [self.credit, self.licence, self.link].into_iter().filter_map(optional).collect();
        let photo = TestPhoto {
            area,
            place,
            position: self.position(row),
            credit: (!credit.is_empty()).then(|| credit.join(", ")),
            origin: Origin::File(file),
        };
        Ok((split == wanted).then_some(photo))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Geocell;

    fn table(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("metadata.csv"), text).unwrap();
        folder
    }

    #[test]
    fn an_export_is_read_with_its_splits_and_credits() {
        let found = table(
            "file_name,area,town,split,attribution,licence\n\
             港区/1.jpg,東京都港区,赤坂一丁目,test,Aoi,CC BY-SA 4.0\n\
             港区/2.jpg,東京都港区,赤坂二丁目,train,Aoi,CC BY-SA 4.0\n",
        );
        let photos = folder(found.path(), Split::Test).unwrap();
        assert_eq!(photos.len(), 1);
        assert_eq!((photos[0].area.as_str(), photos[0].place.as_str()), ("東京都港区", "赤坂一丁目"));
        assert_eq!(photos[0].credit.as_deref(), Some("Aoi, CC BY-SA 4.0"));
        assert!(photos[0].name().ends_with("1.jpg"));
        assert!(photos[0].load().is_err(), "the file is missing");
    }

    #[test]
    fn what_world_render_writes_is_read_back() {
        let world = Arc::new(World::load());
        let found = tempfile::tempdir().unwrap();
        crate::world::render_to(&world, found.path(), 3, 5, &[Split::Test]).unwrap();
        let photos = folder(found.path(), Split::Test).unwrap();
        let specs = crate::world::photos(&world, 5, &[Split::Test], 1).take(3);
        for (file, drawing) in photos.iter().zip(drawn(&world, specs)) {
            assert_eq!((&file.area, &file.place), (&drawing.area, &drawing.place));
            assert_eq!(file.load().unwrap(), drawing.load().unwrap());
        }
        assert!(matches!(folder(found.path(), Split::Train), Err(PhotoError::Empty { .. })));
    }

    #[test]
    fn towns_lie_in_the_middle_of_their_photos_whatever_their_split() {
        let found = table(
            "file,area,town,split,lat,lng\n\
             1.jpg,港区,赤坂,test,35.0,139.0\n2.jpg,港区,赤坂,test,36.0,140.0\n\
             3.jpg,港区,芝,train,35.5,139.5\n4.jpg,港区,虎ノ門,test,,\n5.jpg,港区,三田,test,95,0\n",
        );
        let towns = folder_towns(found.path()).unwrap();
        let placed = |town: &str, lat, lng| PlacedTown {
            area: "港区".to_owned(),
            town: town.to_owned(),
            at: Coordinate { lat, lng },
        };
        assert_eq!(towns, [placed("芝", 35.5, 139.5), placed("赤坂", 35.5, 139.5)]);
        assert_eq!(folder_towns(table("file,area,town\n1.jpg,a,b\n").path()).unwrap(), []);
        let world = World::load();
        assert!(drawn_towns(&world).len() > 500);
    }

    #[test]
    fn positions_alone_are_enough_and_decide_the_area_of_a_model_of_cells() {
        let found =
            table("file_name,lat,lng,split\n1.jpg,35.6586,139.7454,test\n2.jpg,43.77,142.36,test\n3.jpg,,,test\n");
        let photos = folder(found.path(), Split::Test).unwrap();
        let tower = Coordinate { lat: 35.6586, lng: 139.7454 };
        assert_eq!((photos[0].position, photos[0].place.clone()), (Some(tower), grid_cell(tower)));
        let labels = [Area { cell: Some(Geocell::of(tower, 10)), ..Area::new("", "塔付近", "near a tower") }];
        let known = as_known(&photos, &labels);
        assert_eq!((known.photos[0].area.as_str(), known.inside, known.outside), ("塔付近", vec![0], vec![1, 2]));
        let known = as_known(&photos, &[Area::new("東京都", "港区", "Minato, Tokyo")]);
        assert_eq!((known.photos.len(), known.inside, known.outside), (3, vec![0, 1, 2], vec![]));
    }

    #[test]
    fn a_useless_folder_is_explained() {
        let nothing = tempfile::tempdir().unwrap();
        assert!(matches!(folder(nothing.path(), Split::Test), Err(PhotoError::NoTable { .. })));
        let said = |text: &str| folder(table(text).path(), Split::Test).unwrap_err().to_string();
        assert!(said("file,area\n").ends_with("there is no column `town`"));
        assert!(said("file,area,town,split\na,b,c,later\n").contains("line 2: `later` is no split"));
        assert!(said("file,area,town,split\n../a,b,c,test\n").contains("outside"));
    }
}

//! The index of a model: what its network saw in photos that it was trained on, for look-alikes and as a second opinion.
//!
//! A row is a photo's pooled features at length 1, rounded to whole multiples of one step a row (8 bits a value), with
//! where it was taken, what shows it again and whom it is owed to. [`mod@file`] reads and writes it, [`search`] finds the
//! nearest rows, [`kin`] asks on behalf of one photo.

mod file;
pub mod kin;
mod search;
#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use self::file::IndexError;
pub use self::search::{Neighbour, Spread};
use crate::domain::Coordinate;
use crate::domain::quiz::Credit;

/// Name of the index file beside the manifest.
pub const INDEX_FILE: &str = "index.bin";

/// What shows an indexed photo again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Photo {
    /// It is drawn again.
    Drawn {
        /// The panorama's identifier in the drawn world.
        panorama: String,
        /// Compass direction, degrees, 0 to 360.
        heading: f32,
        /// Horizontal field of view, degrees, 10 to 120.
        fov: f32,
        /// Up (positive) or down from the horizon, degrees, -90 to 90.
        pitch: f32,
    },
    /// It lies under its hash in the folder of the collected set, unless it was removed.
    Kept {
        /// SHA-256 of the file, 64 lower-case hexadecimal digits.
        sha256: String,
        /// End of the file's name: `jpg`, `png` or `webp`.
        format: String,
        /// Where the original can be seen, if anywhere.
        link: Option<String>,
    },
}

/// A photo of the index.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its area, as the model's label.
    pub label: usize,
    /// Its town; where that is not known, a name of its own.
    pub town: String,
    /// Where it was taken, if that is known.
    pub position: Option<Coordinate>,
    /// Whom it is owed to.
    pub credit: Credit,
    /// What shows it again.
    pub photo: Photo,
}

/// A row without what many rows share: town, credit, latitude and longitude in degrees, photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row(u32, u32, Option<(f64, f64)>, Photo);

/// What is known of the rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    /// Label and name of each town.
    towns: Vec<(u32, String)>,
    /// Source and licence of each credit.
    credits: Vec<(String, String)>,
    rows: Vec<Row>,
}

/// An index in memory.
pub struct Index {
    /// The file.
    bytes: Cow<'static, [u8]>,
    /// Values of a row.
    dimensions: usize,
    catalogue: Catalogue,
    /// Length of each row as it is stored, greater than 0: a row divided by it has length 1.
    lengths: Vec<f64>,
    /// The largest of them.
    longest: f64,
    /// The middle of each label's photos whose position is known.
    middles: Vec<Option<Coordinate>>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} rows of {})", self.len(), self.dimensions)
    }
}

impl Index {
    /// Photos in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether it holds no photo.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Values of a row: channels of the network's features.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The label of a row.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn label(&self, row: usize) -> usize {
        self.catalogue.towns[self.town(row)].0 as usize
    }

    /// The photo of a row.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn entry(&self, row: usize) -> Entry {
        let Row(town, credit, position, photo) = &self.catalogue.rows[row];
        let (label, town) = &self.catalogue.towns[*town as usize];
        let (source, licence) = self.catalogue.credits[*credit as usize].clone();
        let url = match photo {
            Photo::Kept { link, .. } => link.clone(),
            Photo::Drawn { .. } => None,
        };
        Entry {
            label: *label as usize,
            town: town.clone(),
            position: position.and_then(|(lat, lng)| Coordinate::new(lat, lng)),
            credit: Credit { source, licence, url },
            photo: photo.clone(),
        }
    }

    /// The middle of a label's photos, where positions are known.
    #[must_use]
    pub fn middle(&self, label: usize) -> Option<Coordinate> {
        self.middles.get(label).copied().flatten()
    }

    /// Number of the row's town; towns of different areas are different ones, whatever their names.
    fn town(&self, row: usize) -> usize {
        self.catalogue.rows[row].0 as usize
    }

    /// The row as it is stored.
    fn codes(&self, row: usize) -> &[u8] {
        let begin = file::HEAD + row * self.dimensions;
        &self.bytes[begin..begin + self.dimensions]
    }
}

/// Mean position by label. Photos of one area lie close together, so that degrees can be averaged.
fn middles(catalogue: &Catalogue) -> Vec<Option<Coordinate>> {
    let labels = catalogue.towns.iter().map(|(label, _)| *label as usize + 1).max().unwrap_or(0);
    let mut sums = vec![(0.0, 0.0, 0.0); labels];
    for Row(town, _, position, _) in &catalogue.rows {
        if let Some((lat, lng)) = position {
            let sum = &mut sums[catalogue.towns[*town as usize].0 as usize];
            *sum = (sum.0 + lat, sum.1 + lng, sum.2 + 1.0);
        }
    }
    sums.into_iter().map(|(lat, lng, count)| Coordinate::new(lat / count, lng / count)).collect()
}

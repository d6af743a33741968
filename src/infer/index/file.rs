//! The file of an index.
//!
//! | bytes | |
//! |---|---|
//! | 8 | `kokoidx` and a zero |
//! | 4 | version of the format, 1 |
//! | 4 | values of a row |
//! | 4 | rows |
//! | 4 | length of the catalogue, bytes |
//! | 32 | SHA-256 of the `model.onnx` whose features these are |
//! | 8 | zeros |
//! | rows x values | rows, a signed byte a value |
//! | the rest | the catalogue, JSON |
//!
//! Whole numbers are unsigned and little-endian. What a row is scaled by is its own length, so it is not stored.

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use super::{Catalogue, Entry, Index, Photo, Row, middles};
use crate::domain::Coordinate;
use crate::infer::manifest::hexadecimal;

/// Length of what comes before the rows, bytes.
pub(super) const HEAD: usize = 64;
/// First bytes.
const MAGIC: [u8; 8] = *b"kokoidx\0";
/// Version of the format.
const VERSION: u32 = 1;
/// Most values of a row.
const MAX_DIMENSIONS: usize = 16_384;
/// Most rows: those of 2,048 values fill 2 GB.
const MAX_ROWS: usize = 1_000_000;
/// Most labels, as buttons number them.
const MAX_LABELS: u32 = u16::MAX as u32;
/// Longest name, link or credit, bytes.
const MAX_WORDS: usize = 2_000;
/// The largest value as it is stored.
const LARGEST: f32 = 127.0;

/// An index that cannot be used.
#[derive(Debug, Error)]
pub enum IndexError {
    /// It is no index, or cut short.
    #[error("it is no index of kokodoko, or cut short")]
    NoIndex,
    /// Another program wrote it.
    #[error("its format is {0}, this program reads {VERSION}")]
    Version(u32),
    /// A number in its head is out of bounds.
    #[error("it says that it has {what}")]
    Size {
        /// What it says.
        what: String,
    },
    /// Its features are those of another network.
    #[error("it belongs to another model.onnx")]
    Model,
    /// A row has no direction.
    #[error("row {0} has no value but 0")]
    Empty(usize),
    /// The catalogue is not as designed.
    #[error("its catalogue: {0}")]
    Catalogue(String),
    /// A row to be written has other than numbers, only zeros, or another length than the others.
    #[error("photo {0} has no usable features")]
    Features(usize),
}

impl Index {
    /// Reads an index for the network with this SHA-256 (64 hexadecimal digits). Every limit is checked here.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn read(bytes: Cow<'static, [u8]>, model: &str) -> Result<Self, IndexError> {
        let head: &[u8; HEAD] = bytes.first_chunk().ok_or(IndexError::NoIndex)?;
        if head[..8] != MAGIC {
            return Err(IndexError::NoIndex);
        }
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if number(8) != VERSION {
            return Err(IndexError::Version(number(8)));
        }
        let (dimensions, rows, length) = (number(12) as usize, number(16) as usize, number(20) as usize);
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) || rows > MAX_ROWS {
            return Err(IndexError::Size { what: format!("{rows} rows of {dimensions} values") });
        }
        if bytes.len() != HEAD + rows * dimensions + length {
            return Err(IndexError::NoIndex);
        }
        if hexadecimal(&head[24..56]) != model {
            return Err(IndexError::Model);
        }
        let (values, json) = bytes[HEAD..].split_at(rows * dimensions);
        let lengths: Vec<f64> = values.chunks_exact(dimensions).map(length_of).collect();
        if let Some(row) = lengths.iter().position(|length| *length == 0.0) {
            return Err(IndexError::Empty(row));
        }
        let catalogue: Catalogue =
            serde_json::from_slice(json).map_err(|error| IndexError::Catalogue(error.to_string()))?;
        catalogue.check(rows).map_err(IndexError::Catalogue)?;
        let longest = lengths.iter().copied().fold(1.0, f64::max);
        let middles = middles(&catalogue);
        Ok(Self { bytes, dimensions, catalogue, lengths, longest, middles })
    }

    /// An index of photos with their features, `[channels]` each, of the network with this SHA-256.
    ///
    /// # Errors
    /// When there are no photos or too many, or features that are no numbers, all 0 or of different lengths.
    pub fn of_photos(photos: &[(Entry, Vec<f32>)], model: &str) -> Result<Self, IndexError> {
        let dimensions = photos.first().map_or(0, |(_, features)| features.len());
        let mut bytes = vec![0; HEAD];
        for (number, (_, features)) in photos.iter().enumerate() {
            let largest = features.iter().map(|value| value.abs()).fold(0.0, f32::max);
            let sound = features.iter().all(|value| value.is_finite()) && largest > 0.0;
            if !sound || features.len() != dimensions {
                return Err(IndexError::Features(number));
            }
            bytes.extend(features.iter().map(|value| (value / largest * LARGEST).round() as i8 as u8));
        }
        let json = serde_json::to_vec(&Catalogue::of(photos.iter().map(|(entry, _)| entry)))
            .map_err(|error| IndexError::Catalogue(error.to_string()))?;
        bytes[..8].copy_from_slice(&MAGIC);
        let numbers = [VERSION as usize, dimensions, photos.len(), json.len()];
        for (at, number) in numbers.into_iter().enumerate() {
            let number = u32::try_from(number).map_err(|_| IndexError::Size { what: format!("{number} parts") })?;
            bytes[8 + 4 * at..12 + 4 * at].copy_from_slice(&number.to_le_bytes());
        }
        for (byte, digits) in bytes[24..56].iter_mut().zip(model.as_bytes().chunks_exact(2)) {
            let digits = str::from_utf8(digits).map_err(|_| IndexError::Model)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| IndexError::Model)?;
        }
        bytes.extend(json);
        // What is written is what can be read.
        Self::read(bytes.into(), model)
    }
}

impl Index {
    /// Checks that no photo has a label that the model lacks.
    ///
    /// # Errors
    /// [`IndexError::Catalogue`].
    pub fn check_labels(&self, labels: usize) -> Result<(), IndexError> {
        match self.catalogue.towns.iter().find(|(label, _)| *label as usize >= labels) {
            None => Ok(()),
            Some((label, town)) => {
                Err(IndexError::Catalogue(format!("town {town} has label {label}, the model has {labels} labels")))
            }
        }
    }
}

impl Catalogue {
    fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let (mut towns, mut credits) = (Numbered::default(), Numbered::default());
        let row = |entry: &Entry| {
            let town = towns.number((entry.label as u32, entry.town.clone()));
            let credit = credits.number((entry.credit.source.clone(), entry.credit.licence.clone()));
            // To a tenth of a metre.
            let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
            let position = entry.position.map(|Coordinate { lat, lng }| (round(lat), round(lng)));
            Row(town, credit, position, entry.photo.clone())
        };
        let rows = entries.map(row).collect();
        Self { towns: towns.values, credits: credits.values, rows }
    }

    fn check(&self, rows: usize) -> Result<(), String> {
        if self.rows.len() != rows {
            return Err(format!("{} photos for {rows} rows", self.rows.len()));
        }
        let words = self.towns.iter().map(|(_, name)| name);
        let words = words.chain(self.credits.iter().flat_map(|(source, licence)| [source, licence]));
        if words.clone().any(|words| words.len() > MAX_WORDS) {
            return Err(format!("a name is longer than {MAX_WORDS} bytes"));
        }
        if let Some((label, name)) = self.towns.iter().find(|(label, _)| *label >= MAX_LABELS) {
            return Err(format!("town {name} has label {label}"));
        }
        let fault = |Row(town, credit, position, photo): &Row| {
            let known = (*town as usize) < self.towns.len() && (*credit as usize) < self.credits.len();
            let placed = position.is_none_or(|(lat, lng)| Coordinate::new(lat, lng).is_some());
            !(known && placed && photo.is_sound())
        };
        match self.rows.iter().position(fault) {
            Some(row) => Err(format!("row {row} is not as designed")),
            None => Ok(()),
        }
    }
}

impl Photo {
    /// Whether it can be looked for: a hash becomes part of a path.
    fn is_sound(&self) -> bool {
        match self {
            Self::Drawn { panorama, heading, fov, pitch } => {
                let looks = (0.0..=360.0).contains(heading) && (10.0..=120.0).contains(fov);
                looks && (-90.0..=90.0).contains(pitch) && panorama.len() <= MAX_WORDS
            }
            Self::Kept { sha256, format, link } => {
                let hash = sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                let format = ["jpg", "png", "webp"].contains(&format.as_str());
                hash && format && link.as_ref().is_none_or(|link| link.len() <= MAX_WORDS)
            }
        }
    }
}

/// Different values, each with its number.
struct Numbered<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn number(&mut self, value: T) -> u32 {
        let values = &mut self.values;
        *self.numbers.entry(value).or_insert_with_key(|value| {
            values.push(value.clone());
            values.len() as u32 - 1
        })
    }
}

/// Euclidean length of a row as it is stored: exact below the root, since it is a sum of at most 16,384 whole numbers.
fn length_of(codes: &[u8]) -> f64 {
    let sum: u32 = codes.iter().map(|code| u32::from((*code as i8).unsigned_abs()).pow(2)).sum();
    f64::from(sum).sqrt()
}

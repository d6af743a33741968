//! Outputs of a network, remembered on disk: rows of numbers by photo.
//!
//! One file holds one kind of output of one model. It begins with 16 bytes (`kokodoko`, the format's version, the bytes
//! of a value, two zeros, the values of a row as a little-endian u32); each row follows as the SHA-256 of the photo and
//! its values, little-endian. Rows are only ever appended, each in one write; a row that a kill cut short is dropped
//! when the file is opened.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use half::f16;
use sha2::{Digest, Sha256};

use super::decode::PIXELS;
use super::manifest::{Manifest, sha256_hex};

/// Length of the beginning of a file, bytes.
const HEAD: usize = 16;
/// Length of a key, bytes.
const KEY: usize = 32;
/// Version of the format.
const VERSION: u8 = 1;

/// SHA-256 of a photo's bytes.
pub type PhotoKey = [u8; KEY];

/// The key of a photo.
#[must_use]
pub fn photo_key(bytes: &[u8]) -> PhotoKey {
    Sha256::digest(bytes).into()
}

/// The file for one kind of output (`logits-tract`, `features-centre`) of a model. Models that differ in weights or
/// preprocessing have different files, and so have programs that make other pixels of a photo.
#[must_use]
pub fn file_of(folder: &Path, manifest: &Manifest, kind: &str) -> PathBuf {
    let model = sha256_hex(format!("{} {:?} {PIXELS}", manifest.sha256, manifest.input).as_bytes());
    folder.join(&model[..16]).join(format!("{kind}.rows"))
}

/// How values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 2 bytes a value, rounded to 11 significant bits; up to 65,504.
    Half = 2,
    /// 4 bytes a value.
    Single = 4,
}

/// Remembered rows of one file.
#[derive(Debug)]
pub struct Rows {
    file: File,
    width: Width,
    values: usize,
    known: HashMap<PhotoKey, Box<[u8]>>,
}

impl Rows {
    /// Opens the file, which is made (with its folder) when it is missing and begun anew when it is not of this format
    /// and shape. `values` is the length of a row.
    ///
    /// # Errors
    /// When the file or its folder cannot be read or written.
    pub fn open(path: &Path, values: usize, width: Width) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let head = head(values, width);
        if !bytes.starts_with(&head) {
            file.set_len(0)?;
            file.write_all(&head)?;
            bytes.clear();
        }
        let row = KEY + values * width as usize;
        let rows = bytes.get(HEAD..).unwrap_or_default().chunks_exact(row);
        if !rows.remainder().is_empty() {
            file.set_len((bytes.len() - rows.remainder().len()) as u64)?;
        }
        let known =
            rows.map(|row| (row[..KEY].try_into().expect("rows begin with a key"), row[KEY..].into())).collect();
        Ok(Self { file, width, values, known })
    }

    /// The row of a photo.
    #[must_use]
    pub fn get(&self, photo: &PhotoKey) -> Option<Vec<f32>> {
        let bytes = self.known.get(photo)?;
        Some(match self.width {
            Width::Half => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Width::Single => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        })
    }

    /// Remembers the row of a photo; one that is known already stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    ///
    /// # Panics
    /// When the row is not as long as the others.
    pub fn put(&mut self, photo: PhotoKey, row: &[f32]) -> std::io::Result<()> {
        assert_eq!(row.len(), self.values, "rows of one file are equally long");
        if self.known.contains_key(&photo) {
            return Ok(());
        }
        let bytes: Box<[u8]> = match self.width {
            Width::Half => row.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
            Width::Single => row.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        self.file.write_all(&[&photo[..], &bytes].concat())?;
        self.known.insert(photo, bytes);
        Ok(())
    }
}

fn head(values: usize, width: Width) -> [u8; HEAD] {
    let mut head = *b"kokodoko\0\0\0\0\0\0\0\0";
    (head[8], head[9]) = (VERSION, width as u8);
    head[12..].copy_from_slice(&(values as u32).to_le_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_outlive_the_program_and_a_torn_one_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model/logits.rows");
        let keys = [photo_key(b"a"), photo_key(b"b")];
        let mut rows = Rows::open(&path, 3, Width::Single).unwrap();
        rows.put(keys[0], &[1.0, -2.5, f32::MIN_POSITIVE]).unwrap();
        rows.put(keys[1], &[0.1, 0.2, 0.3]).unwrap();
        rows.put(keys[1], &[9.0, 9.0, 9.0]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let mut rows = Rows::open(&path, 3, Width::Single).unwrap();
        assert_eq!(rows.get(&keys[0]), Some(vec![1.0, -2.5, f32::MIN_POSITIVE]));
        assert_eq!(rows.get(&keys[1]), None, "it was cut short");
        rows.put(keys[1], &[0.1, 0.2, 0.3]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn another_shape_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, "something else that is longer than a head").unwrap();
        Rows::open(&path, 2, Width::Half).unwrap().put(photo_key(b"a"), &[1.0, 2.0]).unwrap();
        assert_eq!(Rows::open(&path, 2, Width::Half).unwrap().get(&photo_key(b"a")), Some(vec![1.0, 2.0]));
        assert_eq!(Rows::open(&path, 1, Width::Half).unwrap().get(&photo_key(b"a")), None);
    }

    proptest! {
        #[test]
        fn half_width_costs_at_most_a_two_thousandth(row in prop::collection::vec(1e-3..60_000.0_f32, 1..20)) {
            let folder = tempfile::tempdir().unwrap();
            let mut rows = Rows::open(&folder.path().join("rows"), row.len(), Width::Half).unwrap();
            rows.put(photo_key(b"a"), &row).unwrap();
            for (stored, value) in rows.get(&photo_key(b"a")).unwrap().iter().zip(&row) {
                prop_assert!((stored - value).abs() <= value / 2_048.0);
            }
        }
    }
}

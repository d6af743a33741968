//! Photos of the admin's own: with positions in EXIF, or sorted into folders named after the areas.
//!
//! `photos/東京都港区/赤坂一丁目/a.jpg` is of that area and town, wherever below the folder `東京都港区` lies. The name of
//! a photo elsewhere says nothing: its position has to.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::collect::exif::Exif;
use crate::collect::picture::{Picture, of_bytes};
use crate::collect::trouble::NoPicture;
use crate::domain::Coordinate;
use crate::infer::decode::{Limits, PhotoError};
use crate::infer::manifest::sha256_hex;

/// Folders within folders.
const DEEPEST: usize = 12;
/// Most photos.
const MOST: usize = 1_000_000;
/// What a camera's own file may be: larger than what people send to the bot.
const LIMITS: Limits = Limits { max_bytes: 48 << 20, max_pixels: 64_000_000, max_decoded_bytes: 256 << 20 };
/// Ends of names of photos, in lower case.
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];
/// Whom a photo is owed to when it does not say.
const OWN: &str = "own photo";
/// SPDX reference for what has no licence of its own.
pub const LICENCE: &str = "LicenseRef-own-photo";

/// A folder of photos.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    areas: HashSet<String>,
}

/// A photo file and what its folders say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// The area after which one of its folders is named.
    pub area: Option<String>,
    /// The folder within that, if it lies in one: its town, or whatever was photographed together.
    pub town: String,
}

/// What a photo says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// SHA-256 of the file, lower-case hexadecimal digits.
    pub id: String,
    /// Where it was taken, if it says so.
    pub position: Option<Coordinate>,
    /// Day on which it was taken: `2024-05-17`.
    pub captured: Option<String>,
    /// Compass direction of the camera, degrees, 0 to 360.
    pub heading: Option<f32>,
    /// Whom it is owed to.
    pub attribution: String,
}

/// The folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It or a folder in it.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More photos than any dataset has; the path is probably not meant.
    #[error("{} holds more than {MOST} photos: name the folder with street photos", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

impl Folder {
    /// The folder at `root`; `areas` are the full names that folders in it may have.
    pub fn new(root: impl Into<PathBuf>, areas: impl IntoIterator<Item = String>) -> Self {
        Self { root: root.into(), areas: areas.into_iter().collect() }
    }

    /// All photo files in it, in the order of their paths. Links are not followed, hidden files are left out.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn entries(&self) -> Result<Vec<Entry>, FolderError> {
        let mut entries = Vec::new();
        let mut folders = vec![(self.root.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let failed = |source| FolderError::Read { path: folder.clone(), source };
            for child in fs::read_dir(&folder).map_err(failed)? {
                let child = child.map_err(failed)?;
                let (kind, path) = (child.file_type().map_err(failed)?, child.path());
                let is_hidden = child.file_name().to_string_lossy().starts_with('.');
                if kind.is_dir() && !is_hidden && depth < DEEPEST {
                    folders.push((path, depth + 1));
                } else if kind.is_file() && !is_hidden && is_photo(&path) {
                    entries.push(self.entry(path));
                }
            }
            if entries.len() > MOST {
                return Err(FolderError::TooMany { path: self.root.clone() });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&self, path: PathBuf) -> Entry {
        let below = path.parent().and_then(|folder| folder.strip_prefix(&self.root).ok()).unwrap_or(Path::new(""));
        let mut names = below.iter().map(|name| name.to_string_lossy().into_owned());
        let area = names.find(|name| self.areas.contains(name));
        let town = names.next().unwrap_or_default();
        Entry { path, area, town }
    }
}

/// Reads what a photo says of itself. Touches the disk: call it off the async threads.
///
/// # Errors
/// When the file cannot be read or is too large for a photo.
pub fn look(path: &Path) -> io::Result<Photo> {
    let bytes = read(path)?;
    let exif = Exif::read(&bytes);
    Ok(Photo {
        id: sha256_hex(&bytes),
        position: exif.position,
        captured: exif.captured,
        heading: exif.heading,
        attribution: exif.owner.unwrap_or_else(|| OWN.to_owned()),
    })
}

/// Reads and checks a photo. Takes processor time: call it off the async threads.
///
/// # Errors
/// When the file is gone or is no picture of a street.
pub fn picture(path: &Path) -> Result<Picture, NoPicture> {
    let bytes = read(path).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(),
        _ => NoPicture::Gone,
    })?;
    Ok(of_bytes(bytes, &LIMITS)?)
}

fn too_large() -> NoPicture {
    NoPicture::Bad(PhotoError::TooManyBytes { bytes: LIMITS.max_bytes + 1, limit: LIMITS.max_bytes }.into())
}

/// The whole file, but never more than a photo has.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LIMITS.max_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LIMITS.max_bytes { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

fn is_photo(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    fn put(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn jpeg() -> Vec<u8> {
        let street = RgbImage::from_fn(32, 24, |x, y| Rgb([x as u8 * 7, y as u8 * 9, 200]));
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&street).unwrap();
        bytes
    }

    #[test]
    fn folders_named_after_areas_say_where_their_photos_are() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "a.jpg",
            "東京都港区/b.JPG",
            "2024/東京都港区/赤坂一丁目/c.jpeg",
            "東京都港区/赤坂一丁目/morning/d.png",
            "港区/e.webp",
            "東京都港区/notes.txt",
            "東京都港区/.thumbs/f.jpg",
            "東京都港区/.g.jpg",
        ] {
            put(root.path(), path, b"x");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), root.path().join("again")).unwrap();
        let folder = Folder::new(root.path(), ["東京都港区".to_owned()]);
        let told: Vec<String> = folder
            .entries()
            .unwrap()
            .into_iter()
            .map(|entry| {
                let name = entry.path.file_name().unwrap().to_string_lossy().into_owned();
                format!("{name} {} {}", entry.area.unwrap_or_default(), entry.town).trim().to_owned()
            })
            .collect();
        assert_eq!(
            told,
            ["c.jpeg 東京都港区 赤坂一丁目", "a.jpg", "b.JPG 東京都港区", "d.png 東京都港区 赤坂一丁目", "e.webp"]
        );
    }

    #[test]
    fn a_photo_is_known_by_its_bytes_and_checked() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "a.jpg", &jpeg());
        put(root.path(), "b.jpg", b"no photo");
        let photo = look(&root.path().join("a.jpg")).unwrap();
        assert_eq!((photo.id, photo.position), (sha256_hex(&jpeg()), None));
        assert_eq!(photo.attribution, OWN);
        let kept = picture(&root.path().join("a.jpg")).unwrap();
        assert_eq!((kept.bytes, kept.width, kept.height), (jpeg(), 32, 24));
        assert_eq!(picture(&root.path().join("b.jpg")), Err(NoPicture::Bad(PhotoError::NotAPicture.into())));
        assert_eq!(picture(&root.path().join("c.jpg")), Err(NoPicture::Gone));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let missing = Folder::new("/nowhere/at/all", []).entries().unwrap_err().to_string();
        assert!(missing.starts_with("cannot read /nowhere/at/all: "), "{missing}");
    }
}

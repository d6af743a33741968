//! The pictures on the disk: each file under its own hash, its row in the database after it.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use image::ImageFormat;

use super::group::Group;
use super::till::{each, gone};
use crate::clock::SharedClock;
use crate::domain::Split;
use crate::domain::spend::{Item, PurchaseId, RunId};
use crate::infer::manifest::sha256_hex;
use crate::store::{ImageId, Kept, NewImage, Store, StoreError, StoredImage};

/// Where files are written before they have their name.
const UNFINISHED: &str = "unfinished";
/// Rows that are read at a time.
const PAGE: u32 = 1_000;

/// The dataset: a folder and its rows. Clones share it.
#[derive(Clone)]
pub struct Dataset {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    folder: PathBuf,
    rows: Group<NewImage, Result<Kept, Arc<StoreError>>>,
    written: AtomicU64,
}

/// A picture as it came, decoded once to see that it is one.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What it is a picture of; its sighting was noted before.
    pub item: Item,
    /// The file.
    pub bytes: Vec<u8>,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// The run that fetched it.
    pub run: RunId,
    /// The reservation that it was bought by; settled as billed along with the row.
    pub purchase: Option<PurchaseId>,
}

/// A picture for training or the quiz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Where the file lies.
    pub path: PathBuf,
    /// Full Japanese name of its area.
    pub area: String,
    /// Its town: the unit of splits.
    pub town: String,
    /// The split of its town.
    pub split: Split,
}

/// A picture is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The disk is full.
    #[error("no space is left on the disk of {}: make room, or move the images to another disk", path.display())]
    DiskFull {
        /// The file or folder that found no room.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is neither a JPEG nor a PNG nor a WebP.
    #[error("the file is neither JPEG nor PNG nor WebP")]
    Format,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
    /// Writing panicked.
    #[error("writing the picture failed: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Where the file with this hash lies in a dataset's folder: `ab/cd/abcd….jpg`.
#[must_use]
pub fn path_in(folder: &Path, sha256: &str, format: &str) -> PathBuf {
    let (first, second) = (sha256.get(..2).unwrap_or_default(), sha256.get(2..4).unwrap_or_default());
    folder.join(first).join(second).join(format!("{sha256}.{format}"))
}

impl Dataset {
    /// The dataset in a folder, which is made with the first picture. Call it on a runtime.
    #[must_use]
    pub fn new(store: Store, folder: &Path, clock: SharedClock) -> Self {
        let rows = {
            let store = store.clone();
            Group::start(move |new: Vec<NewImage>| {
                let (store, now) = (store.clone(), clock.now());
                async move { each(store.keep_images(&new, now).await, new.len()) }
            })
        };
        let inner = Inner { store, folder: folder.to_owned(), rows, written: AtomicU64::new(somewhere()) };
        Self { inner: Arc::new(inner) }
    }

    /// The rows.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Where the file with this hash lies: `ab/cd/abcd….jpg`.
    #[must_use]
    pub fn path(&self, sha256: &str, format: &str) -> PathBuf {
        path_in(&self.inner.folder, sha256, format)
    }

    /// Writes a picture and then its row, both on the disk before this returns. Rows of pictures that come at the
    /// same time are committed together.
    ///
    /// # Errors
    /// See [`KeepError`]. A file may stay behind without a row, which `kokodoko data check` finds; the purchase is as
    /// it was.
    pub async fn keep(&self, picture: Picture) -> Result<Kept, KeepError> {
        let Picture { item, bytes, size, run, purchase } = picture;
        let here = self.clone();
        let length = bytes.len() as u64;
        let (sha256, format) = tokio::task::spawn_blocking(move || here.write(&bytes)).await??;
        let row = NewImage { sha256, format: format.to_owned(), item, bytes: length, size, run, purchase };
        Ok(self.inner.rows.put(row).await.unwrap_or_else(|| Err(gone()))?)
    }

    /// Writes a file under its hash; the hash and the end of its name.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(String, &'static str), KeepError> {
        let format = extension(bytes).ok_or(KeepError::Format)?;
        let sha256 = sha256_hex(bytes);
        let path = self.path(&sha256, format);
        let number = self.inner.written.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.unfinished().join(format!("{}-{number}", std::process::id()));
        put(&unfinished, &path, bytes).inspect_err(|_| {
            // Best effort: the check finds what is left.
            let _ = fs::remove_file(&unfinished);
        })?;
        Ok((sha256, format))
    }

    /// The folder of files that have no name yet.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.inner.folder.join(UNFINISHED)
    }

    /// Every picture, with what is known of it, by pages: memory stays flat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(&self, after: Option<ImageId>) -> Result<Vec<StoredImage>, StoreError> {
        self.inner.store.images_after(after, PAGE).await
    }

    /// Every picture of some splits: where its file lies, and its label.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn photos(&self, splits: &[Split]) -> Result<Vec<Photo>, StoreError> {
        let mut photos = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(after).await?;
            let Some(last) = page.last() else { return Ok(photos) };
            after = Some(last.id);
            photos.extend(page.into_iter().filter(|image| splits.contains(&image.split)).map(|image| Photo {
                path: self.path(&image.sha256, &image.format),
                area: image.place.area,
                town: image.place.town,
                split: image.split,
            }));
        }
    }
}

/// Where the numbers of unfinished files begin: two datasets over one folder, in one process or in two containers that
/// are both process 1, must not write to the same file.
fn somewhere() -> u64 {
    RandomState::new().hash_one(UNFINISHED)
}

/// The end of a file's name by its first bytes.
fn extension(bytes: &[u8]) -> Option<&'static str> {
    match image::guess_format(bytes).ok()? {
        ImageFormat::Jpeg => Some("jpg"),
        ImageFormat::Png => Some("png"),
        ImageFormat::WebP => Some("webp"),
        _ => None,
    }
}

/// Writes a file under a temporary name, then gives it its own; after that not even a power cut takes it away.
fn put(unfinished: &Path, path: &Path, bytes: &[u8]) -> Result<(), KeepError> {
    let shard = path.parent().unwrap_or(path);
    for folder in [unfinished.parent().unwrap_or(path), shard] {
        make_folder(folder).map_err(|source| failed(folder, source))?;
    }
    let write = || -> io::Result<()> {
        let mut file = File::create_new(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| failed(unfinished, source))?;
    fs::rename(unfinished, path).map_err(|source| failed(path, source))?;
    sync_folder(shard).map_err(|source| failed(shard, source))
}

/// Makes a folder with those above it, each entered in the one above it for good.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(above.unwrap_or(Path::new(".")))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn failed(path: &Path, source: io::Error) -> KeepError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => KeepError::DiskFull { path },
        _ => KeepError::Write { path, source },
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Photos that people gave as test photos when they were asked: the one kind of a user's photo that is written down.
//!
//! The file that is kept is made anew from the pixels, so that nothing of what the original said of itself goes with it;
//! its area and its rounded position stand in its row. Models are judged by these photos and never trained on them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::borders::{self, BorderError, Grounds};
use super::dataset::{Dataset, KeepError};
use super::exif::Exif;
use crate::clock::SharedClock;
use crate::domain::{Area, Border, Coordinate, UserRef};
use crate::store::{GiftKept, NewGift, Store, StoreError};

/// Positions are kept to this part of a degree: some 100 metres.
const GRAIN: f64 = 1_000.0;
/// Most photos of one person: a test set should not be one person's walk, and the disk not be theirs to fill.
pub const MOST_OF_ONE: u32 = 200;
/// Rows that are read at a time.
const PAGE: u32 = 1_000;
/// End of the names of the files.
const FORMAT: &str = "jpg";

/// What a photo's file says of where it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The area whose border holds it.
    pub area: Area,
    /// Where, to a thousandth of a degree.
    pub at: Coordinate,
}

/// A photo that may be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// Where it was taken.
    pub placed: Placed,
    /// A JPEG of the pixels alone, as [`crate::infer::explain::Explanation::photo_jpeg`] makes it.
    pub jpeg: Arc<[u8]>,
}

/// A photo that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Where its file lies.
    pub path: PathBuf,
    /// Full Japanese name of its area.
    pub area: String,
    /// Where it was taken, to a thousandth of a degree.
    pub at: Coordinate,
}

/// Why a gift was not kept, or not given back.
#[derive(Debug, thiserror::Error)]
pub enum GiftError {
    /// The file could not be written.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A file could not be removed; its row is gone, and the next start removes it.
    #[error("cannot remove {}: {source}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where gifts are kept; clones share it.
#[derive(Clone)]
pub struct Gifts {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    files: Dataset,
    known: Vec<(Area, Border)>,
    clock: SharedClock,
    /// Held while files and rows change together: what one gives back, another may give at the same moment.
    changing: Mutex<()>,
}

/// The areas that have a border, with it. Reads files: call it off the async threads.
///
/// # Errors
/// When a file of borders cannot be read. An area without a border is left out.
pub fn known_areas(grounds: &Grounds, areas: &[Area]) -> Result<Vec<(Area, Border)>, BorderError> {
    let found = borders::known(grounds, &areas.iter().collect::<Vec<_>>())?;
    let pairs = areas.iter().cloned().zip(found);
    Ok(pairs.filter(|(_, border)| !border.rings().is_empty()).collect())
}

impl Gifts {
    /// Gifts in a folder, which is made with the first; `known` are the areas that are asked about. Call it on a runtime.
    #[must_use]
    pub fn new(store: Store, folder: &Path, known: Vec<(Area, Border)>, clock: SharedClock) -> Self {
        let files = Dataset::new(store.clone(), folder, clock.clone());
        Self { inner: Arc::new(Inner { store, files, known, clock, changing: Mutex::new(()) }) }
    }

    /// The rows.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Where a photo says that it was taken; `None` when it does not say, or names a place outside all known areas.
    #[must_use]
    pub fn look(&self, file: &[u8]) -> Option<Placed> {
        let at = Exif::read(file).position?;
        let (area, _) = self.inner.known.iter().find(|(_, border)| border.contains(at))?;
        let rounded = |degrees: f64| (degrees * GRAIN).round() / GRAIN;
        Some(Placed { area: area.clone(), at: Coordinate { lat: rounded(at.lat), lng: rounded(at.lng) } })
    }

    /// Keeps a photo of somebody who said yes to the question `offer`; both file and row are on the disk then.
    ///
    /// # Errors
    /// See [`GiftError`].
    pub async fn keep(&self, who: &UserRef, offer: i64, parcel: &Parcel) -> Result<GiftKept, GiftError> {
        let inner = &self.inner;
        let _alone = inner.changing.lock().await;
        if inner.store.gifts_of(who).await? >= u64::from(MOST_OF_ONE) {
            return Ok(GiftKept::Enough);
        }
        let (files, jpeg) = (inner.files.clone(), parcel.jpeg.clone());
        let written = tokio::task::spawn_blocking(move || files.write(&jpeg)).await.map_err(KeepError::from)?;
        let (sha256, _) = written?;
        let Placed { area, at } = parcel.placed.clone();
        let gift = NewGift { offer, sha256, who: who.clone(), area: area.area, at };
        Ok(inner.store.keep_gift(&gift, inner.clock.now()).await?)
    }

    /// Gives back what somebody gave when they were asked `offer`; how many photos.
    ///
    /// # Errors
    /// See [`GiftError`].
    pub async fn withdraw(&self, who: &UserRef, offer: i64) -> Result<usize, GiftError> {
        let _alone = self.inner.changing.lock().await;
        self.remove(self.inner.store.withdraw_gifts(who, offer).await?)
    }

    /// Gives back everything that somebody gave, on every service that they have linked; how many photos.
    ///
    /// # Errors
    /// See [`GiftError`].
    pub async fn forget(&self, who: &UserRef) -> Result<usize, GiftError> {
        let _alone = self.inner.changing.lock().await;
        self.remove(self.inner.store.forget_gifts(who).await?)
    }

    /// Every photo that was given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all(&self) -> Result<Vec<Given>, StoreError> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self.inner.store.gifts_after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = last.id;
            let given =
                |gift: crate::store::Gift| Given { path: self.path(&gift.sha256), area: gift.area, at: gift.at };
            all.extend(page.into_iter().map(given));
        }
    }

    /// Removes files without a row, which a kill has left: nothing is kept that nobody consented to.
    ///
    /// # Errors
    /// See [`GiftError`].
    pub async fn tidy(&self) -> Result<usize, GiftError> {
        let _alone = self.inner.changing.lock().await;
        let mut removed = 0;
        for path in files_below(self.inner.files.folder(), 2) {
            let is_gift = match path.file_stem().and_then(|stem| stem.to_str()) {
                Some(sha256) if path == self.path(sha256) => self.inner.store.is_gift(sha256).await?,
                _ => false,
            };
            if !is_gift {
                remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn path(&self, sha256: &str) -> PathBuf {
        self.inner.files.path(sha256, FORMAT)
    }

    fn remove(&self, hashes: Vec<String>) -> Result<usize, GiftError> {
        let count = hashes.len();
        hashes.iter().try_for_each(|sha256| remove_file(&self.path(sha256)))?;
        Ok(count)
    }
}

fn remove_file(path: &Path) -> Result<(), GiftError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(GiftError::Remove { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Files in a folder and in the folders of it, `depth` levels down.
fn files_below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => files.extend(files_below(&path, depth - 1)),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SystemClock, WallClock};
    use crate::collect::exif::tests::{jpeg_at, jpeg_without, plain};
    use crate::domain::Platform;

    const TOWER: Coordinate = Coordinate { lat: 35.658_58, lng: 139.745_43 };

    struct Bench {
        gifts: Gifts,
        store: Store,
        folder: tempfile::TempDir,
    }

    async fn bench() -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("kokodoko.sqlite")).await.expect("opens");
        let minato = Area::new("東京都", "港区", "Minato, Tokyo");
        let naha = Area::new("沖縄県", "那覇市", "Naha");
        let known = known_areas(&Grounds::default(), &[minato, naha]).expect("readable");
        assert_eq!(known.len(), 1, "an area without a border is left out");
        let gifts = Gifts::new(store.clone(), &folder.path().join("gifts"), known, Arc::new(SystemClock));
        Bench { gifts, store, folder }
    }

    impl Bench {
        fn parcel(&self, shade: u8) -> Parcel {
            let placed = self.gifts.look(&jpeg_at(TOWER)).expect("within 港区");
            Parcel { placed, jpeg: plain([shade; 3]).into() }
        }

        fn files(&self) -> usize {
            files_below(&self.folder.path().join("gifts"), 2).len()
        }
    }

    fn who(platform: Platform, id: i64) -> UserRef {
        UserRef { platform, id }
    }

    #[tokio::test]
    async fn a_position_is_rounded_and_has_to_lie_in_a_known_area() {
        let gifts = bench().await.gifts;
        let placed = gifts.look(&jpeg_at(TOWER)).expect("within 港区");
        assert_eq!((placed.area.area.as_str(), placed.at), ("東京都港区", Coordinate { lat: 35.659, lng: 139.745 }));
        assert_eq!(gifts.look(&jpeg_at(Coordinate { lat: 48.858, lng: 2.294 })), None, "Paris");
        assert_eq!(gifts.look(&jpeg_without()), None);
        assert_eq!(gifts.look(b"no photo"), None);
    }

    #[tokio::test]
    async fn gifts_are_kept_once_and_given_back() {
        let bench = bench().await;
        let (aoi, ren) = (who(Platform::Telegram, 1), who(Platform::Discord, 1));
        let (first, second) = (bench.parcel(10), bench.parcel(200));
        assert_eq!(bench.gifts.keep(&aoi, 7, &first).await.unwrap(), GiftKept::New);
        assert_eq!(bench.gifts.keep(&ren, 8, &first).await.unwrap(), GiftKept::Known);
        assert_eq!(bench.gifts.keep(&ren, 8, &second).await.unwrap(), GiftKept::New);
        let all = bench.gifts.all().await.unwrap();
        assert_eq!((all.len(), bench.files()), (2, 2));
        assert_eq!(fs::read(&all[0].path).unwrap()[..], first.jpeg[..]);
        assert_eq!(bench.gifts.withdraw(&ren, 7).await.unwrap(), 0, "it is not theirs");
        assert_eq!(bench.gifts.withdraw(&aoi, 7).await.unwrap(), 1);
        assert_eq!(bench.gifts.withdraw(&aoi, 7).await.unwrap(), 0);
        assert_eq!((bench.gifts.all().await.unwrap().len(), bench.files()), (1, 1));
    }

    #[tokio::test]
    async fn forgetting_reaches_linked_services_and_nobody_else() {
        let bench = bench().await;
        let now = SystemClock.now();
        let (aoi, also_aoi, ren) = (who(Platform::Telegram, 1), who(Platform::Discord, 1), who(Platform::Discord, 2));
        let player = bench.store.person(&aoi, "Aoi", "UTC", now).await.unwrap();
        let other = bench.store.person(&also_aoi, "Aoi", "UTC", now).await.unwrap();
        let later = now + jiff::SignedDuration::from_secs(60);
        bench.store.offer_link(player, "CODE", later, now).await.unwrap();
        bench.store.take_link("CODE", other, now).await.unwrap().expect("linked");
        for (person, shade) in [(&aoi, 10), (&also_aoi, 100), (&ren, 200)] {
            bench.gifts.keep(person, 1, &bench.parcel(shade)).await.unwrap();
        }
        assert_eq!(bench.gifts.forget(&aoi).await.unwrap(), 2);
        assert_eq!((bench.gifts.all().await.unwrap().len(), bench.files()), (1, 1));
        assert_eq!(bench.gifts.forget(&ren).await.unwrap(), 1, "known to nobody else, and forgotten all the same");
    }

    #[tokio::test]
    async fn what_a_kill_left_without_consent_goes() {
        let bench = bench().await;
        bench.gifts.keep(&who(Platform::Web, 3), 1, &bench.parcel(10)).await.unwrap();
        bench.gifts.inner.files.write(&bench.parcel(90).jpeg).unwrap();
        let unfinished = bench.folder.path().join("gifts/unfinished/1-1");
        fs::write(&unfinished, "half").unwrap();
        assert_eq!(bench.gifts.tidy().await.unwrap(), 2);
        assert_eq!((bench.files(), bench.gifts.all().await.unwrap().len()), (1, 1));
    }

    #[tokio::test]
    async fn one_person_cannot_fill_the_disk() {
        let bench = bench().await;
        let aoi = who(Platform::Telegram, 1);
        let placed = bench.parcel(1).placed;
        for number in 0..MOST_OF_ONE {
            let (sha256, area) = (format!("{number:064}"), placed.area.area.clone());
            let gift = NewGift { offer: 1, sha256, who: aoi.clone(), area, at: placed.at };
            bench.store.keep_gift(&gift, SystemClock.now()).await.unwrap();
        }
        assert_eq!(bench.gifts.keep(&aoi, 2, &bench.parcel(10)).await.unwrap(), GiftKept::Enough);
        assert_eq!(bench.files(), 0);
    }
}

//! Files and rows on a real disk.

use std::collections::HashSet;

use super::*;
use crate::clock::SystemClock;
use crate::domain::Coordinate;
use crate::domain::imagery::{Look, Sighting, Source};
use crate::store::{Place, Seen};

pub(crate) struct Bench {
    pub(crate) dataset: Dataset,
    pub(crate) run: RunId,
    pub(crate) folder: tempfile::TempDir,
}

/// A small JPEG of its own for each number.
pub(crate) fn jpeg(number: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(32, 24, |x, y| image::Rgb([number, x as u8 * 8, y as u8 * 8]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
    picture.write_with_encoder(encoder).expect("memory takes a picture");
    bytes
}

impl Bench {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("db.sqlite")).await.expect("opens");
        let run = store.open_run(Source::Folder, "plan", jiff::Timestamp::UNIX_EPOCH).await.expect("opens");
        let dataset = Dataset::new(store, &folder.path().join("images"), Arc::new(SystemClock));
        Self { dataset, run, folder }
    }

    /// A picture of a town whose sighting is noted.
    pub(crate) async fn picture(&self, number: u8, town: &str) -> Picture {
        let sighting = Sighting {
            source: Source::Mapillary,
            id: number.to_string(),
            position: Coordinate { lat: 35.65, lng: 139.75 },
            captured: Some(format!("2024-{:02}-17", 1 + number % 12)),
            heading: Some(90.0),
            attribution: "Mapillary / someone".to_owned(),
            licence: "CC-BY-SA-4.0".to_owned(),
            link: Some(format!("https://www.mapillary.com/app/?pKey={number}")),
        };
        let place = Place { area: "東京都港区".to_owned(), town: town.to_owned() };
        self.dataset.store().note_sighting(&Seen { sighting, place }).await.expect("noted");
        let item = Item { source: Source::Mapillary, image: number.to_string(), look: None };
        Picture { item, bytes: jpeg(number), size: (32, 24), run: self.run, purchase: None }
    }

    /// Another look at a panorama that was kept.
    pub(crate) async fn keep_look(&self, number: u8, heading: u16) {
        let look = Look { heading, fov: 90, pitch: 0, width: 32, height: 24 };
        let item = Item { source: Source::Mapillary, image: number.to_string(), look: Some(look) };
        let picture = Picture { item, bytes: jpeg(255 - number), size: (32, 24), run: self.run, purchase: None };
        assert!(matches!(self.dataset.keep(picture).await, Ok(Kept::New(_))));
    }

    pub(crate) async fn keep(&self, number: u8, town: &str) -> StoredImage {
        let kept = self.dataset.keep(self.picture(number, town).await).await.expect("kept");
        let Kept::New(id) = kept else { panic!("{kept:?}") };
        self.dataset.store().images_after(Some(ImageId(id.0 - 1)), 1).await.expect("readable").remove(0)
    }
}

#[tokio::test]
async fn a_picture_lies_under_its_hash_and_leaves_nothing_else() {
    let bench = Bench::open().await;
    let image = bench.keep(7, "芝一丁目").await;
    let path = bench.dataset.path(&image.sha256, &image.format);
    assert_eq!(fs::read(&path).expect("there"), jpeg(7));
    assert_eq!(image.sha256, sha256_hex(&jpeg(7)));
    let relative = path.strip_prefix(bench.dataset.folder()).expect("inside").display().to_string();
    assert_eq!(relative, format!("{}/{}/{}.jpg", &image.sha256[..2], &image.sha256[2..4], image.sha256));
    assert_eq!(fs::read_dir(bench.dataset.unfinished()).expect("made").count(), 0);
    let again = bench.dataset.keep(bench.picture(7, "芝一丁目").await).await.expect("asked");
    assert_eq!(again, Kept::Known);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_come_together_are_all_kept() {
    let bench = Bench::open().await;
    let mut pictures = Vec::new();
    for number in 0..100 {
        pictures.push(bench.picture(number, &format!("{}丁目", number % 20)).await);
    }
    let keep = |picture| bench.dataset.keep(picture);
    let kept = futures_util::future::try_join_all(pictures.into_iter().map(keep)).await.expect("kept");
    assert!(kept.iter().all(|kept| matches!(kept, Kept::New(_))));
    let photos = bench.dataset.photos(&Split::ALL).await.expect("readable");
    let files: HashSet<&PathBuf> = photos.iter().map(|photo| &photo.path).collect();
    assert_eq!((photos.len(), files.len()), (100, 100));
    assert!(photos.iter().all(|photo| photo.path.is_file()));
    let quiz = bench.dataset.photos(&[Split::Quiz]).await.expect("readable");
    let expected = photos.iter().filter(|photo| Split::of_place(&photo.area, &photo.town) == Split::Quiz).count();
    assert_eq!(quiz.len(), expected);
    assert!((1..100).contains(&expected), "{expected}");
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_a_full_disk_is_named() {
    let bench = Bench::open().await;
    let mut picture = bench.picture(1, "芝一丁目").await;
    picture.bytes = b"GIF89a or nothing".to_vec();
    assert!(matches!(bench.dataset.keep(picture).await, Err(KeepError::Format)));
    assert!(bench.dataset.page(None).await.expect("readable").is_empty());

    let full = failed(Path::new("/data"), io::Error::from(io::ErrorKind::StorageFull));
    assert!(matches!(full, KeepError::DiskFull { .. }), "{full}");
    // A file where the folder should be: the error says which.
    fs::write(bench.dataset.folder(), b"").expect("written");
    let error = bench.dataset.keep(bench.picture(2, "芝一丁目").await).await.expect_err("no folder");
    assert!(matches!(&error, KeepError::Write { path, .. } if path.starts_with(bench.folder.path())), "{error}");
}

/// `/dev/full` refuses every byte as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_from_other_troubles() {
    let mut device = File::options().write(true).open("/dev/full").expect("Linux has it");
    let source = device.write_all(&[0; 9]).expect_err("full");
    assert!(matches!(failed(Path::new("x"), source), KeepError::DiskFull { .. }));
}

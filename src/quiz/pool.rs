//! The quiz pool: photos of places that no model was trained on.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{RgbImage, imageops};

use crate::collect::dataset::Dataset;
use crate::domain::Split;
use crate::domain::quiz::Credit;
use crate::infer::decode::{Limits, PhotoError, decode};
use crate::store::{StoreError, StoredImage};
use crate::world::World;
use crate::world::photo::{PhotoSpec, encode_jpeg, photos};

/// Seed of the drawn pool. Another one makes other photos, and stored rounds could not be shown again.
const DRAWN_SEED: u64 = 3_003;
/// Photos of each area in the drawn pool.
const DRAWN_PER_AREA: usize = 120;
/// Side of a drawn photo before it is cut, pixels.
const WHOLE: u32 = 720;
/// Side of a photo as it is shown, pixels.
const SHOWN: u32 = 640;

/// A photo that may be asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolPhoto {
    /// Its key, stored with rounds; never shown.
    pub key: String,
    /// Full Japanese name of its area.
    pub area: String,
    /// Whom it is owed to.
    pub credit: Credit,
}

/// All such photos. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    photos: Vec<PoolPhoto>,
    origin: Origin,
}

/// Where the pixels come from, by the photos' keys.
enum Origin {
    Drawn { world: World, specs: HashMap<String, PhotoSpec> },
    Collected { files: HashMap<String, PathBuf> },
}

impl Pool {
    /// The pool of the drawn world: photos of towns of the quiz split.
    #[must_use]
    pub fn drawn() -> Self {
        let world = World::load();
        let mut specs = HashMap::new();
        let mut list = Vec::new();
        for spec in photos(&world, DRAWN_SEED, &[Split::Quiz], DRAWN_PER_AREA) {
            let key = world.panoramas(spec.area)[spec.panorama].id.clone();
            let photo = PoolPhoto { key: key.clone(), area: world.areas()[spec.area].area.clone(), credit: credit() };
            // One photo a place: two of the same would give each other away.
            if specs.insert(key, spec.sized(WHOLE, WHOLE)).is_none() {
                list.push(photo);
            }
        }
        Self { inner: Arc::new(Inner { photos: list, origin: Origin::Drawn { world, specs } }) }
    }

    /// The pool of the collected set: its pictures of the quiz split, one of each panorama, as two of the same would
    /// give each other away. What is collected later is not in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn collected(dataset: &Dataset) -> Result<Self, StoreError> {
        let (mut photos, mut files) = (Vec::new(), HashMap::new());
        let (mut panoramas, mut after) = (HashSet::new(), None);
        loop {
            let page = dataset.page(after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for image in page.into_iter().filter(|image| image.split == Split::Quiz) {
                if panoramas.insert((image.item.source, image.item.image.clone())) {
                    files.insert(image.sha256.clone(), dataset.path(&image.sha256, &image.format));
                    photos.push(collected_photo(image));
                }
            }
        }
        Ok(Self { inner: Arc::new(Inner { photos, origin: Origin::Collected { files } }) })
    }

    /// Every photo, in an order that stays.
    #[must_use]
    pub fn photos(&self) -> &[PoolPhoto] {
        &self.inner.photos
    }

    /// The photo with this key.
    #[must_use]
    pub fn photo(&self, key: &str) -> Option<&PoolPhoto> {
        self.inner.photos.iter().find(|photo| photo.key == key)
    }

    /// A photo cut and encoded anew, so that neither its hash nor its frame gives it away; without metadata.
    ///
    /// `random()` gives values in `[0, 1)`; the same values cut the same photo to the same bytes. Square, JPEG.
    ///
    /// # Errors
    /// When the pool does not hold the photo (any more), or its file cannot be read.
    pub fn cut(&self, key: &str, mut random: impl FnMut() -> f64) -> Result<Vec<u8>, PhotoError> {
        let missing = || PhotoError::Damaged { detail: "the photo is not in the quiz pool any more".to_owned() };
        let whole = match &self.inner.origin {
            Origin::Drawn { world, specs } => specs.get(key).ok_or_else(missing)?.render(world).image,
            Origin::Collected { files } => read(files.get(key).ok_or_else(missing)?)?,
        };
        let (width, height) = whole.dimensions();
        let side = ((f64::from(width.min(height)) * (0.88 + 0.12 * random())) as u32).max(1);
        let corner = |room: u32, share: f64| (f64::from(room) * share) as u32;
        let (left, top) = (corner(width - side, random()), corner(height - side, random()));
        let view = imageops::crop_imm(&whole, left, top, side, side).to_image();
        let shown = imageops::resize(&view, SHOWN, SHOWN, imageops::FilterType::CatmullRom);
        Ok(encode_jpeg(&shown, 80 + (12.0 * random()) as u8))
    }
}

/// A file of the dataset as pixels.
fn read(path: &Path) -> Result<RgbImage, PhotoError> {
    let bytes = std::fs::read(path).map_err(|error| PhotoError::Damaged { detail: error.to_string() })?;
    decode(&bytes, &Limits::default())
}

fn collected_photo(image: StoredImage) -> PoolPhoto {
    let StoredImage { sha256, sighting, place, .. } = image;
    let credit = Credit { source: sighting.attribution, licence: sighting.licence, url: sighting.link };
    PoolPhoto { key: sha256, area: place.area, credit }
}

fn credit() -> Credit {
    Credit { source: "kokodoko drawn world".to_owned(), licence: "CC0-1.0".to_owned(), url: None }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::collect::dataset::tests::Bench;

    static POOL: LazyLock<Pool> = LazyLock::new(Pool::drawn);

    #[test]
    fn every_photo_is_of_the_quiz_split_and_every_area_has_enough() {
        let Inner { photos, origin: Origin::Drawn { world, specs } } = &*POOL.inner else { panic!("drawn") };
        let keys: HashSet<&str> = photos.iter().map(|photo| photo.key.as_str()).collect();
        assert_eq!(keys.len(), photos.len());
        for photo in photos {
            let panorama = world.by_id(&photo.key).expect("a panorama");
            assert_eq!(Split::of_place(&photo.area, &panorama.town), Split::Quiz);
            assert_eq!(world.areas()[specs[&photo.key].area].area, photo.area);
        }
        for area in world.areas() {
            let count = photos.iter().filter(|photo| photo.area == area.area).count();
            assert!(count >= 60, "{}: {count}", area.area);
        }
    }

    #[test]
    fn photos_are_cut_anew_but_the_same_for_the_same_chance() {
        let key = &POOL.photos()[0].key;
        let cut = |value: f64| POOL.cut(key, || value).expect("in the pool");
        assert_eq!(cut(0.25), cut(0.25));
        assert_ne!(cut(0.25), cut(0.75));
        let shown = image::load_from_memory(&cut(0.5)).expect("a JPEG");
        assert_eq!((shown.width(), shown.height()), (SHOWN, SHOWN));
        assert!(!cut(0.5).windows(4).any(|bytes| bytes == b"Exif"));
        assert!(POOL.cut("nowhere", || 0.0).is_err());
    }

    #[tokio::test]
    async fn a_collected_pool_has_one_photo_of_each_panorama_with_whom_it_is_owed_to() {
        let bench = Bench::open().await;
        // Towns of both kinds, the same for ever.
        let towns: Vec<String> = (1..=60).map(|number| format!("{number}丁目")).collect();
        let (mut quiz, mut others) = (0, 0);
        for (town, number) in towns.iter().zip(0..) {
            bench.keep(number, town).await;
            let split = Split::of_place("東京都港区", town);
            *if split == Split::Quiz { &mut quiz } else { &mut others } += 1;
        }
        let in_quiz = towns.iter().position(|town| Split::of_place("東京都港区", town) == Split::Quiz).expect("one is");
        bench.keep_look(in_quiz as u8, 90).await;
        let pool = Pool::collected(&bench.dataset).await.expect("readable");
        assert_eq!(pool.photos().len(), quiz, "of {others} others none, and no second look");
        let photo = pool.photo(&pool.photos()[0].key).expect("in the pool").clone();
        assert_eq!(photo.area, "東京都港区");
        assert_eq!(
            (photo.credit.source.as_str(), photo.credit.licence.as_str()),
            ("Mapillary / someone", "CC-BY-SA-4.0")
        );
        assert_eq!(photo.credit.url, Some(format!("https://www.mapillary.com/app/?pKey={in_quiz}")));
        let cut = pool.cut(&photo.key, || 0.5).expect("in the pool");
        let shown = image::load_from_memory(&cut).expect("a JPEG");
        assert_eq!((shown.width(), shown.height()), (SHOWN, SHOWN));
        assert_ne!(cut, pool.cut(&photo.key, || 0.9).expect("in the pool"));

        std::fs::remove_dir_all(bench.dataset.folder()).expect("removed");
        assert!(matches!(pool.cut(&photo.key, || 0.5), Err(PhotoError::Damaged { .. })));
    }
}

//! The quiz pool: photos of places that no model was trained on.

use std::collections::HashMap;
use std::sync::Arc;

use image::imageops;

use crate::domain::Split;
use crate::domain::quiz::Credit;
use crate::infer::decode::PhotoError;
use crate::world::World;
use crate::world::photo::{PhotoSpec, encode_jpeg, photos};

/// Seed of the drawn pool. Another one makes other photos, and stored rounds could not be shown again.
const DRAWN_SEED: u64 = 3_003;
/// Photos of each area in the drawn pool.
const DRAWN_PER_AREA: usize = 120;
/// Side of a photo before it is cut, pixels.
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
    inner: Arc<Drawn>,
}

struct Drawn {
    world: World,
    photos: Vec<PoolPhoto>,
    specs: HashMap<String, PhotoSpec>,
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
        Self { inner: Arc::new(Drawn { world, photos: list, specs }) }
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
    /// When the pool does not hold the photo (any more).
    pub fn cut(&self, key: &str, mut random: impl FnMut() -> f64) -> Result<Vec<u8>, PhotoError> {
        let missing = || PhotoError::Damaged { detail: "the photo is not in the quiz pool any more".to_owned() };
        let spec = self.inner.specs.get(key).ok_or_else(missing)?;
        let whole = spec.render(&self.inner.world).image;
        let side = (f64::from(WHOLE) * (0.88 + 0.12 * random())) as u32;
        let corner = |share: f64| (f64::from(WHOLE - side) * share) as u32;
        let (left, top) = (corner(random()), corner(random()));
        let view = imageops::crop_imm(&whole, left, top, side, side).to_image();
        let shown = imageops::resize(&view, SHOWN, SHOWN, imageops::FilterType::CatmullRom);
        Ok(encode_jpeg(&shown, 80 + (12.0 * random()) as u8))
    }
}

fn credit() -> Credit {
    Credit { source: "kokodoko drawn world".to_owned(), licence: "CC0-1.0".to_owned(), url: None }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use super::*;

    static POOL: LazyLock<Pool> = LazyLock::new(Pool::drawn);

    #[test]
    fn every_photo_is_of_the_quiz_split_and_every_area_has_enough() {
        let Drawn { world, photos, specs } = &*POOL.inner;
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
}

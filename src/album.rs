//! The photos behind a model's index: drawn again, or read from the folder of the collected set.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use image::RgbImage;

use crate::collect::dataset::path_in;
use crate::infer::decode::{Limits, decode};
use crate::infer::index::Photo;
use crate::infer::preprocess::centre_square;
use crate::world::photo::encode_jpeg;
use crate::world::render::render;
use crate::world::{View, World};

/// Side of a photo as it is shown, pixels.
const SHOWN: u32 = 480;
/// Its JPEG quality.
const QUALITY: u8 = 85;

/// Where photos of an index are found; clones share it.
#[derive(Clone)]
pub struct Album {
    inner: Arc<Inner>,
}

struct Inner {
    /// Folder of the collected set.
    folder: PathBuf,
    /// Made when the first drawn photo is asked for.
    world: OnceLock<World>,
}

impl Default for Album {
    /// Of the drawn world alone.
    fn default() -> Self {
        Self::new(Path::new(""))
    }
}

impl Album {
    /// Photos of the drawn world, and of the collected set in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { inner: Arc::new(Inner { folder: folder.to_owned(), world: OnceLock::new() }) }
    }

    /// The part of a photo that models see, a square JPEG; `None` of one that is not there (any more). Takes tens of
    /// milliseconds: not on a thread that serves others.
    #[must_use]
    pub fn show(&self, photo: &Photo) -> Option<Vec<u8>> {
        let square = match photo {
            Photo::Drawn { panorama, heading, fov, pitch } => {
                let world = self.inner.world.get_or_init(World::load);
                let view = View { heading: *heading, fov: *fov, pitch: *pitch, width: SHOWN, height: SHOWN };
                render(world, world.by_id(panorama)?, &view).image
            }
            Photo::Kept { sha256, format, .. } => read(&path_in(&self.inner.folder, sha256, format))?,
        };
        Some(encode_jpeg(&square, QUALITY))
    }
}

fn read(path: &Path) -> Option<RgbImage> {
    let told = |error: String| tracing::info!(path = %path.display(), error, "an indexed photo is not shown");
    let bytes = std::fs::read(path).map_err(|error| told(error.to_string())).ok()?;
    let photo = decode(&bytes, &Limits::default()).map_err(|error| told(error.to_string())).ok()?;
    Some(centre_square(&photo, SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::manifest::sha256_hex;

    fn drawn(panorama: &str) -> Photo {
        Photo::Drawn { panorama: panorama.to_owned(), heading: 10.0, fov: 80.0, pitch: 0.0 }
    }

    #[test]
    fn photos_are_drawn_again_or_read_and_what_is_gone_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let album = Album::new(folder.path());
        let first = World::load().panoramas(1)[0].id.clone();
        let side = |jpeg: Vec<u8>| image::load_from_memory(&jpeg).unwrap().to_rgb8().dimensions();
        assert_eq!(album.show(&drawn(&first)).map(side), Some((SHOWN, SHOWN)));
        assert_eq!(album.show(&drawn("nowhere")), None);

        let bytes = encode_jpeg(&RgbImage::from_pixel(60, 40, image::Rgb([200, 30, 30])), 90);
        let sha256 = sha256_hex(&bytes);
        let photo = Photo::Kept { sha256: sha256.clone(), format: "jpg".to_owned(), link: None };
        assert_eq!(album.show(&photo), None, "it was removed");
        let path = path_in(folder.path(), &sha256, "jpg");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(album.show(&photo).map(side), Some((SHOWN, SHOWN)));
        std::fs::write(&path, "no picture").unwrap();
        assert_eq!(album.show(&photo), None);
    }
}

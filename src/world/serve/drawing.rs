//! Draws for the stand-ins, off the async threads and not more at a time than there are cores.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageError, RgbImage, imageops};
use tokio::sync::Semaphore;

use crate::world::render::render;
use crate::world::{Panorama, View, World};

/// JPEG quality of everything that the stand-ins draw.
const QUALITY: u8 = 90;
/// Views that make a 360° strip.
const STRIP_VIEWS: u32 = 4;

/// A picture to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    /// One look through one lens.
    View(View),
    /// Four looks side by side, all the way round, twice as wide as high.
    Strip {
        /// Compass direction of the middle, degrees.
        heading: f32,
        /// Width in pixels.
        width: u32,
    },
}

/// The picture could not be drawn: a fault of ours, not of the request.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// It was drawn but not encoded.
    #[error("cannot encode the picture: {0}")]
    Encode(#[from] ImageError),
    /// The drawing panicked.
    #[error("drawing failed: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Where pictures are drawn.
pub struct Studio {
    world: Arc<World>,
    easels: Arc<Semaphore>,
}

impl Studio {
    /// A studio that draws as many pictures at a time as the machine has cores.
    pub fn new(world: Arc<World>) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self { world, easels: Arc::new(Semaphore::new(cores)) }
    }

    /// Draws a picture as JPEG. `sold` runs when the picture exists, also when the caller has gone by then: what
    /// was drawn is booked. A caller that goes before drawing starts costs nothing.
    pub async fn draw(
        &self,
        panorama: Panorama,
        picture: Picture,
        sold: impl FnOnce() + Send + 'static,
    ) -> Result<Vec<u8>, DrawError> {
        let easel = self.easels.clone().acquire_owned().await;
        let world = self.world.clone();
        let drawing = tokio::task::spawn_blocking(move || {
            let _easel = easel;
            let jpeg = encode(&draw(&world, &panorama, &picture))?;
            sold();
            Ok(jpeg)
        });
        drawing.await?
    }
}

fn draw(world: &World, panorama: &Panorama, picture: &Picture) -> RgbImage {
    match picture {
        Picture::View(view) => render(world, panorama, view).image,
        Picture::Strip { heading, width } => strip(world, panorama, *heading, *width),
    }
}

fn strip(world: &World, panorama: &Panorama, heading: f32, width: u32) -> RgbImage {
    let (part, height) = (width / STRIP_VIEWS, width / 2);
    let fov = 360.0 / STRIP_VIEWS as f32;
    let mut strip = RgbImage::new(part * STRIP_VIEWS, height);
    for i in 0..STRIP_VIEWS {
        let turn = (i as f32 + 0.5) * fov - 180.0;
        let view = View { heading: (heading + turn).rem_euclid(360.0), fov, pitch: 0.0, width: part, height };
        imageops::replace(&mut strip, &render(world, panorama, &view).image, i64::from(i * part), 0);
    }
    strip
}

/// A baseline JPEG.
pub fn encode(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(image)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_strip_is_twice_as_wide_as_high_and_sold_once() {
        let world = Arc::new(World::load());
        let studio = Studio::new(world.clone());
        let sold = Arc::new(AtomicUsize::new(0));
        let count = sold.clone();
        let picture = Picture::Strip { heading: 10.0, width: 256 };
        let drawn = studio.draw(world.panoramas(0)[0].clone(), picture, move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let image = image::load_from_memory(&drawn.await.unwrap()).unwrap();
        assert_eq!((image.width(), image.height()), (256, 128));
        assert_eq!(sold.load(Ordering::Relaxed), 1);
    }
}

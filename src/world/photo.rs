//! Photos at random: which panorama, which view, which JPEG quality.

use std::path::{Path, PathBuf};

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::dice::Dice;
use super::render::render_with;
use super::{Photo, Rendered, Season, Signs, View, World};
use crate::domain::Split;

/// Sizes of photos with their weights: services send squares for the most part.
const SIZES: [((u32, u32), f32); 4] = [((640, 640), 70.0), ((640, 480), 14.0), ((480, 640), 8.0), ((1024, 768), 8.0)];

/// A photo that could be taken: cheap to make and to send to another thread; [`PhotoSpec::shoot`] takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoSpec {
    /// Index into [`World::areas`].
    pub area: usize,
    /// Index into [`World::panoramas`] of that area.
    pub panorama: usize,
    /// How the camera looks.
    pub view: View,
    /// JPEG quality, 55 to 95.
    pub quality: u8,
}

/// `per_area` photos of each area, area by area in turn, of outdoor panoramas in towns of the wanted splits.
///
/// The same seed gives the same photos; the first photos of a longer list are those of a shorter one.
/// An area without any panorama in these splits is left out.
pub fn photos<'w>(
    world: &'w World,
    seed: u64,
    splits: &[Split],
    per_area: usize,
) -> impl Iterator<Item = PhotoSpec> + 'w {
    let of_area = |area: usize| {
        let name = &world.areas()[area].area;
        let wanted = world.panoramas(area).iter().enumerate();
        let wanted = wanted.filter(|(_, p)| !p.indoor && splits.contains(&Split::of_place(name, &p.town)));
        wanted.map(|(i, _)| i).collect::<Vec<_>>()
    };
    let choices: Vec<Vec<usize>> = (0..world.areas().len()).map(of_area).collect();
    let mut dice: Vec<Dice> = (0..choices.len()).map(|area| Dice::new(seed, 100 + area as u64)).collect();
    (0..per_area * choices.len()).filter_map(move |i| {
        let area = i % choices.len();
        (!choices[area].is_empty()).then(|| PhotoSpec::draw(area, &choices[area], &mut dice[area]))
    })
}

impl PhotoSpec {
    fn draw(area: usize, panoramas: &[usize], dice: &mut Dice) -> Self {
        let panorama = dice.pick(panoramas);
        let (width, height) = dice.weighted(&SIZES);
        let view = View {
            heading: dice.range(0.0, 360.0),
            fov: dice.range(60.0, 100.0),
            pitch: (dice.bell() * 3.0).clamp(-10.0, 10.0),
            width,
            height,
        };
        Self { area, panorama, view, quality: 55 + dice.below(41) as u8 }
    }

    /// The same photo in another size: training needs thousands, and small ones.
    #[must_use]
    pub fn sized(mut self, width: u32, height: u32) -> Self {
        (self.view.width, self.view.height) = (width, height);
        self
    }

    /// Draws the photo without encoding it.
    ///
    /// # Panics
    /// When the specification was made for another world.
    #[must_use]
    pub fn render(&self, world: &World) -> Rendered {
        self.render_with(world, Signs::ALL)
    }

    /// The same of a street that shows some signs of its area only.
    ///
    /// # Panics
    /// When the specification was made for another world.
    #[must_use]
    pub fn render_with(&self, world: &World, signs: Signs) -> Rendered {
        render_with(world, &world.panoramas(self.area)[self.panorama], &self.view, signs)
    }

    /// Draws the photo and encodes it as JPEG.
    ///
    /// # Panics
    /// When the specification was made for another world.
    #[must_use]
    pub fn shoot(&self, world: &World) -> Photo {
        self.shoot_with(world, Signs::ALL)
    }

    /// The same of a street that shows some signs of its area only.
    ///
    /// # Panics
    /// When the specification was made for another world.
    #[must_use]
    pub fn shoot_with(&self, world: &World, signs: Signs) -> Photo {
        let Rendered { image, cues } = self.render_with(world, signs);
        let panorama = world.panoramas(self.area)[self.panorama].clone();
        Photo { area: self.area, panorama, view: self.view, jpeg: encode_jpeg(&image, self.quality), cues }
    }
}

/// A baseline JPEG of quality 1 to 100.
///
/// # Panics
/// When a side is 0 or beyond 65,535 pixels, which no rendered picture has.
#[must_use]
pub fn encode_jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    image.write_with_encoder(encoder).expect("a JPEG of a drawn size is written to memory");
    bytes
}

/// Why photos could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderToError {
    /// A file or folder could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The truth table could not be written.
    #[error("cannot write {path}: {source}")]
    Truth {
        /// The table.
        path: PathBuf,
        /// What went wrong.
        source: csv::Error,
    },
    /// No panorama lies in the wanted splits.
    #[error("no panorama lies in the wanted splits")]
    NoPanorama,
}

/// What [`render_to`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The photos, in the order of the truth table.
    pub photos: Vec<PathBuf>,
    /// The truth table.
    pub truth: PathBuf,
}

/// A row of `truth.csv`.
#[derive(serde::Serialize)]
struct Truth<'a> {
    file: &'a str,
    area: &'a str,
    prefecture: &'a str,
    municipality: &'a str,
    town: &'a str,
    split: &'static str,
    lat: f64,
    lng: f64,
    heading: f32,
    fov: f32,
    pitch: f32,
    season: Season,
    indoor: bool,
    cues: String,
}

/// Writes `count` photos (`0001.jpg` …, areas in turn) and `truth.csv` into a folder, which is made when missing.
/// File names betray nothing; the table has the truth.
///
/// # Errors
/// When no panorama lies in `splits`, or a file cannot be written.
pub fn render_to(
    world: &World,
    dir: &Path,
    count: usize,
    seed: u64,
    splits: &[Split],
) -> Result<Written, RenderToError> {
    use rayon::prelude::*;

    let write_error = |path: &Path| {
        let path = path.to_owned();
        move |source| RenderToError::Write { path, source }
    };
    std::fs::create_dir_all(dir).map_err(write_error(dir))?;
    let specs: Vec<PhotoSpec> = photos(world, seed, splits, count.div_ceil(world.areas().len())).take(count).collect();
    if specs.is_empty() && count > 0 {
        return Err(RenderToError::NoPanorama);
    }
    let digits = count.to_string().len().max(4);
    let shoot = |(i, spec): (usize, &PhotoSpec)| {
        let path = dir.join(format!("{:0digits$}.jpg", i + 1));
        let photo = spec.shoot(world);
        std::fs::write(&path, &photo.jpeg).map_err(write_error(&path))?;
        Ok((path, Photo { jpeg: Vec::new(), ..photo }))
    };
    let shot: Vec<(PathBuf, Photo)> =
        specs.par_iter().enumerate().map(|(i, spec)| shoot((i, spec))).collect::<Result<_, RenderToError>>()?;
    let truth = dir.join("truth.csv");
    write_truth(world, &truth, &shot).map_err(|source| RenderToError::Truth { path: truth.clone(), source })?;
    Ok(Written { photos: shot.into_iter().map(|(path, _)| path).collect(), truth })
}

fn write_truth(world: &World, path: &Path, shot: &[(PathBuf, Photo)]) -> Result<(), csv::Error> {
    let mut table = csv::Writer::from_path(path)?;
    for (file, photo) in shot {
        let (area, panorama, view) = (&world.areas()[photo.area], &photo.panorama, &photo.view);
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        table.serialize(Truth {
            file: &file,
            area: &area.area,
            prefecture: &area.prefecture,
            municipality: &area.municipality,
            town: &panorama.town,
            split: Split::of_place(&area.area, &panorama.town).name(),
            lat: panorama.position.lat,
            lng: panorama.position.lng,
            heading: view.heading,
            fov: view.fov,
            pitch: view.pitch,
            season: panorama.season,
            indoor: panorama.indoor,
            cues: serde_json::to_string(&photo.cues).expect("cues are plain numbers and names"),
        })?;
    }
    table.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> &'static World {
        static WORLD: std::sync::LazyLock<World> = std::sync::LazyLock::new(World::load);
        &WORLD
    }

    #[test]
    fn photos_keep_to_their_split_and_balance_the_areas() {
        let specs: Vec<PhotoSpec> = photos(world(), 1, &[Split::Test], 30).collect();
        assert_eq!(specs.len(), 7 * 30);
        for (i, spec) in specs.iter().enumerate() {
            assert_eq!(spec.area, i % 7);
            let panorama = &world().panoramas(spec.area)[spec.panorama];
            let area = &world().areas()[spec.area].area;
            assert_eq!(Split::of_place(area, &panorama.town), Split::Test);
            assert!(!panorama.indoor);
            assert!((60.0..100.0).contains(&spec.view.fov) && spec.view.pitch.abs() <= 10.0);
            assert!((55..=95).contains(&spec.quality));
        }
        assert!(specs.iter().any(|spec| spec.view.heading > 180.0), "all directions");
    }

    #[test]
    fn a_longer_list_starts_with_the_shorter_one() {
        let short: Vec<PhotoSpec> = photos(world(), 8, &Split::ALL, 3).collect();
        let long: Vec<PhotoSpec> = photos(world(), 8, &Split::ALL, 5).collect();
        assert_eq!(short[..], long[..short.len()]);
        assert_ne!(short, photos(world(), 9, &Split::ALL, 3).collect::<Vec<_>>());
    }

    #[test]
    fn a_shot_is_a_jpeg_of_the_asked_size() {
        let spec = photos(world(), 3, &[Split::Train], 1).next().expect("every split has towns").sized(80, 48);
        let photo = spec.shoot(world());
        let image = image::load_from_memory_with_format(&photo.jpeg, image::ImageFormat::Jpeg).expect("a JPEG");
        assert_eq!((image.width(), image.height()), (80, 48));
        assert_eq!(photo, spec.shoot(world()));
    }

    #[test]
    fn a_folder_of_photos_has_its_truth() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let written = render_to(world(), dir.path(), 9, 4, &[Split::Quiz]).expect("the folder is writable");
        assert_eq!(written.photos.len(), 9);
        assert!(written.photos.iter().all(|path| path.is_file()));
        let mut table = csv::Reader::from_path(&written.truth).expect("the table was written");
        let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("rows are well formed");
        assert_eq!(rows.len(), 9);
        assert_eq!((&rows[0][0], &rows[0][1], &rows[0][5]), ("0001.jpg", "東京都中央区", "quiz"));
        assert_eq!(&rows[8][1], "東京都港区", "areas take turns");
        let cues: serde_json::Value = serde_json::from_str(&rows[0][13]).expect("cues are JSON");
        assert!(cues.is_array());
    }

    #[test]
    fn no_split_is_an_error() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let error = render_to(world(), dir.path(), 1, 1, &[]).expect_err("nothing to choose from");
        assert!(matches!(error, RenderToError::NoPanorama));
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("photos");
        std::fs::write(&path, "").expect("the folder is writable");
        let error = render_to(world(), &path, 1, 1, &[Split::Test]).expect_err("a file is no folder");
        assert!(error.to_string().contains("photos"), "{error}");
    }
}

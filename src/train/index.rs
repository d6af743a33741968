//! The index of look-alikes of a finished model: photos of the train split, as many of each area as its size allows.

use std::collections::BTreeMap;

use rayon::prelude::*;
use thiserror::Error;

use super::drawn::TRAINING_SIDE;
use super::folder::{Folder, FolderError, Found};
use super::head::features::{Extractor, FeatureError, View};
use crate::domain::area::{are_cells, label_at};
use crate::domain::quiz::Credit;
use crate::domain::{Area, Split};
use crate::infer::index::{Entry, Index, IndexError, Photo};
use crate::infer::manifest::sha256_hex;
use crate::world::World;
use crate::world::photo::{PhotoSpec, photos as specs};

/// Most photos of an area, unless told otherwise: 7 areas and 512 features come to 2.5 MB.
pub const PER_AREA: usize = 600;

/// An index that could not be made.
#[derive(Debug, Error)]
pub enum IndexingError {
    /// The photos.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What the network sees in them.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// What is to be written.
    #[error("the index cannot be made: {0}")]
    Index(#[from] IndexError),
}

/// A photo to index: what is known of it, and its file.
pub type Given = (Entry, Vec<u8>);

/// The first `per_area` photos of each area that a training with this seed draws, drawn on all cores.
#[must_use]
pub fn drawn(world: &World, seed: u64, per_area: usize) -> Vec<Given> {
    let all: Vec<PhotoSpec> = specs(world, seed, &[Split::Train], per_area).collect();
    let shoot = |spec: PhotoSpec| {
        let photo = spec.sized(TRAINING_SIDE, TRAINING_SIDE).shoot(world);
        let (panorama, view) = (photo.panorama, photo.view);
        let entry = Entry {
            label: photo.area,
            town: panorama.town,
            position: Some(panorama.position),
            credit: Credit { source: "kokodoko drawn world".to_owned(), licence: "CC0-1.0".to_owned(), url: None },
            photo: Photo::Drawn { panorama: panorama.id, heading: view.heading, fov: view.fov, pitch: view.pitch },
        };
        (entry, photo.jpeg)
    };
    all.into_par_iter().map(shoot).collect()
}

/// The photos by the labels of a model: where those are cells, each has that of its position, and those outside are left
/// out.
#[must_use]
pub fn as_known(photos: Vec<Given>, labels: &[Area]) -> Vec<Given> {
    if !are_cells(labels) {
        return photos;
    }
    let known = |(entry, bytes): Given| {
        let label = label_at(labels, entry.position?)?;
        Some((Entry { label, ..entry }, bytes))
    };
    photos.into_iter().filter_map(known).collect()
}

/// Up to `per_area` photos of each area in a folder's train split, taken from its towns in turn, so that each town has
/// some.
///
/// # Errors
/// When a file cannot be read.
pub fn in_folder(folder: &Folder, per_area: usize) -> Result<Vec<Given>, FolderError> {
    let mut areas: BTreeMap<usize, BTreeMap<&str, Vec<&Found>>> = BTreeMap::new();
    for photo in folder.photos.iter().filter(|photo| photo.split == Split::Train) {
        areas.entry(photo.label).or_default().entry(&photo.place).or_default().push(photo);
    }
    let chosen = areas.into_values().flat_map(|towns| in_turn(towns.into_values().collect(), per_area));
    chosen.map(given).collect()
}

/// The first of each list, then the second of each, and so on, until there are `most`.
fn in_turn<T: Copy>(lists: Vec<Vec<T>>, most: usize) -> Vec<T> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn).copied()));
    turns.take(most).collect()
}

fn given(found: &Found) -> Result<Given, FolderError> {
    let bytes = found.read()?;
    let format = match image::guess_format(&bytes) {
        Ok(image::ImageFormat::Png) => "png",
        Ok(image::ImageFormat::WebP) => "webp",
        _ => "jpg",
    };
    let link = found.credit.url.clone();
    let photo = Photo::Kept { sha256: sha256_hex(&bytes), format: format.to_owned(), link };
    let (town, credit) = (found.place.clone(), found.credit.clone());
    Ok((Entry { label: found.label, town, position: found.position, credit, photo }, bytes))
}

/// Shows the photos to the network. `progress` hears how many were new to it and are done, and of how many.
///
/// # Errors
/// See [`IndexingError`].
pub fn build(
    photos: Vec<Given>,
    network: &Extractor<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Index, IndexingError> {
    let files: Vec<&[u8]> = photos.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let features = network.features(&files, View::Centre, progress)?;
    let rows: Vec<(Entry, Vec<f32>)> = photos.into_iter().map(|(entry, _)| entry).zip(features).collect();
    Ok(Index::of_photos(&rows, &network.files.manifest.sha256)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::index::Spread;
    use crate::infer::manifest::ModelFiles;
    use crate::infer::onnx::Backend;

    #[test]
    fn every_town_has_its_turn() {
        assert_eq!(in_turn(vec![vec![1, 2, 3], vec![4], vec![5, 6]], 5), [1, 4, 5, 2, 6]);
        assert!(in_turn::<u8>(vec![], 5).is_empty());
    }

    #[test]
    fn an_indexed_photo_finds_itself_and_is_drawn_again() {
        let world = World::load();
        let photos = drawn(&world, 3, 1);
        let bytes: Vec<Vec<u8>> = photos.iter().map(|(_, jpeg)| jpeg.clone()).collect();
        let files = ModelFiles::built_in().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let network = Extractor { files: &files, backend: &Backend::Tract, cache: cache.path() };
        let index = build(photos, &network, &mut |_, _| {}).unwrap();
        assert_eq!((index.len(), index.dimensions()), (7, 512));
        let views: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
        for (row, features) in network.features(&views, View::Centre, &mut |_, _| {}).unwrap().iter().enumerate() {
            let [found] = index.nearest(features, 1, Spread::Towns)[..] else { panic!("one") };
            assert!(found.row == row && found.similarity > 0.999, "{row}: {found:?}");
            let entry = index.entry(row);
            let split = Split::of_place(&world.areas()[entry.label].area, &entry.town);
            assert_eq!((entry.label, split), (row, Split::Train));
        }
    }

    #[test]
    fn a_folder_gives_its_train_split_with_what_its_table_says() {
        let root = tempfile::tempdir().unwrap();
        for split in ["train", "validation", "test"] {
            let folder = root.path().join(split).join("東京都港区");
            std::fs::create_dir_all(&folder).unwrap();
            image::RgbImage::from_pixel(9, 9, image::Rgb([1, 2, 3])).save(folder.join("a.png")).unwrap();
        }
        let table = "file,town,lat,lng,attribution,licence,link\n\
            train/東京都港区/a.png,芝一丁目,35.65,139.75,Mapillary / Aoi,CC-BY-SA-4.0,https://example.org/1\n";
        std::fs::write(root.path().join("metadata.csv"), table).unwrap();
        let found = in_folder(&Folder::read(root.path()).unwrap(), 5).unwrap();
        let [(entry, bytes)] = &found[..] else { panic!("{}", found.len()) };
        assert_eq!((entry.town.as_str(), entry.credit.source.as_str()), ("芝一丁目", "Mapillary / Aoi"));
        let Photo::Kept { sha256, format, link } = &entry.photo else { panic!("{entry:?}") };
        assert_eq!((sha256, format.as_str()), (&sha256_hex(bytes), "png"));
        assert_eq!(link.as_deref(), Some("https://example.org/1"));
    }
}

//! Photos for training: decoded once, kept small in memory, split by place.

use image::RgbImage;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use thiserror::Error;

use crate::domain::area::are_cells;
use crate::domain::{Area, Split};
use crate::infer::decode::{Limits, PhotoError, decode_square};
use crate::infer::preprocess::Preprocess;

/// A photo as it comes from a source.
#[derive(Clone, Debug)]
pub struct RawPhoto {
    /// An encoded picture.
    pub bytes: Vec<u8>,
    /// Index of its area among the labels.
    pub label: usize,
    /// Town or grid cell within the area: the unit of splits.
    pub place: String,
    /// The split of its place.
    pub split: Split,
}

/// A photo in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Centre square. In the train split its side is [`Dataset::stored`], so that crops keep detail; elsewhere
    /// it is the model's input.
    pub picture: RgbImage,
    /// Index of its area among the labels.
    pub label: usize,
    /// Town or grid cell within the area.
    pub place: String,
}

/// Photos of one task, by split.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The areas, in the order of the logits.
    pub labels: Vec<Area>,
    /// How a picture becomes a tensor.
    pub input: Preprocess,
    /// Side of the pictures in the train split, pixels.
    pub stored: u32,
    /// Fits the weights.
    pub train: Vec<Example>,
    /// Fits temperature and threshold, chooses the checkpoint.
    pub validation: Vec<Example>,
    /// Judges.
    pub test: Vec<Example>,
}

/// Data that nothing can be trained on.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DataError {
    /// A photo cannot be read.
    #[error("photo {index} (area {label}, {place}): {source}")]
    Photo {
        /// Which, counted from 0.
        index: usize,
        /// Its label.
        label: usize,
        /// Its place.
        place: String,
        /// What is wrong with it.
        source: PhotoError,
    },
    /// A photo names a label that is none.
    #[error("photo {index} has label {label}, but there are {labels} labels")]
    Label {
        /// Which, counted from 0.
        index: usize,
        /// Its label.
        label: usize,
        /// How many there are.
        labels: usize,
    },
    /// An area without photos in a split can be neither learnt nor judged.
    #[error("{area} has no photo in the {} split: collect more places there", split.name())]
    Empty {
        /// Which area.
        area: String,
        /// Which split.
        split: Split,
    },
}

impl Dataset {
    /// Decodes photos on all cores and splits them by place; photos of the quiz split are left out.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn new(photos: &[RawPhoto], labels: Vec<Area>, input: Preprocess, stored: u32) -> Result<Self, DataError> {
        let indexed: Vec<(usize, &RawPhoto)> = photos.iter().enumerate().collect();
        let read: Vec<(Split, Example)> =
            indexed.par_iter().map(|&(i, photo)| read(i, photo, &labels, &input, stored)).collect::<Result<_, _>>()?;
        Self::gather(read, labels, input, stored)
    }

    /// Sorts decoded photos by their split; those of the quiz split are left out.
    ///
    /// # Errors
    /// When an area has no photo in a split.
    pub fn gather(
        examples: Vec<(Split, Example)>,
        labels: Vec<Area>,
        input: Preprocess,
        stored: u32,
    ) -> Result<Self, DataError> {
        let mut data = Self { labels, input, stored, train: vec![], validation: vec![], test: vec![] };
        for (split, example) in examples {
            match split {
                Split::Train => data.train.push(example),
                Split::Validation => data.validation.push(example),
                Split::Test => data.test.push(example),
                Split::Quiz => {}
            }
        }
        data.check()?;
        Ok(data)
    }

    fn check(&self) -> Result<(), DataError> {
        let splits = [(Split::Train, &self.train), (Split::Validation, &self.validation), (Split::Test, &self.test)];
        for (split, examples) in splits {
            check_split(&self.labels, split, |label| examples.iter().any(|example| example.label == label))?;
        }
        Ok(())
    }
}

/// Checks that a split has photos of each area. Cells are many and made of the train split alone: of the others it is
/// enough that one has photos.
///
/// # Errors
/// [`DataError::Empty`].
pub fn check_split(labels: &[Area], split: Split, has: impl Fn(usize) -> bool) -> Result<(), DataError> {
    let empty: Vec<usize> = (0..labels.len()).filter(|label| !has(*label)).collect();
    let bears_it = are_cells(labels) && split != Split::Train && empty.len() < labels.len();
    match empty.first() {
        Some(&label) if !bears_it => Err(DataError::Empty { area: labels[label].area.clone(), split }),
        _ => Ok(()),
    }
}

/// Checks that each photo names one of the labels.
///
/// # Errors
/// [`DataError::Label`].
pub fn check_labels(photos: &[RawPhoto], labels: &[Area]) -> Result<(), DataError> {
    match photos.iter().position(|photo| photo.label >= labels.len()) {
        Some(index) => Err(DataError::Label { index, label: photos[index].label, labels: labels.len() }),
        None => Ok(()),
    }
}

fn read(
    index: usize,
    photo: &RawPhoto,
    labels: &[Area],
    input: &Preprocess,
    stored: u32,
) -> Result<(Split, Example), DataError> {
    if photo.label >= labels.len() {
        return Err(DataError::Label { index, label: photo.label, labels: labels.len() });
    }
    let split = photo.split;
    // The validation and test splits see exactly what the inference core sees.
    let side = if split == Split::Train { stored } else { input.size };
    let picture = decode_square(&photo.bytes, &Limits::default(), side).map_err(|source| DataError::Photo {
        index,
        label: photo.label,
        place: photo.place.clone(),
        source,
    })?;
    let example = Example { picture, label: photo.label, place: photo.place.clone() };
    Ok((split, example))
}

/// The order of one epoch: as many indices as there are examples, each label as often as any other (to within
/// one), each example of a label as often as any other of it (to within one), shuffled.
#[must_use]
pub fn balanced_order(labels: &[usize], rng: &mut impl Rng) -> Vec<usize> {
    let classes = labels.iter().max().map_or(0, |max| max + 1);
    let mut by_label: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        by_label[label].push(index);
    }
    by_label.retain(|indices| !indices.is_empty());
    for indices in &mut by_label {
        indices.shuffle(rng);
    }
    // A different label gets the remainder in each epoch.
    let first = if by_label.is_empty() { 0 } else { rng.random_range(0..by_label.len()) };
    let pick = |i: usize| {
        let indices = &by_label[(i + first) % by_label.len()];
        indices[(i / by_label.len()) % indices.len()]
    };
    let mut order: Vec<usize> = (0..labels.len()).map(pick).collect();
    order.shuffle(rng);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn areas() -> Vec<Area> {
        vec![Area::new("県", "甲", "Ko"), Area::new("県", "乙", "Otsu")]
    }

    fn photo(label: usize, place: &str) -> RawPhoto {
        let picture = RgbImage::from_pixel(60, 40, image::Rgb([10, 20, 30]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let split = areas().get(label).map_or(Split::Train, |area| Split::of_place(&area.area, place));
        RawPhoto { bytes: bytes.into_inner(), label, place: place.to_owned(), split }
    }

    fn photos(places: usize) -> Vec<RawPhoto> {
        (0..2 * places).map(|i| photo(i % 2, &format!("{}丁目", i / 2))).collect()
    }

    #[test]
    fn a_place_lies_in_one_split_and_sizes_fit_it() {
        let data = Dataset::new(&photos(60), areas(), Preprocess::imagenet(16), 20).unwrap();
        assert!(data.train.iter().all(|e| e.picture.dimensions() == (20, 20)));
        assert!(data.validation.iter().chain(&data.test).all(|e| e.picture.dimensions() == (16, 16)));
        let kept = (0..60).flat_map(|i| areas().map_towns(&format!("{i}丁目"))).filter(|s| *s != Split::Quiz).count();
        assert_eq!(data.train.len() + data.validation.len() + data.test.len(), kept);
    }

    trait Towns {
        fn map_towns(&self, town: &str) -> Vec<Split>;
    }

    impl Towns for Vec<Area> {
        fn map_towns(&self, town: &str) -> Vec<Split> {
            self.iter().map(|area| Split::of_place(&area.area, town)).collect()
        }
    }

    #[test]
    fn an_area_without_test_places_is_refused() {
        let mut some = photos(60);
        some.retain(|p| p.label == 0 || Split::of_place("県乙", &p.place) != Split::Test);
        let error = Dataset::new(&some, areas(), Preprocess::imagenet(16), 20).unwrap_err();
        assert_eq!(error, DataError::Empty { area: "県乙".into(), split: Split::Test });
    }

    #[test]
    fn a_cell_may_lack_photos_to_be_judged_by() {
        let cell = |lat: f64| Some(crate::domain::Geocell::of(crate::domain::Coordinate { lat, lng: 139.0 }, 8));
        let cells: Vec<Area> =
            areas().into_iter().zip([35.0, 43.0]).map(|(a, lat)| Area { cell: cell(lat), ..a }).collect();
        let check = |split, has: &[usize]| check_split(&cells, split, |label| has.contains(&label));
        assert_eq!(check(Split::Test, &[1]), Ok(()));
        assert!(check(Split::Test, &[]).is_err() && check(Split::Train, &[1]).is_err());
        assert!(check_split(&areas(), Split::Test, |label| label == 1).is_err());
    }

    #[test]
    fn a_broken_photo_and_an_unknown_label_are_named() {
        let mut some = photos(1);
        some[1].bytes = b"no picture".to_vec();
        let error = Dataset::new(&some, areas(), Preprocess::imagenet(16), 20).unwrap_err();
        assert!(matches!(error, DataError::Photo { index: 1, .. }), "{error}");
        let error = Dataset::new(&[photo(2, "1丁目")], areas(), Preprocess::imagenet(16), 20).unwrap_err();
        assert_eq!(error, DataError::Label { index: 0, label: 2, labels: 2 });
    }

    proptest! {
        #[test]
        fn an_epoch_is_balanced_and_repeatable(
            labels in prop::collection::vec(0_usize..4, 1..200), seed: u64,
        ) {
            let order = |seed| balanced_order(&labels, &mut ChaCha8Rng::seed_from_u64(seed));
            let epoch = order(seed);
            prop_assert_eq!(&epoch, &order(seed));
            prop_assert_eq!(epoch.len(), labels.len());
            let mut drawn = [0_usize; 4];
            let mut times = vec![0_usize; labels.len()];
            for &index in &epoch {
                drawn[labels[index]] += 1;
                times[index] += 1;
            }
            let present = |label: &usize| labels.contains(label);
            let counts: Vec<usize> = (0..4).filter(present).map(|label| drawn[label]).collect();
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
            for label in (0..4).filter(present) {
                let of: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == label).map(|i| times[i]).collect();
                prop_assert!(of.iter().max().unwrap() - of.iter().min().unwrap() <= 1, "{:?}", of);
            }
        }
    }
}

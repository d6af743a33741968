//! What a training would get, counted before it is begun: photos by area and split, and about how long it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cells::{Labelled, Lost, Rule, Sight, label};
use super::drawn::Amount;
use super::folder::Folder;
use super::recipe::Recipe;
use super::resnet::{Arch, ResNetConfig};
use crate::domain::partition::Limits;
use crate::domain::{Area, Split};
use crate::infer::manifest::Manifest;
use crate::store::ImageSum;
use crate::world::World;

/// Splits that a training needs photos in, in the order of [`AreaSupply::photos`].
pub const NEEDED: [Split; 3] = [Split::Train, Split::Validation, Split::Test];
/// Multiply-adds a second of one core that runs networks with tract, decoding included: 24 ms for a photo and ResNet-18 at
/// 128 pixels (`kokodoko predict --json`).
const RUN: f64 = 24e9;
/// The same of one that trains: 0.4 s for a step of 16 photos with that network (`cargo bench --bench training`).
const FIT: f64 = 70e9;
/// Seconds in which one core draws a photo.
const DRAWN: f64 = 0.025;

/// Photos of an area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaSupply {
    /// Full name: `東京都港区`.
    pub area: String,
    /// Photos to train on, to validate with and to test with.
    pub photos: [usize; 3],
}

/// Photos to train on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// The areas, by name or in the order of the world.
    pub areas: Vec<AreaSupply>,
    /// Whether they have yet to be drawn.
    pub drawn: bool,
    /// Where the areas are cells: photos that are left out.
    pub lost: Lost,
    /// Where the areas are cells: places of the photos to test with.
    pub places: usize,
}

impl Supply {
    /// Photos of the drawn world, so many an area to train on.
    #[must_use]
    pub fn drawn(world: &World, train: usize) -> Self {
        let photos = [train, Amount::FULL.validation, Amount::FULL.test];
        let areas = world.areas().iter().map(|area| AreaSupply { area: area.area.clone(), photos }).collect();
        Self { areas, drawn: true, ..Self::default() }
    }

    /// Photos with cells for areas, which are made of them; each with its place.
    #[must_use]
    pub fn in_cells(seen: &[(Sight, String)], limits: Limits) -> Self {
        let sights: Vec<Sight> = seen.iter().map(|(sight, _)| sight.clone()).collect();
        let Labelled { labels, of, lost } = label(&sights, &Rule::Made(limits));
        let kept =
            seen.iter().zip(of).filter_map(|((sight, place), label)| Some((label?, sight.split, place.as_str())));
        Self::of_cells(&labels, lost, kept)
    }

    /// Photos in folders with cells for areas, and those that were left out.
    #[must_use]
    pub fn of_folder_in_cells(folder: &Folder, lost: Lost) -> Self {
        let photos = folder.photos.iter().map(|photo| (photo.label, photo.split, photo.place.as_str()));
        Self::of_cells(&folder.labels, lost, photos)
    }

    fn of_cells<'a>(labels: &[Area], lost: Lost, photos: impl Iterator<Item = (usize, Split, &'a str)>) -> Self {
        let photos: Vec<(usize, Split, &str)> = photos.collect();
        let test = photos.iter().filter(|(_, split, _)| *split == Split::Test);
        // By name alone: a town may lie in several cells, and is one place all the same.
        let places = test.map(|(.., place)| place).collect::<BTreeSet<_>>().len();
        let found = photos.iter().map(|(label, split, _)| (labels[*label].area.as_str(), *split, 1));
        Self { lost, places, ..Self::of(found) }
    }

    /// Photos in folders.
    #[must_use]
    pub fn of_folder(folder: &Folder) -> Self {
        let found = folder.photos.iter().map(|photo| (folder.labels[photo.label].area.as_str(), photo.split, 1));
        Self::of(found)
    }

    /// What was collected.
    #[must_use]
    pub fn of_sums(sums: &[ImageSum]) -> Self {
        Self::of(sums.iter().map(|sum| (sum.place.area.as_str(), sum.split, sum.images as usize)))
    }

    fn of<'a>(found: impl Iterator<Item = (&'a str, Split, usize)>) -> Self {
        let mut areas: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for (area, split, photos) in found {
            if let Some(i) = NEEDED.iter().position(|needed| *needed == split) {
                areas.entry(area).or_default()[i] += photos;
            }
        }
        let area = |(area, photos): (&str, [usize; 3])| AreaSupply { area: area.to_owned(), photos };
        Self { areas: areas.into_iter().map(area).collect(), ..Self::default() }
    }

    /// Photos of all areas to train on, to validate with and to test with.
    #[must_use]
    pub fn total(&self) -> [usize; 3] {
        self.areas.iter().fold([0; 3], |sum, area| std::array::from_fn(|i| sum[i] + area.photos[i]))
    }

    /// What keeps a training from being begun: areas without a photo in a split.
    #[must_use]
    pub fn lacking(&self) -> Vec<(&str, Split)> {
        let splits = |area| NEEDED.into_iter().enumerate().map(move |(i, split)| (area, i, split));
        let all = self.areas.iter().flat_map(splits);
        all.filter(|(area, i, _)| area.photos[*i] == 0).map(|(area, _, split)| (area.area.as_str(), split)).collect()
    }

    /// About how long a new last layer on this network takes: each photo is run once, those to train on also mirrored.
    /// `None` when the network is not known.
    #[must_use]
    pub fn head_time(&self, base: &Manifest) -> Option<Duration> {
        let [train, validation, test] = self.total();
        let arch = Arch::ALL.into_iter().find(|arch| arch.name() == base.arch)?;
        let network = ResNetConfig { output_stride: base.output_stride, ..ResNetConfig::new(arch, base.labels.len()) };
        let run = network.multiply_adds(base.input.size);
        Some(self.time((2 * train + validation + test) as f64 * run / RUN))
    }

    /// About how long a training on the processor takes: a step costs about three runs of the network.
    #[must_use]
    pub fn full_time(&self, recipe: &Recipe) -> Duration {
        let [train, validation, _] = self.total();
        let network = recipe.network(self.areas.len());
        let epoch = |epoch: usize| (3 * train + validation) as f64 * network.multiply_adds(recipe.side(epoch));
        self.time((0..recipe.epochs()).map(epoch).sum::<f64>() / FIT)
    }

    /// Seconds of one core shared among all, with the drawing.
    fn time(&self, seconds: f64) -> Duration {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let drawing = if self.drawn { self.total().iter().sum::<usize>() as f64 * DRAWN } else { 0.0 };
        Duration::from_secs_f64((seconds + drawing) / cores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::manifest::ModelFiles;
    use crate::store::Place;

    fn sum(area: &str, split: Split, images: u64) -> ImageSum {
        let place = Place { area: area.to_owned(), town: "一丁目".to_owned() };
        ImageSum { place, split, month: String::new(), images, bytes: 0 }
    }

    #[test]
    fn what_is_lacking_is_named_and_the_quiz_counts_nothing() {
        let sums = [
            sum("乙", Split::Train, 3),
            sum("甲", Split::Train, 4),
            sum("甲", Split::Train, 1),
            sum("甲", Split::Validation, 2),
            sum("甲", Split::Test, 2),
            sum("乙", Split::Test, 6),
            sum("丙", Split::Quiz, 9),
        ];
        let supply = Supply::of_sums(&sums);
        assert_eq!(supply.total(), [8, 2, 8]);
        assert_eq!(supply.lacking(), [("乙", Split::Validation)]);
        assert_eq!(Supply::drawn(&World::load(), 40).lacking(), []);
    }

    #[test]
    fn cells_are_counted_with_the_places_that_they_are_judged_by() {
        let at = |lat: f64, split, town: &str| {
            let sight = Sight { at: crate::domain::Coordinate::new(lat, 139.7), area: "甲".to_owned(), split };
            (sight, town.to_owned())
        };
        let mut seen: Vec<(Sight, String)> =
            (0..8).map(|i| at(35.0 + f64::from(i / 4) * 8.0, Split::Train, "一")).collect();
        seen.extend([at(35.0, Split::Test, "二"), at(35.0, Split::Test, "二"), at(43.0, Split::Test, "三")]);
        seen.extend([at(-35.0, Split::Test, "四"), at(95.0, Split::Validation, "五"), at(35.0, Split::Quiz, "六")]);
        let supply = Supply::in_cells(&seen, Limits { most: 4, least: 2, deepest: 13 });
        assert_eq!((supply.areas.len(), supply.total(), supply.places), (2, [8, 0, 3], 2));
        assert_eq!(supply.lost, Lost { unplaced: 1, outside: 1 });
        let drawn = super::super::drawn::sights(&World::load(), 1, Amount::SMOKE);
        let supply = Supply::in_cells(&drawn, Limits { most: 20, least: 5, deepest: 13 });
        assert!(supply.areas.len() > 7 && supply.places > 20, "{supply:?}");
    }

    #[test]
    fn more_photos_take_longer_and_full_trainings_longest() {
        let (world, base) = (World::load(), ModelFiles::built_in().unwrap().manifest);
        let times = [10, 1_000].map(|photos| Supply::drawn(&world, photos).head_time(&base).unwrap());
        assert!(times[0] < times[1]);
        let recipe = Recipe::built_in(1);
        let alike = Manifest { output_stride: recipe.output_stride, ..base.clone() };
        let head = Supply::drawn(&world, 1_000).head_time(&alike).unwrap();
        assert!(head < Supply::drawn(&world, 1_000).full_time(&recipe));
        assert!(head < times[1], "a finer map takes longer");
        let other = Manifest { arch: "vit".to_owned(), ..base };
        assert_eq!(Supply::drawn(&world, 10).head_time(&other), None);
    }
}

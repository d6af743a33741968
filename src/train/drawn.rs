//! The built-in model's data and signature: photos of the drawn world.

use rayon::prelude::*;

use super::builtin::Task;
use super::cells::{Labelled, Lost, Rule, Sight, label};
use super::data::RawPhoto;
use super::recipe::{Recipe, Stage};
use crate::domain::{Area, Split};
use crate::infer::manifest::Provenance;
use crate::infer::preprocess::Preprocess;
use crate::world::photo::{PhotoSpec, photos as specs};
use crate::world::{Signs, World};

/// Side of a training photo: drawing larger ones only to shrink them would take longer than the training.
pub(super) const TRAINING_SIDE: u32 = 320;
/// Share of right answers that the abstention threshold aims at.
pub const ACCURACY: f32 = 0.9;

/// Of so many training photos of an area one is of a street whose fence is the only sign of it. Where every photo has
/// all signs, a network does not learn the fences: one trained so knew 25 % of such streets by them, where tossing a
/// coin of seven sides knows 14 %.
const FENCE_ALONE: usize = 6;

/// Whose data the drawn world stands on.
const CREDITS: [&str; 2] = ["Geolonia 住所データ (CC BY 4.0)", "国土交通省 国土数値情報（行政区域データ）"];

/// How much is drawn, photos an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// To fit the weights.
    pub train: usize,
    /// To choose checkpoint, temperature and threshold.
    pub validation: usize,
    /// To judge.
    pub test: usize,
}

impl Amount {
    /// For the built-in model.
    pub const FULL: Self = Self { train: 1000, validation: 100, test: 150 };
    /// To see that everything works.
    pub const SMOKE: Self = Self { train: 40, validation: 12, test: 12 };
}

/// Version of the built-in model; the next training is another one.
const VERSION: &str = "3.0.0";

/// The task of a model of the drawn world; `command` is how it was made.
#[must_use]
pub fn task(world: &World, mut recipe: Recipe, smoke: bool, command: String) -> Task {
    let side = recipe.final_side();
    if smoke {
        recipe.stages = vec![Stage { epochs: 2, side: 64 }];
    }
    Task {
        name: "drawn-world".to_owned(),
        version: VERSION.to_owned(),
        provenance: Provenance {
            data: "drawn-world".to_owned(),
            command,
            licence: env!("CARGO_PKG_LICENSE").to_owned(),
            // Towns and borders of the drawn world are real ones: see src/world/data/README.md.
            attribution: CREDITS.map(str::to_owned).to_vec(),
        },
        labels: world.areas().to_vec(),
        input: Preprocess::imagenet(side),
        recipe,
        accuracy: ACCURACY,
    }
}

/// Draws the photos on all cores. Training photos are small squares; those of validation and test come in all the
/// sizes that services send.
#[must_use]
pub fn photos(world: &World, seed: u64, amount: Amount) -> Vec<RawPhoto> {
    let shoot = |(spec, signs): &(PhotoSpec, Signs)| {
        let photo = spec.shoot_with(world, *signs);
        let split = Split::of_place(&world.areas()[photo.area].area, &photo.panorama.town);
        RawPhoto { bytes: photo.jpeg, label: photo.area, place: photo.panorama.town, split }
    };
    wanted(world, seed, amount).par_iter().map(shoot).collect()
}

/// The same photos labelled with cells, and what is left out; nothing is drawn of that.
#[must_use]
pub fn in_cells(world: &World, seed: u64, amount: Amount, rule: &Rule<'_>) -> (Vec<RawPhoto>, Vec<Area>, Lost) {
    let all = wanted(world, seed, amount);
    let sights: Vec<Sight> = all.iter().map(|(spec, _)| sight(world, spec).0).collect();
    let Labelled { labels, of, lost } = label(&sights, rule);
    let kept: Vec<(PhotoSpec, Signs, usize, Split)> = all
        .into_iter()
        .zip(of)
        .zip(&sights)
        .filter_map(|(((spec, signs), label), sight)| Some((spec, signs, label?, sight.split)))
        .collect();
    let shoot = |(spec, signs, label, split): &(PhotoSpec, Signs, usize, Split)| {
        let photo = spec.shoot_with(world, *signs);
        RawPhoto { bytes: photo.jpeg, label: *label, place: photo.panorama.town, split: *split }
    };
    (kept.par_iter().map(shoot).collect(), labels, lost)
}

/// What is known of the same photos and the towns that they show, before any is drawn.
#[must_use]
pub fn sights(world: &World, seed: u64, amount: Amount) -> Vec<(Sight, String)> {
    wanted(world, seed, amount).iter().map(|(spec, _)| sight(world, spec)).collect()
}

fn sight(world: &World, spec: &PhotoSpec) -> (Sight, String) {
    let (area, panorama) = (&world.areas()[spec.area].area, &world.panoramas(spec.area)[spec.panorama]);
    let split = Split::of_place(area, &panorama.town);
    (Sight { at: Some(panorama.position), area: area.clone(), split }, panorama.town.clone())
}

/// Which photos are drawn, and what their streets show.
fn wanted(world: &World, seed: u64, amount: Amount) -> Vec<(PhotoSpec, Signs)> {
    let wanted = [(Split::Train, amount.train), (Split::Validation, amount.validation), (Split::Test, amount.test)];
    let areas = world.areas().len();
    let drawn = |(split, count)| {
        let photos = split_photos(world, seed, split, count).into_iter().enumerate();
        photos.map(move |(i, spec)| (spec, signs(split, i / areas))).collect::<Vec<_>>()
    };
    wanted.into_iter().flat_map(drawn).collect()
}

/// What the streets of a round through the areas show, counted from 0. Those of validation and test are as they are.
fn signs(split: Split, round: usize) -> Signs {
    let alone = split == Split::Train && round % FENCE_ALONE == FENCE_ALONE - 1;
    Signs { fence: true, others: !alone }
}

/// Photos of a split as [`photos`] draws them, the first `count` of each area, areas in turn.
#[must_use]
pub fn split_photos(world: &World, seed: u64, split: Split, count: usize) -> Vec<PhotoSpec> {
    let specs = specs(world, split_seed(seed, split), &[split], count);
    let sized = |spec: PhotoSpec| if split == Split::Train { spec.sized(TRAINING_SIDE, TRAINING_SIDE) } else { spec };
    specs.map(sized).collect()
}

/// Seed of a split's photos.
#[must_use]
pub fn split_seed(seed: u64, split: Split) -> u64 {
    let own = match split {
        Split::Train => 0,
        Split::Validation => 1,
        Split::Test => 2,
        Split::Quiz => 3,
    };
    seed.wrapping_add(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_area_has_its_share_of_fences_alone_to_learn_from_and_none_to_be_judged_by() {
        let world = World::load();
        let drawn = wanted(&world, 1, Amount { train: 2 * FENCE_ALONE, validation: FENCE_ALONE, test: FENCE_ALONE });
        let areas = world.areas().len();
        assert_eq!(drawn.len(), 4 * FENCE_ALONE * areas);
        let (train, judged) = drawn.split_at(2 * FENCE_ALONE * areas);
        for area in 0..areas {
            let alone = train.iter().filter(|(spec, signs)| spec.area == area && !signs.others).count();
            assert_eq!(alone, 2, "area {area}");
        }
        assert!(judged.iter().all(|(_, signs)| *signs == Signs::ALL));
    }
}

//! The built-in model's data and signature: photos of the drawn world.

use rayon::prelude::*;

use super::builtin::Task;
use super::cells::{Labelled, Lost, Rule, Sight, label};
use super::data::RawPhoto;
use super::recipe::{Recipe, Stage};
use crate::domain::{Area, Split};
use crate::infer::manifest::Provenance;
use crate::infer::preprocess::Preprocess;
use crate::world::World;
use crate::world::photo::{PhotoSpec, photos as specs};

/// Side of a training photo: drawing larger ones only to shrink them would take longer than the training.
pub(super) const TRAINING_SIDE: u32 = 320;
/// Share of right answers that the abstention threshold aims at.
pub const ACCURACY: f32 = 0.9;

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
const VERSION: &str = "2.2.0";

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
    let shoot = |spec: &PhotoSpec| {
        let photo = spec.shoot(world);
        let split = Split::of_place(&world.areas()[photo.area].area, &photo.panorama.town);
        RawPhoto { bytes: photo.jpeg, label: photo.area, place: photo.panorama.town, split }
    };
    wanted(world, seed, amount).par_iter().map(shoot).collect()
}

/// The same photos labelled with cells, and what is left out; nothing is drawn of that.
#[must_use]
pub fn in_cells(world: &World, seed: u64, amount: Amount, rule: &Rule<'_>) -> (Vec<RawPhoto>, Vec<Area>, Lost) {
    let all = wanted(world, seed, amount);
    let sights: Vec<Sight> = all.iter().map(|spec| sight(world, spec).0).collect();
    let Labelled { labels, of, lost } = label(&sights, rule);
    let kept: Vec<(PhotoSpec, usize, Split)> = all
        .into_iter()
        .zip(of)
        .zip(&sights)
        .filter_map(|((spec, label), sight)| Some((spec, label?, sight.split)))
        .collect();
    let shoot = |(spec, label, split): &(PhotoSpec, usize, Split)| {
        let photo = spec.shoot(world);
        RawPhoto { bytes: photo.jpeg, label: *label, place: photo.panorama.town, split: *split }
    };
    (kept.par_iter().map(shoot).collect(), labels, lost)
}

/// What is known of the same photos and the towns that they show, before any is drawn.
#[must_use]
pub fn sights(world: &World, seed: u64, amount: Amount) -> Vec<(Sight, String)> {
    wanted(world, seed, amount).iter().map(|spec| sight(world, spec)).collect()
}

fn sight(world: &World, spec: &PhotoSpec) -> (Sight, String) {
    let (area, panorama) = (&world.areas()[spec.area].area, &world.panoramas(spec.area)[spec.panorama]);
    let split = Split::of_place(area, &panorama.town);
    (Sight { at: Some(panorama.position), area: area.clone(), split }, panorama.town.clone())
}

/// Which photos are drawn.
fn wanted(world: &World, seed: u64, amount: Amount) -> Vec<PhotoSpec> {
    let wanted = [(Split::Train, amount.train), (Split::Validation, amount.validation), (Split::Test, amount.test)];
    wanted.into_iter().flat_map(|(split, count)| split_photos(world, seed, split, count)).collect()
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

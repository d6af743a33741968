//! The model inside the program, on tract, against what training computed and on photos that it has not seen.

use kokodoko::domain::Split;
use kokodoko::infer::manifest::ModelFiles;
use kokodoko::infer::{Core, Options};
use kokodoko::train::drawn;
use kokodoko::world::{World, photo};

/// Seed in the manifest's command.
const SEED: u64 = 1;

fn core() -> (ModelFiles, Core) {
    let files = ModelFiles::built_in().expect("the built-in model belongs to its manifest");
    let core = Core::start(&files, &Options::default()).expect("tract runs the built-in model");
    (files, core)
}

/// Bytes → decode → preprocess → tract gives the probabilities of the logits that training itself computed, on the
/// same bytes, with its own preprocessing and its own forward pass.
#[tokio::test]
async fn inference_agrees_with_training() {
    let (files, core) = core();
    let stored: Vec<Vec<f32>> =
        serde_json::from_str(include_str!("../../models/drawn-world/reference.json")).expect("rows of logits");
    assert_eq!(stored.len(), files.manifest.labels.len());
    let world = World::load();
    for (spec, logits) in drawn::test_photos(&world, SEED, 1).iter().zip(&stored) {
        let located = core.locate(spec.shoot(&world).jpeg).await.expect("a drawn photo is answered");
        let expected = kokodoko::domain::prediction::softmax(logits, files.manifest.temperature);
        for found in &located.prediction.areas {
            let difference = (found.probability - expected[found.label]).abs();
            assert!(difference < 1e-3, "{}: {} is not {}", found.area.area, found.probability, expected[found.label]);
        }
    }
}

/// A small sample, so the bound is low; `.ci/e2e` measures 70 photos and the manifest 1,050.
#[tokio::test]
async fn most_photos_of_unseen_towns_are_named_rightly() {
    let (_, core) = core();
    let world = World::load();
    let specs: Vec<_> = photo::photos(&world, 77, &[Split::Test], 4).collect();
    let mut right = 0;
    for spec in &specs {
        let located = core.locate(spec.shoot(&world).jpeg).await.expect("a drawn photo is answered");
        right += usize::from(located.prediction.best().label == spec.area);
    }
    assert!(right * 10 >= specs.len() * 6, "{right} of {}", specs.len());
}

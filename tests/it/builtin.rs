//! The model inside the program, on tract, against what training computed and on photos that it has not seen.

use kokodoko::domain::Split;
use kokodoko::domain::prediction::softmax;
use kokodoko::infer::decode::{Limits, decode, decode_square};
use kokodoko::infer::manifest::ModelFiles;
use kokodoko::infer::onnx::{Backend, Network};
use kokodoko::infer::queue::Run;
use kokodoko::infer::{Core, Options};
use kokodoko::train::drawn;
use kokodoko::world::strays::strays;
use kokodoko::world::{World, photo};

/// Seed in the manifest's command.
const SEED: u64 = 1;

fn core() -> (ModelFiles, Core) {
    let files = ModelFiles::built_in().expect("the built-in model belongs to its manifest");
    let core = Core::start(&files, &Options::default()).expect("tract runs the built-in model");
    (files, core)
}

/// Bytes → decode → preprocess → tract gives the probabilities of the logits that training itself computed, on the
/// same bytes, with its own forward pass. Both decode photos as small as the network sees them; that this changes little is
/// the next test.
#[test]
fn inference_agrees_with_training() {
    let files = ModelFiles::built_in().expect("the built-in model belongs to its manifest");
    let mut network = Network::load(&files, &Backend::Tract).expect("tract runs the built-in model");
    let input = files.manifest.input;
    let stored: Vec<Vec<f32>> =
        serde_json::from_str(include_str!("../../models/drawn-world/reference.json")).expect("rows of logits");
    assert_eq!(stored.len(), files.manifest.labels.len());
    let world = World::load();
    for (spec, logits) in drawn::split_photos(&world, SEED, Split::Test, 1).iter().zip(&stored) {
        let jpeg = spec.shoot(&world).jpeg;
        let square = decode_square(&jpeg, &Limits::default(), input.size).expect("a drawn photo is sound");
        let found = network.run(1, &input.tensor(&square)).expect("it runs").logits;
        let [found, expected] = [&found, logits].map(|row| softmax(row, files.manifest.temperature));
        for (area, (found, expected)) in files.manifest.labels.iter().zip(found.iter().zip(&expected)) {
            assert!((found - expected).abs() < 1e-3, "{}: {found} is not {expected}", area.area);
        }
    }
}

/// The core decodes photos as small as the network sees them: the answers are those of photos decoded in full.
#[tokio::test]
async fn photos_decoded_small_get_the_answers_of_those_in_full() {
    let (files, core) = core();
    let mut network = Network::load(&files, &Backend::Tract).expect("tract runs the built-in model");
    let (input, world) = (files.manifest.input, World::load());
    let mut sum = 0.0;
    let specs = drawn::split_photos(&world, SEED, Split::Test, 2);
    for spec in &specs {
        let jpeg = spec.shoot(&world).jpeg;
        let picture = decode(&jpeg, &Limits::default()).expect("a drawn photo is sound");
        let logits = network.run(1, &input.tensor(&input.square(&picture))).expect("it runs").logits;
        let full = softmax(&logits, files.manifest.temperature);
        let small = core.locate(jpeg).await.expect("a drawn photo is answered").prediction.areas;
        let most = small.iter().map(|found| (found.probability - full[found.label]).abs()).fold(0.0, f32::max);
        assert!(most < 0.1, "a probability differs by {most}");
        sum += most;
    }
    assert!(sum / specs.len() as f32 <= 0.01, "on average by {}", sum / specs.len() as f32);
}

/// A small sample, so the bound is low; `.ci/e2e` measures 70 photos and the manifest 1,050.
#[tokio::test]
async fn most_photos_of_unseen_towns_are_named_rightly() {
    let (_, core) = core();
    let world = World::load();
    let specs: Vec<_> = photo::photos(&world, 77, &[Split::Test], 4).collect();
    let (mut right, mut streets) = (0, 0);
    for spec in &specs {
        let located = core.locate(spec.shoot(&world).jpeg).await.expect("a drawn photo is answered");
        right += usize::from(located.prediction.best().label == spec.area);
        streets += usize::from(located.prediction.is_street);
    }
    assert!(right * 10 >= specs.len() * 6, "{right} of {}", specs.len());
    assert!(streets * 10 >= specs.len() * 9, "{streets} of {} look like streets", specs.len());
}

/// `world outliers` measures many more; here one in five may slip through.
#[tokio::test]
async fn what_is_no_street_gets_no_area() {
    let (files, core) = core();
    assert!(files.manifest.street.is_some(), "the built-in model can tell");
    let strays = strays(&World::load(), 78, Split::Test, 2);
    let mut refused = 0;
    for (_, jpeg) in &strays {
        let prediction = core.locate(jpeg.clone()).await.expect("a picture is answered").prediction;
        assert!(prediction.is_street || !prediction.known);
        refused += usize::from(!prediction.is_street);
    }
    assert!(refused * 5 >= strays.len() * 4, "{refused} of {}", strays.len());
}

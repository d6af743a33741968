//! Trainings on two areas of stripes.

use super::*;
use crate::domain::Area;
use crate::infer::preprocess::Preprocess;
use crate::train::augment::Augment;
use crate::train::data::Example;
use crate::train::recipe::Stage;
use image::{Rgb, RgbImage};

/// Two areas that differ in what stands where, not in their mean colour.
fn stripes(count: usize) -> Vec<Example> {
    let picture = |label: usize, shift: u32| {
        RgbImage::from_fn(40, 40, |x, y| {
            let along = (if label == 0 { x } else { y }) + shift;
            Rgb([if (along / 4).is_multiple_of(2) { 30 } else { 220 }; 3])
        })
    };
    (0..count)
        .map(|i| Example { picture: picture(i % 2, (i % 5) as u32), label: i % 2, place: String::new() })
        .collect()
}

fn data() -> Dataset {
    let labels = vec![Area::new("県", "甲", "Ko"), Area::new("県", "乙", "Otsu")];
    let (train, validation) = (stripes(24), stripes(8));
    Dataset {
        labels,
        input: Preprocess::imagenet(32),
        stored: 40,
        train,
        validation: validation.clone(),
        test: validation,
    }
}

fn recipe() -> Recipe {
    Recipe {
        stages: vec![Stage { epochs: 3, side: 32 }],
        batch: 8,
        learning_rate: 0.02,
        augment: Augment::none(),
        ..Recipe::built_in(5)
    }
}

struct Trial {
    folder: tempfile::TempDir,
    recipe: Recipe,
    said: Vec<Event>,
}

impl Trial {
    fn new(recipe: Recipe) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), recipe, said: Vec::new() }
    }

    fn run(&mut self, resume: bool) -> Result<ResNet, FitError> {
        self.run_with(resume, &|model, input| model.forward(input).logits)
    }

    fn run_with(&mut self, resume: bool, forward: Forward<'_>) -> Result<ResNet, FitError> {
        let (data, device) = (data(), Device::flex());
        let plan = Fit {
            data: &data,
            recipe: &self.recipe,
            device: &device,
            checkpoints: self.folder.path(),
            start: &Start::Random,
            resume,
            parts: 1,
        };
        let said = &mut self.said;
        fit_with(&plan, forward, &mut |event| said.push(event))
    }

    fn validations(&self) -> Vec<Validation> {
        let validation = |event: &Event| match event {
            Event::Progress(progress) => progress.validation,
            _ => None,
        };
        self.said.iter().filter_map(validation).collect()
    }

    fn notes(&self, kind: &str) -> Vec<&str> {
        fn note<'a>(event: &'a Event, kind: &str) -> Option<&'a str> {
            match event {
                Event::Note { about, text } if about == kind => Some(text),
                _ => None,
            }
        }
        self.said.iter().filter_map(|event| note(event, kind)).collect()
    }
}

fn answers(model: &ResNet) -> Vec<Vec<f32>> {
    let data = data();
    logits(model, &data.test, &data.input, &Device::flex())
}

#[test]
fn learns_stripes_and_leaves_the_best_weights() {
    let mut trial = Trial::new(recipe());
    let fitted = trial.run(false).unwrap();
    let best = trial.validations().iter().map(|v| v.macro_recall).fold(0.0, f32::max);
    assert!(best > 0.9, "{:?}", trial.said);
    assert!(trial.notes("start")[0].contains("RANDOM") && trial.notes("wait").len() == 1);
    let weights = weights::read(&checkpoint::best(trial.folder.path())).unwrap();
    let mut loaded = trial.recipe.network(2).init(&Device::flex());
    weights::load(&mut loaded, trial.recipe.arch, &weights, &Device::flex()).unwrap();
    assert_eq!(answers(&loaded.valid()), answers(&fitted));
}

/// A kill in the second epoch, then on from the checkpoint of the first: the same to 1e-4 as without.
#[test]
fn a_killed_training_goes_on_to_the_same_result() {
    let adam = crate::train::recipe::Optimiser::Adam;
    let stages = vec![Stage { epochs: 2, side: 32 }];
    let recipe = Recipe { optimiser: adam, learning_rate: 1e-3, ema: 0.9, stages, ..recipe() };
    let mut whole = Trial::new(recipe.clone());
    let wanted = whole.run(false).unwrap();
    let mut cut = Trial::new(recipe.clone());
    let steps = std::cell::Cell::new(0);
    let dies = |model: &ResNet, input: Tensor<4>| {
        steps.set(steps.get() + 1);
        // 3 steps an epoch.
        assert!(steps.get() < 5, "killed");
        model.forward(input).logits
    };
    let death = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cut.run_with(false, &dies)));
    assert!(death.is_err());
    let resumed = cut.run(true).unwrap();
    assert_eq!(cut.notes("resume"), ["going on after epoch 1 of 2"]);
    let (a, b) = (whole.validations(), cut.validations());
    assert_eq!(b.len(), 2, "one before the kill, one after");
    for (a, b) in a.iter().zip(&b) {
        assert!((a.macro_recall - b.macro_recall).abs() < 1e-4 && (a.loss - b.loss).abs() < 1e-4, "{a:?} {b:?}");
    }
    for (a, b) in answers(&wanted).concat().iter().zip(answers(&resumed).concat()) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn another_training_is_not_gone_on_with() {
    let mut trial = Trial::new(recipe());
    assert!(matches!(trial.run(true), Err(FitError::Checkpoint(CheckpointError::None { .. }))));
    trial.run(false).unwrap();
    trial.recipe.batch = 4;
    let error = trial.run(true).err().unwrap();
    assert!(error.to_string().contains("another recipe"), "{error}");
}

#[test]
fn too_few_photos_are_refused() {
    let error = Trial::new(Recipe { batch: 25, ..recipe() }).run(false);
    assert!(matches!(error, Err(FitError::TooFew { photos: 24, batch: 25 })));
}

#[test]
fn mixed_precision_is_refused_on_the_processor() {
    let error = Trial::new(Recipe { mixed_precision: true, ..recipe() }).run(false);
    assert!(matches!(error, Err(FitError::Mixed)));
}

#[test]
fn a_diverging_loss_ends_the_training_with_its_place() {
    let mut trial = Trial::new(Recipe { learning_rate: 1e30, warm_up: 0.0, ..recipe() });
    assert!(matches!(trial.run(false), Err(FitError::Diverged { epoch: 1, .. })));
    assert!(!checkpoint::best(trial.folder.path()).exists());
}

#[test]
fn a_lack_of_memory_is_said_and_helped() {
    let mut trial = Trial::new(Recipe { stages: vec![Stage { epochs: 1, side: 32 }], ..recipe() });
    let small = |model: &ResNet, input: Tensor<4>| {
        assert!(input.dims()[0] <= 4, "out of memory");
        model.forward(input).logits
    };
    trial.run_with(false, &small).unwrap();
    assert_eq!(trial.notes("memory").len(), 1);
    assert!(trial.notes("memory")[0].contains("8 photos is now done in parts of 4"));
    let none = |_: &ResNet, _: Tensor<4>| -> Tensor<2> { panic!("out of memory") };
    let error = Trial::new(recipe()).run_with(false, &none);
    assert!(matches!(error, Err(FitError::Memory { photos: 2, side: 32, .. })));
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_said() {
    let mut trial = Trial::new(Recipe { stages: vec![Stage { epochs: 1, side: 32 }], ..recipe() });
    // A file where the folder of the first epoch belongs.
    std::fs::write(trial.folder.path().join("new"), b"in the way").unwrap();
    let error = trial.run(false).err().unwrap();
    assert!(matches!(error, FitError::Checkpoint(CheckpointError::Write { .. })), "{error}");
}

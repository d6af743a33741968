//! Fits a network to a dataset.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use thiserror::Error;

use super::checkpoint::{self, CheckpointError, Saved, State};
use super::convolve;
use super::data::Dataset;
use super::ema::Ema;
use super::evaluate::logits;
use super::loader;
use super::recipe::Recipe;
use super::resnet::ResNet;
use super::start::{Start, blank};
use super::step::{Forward, OutOfMemory, Stepper};
use super::weights::{self, StateDict, WeightsError};
use crate::domain::metrics::{confusion, macro_recall, nll, top_k};

/// Steps between looks at the loss on an accelerator: each look waits for everything that is queued there.
const LOOK: usize = 10;
/// First steps of a resolution, each waited for, so that a lack of memory shows where it can be helped.
const CAREFUL: usize = 4;
/// Longest silence between two reports, checked at each look.
const SILENCE: Duration = Duration::from_secs(5);

/// What to fit, and how.
pub struct Fit<'a> {
    /// The photos.
    pub data: &'a Dataset,
    /// How to train.
    pub recipe: &'a Recipe,
    /// Where, without autodiff.
    pub device: &'a Device,
    /// Folder of the checkpoints.
    pub checkpoints: &'a Path,
    /// The first weights.
    pub start: &'a Start,
    /// Goes on from the last checkpoint instead.
    pub resume: bool,
}

/// What a training says while it runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// How far it is.
    Progress(Progress),
    /// Something worth a sentence.
    Note {
        /// What kind: `start`, `resume`, `memory` or `wait`.
        about: &'static str,
        /// The sentence, English.
        text: String,
    },
}

/// How far the training is; one after every few steps and one, with `validation`, after every epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// Which epoch, counted from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Steps done in this epoch.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Side of the input, pixels.
    pub side: u32,
    /// Mean training loss of the epoch so far, nats.
    pub loss: f32,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Photos a second in this epoch.
    pub images_per_second: f32,
    /// Share of the epoch's time spent waiting for data, 0 to 1.
    pub data_wait: f32,
    /// Since the beginning of the training, earlier runs included.
    pub elapsed: Duration,
    /// Until the end, should it go on as it did in this epoch.
    pub left: Duration,
    /// Figures on the validation split, after an epoch.
    pub validation: Option<Validation>,
}

/// Figures on the validation split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Validation {
    /// Share of photos named rightly.
    pub top1: f32,
    /// Mean of the areas' recalls.
    pub macro_recall: f32,
    /// Mean negative log-likelihood, nats.
    pub loss: f64,
}

/// A training that ended without a model.
#[derive(Debug, Error)]
pub enum FitError {
    /// The loss is no number.
    #[error("the loss became {loss} in epoch {epoch}, step {step}: lower the learning rate ({learning_rate})")]
    Diverged {
        /// Which epoch, counted from 1.
        epoch: usize,
        /// By which step of it, counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// The recipe's learning rate.
        learning_rate: f64,
    },
    /// Fewer photos than a batch holds.
    #[error("{photos} photos to train on are fewer than a batch of {batch}: collect more or lower `batch`")]
    TooFew {
        /// Photos in the train split.
        photos: usize,
        /// The recipe's batch.
        batch: usize,
    },
    /// Mixed precision where there is none.
    #[error("`mixed_precision` needs a CUDA device: set it to false, or train with --device cuda")]
    Mixed,
    /// Not even a few photos fit into memory.
    #[error(
        "out of memory with {photos} photos at {side} pixels: choose a smaller `side` or network; a checkpoint of an \
         epoch that was done goes on with --resume ({detail})"
    )]
    Memory {
        /// Photos of the smallest part tried.
        photos: usize,
        /// Side of the input, pixels.
        side: u32,
        /// The device's words.
        detail: String,
    },
    /// The first weights.
    #[error(transparent)]
    Start(#[from] WeightsError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The data threads ended early, or could not be started.
    #[error("the threads that prepare photos ended early")]
    Data,
}

/// Fits a network. Each epoch leaves a checkpoint to go on from and, when it is the best yet by macro recall on the
/// validation split, the best weights. The best is returned, ready for evaluation.
///
/// # Errors
/// See [`FitError`].
pub fn fit(plan: &Fit<'_>, say: &mut dyn FnMut(Event)) -> Result<ResNet, FitError> {
    fit_with(plan, &|model, input| model.forward(input).logits, say)
}

fn fit_with(plan: &Fit<'_>, forward: Forward<'_>, say: &mut dyn FnMut(Event)) -> Result<ResNet, FitError> {
    let Fit { data, recipe, .. } = *plan;
    let steps = data.train.len() / recipe.batch;
    if steps == 0 {
        return Err(FitError::TooFew { photos: data.train.len(), batch: recipe.batch });
    }
    let on_processor = convolve::supports(plan.device);
    if recipe.mixed_precision && on_processor {
        return Err(FitError::Mixed);
    }
    let device = plan.device.clone().autodiff();
    let threads = loader::workers(on_processor);
    let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("photos-{i}")).build();
    let workers = workers.map_err(|_| FitError::Data)?;
    let mut run = Run {
        plan,
        steps,
        look: if on_processor { 1 } else { LOOK },
        stepper: Stepper {
            loss: loss(recipe.label_smoothing, &device),
            optimiser: recipe.optimiser.build(recipe.weight_decay),
            parts: 1,
            mixed: recipe.mixed_precision,
            forward,
            device,
        },
        workers: &workers,
        begin: Instant::now(),
        before: Duration::ZERO,
        waits: (Duration::ZERO, Duration::ZERO),
        say,
    };
    let standing = if plan.resume { run.resume()? } else { run.begin()? };
    run.all(standing)
}

fn loss(smoothing: f32, device: &Device) -> CrossEntropyLoss {
    let config = CrossEntropyLossConfig::new();
    let config = if smoothing > 0.0 { config.with_smoothing(Some(smoothing)) } else { config };
    config.init(device)
}

/// Everything that changes from epoch to epoch.
struct Standing {
    epochs: usize,
    model: ResNet,
    average: Option<Ema>,
    /// Macro recall on the validation split, and the weights.
    best: Option<(f32, StateDict)>,
}

struct Run<'a> {
    plan: &'a Fit<'a>,
    /// Steps of an epoch.
    steps: usize,
    /// Steps between looks at the loss.
    look: usize,
    stepper: Stepper<'a>,
    workers: &'a rayon::ThreadPool,
    begin: Instant,
    /// Time of earlier runs.
    before: Duration,
    /// Spent waiting for data, and in all.
    waits: (Duration, Duration),
    say: &'a mut dyn FnMut(Event),
}

impl Run<'_> {
    fn begin(&mut self) -> Result<Standing, FitError> {
        let Fit { data, recipe, .. } = *self.plan;
        let (model, text) =
            self.plan.start.network(recipe.arch, data.labels.len(), recipe.seed, &self.stepper.device)?;
        self.note("start", text);
        checkpoint::clear(self.plan.checkpoints)?;
        let average = (recipe.ema > 0.0).then(|| Ema::new(&model, recipe.ema));
        Ok(Standing { epochs: 0, model, average, best: None })
    }

    fn resume(&mut self) -> Result<Standing, FitError> {
        let Fit { data, recipe, checkpoints, .. } = *self.plan;
        let saved = Saved::latest(checkpoints, &self.state(0, None))?;
        let model = saved.model(blank(recipe.arch, data.labels.len(), &self.stepper.device))?;
        let average =
            if recipe.ema > 0.0 { Some(Ema::resume(saved.average(model.valid())?, recipe.ema)) } else { None };
        let best = match saved.state.best {
            Some(score) => Some((score, weights::read(&checkpoint::best(checkpoints))?)),
            None => None,
        };
        self.stepper.optimiser = saved.optimiser(recipe.optimiser.build(recipe.weight_decay))?;
        self.stepper.parts = saved.state.parts;
        self.before = Duration::from_secs_f64(saved.state.seconds.max(0.0));
        self.note("resume", format!("going on after epoch {} of {}", saved.state.epochs, recipe.epochs()));
        Ok(Standing { epochs: saved.state.epochs, model, average, best })
    }

    fn all(&mut self, mut standing: Standing) -> Result<ResNet, FitError> {
        let recipe = self.plan.recipe;
        for epoch in standing.epochs..recipe.epochs() {
            let mut report;
            (standing.model, report) = self.epoch(standing.model, standing.average.as_mut(), epoch)?;
            // `valid` also writes back the last running statistics of the normalisations.
            let plain = standing.model.valid();
            let mut frozen = standing.average.as_ref().map_or(plain, Ema::model);
            let validation = self.validate(&frozen);
            if standing.best.as_ref().is_none_or(|(score, _)| validation.macro_recall >= *score) {
                let weights = weights::collect(&mut frozen, recipe.arch);
                checkpoint::save_best(self.plan.checkpoints, &weights)?;
                standing.best = Some((validation.macro_recall, weights));
            }
            let state = self.state(epoch + 1, standing.best.as_ref().map(|(score, _)| *score));
            let average = standing.average.as_ref().map(Ema::model);
            checkpoint::save(self.plan.checkpoints, &standing.model, average, &self.stepper.optimiser, &state)?;
            report.validation = Some(validation);
            report.elapsed = self.elapsed();
            (self.say)(Event::Progress(report));
        }
        let (waited, all) = self.waits;
        let share = 100.0 * waited.as_secs_f64() / all.as_secs_f64().max(f64::EPSILON);
        self.note("wait", format!("{share:.1} % of the time was spent waiting for data"));
        let (_, best) = standing.best.expect("a recipe has an epoch, and the first is the best so far");
        self.network(&best)
    }

    /// The weights as a network for evaluation.
    fn network(&self, weights: &StateDict) -> Result<ResNet, FitError> {
        let Fit { data, recipe, device, .. } = *self.plan;
        let mut model = blank(recipe.arch, data.labels.len(), device);
        weights::load(&mut model, recipe.arch, weights, device)?;
        Ok(model.valid())
    }

    fn epoch(
        &mut self,
        mut model: ResNet,
        mut average: Option<&mut Ema>,
        epoch: usize,
    ) -> Result<(ResNet, Progress), FitError> {
        let recipe = self.plan.recipe;
        let side = recipe.side(epoch);
        let mut rng = ChaCha8Rng::seed_from_u64(recipe.seed ^ ((epoch as u64) << 32));
        let order = loader::batches(&self.plan.data.train, recipe.batch, recipe.balanced, &mut rng);
        let plan = loader::Plan { data: self.plan.data, side, augment: recipe.augment, seed: recipe.seed, epoch };
        let workers = self.workers;
        std::thread::scope(|scope| {
            let batches = loader::start(scope, plan, order, workers);
            let mut pace = Pace::new(self.progress(epoch, side));
            // A stage begins with another amount of memory.
            let careful = epoch == 0 || recipe.side(epoch - 1) != side;
            for step in 0..self.steps {
                let wait = Instant::now();
                let batch = batches.recv().map_err(|_| FitError::Data)?;
                pace.waited += wait.elapsed();
                let all = epoch * self.steps + step;
                let rate = recipe.rate(all, recipe.epochs() * self.steps);
                let checked = careful && step < CAREFUL;
                let loss;
                (model, loss) = self.step(model, &batch, rate, checked, side)?;
                if let Some(average) = &mut average {
                    average.update(&model, all + 1);
                }
                pace.losses.push(loss);
                if checked || (step + 1).is_multiple_of(self.look) || step + 1 == self.steps {
                    self.look(&mut pace, step + 1, rate)?;
                }
            }
            self.waits = (self.waits.0 + pace.waited, self.waits.1 + pace.begin.elapsed());
            Ok((model, pace.report))
        })
    }

    fn step(
        &mut self,
        model: ResNet,
        batch: &loader::Batch,
        rate: f64,
        checked: bool,
        side: u32,
    ) -> Result<(ResNet, Tensor<1>), FitError> {
        let photos = |parts: usize| batch.labels.len().div_ceil(parts);
        let done = self.stepper.step(model, batch, rate, checked);
        let parts = self.stepper.parts;
        let (model, loss, raised) =
            done.map_err(|OutOfMemory { detail }| FitError::Memory { photos: photos(parts), side, detail })?;
        if raised {
            let text = format!(
                "out of memory: each step of {} photos is now done in parts of {}, with the same result but for the \
                 normalisation",
                batch.labels.len(),
                photos(parts)
            );
            self.note("memory", text);
        }
        Ok((model, loss))
    }

    /// Reads the losses and reports now and then.
    fn look(&mut self, pace: &mut Pace, step: usize, rate: f64) -> Result<(), FitError> {
        let losses = std::mem::take(&mut pace.losses);
        let sum: f32 = Tensor::cat(losses, 0).sum().into_scalar();
        pace.sum += sum;
        let recipe = self.plan.recipe;
        let report = &mut pace.report;
        if !pace.sum.is_finite() {
            let (epoch, learning_rate) = (report.epoch, recipe.learning_rate);
            return Err(FitError::Diverged { epoch, step, loss: pace.sum, learning_rate });
        }
        let seconds = pace.begin.elapsed().as_secs_f32();
        report.step = step;
        report.loss = pace.sum / step as f32;
        report.learning_rate = rate;
        report.images_per_second = (step * recipe.batch) as f32 / seconds;
        report.data_wait = pace.waited.as_secs_f32() / seconds;
        report.elapsed = self.elapsed();
        let left = (report.epochs - report.epoch) * self.steps + self.steps - step;
        report.left = pace.begin.elapsed() / step as u32 * left as u32;
        if step.is_multiple_of(20) || pace.said.elapsed() >= SILENCE {
            pace.said = Instant::now();
            (self.say)(Event::Progress(report.clone()));
        }
        Ok(())
    }

    fn validate(&self, model: &ResNet) -> Validation {
        let data = self.plan.data;
        let rows = logits(model, &data.validation, &data.input, self.plan.device);
        let labels: Vec<usize> = data.validation.iter().map(|example| example.label).collect();
        Validation {
            top1: top_k(&rows, &labels, 1),
            macro_recall: macro_recall(&confusion(&rows, &labels, data.labels.len())),
            loss: nll(&rows, &labels, 1.0),
        }
    }

    fn state(&self, epochs: usize, best: Option<f32>) -> State {
        let Fit { data, recipe, .. } = *self.plan;
        State {
            epochs,
            parts: self.stepper.parts,
            best,
            seconds: self.elapsed().as_secs_f64(),
            labels: data.labels.iter().map(|area| area.area.clone()).collect(),
            photos: data.train.len(),
            recipe: recipe.clone(),
        }
    }

    fn elapsed(&self) -> Duration {
        self.before + self.begin.elapsed()
    }

    fn note(&mut self, about: &'static str, text: String) {
        (self.say)(Event::Note { about, text });
    }

    fn progress(&self, epoch: usize, side: u32) -> Progress {
        Progress {
            epoch: epoch + 1,
            epochs: self.plan.recipe.epochs(),
            step: 0,
            steps: self.steps,
            side,
            loss: 0.0,
            learning_rate: 0.0,
            images_per_second: 0.0,
            data_wait: 0.0,
            elapsed: Duration::ZERO,
            left: Duration::ZERO,
            validation: None,
        }
    }
}

/// How an epoch goes.
struct Pace {
    begin: Instant,
    said: Instant,
    waited: Duration,
    /// Not yet read from the device.
    losses: Vec<Tensor<1>>,
    /// Of those read.
    sum: f32,
    report: Progress,
}

impl Pace {
    fn new(report: Progress) -> Self {
        let now = Instant::now();
        Self { begin: now, said: now, waited: Duration::ZERO, losses: Vec::new(), sum: 0.0, report }
    }
}

#[cfg(test)]
mod tests {
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
            };
            let said = &mut self.said;
            fit_with(&plan, forward, &mut |event| said.push(event))
        }

        fn validations(&self) -> Vec<Validation> {
            let validation = |event: &Event| match event {
                Event::Progress(progress) => progress.validation,
                Event::Note { .. } => None,
            };
            self.said.iter().filter_map(validation).collect()
        }

        fn notes(&self, kind: &str) -> Vec<&str> {
            fn note<'a>(event: &'a Event, kind: &str) -> Option<&'a str> {
                match event {
                    Event::Note { about, text } if *about == kind => Some(text),
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
        let mut loaded = blank(trial.recipe.arch, 2, &Device::flex());
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
}

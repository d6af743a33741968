//! Fits a network to a dataset.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::augment::Augment;
use super::data::Dataset;
use super::evaluate::logits;
use super::loader::{self, Batch};
use super::resnet::{Arch, ResNet, ResNetConfig};
use crate::domain::metrics::{confusion, macro_recall, nll, top_k};

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Depth of the network.
    pub arch: Arch,
    /// What is done at which resolution, in order.
    pub stages: Vec<Stage>,
    /// Photos in a step, 2 or more.
    pub batch: usize,
    /// The rule that turns gradients into steps.
    pub optimiser: Optimiser,
    /// The highest learning rate, greater than 0.
    pub learning_rate: f64,
    /// Share of the steps in which the rate climbs from 0 to its highest, 0 to 1; afterwards it falls to 0 along a
    /// cosine (Loshchilov and Hutter 2016).
    pub warm_up: f64,
    /// Pull of the weights towards 0, 0 or more.
    pub weight_decay: f32,
    /// Share of the target that is spread over all labels, 0 to below 1.
    pub label_smoothing: f32,
    /// Random changes of the photos.
    pub augment: Augment,
    /// Decides weights, order and changes.
    pub seed: u64,
}

/// Epochs at one resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Passes over the train split.
    pub epochs: usize,
    /// Side of the input, pixels, 32 or more.
    pub side: u32,
}

/// A rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimiser {
    /// Stochastic gradient descent with Nesterov momentum 0.9.
    Sgd,
    /// Adam with decoupled weight decay.
    AdamW,
}

impl Optimiser {
    fn build(self, weight_decay: f32) -> ModuleOptimizer {
        match self {
            Self::Sgd => {
                let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
                let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay));
                SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(decay).init()
            }
            Self::AdamW => AdamWConfig::new().with_weight_decay(weight_decay).init(),
        }
    }
}

impl Recipe {
    /// What the built-in model is trained with: small pictures first, which cost a quarter, then the full size
    /// (Howard 2018, "progressive resizing").
    #[must_use]
    pub fn built_in(seed: u64) -> Self {
        Self {
            arch: Arch::ResNet18,
            stages: vec![Stage { epochs: 3, side: 64 }, Stage { epochs: 3, side: 96 }, Stage { epochs: 1, side: 128 }],
            batch: 32,
            optimiser: Optimiser::Sgd,
            learning_rate: 0.05,
            warm_up: 0.1,
            weight_decay: 5e-4,
            label_smoothing: 0.05,
            augment: Augment::standard(),
            seed,
        }
    }

    /// Passes over the train split in all stages.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.stages.iter().map(|stage| stage.epochs).sum()
    }

    fn side(&self, epoch: usize) -> u32 {
        let sides = self.stages.iter().flat_map(|stage| std::iter::repeat_n(stage.side, stage.epochs));
        sides.into_iter().nth(epoch).unwrap_or(32)
    }

    /// The learning rate at a step of so many.
    #[must_use]
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        let done = (step as f64 + 0.5) / steps.max(1) as f64;
        if done < self.warm_up {
            return self.learning_rate * done / self.warm_up;
        }
        let rest = (done - self.warm_up) / (1.0 - self.warm_up).max(f64::EPSILON);
        self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * rest).cos())
    }
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
    /// Since the beginning of the training.
    pub elapsed: Duration,
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
        /// Which step of it.
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
    /// A checkpoint cannot be written.
    #[error("cannot write the checkpoint {}: {detail}", path.display())]
    Checkpoint {
        /// Where.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// The data thread ended early.
    #[error("the thread that prepares photos ended early")]
    Data,
}

/// Fits a new network. Each epoch leaves a checkpoint in `checkpoints`: `last` and, when it is the best yet by
/// macro recall on the validation split, `best`. The best is returned, ready for evaluation.
///
/// # Errors
/// See [`FitError`].
pub fn fit(
    data: &Dataset,
    recipe: &Recipe,
    device: &Device,
    checkpoints: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<ResNet, FitError> {
    let steps = data.train.len() / recipe.batch;
    if steps == 0 {
        return Err(FitError::TooFew { photos: data.train.len(), batch: recipe.batch });
    }
    let device = device.clone().autodiff();
    device.seed(recipe.seed);
    let model = ResNetConfig::new(recipe.arch, data.labels.len()).init(&device);
    let loss = CrossEntropyLossConfig::new();
    let loss = if recipe.label_smoothing > 0.0 { loss.with_smoothing(Some(recipe.label_smoothing)) } else { loss };
    let mut run = Run {
        data,
        recipe,
        steps,
        optimiser: recipe.optimiser.build(recipe.weight_decay),
        loss: loss.init(&device),
        device,
        begin: Instant::now(),
        checkpoints,
    };
    run.all(model, progress)
}

struct Run<'a> {
    data: &'a Dataset,
    recipe: &'a Recipe,
    steps: usize,
    device: Device,
    optimiser: ModuleOptimizer,
    loss: CrossEntropyLoss,
    begin: Instant,
    checkpoints: &'a Path,
}

impl Run<'_> {
    fn all(&mut self, mut model: ResNet, progress: &mut dyn FnMut(&Progress)) -> Result<ResNet, FitError> {
        let mut best: Option<(f32, ResNet)> = None;
        for epoch in 0..self.recipe.epochs() {
            let (fitted, mut report) = self.epoch(model, epoch, progress)?;
            model = fitted;
            // `valid` also writes back the last running statistics of the normalisations.
            let frozen = model.valid();
            let validation = self.validate(&frozen);
            self.save(&frozen, "last")?;
            if best.as_ref().is_none_or(|(score, _)| validation.macro_recall >= *score) {
                self.save(&frozen, "best")?;
                best = Some((validation.macro_recall, frozen));
            }
            report.validation = Some(validation);
            report.elapsed = self.begin.elapsed();
            progress(&report);
        }
        Ok(best.map_or_else(|| model.valid(), |(_, best)| best))
    }

    fn epoch(
        &mut self,
        mut model: ResNet,
        epoch: usize,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(ResNet, Progress), FitError> {
        let side = self.recipe.side(epoch);
        let mut rng = ChaCha8Rng::seed_from_u64(self.recipe.seed ^ ((epoch as u64) << 32));
        let order = loader::batches(&self.data.train, self.recipe.batch, &mut rng);
        let plan = loader::Plan { data: self.data, side, augment: self.recipe.augment, seed: self.recipe.seed, epoch };
        std::thread::scope(|scope| {
            let batches = loader::start(scope, plan, order);
            let begin = Instant::now();
            let (mut waited, mut sum) = (Duration::ZERO, 0.0);
            let mut report = self.report(epoch, side);
            for step in 0..self.steps {
                let wait = Instant::now();
                let batch = batches.recv().map_err(|_| FitError::Data)?;
                waited += wait.elapsed();
                let rate = self.recipe.rate(epoch * self.steps + step, self.recipe.epochs() * self.steps);
                let (fitted, loss) = self.step(model, batch, rate);
                if !loss.is_finite() {
                    let learning_rate = self.recipe.learning_rate;
                    return Err(FitError::Diverged { epoch: epoch + 1, step, loss, learning_rate });
                }
                model = fitted;
                sum += loss;
                let seconds = begin.elapsed().as_secs_f32();
                report.step = step + 1;
                report.loss = sum / report.step as f32;
                report.learning_rate = rate;
                report.images_per_second = (report.step * self.recipe.batch) as f32 / seconds;
                report.data_wait = waited.as_secs_f32() / seconds;
                report.elapsed = self.begin.elapsed();
                if report.step.is_multiple_of(20) {
                    progress(&report);
                }
            }
            Ok((model, report))
        })
    }

    fn step(&mut self, model: ResNet, batch: Batch, rate: f64) -> (ResNet, f32) {
        let input = Tensor::<4>::from_data(TensorData::new(batch.pixels, batch.shape), &self.device);
        let labels = Tensor::<1, Int>::from_data(TensorData::from(batch.labels.as_slice()), &self.device);
        let loss = self.loss.forward(model.forward(input).logits, labels);
        let value: f32 = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        (self.optimiser.step(rate, model, gradients), value)
    }

    fn validate(&self, model: &ResNet) -> Validation {
        let examples = &self.data.validation;
        let rows = logits(model, examples, &self.data.input, &self.device.clone().inner());
        let labels: Vec<usize> = examples.iter().map(|example| example.label).collect();
        Validation {
            top1: top_k(&rows, &labels, 1),
            macro_recall: macro_recall(&confusion(&rows, &labels, self.data.labels.len())),
            loss: nll(&rows, &labels, 1.0),
        }
    }

    fn save(&self, model: &ResNet, name: &str) -> Result<(), FitError> {
        let path = self.checkpoints.join(name);
        let refuse = |detail: String| FitError::Checkpoint { path: path.clone(), detail };
        std::fs::create_dir_all(self.checkpoints).map_err(|error| refuse(error.to_string()))?;
        model.clone().save_file(&path).map_err(|error| refuse(error.to_string()))
    }

    fn report(&self, epoch: usize, side: u32) -> Progress {
        Progress {
            epoch: epoch + 1,
            epochs: self.recipe.epochs(),
            step: 0,
            steps: self.steps,
            side,
            loss: 0.0,
            learning_rate: 0.0,
            images_per_second: 0.0,
            data_wait: 0.0,
            elapsed: Duration::ZERO,
            validation: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Area;
    use crate::infer::preprocess::Preprocess;
    use crate::train::data::Example;
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

    fn run(recipe: &Recipe, folder: &Path) -> (Result<ResNet, FitError>, Vec<Progress>) {
        let mut seen = Vec::new();
        let fitted = fit(&data(), recipe, &Device::flex(), folder, &mut |progress| seen.push(progress.clone()));
        (fitted, seen)
    }

    #[test]
    fn learns_stripes_and_leaves_checkpoints_that_answer_alike() {
        let folder = tempfile::tempdir().unwrap();
        let (fitted, seen) = run(&recipe(), folder.path());
        let best = seen.iter().filter_map(|p| p.validation).map(|v| v.macro_recall).fold(0.0, f32::max);
        assert!(best > 0.9, "{seen:?}");
        let device = Device::flex();
        let data = data();
        let answers = |model: &ResNet| logits(model, &data.test, &data.input, &device);
        let blank = ResNetConfig::new(Arch::ResNet18, 2).init(&device).valid();
        let loaded = blank.load_file(folder.path().join("best"));
        assert_eq!(answers(&loaded), answers(&fitted.unwrap()));
    }

    #[test]
    fn too_few_photos_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (fitted, _) = run(&Recipe { batch: 25, ..recipe() }, folder.path());
        assert!(matches!(fitted, Err(FitError::TooFew { photos: 24, batch: 25 })));
    }

    #[test]
    fn a_diverging_loss_ends_the_training_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (fitted, _) = run(&Recipe { learning_rate: 1e30, warm_up: 0.0, ..recipe() }, folder.path());
        assert!(matches!(fitted, Err(FitError::Diverged { epoch: 1, .. })));
    }

    #[test]
    fn the_rate_climbs_and_falls_to_nothing() {
        let recipe = recipe();
        let rates: Vec<f64> = (0..1000).map(|step| recipe.rate(step, 1000)).collect();
        let top = rates.iter().copied().fold(0.0, f64::max);
        assert!((top - recipe.learning_rate).abs() < 1e-3 * top && rates[0] < 0.01 * top && rates[999] < 1e-4 * top);
        assert!(rates[..100].is_sorted() && rates[100..].is_sorted_by(|a, b| a >= b));
    }
}

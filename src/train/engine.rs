//! Fits a network to a dataset.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::checkpoint::{self, CheckpointError, Saved, State};
use super::convolve;
use super::data::Dataset;
use super::ema::Ema;
use super::evaluate::logits;
use super::loader;
use super::progress::{Event, Progress, Validation};
use super::recipe::Recipe;
use super::recycle::Recycling;
use super::resnet::ResNet;
use super::start::Start;
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
    /// Parts that a step is done in at least, 1 or more; more where memory runs out.
    pub parts: usize,
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
    let on_processor = convolve::on_processor(plan.device);
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
            optimiser: recipe.optimiser.build(recipe.weight_decay, &device),
            parts: plan.parts.max(1),
            mixed: recipe.mixed_precision,
            forward,
            device,
            recycling: Recycling::start(),
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
            self.plan.start.network(&recipe.network(data.labels.len()), recipe.seed, &self.stepper.device)?;
        self.note("start", text);
        checkpoint::clear(self.plan.checkpoints)?;
        let average = (recipe.ema > 0.0).then(|| Ema::new(&model, recipe.ema));
        Ok(Standing { epochs: 0, model, average, best: None })
    }

    fn resume(&mut self) -> Result<Standing, FitError> {
        let Fit { data, recipe, checkpoints, .. } = *self.plan;
        let saved = Saved::latest(checkpoints, &self.state(0, None))?;
        let model = saved.model(recipe.network(data.labels.len()).init(&self.stepper.device))?;
        let average =
            if recipe.ema > 0.0 { Some(Ema::resume(saved.average(model.valid())?, recipe.ema)) } else { None };
        let best = match saved.state.best {
            Some(score) => Some((score, weights::read(&checkpoint::best(checkpoints))?)),
            None => None,
        };
        self.stepper.optimiser = saved.optimiser(recipe.optimiser.build(recipe.weight_decay, &self.stepper.device))?;
        self.stepper.parts = saved.state.parts.max(self.stepper.parts);
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
        let mut model = recipe.network(data.labels.len()).init(device);
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
            let mut pace = Pace::new(Progress::new(epoch, recipe.epochs(), self.steps, side));
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
        (self.say)(Event::Note { about: about.to_owned(), text });
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
mod tests;

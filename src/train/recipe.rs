//! How to train: a TOML file, or one of the recipes that come with the program.

use std::path::{Path, PathBuf};

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::augment::Augment;
use super::convolve::on_processor;
use super::optimise::{Adam, Sgd};
use super::resnet::{Arch, ResNetConfig};
use crate::infer::manifest::output_stride;

/// Recipes by name, as `config/recipes` holds them.
const BUILT_IN: [(&str, &str); 3] = [
    ("reference", include_str!("../../config/recipes/reference.toml")),
    ("drawn-world", include_str!("../../config/recipes/drawn-world.toml")),
    ("drawn-world-gpu", include_str!("../../config/recipes/drawn-world-gpu.toml")),
];

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Depth of the network.
    pub arch: Arch,
    /// Pixels that a cell of its feature map stands for: 8, 16 or 32.
    #[serde(default = "output_stride")]
    pub output_stride: usize,
    /// Photos in a step, 2 or more.
    pub batch: usize,
    /// The rule that turns gradients into steps.
    pub optimiser: Optimiser,
    /// The highest learning rate, greater than 0.
    pub learning_rate: f64,
    /// Share of the steps in which the rate climbs from 0 to its highest, 0 to 1.
    pub warm_up: f64,
    /// What the rate does afterwards.
    pub schedule: Schedule,
    /// Pull of the weights towards 0, 0 or more.
    pub weight_decay: f32,
    /// Share of the target that is spread over all labels, 0 to below 1.
    pub label_smoothing: f32,
    /// Decay a step of the running average of the weights, 0 (none) to below 1.
    pub ema: f64,
    /// Computes convolutions in bfloat16; CUDA only.
    pub mixed_precision: bool,
    /// Shows each label equally often.
    pub balanced: bool,
    /// Decides weights, order and changes.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// What is done at which resolution, in order.
    pub stages: Vec<Stage>,
    /// Random changes of the photos.
    #[serde(default)]
    pub augment: Augment,
}

fn first_seed() -> u64 {
    1
}

/// Epochs at one resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Passes over the train split, 1 or more.
    pub epochs: usize,
    /// Side of the input, pixels, 32 or more.
    pub side: u32,
}

/// What the learning rate does after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It falls to 0 along half a cosine (Loshchilov and Hutter 2016).
    Cosine,
    /// It stays.
    Constant,
}

/// A rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimiser {
    /// Stochastic gradient descent with Nesterov momentum 0.9.
    Sgd,
    /// Adam (Kingma and Ba 2014); weight decay is part of the gradient.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017).
    AdamW,
}

/// Keeps Adam from dividing by 0: the paper's and PyTorch's value, where Burn's own default is 1e-5.
const EPSILON: f32 = 1e-8;
/// What stays of Adam's moments after a step: the paper's values.
const BETAS: [f32; 2] = [0.9, 0.999];
/// What stays of the velocity after a step.
const MOMENTUM: f32 = 0.9;

impl Optimiser {
    /// The optimiser, without state, for parameters on a device.
    #[must_use]
    pub fn build(self, weight_decay: f32, device: &Device) -> ModuleOptimizer {
        if on_processor(device) { self.on_processor(weight_decay) } else { self.burns(weight_decay) }
    }

    fn on_processor(self, weight_decay: f32) -> ModuleOptimizer {
        let adam = |decoupled: bool| Adam { betas: BETAS, epsilon: EPSILON, weight_decay, decoupled };
        match self {
            Self::Sgd => Sgd { momentum: MOMENTUM, weight_decay }.into(),
            Self::Adam => adam(false).into(),
            Self::AdamW => adam(true).into(),
        }
    }

    fn burns(self, weight_decay: f32) -> ModuleOptimizer {
        let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay));
        match self {
            Self::Sgd => {
                let momentum = MomentumConfig::new().with_momentum(MOMENTUM.into()).with_dampening(0.0);
                let momentum = momentum.with_nesterov(true);
                SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(decay).init()
            }
            Self::Adam => {
                let config = AdamConfig::new().with_beta_1(BETAS[0]).with_beta_2(BETAS[1]).with_epsilon(EPSILON);
                config.with_weight_decay(decay).init()
            }
            Self::AdamW => {
                let config = AdamWConfig::new().with_beta_1(BETAS[0]).with_beta_2(BETAS[1]).with_epsilon(EPSILON);
                config.with_weight_decay(weight_decay).init()
            }
        }
    }
}

/// A recipe that nothing can be trained with.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecipeError {
    /// Neither a name nor a file.
    #[error("recipe {}: {detail}; give a file, or one of {}", path.display(), names().join(", "))]
    Unreadable {
        /// What was given.
        path: PathBuf,
        /// Why it cannot be read.
        detail: String,
    },
    /// Not TOML, or keys that are missing or unknown.
    #[error("recipe {name}: {detail}compare with config/recipes/reference.toml, which explains every key")]
    Syntax {
        /// Name or path of the recipe.
        name: String,
        /// Place and fault, ends with a line break.
        detail: String,
    },
    /// A value out of range.
    #[error("recipe {name}: {key} = {value}: {cure}")]
    Value {
        /// Name or path of the recipe.
        name: String,
        /// Where.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        cure: &'static str,
    },
}

/// The recipes that come with the program.
#[must_use]
pub fn names() -> Vec<&'static str> {
    BUILT_IN.map(|(name, _)| name).to_vec()
}

impl Recipe {
    /// A recipe by its name (`reference`, `drawn-world`) or from a file.
    ///
    /// # Errors
    /// See [`RecipeError`].
    pub fn find(name: &str) -> Result<Self, RecipeError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text);
        }
        let path = Path::new(name);
        let text = std::fs::read_to_string(path)
            .map_err(|error| RecipeError::Unreadable { path: path.to_owned(), detail: error.to_string() })?;
        Self::parse(name, &text)
    }

    /// Parses TOML; `name` is for the error.
    ///
    /// # Errors
    /// See [`RecipeError`].
    pub fn parse(name: &str, text: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text)
            .map_err(|error| RecipeError::Syntax { name: name.to_owned(), detail: error.to_string() })?;
        match recipe.faults().into_iter().next() {
            None => Ok(recipe),
            Some((key, value, cure)) => Err(RecipeError::Value { name: name.to_owned(), key, value, cure }),
        }
    }

    /// What the built-in model is trained with.
    ///
    /// # Panics
    /// Never: a test parses every built-in recipe.
    #[must_use]
    pub fn built_in(seed: u64) -> Self {
        let recipe = Self::find("drawn-world").expect("the recipe is part of the program");
        Self { seed, ..recipe }
    }

    /// Key, value and cure of everything that is out of range.
    fn faults(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut faults = Vec::new();
        let mut check = |key, good: bool, value: String, cure| {
            if !good {
                faults.push((key, value, cure));
            }
        };
        let stride = self.output_stride;
        check(
            "output_stride",
            [8, 16, 32].contains(&stride),
            stride.to_string(),
            "8, 16 or 32 pixels a cell of the heatmap",
        );
        check("batch", self.batch >= 2, self.batch.to_string(), "at least 2: a single photo has no deviation");
        let rate = self.learning_rate;
        check("learning_rate", rate > 0.0 && rate.is_finite(), rate.to_string(), "above 0, such as 1e-5");
        check("warm_up", (0.0..=1.0).contains(&self.warm_up), self.warm_up.to_string(), "a share, 0 to 1");
        let decay = self.weight_decay;
        check("weight_decay", decay >= 0.0 && decay.is_finite(), decay.to_string(), "0 or more");
        let smoothing = self.label_smoothing;
        check("label_smoothing", (0.0..1.0).contains(&smoothing), smoothing.to_string(), "a share, 0 to below 1");
        check("ema", (0.0..1.0).contains(&self.ema), self.ema.to_string(), "0 (off) to below 1, such as 0.999");
        check("stages", !self.stages.is_empty(), "[]".to_owned(), "at least one [[stages]] with epochs and side");
        for stage in &self.stages {
            check("stages.epochs", stage.epochs >= 1, stage.epochs.to_string(), "1 or more");
            check("stages.side", (32..=1024).contains(&stage.side), stage.side.to_string(), "32 to 1024 pixels");
        }
        faults.extend(self.augment.faults());
        faults
    }

    /// The network that is trained.
    #[must_use]
    pub fn network(&self, labels: usize) -> ResNetConfig {
        ResNetConfig { output_stride: self.output_stride, ..ResNetConfig::new(self.arch, labels) }
    }

    /// Passes over the train split in all stages.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.stages.iter().map(|stage| stage.epochs).sum()
    }

    /// Side of the input in an epoch, counted from 0, pixels.
    #[must_use]
    pub fn side(&self, epoch: usize) -> u32 {
        let mut sides = self.stages.iter().flat_map(|stage| std::iter::repeat_n(stage.side, stage.epochs));
        sides.nth(epoch).unwrap_or_else(|| self.final_side())
    }

    /// Side of the input of the finished model: that of the last stage, pixels.
    #[must_use]
    pub fn final_side(&self) -> u32 {
        self.stages.last().map_or(32, |stage| stage.side)
    }

    /// The learning rate at a step of so many.
    #[must_use]
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        let done = (step as f64 + 0.5) / steps.max(1) as f64;
        if done < self.warm_up {
            return self.learning_rate * done / self.warm_up;
        }
        let rest = (done - self.warm_up) / (1.0 - self.warm_up).max(f64::EPSILON);
        match self.schedule {
            Schedule::Cosine => self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * rest).cos()),
            Schedule::Constant => self.learning_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_recipes_are_sound_and_the_reference_is_the_references() {
        for (name, _) in BUILT_IN {
            Recipe::find(name).unwrap();
        }
        let reference = Recipe::find("reference").unwrap();
        let affine = reference.augment.affine.unwrap();
        assert_eq!((affine.degrees, affine.translate, affine.scale), (10.0, 0.1, [0.7, 1.2]));
        assert_eq!((reference.batch, reference.learning_rate, reference.weight_decay), (30, 1e-5, 0.0));
        assert_eq!((reference.final_side(), reference.augment.crop.unwrap().area), (256, [0.5, 1.0]));
    }

    /// The text of the reference recipe with one line replaced.
    fn with(line: &str, other: &str) -> String {
        let text = BUILT_IN[0].1;
        assert!(text.contains(line), "{line}");
        text.replacen(line, other, 1)
    }

    fn refusal(text: &str) -> String {
        Recipe::parse("mine.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn faults_name_file_key_value_and_cure() {
        insta::assert_snapshot!(
            [
                refusal(&with("batch = 30", "batch = 1")),
                refusal(&with("batch = 30", "batch = 30\nepochs = 3")),
                refusal(&with("output_stride = 32", "output_stride = 12")),
                refusal(&with("ema = 0.999", "")),
                refusal(&with("optimiser = \"adam\"", "optimiser = \"lion\"")),
                refusal(&with("scale = [0.7, 1.2]", "scale = [1.2, 0.7]")),
                refusal(&with("hue = 0.1", "hue = 0.7")),
                refusal(&with("side = 256", "side = 16")),
                Recipe::find("none/such.toml").unwrap_err().to_string(),
            ]
            .join("\n---\n")
        );
    }

    #[test]
    fn the_rate_climbs_and_falls_to_nothing_or_stays() {
        let recipe = Recipe { warm_up: 0.1, ..Recipe::built_in(1) };
        let rates: Vec<f64> = (0..1000).map(|step| recipe.rate(step, 1000)).collect();
        let top = rates.iter().copied().fold(0.0, f64::max);
        assert!((top - recipe.learning_rate).abs() < 1e-3 * top && rates[0] < 0.01 * top && rates[999] < 1e-4 * top);
        assert!(rates[..100].is_sorted() && rates[100..].is_sorted_by(|a, b| a >= b));
        let level = Recipe { warm_up: 0.0, schedule: Schedule::Constant, ..recipe };
        assert!((0..10).all(|step| level.rate(step, 10) == level.learning_rate));
    }

    #[test]
    fn sides_follow_the_stages() {
        let recipe = Recipe::built_in(1);
        let sides: Vec<u32> = (0..recipe.epochs()).map(|epoch| recipe.side(epoch)).collect();
        assert_eq!(sides, [64, 64, 64, 96, 96, 96, 128]);
    }
}

//! One step: gradients of a batch, in parts when memory is short, and the optimiser.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::nn::loss::CrossEntropyLoss;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};

use super::loader::Batch;
use super::recycle::Recycling;
use super::resnet::ResNet;

/// What runs a network on a batch of pictures and gives its logits; tests put memory faults here.
pub type Forward<'a> = &'a dyn Fn(&ResNet, Tensor<4>) -> Tensor<2>;

/// Takes steps.
pub struct Stepper<'a> {
    /// Where, with autodiff.
    pub device: Device,
    /// What is minimised.
    pub loss: CrossEntropyLoss,
    /// Turns gradients into steps.
    pub optimiser: ModuleOptimizer,
    /// Parts that a batch is split into, 1 or more.
    pub parts: usize,
    /// Computes convolutions in bfloat16.
    pub mixed: bool,
    /// The network.
    pub forward: Forward<'a>,
    /// Memory of the steps before.
    pub recycling: Recycling,
}

/// Memory ran out although each part is a single photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The device's words.
    pub detail: String,
}

impl Stepper<'_> {
    /// Does a step; gives the network, the mean loss of the batch (nats, not yet read from the device), and whether the
    /// number of parts was raised. The gradient is that of the whole batch, except that each part is normalised by its
    /// own moments.
    ///
    /// # Errors
    /// When not even single photos fit.
    pub fn step(
        &mut self,
        model: ResNet,
        batch: &Batch,
        rate: f64,
        checked: bool,
    ) -> Result<(ResNet, Tensor<1>, bool), OutOfMemory> {
        let before = self.parts;
        let (gradients, loss) = loop {
            match self.attempt(&model, batch, checked) {
                Ok(done) => break done,
                // A part of one photo cannot be normalised, so parts keep two.
                Err(detail) if self.parts * 4 > batch.labels.len() => return Err(OutOfMemory { detail }),
                Err(_) => {
                    self.parts *= 2;
                    self.recycling.clear();
                    self.device.memory_cleanup();
                }
            }
        };
        self.recycling.turn();
        Ok((self.optimiser.step(rate, model, gradients), loss, self.parts > before))
    }

    /// The gradients, or the device's words when it has no memory left. `checked` waits for the device, so that the
    /// fault shows here and not in a later step.
    fn attempt(&self, model: &ResNet, batch: &Batch, checked: bool) -> Result<(GradientsParams, Tensor<1>), String> {
        let run = || {
            let done = self.gradients(model, batch);
            if checked && let Err(error) = self.device.sync() {
                return Err(format!("{error:?}"));
            }
            Ok(done)
        };
        // Nothing that a failed attempt leaves behind is used again, but for running statistics, which the next attempt
        // moves on from.
        let detail = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(detail)) => detail,
            Err(panic) => match message(panic.as_ref()) {
                Some(text) if speaks_of_memory(text) => text.to_owned(),
                _ => resume_unwind(panic),
            },
        };
        assert!(speaks_of_memory(&detail), "the device failed: {detail}");
        Err(detail)
    }

    /// Gradients and mean loss of a batch, part by part.
    pub fn gradients(&self, model: &ResNet, batch: &Batch) -> (GradientsParams, Tensor<1>) {
        let count = batch.labels.len();
        let mut sum = GradientsAccumulator::new();
        let mut total = Tensor::zeros([1], &self.device.clone().inner());
        for part in batch.split(count.div_ceil(self.parts)) {
            let share = part.labels.len() as f32 / count as f32;
            let input = Tensor::<4>::from_data(TensorData::new(part.pixels.to_vec(), part.shape), &self.device);
            let input = if self.mixed { input.cast(FloatDType::BF16) } else { input };
            let labels = Tensor::<1, Int>::from_data(TensorData::from(part.labels), &self.device);
            let loss = self.loss.forward((self.forward)(model, input), labels) * share;
            total = total + loss.clone().inner();
            let gradients = GradientsParams::from_grads(loss.backward(), model);
            if self.parts == 1 {
                return (gradients, total);
            }
            sum.accumulate(model, gradients);
        }
        (sum.grads(), total)
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> Option<&str> {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied())
}

/// Whether a device complains about too little memory; CubeCL and the CUDA driver word it differently.
fn speaks_of_memory(text: &str) -> bool {
    let text = text.to_lowercase();
    ["out of memory", "outofmemory", "out_of_memory", "buffertoobig", "buffer is too big"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::evaluate::values;
    use crate::train::recipe::Optimiser;
    use crate::train::resnet::{Arch, ResNetConfig};
    use crate::train::start::seeded;
    use burn::module::Param;
    use burn::nn::loss::CrossEntropyLossConfig;

    fn batch(count: usize) -> Batch {
        let pixels = (0..count * 3 * 32 * 32).map(|i| ((i * 37 % 101) as f32 - 50.0) / 30.0).collect();
        Batch { pixels, shape: [count, 3, 32, 32], labels: (0..count as i64).map(|i| i % 2).collect() }
    }

    fn stepper(parts: usize, forward: Forward<'_>) -> Stepper<'_> {
        let device = Device::flex().autodiff();
        let loss = CrossEntropyLossConfig::new().init(&device);
        let optimiser = Optimiser::Adam.build(0.0, &device);
        Stepper { loss, device, optimiser, parts, mixed: false, forward, recycling: Recycling::start() }
    }

    fn plain(model: &ResNet, input: Tensor<4>) -> Tensor<2> {
        model.forward(input).logits
    }

    /// With frozen moments, so that parts are not normalised by their own.
    fn frozen() -> ResNet {
        let mut model = seeded(&ResNetConfig::new(Arch::ResNet18, 2), 1, &Device::flex().autodiff());
        for layer in model.layers_mut() {
            layer.norm.training = Param::from_bool(false);
        }
        model
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let model = frozen();
        let whole = stepper(1, &plain).gradients(&model, &batch(6));
        for parts in [2, 4] {
            let split = stepper(parts, &plain).gradients(&model, &batch(6));
            let loss = |loss: &Tensor<1>| loss.clone().into_scalar::<f32>();
            assert!((loss(&whole.1) - loss(&split.1)).abs() < 1e-5);
            let id = model.fc.weight.id;
            let gradient = |all: &GradientsParams| values(all.get::<2>(id).unwrap().into_data());
            let (a, b) = (gradient(&whole.0), gradient(&split.0));
            let largest = a.iter().fold(0.0_f32, |max, g| max.max(g.abs()));
            assert!(largest > 1e-4);
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4 * largest));
        }
    }

    #[test]
    fn too_little_memory_halves_the_parts_until_they_fit() {
        let small = |model: &ResNet, input: Tensor<4>| {
            assert!(input.dims()[0] <= 2, "CUDA_ERROR_OUT_OF_MEMORY: out of memory");
            plain(model, input)
        };
        let mut stepper = stepper(1, &small);
        let model = seeded(&ResNetConfig::new(Arch::ResNet18, 2), 1, &Device::flex().autodiff());
        let (model, _, raised) = stepper.step(model, &batch(8), 0.01, true).unwrap();
        assert!(raised && stepper.parts == 4);
        let (_, loss, raised) = stepper.step(model, &batch(8), 0.01, true).unwrap();
        assert!(!raised && stepper.parts == 4 && loss.into_scalar::<f32>().is_finite());
    }

    #[test]
    fn what_never_fits_is_an_error_and_other_panics_stay_panics() {
        let model = || seeded(&ResNetConfig::new(Arch::ResNet18, 2), 1, &Device::flex().autodiff());
        let never = |_: &ResNet, _: Tensor<4>| -> Tensor<2> { panic!("OutOfMemory {{ size: 7 }}") };
        let error = stepper(1, &never).step(model(), &batch(8), 0.01, true).unwrap_err();
        assert!(error.detail.contains("size: 7"));
        let broken = |_: &ResNet, _: Tensor<4>| -> Tensor<2> { panic!("shapes differ") };
        let panic = catch_unwind(AssertUnwindSafe(|| stepper(1, &broken).step(model(), &batch(8), 0.01, true)));
        assert_eq!(panic.err().as_ref().and_then(|panic| message(panic.as_ref())), Some("shapes differ"));
    }
}

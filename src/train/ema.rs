//! A running average of the weights, which often answers better than the last ones (Polyak and Juditsky 1992).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::resnet::ResNet;

/// Steps between updates: each passes over all weights, which a step on the processor would notice.
const EVERY: usize = 4;

/// The average, in inference form; normalisations' running statistics are averaged too.
pub struct Ema {
    decay: f64,
    model: ResNet,
}

impl Ema {
    /// Begins with the weights of `model`; `decay` is that of a step, 0 to below 1.
    #[must_use]
    pub fn new(model: &ResNet, decay: f64) -> Self {
        Self { decay, model: model.valid() }
    }

    /// Goes on from a saved average.
    #[must_use]
    pub fn resume(average: ResNet, decay: f64) -> Self {
        Self { decay, model: average }
    }

    /// Takes in the weights after a step, counted from 1. Early on the average follows quickly, so that it forgets
    /// the start: the decay grows as (1 + step) / (10 + step) up to its value.
    pub fn update(&mut self, model: &ResNet, step: usize) {
        if !step.is_multiple_of(EVERY) {
            return;
        }
        let decay = self.decay.min((1 + step) as f64 / (10 + step) as f64).powi(EVERY as i32);
        let mut collected = Collect(GradientsParams::new());
        model.valid().visit(&mut collected);
        let average = self.model.clone();
        self.model = average.map(&mut Mix { weights: collected.0, decay });
    }

    /// The average, detached: later updates do not reach it.
    #[must_use]
    pub fn model(&self) -> ResNet {
        // Running statistics are shared between clones; `valid` makes new ones.
        self.model.valid()
    }
}

/// All weights by their identity; Burn's container for gradients is one for tensors of any rank.
struct Collect(GradientsParams);

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

struct Mix {
    weights: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Mix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, average, mapper) = param.consume();
        let average = match self.weights.remove::<D>(id) {
            Some(weight) => average.clone() + (weight - average) * (1.0 - self.decay),
            None => average,
        };
        Param::from_mapped_value(id, average, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::evaluate::values;
    use crate::train::resnet::{Arch, ResNetConfig};
    use crate::train::start::seeded;
    use burn::tensor::Device;

    fn bias(model: &ResNet) -> Vec<f32> {
        values(model.fc.bias.as_ref().unwrap().val().into_data())
    }

    #[test]
    fn the_average_moves_towards_the_weights_by_its_share() {
        let device = Device::flex().autodiff();
        let start = seeded(&ResNetConfig::new(Arch::ResNet18, 2), 1, &device);
        let mut end = start.clone();
        let shift = |bias: Tensor<1>| bias + 1.0;
        end.fc.bias = end.fc.bias.map(|param| {
            let (id, value, mapper) = param.consume();
            Param::from_mapped_value(id, shift(value), mapper)
        });
        let mut ema = Ema::new(&start, 0.9);
        let before = ema.model();
        ema.update(&end, 3);
        assert_eq!(bias(&ema.model()), bias(&before), "nothing between two updates");
        ema.update(&end, 1000);
        let moved: Vec<f32> = bias(&ema.model()).iter().zip(bias(&before)).map(|(a, b)| a - b).collect();
        let wanted = 1.0 - 0.9_f32.powi(4);
        assert!(moved.iter().all(|moved| (moved - wanted).abs() < 1e-5), "{moved:?}");
        // The first update takes nearly everything.
        let mut ema = Ema::new(&start, 0.9);
        ema.update(&end, 4);
        let moved = bias(&ema.model())[0] - bias(&before)[0];
        assert!(moved > 0.98, "{moved}");
    }
}

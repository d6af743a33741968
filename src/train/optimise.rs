//! The optimisers' steps on the processor, each in one pass over a parameter on all cores. Burn makes of one a dozen
//! passes, each on one core. States have the names that Burn's have, so that either goes on from a checkpoint of the other.

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::passes::{CHUNK, vectorised, zeros};

/// Burn's name for what [`SgdState`] holds.
const VELOCITY: &str = "momentum.velocity";

/// Stochastic gradient descent with Nesterov momentum, as PyTorch and Burn count it (Sutskever et al. 2013).
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// Share of the velocity that stays after a step, 0 to 1.
    pub momentum: f32,
    /// Share of a weight that is added to its gradient.
    pub weight_decay: f32,
}

/// State of [`Sgd`] for a parameter.
#[derive(Clone, Debug)]
pub struct SgdState<const D: usize> {
    /// A sum of gradients, older ones with less weight.
    velocity: Tensor<D>,
}

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, VELOCITY, self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = source.take_tensor(prefix, VELOCITY)?;
        Some(Self { velocity: Tensor::from_data(velocity, device) })
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        grad: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let (device, rate, Self { momentum, weight_decay }) = (weight.device(), rate as f32, *self);
        let mut velocity = taken(state.map(|state| state.velocity), &weight);
        let (mut weight, grad) = (weight.into_data(), grad.into_data());
        let chunks = values(&mut weight).par_chunks_mut(CHUNK).zip(read(&grad).par_chunks(CHUNK));
        chunks.zip(values(&mut velocity).par_chunks_mut(CHUNK)).for_each(|((weights, grads), velocities)| {
            vectorised(
                #[inline(always)]
                || {
                    for ((weight, grad), velocity) in weights.iter_mut().zip(grads).zip(velocities) {
                        let grad = grad + weight_decay * *weight;
                        *velocity = momentum * *velocity + grad;
                        *weight -= rate * (grad + momentum * *velocity);
                    }
                },
            );
        });
        let state = SgdState { velocity: Tensor::from_data(velocity, &device) };
        (Tensor::from_data(weight, &device), Some(state))
    }

    fn to_device<const D: usize>(mut state: SgdState<D>, device: &Device) -> SgdState<D> {
        state.velocity = state.velocity.to_device(device);
        state
    }
}

/// Adam (Kingma and Ba 2014), algorithm 1 in the order of its section 2's last paragraph, and AdamW (Loshchilov and Hutter
/// 2017).
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// What stays of both moments after a step, 0 to 1.
    pub betas: [f32; 2],
    /// Keeps it from dividing by 0.
    pub epsilon: f32,
    /// Share of a weight that is added to its gradient, or with `decoupled`, of the learning rate, taken from the weight.
    pub weight_decay: f32,
    /// Whether it is AdamW.
    pub decoupled: bool,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let device = weight.device();
        let (before, moments) = state.map_or((0, [None, None]), |AdamState { momentum }| {
            (momentum.time, [Some(momentum.moment_1), Some(momentum.moment_2)])
        });
        let time = before + 1;
        let [mut first, mut second] = moments.map(|moment| taken(moment, &weight));
        let (mut weight, grad) = (weight.into_data(), grad.into_data());
        let rule = self.at(time, rate as f32);
        let chunks = values(&mut weight).par_chunks_mut(CHUNK).zip(read(&grad).par_chunks(CHUNK));
        let moments = values(&mut first).par_chunks_mut(CHUNK).zip(values(&mut second).par_chunks_mut(CHUNK));
        chunks.zip(moments).for_each(|((weights, grads), (firsts, seconds))| {
            vectorised(
                #[inline(always)]
                || {
                    let moments = firsts.iter_mut().zip(seconds);
                    weights.iter_mut().zip(grads).zip(moments).for_each(|((weight, grad), (first, second))| {
                        rule.step(weight, *grad, first, second);
                    });
                },
            );
        });
        let [first, second] = [first, second].map(|moment| Tensor::from_data(moment, &device));
        let state = AdamState::new(AdaptiveMomentumState::new(time, first, second));
        (Tensor::from_data(weight, &device), Some(state))
    }

    fn to_device<const D: usize>(mut state: AdamState<D>, device: &Device) -> AdamState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}

/// What [`Adam`] does in one step.
struct Rule {
    betas: [f32; 2],
    /// Share of a weight that is added to its gradient.
    coupled: f32,
    /// What stays of a weight before the step.
    stays: f32,
    /// Learning rate with the bias of both moments corrected, and what keeps it from dividing by 0.
    rate: f32,
    epsilon: f32,
}

impl Adam {
    fn at(&self, time: usize, rate: f32) -> Rule {
        let [bias_1, bias_2] = self.betas.map(|beta| 1.0 - f64::from(beta).powf(time as f64));
        let decay = |decoupled: bool| if self.decoupled == decoupled { self.weight_decay } else { 0.0 };
        Rule {
            betas: self.betas,
            coupled: decay(false),
            stays: 1.0 - rate * decay(true),
            rate: (f64::from(rate) * bias_2.sqrt() / bias_1) as f32,
            epsilon: (f64::from(self.epsilon) * bias_2.sqrt()) as f32,
        }
    }
}

impl Rule {
    #[inline(always)]
    fn step(&self, weight: &mut f32, grad: f32, first: &mut f32, second: &mut f32) {
        let grad = grad + self.coupled * *weight;
        *first = self.betas[0] * *first + (1.0 - self.betas[0]) * grad;
        *second = self.betas[1] * *second + (1.0 - self.betas[1]) * grad * grad;
        *weight = self.stays * *weight - self.rate * *first / (second.sqrt() + self.epsilon);
    }
}

/// A state's values, zeros where there is none yet.
fn taken<const D: usize>(state: Option<Tensor<D>>, like: &Tensor<D>) -> TensorData {
    state.map_or_else(|| TensorData::new(zeros(like.shape().num_elements()), like.shape()), Tensor::into_data)
}

fn values(data: &mut TensorData) -> &mut [f32] {
    data.as_mut_slice().expect("parameters are float32 on the processor")
}

fn read(data: &TensorData) -> &[f32] {
    data.as_slice().expect("gradients are float32 on the processor")
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::optim::decay::WeightDecayConfig;
    use burn::optim::momentum::MomentumConfig;
    use burn::optim::{AdamConfig, AdamWConfig, SgdConfig};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Weights after some steps with random gradients.
    fn walk(optimiser: &impl Optimizer, shape: [usize; 2], steps: usize) -> Vec<f32> {
        // Numbers of its own: other tests draw from the device's as well.
        let (device, mut rng) = (Device::flex(), ChaCha8Rng::seed_from_u64(3));
        let mut random = || {
            let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| rng.random_range(-1.0..1.0)).collect();
            Tensor::<2>::from_data(TensorData::new(values, shape), &device)
        };
        let (mut weight, mut state) = (random(), None);
        for _ in 0..steps {
            (weight, state) = optimiser.step(0.01, weight, random(), state);
        }
        weight.into_data().try_to_vec().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn steps_are_burns(rows in 1_usize..300, columns in 1_usize..200, steps in 1_usize..6, decay in 0.0_f32..0.1) {
            let shape = [rows, columns];
            let penalty = Some(WeightDecayConfig::new(decay));
            let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
            let adam = |decoupled: bool| Adam { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: decay, decoupled };
            let pairs = [
                (
                    walk(&Sgd { momentum: 0.9, weight_decay: decay }, shape, steps),
                    walk(&SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(penalty.clone()).build(), shape, steps),
                ),
                (
                    walk(&adam(false), shape, steps),
                    walk(&AdamConfig::new().with_epsilon(1e-8).with_weight_decay(penalty).build(), shape, steps),
                ),
                (
                    walk(&adam(true), shape, steps),
                    walk(&AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(decay).build(), shape, steps),
                ),
            ];
            for (ours, theirs) in pairs {
                for (our, their) in ours.iter().zip(&theirs) {
                    prop_assert!((our - their).abs() < 2e-5, "{our} {their}");
                }
            }
        }
    }

    /// So that checkpoints of before are gone on from.
    #[test]
    fn states_have_the_names_that_burns_have() {
        fn names(optimiser: &impl Optimizer) -> Vec<String> {
            let one = || Tensor::<2>::ones([2, 3], &Device::flex());
            let (_, state) = optimiser.step(0.1, one(), one(), None);
            let mut sink = StateSink::default();
            state.unwrap().state_flatten("weight", &mut sink);
            sink.tensors
                .into_iter()
                .map(|(name, _)| name)
                .chain(sink.scalars.into_iter().map(|(name, _)| name))
                .collect()
        }
        let burns = SgdConfig::new().with_momentum(Some(MomentumConfig::new())).build();
        assert_eq!(names(&Sgd { momentum: 0.9, weight_decay: 0.0 }), names(&burns));
        let adam = Adam { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.0, decoupled: false };
        assert_eq!(names(&adam), names(&AdamConfig::new().build()));
        assert_eq!(names(&Adam { decoupled: true, ..adam }), names(&AdamWConfig::new().build()));
    }
}

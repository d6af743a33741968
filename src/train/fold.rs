//! The inference form of a network: each normalisation folded into its convolution.

use burn::module::{Param, RunningState};
use burn::tensor::{Tensor, TensorData};

use super::evaluate::values;
use super::resnet::{ConvNorm, ResNet};

/// A convolution with bias that does what a convolution and its normalisation do in inference.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// `[out, in, kernel, kernel]`, row-major.
    pub weight: Vec<f32>,
    /// Shape of `weight`.
    pub shape: [usize; 4],
    /// One value an output channel.
    pub bias: Vec<f32>,
    /// Step of the kernel, in both directions.
    pub stride: usize,
}

impl Folded {
    /// Folds `gamma * (conv(x) - mean) / sqrt(variance + epsilon) + beta` into one convolution.
    #[must_use]
    pub fn of(layer: &ConvNorm) -> Self {
        let (conv, norm) = (&layer.conv, &layer.norm);
        let shape = conv.weight.dims();
        let mut weight = values(conv.weight.val().into_data());
        let vector = |tensor: Tensor<1>| values(tensor.into_data());
        let (gamma, beta) = (vector(norm.gamma.val()), vector(norm.beta.val()));
        let (mean, variance) = (vector(norm.running_mean.value()), vector(norm.running_var.value()));
        let scale: Vec<f64> = (gamma.iter().zip(&variance))
            .map(|(gamma, variance)| f64::from(*gamma) / (f64::from(*variance) + norm.epsilon).sqrt())
            .collect();
        for (kernel, scale) in weight.chunks_exact_mut(shape[1] * shape[2] * shape[3]).zip(&scale) {
            kernel.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
        }
        let bias = (0..shape[0]).map(|c| (f64::from(beta[c]) - f64::from(mean[c]) * scale[c]) as f32).collect();
        Self { weight, shape, bias, stride: conv.stride[0] }
    }

    /// Zeros around the input, in both directions.
    #[must_use]
    pub fn padding(&self) -> usize {
        self.shape[2] / 2
    }

    /// Puts the folded convolution back; its normalisation then only adds the bias.
    fn restore(self, layer: &mut ConvNorm) {
        let device = layer.conv.weight.device();
        let vector = |values: Vec<f32>| {
            let length = values.len();
            Tensor::<1>::from_data(TensorData::new(values, [length]), &device)
        };
        let channels = self.shape[0];
        layer.conv.weight = Param::from_tensor(Tensor::from_data(TensorData::new(self.weight, self.shape), &device));
        let norm = &mut layer.norm;
        norm.gamma = Param::from_tensor(vector(vec![1.0; channels]));
        norm.beta = Param::from_tensor(vector(self.bias));
        norm.running_mean = RunningState::new(vector(vec![0.0; channels]));
        norm.running_var = RunningState::new(vector(vec![1.0; channels]));
        norm.epsilon = 0.0;
    }
}

/// Int8 weights of a folded convolution, symmetric, one scale an output channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    /// -127 to 127, in the order of the weights.
    pub weight: Vec<i8>,
    /// Weight per step, greater than 0, one an output channel.
    pub scale: Vec<f32>,
}

impl Quantised {
    /// Rounds each weight to the nearest of 255 steps of its output channel.
    #[must_use]
    pub fn of(folded: &Folded) -> Self {
        let mut weight = Vec::with_capacity(folded.weight.len());
        let mut scales = Vec::with_capacity(folded.shape[0]);
        for kernel in folded.weight.chunks_exact(folded.weight.len() / folded.shape[0]) {
            let largest = kernel.iter().fold(0.0_f32, |max, w| max.max(w.abs()));
            // A channel of zeros keeps any scale; 1 is as good as another.
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            weight.extend(kernel.iter().map(|w| (w / scale).round().clamp(-127.0, 127.0) as i8));
            scales.push(scale);
        }
        Self { weight, scale: scales }
    }

    /// The weights that the steps stand for.
    #[must_use]
    pub fn weights(&self) -> Vec<f32> {
        let per_channel = self.weight.len() / self.scale.len();
        self.weight.chunks_exact(per_channel).zip(&self.scale).flat_map(|(w, s)| w.iter().map(move |w| f32::from(*w) * s)).collect()
    }
}

/// The network that the int8 export stands for: what it answers is what the exported one answers.
#[must_use]
pub fn quantise(mut model: ResNet) -> ResNet {
    for layer in model.layers_mut() {
        let mut folded = Folded::of(layer);
        folded.weight = Quantised::of(&folded).weights();
        folded.restore(layer);
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounding_costs_at_most_half_a_step_and_repeats(weight in prop::collection::vec(-3.0..3.0_f32, 18)) {
            let folded = Folded { weight, shape: [2, 1, 3, 3], bias: vec![0.0; 2], stride: 1 };
            let quantised = Quantised::of(&folded);
            let back = quantised.weights();
            for (i, (a, b)) in folded.weight.iter().zip(&back).enumerate() {
                prop_assert!((a - b).abs() <= quantised.scale[i / 9] * 0.5001);
            }
            let again = Quantised::of(&Folded { weight: back, ..folded });
            prop_assert_eq!(again.weight, quantised.weight);
        }
    }

    #[test]
    fn a_channel_of_zeros_stays_zero() {
        let folded = Folded { weight: vec![0.0; 9], shape: [1, 1, 3, 3], bias: vec![0.0], stride: 1 };
        assert_eq!(Quantised::of(&folded).weights(), vec![0.0; 9]);
    }
}

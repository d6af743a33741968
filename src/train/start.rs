//! The weights that a training begins with.

use std::path::PathBuf;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::checkpoint;
use super::resnet::{ResNet, ResNetConfig};
use super::weights::{self, WeightsError};

/// Where the first weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the recipe's seed.
    Random,
    /// A `.safetensors` or `.pth` file with torchvision's names, or the folder of an earlier training.
    From(PathBuf),
}

impl Start {
    /// The network, and a sentence that says what it starts from.
    ///
    /// # Errors
    /// When the weights cannot be read or are of another architecture.
    pub fn network(&self, config: &ResNetConfig, seed: u64, device: &Device) -> Result<(ResNet, String), WeightsError> {
        let mut model = seeded(config, seed, device);
        let path = match self {
            Self::Random => {
                return Ok((
                    model,
                    format!("starting from RANDOM weights (seed {seed}): nothing is pretrained; see --from"),
                ));
            }
            Self::From(path) if path.is_dir() => checkpoint::best(&path.join(checkpoint::FOLDER)),
            Self::From(path) => path.clone(),
        };
        let classifier = match weights::load(&mut model, config.arch, &weights::read(&path)?, device)? {
            true => "its classifier",
            false => "a new classifier",
        };
        Ok((model, format!("starting from {} with {classifier}", path.display())))
    }
}

/// A network with random weights that depend on the seed alone, not on the device or on what else draws there: Kaiming
/// normal over the fan-out for convolutions, uniform for the classifier, as torchvision does. Blocks start as the
/// identity.
#[must_use]
pub fn seeded(config: &ResNetConfig, seed: u64, device: &Device) -> ResNet {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut model = config.init(device);
    let normals = normals(&mut rng);
    for layer in model.layers_mut() {
        let shape = layer.conv.weight.dims();
        let [out, inside, kernel, _] = shape;
        let deviation = (2.0 / (out * kernel * kernel) as f64).sqrt() as f32;
        let mut picks = vec![0_u8; 2 * out * inside * kernel * kernel];
        rng.fill_bytes(&mut picks);
        let pick = |pick: &[u8; 2]| normals[usize::from(u16::from_le_bytes(*pick))] * deviation;
        layer.conv.weight = param(picks.as_chunks::<2>().0.iter().map(pick).collect(), shape, device);
    }
    let [channels, labels] = model.fc.weight.dims();
    let bound = 1.0 / (channels as f32).sqrt();
    let mut uniform = |count: usize| (0..count).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
    model.fc.weight = param(uniform(channels * labels), [channels, labels], device);
    model.fc.bias = Some(param(uniform(labels), [labels], device));
    model
}

fn param<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// Standard normal numbers (Box and Muller 1958) that weights are picked from: one for each `u16`, so that a weight costs
/// two random bytes and no logarithm.
fn normals(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut pair = || {
        // 1 - x is above 0, where the logarithm is finite.
        let (a, b): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
        let (sin, cos) = (std::f64::consts::TAU * b).sin_cos();
        let radius = (-2.0 * a.ln()).sqrt();
        [(radius * sin) as f32, (radius * cos) as f32]
    };
    (0..1 << 15).flat_map(|_| pair()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::evaluate::values;
    use crate::train::resnet::Arch;

    #[test]
    fn the_seed_decides_and_the_spread_is_kaimings() {
        let device = Device::flex();
        let weight = |seed: u64| {
            let mut model = seeded(&ResNetConfig::new(Arch::ResNet18, 7), seed, &device);
            values(model.layers_mut()[3].conv.weight.val().into_data())
        };
        let one = weight(1);
        assert_eq!(one, weight(1));
        assert_ne!(one, weight(2));
        let count = one.len() as f32;
        let mean = one.iter().sum::<f32>() / count;
        let variance = one.iter().map(|w| (w - mean).powi(2)).sum::<f32>() / count;
        let wanted = 2.0 / (64.0 * 9.0);
        assert!(mean.abs() < 1e-3 && (variance / wanted - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_random_start_is_said_loudly_and_a_missing_one_refused() {
        let device = Device::flex();
        let config = ResNetConfig::new(Arch::ResNet18, 2);
        let (_, said) = Start::Random.network(&config, 1, &device).unwrap();
        assert!(said.contains("RANDOM"), "{said}");
        let missing = Start::From(PathBuf::from("none.pth")).network(&config, 1, &device);
        assert!(matches!(missing, Err(WeightsError::Unreadable { .. })));
    }
}

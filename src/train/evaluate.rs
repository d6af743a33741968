//! Runs a trained network over examples.

use burn::tensor::{Device, Tensor, TensorData};

use super::data::Example;
use super::resnet::ResNet;
use crate::infer::preprocess::{Preprocess, centre_square};

/// Pictures of one forward pass.
const BATCH: usize = 32;

/// The logits of each example, one row an example. The network must be in inference form
/// (`Module::valid`), the device without autodiff.
#[must_use]
pub fn logits(model: &ResNet, examples: &[Example], input: &Preprocess, device: &Device) -> Vec<Vec<f32>> {
    outputs(model, examples, input, device).0
}

/// Logits and pooled features of each example, one row an example, as [`logits`].
#[must_use]
pub fn outputs(
    model: &ResNet,
    examples: &[Example],
    input: &Preprocess,
    device: &Device,
) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let (mut logits, mut features) = (Vec::with_capacity(examples.len()), Vec::with_capacity(examples.len()));
    for chunk in examples.chunks(BATCH) {
        let mut pixels = Vec::with_capacity(chunk.len() * input.values());
        for example in chunk {
            input.normalise(&fitted(example, input.size), &mut pixels);
        }
        let side = input.size as usize;
        let batch = Tensor::<4>::from_data(TensorData::new(pixels, [chunk.len(), 3, side, side]), device);
        let found = model.forward(batch);
        for (rows, tensor) in [(&mut logits, found.logits), (&mut features, found.features)] {
            let values = values(tensor.into_data());
            rows.extend(values.chunks(values.len() / chunk.len()).map(<[f32]>::to_vec));
        }
    }
    (logits, features)
}

/// Examples of the train split are stored larger than the input.
fn fitted(example: &Example, side: u32) -> std::borrow::Cow<'_, image::RgbImage> {
    if example.picture.dimensions() == (side, side) {
        std::borrow::Cow::Borrowed(&example.picture)
    } else {
        std::borrow::Cow::Owned(centre_square(&example.picture, side))
    }
}

/// The numbers of a tensor, row-major.
pub(super) fn values(data: TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}

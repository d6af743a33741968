//! Photos, manifests and answers of inference servers from strangers.

use super::decode::{Limits, PhotoError, decode, decode_square};
use super::manifest::Manifest;
use super::preprocess::Preprocess;
use crate::domain::quiz::{Difficulty, choose_areas};

/// Small, so that what is large is refused before it costs anything.
const LIMITS: Limits = Limits { max_bytes: 1 << 20, max_pixels: 250_000, max_decoded_bytes: 4 << 20 };

/// Side of the network's input, pixels.
const SIDE: u32 = 16;

/// A photo, up to the tensor that a network takes.
pub fn photo(bytes: &[u8]) {
    // The shorter way, which decodes no more than a network sees.
    if let Ok(square) = decode_square(bytes, &LIMITS, SIDE) {
        assert_eq!(square.dimensions(), (SIDE, SIDE));
    }
    match decode(bytes, &LIMITS) {
        Ok(picture) => {
            let (width, height) = picture.dimensions();
            let pixels = u64::from(width) * u64::from(height);
            assert!((1..=LIMITS.max_pixels).contains(&pixels), "{width} x {height}");
            let shape = Preprocess { size: SIDE, mean: [0.5; 3], std: [0.5; 3] };
            let tensor = shape.tensor(&shape.square(&picture));
            assert!(tensor.len() == 3 * 16 * 16 && tensor.iter().all(|value| (-1.01..=1.01).contains(value)));
        }
        Err(PhotoError::TooManyPixels { width, height, .. }) => {
            assert!(width > 0 && height > 0, "what has no pixels has not too many");
        }
        Err(_) => {}
    }
}

/// A manifest of a model from elsewhere.
pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse("here", &String::from_utf8_lossy(bytes)) {
        let areas: Vec<usize> = (0..manifest.labels.len()).collect();
        assert!(!areas.is_empty() && manifest.temperature > 0.0);
        // The quiz chooses its areas by what the model mixes up.
        for difficulty in [Difficulty::Easy, Difficulty::Normal, Difficulty::Hard] {
            let chosen = choose_areas(difficulty, &areas, &manifest.metrics.confusion, |below| below / 2);
            assert!(!chosen.is_empty() && chosen.iter().all(|area| areas.contains(area)), "{chosen:?}");
        }
    }
}

/// An answer of an inference server: two bytes for the length that its header gives, then its body.
pub fn kserve(bytes: &[u8]) {
    let Some((length, body)) = bytes.split_first_chunk() else { return };
    let length = u16::from_le_bytes(*length);
    super::kserve::hostile((length < u16::MAX).then_some(usize::from(length)), body);
}

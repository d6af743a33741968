//! `street.bin`: how a model tells photos that are no street.
//!
//! Little-endian: 12 bytes (`kokodoko`, the format's version, `st`, a zero), channels and directions as u32, then float32
//! numbers: the variance of the other directions, mean and deviation of the distances and of the lengths, the mean
//! `[channels]`, the directions `[directions, channels]`, their variances `[directions]`. See [`StreetGate`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::manifest::sha256_hex;
use crate::domain::Prediction;
use crate::domain::street::{Cloud, Scale, StreetGate};

/// Name of the file beside the manifest.
pub const STREET_FILE: &str = "street.bin";
/// Beginning of the file.
const HEAD: &[u8; 12] = b"kokodoko\x01st\0";
/// Numbers before the mean.
const SINGLES: usize = 5;

/// A manifest's section about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Street {
    /// SHA-256 of `street.bin`, 64 hexadecimal digits.
    pub sha256: String,
    /// Photos with a lower score are no streets.
    pub threshold: f32,
    /// Share of the validation split's photos that it lets pass, 0 to 1.
    pub passes: f32,
    /// What is in the file; `None` until it is read.
    #[serde(skip)]
    pub gate: Option<Arc<StreetGate>>,
}

impl Street {
    /// The section of a gate, and the bytes of its file.
    #[must_use]
    pub fn new(gate: StreetGate, threshold: f32, passes: f32) -> (Self, Vec<u8>) {
        let bytes = encode(&gate);
        (Self { sha256: sha256_hex(&bytes), threshold, passes, gate: Some(Arc::new(gate)) }, bytes)
    }

    /// Reads the file that the section is about.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn fill(&mut self, bytes: &[u8]) -> Result<(), String> {
        let found = sha256_hex(bytes);
        if found != self.sha256 {
            return Err(format!(
                "{STREET_FILE} has SHA-256 {found}, its manifest says {}. Copy all files of the model again.",
                self.sha256
            ));
        }
        self.gate = Some(Arc::new(decode(bytes).ok_or_else(|| format!("{STREET_FILE} is not of its form"))?));
        Ok(())
    }

    /// The answer to a photo with these features: the same, or that it is no street. Features that are not of this
    /// network say nothing.
    #[must_use]
    pub fn judge(&self, features: &[f32], prediction: Prediction) -> Prediction {
        let fits = |gate: &&Arc<StreetGate>| gate.cloud.mean.len() == features.len();
        match self.gate.as_ref().filter(fits) {
            Some(gate) if gate.score(features) < self.threshold => prediction.of_no_street(),
            _ => prediction,
        }
    }
}

fn encode(gate: &StreetGate) -> Vec<u8> {
    let StreetGate { cloud, distance, length } = gate;
    let singles = [cloud.rest, distance.mean, distance.deviation, length.mean, length.deviation];
    let numbers = singles.iter().chain(&cloud.mean).chain(&cloud.basis).chain(&cloud.variances);
    let sizes = [cloud.mean.len() as u32, cloud.variances.len() as u32];
    let sizes = sizes.iter().flat_map(|size| size.to_le_bytes());
    HEAD.iter().copied().chain(sizes).chain(numbers.flat_map(|number| number.to_le_bytes())).collect()
}

fn decode(bytes: &[u8]) -> Option<StreetGate> {
    let (sizes, numbers) = bytes.strip_prefix(HEAD)?.split_at_checked(8)?;
    let size = |at: usize| sizes[at..at + 4].try_into().ok().map(|size| u32::from_le_bytes(size) as usize);
    let (channels, directions) = (size(0)?, size(4)?);
    let basis = channels.checked_mul(directions)?;
    let wanted = basis.checked_add(channels)?.checked_add(directions)?.checked_add(SINGLES)?;
    if channels == 0 || !numbers.len().is_multiple_of(4) || numbers.len() / 4 != wanted {
        return None;
    }
    let mut numbers = numbers.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<f32>>();
    let singles = take(SINGLES);
    let cloud = Cloud { mean: take(channels), basis: take(basis), variances: take(directions), rest: singles[0] };
    let distance = Scale { mean: singles[1], deviation: singles[2] };
    let length = Scale { mean: singles[3], deviation: singles[4] };
    let divisors = cloud.variances.iter().chain([&cloud.rest, &distance.deviation, &length.deviation]);
    let are_sound = divisors.into_iter().all(|divisor| divisor.is_finite() && *divisor > 0.0);
    are_sound.then_some(StreetGate { cloud, distance, length })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::Area;
    use proptest::prelude::*;

    /// Passes what lies about 1 on its one channel.
    pub(crate) fn gate() -> StreetGate {
        let cloud = Cloud { mean: vec![1.0], basis: vec![1.0], variances: vec![0.5], rest: 1.0 };
        let scale = Scale { mean: 1.0, deviation: 1.0 };
        StreetGate { cloud, distance: scale, length: scale }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let (mut street, bytes) = Street::new(gate(), -3.0, 0.99);
        street.gate = None;
        street.fill(&bytes).unwrap();
        assert_eq!(street.gate.as_deref(), Some(&gate()));
        assert!(street.fill(&bytes[..bytes.len() - 4]).unwrap_err().contains("Copy all files"));
        for wrong in [&bytes[..bytes.len() - 1], &bytes[..15], b"kokodoko", &[]] {
            assert_eq!(decode(wrong), None);
        }
        let mut flat = gate();
        flat.cloud.rest = 0.0;
        assert_eq!(decode(&encode(&flat)), None, "nothing is divided by 0");
    }

    #[test]
    fn only_what_scores_too_low_is_no_street() {
        let (street, _) = Street::new(gate(), -3.0, 0.99);
        let answer =
            || Prediction::from_logits(&[3.0, 0.0], &[Area::new("a", "b", "c"), Area::new("d", "e", "f")], 1.0, 0.5);
        assert_eq!(street.judge(&[1.0], answer()), answer());
        assert_eq!(street.judge(&[-4.0], answer()), answer().of_no_street());
        assert_eq!(street.judge(&[], answer()), answer(), "a network without features");
        let nothing = Street { gate: None, ..street };
        assert_eq!(nothing.judge(&[-4.0], answer()), answer());
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&[&HEAD[..], &bytes].concat());
        }
    }
}

//! What a server says of a network, and whether that and its answers fit the one that is wanted.

use serde::Deserialize;

use super::super::onnx::Outputs;
use super::wire::Tensor;

/// The network's input and what is asked of it.
pub(super) const INPUT: &str = "input";
pub(super) const OUTPUTS: [&str; 3] = ["logits", "features", "cams"];
/// Longest refusal that is repeated, characters.
const LONGEST: usize = 200;

/// The network that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Its name on the server.
    pub(super) name: String,
    /// Side of its input, pixels.
    pub(super) size: usize,
    /// How many areas it knows.
    pub(super) labels: usize,
}

#[derive(Deserialize)]
struct Metadata {
    inputs: Vec<Described>,
    outputs: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    datatype: String,
    shape: Vec<i64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// What a server says when it refuses, as far as it may be repeated; empty when it says nothing of the protocol.
pub(super) fn refusal(body: &[u8]) -> String {
    let said = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error).unwrap_or_default();
    said.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

impl Wanted {
    /// Whether it is what `body` describes.
    ///
    /// # Errors
    /// What does not fit, for the log.
    pub(super) fn check(&self, body: &[u8]) -> Result<(), String> {
        let found: Metadata = serde_json::from_slice(body).map_err(|error| format!("{}: {error}", self.name))?;
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        let input = found.inputs.iter().find(|input| input.name == INPUT);
        let takes = |input: &Described| {
            let fixed: Vec<i64> = input.shape.iter().rev().take(3).rev().copied().collect();
            input.datatype == "FP32" && fixed.iter().zip([3, size, size]).all(|(is, wanted)| *is == wanted || *is < 0)
        };
        if !input.is_some_and(takes) {
            return Err(format!("`{}` on the server takes no FP32 `{INPUT}` of 3 x {size} x {size}", self.name));
        }
        let missing = OUTPUTS.iter().find(|name| !found.outputs.iter().any(|output| output.name == **name));
        missing.map_or(Ok(()), |name| Err(format!("`{}` on the server has no output `{name}`", self.name)))
    }

    /// The tensors of a batch in their places.
    ///
    /// # Errors
    /// Which is missing or has another shape, for the log.
    pub(super) fn outputs(&self, mut tensors: Vec<Tensor>, batch: usize) -> Result<Outputs, String> {
        let mut take = |name: &str| {
            let at = tensors.iter().position(|tensor| tensor.name == name);
            at.map(|at| tensors.swap_remove(at)).ok_or_else(|| format!("the answer has no output `{name}`"))
        };
        let (logits, features, cams) = (take("logits")?, take("features")?, take("cams")?);
        let unfit = |tensor: &Tensor| {
            let Tensor { name, shape, .. } = tensor;
            Err(format!("output `{name}` has shape {shape:?}, for a batch of {batch} and {} labels", self.labels))
        };
        if logits.shape[..] != [batch, self.labels] || batch == 0 {
            return unfit(&logits);
        }
        if !matches!(features.shape[..], [first, _] if first == batch) {
            return unfit(&features);
        }
        match cams.shape[..] {
            [first, labels, rows, columns] if (first, labels) == (batch, self.labels) && rows * columns > 0 => {
                let grid = (rows, columns);
                Ok(Outputs { logits: logits.values, features: features.values, cams: cams.values, grid })
            }
            _ => unfit(&cams),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_the_shape_of_the_batch_and_the_labels() {
        let wanted = Wanted { name: "m".to_owned(), size: 8, labels: 3 };
        let tensor = |name: &str, shape: &[usize]| {
            let values = vec![0.5; shape.iter().product()];
            Tensor { name: name.to_owned(), shape: shape.to_vec(), values }
        };
        let answer = |logits: &[usize], features: &[usize], cams: &[usize]| {
            let tensors = vec![tensor("cams", cams), tensor("logits", logits), tensor("features", features)];
            wanted.outputs(tensors, 2)
        };
        let outputs = answer(&[2, 3], &[2, 4], &[2, 3, 1, 5]).expect("it fits");
        assert_eq!((outputs.grid, outputs.cams.len(), outputs.features.len()), ((1, 5), 30, 8));
        for (logits, features, cams) in [
            (&[2, 4][..], &[2, 4][..], &[2, 3, 1, 5][..]),
            (&[1, 3], &[2, 4], &[2, 3, 1, 5]),
            (&[6], &[2, 4], &[2, 3, 1, 5]),
            (&[2, 3], &[1, 4], &[2, 3, 1, 5]),
            (&[2, 3], &[2, 4], &[2, 4, 1, 5]),
            (&[2, 3], &[2, 4], &[1, 3, 2, 5]),
            (&[2, 3], &[2, 4], &[2, 3, 0, 5]),
            (&[2, 3], &[2, 4], &[2, 3]),
        ] {
            assert!(answer(logits, features, cams).is_err(), "{logits:?} {features:?} {cams:?}");
        }
        let missing = wanted.outputs(vec![tensor("logits", &[2, 3])], 2).expect_err("two are missing");
        assert!(missing.contains("features"), "{missing}");
    }

    #[test]
    fn a_refusal_is_repeated_without_what_could_break_the_log() {
        assert_eq!(refusal(b"{\"error\": \"out of\\nmemory\"}"), "out ofmemory");
        assert_eq!(refusal(format!("{{\"error\": \"{}\"}}", "a".repeat(900)).as_bytes()).len(), LONGEST);
        assert_eq!(refusal(b"<html>"), "");
    }
}

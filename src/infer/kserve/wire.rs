//! Requests and answers of the Open Inference Protocol v2 over HTTP, with the binary tensor data extension: JSON first,
//! whose length a header gives, then the tensors as they lie in memory, little-endian.

use serde::{Deserialize, Serialize};

/// The header that gives the length of the JSON, bytes.
pub(super) const LENGTH: &str = "inference-header-content-length";
/// The only type of tensors here.
const FP32: &str = "FP32";

/// A tensor of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

#[derive(Serialize)]
struct Request<'a> {
    inputs: [Input<'a>; 1],
    outputs: Vec<Wanted<'a>>,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    shape: &'a [usize],
    datatype: &'static str,
    parameters: Size,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Size {
    binary_data_size: usize,
}

#[derive(Serialize)]
struct Wanted<'a> {
    name: &'a str,
    parameters: Binary,
}

#[derive(Serialize)]
struct Binary {
    binary_data: bool,
}

#[derive(Deserialize)]
struct Answer {
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    /// For servers that know no binary data, or do not want to.
    data: Option<Vec<f32>>,
    parameters: Option<OutputParameters>,
}

#[derive(Deserialize)]
struct OutputParameters {
    binary_data_size: Option<usize>,
}

/// The body that asks for `outputs` of one input, and the length of its JSON.
pub(super) fn request(input: &str, shape: &[usize], values: &[f32], outputs: &[&str]) -> (usize, Vec<u8>) {
    let parameters = Size { binary_data_size: size_of_val(values) };
    let inputs = [Input { name: input, shape, datatype: FP32, parameters }];
    let outputs = outputs.iter().map(|name| Wanted { name, parameters: Binary { binary_data: true } }).collect();
    // Plain structures of numbers and names always are JSON.
    let mut body = serde_json::to_vec(&Request { inputs, outputs }).unwrap_or_default();
    let length = body.len();
    body.reserve(size_of_val(values));
    body.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    (length, body)
}

/// The tensors of an answer. `length` is that of its JSON; `None` when all of it is JSON.
///
/// # Errors
/// What is wrong with it, for the log.
pub(super) fn answer(length: Option<usize>, body: &[u8]) -> Result<Vec<Tensor>, String> {
    let length = length.unwrap_or(body.len());
    let (json, mut binary) = body.split_at_checked(length).ok_or("its JSON is shorter than its header says")?;
    let answer: Answer = serde_json::from_slice(json).map_err(|error| format!("no answer of the protocol: {error}"))?;
    let mut tensors = Vec::with_capacity(answer.outputs.len());
    for Output { name, shape, datatype, data, parameters } in answer.outputs {
        if datatype != FP32 {
            return Err(format!("output `{name}` is {datatype}, not {FP32}"));
        }
        let values = match (data, parameters.and_then(|parameters| parameters.binary_data_size)) {
            (_, Some(size)) => {
                let (own, rest) = binary.split_at_checked(size).ok_or("it ends within a tensor")?;
                binary = rest;
                own.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
            }
            (Some(values), None) => values,
            (None, None) => return Err(format!("output `{name}` has no data")),
        };
        let count = shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side));
        if count != Some(values.len()) {
            return Err(format!("output `{name}` has {} values, which is not its shape {shape:?}", values.len()));
        }
        tensors.push(Tensor { name, shape, values });
    }
    if binary.is_empty() { Ok(tensors) } else { Err(format!("{} bytes belong to no tensor", binary.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_is_json_and_then_its_tensor() {
        let (length, body) = request("input", &[1, 2], &[1.0, -0.5], &["logits"]);
        let json: serde_json::Value = serde_json::from_slice(&body[..length]).expect("JSON");
        let expected = serde_json::json!({
            "inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}],
            "outputs": [{"name": "logits", "parameters": {"binary_data": true}}],
        });
        assert_eq!(json, expected);
        assert_eq!(body[length..], [0, 0, 128, 63, 0, 0, 0, 191]);
    }

    fn said(outputs: &serde_json::Value, binary: &[f32]) -> (usize, Vec<u8>) {
        let mut body = serde_json::to_vec(&serde_json::json!({"model_name": "m", "outputs": outputs})).expect("JSON");
        let length = body.len();
        body.extend(binary.iter().flat_map(|value| value.to_le_bytes()));
        (length, body)
    }

    #[test]
    fn tensors_come_as_bytes_or_as_json() {
        let outputs = serde_json::json!([
            {"name": "a", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
            {"name": "b", "shape": [1, 1], "datatype": "FP32", "data": [0.25]},
            {"name": "c", "shape": [1], "datatype": "FP32", "parameters": {"binary_data_size": 4}},
        ]);
        let (length, body) = said(&outputs, &[1.0, 2.0, 3.0]);
        let tensors = answer(Some(length), &body).expect("an answer");
        let values: Vec<&[f32]> = tensors.iter().map(|tensor| &*tensor.values).collect();
        assert_eq!(values, [&[1.0, 2.0][..], &[0.25], &[3.0]]);
    }

    #[test]
    fn answers_that_do_not_add_up_are_refused() {
        let output = |shape: &[usize], size: usize, kind: &str| serde_json::json!([{"name": "a", "shape": shape, "datatype": kind, "parameters": {"binary_data_size": size}}]);
        for (outputs, binary) in [
            (output(&[3], 8, "FP32"), &[1.0, 2.0][..]),
            (output(&[2], 8, "FP32"), &[1.0]),
            (output(&[1], 4, "FP32"), &[1.0, 2.0]),
            (output(&[2], 8, "FP16"), &[1.0, 2.0]),
            (output(&[usize::MAX, 2], 8, "FP32"), &[1.0, 2.0]),
            (serde_json::json!([{"name": "a", "shape": [1], "datatype": "FP32"}]), &[]),
            (serde_json::json!("nothing"), &[]),
        ] {
            let (length, body) = said(&outputs, binary);
            assert!(answer(Some(length), &body).is_err(), "{outputs}");
        }
        assert!(answer(Some(9_999), b"{}").is_err() && answer(None, b"<html>").is_err());
    }

    proptest! {
        #[test]
        fn hostile_answers_do_no_harm(length in proptest::option::of(0_usize..200), body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(answer(length, &body).is_err());
        }
    }
}

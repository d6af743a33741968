//! Replaces the last layer of a network that this program wrote, by editing its graph.

use prost::Message;
use thiserror::Error;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto, ValueInfoProto, type_proto};

use super::fit::Linear;
use crate::train::export::{BIAS, MAP_WEIGHT, WEIGHT};

/// A network whose last layer cannot be replaced.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GraphError {
    /// The file is no ONNX model.
    #[error("the network cannot be read: {0}")]
    Unreadable(String),
    /// It was written by something else.
    #[error("the network has no `{0}`: only networks that `kokodoko train` wrote can get a new last layer")]
    Missing(&'static str),
    /// The new layer is for other features.
    #[error("the network has {found} features, the new last layer is for {expected}")]
    Features {
        /// What the network has.
        found: usize,
        /// What the layer wants.
        expected: usize,
    },
}

/// The network with another classifier: its logits and class activation maps are those of `linear`, its features stay.
///
/// # Errors
/// See [`GraphError`].
pub fn replace(onnx: &[u8], linear: &Linear) -> Result<Vec<u8>, GraphError> {
    let mut model = ModelProto::decode(onnx).map_err(|error| GraphError::Unreadable(error.to_string()))?;
    let graph = model.graph.as_mut().ok_or(GraphError::Missing("graph"))?;
    let labels = linear.bias.len();
    let features = linear.weight.len() / labels;
    let weight = constant(graph, WEIGHT)?;
    let found = weight.dims.get(1).map_or(0, |side| usize::try_from(*side).unwrap_or(0));
    if found != features {
        return Err(GraphError::Features { found, expected: features });
    }
    let (rows, columns) = (labels as i64, features as i64);
    fill(weight, &[rows, columns], &linear.weight);
    fill(constant(graph, MAP_WEIGHT)?, &[rows, columns, 1, 1], &linear.weight);
    fill(constant(graph, BIAS)?, &[rows], &linear.bias);
    for name in ["logits", "cams"] {
        let output = graph.output.iter_mut().find(|output| output.name == name).ok_or(GraphError::Missing(name))?;
        resize(output, rows);
    }
    Ok(model.encode_to_vec())
}

fn constant<'a>(graph: &'a mut GraphProto, name: &'static str) -> Result<&'a mut TensorProto, GraphError> {
    graph.initializer.iter_mut().find(|tensor| tensor.name == name).ok_or(GraphError::Missing(name))
}

fn fill(tensor: &mut TensorProto, dims: &[i64], values: &[f32]) {
    tensor.dims = dims.to_vec();
    tensor.raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
}

/// Gives the second side of an output, that of the labels, another length.
fn resize(output: &mut ValueInfoProto, labels: i64) {
    let kind = output.r#type.as_mut().and_then(|kind| kind.value.as_mut());
    if let Some(type_proto::Value::TensorType(tensor)) = kind
        && let Some(side) = tensor.shape.as_mut().and_then(|shape| shape.dim.get_mut(1))
    {
        side.value = Some(dimension::Value::DimValue(labels));
    }
}

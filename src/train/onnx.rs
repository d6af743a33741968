//! Writes ONNX graphs: just enough of the format for [`super::export`].

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

/// Version of the file format (2021).
const IR_VERSION: i64 = 8;
/// Version of the operators (2022).
const OPSET: i64 = 17;

/// A side of an input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Known when the model is written.
    Fixed(usize),
    /// Known when the model runs; sides of one name are equal.
    Named(&'static str),
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
}

/// A graph under construction.
#[derive(Default)]
pub struct Graph {
    proto: GraphProto,
}

impl Graph {
    /// A graph without nodes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { proto: GraphProto { name: name.to_owned(), ..GraphProto::default() } }
    }

    /// Declares a float32 input.
    pub fn input(&mut self, name: &str, shape: &[Side]) {
        self.proto.input.push(value_info(name, shape));
    }

    /// Declares a float32 output; a node must produce it.
    pub fn output(&mut self, name: &str, shape: &[Side]) {
        self.proto.output.push(value_info(name, shape));
    }

    /// Adds a node with one output, named like the node; returns the name.
    pub fn node(&mut self, op: &str, name: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        self.proto.node.push(NodeProto {
            op_type: op.to_owned(),
            name: name.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
            ..NodeProto::default()
        });
        name.to_owned()
    }

    /// Adds a float32 constant; returns its name.
    pub fn float(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, shape, DataType::Float, raw)
    }

    /// Adds a constant from its little-endian bytes; returns its name.
    pub fn constant(&mut self, name: &str, shape: &[usize], kind: DataType, raw: Vec<u8>) -> String {
        self.proto.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: shape.iter().map(|&side| side as i64).collect(),
            data_type: kind as i32,
            raw_data: raw,
            ..TensorProto::default()
        });
        name.to_owned()
    }

    /// The bytes of the model file.
    #[must_use]
    pub fn encode(self, metadata: &[(&str, &str)]) -> Vec<u8> {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        let model = ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.proto),
            metadata_props: metadata.iter().map(entry).collect(),
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }
}

fn attribute(name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    match value {
        Attribute::Int(value) => {
            proto.r#type = AttributeType::Int as i32;
            proto.i = *value;
        }
        Attribute::Ints(values) => {
            proto.r#type = AttributeType::Ints as i32;
            proto.ints.clone_from(values);
        }
    }
    proto
}

fn value_info(name: &str, shape: &[Side]) -> ValueInfoProto {
    let dimension = |side: &Side| {
        let value = match *side {
            Side::Fixed(length) => dimension::Value::DimValue(length as i64),
            Side::Named(name) => dimension::Value::DimParam(name.to_owned()),
        };
        Dimension { denotation: String::new(), value: Some(value) }
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dimension).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    let kind = TypeProto { denotation: String::new(), value: Some(type_proto::Value::TensorType(tensor)) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(kind), doc_string: String::new() }
}

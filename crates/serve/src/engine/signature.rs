//! What a model takes and gives.

use serde::{Serialize, Serializer};

use super::Datatype;

/// Inputs and outputs of a model, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// What a request carries.
    pub inputs: Vec<TensorSpec>,
    /// What an answer carries.
    pub outputs: Vec<TensorSpec>,
}

/// One input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorSpec {
    /// Name in the graph.
    pub name: String,
    /// Element type.
    pub datatype: Datatype,
    /// Size of every axis, `None` where any size goes; serialised as the protocol's `shape`, with -1 for `None`.
    #[serde(rename = "shape", serialize_with = "protocol_shape")]
    pub dims: Vec<Option<usize>>,
    /// Names of the columns of the last axis, where the model file knows them (a classifier's classes).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
}

impl TensorSpec {
    /// Whether a tensor of `shape` fits.
    pub fn accepts(&self, shape: &[usize]) -> bool {
        self.dims.len() == shape.len()
            && self.dims.iter().zip(shape).all(|(dim, size)| dim.is_none_or(|dim| dim == *size))
    }

    /// The shape as the Open Inference Protocol writes it: -1 for a dynamic axis.
    pub fn shape(&self) -> Vec<i64> {
        self.dims.iter().copied().map(protocol_size).collect()
    }

    /// Whether axis 0 exists and is dynamic.
    pub fn has_dynamic_rows(&self) -> bool {
        self.dims.first() == Some(&None)
    }
}

fn protocol_size(dim: Option<usize>) -> i64 {
    dim.map_or(-1, |dim| i64::try_from(dim).unwrap_or(i64::MAX))
}

fn protocol_shape<S: Serializer>(dims: &[Option<usize>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dims.iter().copied().map(protocol_size))
}

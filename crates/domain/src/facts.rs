//! What model files say of themselves: how large they are, under which licence they come, who wrote them with what.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the files of an artifact state. Texts are the files' own, escaped and cut; nobody has checked that they are true.
/// What is not stated, or not the same thing in all files, is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelFacts {
    /// Numbers in all tensors of weights together, an optimiser's state included where the file holds it. Absent where
    /// files of several formats hold tensors, which may be the same ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// How many tensors that are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensors: Option<u64>,
    /// Numbers by element type, as the format names it, e.g. `F32`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dtypes: BTreeMap<String, u64>,
    /// Licences, e.g. `apache-2.0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licences: Vec<String>,
    /// Versions of formats, frameworks and producers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated: Vec<Statement>,
}

/// One thing that a file states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// What it is about, e.g. `producer`, `opset ai.onnx`, `keras`.
    pub name: String,
    /// What it says, e.g. `pytorch 2.4.0`.
    pub value: String,
}

impl ModelFacts {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

//! The interface of a model: names, types and shapes of its inputs and outputs.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Inputs and outputs of a model, in the model's own order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// What a request must carry.
    pub inputs: Vec<TensorSpec>,
    /// What an answer carries.
    pub outputs: Vec<TensorSpec>,
}

/// Name, element type and shape of one tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TensorSpec {
    /// Name in the graph.
    pub name: String,
    /// Element type in the Open Inference Protocol's words: `FP32`, `INT64`, `BYTES`, ...
    pub datatype: String,
    /// One entry per axis; `-1` where the size is free (batch, sequence length).
    pub shape: Vec<i64>,
}

impl Signature {
    /// Whether a client of `old` can go on with `self` unchanged: same inputs, and at least the old outputs,
    /// with equal names, types and shapes.
    pub fn is_compatible_with(&self, old: &Self) -> bool {
        let same_inputs = self.inputs.len() == old.inputs.len()
            && old.inputs.iter().all(|input| self.inputs.contains(input));
        same_inputs && old.outputs.iter().all(|output| self.outputs.contains(output))
    }
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}[", self.name, self.datatype)?;
        for (axis, size) in self.shape.iter().enumerate() {
            let comma = if axis == 0 { "" } else { ", " };
            if *size < 0 { write!(f, "{comma}?")? } else { write!(f, "{comma}{size}")? }
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, shape: &[i64]) -> TensorSpec {
        TensorSpec { name: name.to_owned(), datatype: "FP32".to_owned(), shape: shape.to_vec() }
    }

    #[test]
    fn one_more_output_is_compatible_one_more_input_is_not() {
        let old = Signature { inputs: vec![spec("x", &[-1, 4])], outputs: vec![spec("y", &[-1])] };
        let mut wider = old.clone();
        wider.outputs.push(spec("z", &[-1]));
        assert!(wider.is_compatible_with(&old));
        assert!(!old.is_compatible_with(&wider));
        let mut asking_more = old.clone();
        asking_more.inputs.push(spec("w", &[1]));
        assert!(!asking_more.is_compatible_with(&old));
    }
}

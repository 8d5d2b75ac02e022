//! The interface that the file `MLmodel` of a version says it has.

use serde::Deserialize;
use serde_json::Value;
use tagship_config::yaml;
use tagship_domain::signature::{Signature, TensorSpec};

/// One input or output, as `MLflow` writes it: a tensor, or a column of a table.
#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "tensor-spec", default)]
    tensor: Option<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<i64>,
}

/// Reads it; absent where there is none, or one that says something else than tensors and columns.
pub(super) fn read(text: &str) -> Option<Signature> {
    let document = yaml::to_json(text).ok()?;
    let side = |key: &str| -> Option<Vec<TensorSpec>> {
        // A JSON document in a text of the YAML one.
        let specs = document.pointer(&format!("/signature/{key}")).and_then(Value::as_str)?;
        let specs: Vec<Spec> = serde_json::from_str(specs).ok()?;
        specs.into_iter().enumerate().map(|(at, spec)| tensor(at, spec)).collect()
    };
    Some(Signature { inputs: side("inputs")?, outputs: side("outputs")? })
}

fn tensor(at: usize, spec: Spec) -> Option<TensorSpec> {
    let name = spec.name.unwrap_or_else(|| at.to_string());
    let (datatype, shape) = match spec.tensor {
        Some(tensor) => (datatype(&tensor.dtype)?, tensor.shape),
        // A column has a value a row.
        None => (datatype(&spec.kind)?, vec![-1]),
    };
    Some(TensorSpec { name, datatype: datatype.to_owned(), shape })
}

/// Names of types: those of arrays and those of columns.
fn datatype(name: &str) -> Option<&'static str> {
    Some(match name {
        "float16" => "FP16",
        "float32" | "float" => "FP32",
        "float64" | "double" => "FP64",
        "int8" => "INT8",
        "int16" => "INT16",
        "int32" | "integer" => "INT32",
        "int64" | "long" => "INT64",
        "uint8" => "UINT8",
        "uint16" => "UINT16",
        "uint32" => "UINT32",
        "uint64" => "UINT64",
        "bool" | "boolean" => "BOOL",
        "str" | "string" | "object" | "binary" | "datetime" => "BYTES",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_and_columns_become_a_signature() {
        let text = "flavors: {}\nsignature:\n  inputs: '[{\"name\": \"x\", \"type\": \"tensor\", \"tensor-spec\": \
                    {\"dtype\": \"float32\", \"shape\": [-1, 4]}}]'\n  outputs: '[{\"type\": \"double\", \"required\": \
                    true}]'\n  params: null\nutc_time_created: '2026-11-24'\n";
        let read = read(text).unwrap();
        assert_eq!(read.inputs[0].to_string(), "x: FP32[?, 4]");
        assert_eq!(read.outputs[0].to_string(), "0: FP64[?]");
    }

    #[test]
    fn what_is_not_understood_is_no_signature() {
        for text in [
            "",
            "signature: null",
            "signature: {inputs: '[{}]', outputs: '[]'}",
            "a: [",
            "signature: {inputs: '[]'}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

//! Golden cases: known inputs with the outputs that the model must give, in the Open Inference Protocol's
//! tensor form (v2). They prove that the bytes compute what their authors saw, before any traffic.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    schema::Document,
    units::{ByteSize, Duration},
    validation::{GoldenCase, GoldenReport},
};

/// A file of golden cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoldenCases {
    /// The cases; at least one.
    pub cases: Vec<Case>,
}

/// One request and the answer it must get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// What people call it.
    pub name: String,
    /// All inputs of the model.
    pub inputs: Vec<Tensor>,
    /// The outputs to compare; outputs that are not listed are not compared.
    pub expected: Vec<Tensor>,
}

/// A tensor of the Open Inference Protocol v2: flat data in row-major order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tensor {
    /// Name of the input or output.
    pub name: String,
    /// `FP32`, `FP64`, `INT64`, `BOOL`, `BYTES`, ...
    pub datatype: String,
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// As many values as the product of `shape`; `null` in floating-point data is NaN.
    pub data: Vec<Value>,
}

/// How far numbers may be apart: `|a - b| <= absolute + relative * |b|`, as numpy's `allclose` has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tolerance {
    /// Absolute part.
    pub absolute: f64,
    /// Part relative to the expected value.
    pub relative: f64,
}

impl Document for GoldenCases {
    const SCHEMA: &'static str = "tagship/golden/v1";
}

/// Largest document that whoever asks for golden cases to be run, and the process that runs them, read; in bytes.
pub const MAX_GOLDEN_DOCUMENT: u64 = 64 << 20;

/// What a process that runs golden cases is to do, and within which bounds.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct GoldenRequest {
    /// The model's file, or the directory that holds it.
    pub model: PathBuf,
    /// The cases.
    pub cases: GoldenCases,
    /// How far answers may be from the expected ones.
    pub tolerance: Tolerance,
    /// How long the model may take for one case.
    pub max_latency: Option<Duration>,
    /// Address space of the process.
    pub memory: ByteSize,
    /// CPU time of the process.
    pub cpu_time: Duration,
}

impl Document for GoldenRequest {
    const SCHEMA: &'static str = "tagship/golden-request/v1";
}

/// What came of a [`GoldenRequest`].
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GoldenAnswer {
    /// One entry per case, or why there is none.
    pub report: GoldenReport,
}

impl Document for GoldenAnswer {
    const SCHEMA: &'static str = "tagship/golden-answer/v1";
}

/// What comparing two answers gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// Everything within tolerance; the largest absolute difference of floating-point values, where there are any.
    Equal(Option<f64>),
    /// The first difference, as a sentence.
    Different(String),
}

/// Judges one case: by the answer, or the failure to get one, and by the time it took in milliseconds.
pub fn judge(
    case: &Case,
    answer: Result<&[Tensor], String>,
    latency_ms: f64,
    tolerance: Tolerance,
    max_latency: Option<Duration>,
) -> GoldenCase {
    let too_slow = max_latency.filter(|limit| latency_ms > limit.as_secs_f64() * 1000.0);
    let (max_difference, message) = match answer.map(|outputs| compare(&case.expected, outputs, tolerance)) {
        Err(message) | Ok(Comparison::Different(message)) => (None, Some(message)),
        Ok(Comparison::Equal(difference)) => {
            (difference, too_slow.map(|limit| format!("took {latency_ms:.1} ms, the limit is {limit}")))
        }
    };
    GoldenCase { name: case.name.clone(), passed: message.is_none(), max_difference, latency_ms, message }
}

/// Compares an answer with what was expected. Floating-point data within `tolerance`, everything else exactly.
/// A NaN equals only a NaN.
pub fn compare(expected: &[Tensor], actual: &[Tensor], tolerance: Tolerance) -> Comparison {
    let mut largest: Option<f64> = None;
    for want in expected {
        let Some(got) = actual.iter().find(|tensor| tensor.name == want.name) else {
            return Comparison::Different(format!("the answer has no output {:?}", want.name));
        };
        match compare_tensor(want, got, tolerance) {
            Comparison::Equal(difference) => largest = largest.into_iter().chain(difference).reduce(f64::max),
            different @ Comparison::Different(_) => return different,
        }
    }
    if expected.is_empty() {
        return Comparison::Different("the case expects no output, so it proves nothing".to_owned());
    }
    Comparison::Equal(largest)
}

fn compare_tensor(want: &Tensor, got: &Tensor, tolerance: Tolerance) -> Comparison {
    let different = |text: String| Comparison::Different(format!("output {:?}: {text}", want.name));
    if want.datatype != got.datatype {
        return different(format!("type is {}, expected {}", got.datatype, want.datatype));
    }
    if want.shape != got.shape || want.data.len() != got.data.len() {
        return different(format!("shape is {:?}, expected {:?}", got.shape, want.shape));
    }
    if want.data.len() != want.shape.iter().product::<usize>() {
        return different(format!("{} values do not fill shape {:?}", want.data.len(), want.shape));
    }
    if !want.datatype.starts_with("FP") && want.datatype != "BF16" {
        return match want.data.iter().zip(&got.data).position(|(a, b)| a != b) {
            Some(at) => different(format!("value {at} is {}, expected {}", got.data[at], want.data[at])),
            None => Comparison::Equal(None),
        };
    }
    let mut largest = 0.0_f64;
    for (at, (a, b)) in want.data.iter().zip(&got.data).enumerate() {
        let (Some(a), Some(b)) = (float(a), float(b)) else {
            return different(format!("value {at} is {b}, expected {a}"));
        };
        if a.is_nan() && b.is_nan() {
            continue;
        }
        let difference = (a - b).abs();
        if difference.is_nan() || difference > tolerance.absolute + tolerance.relative * a.abs() {
            return different(format!("value {at} is {b}, expected {a}"));
        }
        largest = largest.max(difference);
    }
    Comparison::Equal(Some(largest))
}

fn float(value: &Value) -> Option<f64> {
    if value.is_null() { Some(f64::NAN) } else { value.as_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(datatype: &str, data: Vec<Value>) -> Tensor {
        Tensor { name: "y".to_owned(), datatype: datatype.to_owned(), shape: vec![data.len()], data }
    }

    const TOLERANCE: Tolerance = Tolerance { absolute: 1e-3, relative: 0.0 };

    #[test]
    fn floats_within_tolerance_are_equal() {
        let want = [tensor("FP32", vec![1.0.into(), Value::Null])];
        let near = [tensor("FP32", vec![1.0005.into(), Value::Null])];
        assert!(matches!(compare(&want, &near, TOLERANCE), Comparison::Equal(Some(d)) if d > 0.0));
        let far = [tensor("FP32", vec![1.01.into(), Value::Null])];
        assert!(matches!(compare(&want, &far, TOLERANCE), Comparison::Different(_)));
        let nan = [tensor("FP32", vec![Value::Null, Value::Null])];
        assert!(matches!(compare(&want, &nan, TOLERANCE), Comparison::Different(_)));
    }

    #[test]
    fn labels_must_be_equal_and_something_must_be_expected() {
        let want = [tensor("INT64", vec![1.into()])];
        assert_eq!(compare(&want, &want, TOLERANCE), Comparison::Equal(None));
        let other = [tensor("INT64", vec![0.into()])];
        assert!(matches!(compare(&want, &other, TOLERANCE), Comparison::Different(_)));
        assert!(matches!(compare(&[], &want, TOLERANCE), Comparison::Different(_)));
        assert!(matches!(compare(&want, &[], TOLERANCE), Comparison::Different(_)));
    }
}

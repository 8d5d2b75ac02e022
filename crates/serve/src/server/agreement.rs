//! Whether two versions said the same to one request.
//!
//! Where both predict labels, the labels decide: scores of different versions always differ somewhere. Otherwise all
//! outputs must be the same by name, and numbers with a fraction near each other.

use super::predictions::label_output;
use crate::engine::{Tensor, TensorData};

/// How far apart two numbers may be, relative to the larger one.
const RELATIVE: f64 = 0.01;
/// How far apart two numbers near zero may be.
const ABSOLUTE: f64 = 1e-6;

/// Whether two answers to one request agree.
pub(super) fn agree(one: &[Tensor], other: &[Tensor]) -> bool {
    if let (Some(one), Some(other)) = (label_output(one), label_output(other)) {
        return same(one.data(), other.data());
    }
    let has_same = |tensor: &Tensor| {
        let found = other.iter().find(|other| other.name() == tensor.name());
        found.is_some_and(|other| other.shape() == tensor.shape() && same(tensor.data(), other.data()))
    };
    one.len() == other.len() && one.iter().all(has_same)
}

fn same(one: &TensorData, other: &TensorData) -> bool {
    match (fractions(one), fractions(other)) {
        (Some(one), Some(other)) => {
            one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| is_near(*one, *other))
        }
        (None, None) => match (wholes(one), wholes(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        _ => false,
    }
}

#[allow(clippy::float_cmp, reason = "equal infinities have no difference")]
fn is_near(one: f64, other: f64) -> bool {
    one == other
        || one.is_nan() && other.is_nan()
        || (one - other).abs() <= ABSOLUTE.max(RELATIVE * one.abs().max(other.abs()))
            && (one - other).is_finite()
}

fn fractions(data: &TensorData) -> Option<Vec<f64>> {
    match data {
        TensorData::Fp32(values) => Some(values.iter().copied().map(f64::from).collect()),
        TensorData::Fp64(values) => Some(values.clone()),
        _ => None,
    }
}

/// Whole numbers of any width: a new version may use another.
fn wholes(data: &TensorData) -> Option<Vec<i128>> {
    fn widened<T: Copy + Into<i128>>(values: &[T]) -> Vec<i128> {
        values.iter().copied().map(Into::into).collect()
    }

    match data {
        TensorData::Uint8(values) => Some(widened(values)),
        TensorData::Uint16(values) => Some(widened(values)),
        TensorData::Uint32(values) => Some(widened(values)),
        TensorData::Uint64(values) => Some(widened(values)),
        TensorData::Int8(values) => Some(widened(values)),
        TensorData::Int16(values) => Some(widened(values)),
        TensorData::Int32(values) => Some(widened(values)),
        TensorData::Int64(values) => Some(widened(values)),
        TensorData::Bool(_) | TensorData::Bytes(_) | TensorData::Fp32(_) | TensorData::Fp64(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, data: TensorData) -> Tensor {
        Tensor::new(name, vec![data.len()], data).unwrap()
    }

    fn scores(values: &[f32]) -> Tensor {
        tensor("score", TensorData::Fp32(values.to_vec()))
    }

    #[test]
    fn labels_decide_where_there_are_some() {
        let label = |label: i64| tensor("label", TensorData::Int64(vec![label]));
        assert!(agree(&[label(1), scores(&[0.2])], &[label(1), scores(&[0.9])]));
        assert!(!agree(&[label(1_000_000), scores(&[0.2])], &[label(1_000_001), scores(&[0.2])]));
        let narrow = tensor("label", TensorData::Int32(vec![1]));
        assert!(agree(&[label(1)], &[narrow]), "the same number in another width");
        let text = |text: &str| tensor("label", TensorData::Bytes(vec![text.to_owned()]));
        assert!(agree(&[text("a")], &[text("a")]) && !agree(&[text("a")], &[text("b")]));
        assert!(!agree(&[text("1")], &[label(1)]));
    }

    #[test]
    fn numbers_need_only_be_near() {
        assert!(agree(&[scores(&[100.0, 0.0])], &[scores(&[100.9, 1e-7])]));
        assert!(!agree(&[scores(&[100.0])], &[scores(&[102.0])]));
        assert!(!agree(&[scores(&[1.0])], &[scores(&[1.0, 1.0])]));
        assert!(!agree(&[scores(&[1.0])], &[tensor("other", TensorData::Fp32(vec![1.0]))]));
        assert!(agree(&[scores(&[1.0])], &[tensor("score", TensorData::Fp64(vec![1.0]))]));
    }

    #[test]
    fn infinite_and_absent_numbers_agree_with_their_like_only() {
        let (nan, infinite) = (f32::NAN, f32::INFINITY);
        assert!(agree(&[scores(&[nan, infinite])], &[scores(&[nan, infinite])]));
        for other in [1.0, nan, -infinite] {
            assert!(!agree(&[scores(&[infinite])], &[scores(&[other])]), "{other}");
        }
        assert!(!agree(&[scores(&[nan])], &[scores(&[0.0])]));
    }
}

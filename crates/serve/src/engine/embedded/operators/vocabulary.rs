//! Known values and their numbers: what every encoder of `ai.onnx.ml` looks up.

use std::{collections::HashMap, hash::Hash};

use tract_onnx::tract_hir::internal::{Tensor, TractResult};

/// Known values in their order, of one of the types that encoders take.
#[derive(Debug)]
pub(super) enum Vocabulary {
    Texts(HashMap<String, usize>),
    Numbers(HashMap<i64, usize>),
    /// By bit pattern, so that NaN can find NaN; both zeros are one value.
    Floats(HashMap<u32, usize>),
}

impl Vocabulary {
    pub(super) fn texts(keys: impl IntoIterator<Item = String>) -> Self {
        Self::Texts(numbered(keys))
    }

    pub(super) fn numbers(keys: &[i64]) -> Self {
        Self::Numbers(numbered(keys.iter().copied()))
    }

    /// `nan` tells whether a NaN among the keys is found by NaN, or by nothing.
    pub(super) fn floats(keys: &[f32], nan: bool) -> Self {
        let mut known = numbered(keys.iter().map(|&key| bits(key)));
        if !nan {
            known.remove(&bits(f32::NAN));
        }
        Self::Floats(known)
    }

    /// The number of every value of `input`, `None` where it is unknown.
    pub(super) fn find(&self, input: &Tensor) -> TractResult<Vec<Option<usize>>> {
        Ok(match self {
            Self::Texts(known) => {
                let texts = input.try_as_plain_ram()?;
                texts.as_slice::<String>()?.iter().map(|text| known.get(text).copied()).collect()
            }
            Self::Numbers(known) => {
                // tract's own symbolic integers, and floats by truncation as the specification has it.
                let numbers = input.cast_to::<i64>()?;
                let numbers = numbers.try_as_plain_ram()?;
                numbers.as_slice::<i64>()?.iter().map(|number| known.get(number).copied()).collect()
            }
            Self::Floats(known) => {
                let floats = input.cast_to::<f32>()?;
                let floats = floats.try_as_plain_ram()?;
                floats.as_slice::<f32>()?.iter().map(|&float| known.get(&bits(float)).copied()).collect()
            }
        })
    }
}

/// Keys with their positions; the first of equal keys counts.
fn numbered<K: Hash + Eq>(keys: impl IntoIterator<Item = K>) -> HashMap<K, usize> {
    let mut known = HashMap::new();
    for (at, key) in keys.into_iter().enumerate() {
        known.entry(key).or_insert(at);
    }
    known
}

fn bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}

//! Samples the weights of a model for values that are no numbers.
//!
//! Minus infinity is left alone: attention masks are made of it.

use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// One piece of this many bytes is looked at in each stretch. Both are multiples of every element's size.
const SAMPLE: u64 = 4096;
const STRETCH: u64 = 1 << 20;

/// Floating-point types whose values can be read without a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Float {
    F16,
    Bf16,
    F32,
    F64,
}

impl Float {
    fn width(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Sign bit, and all bits of the exponent.
    fn masks(self) -> (u64, u64) {
        match self {
            Self::F16 => (1 << 15, 0x7c00),
            Self::Bf16 => (1 << 15, 0x7f80),
            Self::F32 => (1 << 31, 0x7f80_0000),
            Self::F64 => (1 << 63, 0x7ff0_0000_0000_0000),
        }
    }

    /// Whether a value, as little-endian bytes, is NaN or plus infinity.
    fn is_bad(self, bytes: &[u8]) -> bool {
        let bits = bytes.iter().rev().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        let (sign, exponent) = self.masks();
        bits & exponent == exponent && bits != sign | exponent
    }
}

/// Passes over the data of a tensor and looks at samples of it.
pub(crate) fn sample(
    stream: &mut Stream<'_>,
    length: u64,
    float: Option<Float>,
    name: &str,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let Some(float) = float else { return stream.skip(length) };
    let mut left = length;
    let mut kept = Vec::new();
    while left > 0 {
        let start = stream.position();
        let stretch = left.min(STRETCH);
        kept.clear();
        stream.take(stretch, usize::try_from(SAMPLE.min(stretch)).unwrap_or(0), &mut kept)?;
        if let Some(at) = kept.chunks_exact(float.width()).position(|value| float.is_bad(value)) {
            let offset = start + (at * float.width()) as u64;
            findings.about(&rules::NON_FINITE, Some(offset), name, "a weight is NaN or infinite");
            return stream.skip(left - stretch);
        }
        left -= stretch;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nan_and_plus_infinity_are_bad() {
        for (float, bad, good) in [
            (
                Float::F32,
                vec![f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()],
                vec![f32::NEG_INFINITY.to_le_bytes(), f32::MAX.to_le_bytes(), 0f32.to_le_bytes()],
            ),
            (Float::F16, vec![[0, 0x7c, 0, 0], [1, 0xfe, 0, 0]], vec![[0, 0xfc, 0, 0], [0xff, 0x7b, 0, 0]]),
            (Float::Bf16, vec![[0x80, 0x7f, 0, 0], [0xc0, 0xff, 0, 0]], vec![[0x80, 0xff, 0, 0]]),
        ] {
            let width = float.width();
            assert!(bad.iter().all(|value| float.is_bad(&value[..width])), "{float:?}");
            assert!(!good.iter().any(|value| float.is_bad(&value[..width])), "{float:?}");
        }
        assert!(Float::F64.is_bad(&f64::NAN.to_le_bytes()) && !Float::F64.is_bad(&1f64.to_le_bytes()));
    }
}

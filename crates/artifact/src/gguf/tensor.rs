//! The table of tensors.

use std::collections::HashSet;

use super::{reader::Reader, types};
use crate::{rules, stream::Stop, weights::Float};

/// Axes of a tensor in ggml.
const MAX_AXES: u64 = 4;

/// Where a tensor's data lies, counted from the start of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) begin: u64,
    pub(super) length: u64,
    pub(super) float: Option<Float>,
}

/// Reads the whole table; the tensors whose place is known.
pub(super) fn read_all(reader: &mut Reader<'_, '_>, count: u64, alignment: u64) -> Result<Vec<Tensor>, Stop> {
    let mut tensors = Vec::new();
    let mut seen = HashSet::new();
    let mut unknown = false;
    for _ in 0..count {
        let at = reader.stream.position();
        let name = reader.name(&rules::GGUF_TENSOR)?;
        if !seen.insert(name.clone()) {
            reader.findings.about(&rules::GGUF_TENSOR, Some(at), &name, "this tensor is in the table twice");
        }
        match read(reader, name, alignment)? {
            Some(tensor) => tensors.push(tensor),
            None => unknown = true,
        }
    }
    // Without the size of one, what lies where is not known of any.
    if unknown { Err(Stop::Reported) } else { Ok(tensors) }
}

fn read(reader: &mut Reader<'_, '_>, name: String, alignment: u64) -> Result<Option<Tensor>, Stop> {
    let at = reader.stream.position();
    let axes = reader.number(4)?;
    if axes > MAX_AXES {
        return Err(
            reader.fail(&rules::GGUF_TENSOR, format!("a tensor with {axes} axes; ggml has {MAX_AXES}"))
        );
    }
    let mut shape = Vec::new();
    for _ in 0..axes {
        shape.push(reader.length()?);
    }
    let kind = reader.number(4)?;
    let begin = reader.number(8)?;
    let Some((per_block, block)) = types::block(kind) else {
        let rule = if kind > types::LAST && kind < 256 { &rules::GGUF_TYPE } else { &rules::GGUF_TENSOR };
        reader.findings.about(rule, Some(at), &name, format!("its type {kind} is not known"));
        return Ok(None);
    };
    let elements = shape.iter().try_fold(1u128, |n, size| n.checked_mul(u128::from(*size)));
    let counted = elements.and_then(|elements| u64::try_from(elements).ok());
    reader.findings.facts.tensor(&types::name(kind), counted);
    let row = shape.first().copied().unwrap_or(1);
    let length = elements
        .filter(|_| row.is_multiple_of(per_block))
        .and_then(|elements| (elements / u128::from(per_block)).checked_mul(u128::from(block)))
        .and_then(|length| u64::try_from(length).ok());
    let Some(length) = length else {
        let message = format!("shape {shape:?} does not fit its type {kind}");
        reader.findings.about(&rules::GGUF_TENSOR, Some(at), &name, message);
        return Ok(None);
    };
    if !begin.is_multiple_of(alignment) {
        let message = format!("its data begins at {begin}, which is no multiple of {alignment}");
        reader.findings.about(&rules::GGUF_LAYOUT, Some(at), &name, message);
    }
    Ok(Some(Tensor { name, begin, length, float: types::float(kind) }))
}

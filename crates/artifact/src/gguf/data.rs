//! The data behind the table: every tensor in the file, none over another, nothing in between but zeros.

use super::{reader::Reader, tensor::Tensor};
use crate::{rules, stream::Stop, weights};

pub(super) fn check(
    reader: &mut Reader<'_, '_>,
    mut tensors: Vec<Tensor>,
    alignment: u64,
) -> Result<(), Stop> {
    let table_end = reader.stream.position();
    // A file without tensors (a vocabulary) may end with its keys.
    if !tensors.is_empty() {
        let padding = table_end.next_multiple_of(alignment) - table_end;
        if padding > reader.stream.remaining() {
            return Err(Stop::Truncated(table_end));
        }
        gap(reader, padding, alignment)?;
    }
    let start = reader.stream.position();
    tensors.sort_by(|a, b| (a.begin, a.length, &a.name).cmp(&(b.begin, b.length, &b.name)));
    for tensor in &tensors {
        let here = reader.stream.position() - start;
        let end = tensor.begin.checked_add(tensor.length).and_then(|end| end.checked_add(start));
        if end.is_none_or(|end| end > reader.stream.size()) {
            let message = format!("its {} bytes at {} reach beyond the file", tensor.length, tensor.begin);
            reader.findings.about(&rules::GGUF_LAYOUT, Some(start), &tensor.name, message);
            return Err(Stop::Truncated(start.saturating_add(tensor.begin)));
        }
        let Some(before) = tensor.begin.checked_sub(here) else {
            let message = format!("its data at {} lies inside another tensor's", tensor.begin);
            reader.findings.about(&rules::GGUF_LAYOUT, Some(start), &tensor.name, message);
            return Err(Stop::Reported);
        };
        gap(reader, before, alignment)?;
        let float = tensor.float.filter(|_| reader.is_little_endian());
        weights::sample(reader.stream, tensor.length, float, &tensor.name, reader.findings)?;
    }
    let rest = reader.stream.remaining();
    gap(reader, rest, alignment)
}

/// Passes over bytes that may only fill up to an aligned place.
fn gap(reader: &mut Reader<'_, '_>, length: u64, alignment: u64) -> Result<(), Stop> {
    let at = reader.stream.position();
    let mut filling = Vec::new();
    reader.stream.take(length, usize::try_from(alignment).unwrap_or(0), &mut filling)?;
    if length >= alignment {
        reader.findings.at(&rules::GGUF_HIDDEN, at, format!("{length} bytes belong to no tensor"));
    } else if filling.iter().any(|byte| *byte != 0) {
        reader.findings.at(&rules::GGUF_HIDDEN, at, "the bytes up to the next tensor are not zero");
    }
    Ok(())
}

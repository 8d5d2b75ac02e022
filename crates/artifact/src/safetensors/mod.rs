//! safetensors: a length, a JSON header, and tensor bytes that the header's extents must tile exactly
//! (huggingface/safetensors, format description in its README).
//!
//! The tensor bytes themselves are hashed, and sampled for values that are no numbers.

mod header;
mod index;
#[cfg(test)]
mod tests;

use header::Header;
pub(crate) use index::check as check_index;

use crate::{
    findings::Findings,
    rules,
    stream::{Section, Stop, Stream},
    weights::{self, Float},
};

/// Largest header that the format's own library reads.
const MAX_HEADER: u64 = 100_000_000;

/// Whether a head is one of this format: a length that is no text, and an opening brace.
pub(crate) fn recognise(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<8>() else { return false };
    rest.first() == Some(&b'{') && length.iter().any(|byte| !byte.is_ascii() || *byte == 0)
}

/// Judges a file; the names of its tensors.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<Vec<String>, Stop> {
    let length = match stream.little_endian(8) {
        Err(Stop::Truncated(_)) => {
            findings.at(&rules::ST_HEADER, 0, "the file is shorter than its header's length field");
            return Err(Stop::Reported);
        }
        length => length?,
    };
    if length > stream.remaining() {
        let left = stream.remaining();
        findings.at(&rules::ST_HEADER, 0, format!("the header claims {length} bytes, the file has {left}"));
        if length > MAX_HEADER {
            findings.at(&rules::ST_HEADER_BOMB, 0, format!("a header of {length} bytes"));
        }
        return Err(Stop::Reported);
    }
    if length > MAX_HEADER {
        findings.at(
            &rules::ST_HEADER_BOMB,
            0,
            format!("a header of {length} bytes; the limit is {MAX_HEADER}"),
        );
        return Err(Stop::Reported);
    }
    let mut header = Header::new(findings);
    let parsed = header.read(&mut Section::new(stream, length));
    let Header { tensors, names, .. } = header;
    if let Err(error) = parsed {
        if error.is_io() {
            return Err(Stop::Io(error.into()));
        }
        let at = 8 + u64::try_from(error.column()).unwrap_or(0);
        findings.at(&rules::ST_JSON, at, format!("the header is malformed: {error}"));
        return Err(Stop::Reported);
    }
    let mut tensors = tensors;
    tensors.sort_unstable_by_key(|extent| (extent.begin, extent.end, extent.name));
    check_tiling(&tensors, 8 + length, stream.remaining(), findings);
    sample(stream, &tensors, &names, findings)?;
    Ok(names)
}

/// Where a tensor's bytes lie, counted from the end of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    begin: u64,
    end: u64,
    /// Index of its name.
    name: usize,
    float: Option<Float>,
}

/// Looks at samples of the weights on the way through the data. Extents that do not follow each other are passed over.
fn sample(
    stream: &mut Stream<'_>,
    tensors: &[Extent],
    names: &[String],
    findings: &mut Findings,
) -> Result<(), Stop> {
    let data = stream.position();
    for tensor in tensors {
        let Some(before) = tensor.begin.checked_sub(stream.position() - data) else { continue };
        let length = tensor.end.saturating_sub(tensor.begin);
        if before.checked_add(length).is_none_or(|needed| needed > stream.remaining()) {
            // The missing bytes are a finding already.
            break;
        }
        stream.skip(before)?;
        let name = names.get(tensor.name).map_or("", String::as_str);
        weights::sample(stream, length, tensor.float, name, findings)?;
    }
    Ok(())
}

/// The extents, sorted, must cover the data once, without a gap.
fn check_tiling(extents: &[Extent], data: u64, available: u64, findings: &mut Findings) {
    let mut covered = 0;
    for extent in extents {
        if extent.begin > covered {
            let hole = extent.begin - covered;
            findings.at(
                &rules::ST_HOLE,
                data.saturating_add(covered),
                format!("{hole} bytes belong to no tensor"),
            );
        } else if extent.begin < covered {
            findings.at(
                &rules::ST_OVERLAP,
                data.saturating_add(extent.begin),
                "a tensor begins inside another",
            );
        }
        covered = covered.max(extent.end);
    }
    if covered > available {
        let missing = covered - available;
        findings.at(
            &rules::ST_TRUNCATED,
            data.saturating_add(available),
            format!("{missing} bytes of tensor data are missing"),
        );
    } else if covered < available {
        let extra = available - covered;
        findings.at(
            &rules::ST_TRAILING,
            data.saturating_add(covered),
            format!("{extra} bytes follow the last tensor"),
        );
    }
}

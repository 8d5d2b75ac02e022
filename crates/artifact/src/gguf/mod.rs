//! GGUF models (ggml's `docs/gguf.md`): a header, typed keys, a table of tensors, and their data in aligned places.
//!
//! Everything is read once from front to back. Counts and lengths are held against what is left of the file
//! before anything is reserved for them: llama.cpp's own reader was exploitable there (CVE-2024-21836 and others).

mod data;
mod reader;
mod tensor;
#[cfg(test)]
mod tests;
mod types;
mod value;

use reader::Reader;

use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// Keys and tensors that are followed; the largest models have some thousands.
const MAX_ENTRIES: u64 = 1 << 18;
/// Above this, a count is no damage but made to overflow a reader.
const BOMB: u64 = 1 << 32;

/// Judges a file.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut reader = Reader::start(stream, findings)?;
    let tensors = reader.length()?;
    let keys = reader.length()?;
    // The smallest key is an empty name, a type and one byte; the smallest tensor has no axis.
    reader.expect("tensors", tensors, reader.length_width() + 4 + 4 + 8)?;
    reader.expect("keys", keys, reader.length_width() + 4 + 1)?;
    if tensors > MAX_ENTRIES || keys > MAX_ENTRIES {
        return Err(
            reader.fail(&rules::GGUF_LIMIT, format!("{keys} keys and {tensors} tensors are declared"))
        );
    }
    let alignment = value::read_all(&mut reader, keys)?;
    let tensors = tensor::read_all(&mut reader, tensors, alignment)?;
    data::check(&mut reader, tensors, alignment)
}

//! PyTorch's format before 1.6: five pickles in a row, then the storages.
//!
//! The pickles are a magic number, a protocol number, a dict about the machine, the object, and the list of storage keys; of
//! each key follow the number of elements (i64) and their bytes, in the order of that list (`_legacy_save`). All but the
//! object must be plain data, and nothing may follow.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::{
    findings::Findings,
    pickle::{self, Dialect, Storage, Trust},
    rules,
    stream::{Stop, Stream},
};

/// The magic number and the protocol number, each as a pickle of protocol 2; the writer uses 2 unless told otherwise.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
const PROTOCOL: &[u8] = b"\x80\x02M\xe9\x03.";
/// The magic number itself, as a pickle carries it.
const NUMBER: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19";
/// Storages that are followed.
const MAX_KEYS: usize = 1_000_000;

/// Whether a head is one of this format: by its magic number, or by what follows one that is damaged.
pub(crate) fn recognise(head: &[u8]) -> bool {
    let damaged = head.starts_with(b"\x80\x02\x8a\x0a")
        && head.get(MAGIC.len() - 1..).is_some_and(|rest| rest.starts_with(&[b".", PROTOCOL].concat()));
    let later = matches!(head, [0x80, 3..=5, ..]);
    let framed =
        later && head.get(2..32).is_some_and(|rest| rest.windows(NUMBER.len()).any(|at| at == NUMBER));
    head.starts_with(MAGIC) || damaged || framed
}

/// Judges a file from its first byte to its last.
pub(crate) fn scan(stream: &mut Stream<'_>, trust: Trust<'_>, findings: &mut Findings) -> Result<(), Stop> {
    if !stream.head()?.windows(NUMBER.len()).take(32).any(|at| at == NUMBER) {
        findings.whole(&rules::TORCH_LAYOUT, "the magic number at the start of the file is damaged");
    }
    for what in ["magic number", "protocol number", "description of the machine"] {
        let outcome = pickle::scan_one(Dialect::Plain, trust, stream, findings)?;
        if outcome.globals > 0 {
            findings.whole(&rules::LEGACY_EXTRA, format!("the {what} is more than plain data"));
        }
    }
    let outcome = pickle::scan_one(Dialect::Torch, trust, stream, findings)?;
    let start = stream.position();
    let Some(keys) = keys(stream)? else {
        findings.at(&rules::TORCH_LAYOUT, start, "the list of storages is no plain list of texts");
        return Ok(());
    };
    check_keys(&keys, &outcome.storages, findings);
    let known: HashMap<&str, &Storage> =
        outcome.storages.iter().map(|storage| (storage.key.as_str(), storage)).collect();
    for key in &keys {
        if !storage(key, known.get(key.as_str()).copied(), stream, findings)? {
            return Ok(());
        }
    }
    if stream.peek()?.is_some() {
        let at = stream.position();
        findings.at(&rules::LEGACY_EXTRA, at, "bytes follow the last storage");
    }
    Ok(())
}

fn check_keys(keys: &[String], storages: &[Storage], findings: &mut Findings) {
    let listed: HashSet<&str> = keys.iter().map(String::as_str).collect();
    for storage in storages.iter().filter(|storage| !listed.contains(storage.key.as_str())) {
        let message = "the model needs this storage, and the file does not list it";
        findings.about(&rules::STORAGE_MISSING, None, &storage.key, message);
    }
    if keys.len() > storages.len() {
        findings.whole(&rules::LEGACY_EXTRA, "the file lists storages that the model does not need");
    }
}

/// One storage: its number of elements and their bytes. Whether the next one can be found.
fn storage(
    key: &str,
    known: Option<&Storage>,
    stream: &mut Stream<'_>,
    findings: &mut Findings,
) -> Result<bool, Stop> {
    let start = stream.position();
    let count = stream.little_endian(8)?;
    let Some(known) = known else {
        let message = "a storage of unknown type, so what follows cannot be told";
        findings.about(&rules::TORCH_LAYOUT, Some(start), key, message);
        return Ok(false);
    };
    if known.count.is_some_and(|told| told != count) {
        let told = known.count.unwrap_or(0);
        let message = format!("the model says {told} elements, the storage has {count}");
        findings.about(&rules::STORAGE_SIZE, Some(start), key, message);
    }
    let size = count.checked_mul(known.width).filter(|size| *size <= stream.remaining());
    let Some(size) = size else {
        findings.about(&rules::STORAGE_SIZE, Some(start), key, "the file ends in the middle of this storage");
        return Ok(false);
    };
    let mut head = Vec::new();
    stream.take(size, 64 * 1024, &mut head)?;
    if pickle::runs(&head) {
        let message = "the bytes of this storage are a pickle that reaches a global";
        findings.about(&rules::STORAGE_RUNS, Some(start), key, message);
    }
    Ok(true)
}

/// The pickled list of keys, by the few opcodes that any protocol writes for one; `None` where it is anything else.
fn keys(stream: &mut Stream<'_>) -> Result<Option<Vec<String>>, Stop> {
    let mut keys = Vec::new();
    let mut opcodes = 0u64;
    let mut frame = None;
    loop {
        let at = stream.position();
        let opcode = stream.u8()?;
        opcodes += 1;
        let length = match opcode {
            0x80 if opcodes == 1 => {
                stream.skip(1)?;
                continue;
            }
            // A reader may take a frame as a whole: each must end where the next one begins, or the list does.
            0x95 if frame.is_none_or(|end| end == at) => {
                let length = stream.little_endian(8)?;
                frame = stream.position().checked_add(length);
                if frame.is_none() {
                    return Ok(None);
                }
                continue;
            }
            b']' | b'(' | b'e' | b'a' | 0x94 => continue,
            b'q' => {
                stream.skip(1)?;
                continue;
            }
            b'r' => {
                stream.skip(4)?;
                continue;
            }
            b'X' => stream.little_endian(4)?,
            b'U' | 0x8c => stream.little_endian(1)?,
            b'.' => return Ok(frame.is_none_or(|end| end == at + 1).then_some(keys)),
            _ => return Ok(None),
        };
        let mut text = Vec::new();
        if length > 256 || keys.len() >= MAX_KEYS {
            return Ok(None);
        }
        stream.take(length, 256, &mut text)?;
        let Ok(text) = String::from_utf8(text) else { return Ok(None) };
        keys.push(text);
    }
}

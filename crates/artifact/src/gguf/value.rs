//! The keys of a file with their typed values. Only the alignment and templates are looked at.

use std::collections::HashSet;

use super::reader::Reader;
use crate::{jinja, rules, stream::Stop};

/// Where tensors begin unless a key says otherwise.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Largest alignment that has a use.
const MAX_ALIGNMENT: u64 = 1 << 16;
/// Arrays inside each other. Writers make one level.
const MAX_NESTING: usize = 16;

const TEXT: u64 = 8;
const ARRAY: u64 = 9;

/// Bytes of a plain value of a type.
fn width(kind: u64) -> Option<usize> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// Reads all keys; the alignment of the data.
pub(super) fn read_all(reader: &mut Reader<'_, '_>, keys: u64) -> Result<u64, Stop> {
    let mut alignment = DEFAULT_ALIGNMENT;
    let mut seen = HashSet::new();
    for _ in 0..keys {
        let at = reader.stream.position();
        let key = reader.name(&rules::GGUF_KEY)?;
        if key.ends_with("auto_map") {
            reader.findings.about(
                &rules::GGUF_CODE_KEY,
                Some(at),
                &key,
                "this key refers to code beside the model",
            );
        }
        if let Some(number) = value(reader, &key)?
            && key == "general.alignment"
        {
            if !number.is_power_of_two() || number > MAX_ALIGNMENT {
                return Err(reader.fail(&rules::GGUF_HEADER, format!("an alignment of {number} bytes")));
            }
            alignment = number;
        }
        if !seen.insert(key.clone()) {
            reader.findings.about(&rules::GGUF_KEY, Some(at), &key, "this key is in the file twice");
        }
    }
    Ok(alignment)
}

/// Reads a value; the number where it is one.
fn value(reader: &mut Reader<'_, '_>, key: &str) -> Result<Option<u64>, Stop> {
    match reader.number(4)? {
        TEXT => text(reader, key, true).map(|()| None),
        ARRAY => array(reader, key).map(|()| None),
        kind => plain(reader, kind).map(Some),
    }
}

fn plain(reader: &mut Reader<'_, '_>, kind: u64) -> Result<u64, Stop> {
    let Some(width) = width(kind) else {
        return Err(reader.fail(&rules::GGUF_KEY, format!("value type {kind} does not exist")));
    };
    let number = reader.number(width)?;
    if kind == 7 && number > 1 {
        return Err(reader.fail(&rules::GGUF_KEY, format!("{number} is neither true nor false")));
    }
    Ok(number)
}

/// Reads a text. One that is a value by itself is judged wherever it reads as a template, whatever its key; the
/// elements of an array (tokens) only under a template's key.
fn text(reader: &mut Reader<'_, '_>, key: &str, single: bool) -> Result<(), Stop> {
    let at = reader.stream.position();
    let named = key.contains("chat_template");
    let (bytes, _) = reader.bytes(if named || single { jinja::MAX_TEMPLATE } else { 0 })?;
    let template = String::from_utf8_lossy(&bytes);
    match key {
        "general.license" => reader.findings.facts.licence(&template),
        "general.architecture" => reader.findings.facts.state("architecture", &template),
        _ => {}
    }
    if named || (single && (template.contains("{{") || template.contains("{%"))) {
        jinja::check(&template, key, Some(at), reader.findings);
    }
    Ok(())
}

/// Reads an array, however deep, without recursion.
fn array(reader: &mut Reader<'_, '_>, key: &str) -> Result<(), Stop> {
    let mut open = vec![head(reader)?];
    while let Some((kind, left)) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        let kind = *kind;
        match width(kind) {
            Some(width) if kind != 7 => {
                // `head` has held count times width against the file.
                reader.stream.skip(*left * width as u64)?;
                open.pop();
            }
            _ => {
                *left -= 1;
                match kind {
                    TEXT => text(reader, key, false)?,
                    ARRAY if open.len() >= MAX_NESTING => {
                        let message = format!("arrays lie more than {MAX_NESTING} deep in each other");
                        return Err(reader.fail(&rules::GGUF_KEY, message));
                    }
                    ARRAY => open.push(head(reader)?),
                    kind => drop(plain(reader, kind)?),
                }
            }
        }
    }
    Ok(())
}

/// Type and count of an array, held against what is left of the file.
fn head(reader: &mut Reader<'_, '_>) -> Result<(u64, u64), Stop> {
    let kind = reader.number(4)?;
    let count = reader.length()?;
    let size = match kind {
        TEXT => reader.length_width(),
        ARRAY => 4 + reader.length_width(),
        kind => match width(kind) {
            Some(width) => width as u64,
            None => return Err(reader.fail(&rules::GGUF_KEY, format!("value type {kind} does not exist"))),
        },
    };
    reader.expect("elements of an array", count, size)?;
    Ok((kind, count))
}

//! The index of a checkpoint: which variable lies where in which data file.

use super::{
    table::{self, varint},
    tensor,
};
use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
    tree::{self, Tree},
};

/// Bytes of an index; the largest published ones have some megabytes.
const MAX_INDEX: u64 = 64 << 20;
const SUFFIX: &str = ".index";

/// Where a variable lies.
#[derive(Debug, Default)]
struct Entry {
    kind: u64,
    elements: Option<u64>,
    shard: u64,
    offset: u64,
    size: u64,
    sliced: bool,
}

/// Judges the index at `path` of `tree`; the data files that it names.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    tree: &dyn Tree,
    path: &str,
    findings: &mut Findings,
) -> Result<Vec<String>, Stop> {
    let size = stream.size();
    if size > MAX_INDEX {
        findings.whole(&rules::TF_LIMIT, format!("an index of {size} bytes; {MAX_INDEX} are followed"));
        return Ok(Vec::new());
    }
    let mut file = Vec::new();
    stream.take(size, usize::MAX, &mut file)?;
    let entries = match table::entries(&file) {
        Ok(entries) => entries,
        Err(why) => {
            findings.whole(&rules::TF_TABLE, format!("the index cannot be read: {why}"));
            return Ok(Vec::new());
        }
    };
    let mut ends = Vec::new();
    for (key, value) in &entries {
        let name = String::from_utf8_lossy(key);
        if key.is_empty() {
            let shards = shards(value).filter(|shards| (1..=100_000).contains(shards));
            let Some(shards) = shards else {
                findings.whole(&rules::TF_TABLE, "the index does not say how many data files there are");
                return Ok(Vec::new());
            };
            ends = vec![0u64; usize::try_from(shards).unwrap_or(0)];
            continue;
        }
        match entry(value) {
            Some(entry) => check(&entry, &name, &mut ends, findings),
            None => {
                findings.about(&rules::TF_TABLE, None, &name, "the place of this variable cannot be read");
            }
        }
    }
    if ends.is_empty() {
        findings.whole(&rules::TF_TABLE, "the index has no header");
    }
    Ok(data_files(path, &ends, tree, findings))
}

/// Holds a variable against its type and shape, and notes how far its data file must reach.
fn check(entry: &Entry, name: &str, ends: &mut [u64], findings: &mut Findings) {
    let end = entry.offset.checked_add(entry.size);
    let shard = usize::try_from(entry.shard).ok().and_then(|shard| ends.get_mut(shard));
    let (Some(end), Some(shard)) = (end, shard) else {
        findings.about(&rules::TF_TABLE, None, name, "this variable lies where no data file is");
        return;
    };
    *shard = (*shard).max(end);
    let wanted = tensor::width(entry.kind).zip(entry.elements).map(|(width, count)| width.checked_mul(count));
    if !entry.sliced && wanted.is_some_and(|wanted| wanted != Some(entry.size)) {
        let message = format!("{} bytes do not fit its type and shape", entry.size);
        findings.about(&rules::TF_TENSOR, None, name, message);
    }
}

/// The data files by their paths in the artifact.
fn data_files(path: &str, ends: &[u64], tree: &dyn Tree, findings: &mut Findings) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = name.strip_suffix(SUFFIX) else {
        findings.whole(&rules::TF_TABLE, "the file is an index, and its name does not say of what");
        return Vec::new();
    };
    let mut files = Vec::new();
    for (shard, end) in ends.iter().enumerate() {
        let name = format!("{stem}.data-{shard:05}-of-{:05}", ends.len());
        let Ok(file) = tree::beside(path, &name) else { continue };
        match tree.facts(&file) {
            Ok(facts) if facts.size >= *end => {}
            Ok(facts) => {
                let message = format!("the index needs {end} bytes of this file, which has {}", facts.size);
                findings.about(&rules::TF_SHARD, None, &name, message);
            }
            Err(_) => {
                findings.about(&rules::TF_SHARD, None, &name, "the index names this file, and it is missing");
            }
        }
        files.push(file);
    }
    files
}

/// Number of data files in the header.
fn shards(value: &[u8]) -> Option<u64> {
    let mut shards = None;
    fields(value, |number, value, _| {
        if number == 1 {
            shards = Some(value);
        }
    })?;
    shards
}

fn entry(value: &[u8]) -> Option<Entry> {
    let mut entry = Entry { elements: Some(1), ..Entry::default() };
    let mut sound = Some(());
    fields(value, |number, value, bytes| match number {
        1 => entry.kind = value,
        2 => {
            let dimensions = fields(bytes, |number, _, dimension| {
                if number == 2 {
                    let mut size = 0;
                    let read = fields(dimension, |number, value, _| {
                        if number == 1 {
                            size = value;
                        }
                    });
                    entry.elements = entry.elements.zip(read).and_then(|(count, ())| count.checked_mul(size));
                }
            });
            sound = sound.and(dimensions);
        }
        3 => entry.shard = value,
        4 => entry.offset = value,
        5 => entry.size = value,
        7 => entry.sliced = true,
        _ => {}
    })?;
    sound.map(|()| entry)
}

/// The fields of a message in memory: number, value, bytes. `None` where it is none.
fn fields(message: &[u8], mut each: impl FnMut(u64, u64, &[u8])) -> Option<()> {
    let mut at = 0;
    while at < message.len() {
        let tag = varint(message, &mut at)?;
        let (value, bytes) = match tag & 7 {
            0 => (varint(message, &mut at)?, &[][..]),
            2 => {
                let length = usize::try_from(varint(message, &mut at)?).ok()?;
                let bytes = message.get(at..at.checked_add(length)?)?;
                at += length;
                (length as u64, bytes)
            }
            5 => {
                message.get(at..at.checked_add(4)?)?;
                at += 4;
                (0, &[][..])
            }
            _ => return None,
        };
        each(tag >> 3, value, bytes);
    }
    Some(())
}

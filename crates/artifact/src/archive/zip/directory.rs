//! The directory at the end of a zip archive, found and read before the forward pass.

use std::io::{self, Read, Seek, SeekFrom};

use sha2::{Digest as _, Sha256};

use super::entry::{self, Entry};
use crate::pickle;

/// Signature of the record that ends an archive.
const END: &[u8] = b"PK\x05\x06";
/// Bytes of that record without its comment.
const END_SIZE: usize = 22;
/// Bytes of the pointer to the 64-bit end record, which stands right before the end record.
const LOCATOR_SIZE: usize = 20;
/// Bytes of the 64-bit end record.
const END64_SIZE: usize = 56;
/// Furthest from the end of the file at which readers look for the end record.
const TAIL: u64 = 65_557;
/// Largest directory that is held.
const MAX_DIRECTORY: u64 = 24 << 20;

/// What is wrong with the end of an archive, for a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The directory cannot be read: why.
    Broken(String),
    /// Another end record that some reader would take.
    SeveralEnds,
    /// Bytes after the end record and its comment, and where they begin.
    Trailing(u64),
    /// The two end records disagree.
    Disagree(String),
    /// More than is held.
    TooLarge,
}

/// The directory of an archive.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Entries in the order of the directory.
    pub(super) entries: Vec<Entry>,
    /// Where the directory begins in the file.
    pub(super) start: u64,
    /// Bytes in front of the archive: what is to be added to every offset in it.
    pub(super) prefix: i64,
    /// Hash of all bytes from the directory's first to the file's last, to hold the forward pass against.
    pub(super) hash: [u8; 32],
    pub(super) flaws: Vec<Flaw>,
}

/// The fields of the end records that matter.
struct End {
    count: u64,
    size: u64,
    offset: u64,
    /// Where the first end record begins.
    at: u64,
}

impl Directory {
    /// Reads the directory of an archive of `size` bytes; `None` where nothing at the end looks like one.
    pub(crate) fn read(reader: &mut (impl Read + Seek), size: u64) -> io::Result<Option<Self>> {
        let tail_size = size.min(TAIL + (LOCATOR_SIZE + END64_SIZE) as u64);
        let tail_start = size - tail_size;
        let tail = read_at(reader, tail_start, tail_size)?;
        // The last one that is there as a whole, as most readers take it; others give up at a shorter one behind it.
        let Some(at) = tail.windows(END_SIZE).rposition(|record| record.starts_with(END)) else {
            return Ok(None);
        };
        let record = &tail[at..at + END_SIZE];
        let mut flaws = Vec::new();
        if tail[at + END.len()..].windows(END.len()).any(|bytes| bytes == END) {
            flaws.push(Flaw::SeveralEnds);
        }
        let end = end(&tail, tail_start, at, record, &mut flaws);
        let after = tail_start + (at + END_SIZE) as u64 + number(record, 20, 2);
        if after > size {
            flaws.push(Flaw::Broken("the comment of the archive is longer than the file".to_owned()));
        } else if after < size {
            flaws.push(Flaw::Trailing(after));
        } else if !is_note(&tail[at + END_SIZE..]) {
            flaws.push(Flaw::Trailing(tail_start + (at + END_SIZE) as u64));
        }
        let ending = &tail[usize::try_from(end.at - tail_start).unwrap_or(0)..];
        let hash = Sha256::digest(ending).into();
        let mut directory = Self { entries: Vec::new(), start: end.at, prefix: 0, hash, flaws };
        let Some(start) = end.at.checked_sub(end.size) else {
            return Ok(directory.without("it would be longer than the file before it"));
        };
        directory.prefix = i64::try_from(start).unwrap_or(i64::MAX).wrapping_sub_unsigned(end.offset);
        if has_another(&tail, at, start.saturating_sub(tail_start)) {
            directory.flaws.push(Flaw::SeveralEnds);
        }
        if end.size > MAX_DIRECTORY {
            directory.flaws.push(Flaw::TooLarge);
            return Ok(Some(directory));
        }
        let bytes = read_at(reader, start, end.size)?;
        let entries = match entry::read_all(&bytes, directory.prefix) {
            Ok(entries) => entries,
            Err(why) => return Ok(directory.without(why)),
        };
        if entries.len() as u64 != end.count {
            let (told, counted) = (end.count, entries.len());
            let message = format!("the end record tells of {told} members, the directory lists {counted}");
            directory.flaws.push(Flaw::Disagree(message));
        }
        directory.entries = entries;
        directory.start = start;
        directory.hash = Sha256::new().chain_update(&bytes).chain_update(ending).finalize().into();
        Ok(Some(directory))
    }

    /// Names of all members, in the order of the directory.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// Where the first member begins, or the directory of an archive without any.
    pub(crate) fn begin(&self) -> u64 {
        self.entries.iter().map(|entry| entry.offset).fold(self.start, u64::min)
    }

    /// A directory that cannot be read: `None` where it was none at all, as four bytes anywhere can look like its end.
    fn without(mut self, why: &str) -> Option<Self> {
        let fits = !self.flaws.iter().any(|flaw| matches!(flaw, Flaw::Trailing(_) | Flaw::Broken(_)));
        self.flaws.push(Flaw::Broken(why.to_owned()));
        fits.then_some(self)
    }
}

/// Whether a reader could take another end record than the one at `at`: one that lies behind the beginning of the
/// directory, or one whose comment ends with the file. Those inside of members are those members' own.
fn has_another(tail: &[u8], at: usize, directory: u64) -> bool {
    (0..at).filter(|other| tail[*other..].starts_with(END)).any(|other| {
        let comment = usize::try_from(number(&tail[other..], 20, 2)).unwrap_or(0);
        other as u64 >= directory || other + END_SIZE + comment == tail.len()
    })
}

/// Whether the comment of an archive is a text for people.
fn is_note(comment: &[u8]) -> bool {
    let text = std::str::from_utf8(comment).unwrap_or("\0");
    !text.chars().any(|c| c.is_control() && !c.is_whitespace())
        && !pickle::executes(comment, comment.len() as u64)
}

/// Reads the end record at `at` of the tail and the 64-bit one before it, where there is one.
fn end(tail: &[u8], tail_start: u64, at: usize, record: &[u8], flaws: &mut Vec<Flaw>) -> End {
    let mut end = End {
        count: number(record, 10, 2),
        size: number(record, 12, 4),
        offset: number(record, 16, 4),
        at: tail_start + at as u64,
    };
    if number(record, 4, 2) != 0 || number(record, 6, 2) != 0 || number(record, 8, 2) != end.count {
        let large = [number(record, 4, 2), number(record, 6, 2)].contains(&0xffff);
        if !large {
            flaws.push(Flaw::Disagree("the archive says that it spans several disks".to_owned()));
        }
    }
    let located = at.checked_sub(LOCATOR_SIZE).filter(|at| tail[*at..].starts_with(b"PK\x06\x07"));
    let Some(locator) = located else { return end };
    let record64 = locator.checked_sub(END64_SIZE).filter(|at| tail[*at..].starts_with(b"PK\x06\x06"));
    let Some(record64) = record64 else {
        flaws.push(Flaw::Broken("the 64-bit end record is not where it must be".to_owned()));
        return end;
    };
    let bytes = &tail[record64..];
    let wide = End {
        count: number(bytes, 32, 8),
        size: number(bytes, 40, 8),
        offset: number(bytes, 48, 8),
        at: tail_start + record64 as u64,
    };
    let agrees = |short: u64, long: u64, none: u64| short == long || short == none;
    if !agrees(end.count, wide.count, 0xffff)
        || !agrees(end.size, wide.size, 0xffff_ffff)
        || !agrees(end.offset, wide.offset, 0xffff_ffff)
        || number(bytes, 24, 8) != wide.count
        || number(bytes, 4, 8) != END64_SIZE as u64 - 12
    {
        flaws.push(Flaw::Disagree("the two end records of the archive disagree".to_owned()));
    }
    // Some readers look for the 64-bit record here, others only where it stands.
    if number(&tail[locator..], 8, 8) != wide.at
        || number(&tail[locator..], 4, 4) != 0
        || number(&tail[locator..], 16, 4) > 1
    {
        let message =
            "the pointer to the 64-bit end record leads elsewhere; readers disagree on the directory";
        flaws.push(Flaw::Disagree(message.to_owned()));
    }
    end = wide;
    end
}

fn read_at(reader: &mut (impl Read + Seek), start: u64, length: u64) -> io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The little-endian number of `width` bytes at `at`; 0 where the bytes end before it.
pub(super) fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = bytes.get(at..at + width).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

//! What a member says of itself, in the directory and in its own header.

use super::directory::number;

/// Bytes of an entry of the directory before its name.
const ENTRY_SIZE: usize = 46;
/// Bytes of a member's own header before its name.
pub(super) const HEADER_SIZE: usize = 30;
/// Flags that change how bytes are read: encryption (0, 6), patches (5), encrypted directory (13). Bit 3, sizes after the
/// data, is followed; 1, 2 and 11 change nothing.
pub(super) const ENCRYPTED: u16 = 1 << 0 | 1 << 6 | 1 << 13;
/// Sizes and checksum stand after the data.
pub(super) const DESCRIPTOR: u16 = 1 << 3;
/// Bits of the flags that a model's writer uses.
const USUAL: u16 = 1 << 1 | 1 << 2 | DESCRIPTOR | 1 << 11;

/// A member as one of the two places describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The name as bytes, to compare exactly.
    pub(super) raw_name: Vec<u8>,
    /// Another name that an extra field gives it.
    pub(super) other_name: Option<String>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    /// Bytes in the archive.
    pub(super) packed: u64,
    /// Bytes of the member.
    pub(super) size: u64,
    /// Where its own header begins in the file; 0 in that header itself.
    pub(super) offset: u64,
    /// Unix mode, where it was written on Unix.
    pub(super) mode: u32,
    /// The sizes stand in a 64-bit extra field.
    pub(super) wide: bool,
}

impl Entry {
    /// Whether flags say something that no model's writer says.
    pub(super) fn is_odd(&self) -> bool {
        self.flags & !USUAL & !ENCRYPTED != 0
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0 || self.method == 99
    }
}

/// Reads all entries of a directory. `prefix` is added to their offsets.
pub(super) fn read_all(bytes: &[u8], prefix: i64) -> Result<Vec<Entry>, &'static str> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if !rest.starts_with(b"PK\x01\x02") || rest.len() < ENTRY_SIZE {
            return Err("an entry of it is broken");
        }
        let lengths = [number(rest, 28, 2), number(rest, 30, 2), number(rest, 32, 2)];
        let [name, extra, comment] = lengths.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let all = ENTRY_SIZE + name + extra + comment;
        let Some(entry) = rest.get(..all) else { return Err("an entry of it is longer than the directory") };
        let raw_name = &entry[ENTRY_SIZE..ENTRY_SIZE + name];
        let extra = &entry[ENTRY_SIZE + name..ENTRY_SIZE + name + extra];
        let unix = number(entry, 5, 1) == 3;
        let mut read = Entry {
            offset: number(entry, 42, 4),
            mode: if unix { u32::try_from(number(entry, 38, 4) >> 16).unwrap_or(0) } else { 0 },
            ..fields(entry, 8, raw_name)
        };
        apply_extra(&mut read, extra, true)?;
        read.offset = read.offset.wrapping_add_signed(prefix);
        entries.push(read);
        rest = &rest[all..];
    }
    Ok(entries)
}

/// Reads a member's own header, whose fixed part, name and extra field are given.
pub(super) fn read_header(fixed: &[u8], name: &[u8], extra: &[u8]) -> Result<Entry, &'static str> {
    let mut read = fields(fixed, 6, name);
    apply_extra(&mut read, extra, false)?;
    Ok(read)
}

/// The fields that both places have in the same order, from the flags on.
fn fields(bytes: &[u8], at: usize, name: &[u8]) -> Entry {
    let short = |at| u16::try_from(number(bytes, at, 2)).unwrap_or(0);
    Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        raw_name: name.to_vec(),
        other_name: None,
        flags: short(at),
        method: short(at + 2),
        crc: u32::try_from(number(bytes, at + 8, 4)).unwrap_or(0),
        packed: number(bytes, at + 12, 4),
        size: number(bytes, at + 16, 4),
        offset: 0,
        mode: 0,
        wide: false,
    }
}

/// 64-bit sizes (id 1) and the Unicode name (id 0x7075). Bytes that are no field are padding, as writers that align data
/// leave it.
fn apply_extra(entry: &mut Entry, extra: &[u8], central: bool) -> Result<(), &'static str> {
    let mut rest = extra;
    while rest.len() >= 4 {
        let length = usize::try_from(number(rest, 2, 2)).unwrap_or(usize::MAX);
        let Some(field) = rest.get(4..4 + length) else { break };
        match number(rest, 0, 2) {
            1 => {
                let mut at = 0;
                let mut wide = |value: &mut u64| {
                    if *value == 0xffff_ffff {
                        if field.len() < at + 8 {
                            return Err("a 64-bit field of it is too short");
                        }
                        *value = number(field, at, 8);
                        at += 8;
                    }
                    Ok(())
                };
                wide(&mut entry.size)?;
                wide(&mut entry.packed)?;
                if central {
                    wide(&mut entry.offset)?;
                }
                entry.wide = true;
            }
            0x7075 => {
                let name = String::from_utf8_lossy(field.get(5..).unwrap_or_default()).into_owned();
                entry.other_name = Some(name).filter(|name| *name != entry.name);
            }
            _ => {}
        }
        rest = &rest[4 + length..];
    }
    Ok(())
}

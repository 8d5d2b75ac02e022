//! The table in which a checkpoint keeps its index (LevelDB, `doc/table_format.md`): sorted keys in blocks with checksums.

use super::crc32c::masked;

const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
const FOOTER: usize = 48;
/// Bytes that all keys and values may take in memory: a key is stored as what differs from the one before it, and a block
/// may be named more than once, so that a small file can hold many long keys.
const MAX_EXPANDED: usize = 32 << 20;

/// A key and its value.
type Pair = (Vec<u8>, Vec<u8>);

/// Whether a file that is wholly there ends as a table does.
pub(super) fn recognise(head: &[u8], size: u64) -> bool {
    head.len() as u64 == size && head.len() >= FOOTER && head.ends_with(&MAGIC.to_le_bytes())
}

/// All keys and values of a table; why it cannot be read otherwise.
pub(super) fn entries(file: &[u8]) -> Result<Vec<Pair>, &'static str> {
    let footer = file
        .len()
        .checked_sub(FOOTER)
        .and_then(|at| file.get(at..))
        .ok_or("it is shorter than its footer")?;
    let mut at = 0;
    handle(footer, &mut at)?;
    let index = handle(footer, &mut at)?;
    let mut room = MAX_EXPANDED;
    let mut all = Vec::new();
    for (_, value) in block(file, index, &mut room)? {
        let mut at = 0;
        let place = handle(&value, &mut at)?;
        all.extend(block(file, place, &mut room)?);
    }
    Ok(all)
}

/// Where a block lies.
fn handle(bytes: &[u8], at: &mut usize) -> Result<(usize, usize), &'static str> {
    let offset = varint(bytes, at).ok_or("a place that cannot be read")?;
    let size = varint(bytes, at).ok_or("a place that cannot be read")?;
    let both = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
    both.ok_or("a place beyond the file")
}

/// The entries of one block; they take their bytes of `room`.
fn block(file: &[u8], (offset, size): (usize, usize), room: &mut usize) -> Result<Vec<Pair>, &'static str> {
    let end = offset.checked_add(size).and_then(|end| end.checked_add(5)).ok_or("a block beyond the file")?;
    let bytes = file.get(offset..end).ok_or("a block beyond the file")?;
    let (checked, stored) = bytes.split_at(size + 1);
    if masked(checked).to_le_bytes() != *stored {
        return Err("a block does not have its checksum");
    }
    if checked[size] != 0 {
        return Err("a block is compressed, which checkpoints are not");
    }
    let content = &checked[..size];
    let count =
        content.len().checked_sub(4).and_then(|at| content.get(at..)).ok_or("a block without a count")?;
    let count = count.iter().rev().fold(0usize, |count, byte| count << 8 | usize::from(*byte));
    let end = count.checked_mul(4).and_then(|length| content.len().checked_sub(4 + length));
    let content = end.and_then(|end| content.get(..end)).ok_or("a block shorter than its list of places")?;
    let mut entries = Vec::new();
    let mut key: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let mut number = || varint(content, &mut at).and_then(|number| usize::try_from(number).ok());
        let (shared, own, length) = (number(), number(), number());
        let (Some(shared), Some(own), Some(length)) = (shared, own, length) else {
            return Err("an entry that cannot be read");
        };
        let mut take = |length: usize| {
            let piece = at.checked_add(length).and_then(|end| content.get(at..end))?;
            at += length;
            Some(piece)
        };
        let (Some(own), Some(value)) = (take(own), take(length)) else {
            return Err("an entry beyond its block");
        };
        if shared > key.len() {
            return Err("a key that begins with more than the one before it has");
        }
        key.truncate(shared);
        key.extend_from_slice(own);
        let needed = key.len().saturating_add(value.len()).saturating_add(size_of::<Pair>());
        *room = room.checked_sub(needed).ok_or("its keys expand to more than any checkpoint has")?;
        entries.push((key.clone(), value.to_vec()));
    }
    Ok(entries)
}

/// A base-128 number.
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_expand_without_bound() {
        let key = [&[0, 0xff, 0xff, 0x03, 0][..], &[b'k'].repeat(0xffff)].concat();
        let mut block_of = key.clone();
        // Each of these five bytes is the whole key again.
        block_of.extend([0xff, 0xff, 0x03, 0, 0].repeat(1000));
        block_of.extend([0; 5]);
        let file = [&block_of[..], &masked(&block_of).to_le_bytes()].concat();
        let place = (0, block_of.len() - 1);
        let refused = block(&file, place, &mut { MAX_EXPANDED }).unwrap_err();
        assert_eq!(refused, "its keys expand to more than any checkpoint has");
    }
}

//! Tells TensorFlow's files from other protobuf by the fields that stand first.

use crate::format::Format;

/// What a head is, where it is TensorFlow's.
pub(crate) fn recognise(head: &[u8], size: u64) -> Option<Format> {
    if super::table::recognise(head, size) {
        return Some(Format::TfCheckpoint);
    }
    if is_fingerprint(head, size) {
        return Some(Format::TfFingerprint);
    }
    if is_saved_model(head) {
        return Some(Format::SavedModel);
    }
    if is_keras_metadata(head) {
        return Some(Format::KerasMetadata);
    }
    is_graph(head).then_some(Format::TfGraph)
}

/// The next field of a head: its tag, its number where it is one, and the bytes that are there where it has some.
fn field<'h>(head: &'h [u8], at: &mut usize) -> Option<(u64, u64, &'h [u8])> {
    let tag = varint(head, at)?;
    let value = varint(head, at)?;
    if tag & 7 != 2 {
        return (tag.trailing_zeros() >= 3).then_some((tag, value, &[]));
    }
    let rest = head.get(*at..)?;
    let length = usize::try_from(value).unwrap_or(usize::MAX);
    *at = at.saturating_add(length);
    Some((tag, value, &rest[..length.min(rest.len())]))
}

fn varint(head: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = *head.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A schema version, then graphs whose fields are a graph's own as far as the head shows them.
fn is_saved_model(head: &[u8]) -> bool {
    let mut at = 0;
    let Some((0x08, 0..=16, _)) = field(head, &mut at) else { return false };
    let Some((0x12, _, graph)) = field(head, &mut at) else { return false };
    let mut inner = 0;
    while inner < graph.len() {
        match field(graph, &mut inner) {
            Some((0x0a | 0x12 | 0x1a | 0x22 | 0x2a | 0x32 | 0x3a, _, _)) => {}
            Some(_) => return false,
            None => break,
        }
    }
    true
}

/// A first node with a printable name and an operator.
fn is_graph(head: &[u8]) -> bool {
    let mut at = 0;
    let Some((0x0a, _, node)) = field(head, &mut at) else { return false };
    let mut at = 0;
    let Some((0x0a, _, name)) = field(node, &mut at) else { return false };
    let Some((0x12, _, operator)) = field(node, &mut at) else { return false };
    let printable = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    printable(name) && printable(operator) && operator[0].is_ascii_alphabetic()
}

/// A first object with the path of the root and an identifier of Keras.
fn is_keras_metadata(head: &[u8]) -> bool {
    let mut at = 0;
    let Some((0x0a, _, object)) = field(head, &mut at) else { return false };
    let mut at = 0;
    let mut next = field(object, &mut at);
    // The number of the root is 0, which is left out.
    if let Some((0x10, _, _)) = next {
        next = field(object, &mut at);
    }
    let Some((0x1a, _, path)) = next else { return false };
    let Some((0x22, _, identifier)) = field(object, &mut at) else { return false };
    path.starts_with(b"root") && identifier.starts_with(b"_tf_keras_")
}

/// Five checksums, a version, and maybe an id: nothing else.
fn is_fingerprint(head: &[u8], size: u64) -> bool {
    if head.len() as u64 != size || head.len() > 200 {
        return false;
    }
    let (mut at, mut numbers) = (0, 0);
    while at < head.len() {
        match field(head, &mut at) {
            Some((0x08 | 0x10 | 0x18 | 0x20 | 0x28, _, _)) => numbers += 1,
            Some((0x32, 0..=16, _)) => {}
            Some((0x3a, _, id)) if id.is_ascii() => {}
            _ => return false,
        }
    }
    numbers == 5 && at == head.len()
}

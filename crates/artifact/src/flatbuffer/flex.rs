//! What a Flex operator really runs: its settings are a `FlexBuffer` with the name of an operator of TensorFlow and the
//! node that the delegate builds from it (`lite/delegates/flex/kernel.cc`; flatbuffers.dev on `FlexBuffers`).

/// Types of a `FlexBuffer` that are looked for.
const STRING: u8 = 5;
const VECTOR: u8 = 10;

/// The operator that the settings name, the one that the node in them names, and that node.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flex<'s> {
    pub(super) name: String,
    pub(super) operator: String,
    pub(super) node: &'s [u8],
}

/// Reads the settings of a Flex operator; `None` where they are not what the converter writes.
pub(super) fn read(settings: &[u8]) -> Option<Flex<'_>> {
    let [.., kind, width] = settings else { return None };
    let root = settings.len().checked_sub(2 + usize::from(*width))?;
    if kind >> 2 != VECTOR {
        return None;
    }
    let at = target(settings, root, usize::from(*width))?;
    let width = 1 << (kind & 3);
    if number(settings, at.checked_sub(width)?, width)? != 2 {
        return None;
    }
    let element = |index: usize| {
        let kind = *settings.get(at + 2 * width + index)?;
        let text = target(settings, at + index * width, width)?;
        let own = 1 << (kind & 3);
        let length = number(settings, text.checked_sub(own)?, own)?;
        if kind >> 2 == STRING { settings.get(text..text.checked_add(length)?) } else { None }
    };
    let name = String::from_utf8(element(0)?.to_vec()).ok()?;
    let node = element(1)?;
    Some(Flex { name, operator: operator(node)?, node })
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    if !matches!(width, 1 | 2 | 4 | 8) {
        return None;
    }
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    let number = bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number).ok()
}

/// Where an offset leads: backwards.
fn target(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    at.checked_sub(number(bytes, at, width)?)
}

/// The operator of a `NodeDef`. Readers take the last of several; the converter writes one.
fn operator(mut node: &[u8]) -> Option<String> {
    let mut operator = None;
    while !node.is_empty() {
        let tag = varint(&mut node)?;
        let value = match tag & 7 {
            0 => {
                varint(&mut node)?;
                continue;
            }
            1 => node.split_off(..8)?,
            2 => {
                let length = usize::try_from(varint(&mut node)?).ok()?;
                node.split_off(..length)?
            }
            5 => node.split_off(..4)?,
            _ => return None,
        };
        // The number of a field beyond 32 bits is cut by some readers.
        if tag > u64::from(u32::MAX) {
            return None;
        }
        if tag == 2 << 3 | 2 && operator.replace(String::from_utf8(value.to_vec()).ok()?).is_some() {
            return None;
        }
    }
    operator
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

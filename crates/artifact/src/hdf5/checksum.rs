//! The checksum of newer blocks: Bob Jenkins's `lookup3`, `hashlittle` (public domain), with an initial value of zero.

use super::{fields::Fault, image::Image};

/// A block of this length, whose last four bytes are its checksum.
pub(super) fn checked(
    image: &mut Image,
    address: u64,
    length: u64,
    what: &'static str,
) -> Result<Vec<u8>, Fault> {
    let bytes = image.bytes(address, length)?;
    let at = image.place(address);
    let end = bytes.len().checked_sub(4).ok_or(Fault::Bad { at, what: "a block without room" })?;
    if lookup3(&bytes[..end]).to_le_bytes() != bytes[end..] {
        return Err(Fault::Bad { at, what });
    }
    Ok(bytes)
}

#[expect(clippy::cast_possible_truncation, reason = "the checksum takes the length modulo 2^32")]
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = bytes;
    while rest.len() > 12 {
        let (block, after) = rest.split_at(12);
        a = a.wrapping_add(word(block, 0));
        b = b.wrapping_add(word(block, 4));
        c = c.wrapping_add(word(block, 8));
        (a, b, c) = mix(a, b, c);
        rest = after;
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    c = c.wrapping_add(word(rest, 8));
    for (rotation, which) in [(14, 0), (11, 1), (25, 2), (16, 0), (4, 1), (14, 2), (24, 0)] {
        match which {
            0 => c = (c ^ b).wrapping_sub(b.rotate_left(rotation)),
            1 => a = (a ^ c).wrapping_sub(c.rotate_left(rotation)),
            _ => b = (b ^ a).wrapping_sub(a.rotate_left(rotation)),
        }
    }
    c
}

/// Four bytes from `at`, as far as they are there.
fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).unwrap_or(&[]);
    bytes.iter().take(4).rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    for rotations in [[4, 6, 8], [16, 19, 4]] {
        a = a.wrapping_sub(c) ^ c.rotate_left(rotations[0]);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(rotations[1]);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(rotations[2]);
        b = b.wrapping_add(a);
    }
    (a, b, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_lookup3() {
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }
}

//! LZF (Marc Lehmann's `LibLZF` 3.6), as h5py's filter of that name writes it.

use std::io;

/// Unpacks a block to at most `limit` bytes.
pub(super) fn unpack(packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let cut = || io::Error::other("its LZF ends in the middle");
    let mut out = Vec::new();
    let mut bytes = packed.iter().copied();
    while let Some(control) = bytes.next() {
        let control = usize::from(control);
        if control < 32 {
            for _ in 0..=control {
                out.push(bytes.next().ok_or_else(cut)?);
            }
        } else {
            let mut length = control >> 5;
            if length == 7 {
                length += usize::from(bytes.next().ok_or_else(cut)?);
            }
            let back = (control & 31) << 8 | usize::from(bytes.next().ok_or_else(cut)?);
            let start = out.len().checked_sub(back + 1);
            let start = start.ok_or_else(|| io::Error::other("its LZF refers to before its start"))?;
            for at in start..start + length + 2 {
                out.push(out[at]);
            }
        }
        if out.len() > limit {
            return Err(io::Error::other("its LZF gives more than the shape of a chunk"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_references_are_unpacked() {
        let packed = [2, b'a', b'b', b'c', 0x20, 2, 0xe0, 1, 0];
        assert_eq!(unpack(&packed, 99).unwrap(), b"abcabccccccccccc"[..16]);
        for cut in [2, 5, 7, 8] {
            assert!(unpack(&packed[..cut], 99).is_err(), "{cut}");
        }
        assert!(unpack(&packed, 15).is_err());
        assert!(unpack(&[0x20, 0], 99).is_err());
    }
}

//! The checksum that the filter `fletcher32` puts behind a chunk (`H5_checksum_fletcher32` in HDF5's `H5checksum.c`).

use std::io::{self, Read};

const LENGTH: usize = 4;

/// Hands out what stands before the checksum, and holds it against that at the end.
pub(super) struct Checked<R> {
    source: R,
    /// The last bytes that were read, and not handed out: the checksum, once the source has ended.
    last: Vec<u8>,
    sums: Sums,
}

impl<R: Read> Checked<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, last: Vec::new(), sums: Sums::default() }
    }

    fn end(&self) -> io::Result<usize> {
        let sum = self.sums.clone().finish().to_le_bytes();
        // Releases before 1.6.3 swapped the bytes of each half on little-endian machines.
        let swapped = [sum[1], sum[0], sum[3], sum[2]];
        if self.last == sum || self.last == swapped {
            return Ok(0);
        }
        Err(io::Error::other("it does not have its Fletcher checksum"))
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let mut next = vec![0; out.len()];
            let read = self.source.read(&mut next)?;
            if read == 0 {
                return self.end();
            }
            self.last.extend_from_slice(&next[..read]);
            let ready = self.last.len().saturating_sub(LENGTH).min(out.len());
            if ready > 0 {
                out[..ready].copy_from_slice(&self.last[..ready]);
                self.last.drain(..ready);
                self.sums.add(&out[..ready]);
                return Ok(ready);
            }
        }
    }
}

/// Two running sums of big-endian halves of a word, folded to 16 bits.
#[derive(Debug, Default, Clone)]
struct Sums {
    first: u64,
    second: u64,
    /// The first byte of a half whose other one has not come yet.
    odd: Option<u8>,
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(high) => self.word(u64::from(high) << 8 | u64::from(*byte)),
            }
        }
    }

    fn word(&mut self, word: u64) {
        self.first = fold(self.first + word);
        self.second = fold(self.second + self.first);
    }

    fn finish(mut self) -> u32 {
        if let Some(high) = self.odd.take() {
            self.word(u64::from(high) << 8);
        }
        u32::try_from(self.second << 16 | self.first).unwrap_or(u32::MAX)
    }
}

/// Ones' complement: what does not fit into 16 bits is added again.
fn fold(sum: u64) -> u64 {
    let sum = (sum & 0xffff) + (sum >> 16);
    (sum & 0xffff) + (sum >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What HDF5 2.0 put behind a chunk of 20 and of 21 bytes that count up.
    #[test]
    fn sums_are_those_of_hdf5() {
        let bytes: Vec<u8> = (0..21).collect();
        for (length, sum) in [(20, [0x64, 0x5a, 0x82, 0x4b]), (21, [0x64, 0x6e, 0xe6, 0xb9])] {
            for piece in [1, 3, 64] {
                let whole = [&bytes[..length], &sum[..]].concat();
                let mut out = Vec::new();
                let mut reader = Checked::new(&whole[..]);
                let mut buffer = vec![0; piece];
                while let Ok(read @ 1..) = reader.read(&mut buffer) {
                    out.extend_from_slice(&buffer[..read]);
                }
                assert_eq!(out, &bytes[..length]);
                assert_eq!(reader.read(&mut buffer).unwrap(), 0, "{length} {piece}");
            }
        }
        let mut damaged = Checked::new(&[0u8, 1, 2, 9, 9, 9, 9][..]);
        assert!(damaged.read_to_end(&mut Vec::new()).is_err());
        assert!(Checked::new(&[1u8][..]).read_to_end(&mut Vec::new()).is_err());
    }
}

//! The filter that keeps numbers as distances from their least one (`H5Zscaleoffset.c` of HDF5).

use std::io::{self, Read, Take};

/// What stands before the numbers: the bits that each takes, and the least one.
const BEFORE: usize = 21;
/// Numbers of whole type, not floats to so many decimals.
const WHOLE: u32 = 2;

/// What the filter was told of the chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    elements: u32,
    /// Bytes of an element.
    size: u32,
    /// Every bit was asked for, and the filter does nothing.
    whole: bool,
}

impl Scaled {
    /// `None` where the filter's values are not all there.
    pub(super) fn new(values: &[u32]) -> Option<Self> {
        let [kind, factor, elements, _, size, ..] = *values else { return None };
        Some(Self { elements, size, whole: kind == WHOLE && u64::from(factor) == u64::from(size) * 8 })
    }

    /// As many bytes as a chunk has numbers, where it has the bits for them. The numbers themselves are not looked at.
    pub(super) fn unpacked<'r>(self, mut packed: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
        if self.whole {
            return Ok(Box::new(packed));
        }
        let mut head = [0; BEFORE];
        packed.read_exact(&mut head)?;
        let bits = u64::from(u32::from_le_bytes([head[0], head[1], head[2], head[3]]));
        let (elements, full) = (u64::from(self.elements), u64::from(self.size) * 8);
        if bits > full {
            return Err(io::Error::other("its numbers take more bits than their type has"));
        }
        let whole = elements * u64::from(self.size);
        // One byte more than is needed, where not all bits are.
        let needed = if bits == full { whole } else { elements * bits / 8 + 1 };
        let count = io::copy(&mut packed, &mut io::sink())?;
        if count != needed {
            return Err(io::Error::other(format!("{count} bytes where its numbers take {needed}")));
        }
        let zeros: Take<io::Repeat> = io::repeat(0).take(whole);
        Ok(Box::new(zeros))
    }
}

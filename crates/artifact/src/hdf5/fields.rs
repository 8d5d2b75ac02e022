//! Takes a block of bytes apart, field by field.

pub(super) use crate::pages::Fault;

/// Fields of a block that begins at `place` in the file.
pub(super) struct Fields<'b> {
    bytes: &'b [u8],
    next: usize,
    place: u64,
}

impl<'b> Fields<'b> {
    pub(super) fn new(bytes: &'b [u8], place: u64) -> Self {
        Self { bytes, next: 0, place }
    }

    pub(super) fn place(&self) -> u64 {
        self.place + self.next as u64
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.next
    }

    /// A fault at this place.
    pub(super) fn bad(&self, what: &'static str) -> Fault {
        Fault::Bad { at: self.place(), what }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'b [u8], Fault> {
        let bytes = self.next.checked_add(length).and_then(|end| self.bytes.get(self.next..end));
        let bytes = bytes.ok_or_else(|| self.bad("a block is shorter than what it should hold"))?;
        self.next += length;
        Ok(bytes)
    }

    /// A little-endian number of `width` bytes, at most 8.
    pub(super) fn number(&mut self, width: usize) -> Result<u64, Fault> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Refuses a block that does not begin with its signature.
    pub(super) fn signature(&mut self, signature: [u8; 4], what: &'static str) -> Result<(), Fault> {
        let bad = self.bad(what);
        if self.take(4)? == signature { Ok(()) } else { Err(bad) }
    }
}

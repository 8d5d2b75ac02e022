//! The file as HDF5 addresses it: from a base, with addresses and lengths of a declared width.

use crate::pages::{Fault, Pages};

/// A file and how its addresses are read.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) pages: Pages,
    /// What all addresses count from.
    pub(super) base: u64,
    /// Bytes of an address and of a length.
    pub(super) offset_width: usize,
    pub(super) length_width: usize,
    /// Bytes that may still be read.
    left: u64,
}

/// Bytes of a file that are read beside twice its size: an object is read where something refers to it, and names of many
/// attributes lie in one heap.
const READ_AGAIN: u64 = 1 << 30;
/// What reading costs beside its bytes.
const EACH: u64 = 64;

impl Image {
    pub(super) fn new(pages: Pages) -> Self {
        let left = pages.size().saturating_mul(2).saturating_add(READ_AGAIN);
        Self { pages, base: 0, offset_width: 8, length_width: 8, left }
    }

    pub(super) fn size(&self) -> u64 {
        self.pages.size()
    }

    /// The address that stands for none.
    pub(super) fn undefined(&self) -> u64 {
        if self.offset_width >= 8 { u64::MAX } else { (1 << (8 * self.offset_width)) - 1 }
    }

    /// Where an address lies in the file.
    pub(super) fn place(&self, address: u64) -> u64 {
        self.base.saturating_add(address)
    }

    /// Whether this many bytes at an address lie in the file.
    pub(super) fn holds(&self, address: u64, length: u64) -> bool {
        self.base
            .checked_add(address)
            .and_then(|at| at.checked_add(length))
            .is_some_and(|end| end <= self.size())
    }

    /// The bytes at an address. A file whose parts refer to the same places over and over is left incomplete: a few
    /// kilobytes could keep a reader for days.
    pub(super) fn bytes(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let at = self.place(address);
        if !self.holds(address, length) {
            return Err(Fault::Outside { at, length });
        }
        let left = self.left.checked_sub(length.saturating_add(EACH));
        self.left = left.ok_or(Fault::Limit { at, what: "more reading than its size explains" })?;
        self.pages.bytes(at, length)
    }
}

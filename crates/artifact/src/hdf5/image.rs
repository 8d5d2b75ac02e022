//! The file as HDF5 addresses it: from a base, with addresses and lengths of a declared width.

use super::collection::Collections;
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
    pub(super) halves: Halves,
    pub(super) collections: Collections,
}

/// Half of what nodes of the older trees have room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halves {
    /// Entries of groups, in nodes of their own.
    pub(super) entries: u16,
    pub(super) groups: u16,
    pub(super) chunks: u16,
}

/// What files that tell nothing else have.
impl Default for Halves {
    fn default() -> Self {
        Self { entries: 4, groups: 16, chunks: 32 }
    }
}

impl Image {
    pub(super) fn new(pages: Pages) -> Self {
        let (halves, collections) = (Halves::default(), Collections::default());
        Self { pages, base: 0, offset_width: 8, length_width: 8, halves, collections }
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

    /// The bytes at an address.
    pub(super) fn bytes(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let at = self.place(address);
        if !self.holds(address, length) {
            return Err(Fault::Outside { at, length });
        }
        self.pages.bytes(at, length)
    }
}

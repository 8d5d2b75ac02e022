//! The file as something to read from any place, in pages that are remembered.

use std::{
    collections::BTreeMap,
    fmt,
    io::{Read, Seek, SeekFrom},
};

use super::fields::Fault;
use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
    tree::Source,
};

const PAGE: u64 = 4096;
/// Pages that are remembered: the structure of a model is small beside its weights.
const MAX_PAGES: usize = 12_000;

/// A file that is read from any place.
pub(super) struct Image {
    source: Box<dyn Source>,
    size: u64,
    pages: BTreeMap<u64, Vec<u8>>,
    /// What all addresses count from.
    pub(super) base: u64,
    /// Bytes of an address and of a length.
    pub(super) offset_width: usize,
    pub(super) length_width: usize,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Image {
    pub(super) fn new(source: Box<dyn Source>, size: u64) -> Self {
        Self { source, size, pages: BTreeMap::new(), base: 0, offset_width: 8, length_width: 8 }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
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
            .is_some_and(|end| end <= self.size)
    }

    /// The bytes at an address.
    pub(super) fn bytes(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let at = self.place(address);
        if !self.holds(address, length) {
            return Err(Fault::Outside { at, length });
        }
        let mut out = Vec::new();
        let mut next = at;
        let end = at + length;
        while next < end {
            let page = next / PAGE;
            let bytes = self.page(page)?;
            let from = (next - page * PAGE) as usize;
            let to = bytes.len().min(from + (end - next) as usize);
            let Some(piece) = bytes.get(from..to).filter(|piece| !piece.is_empty()) else {
                return Err(Fault::Outside { at, length });
            };
            out.extend_from_slice(piece);
            next += piece.len() as u64;
        }
        Ok(out)
    }

    fn page(&mut self, page: u64) -> Result<&[u8], Fault> {
        let count = self.pages.len();
        match self.pages.entry(page) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::btree_map::Entry::Vacant(entry) => {
                if count >= MAX_PAGES {
                    let what = "more structure than is followed in bounded memory";
                    return Err(Fault::Limit { at: page * PAGE, what });
                }
                let mut bytes = Vec::new();
                let at = page * PAGE;
                self.source.seek(SeekFrom::Start(at)).map_err(Fault::Io)?;
                let source = &mut self.source;
                source.take(PAGE.min(self.size - at)).read_to_end(&mut bytes).map_err(Fault::Io)?;
                Ok(entry.insert(bytes))
            }
        }
    }

    /// Passes over the stream and compares what was read before.
    pub(super) fn compare(self, stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        for (page, seen) in self.pages {
            let at = page * PAGE;
            stream.skip(at.saturating_sub(stream.position()))?;
            bytes.clear();
            stream.take(seen.len() as u64, PAGE as usize, &mut bytes)?;
            if bytes != seen {
                findings.at(&rules::CHANGED, at, "the file changed while it was read");
                return Err(Stop::Reported);
            }
        }
        Ok(())
    }
}

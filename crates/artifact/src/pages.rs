//! Reading from any place of a file, for formats that cannot be judged from front to back.
//!
//! What was read is remembered in pages and compared in the forward pass, so that the digest is of the bytes that
//! were judged. A member of a container is held in memory instead, up to a bound.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    io::{self, Cursor, Read, Seek, SeekFrom},
};

use crate::{
    analyse::Context,
    findings::Findings,
    rules,
    stream::{Stop, Stream},
    tree::Source,
};

const PAGE: u64 = 4096;
/// Pages that are remembered: the structure of a model is small beside its weights.
const MAX_PAGES: usize = 12_000;
/// Bytes that are handed out, some of them more than once: a small file can refer to the same place any number of times, in
/// any number of ways. Bounds the time that a file takes, and the memory of whoever keeps what was read.
const MAX_READ: u64 = 128 << 20;
/// What handing out anything costs beside its bytes.
const EACH_READ: u64 = 32;
/// Bytes of a member that are held.
const MAX_HELD: usize = 64 << 20;

/// Why something cannot be read or followed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The operating system refused to go on reading.
    Io(io::Error),
    /// Something lies beyond the end of the file.
    Outside { at: u64, length: u64 },
    /// The bytes contradict the format.
    Bad { at: u64, what: &'static str },
    /// The bytes are not followed.
    Limit { at: u64, what: &'static str },
}

/// A file that is read from any place.
pub(crate) struct Pages {
    source: Box<dyn Source>,
    size: u64,
    seen: BTreeMap<u64, Vec<u8>>,
    /// Bytes that may still be handed out.
    left: u64,
    /// The stream has been read to its end already.
    held: bool,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Pages {
    /// Opens what a stream, of which nothing has been consumed, is made of. `None` where a member is too large.
    pub(crate) fn open(stream: &mut Stream<'_>, context: &Context<'_>) -> Result<Option<Self>, Stop> {
        // Beside a file lies the artifact, from which it can be opened once more; a member is only here.
        let outside = if context.depth == 0 { context.tree.open(context.path).ok() } else { None };
        let (source, size, held): (Box<dyn Source>, _, _) = match outside {
            Some(file) => (file.reader, file.size, false),
            None => match stream.hold(MAX_HELD)? {
                Some(bytes) => {
                    let size = bytes.len() as u64;
                    (Box::new(Cursor::new(bytes)), size, true)
                }
                None => return Ok(None),
            },
        };
        Ok(Some(Self { source, size, seen: BTreeMap::new(), left: MAX_READ, held }))
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes at a place.
    pub(crate) fn bytes(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let end =
            at.checked_add(length).filter(|end| *end <= self.size).ok_or(Fault::Outside { at, length })?;
        self.left = self
            .left
            .checked_sub(length.saturating_add(EACH_READ))
            .ok_or(Fault::Limit { at, what: "the same places over and over, more often than is followed" })?;
        let mut out = Vec::new();
        let mut next = at;
        while next < end {
            let page = next / PAGE;
            let bytes = self.page(page)?;
            let inside = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let (from, to) = (inside(next - page * PAGE), inside(end - page * PAGE));
            let Some(piece) = bytes.get(from..to).filter(|piece| !piece.is_empty()) else {
                return Err(Fault::Outside { at, length });
            };
            out.extend_from_slice(piece);
            next += piece.len() as u64;
        }
        Ok(out)
    }

    fn page(&mut self, page: u64) -> Result<&[u8], Fault> {
        let count = self.seen.len();
        match self.seen.entry(page) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let at = page * PAGE;
                if count >= MAX_PAGES {
                    return Err(Fault::Limit {
                        at,
                        what: "more structure than is followed in bounded memory",
                    });
                }
                let mut bytes = Vec::new();
                self.source.seek(SeekFrom::Start(at)).map_err(Fault::Io)?;
                let source = &mut self.source;
                source.take(PAGE.min(self.size - at)).read_to_end(&mut bytes).map_err(Fault::Io)?;
                Ok(entry.insert(bytes))
            }
        }
    }

    /// Passes over the stream and compares what was read before.
    pub(crate) fn compare(self, stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
        if self.held {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for (page, before) in self.seen {
            let at = page * PAGE;
            stream.skip(at.saturating_sub(stream.position()))?;
            bytes.clear();
            stream.take(before.len() as u64, before.len(), &mut bytes)?;
            if bytes != before {
                findings.at(&rules::CHANGED, at, "the file changed while it was read");
                return Err(Stop::Reported);
            }
        }
        Ok(())
    }
}

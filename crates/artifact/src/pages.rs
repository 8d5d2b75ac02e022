//! Reading from any place of a file, for formats that cannot be judged from front to back.
//!
//! What was read is remembered in pages and compared in the forward pass, so that the digest is of the bytes that
//! were judged. A member of a container is held in memory instead, up to a bound.

use std::{
    collections::{
        BTreeMap,
        btree_map::{Entry, IntoIter},
    },
    fmt,
    io::{self, Cursor, Read, Seek, SeekFrom},
    iter::Peekable,
};

use crate::{
    analyse::Context,
    findings::Findings,
    rules,
    stream::{Section, Stop, Stream},
    tree::Source,
};

const PAGE: u64 = 4096;
/// Pages that are remembered: the structure of a model is small beside its weights.
const MAX_PAGES: usize = 12_000;
/// Bytes that are handed out, some of them more than once: a small file can refer to the same place any number of times, in
/// any number of ways. Bounds the time that a file takes, and the memory of whoever keeps what was read.
const MAX_READ: u64 = 128 << 20;
/// How many times the bytes of a part are handed out; a reader that takes each number by itself counts it about ten times.
const MAX_TIMES: u64 = 64;
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
        match outside {
            Some(file) => Ok(Some(Self::new(file.reader, file.size, false))),
            None => Self::hold(stream),
        }
    }

    /// Holds all of a stream, of which nothing has been consumed. `None` where it is too large.
    pub(crate) fn hold(stream: &mut Stream<'_>) -> Result<Option<Self>, Stop> {
        let held = stream.hold(MAX_HELD)?;
        Ok(held.map(|bytes| {
            let size = bytes.len() as u64;
            Self::new(Box::new(Cursor::new(bytes)), size, true)
        }))
    }

    /// Hands out a multiple of what there is at most: for a part of a file that may have any number of them.
    pub(crate) fn in_proportion(self) -> Self {
        Self { left: self.left.min(self.size.saturating_mul(MAX_TIMES)), ..self }
    }

    fn new(source: Box<dyn Source>, size: u64, held: bool) -> Self {
        Self { source, size, seen: BTreeMap::new(), left: MAX_READ, held }
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

    /// Passes over the stream, to where `work` leads and on to the last place that was read before, and compares.
    pub(crate) fn pass(
        self,
        stream: &mut Stream<'_>,
        findings: &mut Findings,
        work: impl FnOnce(&mut Forward<'_, '_>, &mut Findings) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.held {
            // Nothing is compared with itself; the stream has been read.
            let mut source = self.source;
            source.rewind().map_err(Stop::Io)?;
            let mut again = Stream::nested(Box::new(source), Some(self.size));
            return work(&mut Forward::new(&mut again, BTreeMap::new()), findings);
        }
        let mut forward = Forward::new(stream, self.seen);
        work(&mut forward, findings)?;
        if let Some(at) = forward.end()? {
            findings.at(&rules::CHANGED, at, "the file changed while it was read");
            return Err(Stop::Reported);
        }
        Ok(())
    }
}

/// A stream on its way through a file of which places were read before.
pub(crate) struct Forward<'s, 'a> {
    stream: &'s mut Stream<'a>,
    before: Peekable<IntoIter<u64, Vec<u8>>>,
    /// The first place that is not as it was.
    changed: Option<u64>,
}

impl<'s, 'a> Forward<'s, 'a> {
    fn new(stream: &'s mut Stream<'a>, before: BTreeMap<u64, Vec<u8>>) -> Self {
        Self { stream, before: before.into_iter().peekable(), changed: None }
    }

    pub(crate) fn position(&self) -> u64 {
        self.stream.position()
    }

    /// Passes over `length` bytes.
    pub(crate) fn skip(&mut self, length: u64) -> Result<(), Stop> {
        let mut at = self.stream.position();
        let Self { stream, before, changed } = self;
        stream.pass(length, |bytes| {
            *changed = changed.or(difference(before, at, bytes));
            at += bytes.len() as u64;
        })
    }

    /// The next `length` bytes.
    pub(crate) fn stretch(&mut self, length: u64) -> Stretch<'_, 's, 'a> {
        Stretch { forward: self, left: length }
    }

    /// Passes over all that was read before.
    fn end(mut self) -> Result<Option<u64>, Stop> {
        while let Some((page, before)) = self.before.peek() {
            let left = (page * PAGE + before.len() as u64).saturating_sub(self.stream.position());
            if left == 0 {
                self.before.next();
            }
            self.skip(left)?;
        }
        Ok(self.changed)
    }
}

/// Compares bytes at a place with what was read there before; where they differ. Pages that are behind are dropped.
fn difference(before: &mut Peekable<IntoIter<u64, Vec<u8>>>, at: u64, bytes: &[u8]) -> Option<u64> {
    let end = at + bytes.len() as u64;
    let inside = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    let mut found = None;
    while let Some((page, known)) = before.peek() {
        let start = page * PAGE;
        let (from, to) = (start.max(at), (start + known.len() as u64).min(end));
        if from < to
            && bytes[inside(from - at)..inside(to - at)] != known[inside(from - start)..inside(to - start)]
        {
            found = found.or(Some(from));
        }
        if start + known.len() as u64 > end {
            break;
        }
        before.next();
    }
    found
}

/// A part of the file for a decoder that wants to read.
pub(crate) struct Stretch<'f, 's, 'a> {
    forward: &'f mut Forward<'s, 'a>,
    left: u64,
}

impl Stretch<'_, '_, '_> {
    /// Passes over what was left of it.
    pub(crate) fn finish(self) -> Result<(), Stop> {
        self.forward.skip(self.left)
    }
}

impl Read for Stretch<'_, '_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let at = self.forward.position();
        let read = Section::new(self.forward.stream, self.left).read(out)?;
        self.left -= read as u64;
        let changed = difference(&mut self.forward.before, at, &out[..read]);
        self.forward.changed = self.forward.changed.or(changed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_handed_out_a_bounded_number_of_times() {
        let mut stream = Stream::nested(Box::new(&[0; 100][..]), Some(100));
        let mut pages = Pages::hold(&mut stream).unwrap().unwrap().in_proportion();
        let read = (0..1000).take_while(|_| pages.bytes(0, 4).is_ok()).count();
        assert_eq!(read, 6400 / 36);
    }

    #[test]
    fn a_place_that_changed_is_noticed_however_it_is_passed() {
        let bytes: Vec<u8> = (0..20_000u32).map(|n| (n % 251) as u8).collect();
        let page = |number: usize| bytes[number * 4096..bytes.len().min((number + 1) * 4096)].to_vec();
        for changed in [None, Some(10), Some(100), Some(16_384), Some(19_999)] {
            let mut before = BTreeMap::from([(0, page(0)), (4, page(4))]);
            if let Some(at) = changed {
                before.entry(at as u64 / PAGE).and_modify(|page| page[at % 4096] ^= 1);
            }
            let mut progress = |_| ();
            let mut stream = Stream::new(Box::new(&bytes[..]), 20_000, &mut progress);
            let mut forward = Forward::new(&mut stream, before);
            forward.skip(50).unwrap();
            let mut stretch = forward.stretch(19_000);
            let mut some = [0; 5000];
            stretch.read_exact(&mut some).unwrap();
            assert_eq!(some, bytes[50..5050]);
            stretch.finish().unwrap();
            assert_eq!(forward.position(), 19_050);
            assert_eq!(forward.end().unwrap().is_some(), changed.is_some(), "{changed:?}");
            assert_eq!(stream.position(), 20_000);
        }
    }
}

//! What all containers of one file may use together, however they are nested.

use std::{
    cell::Cell,
    io::{self, Read},
};

/// Containers inside containers.
pub(super) const MAX_DEPTH: usize = 6;
/// Bytes that a file may expand to beside its own size times [`RATIO`].
const FREE: u64 = 256 << 20;
/// What beginning another part of a compressed stream counts for: memory of a decoder, even if nothing comes out of it.
pub(super) const PART: u64 = 64 << 10;
/// Expansion of a whole file above which it is a bomb. Single members of zeros expand a thousandfold.
const RATIO: u64 = 100;
/// Bytes of nested archives in memory at a time.
const HELD: usize = 24 << 20;
/// Members of all archives of one file.
const MAX_MEMBERS: u64 = 200_000;

/// The account of one file.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Bytes that decoders may still give.
    left: Cell<u64>,
    burst: Cell<bool>,
    room: Cell<usize>,
    members: Cell<u64>,
}

impl Limits {
    /// `size` is that of the outermost file in bytes.
    pub(crate) fn new(size: u64) -> Self {
        Self {
            left: Cell::new(size.saturating_mul(RATIO).saturating_add(FREE)),
            burst: Cell::new(false),
            room: Cell::new(HELD),
            members: Cell::new(0),
        }
    }

    /// Whether more was expanded than any model needs.
    pub(crate) fn is_burst(&self) -> bool {
        self.burst.get()
    }

    /// Bytes of nested archives that may still be held.
    pub(super) fn room(&self) -> usize {
        self.room.get()
    }

    /// Holds `bytes` while `work` goes on.
    pub(super) fn holding<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        let before = self.room.get();
        self.room.set(before.saturating_sub(bytes));
        let done = work();
        self.room.set(before);
        done
    }

    /// Takes bytes that a decoder gives, or as good as gives, off what is left.
    pub(super) fn expand(&self, bytes: u64) -> io::Result<()> {
        if let Some(left) = self.left.get().checked_sub(bytes) {
            self.left.set(left);
            return Ok(());
        }
        self.burst.set(true);
        Err(io::Error::other("it expands without bound"))
    }

    /// Counts members; whether there may be as many.
    pub(super) fn admit(&self, members: u64) -> bool {
        let all = self.members.get().saturating_add(members);
        self.members.set(all);
        all <= MAX_MEMBERS
    }
}

/// A decoder whose output counts.
#[derive(Debug)]
pub(crate) struct Metered<'l, R> {
    pub(crate) decoder: R,
    pub(crate) limits: &'l Limits,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(out)?;
        self.limits.expand(read as u64)?;
        Ok(read)
    }
}

//! A forward-only reader that hashes every byte it hands out, so that the digest is of the bytes that were
//! judged and a file is read once. The bytes of an archive's member, or what a compressed stream holds, are a
//! stream inside the outer one, checked against their CRC on the way.
//!
//! Memory is one buffer of bounded size a level. Lengths that a file declares are checked against what is left before
//! anything is read or reserved for them.

mod section;

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};
use tagship_domain::digest::Digest;

pub(crate) use section::Section;

/// Bytes read, and hashed, at a time; also how far identification may look ahead.
const BUFFER: usize = 128 * 1024;

/// Why an analysis could not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file ended in the middle of something that began at this offset.
    Truncated(u64),
    /// The operating system refused to go on reading.
    Io(io::Error),
    /// What decodes a compressed stream refused to go on: why, in its words.
    Damaged(String),
    /// A finding that says why has been added already.
    Reported,
}

/// A file on its way through the analysis.
pub(crate) struct Stream<'a> {
    source: Box<dyn Read + 'a>,
    check: Check,
    buffer: Box<[u8]>,
    next: usize,
    filled: usize,
    /// Offset in the file of the first byte of the buffer.
    base: u64,
    size: u64,
    progress: Option<&'a mut dyn FnMut(u64)>,
    /// Why reading ended before the end; told once everything before it was handed out, and from then on.
    broken: Option<String>,
}

/// What is computed over all bytes in passing.
#[derive(Debug)]
enum Check {
    /// A file's digest.
    Sha256(Box<Sha256>),
    /// A member's checksum.
    Crc32(crc32fast::Hasher),
}

/// The size of a stream whose end nobody has told: what a compressed stream expands to.
const UNTOLD: u64 = u64::MAX;

impl<'a> Stream<'a> {
    /// `size` is what the file system says; `progress` is told how many bytes each step has read.
    pub(crate) fn new(source: Box<dyn Read + 'a>, size: u64, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self::with(source, size, Check::Sha256(Box::default()), Some(progress))
    }

    /// A stream inside another one. `size` is what the container says, `None` where it does not.
    pub(crate) fn nested(source: Box<dyn Read + 'a>, size: Option<u64>) -> Self {
        Self::with(source, size.unwrap_or(UNTOLD), Check::Crc32(crc32fast::Hasher::new()), None)
    }

    fn with(
        source: Box<dyn Read + 'a>,
        size: u64,
        check: Check,
        progress: Option<&'a mut dyn FnMut(u64)>,
    ) -> Self {
        // One byte more than there should be, so that a longer source shows.
        let room = usize::try_from(size).map_or(BUFFER, |size| size.saturating_add(1).clamp(512, BUFFER));
        Self {
            source,
            check,
            buffer: vec![0; room].into_boxed_slice(),
            next: 0,
            filled: 0,
            base: 0,
            size,
            progress,
            broken: None,
        }
    }

    /// Offset of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.base + self.next as u64
    }

    /// Size of the file as it was when opened, of a member as its container says; `u64::MAX` inside a
    /// compressed stream that is longer than one buffer.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Whether [`size`](Self::size) is known.
    pub(crate) fn is_sized(&self) -> bool {
        self.size != UNTOLD
    }

    /// Bytes from here to the end.
    pub(crate) fn remaining(&self) -> u64 {
        self.size.saturating_sub(self.position())
    }

    /// The first bytes of the file, up to one buffer, without consuming them. Only valid at the start.
    pub(crate) fn head(&mut self) -> Result<&[u8], Stop> {
        if self.filled == 0 {
            self.fill()?;
            if !self.is_sized() && self.filled < self.buffer.len() && self.broken.is_none() {
                self.size = self.filled as u64;
            }
        }
        Ok(&self.buffer[self.next..self.filled])
    }

    /// The next byte without consuming it; `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        if self.next == self.filled {
            self.fill()?;
        }
        Ok(self.buffer[self.next..self.filled].first().copied())
    }

    /// The next bytes without consuming them, where the buffer holds that many.
    #[inline]
    pub(crate) fn ahead<const COUNT: usize>(&self) -> Option<[u8; COUNT]> {
        self.buffer[self.next..self.filled].first_chunk().copied()
    }

    /// Consumes bytes that [`ahead`](Self::ahead) has shown.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.next += count;
        debug_assert!(self.next <= self.filled);
    }

    /// The next byte.
    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Stop> {
        if self.next == self.filled {
            self.fill()?;
            if self.filled == 0 {
                return Err(Stop::Truncated(self.position()));
            }
        }
        let byte = self.buffer[self.next];
        self.next += 1;
        Ok(byte)
    }

    /// The next `width` (at most 8) bytes as an unsigned little-endian number.
    #[inline]
    pub(crate) fn little_endian(&mut self, width: usize) -> Result<u64, Stop> {
        let mut number = 0;
        for shift in 0..width {
            number |= u64::from(self.u8()?) << (8 * shift);
        }
        Ok(number)
    }

    /// Passes over `length` bytes; the first `keep` of them are appended to `kept`.
    pub(crate) fn take(&mut self, length: u64, keep: usize, kept: &mut Vec<u8>) -> Result<(), Stop> {
        let mut keep = keep;
        self.pass(length, |chunk| {
            let wanted = keep.min(chunk.len());
            kept.extend_from_slice(&chunk[..wanted]);
            keep -= wanted;
        })
    }

    /// Hands the next `length` bytes to `look`, as they come.
    pub(crate) fn pass(&mut self, length: u64, mut look: impl FnMut(&[u8])) -> Result<(), Stop> {
        let start = self.position();
        let mut left = length;
        while left > 0 {
            if self.next == self.filled {
                self.fill()?;
                if self.filled == 0 {
                    return Err(Stop::Truncated(start));
                }
            }
            let chunk = &self.buffer[self.next..self.filled];
            let used = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
            look(&chunk[..used]);
            self.next += used;
            left -= used as u64;
        }
        Ok(())
    }

    /// Passes over `length` bytes.
    pub(crate) fn skip(&mut self, length: u64) -> Result<(), Stop> {
        self.take(length, 0, &mut Vec::new())
    }

    /// Passes over a line; up to `keep` of its bytes are appended to `kept`. Returns its length without the
    /// line feed.
    pub(crate) fn line(&mut self, keep: usize, kept: &mut Vec<u8>) -> Result<u64, Stop> {
        let start = self.position();
        let mut length = 0;
        loop {
            match self.u8() {
                Ok(b'\n') => return Ok(length),
                Ok(byte) => {
                    if kept.len() < keep {
                        kept.push(byte);
                    }
                    length += 1;
                }
                Err(Stop::Truncated(_)) => return Err(Stop::Truncated(start)),
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Hands the rest of the file to `look`, a buffer at a time with its offset.
    pub(crate) fn drain(&mut self, mut look: impl FnMut(u64, &[u8])) -> Result<(), Stop> {
        loop {
            if self.next == self.filled {
                self.fill()?;
                if self.filled == 0 {
                    return Ok(());
                }
            }
            look(self.position(), &self.buffer[self.next..self.filled]);
            self.next = self.filled;
        }
    }

    /// Reads to the end; the digest of all bytes and how many there were.
    pub(crate) fn finish(mut self) -> Result<(Digest, u64), Stop> {
        self.drain(|_, _| {})?;
        match self.check {
            Check::Sha256(hasher) => Ok((Digest::from_bytes(hasher.finalize().into()), self.base)),
            Check::Crc32(_) => Err(Stop::Reported),
        }
    }

    /// Reads a nested stream to its end; the CRC-32 of all bytes and how many there were.
    pub(crate) fn finish_nested(mut self) -> Result<(u32, u64), Stop> {
        self.drain(|_, _| {})?;
        match self.check {
            Check::Crc32(hasher) => Ok((hasher.finalize(), self.base)),
            Check::Sha256(_) => Err(Stop::Reported),
        }
    }

    /// Everything to the end of a nested stream, where that is at most `limit` bytes. Only valid at the start; up to one
    /// buffer can still be looked at afterwards.
    pub(crate) fn hold(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Stop> {
        let mut held = Vec::new();
        loop {
            if self.next == self.filled {
                self.fill()?;
                if self.filled == 0 {
                    return Ok(Some(held));
                }
            }
            if held.len() + self.filled - self.next > limit {
                return Ok(None);
            }
            held.extend_from_slice(&self.buffer[self.next..self.filled]);
            self.next = self.filled;
        }
    }

    fn fill(&mut self) -> Result<(), Stop> {
        self.base += self.filled as u64;
        self.next = 0;
        self.filled = 0;
        while self.filled < self.buffer.len() && self.broken.is_none() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(self.check, Check::Sha256(_)) => return Err(Stop::Io(error)),
                Err(error) => self.broken = Some(error.to_string()),
            }
        }
        if let (Some(why), 0) = (&self.broken, self.filled) {
            return Err(Stop::Damaged(why.clone()));
        }
        let filled = &self.buffer[..self.filled];
        match &mut self.check {
            Check::Sha256(hasher) => hasher.update(filled),
            Check::Crc32(hasher) => hasher.update(filled),
        }
        if let Some(progress) = &mut self.progress {
            progress(self.filled as u64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_covers_every_byte_however_it_was_read() {
        let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
        let mut told = 0;
        let mut progress = |read| told += read;
        let mut stream = Stream::new(Box::new(&bytes[..]), bytes.len() as u64, &mut progress);
        assert_eq!(stream.head().map(<[u8]>::len).unwrap(), BUFFER);
        stream.u8().unwrap();
        stream.skip(200_000).unwrap();
        let (digest, size) = stream.finish().unwrap();
        assert_eq!((size, told), (300_000, 300_000));
        assert_eq!(digest, Digest::from_bytes(Sha256::digest(&bytes).into()));
    }

    #[test]
    fn a_short_file_says_where_the_missing_thing_began() {
        let mut progress = |_| ();
        let mut stream = Stream::new(Box::new(&b"abc"[..]), 3, &mut progress);
        stream.u8().unwrap();
        assert!(matches!(stream.skip(3), Err(Stop::Truncated(1))));
    }
}

//! A forward-only reader that hashes every byte it hands out, so that the digest is of the bytes that were
//! judged and a file is read once.
//!
//! Memory is one fixed buffer. Lengths that a file declares are checked against what is left before anything
//! is read or reserved for them.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};
use tagship_domain::digest::Digest;

/// Bytes read, and hashed, at a time; also how far identification may look ahead.
const BUFFER: usize = 128 * 1024;

/// Why an analysis could not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file ended in the middle of something that began at this offset.
    Truncated(u64),
    /// The operating system refused to go on reading.
    Io(io::Error),
    /// A finding that says why has been added already.
    Reported,
}

/// A file on its way through the analysis.
pub(crate) struct Stream<'a> {
    source: Box<dyn Read + 'a>,
    hasher: Sha256,
    buffer: Box<[u8]>,
    next: usize,
    filled: usize,
    /// Offset in the file of the first byte of the buffer.
    base: u64,
    size: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Stream<'a> {
    /// `size` is what the file system says; `progress` is told how many bytes each step has read.
    pub(crate) fn new(source: Box<dyn Read + 'a>, size: u64, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            source,
            hasher: Sha256::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            next: 0,
            filled: 0,
            base: 0,
            size,
            progress,
        }
    }

    /// Offset of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.base + self.next as u64
    }

    /// Size of the file as it was when opened.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes from here to the end.
    pub(crate) fn remaining(&self) -> u64 {
        self.size.saturating_sub(self.position())
    }

    /// The first bytes of the file, up to one buffer, without consuming them. Only valid at the start.
    pub(crate) fn head(&mut self) -> Result<&[u8], Stop> {
        if self.filled == 0 {
            self.fill()?;
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
        let start = self.position();
        let mut left = length;
        let mut keep = keep as u64;
        while left > 0 {
            if self.next == self.filled {
                self.fill()?;
                if self.filled == 0 {
                    return Err(Stop::Truncated(start));
                }
            }
            let chunk = &self.buffer[self.next..self.filled];
            let used = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
            let wanted = usize::try_from(keep).map_or(used, |keep| keep.min(used));
            kept.extend_from_slice(&chunk[..wanted]);
            self.next += used;
            left -= used as u64;
            keep -= wanted as u64;
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
        Ok((Digest::from_bytes(self.hasher.finalize().into()), self.base))
    }

    fn fill(&mut self) -> Result<(), Stop> {
        self.base += self.filled as u64;
        self.next = 0;
        self.filled = 0;
        while self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Io(error)),
            }
        }
        self.hasher.update(&self.buffer[..self.filled]);
        (self.progress)(self.filled as u64);
        Ok(())
    }
}

/// The next `length` bytes of a stream as a [`Read`], for a parser that wants one.
pub(crate) struct Section<'s, 'a> {
    stream: &'s mut Stream<'a>,
    left: u64,
}

impl<'s, 'a> Section<'s, 'a> {
    pub(crate) fn new(stream: &'s mut Stream<'a>, length: u64) -> Self {
        Self { stream, left: length }
    }
}

impl Read for Section<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || out.is_empty() {
            return Ok(0);
        }
        match self.stream.peek() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(0),
            Err(Stop::Io(error)) => return Err(error),
            Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        let chunk = &self.stream.buffer[self.stream.next..self.stream.filled];
        let used = chunk.len().min(out.len()).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        out[..used].copy_from_slice(&chunk[..used]);
        self.stream.next += used;
        self.left -= used as u64;
        Ok(used)
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

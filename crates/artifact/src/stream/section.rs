//! A part of a stream for a parser or decoder that wants to read.

use std::io::{self, BufRead, Read};

use super::{Stop, Stream};

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
        if out.is_empty() {
            return Ok(0);
        }
        let chunk = self.fill_buf()?;
        let used = chunk.len().min(out.len());
        out[..used].copy_from_slice(&chunk[..used]);
        self.consume(used);
        Ok(used)
    }
}

/// Bytes that a decoder does not consume stay in the stream.
impl BufRead for Section<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        match self.stream.peek() {
            Ok(_) => {}
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Damaged(why)) => return Err(io::Error::other(why)),
            Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        let chunk = &self.stream.buffer[self.stream.next..self.stream.filled];
        let length = chunk.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        Ok(&chunk[..length])
    }

    fn consume(&mut self, used: usize) {
        self.stream.next += used;
        self.left -= used as u64;
    }
}

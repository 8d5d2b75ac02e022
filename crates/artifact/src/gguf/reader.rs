//! Numbers and texts of a GGUF file in its own byte order and width.

use crate::{
    findings::Findings,
    rules::{self, Rule},
    stream::{Stop, Stream},
};

/// Bytes of a name.
const MAX_NAME: u16 = 65_535;

pub(super) struct Reader<'r, 'a> {
    pub(super) stream: &'r mut Stream<'a>,
    pub(super) findings: &'r mut Findings,
    big_endian: bool,
    /// Version 1 has lengths of four bytes.
    short: bool,
}

impl<'r, 'a> Reader<'r, 'a> {
    /// Reads magic and version.
    pub(super) fn start(stream: &'r mut Stream<'a>, findings: &'r mut Findings) -> Result<Self, Stop> {
        let mut reader = Self { stream, findings, big_endian: false, short: false };
        reader.stream.skip(4)?;
        let version = reader.number(4)?;
        // A file in the other byte order has its version at the other end.
        reader.big_endian = version.trailing_zeros() >= 16;
        let version = if reader.big_endian { version >> 24 | (version >> 8 & 0xff00) } else { version };
        reader.findings.facts.state("GGUF", &version.to_string());
        match version {
            1 => reader.short = true,
            2 | 3 => {}
            _ => return Err(reader.fail(&rules::GGUF_HEADER, format!("version {version}; 1 to 3 exist"))),
        }
        Ok(reader)
    }

    pub(super) fn is_little_endian(&self) -> bool {
        !self.big_endian
    }

    /// Adds a finding after which reading cannot go on.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.findings.at(rule, self.stream.position(), message);
        Stop::Reported
    }

    /// An unsigned number of `width` bytes, at most 8.
    pub(super) fn number(&mut self, width: usize) -> Result<u64, Stop> {
        let number = self.stream.little_endian(width)?;
        Ok(if self.big_endian && width > 0 { number.swap_bytes() >> (64 - 8 * width) } else { number })
    }

    /// Bytes of a length or count.
    pub(super) fn length_width(&self) -> u64 {
        if self.short { 4 } else { 8 }
    }

    /// A length or count.
    pub(super) fn length(&mut self) -> Result<u64, Stop> {
        self.number(if self.short { 4 } else { 8 })
    }

    /// Refuses a count of things of at least `size` bytes each that the file cannot hold.
    pub(super) fn expect(&mut self, what: &str, count: u64, size: u64) -> Result<(), Stop> {
        let left = self.stream.remaining();
        if u128::from(count) * u128::from(size) <= u128::from(left) {
            return Ok(());
        }
        let message = format!("{count} {what} are declared, {left} bytes are left");
        if count > super::BOMB {
            self.findings.at(&rules::GGUF_BOMB, self.stream.position(), message.clone());
        }
        Err(self.fail(&rules::GGUF_HEADER, message))
    }

    /// A text; at most `keep` bytes of it are kept.
    pub(super) fn bytes(&mut self, keep: usize) -> Result<(Vec<u8>, u64), Stop> {
        let length = self.length()?;
        self.expect("bytes of text", length, 1)?;
        let mut kept = Vec::new();
        self.stream.take(length, keep, &mut kept)?;
        Ok((kept, length))
    }

    /// A key or the name of a tensor.
    pub(super) fn name(&mut self, rule: &'static Rule) -> Result<String, Stop> {
        let (bytes, length) = self.bytes(usize::from(MAX_NAME))?;
        if length > u64::from(MAX_NAME) || length == 0 {
            return Err(self.fail(rule, format!("a name of {length} bytes; 1 to {MAX_NAME} are allowed")));
        }
        match String::from_utf8(bytes) {
            Ok(name) => Ok(name),
            Err(_) => Err(self.fail(rule, "a name that is no UTF-8")),
        }
    }
}

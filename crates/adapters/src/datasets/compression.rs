//! Compressed texts, by the ending of their names.

use std::io::{self, BufReader, Read};

use super::source::Source;

/// How a text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Plain,
    Gzip,
    Zstd,
}

/// A text that is read from its begin as often as wanted.
#[derive(Clone)]
pub(super) struct Text {
    source: Source,
    compression: Compression,
}

impl Compression {
    /// By the ending of a name, which is taken away.
    pub(super) fn of(name: &str) -> (&str, Self) {
        let ending = |ending| name.strip_suffix(ending);
        if let Some(inner) = ending(".gz") {
            (inner, Self::Gzip)
        } else if let Some(inner) = ending(".zst").or_else(|| ending(".zstd")) {
            (inner, Self::Zstd)
        } else {
            (name, Self::Plain)
        }
    }
}

impl Text {
    pub(super) fn new(source: Source, compression: Compression) -> Self {
        Self { source, compression }
    }

    /// Reads it from its begin.
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read>> {
        let bytes = self.source.from(0);
        Ok(match self.compression {
            Compression::Plain => Box::new(bytes),
            Compression::Gzip => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(bytes))),
            Compression::Zstd => Box::new(zstd::Decoder::with_buffer(bytes)?),
        })
    }
}

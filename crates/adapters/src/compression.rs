//! Compressed texts, by the ending of their names.

use std::io::{self, BufRead, BufReader, Read};

/// How a text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Plain,
    Gzip,
    Zstd,
}

impl Compression {
    /// By the ending of a name, which is taken away.
    pub(crate) fn of(name: &str) -> (&str, Self) {
        let ending = |ending| name.strip_suffix(ending);
        if let Some(inner) = ending(".gz") {
            (inner, Self::Gzip)
        } else if let Some(inner) = ending(".zst").or_else(|| ending(".zstd")) {
            (inner, Self::Zstd)
        } else {
            (name, Self::Plain)
        }
    }

    /// The text in bytes that are compressed so.
    pub(crate) fn reader(self, bytes: impl BufRead + 'static) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Plain => Box::new(bytes),
            Self::Gzip => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(bytes))),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(bytes)?),
        })
    }
}

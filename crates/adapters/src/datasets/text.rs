//! A text of a source.

use std::io::{self, Read};

use super::source::Source;
use crate::compression::Compression;

/// A text that is read from its begin as often as wanted.
#[derive(Clone)]
pub(super) struct Text {
    source: Source,
    compression: Compression,
}

impl Text {
    pub(super) fn new(source: Source, compression: Compression) -> Self {
        Self { source, compression }
    }

    /// Reads it from its begin.
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read>> {
        self.compression.reader(self.source.from(0))
    }
}

//! What a table is written in, by the ending of its name: the same for all that reads tables.

use crate::compression::Compression;

/// The endings that are known, for messages.
pub(crate) const ENDINGS: &str = ".csv, .jsonl, .ndjson, the same with .gz or .zst, and .parquet";

/// A format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFormat {
    /// Comma-separated values with a header.
    Csv(Compression),
    /// A JSON object a line.
    JsonLines(Compression),
    /// Parquet, which compresses by itself.
    Parquet,
}

impl TableFormat {
    /// By the name of a file; absent for another ending.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (inner, compression) = Compression::of(name);
        match inner.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv(compression)),
            "jsonl" | "ndjson" => Some(Self::JsonLines(compression)),
            "parquet" if compression == Compression::Plain => Some(Self::Parquet),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_format() {
        assert_eq!(TableFormat::of("a/b.csv"), Some(TableFormat::Csv(Compression::Plain)));
        assert!(matches!(TableFormat::of("b.ndjson.gz"), Some(TableFormat::JsonLines(_))));
        assert_eq!(TableFormat::of("b.parquet"), Some(TableFormat::Parquet));
        for none in ["b.parquet.gz", "csv", "b.txt", ""] {
            assert_eq!(TableFormat::of(none), None, "{none}");
        }
    }
}

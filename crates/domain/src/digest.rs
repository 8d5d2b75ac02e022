//! Content digests and commit ids.
//!
//! The digest of an artifact is its identity (DESIGN 4.3): sha256 of a file; for a directory, sha256 of the
//! canonical listing of its files, see [`directory_listing`].

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text that is no digest or commit id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct HexError {
    text: String,
    expected: &'static str,
}

/// A sha256 digest, written `sha256:` + 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// A git commit id: 40 (sha1) or 64 (sha256) lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl Digest {
    /// From the 32 raw bytes of a sha256.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        use fmt::Write;
        let mut hex = String::with_capacity(71);
        hex.push_str("sha256:");
        for byte in bytes {
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// The 64 hex digits without the `sha256:` in front.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }

    /// The first twelve hex digits, enough for people to tell digests apart.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

impl CommitId {
    /// The first seven digits, as git prints them.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One file of an artifact directory: POSIX path relative to the artifact's root, size in bytes, sha256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileEntry {
    /// Relative path with `/` between components; the file's own name for a single-file artifact.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// sha256 of the file's bytes.
    pub sha256: Digest,
}

/// The canonical listing of a directory: one line `sha256-hex SP size SP path LF` per file, sorted by path
/// as bytes. Its sha256 is the directory's digest. Paths are covered, so a rename changes the digest.
/// A line feed or backslash in a path is written as a two-character escape so that a listing has one reading.
pub fn directory_listing(files: &[FileEntry]) -> String {
    use fmt::Write;
    let mut sorted: Vec<&FileEntry> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    let mut listing = String::new();
    for file in sorted {
        let path = file.path.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(listing, "{} {} {path}", file.sha256.hex(), file.size);
    }
    listing
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl FromStr for Digest {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        match text.strip_prefix("sha256:") {
            Some(hex) if hex.len() == 64 && is_lower_hex(hex) => Ok(Self(text.to_owned())),
            _ => Err(HexError { text: text.to_owned(), expected: "`sha256:` and 64 lower-case hex digits" }),
        }
    }
}

impl FromStr for CommitId {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        if (text.len() == 40 || text.len() == 64) && is_lower_hex(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(HexError {
                text: text.to_owned(),
                expected: "a full commit id (40 or 64 lower-case hex digits)",
            })
        }
    }
}

macro_rules! hex_type {
    ($name:ident, $pattern:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = HexError;
            fn try_from(text: String) -> Result<Self, HexError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

hex_type!(Digest, "^sha256:[0-9a-f]{64}$");
hex_type!(CommitId, "^([0-9a-f]{40}|[0-9a-f]{64})$");

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, byte: u8) -> FileEntry {
        FileEntry { path: path.to_owned(), size: 1, sha256: Digest::from_bytes([byte; 32]) }
    }

    #[test]
    fn listing_is_sorted_and_covers_names() {
        let a = directory_listing(&[entry("b", 1), entry("a/x", 2)]);
        assert_eq!(a, directory_listing(&[entry("a/x", 2), entry("b", 1)]));
        assert_ne!(a, directory_listing(&[entry("a/y", 2), entry("b", 1)]));
        let forged = directory_listing(&[entry(&format!("b\n{} 1 c", "0".repeat(64)), 1)]);
        assert_eq!(forged.lines().count(), 1, "a line feed in a name cannot forge a second file");
    }

    #[test]
    fn texts_are_checked() {
        assert!("sha256:AB".parse::<Digest>().is_err());
        assert!("HEAD".parse::<CommitId>().is_err());
        assert_eq!("a".repeat(40).parse::<CommitId>().unwrap().short(), "aaaaaaa");
    }
}

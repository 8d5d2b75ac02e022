//! The files of an artifact, wherever they lie, and which paths may name one.
//!
//! A tree never follows a link: neither a file's content nor its existence outside the artifact can be
//! learned through it.

use std::{
    fmt,
    io::{Read, Seek},
};

use crate::error::ArtifactError;

/// Bytes that can be read from any place: the end of an archive says where its members begin.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// A file that was opened for reading.
pub struct OpenFile {
    /// Its bytes.
    pub reader: Box<dyn Source>,
    /// Its size in bytes when it was opened.
    pub size: u64,
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile").field("size", &self.size).finish_non_exhaustive()
    }
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Size in bytes.
    pub size: u64,
    /// How many directory entries share its content; above one, something outside could change it.
    pub hard_links: u64,
}

/// The files below an artifact's root. Paths are relative, with `/` between components.
pub trait Tree: Sync {
    /// Every entry that is not a directory, sorted by path as bytes. One that may not be in an artifact (a
    /// link, a device, an unportable name) is an error in its place, so that the others can still be judged.
    fn files(&self) -> Result<Vec<Result<String, ArtifactError>>, ArtifactError>;

    /// Opens a regular file; refuses links in any component.
    fn open(&self, path: &str) -> Result<OpenFile, ArtifactError>;

    /// Looks at a regular file without opening it; refuses links in any component.
    fn facts(&self, path: &str) -> Result<FileFacts, ArtifactError>;
}

/// Why a path that a file names could lead out of the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// Nothing is named.
    #[error("it is empty")]
    Empty,
    /// It starts at the root of the file system, a drive or a home directory.
    #[error("it is absolute")]
    Absolute,
    /// It climbs.
    #[error("it has a `..` component")]
    Parent,
    /// A backslash separates components on some systems and is a letter on others.
    #[error("it holds a backslash")]
    Backslash,
    /// A URI or an alternate data stream.
    #[error("it holds a colon, as a drive or a URI does")]
    Colon,
    /// A control character or NUL.
    #[error("it holds a control character")]
    Control,
}

/// The path `name` relative to the directory of `from`, both inside the artifact. Refuses what could mean a
/// place outside on any operating system.
pub fn beside(from: &str, name: &str) -> Result<String, PathRefusal> {
    if name.is_empty() {
        return Err(PathRefusal::Empty);
    }
    if name.starts_with(['/', '~']) {
        return Err(PathRefusal::Absolute);
    }
    for c in name.chars() {
        match c {
            '\\' => return Err(PathRefusal::Backslash),
            ':' => return Err(PathRefusal::Colon),
            c if c.is_control() => return Err(PathRefusal::Control),
            _ => {}
        }
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            ".." => return Err(PathRefusal::Parent),
            "" | "." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_beside_its_file() {
        assert_eq!(beside("a/model.onnx", "./w/x.bin").unwrap(), "a/w/x.bin");
        assert_eq!(beside("model.onnx", "x.bin").unwrap(), "x.bin");
        for (name, refusal) in [
            ("", PathRefusal::Empty),
            ("/etc/passwd", PathRefusal::Absolute),
            ("~/x", PathRefusal::Absolute),
            ("a/../../x", PathRefusal::Parent),
            ("..\\x", PathRefusal::Backslash),
            ("C:x", PathRefusal::Colon),
            ("file://x", PathRefusal::Colon),
            ("x\0", PathRefusal::Control),
        ] {
            assert_eq!(beside("a/model.onnx", name), Err(refusal), "{name:?}");
        }
    }
}

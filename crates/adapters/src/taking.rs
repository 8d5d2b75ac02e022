//! Writing a foreign artifact into a directory: every file hashed while it is written, within limits, and no name leads
//! out.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, FileEntry, signature::Signature};
use tagship_ports::{PortError, Problem, model_registry::Fetched};

use crate::disk::local;

/// Most files of an artifact.
pub(crate) const MOST_FILES: usize = 10_000;
/// Longest path of a file in an artifact, in bytes.
const LONGEST_PATH: usize = 1_024;

/// An artifact that is being written.
pub(crate) struct Taking {
    /// What is fetched, for messages.
    operation: String,
    directory: PathBuf,
    limit: u64,
    total: u64,
    files: Vec<FileEntry>,
    names: BTreeSet<String>,
}

/// A file of it.
pub(crate) struct Incoming<'a> {
    taking: &'a mut Taking,
    name: String,
    path: PathBuf,
    file: File,
    hasher: Sha256,
    size: u64,
}

impl Taking {
    /// Begins in an empty directory.
    pub(crate) fn new(operation: impl Into<String>, directory: &Path, limit: u64) -> Self {
        let operation = operation.into();
        let directory = directory.to_owned();
        Self { operation, directory, limit, total: 0, files: vec![], names: BTreeSet::new() }
    }

    /// Begins a file. `name` is its path in the artifact, as the other side says it.
    ///
    /// # Errors
    /// [`Problem::Invalid`] for a name that leads out or was there before, or for too many files.
    pub(crate) fn begin(&mut self, name: &str) -> Result<Incoming<'_>, PortError> {
        if let Some(why) = unsafe_name(name) {
            return Err(self.invalid(format!("the file name {name:?} {why}")));
        }
        // Two names that differ in case only are one file on some disks.
        if !self.names.insert(name.to_lowercase()) {
            return Err(self.invalid(format!("the file {name:?} comes twice")));
        }
        if self.files.len() >= MOST_FILES {
            return Err(self.invalid(format!("it has more than {MOST_FILES} files")));
        }
        let path = self.directory.join(name);
        let parent = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(parent).map_err(|error| local("create directory", parent, &error))?;
        let file = File::create_new(&path).map_err(|error| local("write", &path, &error))?;
        Ok(Incoming { name: name.to_owned(), path, file, hasher: Sha256::new(), size: 0, taking: self })
    }

    /// Refuses what is known to be too large before any of it comes.
    ///
    /// # Errors
    /// [`Problem::Invalid`] where so many more bytes are over the limit.
    pub(crate) fn expect(&self, more: u64) -> Result<(), PortError> {
        let limit = self.limit;
        if self.total.checked_add(more).is_some_and(|total| total <= limit) {
            return Ok(());
        }
        let error = self.invalid(format!("it is larger than {limit} bytes"));
        Err(error.hint("raise `validate.max-size` of the model, if it may be that large"))
    }

    /// The whole artifact. One that came as a single file is that file, unless `is_directory`.
    ///
    /// # Errors
    /// [`Problem::NotFound`] where nothing came.
    pub(crate) fn finish(
        mut self,
        is_directory: bool,
        signature: Option<Signature>,
    ) -> Result<Fetched, PortError> {
        self.files.sort_by(|one, other| one.path.as_bytes().cmp(other.path.as_bytes()));
        let path = match self.files.as_slice() {
            [] => return Err(PortError::new(Problem::NotFound, self.operation, "there are no files")),
            [only] if !is_directory => self.directory.join(&only.path),
            _ => self.directory.clone(),
        };
        let single_file = path != self.directory;
        Ok(Fetched { path, files: self.files, single_file, signature, run: None })
    }

    /// What is wrong with what came.
    pub(crate) fn invalid(&self, message: String) -> PortError {
        PortError::new(Problem::Invalid, &self.operation, message)
    }
}

impl Incoming<'_> {
    /// Adds what comes next.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.taking.expect(self.size + bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(|error| local("write", &self.path, &error))?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// What is wrong with what came.
    pub(crate) fn invalid(&self, message: String) -> PortError {
        self.taking.invalid(message)
    }

    /// Ends the file. Where its size was told before, it must have it.
    pub(crate) fn end(self, size: Option<u64>) -> Result<Digest, PortError> {
        if let Some(size) = size.filter(|size| *size != self.size) {
            let message = format!("{size} bytes of {:?} were announced, {} came", self.name, self.size);
            return Err(PortError::new(Problem::Unreachable, &self.taking.operation, message));
        }
        let sha256 = Digest::from_bytes(self.hasher.finalize().into());
        self.taking.total += self.size;
        self.taking.files.push(FileEntry { path: self.name, size: self.size, sha256: sha256.clone() });
        Ok(sha256)
    }
}

/// Why a name is none for a file below a directory.
fn unsafe_name(name: &str) -> Option<&'static str> {
    let bad_part = |part: &str| part.is_empty() || part == "." || part == "..";
    if name.len() > LONGEST_PATH {
        Some("is too long")
    } else if name.contains(|c: char| c.is_control() || c == '\\' || c == ':') {
        Some("holds a control character, a backslash or a colon")
    } else if name.split('/').any(bad_part) {
        Some("leads out of the artifact")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(result: Result<impl Sized, PortError>) -> Option<Problem> {
        result.err().map(|error| error.problem)
    }

    #[test]
    fn files_are_hashed_while_they_come() {
        let scratch = tempfile::tempdir().unwrap();
        let mut taking = Taking::new("fetch", scratch.path(), 100);
        let mut file = taking.begin("deep/b.onnx").unwrap();
        file.write(b"ab").unwrap();
        file.write(b"c").unwrap();
        let digest = file.end(Some(3)).unwrap();
        assert!(digest.hex().starts_with("ba7816bf"), "sha256 of abc");
        taking.begin("a").unwrap().end(None).unwrap();
        let fetched = taking.finish(false, None).unwrap();
        assert_eq!((fetched.single_file, fetched.path.as_path()), (false, scratch.path()));
        assert_eq!(
            fetched.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["a", "deep/b.onnx"]
        );
        assert_eq!(fs::read(scratch.path().join("deep/b.onnx")).unwrap(), b"abc");
    }

    #[test]
    fn names_that_lead_out_and_too_much_are_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let mut taking = Taking::new("fetch", scratch.path(), 4);
        for bad in ["../x", "/x", "a//b", "", ".", "a/./b", "a\\b", "c:x", "a\nb"] {
            assert_eq!(problem(taking.begin(bad)), Some(Problem::Invalid), "{bad:?}");
        }
        let mut first = taking.begin("A").unwrap();
        first.write(b"123").unwrap();
        first.end(None).unwrap();
        assert_eq!(problem(taking.begin("a")), Some(Problem::Invalid), "the same on some disks");
        let mut second = taking.begin("b").unwrap();
        assert_eq!(problem(second.write(b"45")), Some(Problem::Invalid), "together more than allowed");
        let mut cut = Taking::new("fetch", scratch.path(), 9);
        let mut third = cut.begin("c").unwrap();
        third.write(b"1").unwrap();
        assert_eq!(problem(third.end(Some(2))), Some(Problem::Unreachable), "it was cut");
        let none = Taking::new("fetch", scratch.path(), 9).finish(false, None);
        assert_eq!(problem(none), Some(Problem::NotFound));
    }
}

//! Copies of the bytes that a program is told to load, which are gone afterwards as they are after a run.

use std::{fs, io, path::Path, path::PathBuf};

use tempfile::TempDir;

/// A copy that goes with this value.
#[derive(Debug)]
pub(super) struct Staged {
    /// Keeps the copy.
    _directory: TempDir,
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Staged {
    /// Copies a file or a directory.
    pub(super) fn copy(source: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("tagship-check-").tempdir()?;
        let name = source.file_name().unwrap_or("bytes".as_ref());
        let path = directory.path().join(name);
        copy(source, &path)?;
        Ok(Self { _directory: directory, path })
    }
}

fn copy(source: &Path, to: &Path) -> io::Result<()> {
    if !source.is_dir() {
        return fs::copy(source, to).map(|_| ());
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

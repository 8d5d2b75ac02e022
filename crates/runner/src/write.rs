//! What to say and advise when a file for later steps or the host cannot be written.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::Path,
};

use crate::error::Failure;

/// The failure to write a file, with what to do about it.
pub(crate) fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::incomplete(format!("write {what}{}: {error}", path.display()));
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => failure.hint("free some space and run again"),
        ErrorKind::FileTooLarge => failure.hint("raise the limit on file sizes (`ulimit -f`) and run again"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            failure.hint("make it writable for this user")
        }
        _ => failure,
    }
}

/// Writes a file so that a reader sees the old one or the new one, never half of one.
pub(crate) fn whole(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
    // The plain file: its errors do not name the temporary path, which is gone when they are read.
    temporary.as_file_mut().write_all(text.as_bytes())?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

//! Writing files for later steps.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

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

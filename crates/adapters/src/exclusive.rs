//! A file that one run at a time has open; the lock goes with the run, however it ends.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::Path,
};

use tagship_ports::{PortError, Problem};

use crate::disk::local;

/// Opens a file to read and write, which is made where there is none, and which no other run has open this way.
///
/// # Errors
/// [`Problem::Conflict`] where another run has it, else as files fail.
pub fn open_exclusively(path: &Path) -> Result<File, PortError> {
    loop {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|error| local("write", path, &error))?;
        match file.try_lock() {
            // Another run may have finished it between the two calls; then it has its name, and is not ours.
            Ok(()) if is_at(&file, path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another run is writing it";
                return Err(PortError::new(Problem::Conflict, format!("write {}", path.display()), message)
                    .hint("wait for it, or choose another directory"));
            }
            Err(TryLockError::Error(error)) => return Err(local("lock", path, &error)),
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(id).ok() == fs::metadata(path).map(id).ok()
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

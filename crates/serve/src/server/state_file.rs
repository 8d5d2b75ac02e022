//! The state on disk: one JSON document, replaced as a whole.
//!
//! A write goes to a temporary file, is flushed to the disk, and takes the old file's place by renaming, so that a
//! crash at any point leaves the old state or the new one. A lock file keeps a second server out.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tagship_domain::schema::{self, DocumentError};
use tempfile::NamedTempFile;

use super::{ServeError, state::ServerState};

/// The state file of a directory that this process has locked.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Held for the lock on it, which ends with the process however that ends.
    _lock: File,
}

impl StateFile {
    /// Locks the directory, which is created where it does not exist, and reads what the last server left.
    pub(super) fn open(directory: &Path) -> Result<(Self, ServerState), ServeError> {
        fs::create_dir_all(directory).map_err(ServeError::storage("create", directory))?;
        let lock_path = directory.join("lock");
        let lock = File::create(&lock_path).map_err(ServeError::storage("create", &lock_path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => ServeError::Locked { path: lock_path.clone() },
            TryLockError::Error(source) => {
                ServeError::Storage { doing: "lock", path: lock_path.clone(), source }
            }
        })?;
        let path = directory.join("state.json");
        let state = match fs::read_to_string(&path) {
            Ok(text) => {
                let damaged = |source: DocumentError| ServeError::State { path: path.clone(), source };
                schema::from_json(&text).map_err(damaged)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => ServerState::default(),
            Err(source) => return Err(ServeError::Storage { doing: "read", path, source }),
        };
        Ok((Self { path, _lock: lock }, state))
    }

    /// Replaces the state. When this answers `Ok`, a crash does not lose it.
    pub(super) fn save(&self, state: &ServerState) -> Result<(), ServeError> {
        let text =
            schema::to_json(state).map_err(|source| ServeError::State { path: self.path.clone(), source })?;
        replace_file(&self.path, text.as_bytes()).map_err(ServeError::storage("write", &self.path))
    }
}

/// Puts `bytes` in the place of the file at `path`, whole or not at all.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(directory)?;
    // Not through the temporary file's own writer, whose errors name a file that is gone when they are read.
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(directory)
}

/// Makes renames within a directory survive a crash.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use tagship_domain::ModelName;

    use super::*;

    #[test]
    fn what_was_saved_is_read_again_and_only_one_server_may_hold_it() {
        let directory = tempfile::tempdir().unwrap();
        let (file, mut state) = StateFile::open(directory.path()).unwrap();
        state.models.entry(ModelName::new("churn").unwrap()).or_default().fence = 9;
        file.save(&state).unwrap();
        assert!(matches!(StateFile::open(directory.path()), Err(ServeError::Locked { .. })));
        drop(file);
        assert_eq!(StateFile::open(directory.path()).unwrap().1, state);
    }

    #[test]
    fn a_damaged_or_newer_state_is_never_taken_for_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "{", r#"{"schema":"tagship/serve-state/v2","models":{}}"#] {
            fs::write(directory.path().join("state.json"), text).unwrap();
            let error = StateFile::open(directory.path()).unwrap_err();
            assert!(matches!(error, ServeError::State { .. }), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        fs::write(&path, "").unwrap();
        let error = StateFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("choose another state directory"), "{error}");
    }
}

//! Writing files so that a reader sees the old one or the new one, never half of one: a temporary file in the same
//! directory, flushed to disk, then renamed.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};
use tempfile::NamedTempFile;

/// Bytes that are read or written at a time.
pub(crate) const BUFFER: usize = 256 * 1024;

/// A failed operation on a path, as a port's error.
pub(crate) fn local(operation: &str, path: &Path, error: &io::Error) -> PortError {
    let (problem, hint) = match error.kind() {
        io::ErrorKind::NotFound => (Problem::NotFound, None),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Problem::Local, Some("free some space and run again"))
        }
        io::ErrorKind::FileTooLarge => {
            (Problem::Local, Some("raise the limit on file sizes (`ulimit -f`) and run again"))
        }
        // Not `Denied`, which is about credentials: this machine cannot do it, whoever asks.
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (Problem::Local, Some("make it writable for this user"))
        }
        _ => (Problem::Local, None),
    };
    let failed = PortError::new(problem, format!("{operation} {}", path.display()), error.to_string());
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// Writes a whole file.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), PortError> {
    copy_atomically(path, &mut &content[..], None)
}

/// Copies a stream into a file. With a digest, the file appears only if its bytes have it.
pub(crate) fn copy_atomically(
    path: &Path,
    source: &mut dyn Read,
    digest: Option<&Digest>,
) -> Result<(), PortError> {
    let failed = |error: io::Error| local("write", path, &error);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.map_or_else(|| PathBuf::from("."), Path::to_owned);
    fs::create_dir_all(&directory).map_err(|error| local("create directory", &directory, &error))?;
    let mut temporary = temporary_in(&directory).map_err(failed)?;
    let found = copy_hashing(source, temporary.as_file_mut()).map_err(failed)?;
    if let Some(wanted) = digest.filter(|wanted| **wanted != found) {
        return Err(other_bytes(format!("write {}", path.display()), wanted, &found));
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    flush_directory(path);
    Ok(())
}

/// Brings the name of a file to the disk; a directory that can't be opened for that is no reason to fail.
pub(crate) fn flush_directory(path: &Path) {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(parent) {
        let _ = directory.sync_all();
    }
}

/// A temporary file with the permissions that a plain new file would get, less what the user's mask takes away.
pub(crate) fn temporary_in(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

/// Copies a stream and answers the digest of what went through.
pub(crate) fn copy_hashing(source: &mut dyn Read, sink: &mut dyn Write) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(Digest::from_bytes(hasher.finalize().into())),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                sink.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of bytes in memory.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// Bytes that do not have the digest that they should be kept under.
pub(crate) fn other_bytes(operation: String, wanted: &Digest, found: &Digest) -> PortError {
    PortError::new(Problem::Invalid, operation, format!("its bytes are {found}, not {wanted}"))
}

/// Reads a whole file of at most `limit` bytes; absent where there is none.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, PortError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(local("read", path, &error)),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| local("read", path, &error))?;
    if bytes.len() as u64 > limit {
        let message = format!("it is larger than {limit} bytes");
        return Err(PortError::new(Problem::Invalid, format!("read {}", path.display()), message));
    }
    Ok(Some(bytes))
}

/// Runs file work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(PortError::new(Problem::Local, "file work", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the line went dead"))
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        write_atomically(&path, b"old").unwrap();
        let error = copy_atomically(&path, &mut (&b"half"[..]).chain(Breaks), None).unwrap_err();
        assert!(error.to_string().contains("the line went dead"), "{error}");
        let wrong = Digest::from_bytes([0; 32]);
        let error = copy_atomically(&path, &mut &b"other"[..], Some(&wrong)).unwrap_err();
        assert_eq!(error.problem, Problem::Invalid);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["a"], "no temporary file is left");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named_with_what_to_do() {
        let path = Path::new("/dev/full");
        let mut full = fs::OpenOptions::new().write(true).open(path).unwrap();
        let failed = copy_hashing(&mut &b"x"[..], &mut full).unwrap_err();
        let error = local("write", path, &failed);
        assert_eq!((error.problem, error.may_pass()), (Problem::Local, true));
        assert!(
            error.to_string().contains("write /dev/full") && error.to_string().contains("free some space")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_directory_is_named_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
        // The superuser may write everywhere; then only the words can be checked.
        let error = match write_atomically(&directory.path().join("a"), b"x") {
            Err(error) => error,
            Ok(()) => local("write", directory.path(), &io::ErrorKind::ReadOnlyFilesystem.into()),
        };
        assert_eq!(error.problem, Problem::Local);
        assert!(error.to_string().ends_with("make it writable for this user"), "{error}");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_was_written() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let (ours, plain) = (directory.path().join("ours"), directory.path().join("plain"));
        write_atomically(&ours, b"x").unwrap();
        fs::write(&plain, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain), "a server of another user reads it like any other file");
    }

    #[test]
    fn a_bound_is_a_bound() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        assert_eq!(read_bounded(&path, 3).unwrap(), None);
        fs::write(&path, b"1234").unwrap();
        assert_eq!(read_bounded(&path, 4).unwrap().unwrap(), b"1234");
        assert_eq!(read_bounded(&path, 3).unwrap_err().problem, Problem::Invalid);
    }
}

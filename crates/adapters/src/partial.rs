//! A file that is being fetched: a hidden one beside its place, always the beginning of the whole, so that a later run
//! goes on where this one ended. It gets its name when all of it is there and has the digest.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::PortError;

use crate::{
    disk::{BUFFER, flush_directory, local},
    exclusive::open_exclusively,
};

/// What a file is called until it is whole, and where a later run looks for it.
pub(crate) fn place(to: &Path, digest: &Digest) -> PathBuf {
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    parent.join(format!(".{name}.{}.partial", &digest.hex()[..12]))
}

/// Whose beginning a file of such a name is, where the whole is named after its digest.
pub(crate) fn digest_of_blob(name: &str) -> Option<Digest> {
    let (hex, beginning) = name.strip_prefix('.')?.strip_suffix(".partial")?.split_once('.')?;
    let digest: Digest = format!("sha256:{hex}").parse().ok()?;
    (beginning == &digest.hex()[..12]).then_some(digest)
}

/// What there is of a file so far.
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    to: PathBuf,
    hasher: Sha256,
    length: u64,
}

impl Partial {
    /// Begins the file, or goes on with what an earlier run left. Missing parent directories are made.
    ///
    /// # Errors
    /// `Conflict` where another run is writing the same file, `Local` where it cannot be written.
    pub(crate) fn open(to: &Path, digest: &Digest) -> Result<Self, PortError> {
        let path = place(to, digest);
        let parent = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|error| local("create directory", parent, &error))?;
        let file = open_exclusively(&path)?;
        let mut partial = Self { file, path, to: to.to_owned(), hasher: Sha256::new(), length: 0 };
        partial.read_again()?;
        Ok(partial)
    }

    /// How many bytes are there.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    fn read_again(&mut self) -> Result<(), PortError> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = self.file.read(&mut buffer).map_err(|error| local("read", &self.path, &error))?;
            if read == 0 {
                return Ok(());
            }
            self.hasher.update(&buffer[..read]);
            self.length += read as u64;
        }
    }

    /// Adds what comes next.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.file.write_all(bytes).map_err(|error| local("write", &self.to, &error))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Forgets everything, to begin anew.
    pub(crate) fn restart(&mut self) -> Result<(), PortError> {
        let empty = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        empty.map_err(|error| local("write", &self.to, &error))?;
        self.hasher = Sha256::new();
        self.length = 0;
        Ok(())
    }

    /// The digest of what is there.
    pub(crate) fn digest(&self) -> Digest {
        Digest::from_bytes(self.hasher.clone().finalize().into())
    }

    /// Gives the file its name, once the caller has seen that its digest is right.
    pub(crate) fn finish(self) -> Result<(), PortError> {
        let failed = |error: std::io::Error| local("write", &self.to, &error);
        self.file.sync_all().map_err(failed)?;
        fs::rename(&self.path, &self.to).map_err(failed)?;
        flush_directory(&self.to);
        Ok(())
    }

    /// Takes away what no run can go on with.
    pub(crate) fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use tagship_ports::Problem;

    use super::*;

    #[test]
    fn a_later_run_goes_on_and_two_at_once_do_not_mix() {
        let directory = tempfile::tempdir().unwrap();
        let to = directory.path().join("deep/weights");
        let digest = Digest::from_bytes(Sha256::digest(b"weights").into());
        let mut first = Partial::open(&to, &digest).unwrap();
        first.write(b"weig").unwrap();
        let busy = Partial::open(&to, &digest).err().unwrap();
        assert_eq!(busy.problem, Problem::Conflict, "{busy}");
        drop(first);
        let mut second = Partial::open(&to, &digest).unwrap();
        assert_eq!(second.length(), 4);
        second.write(b"hts").unwrap();
        assert_eq!(second.digest(), digest);
        assert!(!to.exists(), "nothing is visible before the end");
        second.finish().unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"weights");
        assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
    }
}

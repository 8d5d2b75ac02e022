//! The digest of an artifact without its analysis, for those who only need its identity.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use tagship_domain::digest::{Digest, FileEntry, directory_listing};

use crate::{
    disk::{self, DiskTree},
    error::ArtifactError,
    stream::{Stop, Stream},
    tree::Tree,
};

/// The digest of a file or directory, and its files with their own digests.
///
/// A single file is listed under its own name. Errors: anything in the artifact that cannot be read or may not
/// be there, such as a link.
pub fn digest_path(path: &Path) -> Result<(Digest, Vec<FileEntry>), ArtifactError> {
    if disk::is_directory(path)? {
        let tree = DiskTree::new(path)?;
        let files = tree.files()?.into_iter().map(|file| of_file(&tree, &file?, &mut |_| ()));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        return Ok((of_listing(&files), files));
    }
    let tree = DiskTree::around(path);
    let file = of_file(&tree, &disk::file_name(path)?, &mut |_| ())?;
    Ok((file.sha256.clone(), vec![file]))
}

/// The digest of a directory: of its canonical listing.
pub(crate) fn of_listing(files: &[FileEntry]) -> Digest {
    Digest::from_bytes(Sha256::digest(directory_listing(files).as_bytes()).into())
}

/// The digest of one file. `progress` is told after each step how many more bytes were read.
pub(crate) fn of_file(
    tree: &dyn Tree,
    path: &str,
    progress: &mut dyn FnMut(u64),
) -> Result<FileEntry, ArtifactError> {
    let file = tree.open(path)?;
    let size = file.size;
    let (sha256, read) = Stream::new(file.reader, size, progress).finish().map_err(|stop| match stop {
        Stop::Io(source) => ArtifactError::io(path, source),
        Stop::Truncated(_) | Stop::Reported | Stop::Damaged(_) => {
            ArtifactError::Changed { path: path.to_owned() }
        }
    })?;
    if read != size {
        return Err(ArtifactError::Changed { path: path.to_owned() });
    }
    Ok(FileEntry { path: path.to_owned(), size, sha256 })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_directory_is_its_listing_and_a_file_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x"), b"one").unwrap();
        fs::write(dir.path().join("b"), b"two").unwrap();
        let (digest, files) = digest_path(dir.path()).unwrap();
        assert_eq!(files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a/x", "b"]);
        assert_eq!(digest, of_listing(&files));
        let (digest, files) = digest_path(&dir.path().join("b")).unwrap();
        assert_eq!((digest, files[0].path.as_str(), files[0].size), (files[0].sha256.clone(), "b", 3));
        assert!(matches!(digest_path(&dir.path().join("c")), Err(ArtifactError::Missing { .. })));
    }
}

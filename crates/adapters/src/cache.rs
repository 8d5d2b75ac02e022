//! A folder of short byte strings by digest, bounded in size, that may lose any of them at any time.
//!
//! Each key has one of a fixed number of places, and takes it from whoever had it: nothing has to be counted, swept or locked,
//! and runs beside each other see an old entry or a new one, never half of one. What is read may be another key's entry, so an
//! entry has to say itself whose it is.

use std::{
    fs::{self, DirBuilder},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use tagship_domain::Digest;
use tempfile::NamedTempFile;

/// Digits of a key, in hexadecimal, that choose its place: 4,096 places.
const PLACE: usize = 3;
/// Largest entry in bytes; all places together hold at most a gibibyte, and a few megabytes as a rule.
const LARGEST: u64 = 256 << 10;

/// The folder. Nothing about it fails: without it, work is done again.
#[derive(Debug, Clone)]
pub struct CacheFolder {
    root: PathBuf,
}

impl CacheFolder {
    /// The cache in a folder, which is made where it is missing and accessible to its owner only. `None` where it cannot be
    /// made, or others may write to it: what they put there would be believed.
    pub fn open(root: &Path) -> Option<Self> {
        make_private(root).ok()?;
        let facts = fs::symlink_metadata(root).ok()?;
        (facts.is_dir() && is_private(&facts)).then(|| Self { root: root.to_owned() })
    }

    /// What was kept in the place of a key.
    pub fn recall(&self, key: &Digest) -> Option<Vec<u8>> {
        let path = self.place(key);
        if !fs::symlink_metadata(&path).ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        fs::File::open(&path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= LARGEST).then_some(bytes)
    }

    /// Keeps bytes in the place of a key. A full disk, or a folder that has gone, means that they are not kept.
    pub fn keep(&self, key: &Digest, bytes: &[u8]) {
        if bytes.len() as u64 <= LARGEST {
            let _ = self.write(key, bytes);
        }
    }

    fn write(&self, key: &Digest, bytes: &[u8]) -> io::Result<()> {
        let mut temporary = NamedTempFile::new_in(&self.root)?;
        temporary.write_all(bytes)?;
        // Not flushed to the disk: an entry that a crash leaves half written does not match its checksum.
        temporary.persist(self.place(key)).map_err(|error| error.error)?;
        Ok(())
    }

    fn place(&self, key: &Digest) -> PathBuf {
        self.root.join(&key.hex()[..PLACE])
    }
}

fn make_private(root: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(root)
}

#[cfg(unix)]
fn is_private(facts: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    facts.mode() & 0o022 == 0
}

/// Elsewhere a folder below the user's own has the user's rights.
#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Digest {
        Digest::from_bytes([number; 32])
    }

    #[test]
    fn an_entry_is_found_until_another_takes_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CacheFolder::open(&directory.path().join("a/b")).unwrap();
        assert_eq!(cache.recall(&key(1)), None);
        cache.keep(&key(1), b"one");
        cache.keep(&key(2), b"two");
        assert_eq!(cache.recall(&key(1)).unwrap(), b"one");
        cache.keep(&key(1), b"three");
        assert_eq!(cache.recall(&key(1)).unwrap(), b"three");
        assert_eq!(fs::read_dir(&cache.root).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn what_is_too_large_is_neither_kept_nor_read() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CacheFolder::open(&directory.path().join("c")).unwrap();
        let large = vec![0; usize::try_from(LARGEST).unwrap() + 1];
        cache.keep(&key(1), &large);
        assert_eq!(cache.recall(&key(1)), None);
        fs::write(cache.place(&key(1)), &large).unwrap();
        assert_eq!(cache.recall(&key(1)), None);
    }

    #[test]
    fn a_folder_that_went_away_is_only_a_cache_less() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CacheFolder::open(&directory.path().join("c")).unwrap();
        fs::remove_dir(&cache.root).unwrap();
        cache.keep(&key(1), b"one");
        assert_eq!(cache.recall(&key(1)), None);
        fs::write(&cache.root, b"a file").unwrap();
        assert!(CacheFolder::open(&cache.root).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_to_and_links_are_not_believed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("c");
        let cache = CacheFolder::open(&root).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&root), 0o700);
        fs::write(directory.path().join("elsewhere"), b"x").unwrap();
        symlink(directory.path().join("elsewhere"), cache.place(&key(1))).unwrap();
        assert_eq!(cache.recall(&key(1)), None);
        symlink(&root, directory.path().join("link")).unwrap();
        assert!(CacheFolder::open(&directory.path().join("link")).is_none());
        fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(CacheFolder::open(&root).is_none());
    }
}

//! A store in a directory: `blobs/sha256/<two digits>/<64 digits>`, as OCI image layouts have it.

mod incoming;

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use serde::Deserialize;
use tagship_domain::{Digest, Timestamp};
use tagship_ports::{
    ArtifactStore, Clock as _, Inventory, PortError, Problem,
    inventory::{Begun, Stored},
};

use self::incoming::copy_verified;
use super::Moved;
use crate::{
    SystemClock,
    disk::{blocking, copy_atomically, copy_hashing, local, read_bounded},
    partial,
};

/// Where the bytes lie when nothing is configured, in the repository.
const DEFAULT: &str = ".tagship/store";

/// A directory with files by digest.
#[derive(Clone)]
pub struct FileStore {
    root: PathBuf,
    moved: Moved,
}

impl std::fmt::Debug for FileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileStore").field("root", &self.root).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    #[serde(default)]
    path: Option<String>,
}

impl FileStore {
    /// A store in a directory, which is created when something is put into it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), moved: Arc::new(|_| {}) }
    }

    /// The store of the repository at `root` that says nothing about one.
    pub(crate) fn embedded(root: &Path) -> Self {
        Self::new(root.join(DEFAULT))
    }

    pub(crate) fn from_settings(
        settings: &serde_json::Map<String, serde_json::Value>,
        root: &Path,
        moved: &Moved,
    ) -> Result<Self, PortError> {
        let settings: Settings = serde_json::from_value(serde_json::Value::Object(settings.clone()))
            .map_err(|error| {
                PortError::new(Problem::Invalid, "read the settings of store file", error.to_string())
            })?;
        Ok(Self { moved: moved.clone(), ..Self::new(root.join(settings.path.as_deref().unwrap_or(DEFAULT))) })
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("blobs").join("sha256").join(&hex[..2]).join(hex)
    }
}

#[async_trait]
impl ArtifactStore for FileStore {
    fn location(&self) -> String {
        self.root.display().to_string()
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        let (blob, digest, file) = (self.blob(digest), digest.clone(), file.to_owned());
        let moved = self.moved.clone();
        blocking(move || {
            if verify(&blob, &digest).is_ok() && renew(&blob).is_ok() {
                return Ok(());
            }
            copy_verified(&file, &blob, &digest, &moved).map_err(|error| match error.problem {
                Problem::Invalid => {
                    error.hint(format!("{} changed since it was judged; run again", file.display()))
                }
                _ => error,
            })
        })
        .await
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let (blob, digest, bytes) = (self.blob(digest), digest.clone(), bytes.to_vec());
        blocking(move || {
            if verify(&blob, &digest).is_ok() && renew(&blob).is_ok() {
                return Ok(());
            }
            copy_atomically(&blob, &mut bytes.as_slice(), Some(&digest))?;
            verify(&blob, &digest)
        })
        .await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        Ok(self.blob(digest).is_file())
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        let (blob, digest, to) = (self.blob(digest), digest.clone(), to.to_owned());
        let moved = self.moved.clone();
        blocking(move || {
            drop(open(&blob, &digest)?);
            copy_verified(&blob, &to, &digest, &moved).map_err(|error| damaged(error, &blob))
        })
        .await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        let (blob, digest) = (self.blob(digest), digest.clone());
        blocking(move || {
            let bytes = read_bounded(&blob, limit)?.ok_or_else(|| missing(&blob, &digest))?;
            check(&blob, &digest, &mut bytes.as_slice())?;
            Ok(bytes)
        })
        .await
    }
}

#[async_trait]
impl Inventory for FileStore {
    async fn list(&self) -> Result<Vec<Stored>, PortError> {
        self.files(|name| format!("sha256:{name}").parse().ok()).await
    }

    async fn remove(&self, digest: &Digest) -> Result<(), PortError> {
        let blob = self.blob(digest);
        blocking(move || match fs::remove_file(&blob) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(local("remove", &blob, &error)),
            _ => Ok(()),
        })
        .await
    }

    async fn unfinished(&self) -> Result<Vec<Begun>, PortError> {
        Ok(self.files(partial::digest_of_blob).await?.into_iter().map(Begun::from).collect())
    }

    async fn give_up(&self, digest: &Digest) -> Result<bool, PortError> {
        let path = partial::place(&self.blob(digest), digest);
        blocking(move || incoming::give_up(&path)).await
    }
}

impl FileStore {
    /// The files below the store whose name says a digest.
    async fn files(&self, digest: fn(&str) -> Option<Digest>) -> Result<Vec<Stored>, PortError> {
        let root = self.root.join("blobs").join("sha256");
        blocking(move || {
            let mut stored = vec![];
            for folder in entries(&root)? {
                for path in if folder.is_dir() { entries(&folder)? } else { vec![] } {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    if let Some(digest) = digest(&name) {
                        stored.extend(described(&path, digest)?);
                    }
                }
            }
            Ok(stored)
        })
        .await
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, PortError> {
    let failed = |error: std::io::Error| local("list", folder, &error);
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(failed(error)),
    }
}

/// A file as it stands there; nothing for one that has gone meanwhile.
fn described(path: &Path, digest: Digest) -> Result<Option<Stored>, PortError> {
    let failed = |error: std::io::Error| local("read", path, &error);
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(failed)?,
    };
    let modified = metadata.modified().map_err(failed)?;
    let seconds = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let written = Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let written = written.map_err(|error| local("read", path, &std::io::Error::other(error)))?;
    Ok(Some(Stored { digest, size: metadata.len(), written }))
}

fn missing(blob: &Path, digest: &Digest) -> PortError {
    let at = blob.display();
    PortError::new(Problem::NotFound, format!("read {digest} from the store"), format!("{at} does not exist"))
        .hint("check that the store is the one the release was made with")
}

fn open(blob: &Path, digest: &Digest) -> Result<File, PortError> {
    File::open(blob).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(blob, digest),
        _ => local("read", blob, &error),
    })
}

/// A file that is found again counts as written anew, so that it is not taken away from the release that needs it. One that
/// belongs to somebody else is not ours to mark, and is written again.
fn renew(blob: &Path) -> std::io::Result<()> {
    let now = u64::try_from(SystemClock.now().as_millis()).unwrap_or_default();
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now);
    File::options().write(true).open(blob)?.set_modified(now)
}

/// Reads a stored file and compares its digest with its name.
fn verify(blob: &Path, digest: &Digest) -> Result<(), PortError> {
    check(blob, digest, &mut open(blob, digest)?)
}

fn check(blob: &Path, digest: &Digest, content: &mut dyn Read) -> Result<(), PortError> {
    let found = copy_hashing(content, &mut std::io::sink()).map_err(|error| local("read", blob, &error))?;
    if found == *digest {
        return Ok(());
    }
    let message = format!("{} holds {found}", blob.display());
    Err(damaged(PortError::new(Problem::Invalid, format!("read {digest} from the store"), message), blob))
}

fn damaged(error: PortError, blob: &Path) -> PortError {
    match error.problem {
        Problem::Invalid => {
            error.hint(format!("{} is damaged; restore it from a backup or release again", blob.display()))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use tagship_ports::conformance;

    use super::*;

    #[tokio::test]
    async fn behaves_like_every_store() {
        let (directory, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        conformance::artifact_store(&FileStore::new(directory.path()), scratch.path()).await;
    }

    #[tokio::test]
    async fn a_damaged_file_is_never_handed_out_and_is_healed_by_the_next_put() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path());
        let mut sink = std::io::sink();
        let digest = copy_hashing(&mut &b"weights"[..], &mut sink).unwrap();
        store.put_bytes(&digest, b"weights").await.unwrap();
        fs::write(store.blob(&digest), b"changed").unwrap();
        let error = store.get_bytes(&digest, 100).await.unwrap_err();
        assert_eq!(error.problem, Problem::Invalid);
        let to = directory.path().join("out");
        assert_eq!(store.get(&digest, &to).await.unwrap_err().problem, Problem::Invalid);
        assert!(!to.exists(), "nothing half-written may appear");
        store.put_bytes(&digest, b"weights").await.unwrap();
        assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), b"weights");
    }

    #[tokio::test]
    async fn what_stands_in_the_way_is_named_and_nothing_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let digest = copy_hashing(&mut &b"weights"[..], &mut std::io::sink()).unwrap();
        fs::write(directory.path().join("blobs"), b"a file where a directory should be").unwrap();
        let store = FileStore::new(directory.path());
        let error = store.put_bytes(&digest, b"weights").await.unwrap_err();
        assert_eq!(error.problem, Problem::Local);
        assert!(error.operation.contains("blobs"), "{error}");
        assert!(!store.has(&digest).await.unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_refused_file_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path());
        let digest = copy_hashing(&mut &b"weights"[..], &mut std::io::sink()).unwrap();
        store.put_bytes(&digest, b"other").await.unwrap_err();
        let folder = store.blob(&digest).parent().unwrap().to_owned();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_there_is_listed_by_digest_and_can_be_removed() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path());
        assert_eq!(store.list().await.unwrap(), []);
        let digest = copy_hashing(&mut &b"weights"[..], &mut std::io::sink()).unwrap();
        store.put_bytes(&digest, b"weights").await.unwrap();
        let blob = store.blob(&digest);
        fs::write(blob.with_file_name(".a-temporary-file"), b"x").unwrap();
        let [stored] = store.list().await.unwrap().try_into().unwrap();
        assert_eq!((&stored.digest, stored.size), (&digest, 7));
        assert!(stored.written.as_seconds() > 1_700_000_000, "{}", stored.written);
        for _ in 0..2 {
            store.remove(&digest).await.unwrap();
        }
        assert_eq!(store.list().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_copy_that_never_ended_is_listed_apart_and_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path());
        let digest = copy_hashing(&mut &b"weights"[..], &mut std::io::sink()).unwrap();
        let path = partial::place(&store.blob(&digest), &digest);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"weig").unwrap();
        assert_eq!(store.list().await.unwrap(), []);
        let [begun] = store.unfinished().await.unwrap().try_into().unwrap();
        assert_eq!((&begun.stored.digest, begun.stored.size), (&digest, 4));
        let busy = crate::exclusive::open_exclusively(&path).unwrap();
        assert!(!store.give_up(&digest).await.unwrap() && path.exists(), "a run is at it");
        drop(busy);
        for _ in 0..2 {
            assert!(store.give_up(&digest).await.unwrap());
        }
        assert_eq!(store.unfinished().await.unwrap(), []);
    }

    #[test]
    fn settings_choose_the_directory_and_nothing_else() {
        let root = Path::new("repository");
        let open = |json: serde_json::Value| {
            let moved: Moved = Arc::new(|_| {});
            FileStore::from_settings(json.as_object().unwrap(), root, &moved)
        };
        let store = open(serde_json::json!({})).unwrap();
        assert_eq!(store.root, root.join(DEFAULT));
        let store = open(serde_json::json!({ "path": "x" })).unwrap();
        assert_eq!(store.root, root.join("x"));
        let error = open(serde_json::json!({ "bucket": "x" })).unwrap_err();
        assert!(error.message.contains("bucket"), "{error}");
    }

    #[tokio::test]
    async fn what_is_stored_again_counts_as_written_anew() {
        let (directory, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = FileStore::new(directory.path());
        let digest = copy_hashing(&mut &b"abc"[..], &mut std::io::sink()).unwrap();
        let file = scratch.path().join("abc");
        fs::write(&file, b"abc").unwrap();
        store.put(&digest, &file).await.unwrap();
        for again in 0..2 {
            let blob = File::options().write(true).open(store.blob(&digest)).unwrap();
            blob.set_modified(std::time::UNIX_EPOCH).unwrap();
            assert_eq!(store.list().await.unwrap()[0].written.as_seconds(), 0);
            match again {
                0 => store.put(&digest, &file).await.unwrap(),
                _ => store.put_bytes(&digest, b"abc").await.unwrap(),
            }
            assert!(store.list().await.unwrap()[0].written.as_seconds() > 0);
        }
    }
}

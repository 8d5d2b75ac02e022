//! A store that remembers small files: a manifest is read at every step of a rollout, and never changes.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tagship_domain::{Digest, Manifest, Release};
use tagship_ports::{ArtifactStore, PortError, artifact_store::Place};

/// Largest file that is remembered, in bytes.
const LARGEST: usize = 1 << 20;
/// How much is remembered at most, in bytes.
const ROOM: usize = 16 << 20;

/// A store with a memory. What it remembers was verified when it was read or written, and a digest means the same bytes
/// for ever.
pub struct Remembering {
    store: Arc<dyn ArtifactStore>,
    known: Mutex<BTreeMap<Digest, Vec<u8>>>,
}

impl std::fmt::Debug for Remembering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembering").finish_non_exhaustive()
    }
}

impl Remembering {
    /// The same store, with a memory.
    pub const fn new(store: Arc<dyn ArtifactStore>) -> Self {
        Self { store, known: Mutex::new(BTreeMap::new()) }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Digest, Vec<u8>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, digest: &Digest, bytes: &[u8]) {
        let mut known = self.known();
        let used: usize = known.values().map(Vec::len).sum();
        if bytes.len() <= LARGEST && used + bytes.len() <= ROOM {
            known.insert(digest.clone(), bytes.to_vec());
        }
    }
}

#[async_trait]
impl ArtifactStore for Remembering {
    fn location(&self) -> String {
        self.store.location()
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        self.store.put(digest, file).await
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        self.store.put_bytes(digest, bytes).await?;
        self.remember(digest, bytes);
        Ok(())
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        self.store.has(digest).await
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        self.store.get(digest, to).await
    }

    async fn publish(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        self.store.publish(release, manifest).await
    }

    fn address(&self, digest: &Digest) -> Option<String> {
        self.store.address(digest)
    }

    async fn places(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        self.store.places(release, manifest).await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        let known = self.known().get(digest).cloned();
        if let Some(bytes) = known.filter(|bytes| bytes.len() as u64 <= limit) {
            return Ok(bytes);
        }
        let bytes = self.store.get_bytes(digest, limit).await?;
        self.remember(digest, &bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use tagship_ports::conformance;

    use super::*;
    use crate::{disk::copy_hashing, stores::FileStore};

    #[tokio::test]
    async fn behaves_like_every_store() {
        let (directory, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        conformance::artifact_store(
            &Remembering::new(Arc::new(FileStore::new(directory.path()))),
            scratch.path(),
        )
        .await;
    }

    #[tokio::test]
    async fn what_was_read_once_is_not_asked_for_again_but_never_beyond_a_limit() {
        let directory = tempfile::tempdir().unwrap();
        let store = Remembering::new(Arc::new(FileStore::new(directory.path())));
        let digest = copy_hashing(&mut &b"manifest"[..], &mut std::io::sink()).unwrap();
        store.put_bytes(&digest, b"manifest").await.unwrap();
        drop(directory);
        assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), b"manifest");
        store.get_bytes(&digest, 3).await.unwrap_err();
    }
}

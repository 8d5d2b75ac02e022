//! Files in memory, by digest. `put` and `get` touch the file system, because their contract is about paths.

use std::{collections::BTreeMap, fmt, fs, io, path::Path, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::Digest;

use super::{Faults, lock::held};
use crate::{ArtifactStore, PortError, Problem};

/// Files in memory, by digest.
pub struct FakeArtifactStore {
    /// What goes wrong in `put`, `put_bytes`, `has`, `get` and `get_bytes`.
    pub faults: Faults,
    digest_of: fn(&[u8]) -> Digest,
    files: Mutex<BTreeMap<Digest, Vec<u8>>>,
}

impl FakeArtifactStore {
    /// An empty store. `digest_of` is sha256, or whatever a test agrees with itself to use in its place.
    pub fn new(digest_of: fn(&[u8]) -> Digest) -> Self {
        Self { faults: Faults::default(), digest_of, files: Mutex::default() }
    }

    /// Stores bytes without a file and answers their digest.
    pub fn hold(&self, bytes: &[u8]) -> Digest {
        let digest = (self.digest_of)(bytes);
        held(&self.files).insert(digest.clone(), bytes.to_vec());
        digest
    }

    /// Replaces what lies under a digest, as a broken disk would.
    pub fn damage(&self, digest: &Digest, bytes: &[u8]) {
        held(&self.files).insert(digest.clone(), bytes.to_vec());
    }

    fn verified(&self, operation: &str, digest: &Digest) -> Result<Vec<u8>, PortError> {
        let bytes = held(&self.files).get(digest).cloned().ok_or_else(|| {
            PortError::new(Problem::NotFound, operation, format!("{digest} is not in the store"))
        })?;
        self.check(operation, digest, bytes)
    }

    fn check(&self, operation: &str, digest: &Digest, bytes: Vec<u8>) -> Result<Vec<u8>, PortError> {
        let found = (self.digest_of)(&bytes);
        if found == *digest {
            return Ok(bytes);
        }
        Err(PortError::new(Problem::Invalid, operation, format!("the bytes have {found}, not {digest}")))
    }
}

#[async_trait]
impl ArtifactStore for FakeArtifactStore {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        let store = || {
            let operation = format!("store {}", file.display());
            let bytes = fs::read(file).map_err(|error| local(&operation, &error))?;
            let bytes = self.check(&operation, digest, bytes)?;
            held(&self.files).insert(digest.clone(), bytes);
            Ok(())
        };
        self.faults.around("put", store).await
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let store = || {
            let bytes = self.check(&format!("store {digest}"), digest, bytes.to_vec())?;
            held(&self.files).insert(digest.clone(), bytes);
            Ok(())
        };
        self.faults.around("put_bytes", store).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        self.faults.around("has", || Ok(held(&self.files).contains_key(digest))).await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        let read = || {
            let operation = format!("read {digest}");
            let bytes = self.verified(&operation, digest)?;
            if bytes.len() as u64 <= limit {
                return Ok(bytes);
            }
            let size = bytes.len();
            Err(PortError::new(Problem::Invalid, operation, format!("{size} bytes, more than {limit}")))
        };
        self.faults.around("get_bytes", read).await
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        let fetch = || {
            let operation = format!("fetch {digest} to {}", to.display());
            let bytes = self.verified(&operation, digest)?;
            let parent = to.parent().unwrap_or(to);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(to, bytes))
                .map_err(|error| local(&operation, &error))
        };
        self.faults.around("get", fetch).await
    }
}

impl fmt::Debug for FakeArtifactStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeArtifactStore").field("files", &held(&self.files).len()).finish_non_exhaustive()
    }
}

fn local(operation: &str, error: &io::Error) -> PortError {
    PortError::new(Problem::Local, operation, error.to_string())
}

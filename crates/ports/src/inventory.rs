//! What a store holds, for taking away what nothing refers to and what was never ended.

use async_trait::async_trait;
use tagship_domain::{Digest, Timestamp};

use crate::PortError;

/// A file in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its digest, by its name; what it holds is not looked at.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub written: Timestamp,
}

/// A store whose files can be listed and removed.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Every whole file. What does not have the name of a digest is none of ours and not among them.
    async fn list(&self) -> Result<Vec<Stored>, PortError>;

    /// Removes a file. One that is not there is no error.
    async fn remove(&self, digest: &Digest) -> Result<(), PortError>;

    /// Uploads that were begun and have not ended: what is there of them, and when that was written. None for a store that
    /// ends them by itself.
    async fn unfinished(&self) -> Result<Vec<Stored>, PortError> {
        Ok(vec![])
    }

    /// Takes away what is there of an upload that has not ended; answers whether that is gone now. One that a run is at, or that
    /// is none of ours, stays, and is no error.
    async fn give_up(&self, _digest: &Digest) -> Result<bool, PortError> {
        Ok(false)
    }
}

//! What a store holds, for taking away what nothing refers to and what was never ended.

use std::collections::BTreeSet;

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

/// An upload that was begun and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The digest it is known by, the bytes that are there of it, and when the newest of them were written.
    pub stored: Stored,
    /// Whole files that lie in it and perhaps nowhere else: it stays as long as one of them is needed.
    pub holds: BTreeSet<Digest>,
}

impl From<Stored> for Begun {
    /// One that holds no whole file.
    fn from(stored: Stored) -> Self {
        Self { stored, holds: BTreeSet::new() }
    }
}

/// A store whose files can be listed and removed.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Every whole file. What does not have the name of a digest is none of ours and not among them.
    async fn list(&self) -> Result<Vec<Stored>, PortError>;

    /// Removes a file. One that is not there is no error.
    async fn remove(&self, digest: &Digest) -> Result<(), PortError>;

    /// Uploads that were begun and have not ended. None for a store that ends them by itself.
    async fn unfinished(&self) -> Result<Vec<Begun>, PortError> {
        Ok(vec![])
    }

    /// Takes away what is there of an upload that has not ended; answers whether that is gone now. One that a run is at, or that
    /// is none of ours, stays, and is no error.
    async fn give_up(&self, _digest: &Digest) -> Result<bool, PortError> {
        Ok(false)
    }
}

//! Model registries and other places that artifacts come from, before they are versions of ours.
//!
//! What comes from there is as untrusted as every artifact: it is fetched within limits, and judged afterwards.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tagship_domain::{FileEntry, release::OriginRun, signature::Signature};

use crate::{PortError, target::Done};

/// A version that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredVersion {
    /// Its number; later ones are larger.
    pub number: u64,
    /// What people noted about it.
    pub tags: BTreeMap<String, String>,
}

/// An artifact that was written to a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The artifact itself: a file, or a directory.
    pub path: PathBuf,
    /// Its files with the digests that they had while they were written.
    pub files: Vec<FileEntry>,
    /// Whether it is one file rather than a directory.
    pub single_file: bool,
    /// The interface that the place says it has, where it says one.
    pub signature: Option<Signature>,
    /// The run of a workflow that kept it, where one did.
    pub run: Option<OriginRun>,
}

/// One model of a model registry.
#[async_trait]
pub trait ModelRegistry: Send + Sync {
    /// What it is, for messages and for the record of a release, without credentials.
    fn location(&self) -> String;

    /// The versions that are complete and whose number is larger than `after`, newest first. A model that is not there is
    /// [`crate::Problem::NotFound`].
    async fn versions(&self, after: u64) -> Result<Vec<RegisteredVersion>, PortError>;

    /// The number of the version that an alias names; absent where there is no such alias.
    async fn aliased(&self, alias: &str) -> Result<Option<u64>, PortError>;

    /// Has an alias name a version, whatever it named before. It names it already: [`Done::AlreadyThere`], and nothing is
    /// written. A version that is not there is [`crate::Problem::NotFound`].
    async fn point(&self, alias: &str, number: u64) -> Result<Done, PortError>;

    /// Writes the files of a version below `directory`, which is empty and nobody else's, of at most `limit` bytes
    /// together; more is [`crate::Problem::Invalid`]. A version that is not there is [`crate::Problem::NotFound`].
    async fn fetch(&self, number: u64, directory: &Path, limit: u64) -> Result<Fetched, PortError>;
}

/// A place that holds one artifact at a time, without versions.
#[async_trait]
pub trait ArtifactPlace: Send + Sync {
    /// What it is, for messages and for the record of a release, without credentials.
    fn location(&self) -> String;

    /// As [`ModelRegistry::fetch`], of what is there now.
    async fn fetch(&self, directory: &Path, limit: u64) -> Result<Fetched, PortError>;
}

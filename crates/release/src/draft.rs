//! What is to be released, and what came of it.

use std::path::PathBuf;

use tagship_domain::{
    CommitId, FileEntry, ModelName, Provenance, Release, Timestamp, Version,
    gate::GateReport,
    release::{Evidence, Origin},
    validation::ValidationReport,
};
use tagship_registry::{Number, Options};

use crate::card::Readme;

/// A file on disk with the digest it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it lies.
    pub path: PathBuf,
    /// How it stands in the manifest.
    pub entry: FileEntry,
}

/// What is to be released.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The model.
    pub model: ModelName,
    /// Path of the artifact in the repository, for the check for uncommitted changes; absent where it lies elsewhere.
    pub artifact: Option<String>,
    /// Where the bytes were taken from; absent for those of the repository.
    pub origin: Option<Origin>,
    /// Its files.
    pub files: Vec<SourceFile>,
    /// Whether it is one file rather than a directory.
    pub single_file: bool,
    /// The README beside it; empty where there is none.
    pub readme: Readme,
    /// Files for later judgements.
    pub evidence: Vec<(Evidence, SourceFile)>,
    /// What validation said.
    pub validation: ValidationReport,
    /// What the gate said.
    pub gate: GateReport,
    /// Which number it takes; the next one by comparison with the newest release where absent.
    pub number: Option<Number>,
    /// The commit that was checked out.
    pub commit: CommitId,
    /// Who releases it.
    pub by: Provenance,
    /// The time.
    pub now: Timestamp,
    /// What `.gto` says.
    pub options: Options,
}

/// A release that exists now.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The release.
    pub release: Release,
    /// Whether it was made now; false where these bytes were released before.
    pub new: bool,
    /// Which part was raised and why, where it was made now.
    pub because: Option<String>,
}

impl Draft {
    /// The given one of two numbers, where it was given by a person.
    pub(crate) fn given(&self, number: Number) -> Option<Version> {
        match (&self.number, number) {
            (Some(Number::Exactly(_)), Number::Exactly(version)) => Some(version),
            _ => None,
        }
    }

    /// Where the bytes come from, for the end of a sentence.
    pub(crate) fn from(&self) -> String {
        let origin = self.origin.as_ref();
        origin.map_or_else(String::new, |origin| format!("; they come from {origin}"))
    }
}

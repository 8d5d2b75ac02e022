//! A release: one version of a model, with everything that was known when it was made.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    digest::{CommitId, Digest, FileEntry},
    gate::GateReport,
    name::ModelName,
    schema::Document,
    signature::Signature,
    time::Timestamp,
    validation::ValidationReport,
    version::Version,
};

/// A pointer to a release, small enough to stand in every journal entry. All of it is in the version's tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: Version,
    /// Digest of the artifact's bytes: the identity of what is deployed.
    pub digest: Digest,
    /// Digest of the manifest, by which the store finds it.
    pub manifest: Digest,
    /// The commit that the version's tag points at.
    pub commit: CommitId,
}

/// Who did something, and in which run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Login or name of the person or bot.
    pub actor: String,
    /// Where the run can be looked at, where there is such a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// Where the bytes of a release were before, where that was not the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The place, as the configuration names it without a version: kind and address.
    pub place: String,
    /// The version that they had there: its name in a model registry, else the digest of the bytes.
    pub version: String,
    /// Which run of a workflow kept them, where one did: a place of that name is in every run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<OriginRun>,
}

/// A run of a workflow that kept an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OriginRun {
    /// Its id.
    pub id: u64,
    /// Which attempt of it, from 1; absent where the host did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, version {}", self.place, self.version)?;
        match self.run {
            None => Ok(()),
            Some(run) => write!(f, ", of {run}"),
        }
    }
}

impl fmt::Display for OriginRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            None => write!(f, "run {}", self.id),
            Some(attempt) => write!(f, "run {}, attempt {attempt}", self.id),
        }
    }
}

/// `tagship.manifest.json`: what a release consists of and why it was allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: Version,
    /// Digest of the artifact.
    pub digest: Digest,
    /// Format by content.
    pub format: String,
    /// Size of all files in bytes.
    pub size: u64,
    /// Every file of the artifact. A single-file artifact has one entry, with the file's own name.
    pub files: Vec<FileEntry>,
    /// Whether the artifact is one file rather than a directory.
    pub single_file: bool,
    /// The model's interface, where the format tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Every numeric metric by dotted path.
    pub metrics: BTreeMap<String, f64>,
    /// Files that later judgements need (predictions on the test rows, golden cases), by role.
    pub evidence: BTreeMap<Evidence, FileEntry>,
    /// Documents about the release that lie beside it in the store: its signature, what people and tools read about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attachments: BTreeMap<Attachment, FileEntry>,
    /// What validation said.
    pub validation: ValidationReport,
    /// What the gate said.
    pub gate: GateReport,
    /// The commit that the bytes were built from; for bytes of another place the one whose configuration named it.
    pub commit: CommitId,
    /// Where the bytes were taken from; absent for those of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Who released it, and in which run.
    pub by: Provenance,
    /// When.
    pub created: Timestamp,
    /// The release that was the newest before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Version>,
}

/// What a file of evidence is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Predictions on the held-out rows, for comparing the next candidate row by row.
    Predictions,
    /// Golden cases, for the smoke check of every later deployment of this version.
    Golden,
}

/// What a document beside a release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// A sigstore bundle by the `OpenSSF` Model Signing standard, over all files of the artifact.
    Signature,
    /// The README beside the model, completed with what was measured and decided.
    ModelCard,
    /// A bill of materials, `CycloneDX` 1.6.
    BillOfMaterials,
}

impl Attachment {
    /// Name of its file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Signature => "model.sig.json",
            Self::ModelCard => "model-card.md",
            Self::BillOfMaterials => "bom.cdx.json",
        }
    }
}

impl Document for Manifest {
    const SCHEMA: &'static str = "tagship/manifest/v1";
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.model, self.version)
    }
}

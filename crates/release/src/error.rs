//! What can go wrong with a release.

use tagship_domain::{
    CommitId, Digest, Environment, Exit, ModelName, Provenance, Timestamp, Version, schema::DocumentError,
};
use tagship_ports::PortError;
use tagship_registry::RegistryError;

use crate::signing::SignatureError;

/// Why a release was not made, found or fetched.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The outside failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The registry says no.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Validation or the gate did not pass, or judged other bytes.
    #[error("release {model}: {why}; only what passed validation and the gate is released")]
    NotJudged {
        /// The model.
        model: ModelName,
        /// What is missing.
        why: String,
    },
    /// The artifact in the working tree is not the committed one.
    #[error("release {model}: {} changed since the last commit; commit them, so that the tag names what is released", paths.join(", "))]
    Uncommitted {
        /// The model.
        model: ModelName,
        /// Some of the changed paths.
        paths: Vec<String>,
    },
    /// Other runs created tags of this model faster, again and again.
    #[error(
        "release {model}: other runs were faster {attempts} times in a row; run again when they are done"
    )]
    Contended {
        /// The model.
        model: ModelName,
        /// How often it was tried.
        attempts: u32,
    },
    /// A journal of claims is not what a run writes.
    #[error("read the claims in journal {journal}: {why}; delete that journal when no release is being made")]
    BadClaims {
        /// The journal.
        journal: String,
        /// What is wrong.
        why: String,
    },
    /// A journal of places is not what a run writes.
    #[error(
        "read where releases are shown, in journal {journal}: {why}; restore an earlier entry of that journal; deleted, it would leave the images of all versions unknown"
    )]
    BadPlaces {
        /// The journal.
        journal: String,
        /// What is wrong.
        why: String,
    },
    /// Bytes that are to be released are being removed, because nothing referred to them.
    #[error(
        "lease {digest}: `tagship registry gc` of {} is removing it; run again when that has ended, at the latest after {}", by.actor, until.readable()
    )]
    BeingRemoved {
        /// What is removed.
        digest: Digest,
        /// Who removes it.
        by: Provenance,
        /// When a removal counts as dead.
        until: Timestamp,
    },
    /// What was stored for a release may have been removed again: it took too long.
    #[error(
        "release: it took longer than its lease of the stored files, so that they may be removed by now; run again"
    )]
    LeaseEnded,
    /// Another run is removing what nothing refers to.
    #[error(
        "remove what no release refers to: {} is doing that; run again when that has ended, at the latest after {}", by.actor, until.readable()
    )]
    OtherSweep {
        /// Who.
        by: Provenance,
        /// When it counts as dead.
        until: Timestamp,
    },
    /// Other runs moved the journal of leases faster, again and again.
    #[error(
        "write the journal of leases: other runs were faster {attempts} times in a row; run again when they are done"
    )]
    ContendedLeases {
        /// How often it was tried.
        attempts: u32,
    },
    /// Other runs created the next tag faster, again and again.
    #[error(
        "create tag {tag}: other runs were faster {attempts} times in a row; run again when they are done"
    )]
    Overtaken {
        /// The tag of the last try.
        tag: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A stage that a rollout moves is to be moved by a tag alone.
    #[error(
        "change what {model}#{environment} holds: {model} is rolled out there, so a tag alone would say what does not serve"
    )]
    RolledOut {
        /// The model.
        model: ModelName,
        /// The environment.
        environment: Environment,
    },
    /// Another number is asked for than the one that a run has begun to release these bytes as.
    #[error(
        "release {model} {wanted}: a run has begun to release these bytes as {begun}, and bytes have one version; finish that with `tagship release` without --version"
    )]
    Begun {
        /// The model.
        model: ModelName,
        /// What was begun.
        begun: Version,
        /// What was asked for.
        wanted: Version,
    },
    /// The version's tag holds no digest or manifest.
    #[error(
        "read {model}@{version}: its tag names no manifest, so another tool made it; release it with tagship first"
    )]
    Foreign {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
    /// No such version.
    #[error("find {model}@{version}: no such version is registered{}", known(.registered))]
    UnknownVersion {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// What there is.
        registered: Vec<Version>,
    },
    /// The environment holds nothing.
    #[error("find {model}#{environment}: the environment holds no version of this model")]
    EmptyEnvironment {
        /// The model.
        model: ModelName,
        /// The environment.
        environment: Environment,
    },
    /// Nothing is known of what a store must keep.
    #[error(
        "find what releases refer to: no tag names a manifest, so everything would go; fetch all tags (`git fetch --tags`), or remove the store by hand"
    )]
    NothingReferenced,
    /// A tag makes no sense, so that what it refers to is not known.
    #[error(
        "find what releases refer to: {what}; see `tagship registry doctor`, nothing is removed before that is put right"
    )]
    UnclearTags {
        /// The finding.
        what: String,
    },
    /// The text names no release.
    #[error(
        "{text:?} names no release; write model@version (churn@v1.4.0) or model#environment (churn#production)"
    )]
    BadReference {
        /// The text.
        text: String,
    },
    /// The manifest is not what its tag or digest says.
    #[error("read the manifest {digest}: {why}")]
    BadManifest {
        /// Its digest.
        digest: Digest,
        /// What is wrong.
        why: String,
    },
    /// A manifest that this build can't read or write.
    #[error("read the manifest: {0}")]
    Document(#[from] DocumentError),
    /// The release has no signature, and one is required.
    #[error("believe {model}@{version}: it was released without a signature, and a signature is required")]
    Unsigned {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
    /// The signature of a release was not made, or is not believed.
    #[error("{model}@{version}: failed to {source}")]
    Signature {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Why.
        source: Box<SignatureError>,
    },
    /// The commit holds another version, and there is no journal to register a second one.
    #[error("release {model}: commit {} already is {version}", commit.short())]
    CommitTaken {
        /// The model.
        model: ModelName,
        /// The commit.
        commit: CommitId,
        /// What it is.
        version: Version,
    },
}

impl ReleaseError {
    /// The exit code that a program ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotJudged { .. } | Self::Unsigned { .. } => Exit::Negative,
            Self::Signature { source, .. } => source.exit(),
            Self::Uncommitted { .. }
            | Self::BadReference { .. }
            | Self::UnknownVersion { .. }
            | Self::NothingReferenced
            | Self::UnclearTags { .. }
            | Self::RolledOut { .. }
            | Self::Registry(RegistryError::VersionTaken { .. } | RegistryError::BytesTaken { .. }) => {
                Exit::Usage
            }
            _ => Exit::Incomplete,
        }
    }
}

fn known(versions: &[Version]) -> String {
    if versions.is_empty() {
        return String::new();
    }
    let names: Vec<_> = versions.iter().take(5).map(ToString::to_string).collect();
    format!("; there is {}", names.join(", "))
}

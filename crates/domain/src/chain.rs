//! The chain of evidence of a release: from its bytes over what judged them to the traffic they got.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    digest::{CommitId, Digest},
    exit::Exit,
    name::Environment,
    release::{Manifest, Provenance, Release},
    rollout::{Kind, Phase, RolloutId},
    schema::Document,
    time::Timestamp,
};

/// Everything that is known about a release and how it came to be where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Chain {
    /// The release, as its tag has it.
    pub release: Release,
    /// The tag that made it.
    pub tag: TagLink,
    /// Where its bytes are kept.
    pub store: String,
    /// Where other tools find it there, by the digests of what they read. Empty where the store shows it to none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceLink>,
    /// What it consists of and how it was judged; absent where the manifest cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    /// The commit that the bytes were built from; absent where this clone does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLink>,
    /// Who signed it; absent where it is not signed, or the signature is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureLink>,
    /// What the repository's host attests about these bytes; absent where it attests nothing, or was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Attested>,
    /// How it came to the environment that was asked about; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageLink>,
    /// What was checked again. Empty where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<ChainCheck>,
}

/// Where other tools find a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceLink {
    /// What lies there, e.g. `modelpack`, or `modelcar` for an image whose files lie under `/models`.
    pub layout: String,
    /// Its address, by digest, e.g. `oci://ghcr.io/acme/churn@sha256:...`: as the release put it there, or, where nobody knows
    /// that, as its tag names it now.
    pub reference: String,
    /// Whether its tag names that.
    pub tag: PlaceTag,
    /// What the tag names instead, where it names something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// What the tag of a place names now. Who may push to a registry may move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceTag {
    /// What the release put there.
    AsReleased,
    /// Nobody knows what the release put there.
    NotRecorded,
    /// Nothing, and nobody knows whether the release put something there.
    Absent,
    /// Something else.
    Moved,
    /// Nothing any more.
    Gone,
}

/// A tag of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagLink {
    /// Its name.
    pub name: String,
    /// Who made it, in which run.
    pub by: Provenance,
    /// When.
    pub at: Timestamp,
    /// Why, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The commit that bytes were built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceLink {
    /// Its id.
    pub commit: CommitId,
    /// Name of its author.
    pub author: String,
    /// When it was written.
    pub at: Timestamp,
    /// First line of its message.
    pub subject: String,
    /// The pull requests that brought it; absent where nobody could be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_requests: Option<Vec<u64>>,
}

/// A signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureLink {
    /// Hint of the key that signed: the sha256 of its PEM text.
    pub key: String,
    /// Digest of the bundle.
    pub bundle: Digest,
}

/// What a host attests about the bytes of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attested {
    /// How many attestations of a build the host keeps for these bytes.
    pub kept: usize,
    /// Those that were verified. Empty where none was, or nobody tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<AttestationLink>,
}

/// An attestation that was verified: what its certificate says, which the workflow that asked for it could not choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttestationLink {
    /// The workflow that vouches, as `owner/name/.github/workflows/release.yml@refs/heads/main`.
    pub workflow: String,
    /// The branch or tag that its run was for.
    pub reference: String,
    /// The commit that its run was for.
    pub commit: CommitId,
    /// The run, where the certificate names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// How a release came to an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageLink {
    /// The environment.
    pub environment: Environment,
    /// The tag that says so.
    pub tag: TagLink,
    /// The newest rollout there; absent where the journal has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutLink>,
}

/// A rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutLink {
    /// Its id.
    pub id: RolloutId,
    /// Deploy or rollback.
    pub kind: Kind,
    /// What it rolled out.
    pub candidate: Release,
    /// Where it stands.
    pub phase: Phase,
    /// The same as a sentence.
    pub message: String,
    /// Who started it, in which run.
    pub by: Provenance,
    /// When it started.
    pub started: Timestamp,
    /// When it entered its phase.
    pub since: Timestamp,
    /// Who led it on past steps or metrics that were not done; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Provenance>,
}

/// One thing that was checked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainCheck {
    /// Which link, in one stable word.
    pub link: ChainPart,
    /// What came out.
    pub outcome: ChainOutcome,
    /// The same as a sentence.
    pub sentence: String,
}

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChainPart {
    /// The manifest has the digest that the tag names, and describes this release.
    Manifest,
    /// Every file in the store has the digest that the manifest names.
    Bytes,
    /// So has what lies beside them.
    Documents,
    /// Validation judged these bytes, and let them through.
    Validation,
    /// The gate judged these bytes, and let them through.
    Gate,
    /// Tags by which other tools find it in its store name what the release put there.
    Places,
    /// A trusted key signed these bytes under this name.
    Signature,
    /// What the repository's host attests about these bytes is genuine, and says what the manifest says.
    Attestation,
    /// The commit that the bytes were built from is there.
    Commit,
    /// The journal of the environment agrees with its tag.
    Stage,
}

/// What checking a link came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChainOutcome {
    /// There is nothing to check, and nothing has to be there.
    NotApplicable,
    /// It holds.
    Holds,
    /// It could not be checked.
    Unknown,
    /// It is broken.
    Broken,
}

impl Document for Chain {
    const SCHEMA: &'static str = "tagship/chain/v1";
}

impl Chain {
    /// The worst of what was checked.
    pub fn outcome(&self) -> ChainOutcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(ChainOutcome::NotApplicable)
    }

    /// Exit code: a broken link 1, one that could not be checked 3, else 0.
    pub fn exit(&self) -> Exit {
        match self.outcome() {
            ChainOutcome::Broken => Exit::Negative,
            ChainOutcome::Unknown => Exit::Incomplete,
            ChainOutcome::Holds | ChainOutcome::NotApplicable => Exit::Done,
        }
    }
}

impl ChainCheck {
    /// A check.
    pub fn of(link: ChainPart, outcome: ChainOutcome, sentence: impl Into<String>) -> Self {
        Self { link, outcome, sentence: sentence.into() }
    }
}

impl ChainPart {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Bytes => "bytes",
            Self::Documents => "documents",
            Self::Validation => "validation",
            Self::Gate => "gate",
            Self::Places => "places",
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Commit => "commit",
            Self::Stage => "stage",
        }
    }
}

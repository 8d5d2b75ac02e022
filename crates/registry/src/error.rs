//! Everything the registry can refuse.

use tagship_domain::{CommitId, Version};

/// Why a question to the registry has no answer or a write no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// No usable tag names this model.
    #[error("model {model} is not in the registry (known: {})", list(.known))]
    UnknownModel {
        /// The name asked for.
        model: String,
        /// Every model there is.
        known: Vec<String>,
    },
    /// The model's tags contradict each other.
    #[error("the tags of model {model} contradict each other: {reason}")]
    Quarantined {
        /// The model.
        model: String,
        /// What is wrong.
        reason: String,
    },
    /// The model has no such active version.
    #[error("model {model} has no active version {version} (active: {})", list(.active))]
    UnknownVersion {
        /// The model.
        model: String,
        /// The version asked for, `latest` included.
        version: String,
        /// Every active version, highest first.
        active: Vec<String>,
    },
    /// No version holds the stage.
    #[error("no version of model {model} is in stage {stage}")]
    NothingInStage {
        /// The model.
        model: String,
        /// The stage.
        stage: String,
    },
    /// The repository's `.gto` does not list the stage.
    #[error("stage {stage} is not one of the stages that .gto allows ({})", list(.allowed))]
    StageNotAllowed {
        /// The stage.
        stage: String,
        /// The allow-list.
        allowed: Vec<String>,
    },
    /// The commit already is another version of the model.
    #[error("commit {} already is version {version} of model {model}", .commit.short())]
    CommitTaken {
        /// The model.
        model: String,
        /// The commit.
        commit: CommitId,
        /// The version it is.
        version: Version,
    },
    /// The number already is another commit's.
    #[error("{version} of model {model} already is commit {}", .commit.short())]
    VersionTaken {
        /// The model.
        model: String,
        /// The version.
        version: Version,
        /// Its commit.
        commit: CommitId,
    },
    /// The bytes already are another version.
    #[error("the bytes of {model} {wanted} already are version {version}")]
    BytesTaken {
        /// The model.
        model: String,
        /// What they are.
        version: Version,
        /// What they were to be.
        wanted: Version,
    },
    /// No tag of this name is an event of the registry.
    #[error("{tag} is no tag of the registry in this repository")]
    NoEvent {
        /// The name.
        tag: String,
    },
    /// Git can't hold both names, as one is a directory of the other.
    #[error("tag {tag} cannot exist beside tag {existing}: git keeps one as a directory of the other")]
    RefClash {
        /// The tag to be made.
        tag: String,
        /// The one in its way.
        existing: String,
    },
    /// The highest counter or the newest time leaves no room for a next one.
    #[error("no {what} is left after tag {tag} of model {model}")]
    Exhausted {
        /// `counter` or `time`.
        what: &'static str,
        /// The tag that holds the last one, or the highest counter.
        tag: String,
        /// The model.
        model: String,
    },
    /// The JSON could not be written.
    #[error("write registry JSON: {reason}")]
    Json {
        /// What the serialiser says.
        reason: String,
    },
}

impl RegistryError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownModel { .. } => {
                "register a first version, or fetch the tags: `git fetch --tags`, `fetch-depth: 0` in actions/checkout"
            }
            Self::Quarantined { .. } => {
                "delete the wrong tag here and on the remote (`git push --delete origin TAG`)"
            }
            Self::UnknownVersion { .. } => {
                "`tagship registry history MODEL` shows what was registered and withdrawn"
            }
            Self::NothingInStage { .. } => {
                "deploy a version to it first; `tagship registry show` lists the stages"
            }
            Self::StageNotAllowed { .. } => {
                "add the stage to `stages` in .gto, or name one of the allowed ones"
            }
            Self::CommitTaken { .. } => {
                "GTO knows one version of a model per commit: commit the new artifact, or register it on a commit of its own"
            }
            Self::VersionTaken { .. } => {
                "a version is one commit for ever: choose a number that was never used"
            }
            Self::BytesTaken { .. } => {
                "the same bytes are one version; only a prerelease gets a second number, that of the version it leads to"
            }
            Self::NoEvent { .. } => {
                "`tagship registry history` lists every event with its tag; `tagship registry doctor` says which tags are unusable"
            }
            Self::RefClash { .. } => "rename the stage or model, or delete the tag that is in the way",
            Self::Exhausted { .. } => {
                "delete that tag here and on the remote; its number or date is not a real one"
            }
            Self::Json { .. } => return None,
        })
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

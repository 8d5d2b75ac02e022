//! Whether the journal, the stage tags and the target of an environment say the same: the answer of `tagship doctor`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    exit::Exit,
    name::{Environment, ModelName},
    schema::Document,
    time::Timestamp,
};

/// The answer of `tagship doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Examination {
    /// When it was looked.
    pub at: Timestamp,
    /// One entry per model and environment that was asked about.
    pub places: Vec<ExaminedPlace>,
}

/// One model in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExaminedPlace {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What does not agree, and what could not be seen; empty where all is well.
    pub discrepancies: Vec<Discrepancy>,
}

/// Something that does not agree, or that could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discrepancy {
    /// What it is.
    pub code: DiscrepancyCode,
    /// What says what, as a sentence.
    pub sentence: String,
    /// What to do: a command, or a sentence where a person has to decide.
    pub remedy: String,
}

/// What does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiscrepancyCode {
    /// The target could not be looked at.
    TargetUnknown,
    /// The journal could not be read.
    JournalUnknown,
    /// The stage tags could not be read.
    RegistryUnknown,
    /// A rollout is past its deadline, and no run has led it on.
    RolloutOverdue,
    /// A rollout has ended, and what was decided at its end is not done, or another release waits for it.
    RolloutUnfinished,
    /// A rollout could not go back and keeps its lock.
    RollbackFailed,
    /// The stage tag names another release than the newest rollout left there.
    StageDiffers,
    /// The stage tag names a rollout of which there is no journal.
    JournalMissing,
    /// Nothing is assigned, and a version has traffic.
    ServesUnassigned,
    /// The version that is assigned is not loaded.
    NotLoaded,
    /// The version that is assigned is loaded and not ready.
    NotReady,
    /// A version has another share than it was given.
    ShareDiffers,
    /// A version that has no part in it has traffic.
    ForeignShare,
    /// A version is loaded with other bytes than its release.
    OtherBytes,
    /// A version is loaded that was never released.
    UnknownVersion,
}

impl DiscrepancyCode {
    /// Whether it says that something could not be seen, rather than that something is wrong.
    pub fn is_unknown(self) -> bool {
        matches!(
            self,
            Self::TargetUnknown | Self::JournalUnknown | Self::RegistryUnknown | Self::JournalMissing
        )
    }
}

impl Examination {
    /// Exit code: something that does not agree 1, else something that could not be seen 3, else 0.
    pub fn exit(&self) -> Exit {
        let mut codes = self.places.iter().flat_map(|place| &place.discrepancies).map(|one| one.code);
        let unknown = codes.clone().any(DiscrepancyCode::is_unknown);
        match codes.any(|code| !code.is_unknown()) {
            true => Exit::Negative,
            false if unknown => Exit::Incomplete,
            false => Exit::Done,
        }
    }
}

impl Document for Examination {
    const SCHEMA: &'static str = "tagship/doctor/v1";
}

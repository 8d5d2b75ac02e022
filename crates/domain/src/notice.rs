//! What people elsewhere are told about a rollout: a few lines, with the next step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    name::{Environment, ModelName},
    rollout::{Phase, Reason, RolloutId},
    schema::Document,
    time::Timestamp,
    version::Version,
};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A rollout began.
    Start,
    /// A person has to decide.
    Pause,
    /// The candidate is stable.
    Promotion,
    /// It did not work out: what served before serves again, goes on serving, or could not be brought back.
    Rollback,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What is or was rolled out.
    pub candidate: Version,
    /// What served when it began; absent on a first deployment.
    pub stable: Option<Version>,
    /// The rollout.
    pub rollout: RolloutId,
    /// Where it stands.
    pub phase: Phase,
    /// Why.
    pub reason: Reason,
    /// When it came to stand there.
    pub at: Timestamp,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What a person can do: a sentence, with command lines where there are some. Absent where nothing is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Where the run can be looked at, where there is such a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Who began the rollout.
    pub actor: String,
}

impl Document for Notice {
    const SCHEMA: &'static str = "tagship/notice/v1";
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Start, Self::Pause, Self::Promotion, Self::Rollback];
    /// What is told where nothing is said: whatever ends a rollout or waits for a person.
    pub const DEFAULT: [Self; 3] = [Self::Pause, Self::Promotion, Self::Rollback];

    /// As the configuration writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Promotion => "promotion",
            Self::Rollback => "rollback",
        }
    }
}

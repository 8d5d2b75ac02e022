//! What is known of a model in an environment: the newest look with all that it measured, the looks before, and the rollouts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    drift::DriftReport,
    explanation::Explanation,
    incident::{TrendPoint, WatchReport},
    name::{Environment, ModelName},
    quality::QualityReport,
    rollout::{Kind, Phase, RolloutId},
    schema::Document,
    slo::ObjectiveReport,
    time::Timestamp,
    version::Version,
};

/// All that a look measured; its findings are what follows from it. It lies in git beside the look.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookDetails {
    /// Drift; absent where none is watched or it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftReport>,
    /// Quality; absent where none is watched or it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityReport>,
    /// Objectives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveReport>,
}

/// What is known of a model in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorReport {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// When this was put together.
    pub at: Timestamp,
    /// The newest look; absent where there was none.
    pub look: Option<WatchReport>,
    /// What it measured; absent where it was made by a program that did not keep that.
    pub details: Option<LookDetails>,
    /// The rollout that goes on; absent where none does.
    pub rollout: Option<Explanation>,
    /// Rollouts that have ended, the newest first.
    pub past: Vec<PastRollout>,
    /// Whether that goes back to the first one.
    pub complete: bool,
    /// What the configuration does not watch.
    pub unwatched: Vec<Watch>,
}

/// A rollout that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PastRollout {
    /// Which.
    pub id: RolloutId,
    /// Deploy or rollback.
    pub kind: Kind,
    /// How it ended.
    pub phase: Phase,
    /// What was to serve.
    pub version: Version,
    /// What served when it began; absent on a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Version>,
    /// When it ended.
    pub at: Timestamp,
}

/// Something that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// Whether inputs still look as they did.
    Drift,
    /// How good predictions are.
    Quality,
    /// What the service promises.
    Slo,
    /// Series that detectors watch.
    Streams,
}

/// The looks at a model in an environment that are remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookHistory {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// The looks, oldest first: all of the last week, of each day before the worst one.
    pub looks: Vec<TrendPoint>,
}

impl Document for LookHistory {
    const SCHEMA: &'static str = "tagship/watch-history/v1";
}

impl Document for LookDetails {
    const SCHEMA: &'static str = "tagship/watch-details/v1";
}

impl Document for MonitorReport {
    const SCHEMA: &'static str = "tagship/monitor/v1";
}

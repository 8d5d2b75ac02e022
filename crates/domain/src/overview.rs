//! What every environment holds, which rollouts run, what is locked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    approval::PendingApproval,
    lock::Lock,
    name::{Environment, ModelName},
    release::Release,
    rollout::RolloutState,
    schema::Document,
    time::Timestamp,
};

/// The answer of `tagship status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// One entry per configured model and environment.
    pub places: Vec<PlaceOverview>,
    /// Environments that are locked, each for all models.
    pub locks: Vec<Lock>,
    /// Deployments that wait until somebody lets them go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<PendingApproval>,
    /// Why it is unknown whether any wait, where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals_unknown: Option<String>,
}

/// One model in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceOverview {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What it holds, where it holds something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Release>,
    /// Since when it holds that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The newest rollout, whether it runs or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutState>,
}

impl Document for Overview {
    const SCHEMA: &'static str = "tagship/status/v1";
}

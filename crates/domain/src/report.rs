//! What people are shown: one document that the comment, the summary, the terminal and the JSON render from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decision::DecisionItem,
    digest::CommitId,
    gate::GateReport,
    monitor::MonitorReport,
    name::{Environment, ModelName},
    release::{Provenance, Release},
    rollout::{Phase, Reason, RolloutState},
    schema::Document,
    series::MetricSeries,
    time::Timestamp,
    validation::ValidationReport,
};

/// The state of a change on its way to production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusReport {
    /// The commit it is about.
    pub sha: CommitId,
    /// The pull request it is shown on, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// When it was written; a newer one replaces an older one, never the reverse.
    pub written: Timestamp,
    /// Who caused it, in which run.
    pub by: Provenance,
    /// Whether the repository follows commands in comments on the pull request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub commands: bool,
    /// What happened to the run itself that readers should know, e.g. that it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// One section per model and environment.
    pub sections: Vec<Section>,
}

/// One model on its way to one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// The model.
    pub model: ModelName,
    /// The environment, where it goes to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionItem>,
    /// What validation said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationReport>,
    /// What the gate said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateReport>,
    /// The release, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// The version that a merge would make, while there is no release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextVersion>,
    /// The rollout, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutState>,
    /// What happened in the rollout so far, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineEntry>,
    /// How the metrics of the rollout went, look by look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<MetricSeries>,
    /// What monitoring says since it serves; absent where nothing is watched, and where it does not serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Box<MonitorReport>>,
    /// Where people reach what the environment serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_url: Option<String>,
}

impl Section {
    /// A section that nothing is known for yet.
    pub const fn of(model: ModelName, environment: Option<Environment>) -> Self {
        Self {
            model,
            environment,
            decision: None,
            validation: None,
            gate: None,
            release: None,
            next: None,
            rollout: None,
            timeline: vec![],
            series: vec![],
            monitoring: None,
            environment_url: None,
        }
    }
}

/// The version that a merge would make, and why that part is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextVersion {
    /// The version.
    pub version: crate::version::Version,
    /// Why, e.g. `new weights behind the same signature`.
    pub because: String,
}

/// One journal entry of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// The phase that began.
    pub phase: Phase,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Which step of the plan runs; absent where the plan has none, or none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepPosition>,
    /// What happened, as a sentence.
    pub message: String,
    /// The candidate's share of traffic in percent.
    pub weight: u8,
}

/// Where in the steps of its plan a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepPosition {
    /// Number of the step, from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
}

impl StepPosition {
    /// The step that runs, or that a pause interrupted; absent where the plan has none, or none runs.
    pub fn of(state: &RolloutState) -> Option<Self> {
        let interrupted = state.interrupted;
        let phase = if state.phase.stands_still() { interrupted } else { Some(state.phase) };
        let count = state.plan.steps().len();
        (state.step < count && phase.unwrap_or(Phase::Progressing) == Phase::Progressing)
            .then_some(Self { number: state.step + 1, count })
    }
}

impl Document for StatusReport {
    const SCHEMA: &'static str = "tagship/report/v1";
}

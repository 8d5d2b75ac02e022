//! Why a rollout went the way it went: every decision of its journal with what led to it.
//!
//! Everything here is derived from the journal alone. What the journal does not say is absent or
//! [`Cause::Unknown`]; nothing is guessed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::{MetricKind, MetricPhase, MetricReading},
    digest::CommitId,
    event::Command,
    name::{Environment, ModelName},
    release::Provenance,
    report::StepPosition,
    rollout::{Effect, Kind, Look, Phase, Reason, RolloutId, RolloutState},
    schema::Document,
    time::Timestamp,
    traffic::Weight,
    units::Duration,
    version::Version,
};

/// One entry of a rollout's journal, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The commit that holds it.
    pub commit: CommitId,
    /// When it was written.
    pub at: Timestamp,
    /// The run that wrote it; absent where the entry does not say.
    pub run: Option<String>,
    /// The state that it holds.
    pub state: RolloutState,
    /// The looks that led to it.
    pub looks: Vec<Look>,
}

/// Why a rollout went the way it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The rollout.
    pub rollout: RolloutId,
    /// Deploy or rollback.
    pub kind: Kind,
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What was rolled out.
    pub candidate: Version,
    /// What served when it started; absent on a first deployment.
    pub stable: Option<Version>,
    /// Where it stands.
    pub phase: Phase,
    /// Where it stands, in one sentence.
    pub sentence: String,
    /// When it started.
    pub started: Timestamp,
    /// When its newest entry was written.
    pub updated: Timestamp,
    /// Who started it.
    pub by: Provenance,
    /// Whether its journal could be read back to its beginning.
    pub complete: bool,
    /// Every decision, oldest first.
    pub decisions: Vec<Explained>,
    /// How traffic was shared, oldest first.
    pub traffic: Vec<TrafficPoint>,
    /// How each metric went, by name.
    pub metrics: Vec<MetricHistory>,
}

/// One decision, or a time in which nothing was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// When. Of entries that were folded: when the first was written.
    pub at: Timestamp,
    /// When the last of the entries that were folded was written; absent where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The commit of the journal that holds it; of folded entries the last one.
    pub commit: CommitId,
    /// Where the rollout stood before; absent where the journal begins here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Standing>,
    /// Where it stood after.
    pub after: Standing,
    /// What led to it.
    pub cause: Cause,
    /// What metrics showed, where that is the cause or was weighed with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<MetricReading>,
    /// All of it in one sentence.
    pub sentence: String,
    /// The run that decided; absent where the journal does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How long nothing had been written to the journal before, where that is longer than a run that leads the rollout
    /// keeps silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Duration>,
}

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The phase.
    pub phase: Phase,
    /// Why it is in it.
    pub reason: Reason,
    /// Which step of the plan runs; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepPosition>,
    /// The candidate's share of traffic that is wanted.
    pub desired: Weight,
    /// The candidate's share that was last seen.
    pub applied: Weight,
}

/// What led to a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "cause")]
pub enum Cause {
    /// Somebody, or an event, began the rollout.
    Start,
    /// The plan goes on by itself here, or asks for a person here.
    Plan,
    /// What the candidate answered before it had traffic.
    Check,
    /// What had been ordered was seen to be in force.
    Confirmed,
    /// The time for which a share is held was over.
    Clock {
        /// How long it was held.
        held: Duration,
    },
    /// What the metrics showed, or that they showed nothing.
    Metrics,
    /// A person said so.
    Person {
        /// What the person asked for.
        command: Option<Command>,
        /// Who, in which run; absent where the journal does not name anybody.
        by: Option<Provenance>,
    },
    /// An order could not be carried out.
    Refused {
        /// The order; absent where the journal does not say which.
        effect: Option<Effect>,
    },
    /// The target no longer serves a version as it should.
    Target,
    /// No progress within the time that the plan allows.
    Deadline,
    /// A newer version came.
    NewerVersion {
        /// Which; absent where the journal does not say.
        version: Option<Version>,
    },
    /// A freeze of the plan began to hold it.
    Freeze,
    /// A freeze that held it is over.
    FreezeOver,
    /// Monitoring found the promoted version bad within its guard.
    Guard,
    /// Looks and waits that changed nothing.
    Looks {
        /// How many looks at the metrics were taken.
        looks: usize,
        /// How many journal entries there are of it.
        entries: usize,
    },
    /// The journal does not say.
    Unknown,
}

/// How traffic was shared at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficPoint {
    /// When.
    pub at: Timestamp,
    /// The candidate's share that was seen; absent where the target did not say.
    pub candidate: Option<Weight>,
    /// Stable's share that was seen; absent where the target did not say, or there is no stable version.
    pub stable: Option<Weight>,
}

/// One metric over a whole rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricHistory {
    /// The metric.
    pub name: String,
    /// What it measures; absent where the plan does not know it.
    pub kind: Option<MetricKind>,
    /// What the candidate must keep, in words.
    pub allowed: String,
    /// Its last verdict.
    pub phase: MetricPhase,
    /// The judge's last sentence.
    pub message: String,
    /// Every look, oldest first.
    pub points: Vec<MetricPoint>,
}

/// One metric at one look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricPoint {
    /// When the look ended.
    pub at: Timestamp,
    /// Most, or least, that the candidate's value may be to be promoted; absent where that is no such value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The verdict and the numbers.
    #[serde(flatten)]
    pub reading: MetricReading,
}

impl Document for Explanation {
    const SCHEMA: &'static str = "tagship/explanation/v1";
}

impl Standing {
    /// Where a state stands.
    pub fn of(state: &RolloutState) -> Self {
        Self {
            phase: state.phase,
            reason: state.reason,
            step: StepPosition::of(state),
            desired: state.weight.desired,
            applied: state.weight.applied,
        }
    }
}

impl Cause {
    /// The cause in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Plan => "plan",
            Self::Check => "check",
            Self::Confirmed => "confirmed",
            Self::Clock { .. } => "clock",
            Self::Metrics => "metrics",
            Self::Person { .. } => "person",
            Self::Refused { .. } => "refused",
            Self::Target => "target",
            Self::Deadline => "deadline",
            Self::NewerVersion { .. } => "newer version",
            Self::Freeze => "freeze",
            Self::FreezeOver => "freeze over",
            Self::Guard => "guard",
            Self::Looks { .. } => "looks",
            Self::Unknown => "unknown",
        }
    }
}

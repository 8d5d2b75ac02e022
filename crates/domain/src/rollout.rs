//! A rollout: one attempt to move an environment from stable to candidate, as a state that lies in git.
//!
//! The words follow Argo Rollouts and Flagger. [`RolloutState`] is everything that the next run needs to go
//! on after a crash at any instruction; what it sees of the world is an [`Observation`], what it wants done
//! is a list of [`Effect`]s, each numbered by the state's `seq`, which also fences late runners off.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    event::Command,
    exit::Exit,
    golden::Tolerance,
    name::{Environment, ModelName},
    release::{Provenance, Release},
    schema::Document,
    time::Timestamp,
    units::Duration,
    validation::GoldenReport,
    version::Version,
};

/// Share of traffic in percent, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct Weight(u8);

/// Whether a rollout brings something new or goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A new candidate.
    Deploy,
    /// Back to an earlier version: no steps, no analysis, the smoke check is kept.
    Rollback,
}

/// How traffic moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Everything at once, after the smoke check.
    AllAtOnce,
}

/// How a prepared candidate is checked before any traffic reaches it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "check")]
pub enum Smoke {
    /// The release's golden cases, against the candidate's own endpoint. Every one must pass.
    GoldenCases {
        /// How many there are; a report about fewer is incomplete.
        count: u64,
        /// How far numbers may be apart.
        tolerance: Tolerance,
        /// Longest time that one case may take; not checked where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_latency: Option<Duration>,
    },
    /// The release has no golden cases: only that the target calls it ready. Proves nothing about answers.
    ReadyOnly,
}

/// What a rollout will do; fixed when it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutPlan {
    /// How traffic moves.
    pub strategy: Strategy,
    /// What the candidate must show before any traffic.
    pub smoke: Smoke,
    /// How long a phase may go on without progress.
    pub progress_deadline: Duration,
}

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub enum Phase {
    /// Recorded; nothing has been done.
    Pending,
    /// Bytes are verified, loaded at weight 0 and checked with golden cases.
    Validating,
    /// Traffic moves.
    Progressing,
    /// A person has to decide.
    Paused,
    /// The candidate becomes stable.
    Promoting,
    /// Registry, deployment and clean-up are brought in line.
    Finalising,
    /// The candidate is stable.
    Succeeded,
    /// Ended without having moved traffic.
    Failed,
    /// Traffic goes back to stable.
    RollingBack,
    /// Stable serves again.
    RolledBack,
    /// Going back did not work; the lock is kept, a person is needed.
    RollbackFailed,
    /// A newer version took over.
    Superseded,
}

/// Why a rollout is in its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub enum Reason {
    /// It was started.
    Started,
    /// It goes as planned.
    OnTrack,
    /// All done.
    Completed,
    /// The bytes, their digest or the golden cases were wrong.
    ValidationFailed,
    /// The target refused or could not do it.
    TargetFailed,
    /// The registry could not be brought in line.
    RegistryFailed,
    /// No progress within the deadline.
    ProgressDeadlineExceeded,
    /// A person stopped it.
    ManualAbort,
    /// A newer version took over.
    NewerVersion,
}

/// What traffic share is wanted and what the target says it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WeightPair {
    /// What was asked for.
    pub desired: Weight,
    /// What was last observed.
    pub applied: Weight,
}

/// Where a metric of the analysis stands, in Argo Rollouts' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub enum MetricPhase {
    /// Not measured yet.
    Pending,
    /// Measured, undecided.
    Running,
    /// Good.
    Successful,
    /// Bad.
    Failed,
    /// Could not be measured.
    Error,
    /// Ended undecided.
    Inconclusive,
}

/// What a judge knows about its metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgeState {
    /// Its verdict so far.
    pub phase: MetricPhase,
    /// How many observations it rests on.
    pub n: u64,
    /// One sentence with the numbers.
    pub message: String,
}

/// Cumulative counters of one version, as the target reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Requests answered.
    pub requests: u64,
    /// Of these, with an error.
    pub errors: u64,
}

/// Everything about a rollout. Written to git at every transition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutState {
    /// Unique id.
    pub id: RolloutId,
    /// Deploy or rollback.
    pub kind: Kind,
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What is being rolled out.
    pub candidate: Release,
    /// What served when it started; absent on a first deployment.
    pub stable: Option<Release>,
    /// What will be done.
    pub plan: RolloutPlan,
    /// Where it stands.
    pub phase: Phase,
    /// Why.
    pub reason: Reason,
    /// The same as a sentence, with the cause.
    pub message: String,
    /// What went wrong, as a sentence; absent while nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Index of the step that runs.
    pub step: usize,
    /// The candidate's share of traffic.
    pub weight: WeightPair,
    /// Verdicts by metric; the smoke check is the metric `smoke`.
    pub judges: BTreeMap<String, JudgeState>,
    /// Last counters of each version.
    pub counters: BTreeMap<Version, Counters>,
    /// Whether the registry may name the candidate because of this rollout: set before the first registry effect
    /// is performed, cleared when the candidate was unassigned again.
    #[serde(default)]
    pub assigned: bool,
    /// Effects that were decided and whose outcome is not known yet.
    pub intended: Vec<Intended>,
    /// Number of the newest effect. Grows over all rollouts of this environment and model; everything that is done
    /// in this state carries it as fencing number, so that a target can tell a late runner from a current one.
    pub seq: u64,
    /// When it started.
    pub started: Timestamp,
    /// When it entered its phase.
    pub since: Timestamp,
    /// When the phase must have made progress; absent in terminal phases and while a person decides.
    pub deadline: Option<Timestamp>,
    /// Who started it.
    pub by: Provenance,
}

/// Identity of a rollout: `<environment>-<version>-<number>`, readable and unique within an environment and model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RolloutId(pub String);

/// An effect that was written to the journal before it is performed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Intended {
    /// Number of the effect, by which its outcome finds it.
    pub seq: u64,
    /// What to do.
    pub effect: Effect,
    /// How often it was tried and is not done.
    pub attempts: u32,
    /// What went wrong last, where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Something to do in the world. Each is idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Effect {
    /// Verify the candidate's bytes and load them at weight 0.
    Prepare,
    /// Give the candidate this share of traffic.
    SetWeight {
        /// Percent.
        weight: Weight,
    },
    /// Make the candidate the stable version.
    Promote,
    /// Give all traffic back to stable; without a stable version take the candidate out of service.
    Rollback,
    /// Unload a version that no longer serves.
    Cleanup {
        /// Which.
        version: Version,
    },
    /// Record in the registry that the environment holds this version.
    AssignStage {
        /// Which.
        version: Version,
    },
    /// Record in the registry that the environment no longer holds this version.
    UnassignStage {
        /// Which.
        version: Version,
    },
    /// Tell the forge how the deployment stands.
    SetDeployment {
        /// How.
        state: DeploymentState,
    },
    /// Bring comments and summaries up to date.
    Publish,
}

/// How a deployment stands, as forges show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// Not started.
    Queued,
    /// Running.
    InProgress,
    /// The version serves.
    Success,
    /// It did not work out; what served before serves again.
    Failure,
    /// It did not work out and needs a person.
    Error,
    /// Another version serves.
    Inactive,
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectOutcome {
    /// Number of the effect.
    pub seq: u64,
    /// What became of it.
    pub result: EffectResult,
}

/// What became of an effect, as the world reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectResult {
    /// It was done now.
    Applied,
    /// It was done before.
    AlreadyThere,
    /// It was accepted and is under way.
    Pending,
    /// It failed in a way that may pass.
    Retry(String),
    /// It failed in a way that will not pass: refused, unsupported, in conflict, wrong bytes.
    Refused(String),
}

/// What the world looks like at one tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The time.
    pub now: Timestamp,
    /// What the target says.
    pub target: Observed,
    /// What the golden cases said against the prepared candidate, if they were run.
    pub smoke: Option<GoldenReport>,
    /// What people asked for since the last tick.
    pub commands: Vec<PersonCommand>,
    /// What became of effects that were intended.
    pub outcomes: Vec<EffectOutcome>,
}

/// A command to a running rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCommand {
    /// What.
    pub command: Command,
    /// Who.
    pub by: Provenance,
}

/// What a target says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// It did not answer; why.
    Unreachable(String),
    /// Its state.
    Seen(TargetState),
}

/// Versions that a target has loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetState {
    /// One entry per version.
    pub arms: Vec<Arm>,
}

/// One version on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// The version.
    pub version: Version,
    /// Digest of the bytes that were loaded.
    pub digest: Digest,
    /// Whether it can answer requests.
    pub ready: bool,
    /// Its share of traffic.
    pub weight: Weight,
    /// Its counters.
    pub counters: Counters,
}

/// One look at the world that a rollout acted on; a line of `measurements.jsonl` in its journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The rollout.
    pub rollout: RolloutId,
    /// Why the target did not answer, where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// What the target served, with counters.
    pub arms: Vec<Arm>,
    /// What the golden cases said, where they were run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<GoldenReport>,
}

impl Document for RolloutState {
    const SCHEMA: &'static str = "tagship/rollout/v1";
}

impl Document for Look {
    const SCHEMA: &'static str = "tagship/look/v1";
}

impl Weight {
    /// No traffic.
    pub const NONE: Self = Self(0);
    /// All traffic.
    pub const ALL: Self = Self(100);

    /// A share in percent; absent above 100.
    pub fn percent(percent: u8) -> Option<Self> {
        (percent <= 100).then_some(Self(percent))
    }

    /// The number, 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Weight {
    type Error = String;
    fn try_from(percent: u8) -> Result<Self, String> {
        Self::percent(percent).ok_or_else(|| format!("a weight is 0 to 100 percent, not {percent}"))
    }
}

impl From<Weight> for u8 {
    fn from(weight: Weight) -> u8 {
        weight.0
    }
}

impl Phase {
    /// Whether the rollout has ended.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::RolledBack | Self::RollbackFailed | Self::Superseded
        )
    }

    /// Whether this phase keeps other rollouts of the environment and model out: running ones, and a failed
    /// rollback until a person has looked.
    pub fn holds_lock(self) -> bool {
        !self.is_terminal() || self == Self::RollbackFailed
    }
}

impl TargetState {
    /// The entry of a version.
    pub fn arm(&self, version: &Version) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.version == *version)
    }
}

impl RolloutState {
    /// Whether nothing is left to do: ended, and every intended effect has an outcome.
    pub fn is_settled(&self) -> bool {
        self.phase.is_terminal() && self.intended.is_empty()
    }

    /// Exit code of a run that stops here.
    pub fn exit(&self) -> Exit {
        match self.phase {
            Phase::Succeeded => Exit::Done,
            Phase::Failed | Phase::RolledBack | Phase::Superseded => Exit::Negative,
            Phase::RollbackFailed => Exit::RollbackFailed,
            Phase::Paused => Exit::Paused,
            _ => Exit::Running,
        }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl fmt::Display for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

//! A rollout: one attempt to move an environment from stable to candidate, as a state that lies in git.
//!
//! The words follow Argo Rollouts and Flagger. [`RolloutState`] is everything that the next run needs to go
//! on after a crash at any instruction; what it sees of the world is an [`Observation`], what it wants done
//! is a list of [`Effect`]s, each numbered by the state's `seq`, which also fences late runners off.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::{JudgeState, MetricReading},
    event::Command,
    exit::Exit,
    name::{Environment, ModelName},
    plan::RolloutPlan,
    release::{Provenance, Release},
    routing::Routing,
    schema::Document,
    scoring::Labelled,
    tally::Tally,
    threshold::Point,
    time::Timestamp,
    traffic::{Arm, Counters, TargetState, Weight},
    validation::GoldenReport,
    version::Version,
};

/// Whether a rollout brings something new or goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A new candidate.
    Deploy,
    /// Back to an earlier version: no steps, no analysis, the smoke check is kept.
    Rollback,
}

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub enum Phase {
    /// Recorded; nothing has been done.
    Pending,
    /// A freeze holds it where it is; it goes on by itself when the freeze ends.
    Waiting,
    /// Bytes are verified, loaded at weight 0 and checked with golden cases.
    Validating,
    /// Traffic moves.
    Progressing,
    /// A person has to decide.
    Paused,
    /// The candidate has all the traffic that it gets, and is watched.
    Baking,
    /// The candidate becomes stable.
    Promoting,
    /// Registry, deployment and clean-up are brought in line.
    Finalising,
    /// The candidate is stable.
    Succeeded,
    /// Ended without having moved traffic; or the candidate could not become stable and serves all the same, because
    /// stable no longer can.
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
    /// A metric was bad.
    AnalysisFailed,
    /// A metric could not be measured for too long.
    AnalysisError,
    /// Metrics are not decided; a person has to.
    InconclusiveAnalysis,
    /// Metrics got no data; a person has to decide.
    NoData,
    /// The plan asks for a person here.
    StepPause,
    /// A metric was bad, and the plan lets a person decide: nothing moves.
    Frozen,
    /// A metric was bad, and the plan asks a person before it goes back.
    RollbackProposed,
    /// A freeze of the plan keeps more traffic from the candidate for now.
    Schedule,
    /// A person paused it.
    ManualPause,
    /// A person stopped it.
    ManualAbort,
    /// A newer version took over.
    NewerVersion,
    /// It could not become stable, and stable can no longer serve: the candidate keeps the traffic.
    PromotionFailed,
    /// Monitoring found the promoted version bad within its guard.
    GuardFired,
}

/// What traffic share is wanted and what the target says it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WeightPair {
    /// What was asked for.
    pub desired: Weight,
    /// What was last observed.
    pub applied: Weight,
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
    /// Index of the step that runs; as many as there are steps when all are done.
    pub step: usize,
    /// When the step began to count: its weight was applied and the candidate ready. Absent before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Timestamp>,
    /// The phase that a pause interrupted; absent where nothing is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Phase>,
    /// Who led it on past steps or metrics that were not done; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Provenance>,
    /// Who led it on in spite of a freeze; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfrozen: Option<Unfrozen>,
    /// Who took its lock away after going back had failed; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlocked: Option<Unlocked>,
    /// Until when monitoring may undo it by itself; absent where it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded_until: Option<Timestamp>,
    /// The candidate's share of traffic.
    pub weight: WeightPair,
    /// How the target routes beside that, as far as its answers say.
    #[serde(default, skip_serializing_if = "Routing::is_plain")]
    pub routing: Routing,
    /// Verdicts by metric; the smoke check is the metric `smoke`.
    pub judges: BTreeMap<String, JudgeState>,
    /// Where the newest look ended: the next one counts from there. Absent while nothing is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Snapshot>,
    /// Whether the registry may name the candidate because of this rollout: set before the first registry effect
    /// is performed, cleared when the candidate was unassigned again.
    #[serde(default)]
    pub assigned: bool,
    /// The newest release that waits for this rollout to end; the next run begins it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<Release>,
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

/// A person's word that a freeze does not hold a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unfrozen {
    /// Who.
    pub by: Provenance,
    /// The end of the freeze that was meant; a later one holds the rollout again.
    pub until: Timestamp,
}

/// A person's word that a rollout that could not go back keeps others out no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unlocked {
    /// Who.
    pub by: Provenance,
    /// Why, in the person's words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Counters of all versions at the end of a look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// When.
    pub at: Timestamp,
    /// Cumulative counters by version.
    pub counters: BTreeMap<Version, Counters>,
    /// Cumulative counts by metric and version, of metrics with a source of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own: BTreeMap<String, BTreeMap<Version, Tally>>,
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
    /// The time before which it is not to be done; absent where that is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
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
    /// Route the model's requests so, beside sharing them by weight.
    Route {
        /// The whole routing.
        routing: Routing,
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
    /// Ask for a run that deploys the candidate to the next environment.
    Dispatch {
        /// Which.
        environment: Environment,
    },
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
    /// Whoever the target belongs to has put another version in the candidate's place: nothing is left to do or to undo.
    Superseded(String),
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
    /// Cumulative counters of each version; absent where they were not asked for.
    pub counters: Option<Measured>,
    /// Cumulative counts of each metric with a source of its own, by version, or why they could not be read; empty where
    /// they were not asked for.
    pub own: BTreeMap<String, Result<BTreeMap<Version, Tally>, String>>,
    /// What the sources of metrics on values answered about the look that is due, by metric and version, or why they
    /// could not; empty where they were not asked.
    pub values: BTreeMap<String, Result<BTreeMap<Version, Vec<Point>>, String>>,
    /// Labelled predictions for each metric that is a score, or why they could not be read; empty where they were not asked
    /// for.
    pub labelled: BTreeMap<String, Result<Labelled, String>>,
    /// Looks that were due while no run was there, oldest first, from sources that know the past.
    pub missed: Vec<MissedLook>,
    /// A newer release that waits for this rollout.
    pub newer: Option<Release>,
    /// What people asked for since the last tick.
    pub commands: Vec<PersonCommand>,
    /// A person who takes the lock of a rollout away that could not go back.
    pub unlock: Option<Unlocked>,
    /// What became of effects that were intended.
    pub outcomes: Vec<EffectOutcome>,
}

/// What sources that know the past say about a look that nobody took. A metric whose source does not know the past, or
/// did not answer, is not in it.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedLook {
    /// When it was due.
    pub at: Timestamp,
    /// Cumulative counts up to then, by metric and version.
    pub own: BTreeMap<String, BTreeMap<Version, Tally>>,
    /// Values by metric and version.
    pub values: BTreeMap<String, BTreeMap<Version, Vec<Point>>>,
}

/// What reading the counters gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// Cumulative counters by version.
    Counters(BTreeMap<Version, Counters>),
    /// They could not be read; why.
    Error(String),
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
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// It did not answer; why.
    Unreachable(String),
    /// Its state.
    Seen(TargetState),
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
    /// What the metrics said, where they were measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricReading>,
}

impl Document for RolloutState {
    const SCHEMA: &'static str = "tagship/rollout/v1";
}

impl Document for Look {
    const SCHEMA: &'static str = "tagship/look/v1";
}

impl Phase {
    /// Whether the rollout has ended.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::RolledBack | Self::RollbackFailed | Self::Superseded
        )
    }

    /// Whether only a person or the calendar leads on from here.
    pub fn stands_still(self) -> bool {
        matches!(self, Self::Paused | Self::Waiting)
    }
}

impl Intended {
    /// An effect that was just decided.
    pub fn new(seq: u64, effect: Effect) -> Self {
        Self { seq, effect, attempts: 0, error: None, not_before: None }
    }

    /// Whether its time has come.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|from| now >= from)
    }
}

impl RolloutState {
    /// Whether it keeps other rollouts of the environment and model out: a running one does, and one that could not go
    /// back until a person has looked.
    pub fn holds_lock(&self) -> bool {
        match self.phase {
            Phase::RollbackFailed => self.unlocked.is_none(),
            phase => !phase.is_terminal(),
        }
    }

    /// Whether a rollback stopped on its way to the version that it brings back. That version keeps what it has: only a
    /// person gives traffic back to the version that was left.
    pub fn keeps_way_back(&self) -> bool {
        (self.kind, self.phase) == (Kind::Rollback, Phase::RollbackFailed)
            && self.weight.desired == Weight::ALL
    }

    /// Whether nothing is left to do: ended, and every intended effect has an outcome.
    pub fn is_settled(&self) -> bool {
        self.phase.is_terminal() && self.intended.is_empty()
    }

    /// Whether a run has something to do here: it has not settled, or another release waits for it.
    pub fn is_open(&self) -> bool {
        !self.is_settled() || self.queued.is_some()
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

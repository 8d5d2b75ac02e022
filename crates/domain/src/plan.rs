//! What a rollout will do: how traffic moves, what the candidate must show on the way, and how long it may take.
//!
//! A plan is made when a rollout starts, lies in its journal, and never changes afterwards.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::Analysis,
    freeze::FreezeWindow,
    golden::Tolerance,
    name::Environment,
    routing::{HeaderMatch, HeaderName},
    traffic::Weight,
    units::Duration,
};

/// What a rollout will do; fixed when it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutPlan {
    /// How traffic moves.
    pub strategy: Strategy,
    /// What the candidate must show before any traffic.
    pub smoke: Smoke,
    /// How long a phase may go on without progress.
    pub progress_deadline: Duration,
    /// Share of traffic that stable keeps until the bake has ended, so that there is something to compare with.
    #[serde(default)]
    pub hold_back: Weight,
    /// How long the candidate is watched with all the traffic that it gets before it becomes stable.
    #[serde(default)]
    pub bake: Duration,
    /// What the candidate must show on live traffic; absent where nothing is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// What a newer version does to this rollout while it runs.
    #[serde(default)]
    pub on_newer: OnNewer,
    /// The header whose values stay with their version while traffic is shared; absent where every request is shared
    /// by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<HeaderName>,
    /// How long the version from before stays loaded after the candidate became stable.
    #[serde(default)]
    pub scale_down_delay: Duration,
    /// How long a candidate stays loaded after it was taken back.
    #[serde(default)]
    pub abort_scale_down_delay: Duration,
    /// Environment that the version is asked to go to next, once it has succeeded here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Environment>,
    /// What a bad metric leads to.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// When the candidate gets no more traffic than it has, and nothing begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<FreezeWindow>,
    /// How long after its end monitoring may undo it.
    #[serde(default)]
    pub guard: Duration,
}

/// How traffic moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Everything at once, after the smoke check.
    AllAtOnce,
    /// A growing share, step by step.
    Canary {
        /// The steps, in order; at least one gives the candidate traffic.
        steps: Vec<Step>,
    },
    /// Everything at once, after a time without traffic in which people and machines can try the candidate.
    BlueGreen {
        /// How long the candidate stands ready without traffic.
        preview: Duration,
        /// Whether traffic moves by itself then; otherwise a person promotes.
        auto_promote: bool,
        /// Share of the requests that the candidate answers copies of meanwhile.
        #[serde(default)]
        mirror: Weight,
    },
    /// Copies of requests for a fixed time; the candidate's answers reach nobody. Everything at once after it.
    Shadow {
        /// Share of the requests that are copied.
        mirror: Weight,
        /// How long.
        length: Duration,
    },
    /// One share of traffic for a fixed time, whose clients stay on their side; everything at once after it.
    AB {
        /// The candidate's share.
        share: Weight,
        /// How long.
        length: Duration,
    },
    /// The requests that carry a header, for a fixed time; everything at once after it.
    Matched {
        /// Which requests the candidate answers.
        rule: HeaderMatch,
        /// How long.
        length: Duration,
    },
}

/// One step of a canary, in Argo Rollouts' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Give the candidate this share of traffic.
    SetWeight(Weight),
    /// Have the candidate answer copies of this share of the requests; only before it has traffic.
    Mirror(Weight),
    /// Go on after this time, or, where there is none, when a person says so.
    Pause(Option<Duration>),
}

/// What a newer version does to a rollout that runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnNewer {
    /// It waits; of several that wait, the newest is next.
    #[default]
    QueueLatest,
    /// It stops the rollout, which goes back to stable first.
    Supersede,
}

/// What a metric leads to that turned out bad. A candidate that no longer answers goes back whatever this says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The version from before gets the traffic back.
    #[default]
    Rollback,
    /// The share of traffic stays as it is until a person decides.
    Freeze,
    /// The same, with the way back proposed to a person.
    Propose,
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

impl Strategy {
    /// Whether its steps give the candidate a part of the traffic beside stable.
    pub fn shares_traffic(&self) -> bool {
        matches!(self, Self::Canary { .. } | Self::AB { .. } | Self::Matched { .. })
    }

    /// Which requests the candidate answers on the way whatever its share; absent where that is left to chance.
    pub fn rule(&self) -> Option<&HeaderMatch> {
        match self {
            Self::Matched { rule, .. } => Some(rule),
            _ => None,
        }
    }

    /// Whether the candidate answers copies of requests on the way.
    pub fn mirrors(&self) -> bool {
        match self {
            Self::Shadow { .. } => true,
            Self::BlueGreen { mirror, .. } => *mirror > Weight::NONE,
            Self::Canary { steps } => steps.iter().any(|step| matches!(step, Step::Mirror(_))),
            Self::AllAtOnce | Self::AB { .. } | Self::Matched { .. } => false,
        }
    }
}

impl RolloutPlan {
    /// All at once after a smoke check, with nothing measured.
    pub fn all_at_once(smoke: Smoke, progress_deadline: Duration) -> Self {
        Self {
            strategy: Strategy::AllAtOnce,
            smoke,
            progress_deadline,
            hold_back: Weight::NONE,
            bake: Duration::default(),
            analysis: None,
            on_newer: OnNewer::default(),
            sticky: None,
            scale_down_delay: Duration::default(),
            abort_scale_down_delay: Duration::default(),
            next: None,
            on_failure: OnFailure::default(),
            freeze: vec![],
            guard: Duration::default(),
        }
    }

    /// Whether the candidate is given a part of the traffic beside stable on the way.
    pub fn shares_traffic(&self) -> bool {
        self.strategy.shares_traffic() || self.hold_back > Weight::NONE
    }

    /// Whether traffic is shared by weight on the way.
    pub fn weighs(&self) -> bool {
        self.hold_back > Weight::NONE || (self.strategy.shares_traffic() && self.strategy.rule().is_none())
    }

    /// Whether requests are routed in another way than by weight on it.
    pub fn routes(&self) -> bool {
        self.sticky.is_some() || self.strategy.mirrors() || self.strategy.rule().is_some()
    }

    /// The steps of a canary; none for other strategies.
    pub fn steps(&self) -> &[Step] {
        match &self.strategy {
            Strategy::Canary { steps } => steps,
            Strategy::AllAtOnce
            | Strategy::BlueGreen { .. }
            | Strategy::Shadow { .. }
            | Strategy::AB { .. }
            | Strategy::Matched { .. } => &[],
        }
    }

    /// The largest share that the candidate gets before it is stable.
    pub fn full(&self) -> Weight {
        Weight::percent(100 - self.hold_back.get()).unwrap_or(Weight::ALL)
    }
}

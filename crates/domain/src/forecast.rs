//! What a rollout would do, and whether its metrics can be decided on the way: said before anything moves.
//!
//! Numbers that are not known stay absent, with the reason; a forecast never guesses them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::{Bound, Judge, Margin, MetricKind},
    kayenta::KayentaMetric,
    name::{Environment, ModelName},
    plan::RolloutPlan,
    release::Release,
    schema::Document,
    scoring::Scoring,
    threshold::Threshold,
    traffic::Weight,
    units::Duration,
};

/// What a rollout would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// The model.
    pub model: ModelName,
    /// Where it would go.
    pub environment: Environment,
    /// What would be rolled out.
    pub candidate: Release,
    /// What serves now; absent on a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Release>,
    /// Whether the environment holds the candidate's bytes already, so that this is about the version after it.
    pub held: bool,
    /// What applies of the environment's plan.
    pub plan: RolloutPlan,
    /// The way, in order.
    pub way: Vec<Stretch>,
    /// The shortest time that the way takes, without what persons and undecided metrics add.
    pub shortest: Duration,
    /// Requests per second to the model, all versions together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Figure>,
    /// What each metric needs.
    pub metrics: Vec<MetricForecast>,
    /// What could not be found out, as sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A part of the way with one share of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// The candidate's share.
    pub weight: Weight,
    /// The share of requests that it answers copies of.
    #[serde(default)]
    pub mirror: Weight,
    /// Whether it answers the requests that carry the plan's header: how many those are, nobody knows before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub matched: bool,
    /// How long it is held at least; absent where a person ends it.
    pub lasts: Option<Duration>,
    /// What the candidate is measured against; absent where nothing is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Comparison>,
    /// Whether it is held until every metric is decided, for at most `max_wait` more.
    pub needs_verdict: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Stretch {
    /// The share of requests that the candidate answers, for real or as copies.
    pub fn answered(&self) -> Weight {
        self.weight.max(self.mirror)
    }
}

/// What a candidate is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// Stable, which serves beside it.
    Stable,
    /// The fixed bound of each metric.
    Bound,
    /// Stable's answers to the same requests.
    Shadow,
}

/// A number, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// Where it comes from.
    pub from: Origin,
}

/// Where a number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The caller gave it.
    Given,
    /// The target's counters of the stable version.
    Measured,
    /// It follows from how the judge works, as the worst case.
    WorstCase,
}

/// What one metric needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricForecast {
    /// Its name.
    pub name: String,
    /// What it measures.
    pub kind: MetricKind,
    /// How it is judged.
    pub judge: Judge,
    /// How much worse than stable may be promoted.
    pub margin: Margin,
    /// What must be kept where nothing is left to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// What its values must keep; present for metrics of the kind `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// What is computed once, and when; present for metrics of the kind `score`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// How its values are compared once; present for metrics with the judge `kayenta`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kayenta: Option<KayentaMetric>,
    /// Stable's share of failed, slow or wrong answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Figure>,
    /// The candidate's share that is to be seen as a regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regression: Option<f64>,
    /// Share of requests with a label; absent for metrics that need none, and where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled: Option<Figure>,
    /// One entry per share of traffic at which it is measured.
    pub needs: Vec<Need>,
    /// Whether the way is long enough.
    pub outlook: Outlook,
}

/// What a metric needs at one share of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Need {
    /// The candidate's share.
    pub weight: Weight,
    /// What it is measured against.
    pub against: Comparison,
    /// To see the regression; absent where stable's value is unknown, or the regression is tolerated.
    pub see: Option<Cost>,
    /// To promote a candidate that is as good as stable; absent where stable's value is unknown, or it never is.
    pub promote: Option<Cost>,
}

/// Observations of the candidate, and how long they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Observations of the candidate.
    pub observations: u64,
    /// How long they take at the known rate, in whole looks and with the delay of labels; absent without a rate.
    pub lasts: Option<Duration>,
}

/// Whether a candidate that is as good as stable can be promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "outlook")]
pub enum Outlook {
    /// It is decided on the way.
    InTime {
        /// Time with traffic until it is.
        after: Duration,
        /// Whether the rollout waits for it beyond the times of the plan.
        waits: bool,
    },
    /// The way and `max_wait` end first, and a person has to decide.
    TooLate {
        /// Percent of the evidence that is there by then.
        reached: u8,
        /// What would be enough, each a sentence.
        advice: Vec<String>,
    },
    /// It can never be decided.
    Never {
        /// Why.
        why: String,
        /// What would be enough.
        advice: Vec<String>,
    },
    /// Something is not known.
    Unknown {
        /// What, and how to tell it.
        why: String,
    },
    /// It only advises.
    Advisory,
}

impl Forecast {
    /// Metrics that cannot be decided on the way.
    pub fn stuck(&self) -> impl Iterator<Item = &MetricForecast> {
        let is_stuck = |metric: &&MetricForecast| {
            matches!(metric.outlook, Outlook::TooLate { .. } | Outlook::Never { .. })
        };
        self.metrics.iter().filter(is_stuck)
    }

    /// How often a person has to go on with it.
    pub fn persons(&self) -> usize {
        self.way.iter().filter(|stretch| stretch.lasts.is_none()).count()
    }
}

impl Document for Forecast {
    const SCHEMA: &'static str = "tagship/plan/v1";
}

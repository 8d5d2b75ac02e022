//! What a candidate must show on live traffic, what was measured, and what it adds up to.
//!
//! A *metric* compares the candidate with stable, or with a fixed bound where no stable traffic exists. A *look* is
//! one window of counts that follows the one before without overlap. A *judge* turns looks into a verdict; all judges
//! are always-valid sequential tests, so that looking often does not raise the rate of false alarms. A
//! [`Threshold`] is the exception: conditions on values with limits on how many may break them, as other systems have them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::measurement::Measurement;
use crate::{
    evidence::{Evidence, Pairs},
    kayenta::{KayentaMetric, KayentaScore, SCORE},
    schema::Document,
    scoring::{Labelled, Scoring},
    threshold::Threshold,
    traffic::Histogram,
    units::Duration,
};

/// What a candidate must show on live traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Time from one look to the next.
    pub interval: Duration,
    /// How long a weight is held for metrics that are not decided, before a person has to decide.
    pub max_wait: Duration,
    /// The metrics; names are unique.
    pub metrics: Vec<Metric>,
    /// The score over the metrics that are judged the way of Kayenta; absent where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kayenta: Option<KayentaScore>,
}

/// One metric of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// What people call it.
    pub name: String,
    /// What is measured.
    pub kind: MetricKind,
    /// How looks become a verdict.
    pub judge: Judge,
    /// How many times worse than stable the candidate may be before it counts against it; 1 or more.
    pub tolerance: f64,
    /// How much worse than stable a candidate may be at most to be promoted.
    pub promote_margin: Margin,
    /// What the candidate must keep where no stable traffic exists to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// Observations of the candidate below which there is no verdict.
    pub min_samples: u64,
    /// How late labels arrive; zero for metrics without labels.
    #[serde(default)]
    pub label_delay: Duration,
    /// What a look without data means.
    pub on_no_data: OnNoData,
    /// Failed looks that are tolerated.
    pub failure_limit: u64,
    /// Inconclusive looks that are tolerated.
    pub inconclusive_limit: u64,
    /// Looks in a row that may not be measured.
    pub consecutive_error_limit: u64,
    /// Whether a source of its own counts it, and not the target.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_source: bool,
    /// What its values must keep; present for metrics of the kind `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// What is computed, and when; present for metrics of the kind `score`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// How its values are compared; present for metrics with the judge `kayenta`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kayenta: Option<KayentaMetric>,
    /// Whether it only advises, whatever it shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// How much of the rollout's error rate it takes, against the weights of the other metrics; above 0.
    #[serde(default = "even", skip_serializing_if = "is_even")]
    pub weight: f64,
}

/// The weight of a metric where nothing is said.
fn even() -> f64 {
    Metric::DEFAULT_WEIGHT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_even(weight: &f64) -> bool {
    (weight - Metric::DEFAULT_WEIGHT).abs() < f64::EPSILON
}

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MetricKind {
    /// Share of requests with an error.
    ErrorRatio,
    /// How long answers take.
    Latency,
    /// Share of labelled predictions that were right.
    LabelledAccuracy,
    /// Accuracy on the same requests, answered by both versions (shadow traffic).
    PairedAccuracy,
    /// Share of the same requests that both versions answered differently (shadow traffic).
    Disagreement,
    /// How far the scores of both versions are apart on the same requests (shadow traffic).
    ScoreDistance,
    /// Distribution of the predicted labels. Advisory: it never decides a rollout.
    PredictionDrift,
    /// What a query, a program or an address answers, whatever it is.
    Value,
    /// A score of labelled predictions that does not add up over looks: judged once, at a horizon.
    Score,
}

/// How looks become a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judge {
    /// Boundary e-process, tempered and capped, next to a plain one that sees gross failures early.
    TwoSpeed,
    /// Boundary e-process, tempered.
    BoundaryE,
    /// Boundary e-process on "slower than", averaged over the bounds of a histogram.
    BucketE,
    /// Sign e-process on the pairs in which exactly one version was wrong.
    PairedSignE,
    /// Two-sample e-process on class counts.
    MultinomialE,
    /// Conditions that each value keeps or breaks, and limits on how many may break them.
    Threshold,
    /// One figure with its interval, at a horizon.
    FixedHorizon,
    /// Kayenta's: values of both versions compared once, and a score over all metrics with this judge. No error rate.
    Kayenta,
}

/// How much worse a candidate may be to be promoted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Margin {
    /// This many times stable's failure share; above 1.
    Ratio(f64),
    /// This much more than stable's failure share; above 0.
    Absolute(f64),
}

/// A fixed bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// At most this share of requests with an error.
    MaxErrorRatio(f64),
    /// At least this share of labelled predictions right.
    MinAccuracy(f64),
    /// At most this share of the same requests answered differently.
    MaxDisagreement(f64),
    /// At most this share of the same requests with scores that are further apart.
    ScoreDistance {
        /// Mean absolute difference of the scores of one request.
        beyond: f64,
        /// Share of requests, e.g. 0.02.
        share: f64,
    },
    /// At least this share of requests answered within this time.
    Latency {
        /// Share of requests, e.g. 0.99.
        quantile: f64,
        /// Milliseconds.
        within_ms: f64,
    },
}

/// What a look without data means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnNoData {
    /// Nothing; a person decides when `max-wait` has passed.
    #[default]
    Wait,
    /// It is an inconclusive look.
    Inconclusive,
    /// It is a failed look.
    Fail,
}

/// Observations of one version in one look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Observations.
    pub n: u64,
    /// Of these, bad ones.
    pub bad: u64,
}

/// What one look saw of one metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// Good and bad observations.
    Shares {
        /// Of stable; absent where none of its traffic exists.
        stable: Option<Share>,
        /// Of the candidate.
        candidate: Share,
    },
    /// Durations; both histograms have the same bounds.
    Histograms {
        /// Of stable; absent where none of its traffic exists.
        stable: Option<Histogram>,
        /// Of the candidate.
        candidate: Histogram,
    },
    /// Predicted labels by class.
    Classes {
        /// Of stable.
        stable: BTreeMap<String, u64>,
        /// Of the candidate.
        candidate: BTreeMap<String, u64>,
    },
    /// Labelled requests that both versions answered.
    Pairs(Pairs),
    /// Values of a query; null where there was none.
    Values {
        /// About stable; absent where no condition reads it.
        stable: Option<Value>,
        /// About the candidate, or about everything.
        result: Value,
    },
    /// All labelled predictions so far; not only those of this look.
    Labelled(Labelled),
}

/// What came of trying to see one metric at one look.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// Counts, which may be zero.
    Window(Window),
    /// It could not be measured; why.
    Error(String),
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
    /// How many observations of the candidate it rests on.
    pub n: u64,
    /// One sentence with the numbers.
    pub message: String,
    /// The numbers of the newest look; absent for checks that count nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// What the sequential test remembers; absent before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What became of looks so far.
    #[serde(default)]
    pub looks: Looks,
}

/// What became of the looks at one metric.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looks {
    /// Looks with data.
    pub measured: u64,
    /// Looks at which the judge said that the candidate is bad, and looks without data where that counts so.
    pub failed: u64,
    /// Looks without data where that counts as inconclusive, and values that are neither good nor bad.
    pub inconclusive: u64,
    /// Looks in a row, up to the newest, that could not be measured.
    pub consecutive_errors: u64,
    /// Looks that a `count` counts: good, bad and inconclusive ones since the beginning, or since a person resumed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub counted: u64,
    /// Of these, good ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub good: u64,
    /// Good values in a row, up to the newest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub consecutive_successes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What an analysis says after one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnalysisDecision {
    /// Nothing is decided.
    Continue,
    /// Every metric is good.
    Promote,
    /// A metric is bad, or could not be measured for too long.
    Rollback,
    /// A metric ended undecided; a person has to decide.
    Inconclusive,
}

/// One metric after one look, under its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricReading {
    /// The metric.
    pub name: String,
    /// Its verdict so far.
    pub phase: MetricPhase,
    /// One sentence with the numbers.
    pub message: String,
    /// The numbers.
    #[serde(flatten)]
    pub measurement: Measurement,
}

/// One look at all metrics: a line of a backtest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnalysisLook {
    /// Seconds, as the recording counts them.
    pub t: f64,
    /// Every metric.
    pub metrics: Vec<MetricReading>,
    /// What they add up to.
    pub decision: AnalysisDecision,
}

impl Document for AnalysisLook {
    const SCHEMA: &'static str = "tagship/backtest/v1";
}

impl MetricKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::ErrorRatio,
        Self::Latency,
        Self::LabelledAccuracy,
        Self::PairedAccuracy,
        Self::Disagreement,
        Self::ScoreDistance,
        Self::PredictionDrift,
        Self::Value,
        Self::Score,
    ];

    /// The judges that can judge it; the first one does where none is named.
    pub fn judges(self) -> &'static [Judge] {
        match self {
            Self::ErrorRatio => &[Judge::TwoSpeed, Judge::BoundaryE],
            Self::Latency => &[Judge::BucketE],
            Self::LabelledAccuracy => &[Judge::BoundaryE, Judge::TwoSpeed],
            Self::PairedAccuracy => &[Judge::PairedSignE],
            Self::Disagreement | Self::ScoreDistance => &[Judge::BoundaryE],
            Self::PredictionDrift => &[Judge::MultinomialE],
            Self::Value => &[Judge::Threshold, Judge::Kayenta],
            Self::Score => &[Judge::FixedHorizon],
        }
    }

    /// The judge where none is named.
    pub fn default_judge(self) -> Judge {
        self.judges()[0]
    }

    /// Whether a judge can judge it.
    pub fn fits(self, judge: Judge) -> bool {
        self.judges().contains(&judge)
    }

    /// The promotion margin where none is named. Of latency it is about the share of answers in the slow tail.
    pub fn default_margin(self) -> Margin {
        match self {
            Self::ErrorRatio
            | Self::Latency
            | Self::Disagreement
            | Self::ScoreDistance
            | Self::PredictionDrift
            | Self::Value
            | Self::Score => Margin::Ratio(1.5),
            Self::LabelledAccuracy | Self::PairedAccuracy => Margin::Absolute(0.02),
        }
    }

    /// Whether a fixed bound is about what it measures. Pairs and drift compare, so nothing fixed fits them.
    pub fn fits_bound(self, bound: Bound) -> bool {
        matches!(
            (self, bound),
            (Self::ErrorRatio, Bound::MaxErrorRatio(_))
                | (Self::LabelledAccuracy, Bound::MinAccuracy(_))
                | (Self::Latency, Bound::Latency { .. })
                | (Self::Disagreement, Bound::MaxDisagreement(_))
                | (Self::ScoreDistance, Bound::ScoreDistance { .. })
        )
    }

    /// Whether only copies of requests show it: both versions have to answer the same ones.
    pub fn is_paired(self) -> bool {
        matches!(self, Self::PairedAccuracy | Self::Disagreement | Self::ScoreDistance)
    }

    /// Whether copies of requests show it, while the candidate's own answers reach nobody.
    pub fn shows_in_shadow(self) -> bool {
        self.is_paired() || matches!(self, Self::ErrorRatio | Self::Latency | Self::Value | Self::Score)
    }

    /// Whether its verdict decides a rollout.
    pub fn decides(self) -> bool {
        self != Self::PredictionDrift
    }

    /// As the configuration writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ErrorRatio => "error-ratio",
            Self::Latency => "latency",
            Self::LabelledAccuracy => "labelled-accuracy",
            Self::PairedAccuracy => "paired-accuracy",
            Self::Disagreement => "disagreement",
            Self::ScoreDistance => "score-distance",
            Self::PredictionDrift => "prediction-drift",
            Self::Value => "value",
            Self::Score => "score",
        }
    }
}

impl Analysis {
    /// Whatever it has a verdict on: its metrics, then the score over some of them where there is one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let score = self.kayenta.iter().map(|_| SCORE);
        self.metrics.iter().map(|metric| metric.name.as_str()).chain(score)
    }

    /// The part of the rollout's error rate that a metric takes, 0 to 1; all of it for one that only advises, which can
    /// roll nothing back.
    ///
    /// Weights are settled before the first look, and the parts of all metrics that take any add up to 1, whatever share
    /// of them is measured at a time. A metric with the part `w` fails at an error rate of `w * alpha`, so that by the
    /// union bound one of them fails falsely at any look with probability of at most alpha, however they depend on each
    /// other.
    pub fn part(&self, metric: &Metric) -> f64 {
        if !metric.takes_error_rate() {
            return 1.0;
        }
        let all: f64 =
            self.metrics.iter().filter(|metric| metric.takes_error_rate()).map(|metric| metric.weight).sum();
        if all > 0.0 { (metric.weight / all).min(1.0) } else { 1.0 }
    }
}

impl Metric {
    /// How many times worse than stable counts against the candidate where nothing is said: any.
    pub const DEFAULT_TOLERANCE: f64 = 1.0;
    /// Observations of the candidate below which there is no verdict, where nothing is said.
    pub const DEFAULT_MIN_SAMPLES: u64 = 50;
    /// Looks in a row that may not be measured, where nothing is said.
    pub const DEFAULT_CONSECUTIVE_ERROR_LIMIT: u64 = 4;
    /// Part of the error rate, against those of other metrics, where nothing is said.
    pub const DEFAULT_WEIGHT: f64 = 1.0;
    /// A limit that tolerates any number of looks.
    pub const NO_LIMIT: u64 = u64::MAX;

    /// A metric of which nothing but name and kind is said.
    pub fn with_defaults(name: &str, kind: MetricKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            judge: kind.default_judge(),
            tolerance: Self::DEFAULT_TOLERANCE,
            promote_margin: kind.default_margin(),
            bound: None,
            min_samples: if kind == MetricKind::Value { 1 } else { Self::DEFAULT_MIN_SAMPLES },
            label_delay: Duration::default(),
            on_no_data: OnNoData::default(),
            failure_limit: 0,
            inconclusive_limit: 0,
            consecutive_error_limit: Self::DEFAULT_CONSECUTIVE_ERROR_LIMIT,
            own_source: false,
            threshold: None,
            scoring: None,
            kayenta: None,
            dry_run: false,
            weight: Self::DEFAULT_WEIGHT,
        }
    }

    /// Whether its verdict decides a rollout.
    pub fn decides(&self) -> bool {
        self.kind.decides() && !self.dry_run
    }

    /// Whether its verdict can be wrong by chance at a rate that is settled beforehand, so that it takes part of the
    /// rollout's error rate. Conditions on values and the judge of Kayenta promise no rate.
    pub fn takes_error_rate(&self) -> bool {
        self.decides() && !matches!(self.judge, Judge::Threshold | Judge::Kayenta)
    }

    /// Whether it is judged at every look, and not once.
    pub fn is_watched(&self) -> bool {
        !matches!(self.judge, Judge::FixedHorizon | Judge::Kayenta)
    }

    /// Whether its source is asked about stable too.
    pub fn compares_values(&self) -> bool {
        self.kayenta.is_some() || self.threshold.as_ref().is_some_and(Threshold::compares)
    }

    /// Whether it can be judged where no stable traffic exists to compare with.
    pub fn stands_alone(&self) -> bool {
        self.bound.is_some() || self.threshold.as_ref().is_some_and(|threshold| !threshold.compares())
    }
}

impl JudgeState {
    /// A verdict of a check that counts nothing.
    pub fn checked(phase: MetricPhase, n: u64, message: String) -> Self {
        Self { phase, n, message, measurement: None, evidence: None, looks: Looks::default() }
    }
}

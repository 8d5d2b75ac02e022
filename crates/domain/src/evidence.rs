//! What sequential tests remember between looks: plain numbers, O(1), kept in the journal. The formulas that move
//! them are in the crate `stats`.
//!
//! A log e-value is the natural logarithm of evidence against a null hypothesis: 0 is none, `ln 20` rejects at 5 %.
//! Stored ones are rounded down, which may weaken evidence and never adds any.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::Share,
    kayenta::KayentaEvidence,
    time::Timestamp,
    traffic::{Histogram, ShadowCounters},
};

/// What a judge remembers of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// End of the first window.
    pub since: Timestamp,
    /// End of the newest window; a window that does not end later adds nothing.
    pub end: Timestamp,
    /// Largest log e-value against "no worse than tolerated" that any look ended with, 0 or more. The anytime-valid
    /// p-value is `exp(-strongest)`.
    pub strongest: f64,
    /// What the test remembers; absent while no look had data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
}

/// The tests, with what each remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Boundary e-processes on the shares of two versions.
    Boundary(BoundaryEvidence),
    /// One boundary e-process per bound of a histogram.
    Buckets(BucketEvidence),
    /// E-processes on pairs.
    Paired(PairedEvidence),
    /// Two-sample e-process on class counts.
    Multinomial(MultinomialEvidence),
    /// One-sample e-processes against a fixed bound.
    Fixed(FixedEvidence),
    /// One figure at a horizon.
    Horizon(HorizonEvidence),
    /// Values that the judge of Kayenta compares.
    Kayenta(KayentaEvidence),
}

/// The figure of a score at its horizon; rows themselves are not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HorizonEvidence {
    /// When it was judged.
    pub at: Timestamp,
    /// Labelled predictions of stable and of the candidate that were judged.
    pub rows: [u64; 2],
    /// Whether both versions predicted the same things.
    pub paired: bool,
    /// Scores of stable and of the candidate.
    pub scores: [f64; 2],
    /// Interval of how much better the candidate's score is, negative where it is worse; absent where rows cannot show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<[f64; 2]>,
    /// Confidence of the interval: as much as the metric's part of the rollout's error rate leaves on each side.
    pub confidence: f64,
    /// sha256 of the rows that their source gave, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The e-processes of one share, one log e-value per alternative in each list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Processes {
    /// Against "no worse than tolerated", tempered.
    pub rollback: Vec<f64>,
    /// The same with a limit on what one look may add; two-speed judges only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capped: Option<Capped>,
    /// Against "not grossly worse", neither tempered nor capped; two-speed judges only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gross: Vec<f64>,
    /// Against "not within the promotion margin", tempered.
    pub promotion: Vec<f64>,
    /// The same with a limit on what one look may add; two-speed judges only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion_capped: Option<Capped>,
    /// How unsteady the counts are.
    pub dispersion: Dispersion,
}

/// An e-process of which no look adds more than a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capped {
    /// The uncapped log e-value after the newest look.
    pub previous: f64,
    /// The capped one.
    pub total: f64,
}

/// Sums that say how much more counts vary from look to look than independent requests would. Written as the list of
/// its fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
#[schemars(with = "[f64; 4]")]
pub struct Dispersion {
    /// The candidate's bad observations, each look weighted by stable's share of its observations.
    pub candidate: f64,
    /// Stable's bad observations, each look weighted by the candidate's share of its observations.
    pub stable: f64,
    /// Sum of squared standardised residuals.
    pub squares: f64,
    /// Looks.
    pub looks: f64,
}

/// Boundary e-processes on the shares of two versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoundaryEvidence {
    /// Of stable, over all looks that counted.
    pub stable: Share,
    /// Of the candidate.
    pub candidate: Share,
    /// The e-processes.
    pub processes: Processes,
}

/// Boundary e-processes on "slower than", one per bound of a histogram.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BucketEvidence {
    /// The bounds in milliseconds, ascending.
    pub bounds: Vec<f64>,
    /// Observations of stable and of the candidate, over all looks that counted.
    pub n: [u64; 2],
    /// By bound: of these, how many were slower.
    pub slower: Vec<[u64; 2]>,
    /// By bound: log e-values against "no slower than tolerated", one per alternative.
    pub rollback: Vec<Vec<f64>>,
    /// By bound: how unsteady the counts are.
    pub dispersion: Vec<Dispersion>,
    /// Which bound stands for the tail, by position; chosen once, from looks before those that it is judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<usize>,
    /// Log e-values against "slower than the tail's bound more often than the margin allows", one per alternative.
    pub promotion: Vec<f64>,
}

/// E-processes on requests that both versions answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairedEvidence {
    /// Pairs and where exactly one version was wrong, over all looks.
    pub pairs: Pairs,
    /// Log e-values against "no worse than tolerated", one per alternative.
    pub rollback: Vec<f64>,
    /// Log e-values against "not within the promotion margin", one per alternative.
    pub promotion: Vec<f64>,
}

/// Labelled requests that both versions answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pairs {
    /// All of them.
    pub n: u64,
    /// Of these, where only stable was wrong.
    pub only_stable_wrong: u64,
    /// Of these, where only the candidate was wrong.
    pub only_candidate_wrong: u64,
}

/// Two-sample e-process on class counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MultinomialEvidence {
    /// Counts of stable and of the candidate by class, over all looks that counted; a bounded number of classes.
    pub classes: BTreeMap<String, [u64; 2]>,
    /// Counts of every other class together.
    pub other: [u64; 2],
    /// Log e-values against "the same distribution", one per strength of the prior.
    pub drift: Vec<f64>,
}

/// One-sample e-processes against a fixed bound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixedEvidence {
    /// Observations of the candidate and the surely bad ones, over all looks.
    pub candidate: Share,
    /// Observations that may be bad: as many, unless a histogram has no bound where the limit lies.
    pub at_most_bad: u64,
    /// All durations, in at most a few buckets; latency only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durations: Option<Histogram>,
    /// The e-processes.
    pub processes: Processes,
}

impl From<[f64; 4]> for Dispersion {
    fn from([candidate, stable, squares, looks]: [f64; 4]) -> Self {
        Self { candidate, stable, squares, looks }
    }
}

impl From<Dispersion> for [f64; 4] {
    fn from(sums: Dispersion) -> Self {
        [sums.candidate, sums.stable, sums.squares, sums.looks]
    }
}

impl From<&ShadowCounters> for Pairs {
    fn from(counted: &ShadowCounters) -> Self {
        Self {
            n: counted.labelled,
            only_stable_wrong: counted.only_stable_wrong,
            only_candidate_wrong: counted.only_candidate_wrong,
        }
    }
}

//! Traffic as a target has it: shares, versions and what is counted about each.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, version::Version};

/// Share of traffic in percent, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct Weight(u8);

/// Cumulative counters of one version, as the target reports them. They start at zero again when the target does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Requests answered.
    pub requests: u64,
    /// Of these, with an error.
    pub errors: u64,
    /// How long answers took; absent where the target does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Histogram>,
    /// Labels of feedback that agreed with the prediction.
    #[serde(default)]
    pub correct: u64,
    /// Labels of feedback that did not.
    #[serde(default)]
    pub incorrect: u64,
    /// Predicted labels by class; absent where the model gives none, or too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<BTreeMap<String, u64>>,
    /// What the version answered to copies of requests that another version answered for real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowCounters>,
}

/// A histogram; of durations where nothing else is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// Upper bounds, ascending, each inclusive; of durations in milliseconds.
    pub bounds: Vec<f64>,
    /// How many values lie in each bucket, not cumulated: one entry per bound, then one for everything above.
    pub counts: Vec<u64>,
}

/// Answers of a version to mirrored requests, compared with those of the version that answered for real.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowCounters {
    /// Requests that were mirrored and answered by both.
    pub compared: u64,
    /// Of these, with another label, or with numbers that are further apart than the comparison allows.
    pub disagreed: u64,
    /// Of those compared, with a label; what only one version got wrong is counted among these.
    #[serde(default)]
    pub labelled: u64,
    /// Of the labelled ones, where only the version that answered for real was wrong.
    pub only_stable_wrong: u64,
    /// Of the labelled ones, where only this version was wrong.
    pub only_candidate_wrong: u64,
    /// Mirrored requests that this version did not answer.
    pub failed: u64,
    /// How long its answers to mirrored requests took, without the time in which copies wait; absent where the target does
    /// not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Histogram>,
    /// How long the answers of the other version to the same requests took, measured the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_latency: Option<Histogram>,
    /// How far its scores were from those of the other version: of each compared request with scores in both answers, the
    /// mean absolute difference; absent where the target does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<Histogram>,
}

/// Versions that a target has loaded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetState {
    /// One entry per version.
    pub arms: Vec<Arm>,
}

/// One version on a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl TargetState {
    /// The entry of a version.
    pub fn arm(&self, version: &Version) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.version == *version)
    }
}

impl Histogram {
    /// How many durations were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

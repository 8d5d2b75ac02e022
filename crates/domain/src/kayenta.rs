//! The judge of Kayenta as an option: how one metric is judged, and the score over all of them.
//!
//! Values of both versions are collected look by look and judged once, when the lifetime is over. The judge holds no error
//! rate: neither over looks, nor over metrics. It is there for policies that come from Kayenta.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{time::Timestamp, units::Duration};

/// Name of the score among the judges of a rollout.
pub const SCORE: &str = "kayenta score";

/// How the judge of Kayenta judges one metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KayentaMetric {
    /// Which change counts against the candidate.
    #[serde(default)]
    pub direction: Direction,
    /// What a look without a value means.
    #[serde(default)]
    pub nan_strategy: NanStrategy,
    /// Interquartile ranges around the quartiles beyond which values are left out; absent where all are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier_factor: Option<f64>,
    /// How large a change must be.
    #[serde(default)]
    pub effect_size: EffectSize,
    /// Whether a metric that cannot be judged counts as a failed one in its groups.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_have_data: bool,
    /// Whether this metric alone makes the score 0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
    /// The groups that it counts in; at least one.
    pub groups: Vec<String>,
}

/// How large a change must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EffectSize {
    /// What the size of a change is.
    #[serde(default)]
    pub measure: EffectMeasure,
    /// An increase of at least this counts; any where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_increase: Option<f64>,
    /// A decrease to at most this counts; any where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_decrease: Option<f64>,
    /// An increase of at least this makes the score 0 if the metric is critical; any that counts where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_increase: Option<f64>,
    /// A decrease to at most this makes the score 0 if the metric is critical; any that counts where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_decrease: Option<f64>,
}

/// Which change of the candidate counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Larger values.
    Increase,
    /// Smaller values.
    Decrease,
    /// Both.
    #[default]
    Either,
}

/// What a look without a value means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NanStrategy {
    /// It was not measured.
    #[default]
    Remove,
    /// Nothing happened: it is 0.
    Replace,
}

/// What the size of a change is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectMeasure {
    /// The candidate's mean over stable's; 1 is no change.
    #[default]
    MeanRatio,
    /// How often a value of the candidate is larger than one of stable, ties half; 0.5 is no change.
    Cles,
}

/// The score over all metrics that the judge of Kayenta judges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KayentaScore {
    /// From the first look to the verdict; the score is computed once.
    pub lifetime: Duration,
    /// Parts of groups in the score, adding up to 100; groups without one share what is left.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_weights: BTreeMap<String, f64>,
    /// From this score on, 0 to 100, the candidate is good.
    pub pass: f64,
    /// From this score on a person decides; below it, the candidate is bad.
    pub marginal: f64,
}

/// What the judge of Kayenta remembers of one metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KayentaEvidence {
    /// Values of stable and of the candidate, a pair per look, null where there was none; empty once it has been judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<[Option<f64>; 2]>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<KayentaJudged>,
}

/// One metric after its lifetime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KayentaJudged {
    /// When it was judged.
    pub at: Timestamp,
    /// What is said of it.
    pub class: KayentaClass,
    /// Values that there were of stable and of the candidate.
    pub n: [u64; 2],
    /// The shift of the candidate against stable: lower end, estimate, upper end of its 98 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<[f64; 3]>,
    /// The size of the change in the metric's measure; absent where it has no meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
}

/// What is said of one metric, in Kayenta's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KayentaClass {
    /// No change that counts.
    Pass,
    /// The candidate's values are larger.
    High,
    /// The candidate's values are smaller.
    Low,
    /// A version has no values.
    Nodata,
    /// It cannot be judged, and had to be: it counts as a failed one.
    NodataFailMetric,
    /// There are values, and too few of them.
    Inconclusive,
}

impl KayentaMetric {
    /// Most looks of which values are kept, so that a journal stays small; a lifetime has no more.
    pub const MOST_SAMPLES: u64 = 240;
    /// Values of each version below which nothing is said.
    pub const LEAST_SAMPLES: u64 = 5;

    /// What counts against the candidate, e.g. `no increase (critical), groups latency`.
    pub fn words(&self) -> String {
        let change = match self.direction {
            Direction::Increase => "no increase",
            Direction::Decrease => "no decrease",
            Direction::Either => "no change",
        };
        let critical = if self.critical { " (critical)" } else { "" };
        let group = if self.groups.len() == 1 { "group" } else { "groups" };
        format!("{change}{critical}, {group} {}", self.groups.join(", "))
    }
}

impl KayentaScore {
    /// From this score on a candidate is good, where nothing is said.
    pub const DEFAULT_PASS: f64 = 75.0;
    /// From this score on a person decides, where nothing is said.
    pub const DEFAULT_MARGINAL: f64 = 50.0;

    /// What the score must be, and when it is judged.
    pub fn words(&self) -> String {
        let Self { lifetime, pass, marginal, .. } = self;
        format!(
            "score >= {pass}, a person decides from {marginal} on; judged once, {lifetime} after the first look, without \
             an error rate"
        )
    }
}

impl KayentaClass {
    /// As Kayenta writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::High => "High",
            Self::Low => "Low",
            Self::Nodata => "Nodata",
            Self::NodataFailMetric => "NodataFailMetric",
            Self::Inconclusive => "Inconclusive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_counts_and_when() {
        let metric = KayentaMetric {
            direction: Direction::Increase,
            critical: true,
            groups: vec!["latency".to_owned()],
            ..KayentaMetric::default()
        };
        assert_eq!(metric.words(), "no increase (critical), group latency");
        let score = KayentaScore {
            lifetime: Duration::from_secs(1800),
            group_weights: BTreeMap::new(),
            pass: 75.0,
            marginal: 50.0,
        };
        let said = score.words();
        assert!(said.contains("score >= 75") && said.contains("judged once, 30m"), "{said}");
    }

    #[test]
    fn a_full_lifetime_stays_small() {
        let samples = vec![
            [Some(0.123_456), Some(-1.234_56e-7)];
            usize::try_from(KayentaMetric::MOST_SAMPLES).unwrap()
        ];
        let evidence = KayentaEvidence { samples, judged: None };
        let length = serde_json::to_string(&evidence).unwrap().len();
        assert!(length <= 8 * 1024, "{length} bytes");
        let back: KayentaEvidence = serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
        assert_eq!(back, evidence);
    }
}

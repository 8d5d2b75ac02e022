//! What the gate says: one line per check, with the numbers it saw.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, exit::Exit, name::ModelName, schema::Document, version::Version};

/// The outcome of one check, in Argo Rollouts' words for finished measurements.
/// Ordered from good to bad, so that the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Does not apply here: a comparison with stable where nothing is deployed yet. Neither good nor bad.
    NotApplicable,
    /// Measured and good.
    Successful,
    /// Could not be decided: data or a file is missing, a number is absent.
    Inconclusive,
    /// Could not be evaluated: broken report, wrong expression.
    Error,
    /// Measured and bad.
    Failed,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Commit checks of the forge.
    Checks,
    /// Test reports.
    Tests,
    /// The metrics file as a whole: that it can be read and holds finite numbers.
    Metrics,
    /// A rule over metrics.
    Rule,
    /// Candidate against stable on the same rows.
    Compare,
    /// The validation that came before.
    Validation,
}

/// One check of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateCheck {
    /// Name as configured, or the kind's own.
    pub name: String,
    /// What it looks at.
    pub kind: CheckKind,
    /// Its outcome.
    pub outcome: Outcome,
    /// One sentence that says what was seen and what was asked for.
    pub message: String,
    /// The expression, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Every value that the check saw, by the path it was read from; `null` where it is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saw: Vec<SeenValue>,
}

/// A value that a check read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeenValue {
    /// Where it was read from, e.g. `metrics.accuracy`.
    pub path: String,
    /// What was read; absent where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
}

/// A metric of the candidate beside the stable version's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricDiff {
    /// Dotted path of the metric.
    pub name: String,
    /// The candidate's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<f64>,
    /// The stable version's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<f64>,
}

/// The answer of `tagship gate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The model, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The digest that was judged, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The version that it was compared with: what the environment holds now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Version>,
    /// Worst outcome of all checks.
    pub outcome: Outcome,
    /// One entry per check, in configured order.
    pub checks: Vec<GateCheck>,
    /// Metrics of the candidate, with the stable version's where there is one.
    pub metrics: Vec<MetricDiff>,
}

impl Document for GateReport {
    const SCHEMA: &'static str = "tagship/gate/v1";
}

impl GateReport {
    /// Exit code: failed 1, anything undecided 3, else 0.
    pub fn exit(&self) -> Exit {
        match self.outcome {
            Outcome::Successful => Exit::Done,
            Outcome::Failed => Exit::Negative,
            Outcome::NotApplicable | Outcome::Inconclusive | Outcome::Error => Exit::Incomplete,
        }
    }

    /// Worst outcome of the checks. No check at all, or none that applies, is inconclusive: unknown is not good.
    pub fn worst(checks: &[GateCheck]) -> Outcome {
        match checks.iter().map(|check| check.outcome).max() {
            None | Some(Outcome::NotApplicable) => Outcome::Inconclusive,
            Some(worst) => worst,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotApplicable => "not applicable",
            Self::Successful => "successful",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Failed => "failed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_apply_neither_helps_nor_hurts() {
        let check = |outcome| GateCheck {
            name: "c".to_owned(),
            kind: CheckKind::Rule,
            outcome,
            message: String::new(),
            expression: None,
            saw: vec![],
        };
        let worst = |outcomes: &[Outcome]| {
            GateReport::worst(&outcomes.iter().copied().map(check).collect::<Vec<_>>())
        };
        assert_eq!(worst(&[]), Outcome::Inconclusive);
        assert_eq!(worst(&[Outcome::NotApplicable]), Outcome::Inconclusive);
        assert_eq!(worst(&[Outcome::NotApplicable, Outcome::Successful]), Outcome::Successful);
        assert_eq!(worst(&[Outcome::Failed, Outcome::Inconclusive]), Outcome::Failed);
    }
}

//! `gate`: what a candidate must show before it is released.
//!
//! Expressions are plain text here; the gate reads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the gate asks for. The default is what counts where nothing is configured: one test, none flaky.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GateSettings {
    /// Names of commit checks that must be green.
    pub checks: Vec<String>,
    /// What the test reports must show.
    pub tests: TestSettings,
    /// Rules over metrics, in the order they are written; names are unique.
    pub rules: Vec<Rule>,
    /// Candidate against stable on the same rows, where asked for.
    pub compare: Option<CompareSettings>,
    /// Whether comparisons fail to be decided, instead of not applying, where there is no stable version.
    pub require_baseline: bool,
}

/// What the test reports must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestSettings {
    /// Fewest tests that must have run and passed; at least 1, because no tests prove nothing.
    pub min: u64,
    /// Most tests that may have passed only when run again.
    pub allow_flaky: u64,
}

/// One rule: an expression that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rule {
    /// Name by which reports call it, e.g. `accuracy floor`.
    pub name: String,
    /// CEL expression over `metrics`, `stable`, `tests`, `validation` and `model`, e.g. `metrics.accuracy >= 0.90`.
    pub expr: String,
}

/// How candidate and stable are compared on the same rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareSettings {
    /// The statistical test.
    pub test: CompareTest,
    /// How much worse the candidate may be, as a share of rows between 0 and 1 (non-inferiority margin).
    pub margin: f64,
}

/// A statistical test over paired predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompareTest {
    /// McNemar's test on the rows that exactly one of the two gets right.
    Mcnemar,
    /// Paired bootstrap of the difference, with a fixed seed.
    Bootstrap,
}

/// Margin where none is configured: one row in a hundred.
pub const DEFAULT_MARGIN: f64 = 0.01;

impl Default for TestSettings {
    fn default() -> Self {
        Self { min: 1, allow_flaky: 0 }
    }
}

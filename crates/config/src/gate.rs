//! `gate`: what a candidate must show before it is released.
//!
//! Expressions are plain text here; the gate reads them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{diagnostic::printable, place::Place};

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompareTest {
    /// McNemar's test on the rows that exactly one of the two gets right.
    #[default]
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

/// What a candidate must show before it is released.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Gate")]
pub(crate) struct GateLayer {
    /// Names of commit checks that must be green.
    checks: Option<Vec<String>>,
    /// What the test reports must show.
    tests: Option<TestLayer>,
    /// Rules that must hold, each with a name that is used once.
    rules: Option<Vec<Rule>>,
    /// Comparison of candidate and stable on the same rows.
    compare: Option<CompareLayer>,
    /// Whether a comparison that lacks a stable version stays undecided instead of not applying.
    #[schemars(extend("default" = GateSettings::default().require_baseline))]
    require_baseline: Option<bool>,
}

/// What the test reports must show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Tests")]
pub(crate) struct TestLayer {
    /// Fewest tests that must have run and passed.
    #[schemars(range(min = 1), extend("default" = TestSettings::default().min))]
    min: Option<u64>,
    /// Most tests that may have passed only when run again.
    #[schemars(extend("default" = TestSettings::default().allow_flaky))]
    allow_flaky: Option<u64>,
}

/// Comparison of candidate and stable on the same rows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Compare")]
pub(crate) struct CompareLayer {
    /// The statistical test.
    #[schemars(extend("default" = CompareTest::default()))]
    test: Option<CompareTest>,
    /// How much worse the candidate may be, as a share of rows.
    #[schemars(range(min = 0.0, max = 1.0), extend("default" = DEFAULT_MARGIN))]
    margin: Option<f64>,
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self { test: CompareTest::default(), margin: DEFAULT_MARGIN }
    }
}

impl GateLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> GateSettings {
        let checks = self.checks.unwrap_or_default();
        let rules = self.rules.unwrap_or_default();
        report_names(checks.iter(), |index| place.key("checks").index(index));
        report_names(rules.iter().map(|rule| &rule.name), |index| {
            place.key("rules").index(index).key("name")
        });
        for (index, rule) in rules.iter().enumerate() {
            if rule.expr.trim().is_empty() {
                let at = place.key("rules").index(index).key("expr");
                at.report("the expression is empty".to_owned(), None);
            }
        }
        GateSettings {
            checks,
            tests: self.tests.unwrap_or_default().resolve(&place.key("tests")),
            rules,
            compare: self.compare.map(|compare| compare.resolve(&place.key("compare"))),
            require_baseline: self.require_baseline.unwrap_or_default(),
        }
    }
}

/// Names stand in reports: none is empty and none is used twice.
fn report_names<'a, 'p>(names: impl Iterator<Item = &'a String>, place: impl Fn(usize) -> Place<'p>) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        if name.trim().is_empty() {
            place(index).report("the name is empty".to_owned(), None);
        } else if !seen.insert(name) {
            place(index).report(format!("the name `{}` is used twice", printable(name)), None);
        }
    }
}

impl TestLayer {
    fn resolve(self, place: &Place<'_>) -> TestSettings {
        let default = TestSettings::default();
        if self.min == Some(0) {
            let help = "no tests prove nothing; without tests, leave `reports.junit` out".to_owned();
            place.key("min").report("at least one test must have passed".to_owned(), Some(help));
        }
        TestSettings {
            min: self.min.unwrap_or(default.min),
            allow_flaky: self.allow_flaky.unwrap_or(default.allow_flaky),
        }
    }
}

impl CompareLayer {
    fn resolve(self, place: &Place<'_>) -> CompareSettings {
        let default = CompareSettings::default();
        let margin = self.margin.unwrap_or(default.margin);
        if !(0.0..1.0).contains(&margin) {
            let message = format!("a margin is a share of rows from 0 to below 1, not {margin}");
            place.key("margin").report(message, Some("one row in a hundred is `0.01`".to_owned()));
        }
        CompareSettings { test: self.test.unwrap_or(default.test), margin }
    }
}

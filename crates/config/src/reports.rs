//! `reports`: where training and testing leave what the gate reads.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{path::RepoPath, place::Place};

/// Files that the gate reads; what is absent is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportSettings {
    /// `JUnit` XML files; each may be a pattern with `*` and `?`.
    pub junit: Vec<RepoPath>,
    /// Metrics as JSON or YAML.
    pub metrics: Option<RepoPath>,
    /// Predictions of candidate and stable on the same rows, as CSV.
    pub predictions: Option<RepoPath>,
}

/// Where training and testing leave what the gate reads.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Reports")]
pub(crate) struct ReportsLayer {
    /// JUnit XML files of the test run; each may be a pattern such as `reports/*.xml`.
    #[schemars(length(min = 1))]
    junit: Option<Vec<RepoPath>>,
    /// Metrics of the candidate, as JSON or YAML.
    metrics: Option<RepoPath>,
    /// Predictions on the same rows, as CSV.
    predictions: Option<RepoPath>,
}

impl ReportsLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> ReportSettings {
        if self.junit.as_ref().is_some_and(Vec::is_empty) {
            let help = "leave the key out where no tests are reported".to_owned();
            place.key("junit").report("the list is empty".to_owned(), Some(help));
        }
        ReportSettings {
            junit: self.junit.unwrap_or_default(),
            metrics: self.metrics,
            predictions: self.predictions,
        }
    }
}

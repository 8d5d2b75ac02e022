//! `monitor.drift`: which rows are compared, and how.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagship_domain::drift::DriftProfile;

use crate::place::Place;

/// Which rows are compared, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriftSettings {
    /// The rows that the model was made with: a file or a folder, from the top of the repository.
    pub reference: String,
    /// The rows that are judged; the reference's where both are windows of one log.
    pub current: String,
    /// Only these columns; all where it is empty.
    pub columns: Vec<String>,
    /// Columns any of which makes the whole drift.
    pub critical: BTreeSet<String>,
    /// By which rules drift is judged.
    pub profile: DriftProfile,
    /// The one test that is asked of every column, whatever the profile would choose.
    pub test: Option<String>,
    /// Whether drift fails the step.
    pub fail_on: Option<DriftFails>,
    /// What columns hold, whatever their values look like.
    pub schema: BTreeMap<String, DriftColumn>,
    /// The column of times.
    pub time_column: Option<String>,
    /// The recent rows of the current table, e.g. `7d` or `10000rows`; all where it is absent.
    pub window: Option<String>,
    /// The rows of the reference before that; all where it is absent.
    pub reference_window: Option<String>,
    /// Parts of the rows that are judged by themselves: a column, or a column and a value, `country=DE`.
    pub slices: Vec<String>,
}

/// What fails the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftFails {
    /// Drift of the whole or of a slice.
    Drift,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftColumn {
    /// Numbers; what is none is no value.
    Number,
    /// Names of categories, though they may look like numbers.
    Category,
}

/// Whether the rows that come in still look like those that the model was made with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Drift")]
pub(crate) struct DriftLayer {
    /// The rows that the model was made with, e.g. `monitoring/reference.parquet` or `s3://BUCKET/KEY`: a file, or a folder of
    /// them.
    #[schemars(required)]
    reference: Option<String>,
    /// The rows to judge; left out where both are windows of one log.
    current: Option<String>,
    /// Only these columns; all of both tables where it is left out.
    columns: Option<Vec<String>>,
    /// Columns any of which makes the whole drift.
    critical: Option<BTreeSet<String>>,
    /// By which rules drift is judged.
    #[schemars(extend("default" = DriftProfile::default()))]
    profile: Option<DriftProfile>,
    /// Ask this test of every column, e.g. `psi`, instead of those of the profile.
    test: Option<String>,
    /// What fails the step; nothing where it is left out.
    fail_on: Option<DriftFails>,
    /// What columns hold, e.g. `{ zip: category }`; else the texts among the inputs of the deployed release are categories,
    /// and the types of the file and the values say the rest.
    schema: Option<BTreeMap<String, DriftColumn>>,
    /// The column of times, for windows.
    time_column: Option<String>,
    /// The recent rows to judge: a length of time like `7d`, or the last rows, like `10000rows`.
    window: Option<String>,
    /// The rows of the reference: as long before the window, or before the last rows.
    reference_window: Option<String>,
    /// Parts of the rows that are judged by themselves, e.g. `[country, plan=pro]`.
    slices: Option<Vec<String>>,
}

impl DriftLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<DriftSettings> {
        let Some(reference) = self.reference.filter(|reference| !reference.trim().is_empty()) else {
            let help = "name the rows that the model was made with, e.g. `monitoring/reference.parquet`";
            place.key("reference").report("the key `reference` is missing".to_owned(), Some(help.to_owned()));
            return None;
        };
        if self.current.is_none() && self.window.is_none() {
            let help = "name the rows to judge with `current`, or which of the reference's with `window`";
            place.report("nothing is compared with the reference".to_owned(), Some(help.to_owned()));
            return None;
        }
        Some(DriftSettings {
            current: self.current.unwrap_or_else(|| reference.clone()),
            reference,
            columns: self.columns.unwrap_or_default(),
            critical: self.critical.unwrap_or_default(),
            profile: self.profile.unwrap_or_default(),
            test: self.test,
            fail_on: self.fail_on,
            schema: self.schema.unwrap_or_default(),
            time_column: self.time_column,
            window: self.window,
            reference_window: self.reference_window,
            slices: self.slices.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn read(drift: &str) -> Result<Config, String> {
        let text =
            format!("version: 1\nmodels:\n  m:\n    artifact: m.onnx\n    monitor:\n      drift: {drift}\n");
        Config::parse("tagship.yml", &text).map_err(|errors| errors.to_string())
    }

    #[test]
    fn one_log_is_both_sides_where_a_window_is_named() {
        let config =
            read("{ reference: log.jsonl, window: 7d, reference-window: 30d, schema: { zip: category } }")
                .unwrap();
        let drift = config.models.values().next().and_then(|model| model.monitor.drift.clone()).unwrap();
        assert_eq!((drift.reference.as_str(), drift.current.as_str()), ("log.jsonl", "log.jsonl"));
        assert_eq!(drift.schema["zip"], DriftColumn::Category);
        assert_eq!((drift.profile, drift.fail_on), (DriftProfile::Default, None));
    }

    #[test]
    fn a_comparison_with_nothing_is_a_mistake() {
        assert!(read("{ current: b.csv }").unwrap_err().contains("the key `reference` is missing"));
        assert!(read("{ reference: a.csv }").unwrap_err().contains("nothing is compared with the reference"));
        assert!(read("{ reference: a.csv, current: b.csv, schema: { x: real } }").is_err());
    }
}

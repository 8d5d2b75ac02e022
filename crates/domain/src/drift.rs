//! Drift of data: how far each column of the current rows lies from the reference, and what that means for the whole.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::Document;

/// What a comparison of current rows with a reference found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriftReport {
    /// By which rules.
    pub profile: DriftProfile,
    /// Rows of the reference and of the current side.
    pub rows: [u64; 2],
    /// Each column, in the order of the reference.
    pub columns: Vec<ColumnDrift>,
    /// All of them together.
    pub dataset: DatasetDrift,
    /// Parts of the rows by the value of a column, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceDrift>,
}

/// The rows that have the same value in a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceDrift {
    /// The column.
    pub column: String,
    /// The value.
    pub value: String,
    /// Rows of the reference and of the current side.
    pub rows: [u64; 2],
    /// The other columns; p-values are adjusted for the tests of all slices.
    pub columns: Vec<ColumnDrift>,
    /// All of them together.
    pub dataset: DatasetDrift,
}

/// The rules by which drift is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftProfile {
    /// A column drifts where a test over both samples says so after adjustment for the number of tests, and the change is
    /// large enough to matter.
    #[default]
    Default,
    /// The tests, their choice and their thresholds of Evidently 0.7, for comparison with numbers from there.
    Evidently,
}

/// How a column's values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// One of some values.
    Categorical,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnDrift {
    /// Its name.
    pub name: String,
    /// How it is compared; absent where the sides do not say the same.
    pub kind: Option<ColumnKind>,
    /// Name of the test; absent where none applies.
    pub test: Option<String>,
    /// The number that is compared with the threshold: a p-value, adjusted where the profile does so, or a distance.
    pub score: Option<f64>,
    /// The test's own statistic.
    pub statistic: Option<f64>,
    /// The p-value before any adjustment; absent where the test has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// How large the change is, where the profile asks for that beside a p-value: of numbers Wasserstein's distance in spreads
    /// of the reference (its standard deviation, or what its quartiles say of that where tails are heavy), of categories a
    /// bias-corrected Cramer's V in which both sides weigh the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// The population stability index over tenths of the reference, or over categories; a score without a theory, shown for
    /// those who know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability_index: Option<f64>,
    /// What the score is compared with.
    pub threshold: Option<f64>,
    /// Whether it has drifted; null where that cannot be said, which is never the same as no.
    pub drifted: Option<bool>,
    /// Values of the reference and of the current side that were compared.
    pub n: [u64; 2],
    /// Share of missing values of the reference and of the current side.
    pub missing: [f64; 2],
    /// How the values of both sides are spread; absent where they cannot be compared, and in slices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
    /// What else was seen.
    pub findings: Vec<DriftFinding>,
}

/// How often values are on each side. Its size does not depend on the number of rows or of different values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Histogram {
    /// Of numbers, in bins.
    Bins {
        /// Edges, ascending, one more than bins. Bins are equally wide, but the outermost two may reach further, to the
        /// smallest and the largest value of both sides. A bin holds its lower edge, the last one both.
        edges: Vec<f64>,
        /// Values of the reference and of the current side in each bin.
        counts: Vec<[u64; 2]>,
    },
    /// Of categories, the most frequent ones of both sides together.
    Categories {
        /// Each with its name, cut where it is long.
        names: Vec<String>,
        /// Values of the reference and of the current side in each of them.
        counts: Vec<[u64; 2]>,
        /// Values in all others.
        other: [u64; 2],
    },
}

/// Something about a column that a test does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftFinding {
    /// What it is.
    pub code: DriftCode,
    /// In one sentence.
    pub message: String,
}

/// What can be seen in a column beside a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftCode {
    /// The current rows do not have it.
    MissingColumn,
    /// The reference does not have it.
    AddedColumn,
    /// It is there and cannot be read.
    Unreadable,
    /// Numbers on one side, something else on the other.
    TypeChanged,
    /// A side has no value that could be compared.
    NoValues,
    /// Fewer rows than a verdict needs.
    TooFewRows,
    /// All values of both sides are the same, or the test does not apply.
    NotApplicable,
    /// More values than are held: ranks are off by a stated share at most.
    Summarised,
    /// Values that are infinite; they are left out.
    InfiniteValues,
    /// The share of missing values has changed.
    MissingShare,
    /// Categories that the reference does not have.
    NewCategories,
    /// Categories that only the reference has.
    GoneCategories,
    /// Values below the smallest or above the largest of the reference.
    OutOfRange,
}

/// All columns together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetDrift {
    /// Whether enough columns have drifted; null where too few could be judged to say so.
    pub drifted: Option<bool>,
    /// Share of drifted columns among all.
    pub share: f64,
    /// The share from which the whole has drifted.
    pub threshold: f64,
}

impl Document for DriftReport {
    const SCHEMA: &'static str = "tagship/drift/v1";
}

/// As it is written in JSON.
impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
        })
    }
}

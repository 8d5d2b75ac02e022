//! `monitor.quality`: where predictions and labels lie, and what scores must keep.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration,
    quality::{QualityBound, QualityMetric, QualityTask},
};

use crate::{path::RepoPath, place::Place};

/// Where predictions and labels lie, and what scores must keep.
#[derive(Debug, Clone, PartialEq)]
pub struct QualitySettings {
    /// What the model predicts.
    pub task: QualityTask,
    /// Tables of predictions.
    pub predictions: Vec<PathBuf>,
    /// Tables of labels by id; empty where the predictions have theirs beside them.
    pub labels: Vec<PathBuf>,
    /// Labelled predictions of the past, for the estimate without labels.
    pub reference: Option<PathBuf>,
    /// Names of columns.
    pub columns: QualityColumns,
    /// Only predictions of so long before now count; all where absent.
    pub window: Option<Duration>,
    /// Columns that divide the rows into slices.
    pub slices: Vec<String>,
    /// The class that scores of two classes are about.
    pub positive: String,
    /// What scores must keep.
    pub bounds: BTreeMap<QualityMetric, QualityBound>,
    /// Fewest labels of a verdict.
    pub min_labels: u64,
    /// Smallest share of predictions with a label for a verdict.
    pub min_coverage: f64,
    /// Confidence of intervals.
    pub confidence: f64,
}

/// Names of the columns of predictions and labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityColumns {
    /// By which labels find their predictions; absent where they stand beside them.
    pub id: Option<String>,
    /// What was predicted.
    pub prediction: String,
    /// What was right.
    pub label: String,
    /// Probability of the positive class.
    pub score: Option<String>,
    /// When it was predicted.
    pub time: Option<String>,
    /// When the label came.
    pub label_time: Option<String>,
    /// The version that predicted; only its rows are judged where one serves.
    pub version: Option<String>,
}

impl Default for QualityColumns {
    fn default() -> Self {
        let (prediction, label) = ("prediction".to_owned(), "label".to_owned());
        Self { id: None, prediction, label, score: None, time: None, label_time: None, version: None }
    }
}

/// How good predictions are, by labels that come later.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Quality")]
pub(crate) struct QualityLayer {
    /// What the model predicts.
    #[schemars(required)]
    task: Option<QualityTask>,
    /// Tables of predictions, e.g. `[logs/predictions.jsonl]`: CSV, JSON Lines (both also as .gz or .zst) or Parquet.
    #[schemars(required, length(min = 1))]
    predictions: Option<Vec<RepoPath>>,
    /// Tables of labels by `id`; left out where labels stand beside the predictions.
    labels: Option<Vec<RepoPath>>,
    /// Labelled predictions of the past with scores: from them the quality of rows without labels is estimated.
    reference: Option<RepoPath>,
    /// Column by which labels find their predictions; `id` where `labels` are named.
    id: Option<String>,
    /// Column of what was predicted. In JSON Lines a name that begins with `/` is a JSON Pointer.
    #[schemars(extend("default" = "prediction"))]
    prediction: Option<String>,
    /// Column of what was right.
    #[schemars(extend("default" = "label"))]
    label: Option<String>,
    /// Column of the probability of the positive class.
    score: Option<String>,
    /// Column of when it was predicted.
    time: Option<String>,
    /// Column of when the label came.
    label_time: Option<String>,
    /// Only predictions of so long before now count, e.g. `7d`; it needs `time`.
    window: Option<Duration>,
    /// Column of the version that predicted. With it only rows of the version that serves are judged, and a broken bound may
    /// lead back while that version is under guard; without it nobody knows whose fault it is.
    version: Option<String>,
    /// Columns that divide the rows into slices with scores of their own.
    slices: Option<Vec<String>>,
    /// The class that scores of two classes are about.
    #[schemars(extend("default" = "1"))]
    positive: Option<String>,
    /// The least that scores must be, e.g. `{ accuracy: 0.9 }`.
    at_least: Option<BTreeMap<QualityMetric, f64>>,
    /// The most that scores may be, e.g. `{ log-loss: 0.4 }`.
    at_most: Option<BTreeMap<QualityMetric, f64>>,
    /// Fewest labels of a verdict.
    #[schemars(extend("default" = 100))]
    min_labels: Option<u64>,
    /// Smallest share of predictions with a label for a verdict, from 0 to 1.
    #[schemars(extend("default" = 0.0))]
    min_coverage: Option<f64>,
    /// Confidence of intervals.
    #[schemars(extend("default" = 0.95))]
    confidence: Option<f64>,
}

impl QualityLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<QualitySettings> {
        let missing = |key: &str, help: &str| {
            place.key(key).report(format!("the key `{key}` is missing"), Some(help.to_owned()));
        };
        if self.task.is_none() {
            missing("task", "write what the model predicts: `binary`, `multiclass` or `regression`");
        }
        if self.predictions.as_ref().is_none_or(Vec::is_empty) {
            missing("predictions", "name the tables of predictions, e.g. `[logs/predictions.jsonl]`");
        }
        if self.window.is_some() && self.time.is_none() {
            let help = "name the column of when it was predicted, e.g. `time: at`".to_owned();
            place.key("window").report("`window` needs the key `time`".to_owned(), Some(help));
        }
        let share = |key: &str, value: Option<f64>, default: f64| {
            let value = value.unwrap_or(default);
            if !(0.0..=1.0).contains(&value) {
                place.key(key).report(format!("{value} is not within 0 to 1"), None);
            }
            value
        };
        let paths = |paths: Option<Vec<RepoPath>>| {
            paths.unwrap_or_default().iter().map(|path| PathBuf::from(path.as_str())).collect::<Vec<_>>()
        };
        let least = self.at_least.unwrap_or_default().into_iter();
        let most = self.at_most.unwrap_or_default().into_iter();
        let bounds = least
            .map(|(metric, limit)| (metric, QualityBound::AtLeast(limit)))
            .chain(most.map(|(metric, limit)| (metric, QualityBound::AtMost(limit))));
        let columns = QualityColumns::default();
        let by_id = self.labels.is_some().then(|| "id".to_owned());
        Some(QualitySettings {
            task: self.task?,
            predictions: paths(Some(self.predictions.filter(|paths| !paths.is_empty())?)),
            labels: paths(self.labels),
            reference: self.reference.map(|path| PathBuf::from(path.as_str())),
            columns: QualityColumns {
                id: self.id.or(by_id),
                prediction: self.prediction.unwrap_or(columns.prediction),
                label: self.label.unwrap_or(columns.label),
                score: self.score,
                time: self.time,
                label_time: self.label_time,
                version: self.version,
            },
            window: self.window,
            slices: self.slices.unwrap_or_default(),
            positive: self.positive.unwrap_or_else(|| "1".to_owned()),
            bounds: bounds.collect(),
            min_labels: self.min_labels.unwrap_or(100),
            min_coverage: share("min-coverage", self.min_coverage, 0.0),
            confidence: share("confidence", self.confidence, 0.95),
        })
    }
}

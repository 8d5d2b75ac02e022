//! Arguments of `tagship monitor quality`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tagship_domain::Duration;

use super::super::Format;

/// `tagship monitor quality`.
#[derive(Debug, Args)]
pub struct QualityArgs {
    /// Table of predictions; may be repeated.
    #[arg(long, required = true, value_name = "FILE")]
    pub predictions: Vec<PathBuf>,
    /// Table of labels by --id; left out where labels stand beside the predictions.
    #[arg(long, value_name = "FILE")]
    pub labels: Vec<PathBuf>,
    /// Labelled predictions of the past with scores, in the order of time: from them the quality of rows without labels is
    /// estimated.
    #[arg(long, value_name = "FILE", requires = "score")]
    pub reference: Option<PathBuf>,
    /// What the model predicts.
    #[arg(long, value_enum)]
    pub task: Task,
    /// The class that scores of two classes are about.
    #[arg(long, default_value = "1", value_name = "CLASS")]
    pub positive: String,
    /// Column by which labels find their predictions.
    #[arg(long, default_value = "id", value_name = "NAME")]
    pub id: String,
    /// Column of what was predicted; in JSON Lines a name that begins with / is a JSON Pointer.
    #[arg(long, default_value = "prediction", value_name = "NAME")]
    pub prediction: String,
    /// Column of what was right.
    #[arg(long, default_value = "label", value_name = "NAME")]
    pub label: String,
    /// Column of the probability of the positive class.
    #[arg(long, value_name = "NAME")]
    pub score: Option<String>,
    /// Column of when it was predicted.
    #[arg(long, value_name = "NAME")]
    pub time: Option<String>,
    /// Column of when the label came; with --time, how long labels take is told.
    #[arg(long, value_name = "NAME", requires = "time")]
    pub label_time: Option<String>,
    /// Only predictions of so long before now count, e.g. 7d.
    #[arg(long, value_name = "DURATION", requires = "time")]
    pub window: Option<Duration>,
    /// Columns that divide the rows into slices with scores of their own.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub slices: Vec<String>,
    /// The least that scores must be, e.g. accuracy=0.9.
    #[arg(long, value_delimiter = ',', value_name = "SCORE=NUMBER")]
    pub at_least: Vec<String>,
    /// The most that scores may be, e.g. log-loss=0.4.
    #[arg(long, value_delimiter = ',', value_name = "SCORE=NUMBER")]
    pub at_most: Vec<String>,
    /// Fewest labels of a verdict.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    pub min_labels: u64,
    /// Smallest share of predictions with a label for a verdict, from 0 to 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub min_coverage: f64,
    /// Confidence of intervals.
    #[arg(long, default_value_t = 0.95, value_name = "SHARE")]
    pub confidence: f64,
    /// Exit with 1 where a score breaks what is asked of it.
    #[arg(long, value_enum)]
    pub fail_on: Option<QualityFailure>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

/// What fails the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QualityFailure {
    /// A score that breaks its bound.
    Bad,
}

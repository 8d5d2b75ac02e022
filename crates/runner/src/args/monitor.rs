//! Arguments of `tagship monitor`.

mod check;
mod quality;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::Format;

pub use check::{CheckFailure, LookArgs, ObjectivesArgs};
pub use quality::{QualityArgs, QualityFailure, Task};

/// `tagship monitor`.
#[derive(Debug, Parser)]
#[command(name = "tagship-monitor")]
pub struct MonitorArgs {
    /// What to look at.
    #[command(subcommand)]
    pub question: MonitorQuestion,
}

impl MonitorArgs {
    /// How the answer is printed.
    pub fn format(&self) -> Format {
        match &self.question {
            MonitorQuestion::Drift(args) => args.format,
            MonitorQuestion::Quality(args) => args.format,
            MonitorQuestion::Slo(args) => args.common.format,
            MonitorQuestion::Check(args) => args.common.format,
        }
    }
}

/// What can be looked at.
#[derive(Debug, Subcommand)]
pub enum MonitorQuestion {
    /// Compare rows with those that a model was made with, column by column.
    ///
    /// Tables are CSV with a header, JSON Lines or Parquet, by the ending of their names. A column that cannot be judged is
    /// neither drift nor no drift, and where that leaves the whole open, the exit code is 3.
    Drift(DriftArgs),
    /// Score predictions by the labels that have come, and estimate the quality of those without one.
    ///
    /// Tables are CSV with a header, JSON Lines or Parquet, by the ending of their names. A bound is kept or broken by the whole
    /// interval of a score; where that cannot be said, because too few labels have come, the exit code is 3.
    Quality(Box<QualityArgs>),
    /// Judge the objectives of the service that the configuration names, by how fast their budgets are spent.
    ///
    /// Remembers and tells nothing. Where an objective has no data or cannot be judged, the exit code is 3.
    Slo(Box<ObjectivesArgs>),
    /// Look at everything that the configuration watches, remember it in git, and tell of what is bad.
    ///
    /// For a schedule. Missing data is an incident of its own, and where something cannot be judged, the exit code is 3.
    Check(Box<LookArgs>),
}

/// `tagship monitor drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// The rows that the model was made with.
    #[arg(long, value_name = "FILE")]
    pub reference: PathBuf,
    /// The rows to judge.
    #[arg(long, value_name = "FILE")]
    pub current: PathBuf,
    /// Only these columns; all of both tables by default.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub columns: Vec<String>,
    /// Columns any of which makes the whole drift.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub critical: Vec<String>,
    /// By which rules drift is judged.
    #[arg(long, value_enum, default_value_t = DriftRules::Default)]
    pub profile: DriftRules,
    /// Ask this test of every column, e.g. psi, by its own threshold, instead of those of the profile; a name that is unknown
    /// lists them.
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
    /// Exit with 1 where the data has drifted.
    #[arg(long, value_enum)]
    pub fail_on: Option<DriftFailure>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// The rules by which drift is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DriftRules {
    /// Tests of both samples, adjusted for their number, and a change that is large enough to matter.
    #[default]
    Default,
    /// Those of Evidently 0.7, for comparison with numbers from there.
    Evidently,
}

/// What fails the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriftFailure {
    /// Drift of the whole.
    Drift,
}

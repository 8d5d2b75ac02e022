//! Arguments of `tagship monitor`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::Format;

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

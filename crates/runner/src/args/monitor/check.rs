//! Arguments of `tagship monitor check` and `tagship monitor slo`, which read the configuration.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tagship_domain::Duration;

use super::super::Common;

/// `tagship monitor check`.
#[derive(Debug, Args)]
pub struct LookArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Exit with 1 where something is bad.
    #[arg(long, value_enum)]
    pub fail_on: Option<CheckFailure>,
    /// File to write what was found to as metrics, in the Prometheus text format: for the textfile collector of `node_exporter`. It
    /// is replaced as a whole.
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Look and say what is found; remember, tell and undo nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Then write all models and environments as a web site of plain files to this folder, as `tagship monitor site` does.
    #[arg(long, value_name = "DIRECTORY")]
    pub site: Option<PathBuf>,
}

/// `tagship monitor watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub look: LookArgs,
    /// Time from the beginning of one look to that of the next.
    #[arg(long, default_value = "1m", value_name = "DURATION")]
    pub every: Duration,
}

/// `tagship monitor slo`.
#[derive(Debug, Args)]
pub struct ObjectivesArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Exit with 1 where an objective burns.
    #[arg(long, value_enum)]
    pub fail_on: Option<CheckFailure>,
}

/// What fails the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFailure {
    /// Anything that is bad.
    Bad,
}

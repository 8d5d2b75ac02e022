//! Arguments of `tagship monitor check` and `tagship monitor slo`, which read the configuration.

use clap::{Args, ValueEnum};

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
    /// Look and say what is found; remember, tell and undo nothing.
    #[arg(long)]
    pub dry_run: bool,
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

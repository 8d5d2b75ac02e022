//! Arguments of `tagship rollout explain`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Common;

/// What can be asked about a rollout instead of leading it on.
#[derive(Debug, Subcommand)]
pub enum RolloutQuestion {
    /// Tell from the journal why each step of a rollout was taken, one sentence a decision.
    Explain(ExplainArgs),
}

/// `tagship rollout explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The rollout; the newest one by default.
    #[arg(long, value_name = "ID")]
    pub rollout: Option<String>,
    /// Also write it as a web page with charts to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

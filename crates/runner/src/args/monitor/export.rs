//! Arguments of `tagship monitor rules`, whose answer is a file for another tool.

use std::path::PathBuf;

use clap::Args;
use tagship_domain::{Duration, Version};

use super::super::Common;

/// Where a file for another tool goes, and what it is about.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The version that queries are about; the one that serves by default.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<Version>,
    /// File to write to; it is printed by default.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite files where they exist.
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// `tagship monitor rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub export: ExportArgs,
    /// File to write unit tests of the rules to, for `promtool test rules`; in the folder of the rules.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub tests: Option<PathBuf>,
    /// How often `tagship monitor check` looks: after three times that without a look the rules alarm, and where nothing is
    /// known of looks. `0s` leaves that alert out.
    #[arg(long, default_value = "1h", value_name = "DURATION")]
    pub looks_every: Duration,
}

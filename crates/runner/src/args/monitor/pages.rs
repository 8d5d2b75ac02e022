//! Arguments of the verbs that show what looks have found: `tagship monitor report`, `history` and `site`.

use std::path::PathBuf;

use clap::Args;

use super::super::Common;

/// `tagship monitor report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Also write it as a web page with charts to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `tagship monitor history`.
#[derive(Debug, Args)]
pub struct LooksArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
}

/// `tagship monitor site`.
#[derive(Debug, Args)]
pub struct SiteArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The folder to write; one that an earlier run wrote is replaced as a whole.
    #[arg(long, value_name = "DIRECTORY")]
    pub out: PathBuf,
}

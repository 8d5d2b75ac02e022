//! Arguments of `tagship lock` and `tagship unlock`.

use clap::Parser;

use super::Common;

/// `tagship lock`.
#[derive(Debug, Parser)]
#[command(name = "tagship-lock")]
pub struct LockArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Why; whoever is kept out reads it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tagship unlock`.
#[derive(Debug, Parser)]
#[command(name = "tagship-unlock")]
pub struct UnlockArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Why; needed to take the lock of a rollout away that could not go back.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

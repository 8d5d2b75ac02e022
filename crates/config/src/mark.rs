//! `mark`: what commits are marked with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a commit is marked with whose model is judged or rolled out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// A line.
    #[default]
    Status,
    /// A page with everything that the comment shows.
    CheckRun,
}

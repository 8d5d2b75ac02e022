//! A lock: a person lets nothing new into an environment.
//!
//! It holds for every model. What runs goes on, and going back is always possible: a lock is there to protect what
//! serves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{name::Environment, release::Provenance, schema::Document, time::Timestamp};

/// An entry of an environment's journal of locks: it was locked, or unlocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Lock {
    /// The environment.
    pub environment: Environment,
    /// Whether it is locked since then; otherwise it was unlocked.
    pub locked: bool,
    /// Why, in the person's words; empty where nobody said.
    pub reason: String,
    /// Who, in which run.
    pub by: Provenance,
    /// Since when.
    pub since: Timestamp,
}

impl Lock {
    /// Who locked what, when and why, as a sentence without its full stop.
    pub fn sentence(&self) -> String {
        let Self { environment, by, since, reason, .. } = self;
        let done = if self.locked { "locked" } else { "unlocked" };
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        format!("{environment} was {done} by {} at {}{reason}", by.actor, since.readable())
    }

    /// How it is unlocked.
    pub fn way_out(&self) -> String {
        format!("`tagship unlock --environment {}` unlocks it", self.environment)
    }
}

impl Document for Lock {
    const SCHEMA: &'static str = "tagship/lock/v1";
}

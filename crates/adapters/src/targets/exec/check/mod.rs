//! Checks a program against every rule of the protocol, with two versions that nobody needs.
//!
//! The program is asked as the target asks it. Its answers are held against the rules one by one, so that its author is
//! told which one is broken, by which question, and what to change. Where a model is served already, nothing is
//! ordered; whatever was loaded is taken away again in the end.

mod acts;
mod dialogue;
mod endings;
mod ledger;
mod rules;
mod staging;

use std::path::PathBuf;

use tagship_domain::{Digest, Duration, ModelName, Version, hook::HookReport};
use tagship_ports::{Clock, PortError};

use super::ExecTarget;
use dialogue::Check;

/// What a program is checked with.
#[derive(Debug, Clone)]
pub struct HookPlan {
    /// A model that nobody serves.
    pub model: ModelName,
    /// The version that serves first.
    pub one: Specimen,
    /// The version that takes over.
    pub two: Specimen,
    /// Other bytes under the version of `two`.
    pub other: Specimen,
    /// How long an order may be under way.
    pub patience: Duration,
}

/// A version that a program is told to load.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// Its version.
    pub version: Version,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Where they are; the program gets a copy.
    pub bytes: PathBuf,
}

impl ExecTarget {
    /// Checks the program against the rules of the protocol.
    ///
    /// # Errors
    /// When there is no room for copies of the bytes. What the program does wrong stands in the report.
    pub async fn check_rules(&self, plan: &HookPlan, clock: &dyn Clock) -> Result<HookReport, PortError> {
        Check::of(self, plan, clock).run().await
    }
}

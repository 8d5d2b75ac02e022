//! What a decision rests on: artifacts of the checkout, the registry, and what each environment holds.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::{
    Digest, Environment, ModelName, Release, Timestamp, Version,
    lock::Lock,
    rollout::{Phase, RolloutId},
};

/// The configured models with everything known about them.
#[derive(Debug, Clone, Default)]
pub struct RepositoryState {
    /// By name.
    pub models: BTreeMap<ModelName, ModelState>,
}

/// One configured model.
#[derive(Debug, Clone)]
pub struct ModelState {
    /// The artifact in the checkout.
    pub artifact: ArtifactState,
    /// Registered versions, newest first.
    pub released: Vec<Release>,
    /// Configured environments.
    pub environments: BTreeMap<Environment, EnvironmentState>,
    /// What a look at the place outside of the repository found that the artifact comes from; absent where it comes from
    /// none, or nobody looked.
    pub arrival: Option<Arrival>,
}

/// What is new in the place that an artifact comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// A version that nothing was decided about before; the artifact is its bytes.
    New {
        /// The place's own name of it.
        version: String,
        /// Versions that were new as well, and are older.
        passed_over: Vec<String>,
        /// Environments for which it was decided about before.
        seen_by: BTreeSet<Environment>,
    },
    /// Nothing: the newest was decided about before.
    Known {
        /// The newest; absent where there is none at all.
        version: Option<String>,
    },
    /// That could not be found out; why.
    Unknown(String),
}

/// The artifact in the checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactState {
    /// It is there.
    Present(Digest),
    /// It is not, or cannot be read; why.
    Missing(String),
}

/// One environment of one model.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentState {
    /// What it holds now.
    pub current: Option<Release>,
    /// What it held before that and could go back to.
    pub previous: Option<Release>,
    /// The rollout that has not ended.
    pub running: Option<Running>,
    /// Digests whose last rollout here failed or was rolled back.
    pub blocked: Vec<Blocked>,
    /// The lock that a person put on it.
    pub lock: Option<Lock>,
    /// The environment that comes before it, where one does.
    pub after: Option<Before>,
    /// The end of the freeze that holds now, where one does.
    pub frozen_until: Option<Timestamp>,
}

/// The environment in which a version must have succeeded first.
#[derive(Debug, Clone)]
pub struct Before {
    /// Which.
    pub environment: Environment,
    /// Digests that succeeded there and were not rolled back since.
    pub succeeded: BTreeSet<Digest>,
}

/// A rollout that has not ended.
#[derive(Debug, Clone)]
pub struct Running {
    /// Which.
    pub id: RolloutId,
    /// What it brings.
    pub version: Version,
    /// Where it stands.
    pub phase: Phase,
}

/// Bytes that did not work out here.
#[derive(Debug, Clone)]
pub struct Blocked {
    /// Which.
    pub digest: Digest,
    /// Under which version.
    pub version: Version,
    /// How it ended.
    pub phase: Phase,
}

impl ModelState {
    /// The newest registered version of these bytes.
    pub(crate) fn release_of(&self, digest: &Digest) -> Option<&Release> {
        self.released.iter().find(|release| release.digest == *digest)
    }

    /// A registered version.
    pub(crate) fn release(&self, version: &Version) -> Option<&Release> {
        self.released.iter().find(|release| release.version == *version)
    }
}

//! Where traffic lives.
//!
//! Every writing call carries an [`Order`] whose fence grows with every decision of a rollout. A target refuses
//! ([`Problem::Fenced`]) a lower fence than it has seen for the model, so that a run that wakes up late
//! moves no traffic; an equal or higher one is accepted and repeated calls change nothing.

use std::path::Path;

use async_trait::async_trait;
use tagship_domain::{
    Digest, ModelName, Timestamp, Version,
    rollout::RolloutId,
    routing::Routing,
    traffic::{TargetState, Weight},
};

use crate::{Backend, PortError, Problem};

/// Which effect of which rollout a call belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The model.
    pub model: ModelName,
    /// Number of the newest effect that was decided when the order was given.
    pub fence: u64,
    /// What people who look at the target see of it. Nothing is decided from that, but by a target that only follows another tool:
    /// it tells the version that was tried by it from any other.
    pub note: Option<Note>,
}

/// What an order belongs to, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The rollout.
    pub rollout: RolloutId,
    /// Digest of the version that is rolled out.
    pub candidate: Digest,
    /// Digest of the version that served before; absent on a first deployment.
    pub stable: Option<Digest>,
    /// Phase and step.
    pub step: String,
    /// When the phase must have made progress; absent while a person decides.
    pub deadline: Option<Timestamp>,
    /// Where the run that began it can be looked at.
    pub run: Option<String>,
}

impl Order {
    /// An order without a note.
    pub fn new(model: ModelName, fence: u64) -> Self {
        Self { model, fence, note: None }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Now.
    Applied,
    /// Before.
    AlreadyThere,
    /// Accepted, under way; observe it.
    Pending,
}

/// What a target can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether weights between 0 and 100 can be set.
    pub weights: bool,
    /// Whether a header can keep clients on their side.
    pub sticky: bool,
    /// Whether a version can answer copies of requests, with its answers compared and counted
    /// ([`tagship_domain::traffic::Counters::shadow`]).
    pub shadow: bool,
    /// Whether the requests that carry a header can be led to one version.
    pub matches: bool,
}

/// What a plan needs of a target beyond loading versions and giving all traffic to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Shares of traffic.
    pub weights: bool,
    /// Counters of what each version answered.
    pub counters: bool,
    /// An endpoint that reaches a version without traffic.
    pub endpoints: bool,
    /// Clients that stay on their side by a header.
    pub sticky: bool,
    /// Copies of requests for a version without traffic.
    pub shadow: bool,
    /// Requests led by a header.
    pub matches: bool,
}

impl Capabilities {
    /// Refuses what a plan needs and such a target cannot give.
    ///
    /// # Errors
    /// [`Problem::Unsupported`], with what to choose instead.
    pub fn check(self, needs: Needs) -> Result<(), PortError> {
        if needs.weights && !self.weights {
            let message = "the target gives all traffic to one version and cannot share it";
            return Err(PortError::new(Problem::Unsupported, "share traffic", message)
                .hint("choose `strategy: { blue-green: {} }` without hold-back"));
        }
        if needs.sticky && !self.sticky {
            let message = "the target shares requests by chance and cannot keep clients on their side";
            return Err(PortError::new(Problem::Unsupported, "share traffic by a header", message)
                .hint("leave `sticky` out, or choose a canary instead of an A/B test"));
        }
        if needs.shadow && !self.shadow {
            let message = "the target cannot copy requests to a version without traffic";
            return Err(PortError::new(Problem::Unsupported, "copy requests", message)
                .hint("choose a canary with a small first share, and leave `mirror` out"));
        }
        if needs.matches && !self.matches {
            let message = "the target cannot lead the requests that carry a header to one version";
            return Err(PortError::new(Problem::Unsupported, "match a header", message)
                .hint("choose a canary, or an A/B test with `share`"));
        }
        Ok(())
    }
}

/// A target.
#[async_trait]
pub trait Target: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Refuses ([`Problem::Unsupported`]) what a plan needs and the target cannot give, before anything is
    /// written. Most targets know it by themselves; one that has to ask does so here.
    async fn check(&self, needs: Needs) -> Result<(), PortError> {
        self.capabilities().check(needs)
    }

    /// What it serves.
    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError>;

    /// What the platform calls a loaded version, for series that it counts itself; nothing where it has no names of its own.
    /// The name stays while the version is loaded. [`Problem::NotFound`] where it is not loaded.
    async fn backend(&self, _model: &ModelName, _version: &Version) -> Result<Option<Backend>, PortError> {
        Ok(None)
    }

    /// Loads a version at weight 0 from verified bytes: a file, or a directory. [`Problem::Conflict`] where
    /// the version is loaded with other bytes.
    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        bytes: &Path,
    ) -> Result<Done, PortError>;

    /// Gives a loaded version this share of traffic; stable keeps the rest. [`Problem::NotFound`] where it is
    /// not loaded.
    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError>;

    /// Routes the model's requests so from now on, beside sharing them by weight; the whole routing, not a change of it.
    /// [`Problem::Unsupported`] where the target lacks the capability, [`Problem::NotFound`] where the
    /// shadow version is not loaded, [`Problem::Conflict`] where it has traffic. The shadow ends by itself when
    /// its version gets traffic or is unloaded. A match needs its version loaded, counts as traffic of it, leaves weights
    /// as they are, and ends with [`Self::promote`] and [`Self::rollback`], so that one order takes all traffic back.
    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError>;

    /// Makes a loaded version stable, with all traffic.
    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError>;

    /// Gives all traffic to `to`; takes the model out of service where absent: no version has traffic then. Works
    /// from any state; [`Problem::NotFound`] where `to` is not loaded.
    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError>;

    /// Unloads a version that has no traffic; one that is not loaded is done already. Refuses ([`Problem::Conflict`]) one that has.
    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError>;
}

//! In-memory versions of the ports, for tests and for trying the logic without a world.
//!
//! Each keeps the whole contract of its trait (fencing, compare-and-swap, newer wins) and lets a test script what
//! goes wrong through [`Faults`]. Every call gives way once before it acts, so that a test that polls two runs in
//! turn reaches every interleaving of their calls.

mod alerter;
mod artifact_store;
mod clock;
mod faults;
mod forge;
mod labelled_source;
mod lock;
mod metric_sink;
mod metric_source;
mod model_registry;
mod model_runner;
mod notifier;
mod people;
mod publisher;
mod release_source;
mod repo;
mod stage_registry;
mod state_store;
mod tally_source;
mod target;
mod value_source;

pub use alerter::FakeAlerter;
pub use artifact_store::FakeArtifactStore;
pub use clock::FakeClock;
pub use faults::{Fault, Faults};
pub use forge::FakeForge;
pub use labelled_source::FakeLabelledSource;
pub use metric_sink::FakeMetricSink;
pub use metric_source::FakeMetricSource;
pub use model_registry::FakeModelRegistry;
pub use model_runner::{FakeModel, FakeModelRunner};
pub use notifier::FakeNotifier;
pub use people::{FakeCommitMarks, FakeConversation, FakeDispatcher, FakeIssueTracker};
pub use publisher::{FakePublisher, Published};
pub use release_source::FakeReleases;
pub use repo::FakeRepo;
pub use stage_registry::FakeStageRegistry;
pub use state_store::FakeStateStore;
pub use tally_source::FakeTallySource;
pub use target::{FakeTarget, Load};
pub use value_source::FakeValueSource;

#[cfg(test)]
mod tests;

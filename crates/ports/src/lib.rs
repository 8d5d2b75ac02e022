//! The seams between the logic and the world: one trait per kind of outside thing.
//!
//! Logic (layer 2) speaks to these traits only; adapters (layer 3) implement them. A trait says what must hold
//! whatever stands behind it. [`fake`] has an in-memory version of each, and [`conformance`] the checks that
//! every implementation, the fakes included, must pass.

pub mod alerter;
pub mod approvals;
pub mod artifact_store;
pub mod attestations;
pub mod backend;
pub mod clock;
pub mod commit_marks;
pub mod conformance;
pub mod conversation;
pub mod dataset;
pub mod dispatcher;
pub mod error;
pub mod fake;
pub mod forge;
pub mod inventory;
pub mod issue_tracker;
pub mod journal_ref;
pub mod labelled_source;
pub mod metric_sink;
pub mod metric_source;
pub mod model_registry;
pub mod model_runner;
pub mod notifier;
pub mod publisher;
pub mod release_source;
pub mod repo;
pub mod run_artifacts;
pub mod stage_registry;
pub mod state_store;
pub mod tally_source;
pub mod target;
pub mod value_source;

pub use alerter::Alerter;
pub use approvals::Approvals;
pub use artifact_store::ArtifactStore;
pub use attestations::{AttestationVerifier, Attestations};
pub use backend::{Backend, Backends};
pub use clock::Clock;
pub use commit_marks::CommitMarks;
pub use conversation::Conversation;
pub use dataset::{Cell, DataColumn, Dataset, Holds};
pub use dispatcher::Dispatcher;
pub use error::{PortError, Problem};
pub use forge::Forge;
pub use inventory::Inventory;
pub use issue_tracker::IssueTracker;
pub use labelled_source::LabelledSource;
pub use metric_sink::MetricSink;
pub use metric_source::MetricSource;
pub use model_registry::{ArtifactPlace, ModelRegistry};
pub use model_runner::ModelRunner;
pub use notifier::Notifier;
pub use publisher::Publisher;
pub use release_source::{ReleaseAddresses, ReleaseSource};
pub use repo::Repo;
pub use run_artifacts::RunArtifacts;
pub use stage_registry::StageRegistry;
pub use state_store::StateStore;
pub use tally_source::TallySource;
pub use target::Target;
pub use value_source::{OwnSource, Question, ValueSource};

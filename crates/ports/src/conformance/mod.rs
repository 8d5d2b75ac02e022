//! What every implementation of a port must do, as suites that panic at the first broken promise.
//!
//! One `async fn` per port. Implementations call it from their tests with a fresh instance and what the suite
//! cannot know (a model file, a commit); the fakes run the same suites. A suite never sleeps except through a
//! [`crate::Clock`].
#![allow(clippy::expect_used, reason = "a suite reports a broken promise by panicking in the caller's test")]

mod alerter;
mod artifact_store;
mod clock;
mod forge;
mod metric_sink;
mod model_registry;
mod model_runner;
mod notifier;
mod people;
mod repo;
mod stage_registry;
mod state_store;
mod target;
mod value_source;

pub use alerter::alerter;
pub use artifact_store::artifact_store;
pub use clock::clock;
pub use forge::forge;
pub use metric_sink::metric_sink;
pub use model_registry::model_registry;
pub use model_runner::{RunnerFixture, model_runner};
pub use notifier::notifier;
pub use people::{commit_marks, conversation, dispatcher, issue_tracker};
pub use repo::{RepoFixture, racing_tags, repo};
pub use stage_registry::stage_registry;
pub use state_store::{racing_appends, shortened_journals, state_store};
pub use target::{Loadable, target};
pub use value_source::{ValueFixture, value_source};

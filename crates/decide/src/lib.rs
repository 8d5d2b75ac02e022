//! From an event and the state of the repository to a decision. Pure: the caller gathers the state.
//!
//! Deployment is decided by digest (DESIGN 4.3): what matters is whether the environment holds these bytes,
//! not which commit or tag brought them.

mod arrival;
mod comment;
mod deploy;
mod event;
mod person;
mod state;

pub use arrival::is_settled;
pub use comment::{Authorised, Refusal, RunningRollout, Standing, authorise, decide_command};
pub use event::decide;
pub use state::{
    Arrival, ArtifactState, Before, Blocked, EnvironmentState, ModelState, RepositoryState, Running,
};

//! The single-machine model server.
//!
//! Two planes on two ports: the data plane answers inference, health, metadata, metrics and feedback; the admin plane
//! loads versions and moves traffic, behind a token. Between them stands one immutable routing table that an admin
//! order replaces as a whole: a request holds on to the version it was given, so nothing that happens to the table can
//! fail it.
//!
//! | file | concept |
//! |---|---|
//! | `state`, `state_file`, `artifact_store` | what the server must not forget, and where it lies |
//! | `table`, `control`, `draw` | which version answers, and the orders that change that |
//! | `mirror`, `agreement` | which version answers copies, and whether it says the same |
//! | `inference_protocol`, `data_plane`, `request_body`, `reply` | requests |
//! | `admin_plane`, `upload` | orders |
//! | `predictions`, `feedback`, `prediction_log`, `metrics`, `classes`, `exposition` | what is known about answers afterwards |
//! | `lifecycle` | start, signals, drain |
//!
//! Must not know: what a rollout is, who the client is, which inference library runs (see [`crate::Inference`]).

mod admin_plane;
mod agreement;
mod artifact_store;
mod classes;
mod context;
mod control;
mod data_plane;
mod distance;
mod draw;
mod error;
mod exposition;
mod feedback;
mod inference_protocol;
mod lifecycle;
mod metrics;
mod mirror;
mod prediction_log;
mod predictions;
mod refused;
mod reply;
mod request_body;
mod settings;
mod state;
mod state_file;
mod table;
mod upload;

#[cfg(test)]
mod tests;

pub use error::ServeError;
pub use lifecycle::{BoundAddresses, run};
pub use settings::{AdminToken, Limits, LogBounds, ServerSettings};

//! What other tools read of what is watched: rules of Prometheus with their unit tests, a dashboard of Grafana, and
//! pages of metrics.
//!
//! Pure: texts come out, and the crate is here for the names it knows. Must not know: files, or who reads the texts.

pub mod exposition;
pub mod grafana;
pub mod objective;
pub mod rules;

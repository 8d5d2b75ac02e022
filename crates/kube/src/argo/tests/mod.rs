//! The target on a played cluster.

mod conformance;
mod dying;
mod journeys;
mod others;
mod rights;
mod settings;
mod stage;
mod status;
mod traffic;

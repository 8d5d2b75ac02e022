//! The crate against a GitHub on this machine: what the ports promise, what faults do to it, what it sends.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests report by panicking in the caller's test"
)]

mod attestations;
mod budget;
mod conformance;
mod drafts;
mod errors;
mod faults;
mod host;
mod journal;
mod run_artifacts;
mod split;
mod stale;
mod store;
mod texts;

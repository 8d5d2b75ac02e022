//! The crate against a GitHub on this machine: what the ports promise, what faults do to it, what it sends.

mod budget;
mod conformance;
mod errors;
mod faults;
mod host;
mod journal;
mod stale;
mod texts;

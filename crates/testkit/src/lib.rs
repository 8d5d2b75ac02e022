//! What black-box tests need: programs run in an environment that is the same on a laptop and in CI, git repositories
//! with fixed people and times, the fixtures, a GitHub of one repository and a Kubernetes API on this machine, and the proxy that judges what is said to it.
//!
//! For tests only: everything panics in the caller's test when the machine does not play along.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a helper of tests reports by panicking in the caller's test"
)]

mod cli;
pub mod cluster;
mod environment;
pub mod fixtures;
pub mod github;
pub mod journals;
mod prism;
mod repository;

pub use cli::{Cli, Output, Running};
pub use prism::Prism;
pub use repository::Repository;

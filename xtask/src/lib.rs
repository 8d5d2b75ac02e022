//! The tasks of this repository: generated files, structural checks, everything that CI runs.
//!
//! A library, so that the tests of the root package run the same checks: plain `cargo test` catches what CI would.
//! Arguments are read by hand, so that the argument parser stays confined to `runner`.
#![allow(clippy::print_stdout, reason = "tasks talk to people at a terminal")]

mod automation;
mod bench;
mod ci;
mod dist;
mod e2e;
mod fuzz;
pub mod generated;
pub mod layers;
mod node;
mod process;
mod python;
mod sources;
pub mod tasks;
pub mod tidy;
mod verdict;
pub mod workspace;

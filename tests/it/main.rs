//! Black-box tests over the programs. One binary: every file here is a module of it, which a test checks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod backtest;
mod bad_input;
mod canary;
mod chain;
mod checkouts;
mod comments;
mod crash;
mod demo;
mod events;
mod explain;
mod faults;
mod full_disk;
mod github;
mod groups;
mod hosted;
mod hostile;
mod import;
mod init;
mod inputs;
mod installer;
mod journey;
mod locks;
mod long_rollout;
mod model_server;
mod notices;
mod order;
mod plan;
mod schedule;
mod sentences;
mod shadow;
mod structure;
mod target;
mod target_check;
mod trouble;
mod workbench;

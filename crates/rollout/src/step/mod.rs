//! The decision: from a state and one look at the world to the next state. Pure, total, deterministic.
//!
//! A phase judges what it sees ([`Judgement`]): good leads on, bad leads back, anything unknown waits until the
//! phase's deadline and is bad then. So nothing unknown ever moves traffic, and every rollout ends or waits for a
//! named person. Nothing here reads a clock or performs anything.

mod advance;
mod back;
mod candidate;
mod change;
mod commands;
mod freezing;
pub(crate) mod legs;
mod looking;
mod moving;
mod outcomes;
mod pausing;
mod smoke;
mod stuck;
mod transition;
mod travelling;
mod validating;

pub(crate) use candidate::Candidate;
pub(crate) use change::is_report;
pub(crate) use commands::revives;
pub(crate) use freezing::holds;
pub(crate) use legs::{Hold, leg};
pub(crate) use looking::{measured_versions, missed_looks, next_look, wants_counters};
pub use transition::{Transition, step};
pub(crate) use validating::is_prepared;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

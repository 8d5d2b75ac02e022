//! What the fuzz targets do, one function for all of them, so that tests can replay their inputs without a fuzzer.
//!
//! A target puts its input where a parser will read it, has the artifact judged as any user would, and holds the report
//! against what must be true of every report. The same source is compiled into the fuzz targets and into the tests of
//! `tagship-artifact`.

mod checksum;
mod containers;
mod frames;
mod invariants;
mod memory;
mod targets;

pub use invariants::check;
pub use memory::Memory;
pub use targets::{TARGETS, Target};

/// Judges one input of a target.
///
/// # Panics
/// Where the report on it breaks an invariant, or there is no such target.
pub fn run(target: &str, input: &[u8]) {
    let found = TARGETS.iter().find(|one| one.name == target);
    let Some(target) = found else { panic!("{target:?} is no fuzz target") };
    let report = check(&(target.frame)(input));
    if target.hostile {
        invariants::never_passes(&report);
    }
}

//! Tests that belong to no one file: validity by enumeration, what is kept in the journal, simulated rollouts.

mod journal;
mod merge;
mod properties;
mod simulation;
mod tables;
mod validity;

use tagship_domain::analysis::{Margin, Share};

use super::{Alternatives, Speed, boundary::BoundaryTest};

/// The defaults of error ratios.
fn errors(speed: Speed) -> BoundaryTest {
    BoundaryTest { speed, alternatives: Alternatives::Errors, tolerance: 1.0, margin: Margin::Ratio(1.5) }
}

fn share(bad: u64, n: u64) -> Share {
    Share { n, bad }
}

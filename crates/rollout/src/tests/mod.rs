//! Whole rollouts on the fakes: the story of each outcome, a kill at every boundary, every interleaving of two runs.

mod clocks;
mod convergence;
mod model;
mod outcomes;
mod racing;
pub(crate) mod sample;
pub(crate) mod stage;
mod waiting;
pub(crate) mod walk;

//! Whole rollouts on the fakes: the story of each outcome, a kill at every boundary, every interleaving of two runs.

pub(crate) mod sample;

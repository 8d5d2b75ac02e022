//! Who tells whether attestations are genuine.

mod gh;

pub use gh::{Gh, GhSettings, VARIABLES};

//! Drift of data: each column of the current rows against the reference, and all of them together.
//!
//! A column is [measured](measure) by itself, so that only one has to be held; a [conclusion](conclude) needs all of them, for
//! the number of tests decides how much one of them says.

mod column;
mod conclude;
#[cfg(test)]
mod edges;
mod evidently;
#[cfg(test)]
mod false_alarms;
mod histogram;
mod measure;
mod test;
#[cfg(test)]
mod tests;

pub use column::{Column, Side, Values};
pub use conclude::{Settings, Slice, conclude, conclude_slices};
pub use measure::{Measured, measure, unreadable};
pub use test::{Test, UnknownTest};

//! `JUnit` XML: what a test run says about itself.

mod cases;
mod reader;

pub(crate) use cases::TestReport;
pub(crate) use reader::read;
pub use reader::{MAX_DEPTH, MAX_REPORT_BYTES};

#[cfg(test)]
mod tests;

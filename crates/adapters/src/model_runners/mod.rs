//! Who runs golden cases.

mod child;

pub use child::ChildRunner;

//! Metric sources: where counters are read, when not from the target itself.

mod exposition;
mod page;

pub use page::MetricsPage;

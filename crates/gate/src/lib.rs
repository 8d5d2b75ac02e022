//! The gate: whether what is known about a candidate is enough to release it.
//!
//! [`judge`] is pure and total: files come in as bytes, or as the reason why they are not there, and a
//! [`GateReport`](tagship_domain::gate::GateReport) comes out. Reports are written by code under test, so they
//! are hostile: sizes, depths and counts are bounded. What is missing, unreadable or too little is never a pass.
//!
//! Must not know: where files lie, which forge the commit checks come from, or what happens next.

mod commit_checks;
mod compare;
mod judge;
mod junit;
mod metrics;
mod plain;
mod request;
mod rules;
mod tests_check;
mod text;
mod validated;

#[cfg(test)]
mod tests;

pub use compare::{MAX_PREDICTIONS_BYTES, MAX_ROWS};
pub use judge::judge;
pub use junit::{MAX_DEPTH as MAX_JUNIT_DEPTH, MAX_REPORT_BYTES};
pub use metrics::{MAX_METRICS, MAX_METRICS_BYTES};
pub use request::{GateRequest, ReportFile, StableEvidence};
pub use rules::{ROOTS, RuleError, check_rules};

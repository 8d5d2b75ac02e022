//! What parent and child say to each other: one JSON document each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tagship_domain::{
    ByteSize, Document, Duration,
    golden::{GoldenCases, Tolerance},
    validation::GoldenReport,
};

/// Largest document either side reads, in bytes.
pub(super) const MAX_DOCUMENT: u64 = 64 << 20;

/// What the child is to do, and within which bounds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Request {
    pub(super) model: PathBuf,
    pub(super) cases: GoldenCases,
    pub(super) tolerance: Tolerance,
    pub(super) max_latency: Option<Duration>,
    /// Address space of the child.
    pub(super) memory: ByteSize,
    /// CPU time of the child.
    pub(super) cpu_time: Duration,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) report: GoldenReport,
}

impl Document for Request {
    const SCHEMA: &'static str = "tagship/golden-request/v1";
}

impl Document for Answer {
    const SCHEMA: &'static str = "tagship/golden-answer/v1";
}

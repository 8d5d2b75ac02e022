//! Running golden cases: on a file in a child process, or against a prepared version's own endpoint.

use std::path::PathBuf;

use async_trait::async_trait;
use tagship_domain::{
    Duration, ModelName, Version,
    golden::{GoldenCases, Tolerance},
    validation::GoldenReport,
};

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A model file.
    File(PathBuf),
    /// A version that a target has loaded, whatever its weight.
    Endpoint {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
    },
}

/// Bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoldenBounds {
    /// How far numbers may be apart.
    pub tolerance: Tolerance,
    /// Longest time that one case may take; not checked where absent.
    pub max_latency: Option<Duration>,
}

/// Runs golden cases. A model that cannot be run gives an incomplete report that names the reason; it never
/// passes.
#[async_trait]
pub trait ModelRunner: Send + Sync {
    /// Runs every case once.
    async fn run(&self, subject: &Subject, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport;
}

//! What the gate is given.

use std::collections::BTreeMap;

use tagship_config::GateSettings;
use tagship_domain::{Digest, ModelName, Version, validation::ValidationReport};
use tagship_ports::forge::CommitCheck;

/// Everything that is known about a candidate. What is absent is not judged, unless the settings ask for it.
#[derive(Debug, Clone, Copy)]
pub struct GateRequest<'a> {
    /// What the gate asks for.
    pub settings: &'a GateSettings,
    /// The model, where one is named.
    pub model: Option<&'a ModelName>,
    /// Digest of the artifact that is judged. Where it is given, a validation of these bytes is required.
    pub digest: Option<&'a Digest>,
    /// What validation said.
    pub validation: Option<&'a ValidationReport>,
    /// Commit checks of the candidate's commit, those that the settings do not name included.
    pub commit_checks: &'a [CommitCheck],
    /// Test reports; a configured pattern that no file matches is an entry without content.
    pub tests: &'a [ReportFile],
    /// Metrics of the candidate, JSON or YAML (by the end of the path: `.yaml`, `.yml`).
    pub metrics: Option<&'a ReportFile>,
    /// Predictions of the candidate as CSV, see [`crate::judge`].
    pub predictions: Option<&'a ReportFile>,
    /// The release that the environment holds now; absent for a first deployment.
    pub stable: Option<&'a StableEvidence>,
}

/// A file that was read, or the reason why it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its path or pattern, for messages.
    pub path: String,
    /// Its bytes; else why there are none, e.g. `no file matches` or `permission denied`.
    pub content: Result<Vec<u8>, String>,
}

/// What is known about the stable version.
#[derive(Debug, Clone, PartialEq)]
pub struct StableEvidence {
    /// Its version.
    pub version: Version,
    /// Its metrics by name, as its own gate report named them.
    pub metrics: BTreeMap<String, f64>,
    /// Its predictions on the test rows, where they were kept.
    pub predictions: Option<ReportFile>,
}

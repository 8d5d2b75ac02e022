//! What static analysis says about model artifacts: findings, a status and a verdict that never merge.
//!
//! `status` says how far the analysis got, `verdict` what it thinks of what it saw. A pass requires a
//! complete analysis; a finding is never erased by a later parse error.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, exit::Exit, facts::ModelFacts, schema::Document, signature::Signature};

/// How far an analysis got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every byte was accounted for.
    Complete,
    /// Something could not be judged: unknown format, unsupported member, a limit was reached.
    Incomplete,
    /// The file could not be read or is broken.
    Error,
}

/// What the analysis thinks of the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing against it.
    Pass,
    /// Worth a look; does not stop a deployment.
    Warn,
    /// Must not be deployed.
    Reject,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For information.
    Info,
    /// Unusual, harmless by itself.
    Low,
    /// Suspicious; warns.
    Medium,
    /// Dangerous or broken; rejects.
    High,
    /// Runs code or is an attack; rejects.
    Critical,
}

/// One thing that the analysis found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable rule id, e.g. `PKL101`; what each means is in the rule reference.
    pub rule: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// Path of the member inside the artifact, outermost first, where it is not the file itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Byte offset in the file or member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What it is about: a global, a node, a tensor, an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// One sentence for people: what is wrong and what to do.
    pub message: String,
    /// Why it does not count, where the team's policy says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<String>,
    /// The opcodes of a pickle around it, in order; at most nine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excerpt: Vec<ExcerptLine>,
}

/// One opcode of a pickle, as Python's `pickletools` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExcerptLine {
    /// Byte offset in the file or member.
    pub offset: u64,
    /// Name of the opcode, e.g. `STACK_GLOBAL`; the byte in hexadecimal where it is none.
    pub opcode: Cow<'static, str>,
    /// Its argument, escaped and at most 60 characters; absent where it has none or the file ends in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
    /// Whether it is the opcode that the finding is about.
    pub here: bool,
}

/// What was found about one artifact (a file or a directory).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactReport {
    /// Path as it was given.
    pub path: String,
    /// Format by content: `onnx`, `safetensors`, `pickle`, `joblib`, `directory`, ...; `unknown` where none fits.
    pub format: String,
    /// Size in bytes, of all files together.
    pub size: u64,
    /// Content digest: of the file, or of the canonical listing of a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// How far the analysis got.
    pub status: Status,
    /// What it thinks.
    pub verdict: Verdict,
    /// The model's interface, where the format tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// What its files say of themselves, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<ModelFacts>,
    /// What was found, most severe first.
    pub findings: Vec<Finding>,
    /// Golden cases that were run, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<GoldenReport>,
}

/// What happened when known inputs were given to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoldenReport {
    /// How far the run got: incomplete where the embedded runtime does not support the model.
    pub status: Status,
    /// One entry per case.
    pub cases: Vec<GoldenCase>,
    /// Why the run is incomplete or failed as a whole, naming the operator or limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Eq for GoldenReport {}

impl GoldenReport {
    /// A report without cases, and why there are none.
    pub fn unfinished(status: Status, message: String) -> Self {
        Self { status, cases: vec![], message: Some(message) }
    }
}

/// One golden case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoldenCase {
    /// Name of the case.
    pub name: String,
    /// Whether outputs were within tolerance and the latency within bounds.
    pub passed: bool,
    /// Largest absolute difference over all floating-point outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_difference: Option<f64>,
    /// Time of the call in milliseconds.
    pub latency_ms: f64,
    /// What differed, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The answer of `tagship validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationReport {
    /// Worst status of all artifacts; incomplete where there was nothing to judge.
    pub status: Status,
    /// Worst verdict of all artifacts.
    pub verdict: Verdict,
    /// One entry per artifact.
    pub artifacts: Vec<ArtifactReport>,
}

impl Document for ValidationReport {
    const SCHEMA: &'static str = "tagship/validation/v1";
}

impl Severity {
    /// The verdict that a finding of this severity leads to.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Info | Self::Low => Verdict::Pass,
            Self::Medium => Verdict::Warn,
            Self::High | Self::Critical => Verdict::Reject,
        }
    }
}

impl ArtifactReport {
    /// The findings that count, in their order: most severe first.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.suppressed.is_none())
    }
}

impl ValidationReport {
    /// Sums up artifacts by the worst of each axis. No artifact at all is incomplete: unknown is not good.
    pub fn of(artifacts: Vec<ArtifactReport>) -> Self {
        let status = artifacts.iter().map(|a| a.status).max().unwrap_or(Status::Incomplete);
        let verdict = artifacts.iter().map(|a| a.verdict).max().unwrap_or(Verdict::Warn);
        Self { status, verdict, artifacts }
    }

    /// Exit code: a reject beats incomplete, incomplete beats pass.
    pub fn exit(&self) -> Exit {
        match (self.verdict, self.status) {
            (Verdict::Reject, _) => Exit::Negative,
            (_, Status::Complete) => Exit::Done,
            (_, Status::Incomplete | Status::Error) => Exit::Incomplete,
        }
    }

    /// Whether this may go on to the gate.
    pub fn passed(&self) -> bool {
        self.exit() == Exit::Done
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Reject => "reject",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(status: Status, verdict: Verdict) -> ArtifactReport {
        ArtifactReport {
            path: "m".to_owned(),
            format: "onnx".to_owned(),
            size: 1,
            sha256: None,
            status,
            verdict,
            signature: None,
            facts: None,
            findings: vec![],
            golden: None,
        }
    }

    #[test]
    fn nothing_to_judge_is_not_a_pass() {
        assert_eq!(ValidationReport::of(vec![]).exit(), Exit::Incomplete);
    }

    #[test]
    fn reject_beats_incomplete_and_incomplete_beats_pass() {
        let pass = artifact(Status::Complete, Verdict::Pass);
        let cut = artifact(Status::Incomplete, Verdict::Pass);
        let bad = artifact(Status::Complete, Verdict::Reject);
        assert_eq!(ValidationReport::of(vec![pass.clone()]).exit(), Exit::Done);
        assert_eq!(ValidationReport::of(vec![pass.clone(), cut.clone()]).exit(), Exit::Incomplete);
        assert_eq!(ValidationReport::of(vec![pass, cut, bad]).exit(), Exit::Negative);
    }
}

//! The validation that came before: did it pass, and for these bytes?

use serde_json::{Value, json};
use tagship_domain::{
    Digest,
    gate::{CheckKind, GateCheck, Outcome},
    validation::{ArtifactReport, GoldenReport, Status, ValidationReport, Verdict},
};

use crate::{
    plain::{plain, short},
    request::GateRequest,
    text::{counted, shown},
};

/// A validation report and the artifact in it that is judged.
pub(crate) struct Validated<'a> {
    report: Option<&'a ValidationReport>,
    artifact: Option<&'a ArtifactReport>,
}

impl<'a> Validated<'a> {
    /// The artifact is the one with the judged digest; the only one where no digest is named.
    pub(crate) fn of(request: &GateRequest<'a>) -> Self {
        let report = request.validation;
        let artifacts = report.map_or(&[][..], |report| &report.artifacts);
        let artifact = match (request.digest, artifacts) {
            (Some(digest), _) => artifacts.iter().find(|artifact| artifact.sha256.as_ref() == Some(digest)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        Self { report, artifact }
    }

    /// Digest of the artifact that was validated.
    pub(crate) fn digest(&self) -> Option<&'a Digest> {
        self.artifact.and_then(|artifact| artifact.sha256.as_ref())
    }

    /// The check; none where neither a validation nor a digest is given.
    pub(crate) fn check(&self, request: &GateRequest<'_>) -> Option<GateCheck> {
        let answer = match (self.report, request.digest) {
            (None, None) => return None,
            (None, Some(digest)) => {
                (Outcome::Inconclusive, format!("nothing says that {} was validated", short(digest)))
            }
            (Some(report), digest) => self.judge(report, digest),
        };
        Some(plain(CheckKind::Validation, "validation", answer))
    }

    fn judge(&self, report: &ValidationReport, digest: Option<&Digest>) -> (Outcome, String) {
        if report.verdict == Verdict::Reject {
            return (Outcome::Failed, format!("validation rejected {}", first_reason(report)));
        }
        match report.status {
            Status::Complete => {}
            Status::Incomplete => {
                return (Outcome::Inconclusive, format!("validation is incomplete: {}", open_end(report)));
            }
            Status::Error => {
                return (Outcome::Error, format!("validation could not read {}", open_end(report)));
            }
        }
        let Some(artifact) = self.artifact else {
            return match digest {
                Some(digest) => {
                    let message = format!(
                        "validation passed other bytes than the judged {}: {}",
                        short(digest),
                        report.artifacts.iter().map(name_and_digest).collect::<Vec<_>>().join(", ")
                    );
                    (Outcome::Failed, shown(&message, 400))
                }
                None => {
                    let count = counted(report.artifacts.len() as u64, "artifact");
                    (Outcome::Successful, format!("validation passed {count}"))
                }
            };
        };
        let golden = artifact.golden.as_ref().map_or_else(String::new, |golden| {
            format!(" with {} of {} golden cases right", passed(golden), golden.cases.len())
        });
        let warning = match artifact.counted().next() {
            Some(finding) if artifact.verdict == Verdict::Warn => {
                format!(", though {} warns: {}", finding.rule, shown(&finding.message, 200))
            }
            _ => String::new(),
        };
        let message = format!("validation passed {}{golden}{warning}", name_and_digest(artifact));
        (Outcome::Successful, message)
    }

    /// `validation` as rules see it.
    pub(crate) fn validation_data(&self) -> Option<Value> {
        let report = self.report?;
        let findings: usize = report.artifacts.iter().map(|artifact| artifact.counted().count()).sum();
        let mut data = json!({
            "status": report.status,
            "verdict": report.verdict,
            "findings": findings,
            "artifacts": report.artifacts.len(),
        });
        if let Some(golden) = self.artifact.and_then(|artifact| artifact.golden.as_ref()) {
            let slowest = golden.cases.iter().map(|case| case.latency_ms).fold(0.0, f64::max);
            data["golden"] =
                json!({ "cases": golden.cases.len(), "passed": passed(golden), "slowest_ms": slowest });
        }
        Some(data)
    }

    /// `model` as rules see it.
    pub(crate) fn model_data(&self, request: &GateRequest<'_>) -> Value {
        let mut data = serde_json::Map::new();
        let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
        if let Some(name) = request.model {
            put("name", json!(name));
        }
        if let Some(digest) = request.digest.or(self.digest()) {
            put("digest", json!(digest));
        }
        if let Some(artifact) = self.artifact {
            put("format", json!(artifact.format));
            put("size", json!(artifact.size));
        }
        Value::Object(data)
    }
}

fn passed(golden: &GoldenReport) -> usize {
    golden.cases.iter().filter(|case| case.passed).count()
}

fn name_and_digest(artifact: &ArtifactReport) -> String {
    let digest = artifact.sha256.as_ref().map_or_else(|| "no digest".to_owned(), short);
    format!("{} ({digest})", shown(&artifact.path, 120))
}

/// The most severe finding of the first rejected artifact.
fn first_reason(report: &ValidationReport) -> String {
    let Some(artifact) = report.artifacts.iter().find(|artifact| artifact.verdict == Verdict::Reject) else {
        return "an artifact".to_owned();
    };
    let path = shown(&artifact.path, 120);
    match artifact.counted().next() {
        Some(finding) => format!("{path}: {} {}", finding.rule, shown(&finding.message, 200)),
        None => path,
    }
}

/// The first artifact that was not judged to its end.
fn open_end(report: &ValidationReport) -> String {
    let open = report.artifacts.iter().find(|artifact| artifact.status != Status::Complete);
    open.map_or_else(
        || "it judged no artifact".to_owned(),
        |artifact| format!("{} ({})", shown(&artifact.path, 120), artifact.format),
    )
}

//! Attacks, generated: every class of hostile file that is known here, in every format, written byte by byte.
//!
//! The files are only judged, never loaded, and what they would run says hello. Each must be rejected by a rule that names
//! what is wrong, not by an error; those whose only fault is damage must not pass.

mod bypasses;
mod containers;
mod globals;
mod opcodes;
mod pickles;
mod texts;

use tagship_domain::validation::{ArtifactReport, Severity, Status, Verdict};

use crate::{
    ValidationPolicy,
    build::{Files, passes},
    rules, validate_tree,
};

/// What must become of a hostile artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Rejected by a rule about what it does, whatever else is wrong with it.
    Named,
    /// Rejected by this rule.
    By(&'static str),
    /// Anything but a pass: a loader would fail on it, or nobody can say what it is.
    NoPass,
}

/// A hostile artifact.
#[derive(Debug, Clone)]
struct Case {
    what: String,
    files: Vec<(&'static str, Vec<u8>)>,
    fate: Fate,
}

impl Case {
    fn new(what: impl Into<String>, name: &'static str, bytes: Vec<u8>, fate: Fate) -> Self {
        Self { what: what.into(), files: vec![(name, bytes)], fate }
    }
}

fn judge(files: Vec<(&'static str, Vec<u8>)>) -> ArtifactReport {
    validate_tree(&Files(files), "artifact", &ValidationPolicy::default(), &mut |_| ())
}

/// Whether a rule names what an artifact does, rather than that it could not be read.
fn is_named(report: &ArtifactReport) -> bool {
    report.verdict == Verdict::Reject
        && report.findings.iter().any(|finding| {
            finding.severity >= Severity::High
                && rules::find(&finding.rule).is_some_and(|rule| rule.status != Status::Error)
        })
}

/// Judges all cases; a table of those that came out otherwise fails the test.
fn check(cases: Vec<Case>) {
    let count = cases.len();
    let mut exceptions = Vec::new();
    for case in cases {
        let report = judge(case.files);
        let fits = !passes(&report)
            && match case.fate {
                Fate::Named => is_named(&report),
                Fate::By(rule) => {
                    report.verdict == Verdict::Reject
                        && report.findings.iter().any(|finding| finding.rule == rule)
                }
                Fate::NoPass => true,
            };
        if !fits {
            let found: Vec<String> = report
                .findings
                .iter()
                .map(|finding| format!("{} {}", finding.rule, finding.message))
                .collect();
            exceptions.push(format!(
                "{}: wanted {:?}, came out {:?} {:?} as {}: {}",
                case.what,
                case.fate,
                report.verdict,
                report.status,
                report.format,
                found.join("; ")
            ));
        }
    }
    assert!(exceptions.is_empty(), "{} of {count}:\n{}", exceptions.len(), exceptions.join("\n"));
}

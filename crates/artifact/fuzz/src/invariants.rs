//! What is true of every report, whatever was judged.

use tagship_artifact::{ValidationPolicy, validate_tree};
use tagship_domain::validation::{ArtifactReport, Finding, Severity, Status, Verdict};

use super::memory::Memory;

/// Findings that a report on one file lists: what the analysis lists, and two that count the rest.
const LISTED: usize = 202;
/// Characters of a message, escapes and the mark of a cut included.
const MESSAGE: usize = 800 * 10 + 1;
/// Characters of one name in a finding, escapes and the mark of a cut included.
const NAME: usize = 160 * 10 + 1;
/// Names of containers that lead to a finding.
const NESTED: usize = 10;
/// Opcodes that an excerpt shows, and characters of each one's argument.
const EXCERPT: usize = 9;
const ARGUMENT: usize = 60;

/// Has an artifact judged, and holds the report against what must be true of every report.
///
/// # Panics
/// Where it is not.
pub fn check(artifact: &Memory) -> ArtifactReport {
    let (report, read) = judge(artifact);
    let size = artifact.bytes.len() as u64;
    assert_eq!((report.size, read), (size, size), "every byte is read once: {report:#?}");
    assert!(report.sha256.is_some(), "what was read has a digest: {report:#?}");
    if report.verdict == Verdict::Pass {
        assert_eq!(report.status, Status::Complete, "a pass is the end of a complete analysis: {report:#?}");
        let worst = report.findings.iter().map(|finding| finding.severity).max();
        assert!(worst < Some(Severity::Medium), "nothing speaks against a pass: {report:#?}");
    }
    if report.verdict != Verdict::Pass {
        assert!(!report.findings.is_empty(), "a verdict says why: {report:#?}");
    }
    assert!(report.findings.len() <= LISTED, "{} findings are listed", report.findings.len());
    report.findings.iter().for_each(readable);
    assert_eq!((report.clone(), read), judge(artifact), "the same bytes, the same report");
    report
}

/// # Panics
/// Where a report on something hostile is a pass.
pub(super) fn never_passes(report: &ArtifactReport) {
    assert_ne!(report.verdict, Verdict::Pass, "something hostile passes: {report:#?}");
}

/// The report, and how many bytes were said to be read for it.
fn judge(artifact: &Memory) -> (ArtifactReport, u64) {
    let mut read = 0;
    let report =
        validate_tree(artifact, "artifact", &ValidationPolicy::default(), &mut |bytes| read += bytes);
    (report, read)
}

/// Text from an artifact is escaped and cut before it is shown.
fn readable(finding: &Finding) {
    let texts = [
        (Some(&finding.message), MESSAGE),
        (finding.target.as_ref(), NAME),
        (finding.member.as_ref(), NAME * NESTED),
    ];
    for (text, limit) in texts {
        let Some(text) = text else { continue };
        assert!(text.chars().count() <= limit, "a finding quotes without bound: {finding:#?}");
        assert!(!text.chars().any(char::is_control), "a finding quotes control characters: {finding:#?}");
    }
    assert!(finding.excerpt.len() <= EXCERPT, "an excerpt is short: {finding:#?}");
    for argument in finding.excerpt.iter().filter_map(|line| line.argument.as_deref()) {
        assert!(argument.chars().count() <= ARGUMENT, "an argument is cut: {finding:#?}");
        assert!(!argument.chars().any(char::is_control), "an argument is escaped: {finding:#?}");
    }
}

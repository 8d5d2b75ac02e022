//! The judgement of an artifact: each file on its own, then the files as a whole, then the policy.

mod file;
mod several;
#[cfg(test)]
mod tests;
mod whole;

use std::path::Path;

use tagship_domain::{
    digest::FileEntry,
    validation::{ArtifactReport, Status, Verdict},
};

use crate::{
    digest,
    disk::{self, DiskTree},
    error::ArtifactError,
    findings::{Findings, judge},
    policy::ValidationPolicy,
    rules::{self, Rule},
    tree::Tree,
};
use file::Judged;

/// Judges the file or directory at `path`.
///
/// Every file is read once, from its first byte to its last, and hashed in the same pass, several at a time. `progress` is told after each
/// step how many more bytes were read. Never fails: what could not be read is a finding with status error that
/// names the path and the remedy. The report's digest is missing exactly where not every byte could be read.
pub fn validate_path(
    path: &Path,
    policy: &ValidationPolicy,
    progress: &mut dyn FnMut(u64),
) -> ArtifactReport {
    let shown = path.to_string_lossy().into_owned();
    match disk::is_directory(path) {
        Ok(true) => match DiskTree::new(path) {
            Ok(tree) => validate_tree(&tree, &shown, policy, progress),
            Err(error) => unreadable(&shown, &error),
        },
        Ok(false) => match disk::file_name(path) {
            Ok(name) => validate_file(&DiskTree::around(path), &name, &shown, policy, progress),
            Err(error) => unreadable(&shown, &error),
        },
        Err(error) => unreadable(&shown, &error),
    }
}

/// Judges all files of a tree as one artifact. `shown` is the path that the report carries; see [`validate_path`].
pub fn validate_tree(
    tree: &dyn Tree,
    shown: &str,
    policy: &ValidationPolicy,
    progress: &mut dyn FnMut(u64),
) -> ArtifactReport {
    let files = match tree.files() {
        Ok(files) => files,
        Err(error) => return unreadable(shown, &error),
    };
    let mut whole = Findings::new();
    let mut paths = Vec::new();
    for file in files {
        match file {
            Ok(path) => paths.push(path),
            Err(error) => whole.about(rule_of(&error), None, path_of(&error), error.to_string()),
        }
    }
    let mut judged = several::judge(tree, &paths, progress);
    whole::check(&mut judged, &mut whole);
    for file in &mut judged {
        file.apply(policy);
    }
    check_size(judged.iter().map(|file| file.size).sum(), policy, &mut whole);
    let listing: Option<Vec<FileEntry>> = judged.iter().map(Judged::entry).collect();
    let complete_listing = listing.filter(|_| whole.outcome().0 != Status::Error);
    let signature = whole::signature(&judged);
    let size = judged.iter().map(|file| file.size).sum();
    let mut report = ArtifactReport {
        path: shown.to_owned(),
        format: "directory".to_owned(),
        size,
        sha256: complete_listing.map(|files| digest::of_listing(&files)),
        status: Status::Complete,
        verdict: Verdict::Pass,
        signature,
        findings: Vec::new(),
        golden: None,
    };
    sum_up(&mut report, whole, None);
    for file in judged {
        sum_up(&mut report, file.findings, Some(&file.path));
    }
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    policy.apply(&mut report);
    report
}

/// Judges one file that is an artifact by itself. `tree` is the directory around it, for files that it names.
fn validate_file(
    tree: &dyn Tree,
    name: &str,
    shown: &str,
    policy: &ValidationPolicy,
    progress: &mut dyn FnMut(u64),
) -> ArtifactReport {
    let mut file = file::judge(tree, name, progress);
    whole::check_alone(tree, &mut file);
    file.apply(policy);
    check_size(file.size, policy, &mut file.findings);
    let mut report = ArtifactReport {
        path: shown.to_owned(),
        format: file.format.to_string(),
        size: file.size,
        sha256: file.digest,
        status: Status::Complete,
        verdict: Verdict::Pass,
        signature: file.signature,
        findings: Vec::new(),
        golden: None,
    };
    sum_up(&mut report, file.findings, None);
    policy.apply(&mut report);
    report
}

/// Merges findings into a report by the worst of each axis.
fn sum_up(report: &mut ArtifactReport, findings: Findings, member: Option<&str>) {
    let (status, verdict) = findings.outcome();
    (report.status, report.verdict) = judge(report.status.max(status), report.verdict.max(verdict));
    report.findings.extend(findings.into_list(member));
}

fn check_size(size: u64, policy: &ValidationPolicy, findings: &mut Findings) {
    if let Some(limit) = policy.max_size.filter(|limit| size > *limit) {
        findings.whole(&rules::SIZE_REFUSED, format!("{size} bytes; the policy allows {limit}"));
    }
}

/// The report on something that could not be looked at.
fn unreadable(shown: &str, error: &ArtifactError) -> ArtifactReport {
    let mut findings = Findings::new();
    findings.whole(rule_of(error), error.to_string());
    let mut report = ArtifactReport {
        path: shown.to_owned(),
        format: "unknown".to_owned(),
        size: 0,
        sha256: None,
        status: Status::Error,
        verdict: Verdict::Warn,
        signature: None,
        findings: Vec::new(),
        golden: None,
    };
    sum_up(&mut report, findings, None);
    report
}

/// The rule by which an error is reported.
fn rule_of(error: &ArtifactError) -> &'static Rule {
    match error {
        ArtifactError::Missing { .. } => &rules::MISSING,
        ArtifactError::Unreadable { .. } => &rules::UNREADABLE,
        ArtifactError::Link { .. } => &rules::LINK,
        ArtifactError::NotRegular { .. } => &rules::NOT_REGULAR,
        ArtifactError::Name { .. } => &rules::NAME,
        ArtifactError::Changed { .. } => &rules::CHANGED,
        ArtifactError::TooMany { .. } => &rules::TOO_MANY,
    }
}

fn path_of(error: &ArtifactError) -> &str {
    match error {
        ArtifactError::Missing { path }
        | ArtifactError::Unreadable { path, .. }
        | ArtifactError::Link { path }
        | ArtifactError::NotRegular { path }
        | ArtifactError::Name { path }
        | ArtifactError::Changed { path }
        | ArtifactError::TooMany { path, .. } => path,
    }
}

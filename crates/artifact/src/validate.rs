//! The judgement of an artifact: each file on its own, then the files as a whole, then the policy.

mod file;
mod remembered;
mod several;
#[cfg(test)]
mod tests;
mod whole;

use std::path::Path;

use tagship_domain::{
    digest::FileEntry,
    facts::ModelFacts,
    validation::{ArtifactReport, Status, Verdict},
};

use crate::{
    digest,
    disk::{self, DiskTree},
    error::ArtifactError,
    facts::Facts,
    findings::{Findings, judge},
    memory::Memory,
    policy::ValidationPolicy,
    rules::{self, Rule},
    tree::Tree,
};
use file::Judged;
use several::Place;

/// An artifact's report, and how much of it an earlier run found.
#[derive(Debug)]
pub struct Validated {
    /// What was found. It is the same whether it was remembered or not.
    pub report: ArtifactReport,
    /// Files that were only hashed, because an earlier run had judged the same bytes.
    pub remembered: usize,
}

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
    validate(path, policy, None, progress).report
}

/// Judges the file or directory at `path` like [`validate_path`]; files that an earlier run judged to their end, by this
/// version of the analysis and under the same path in the artifact, are only hashed.
pub fn validate_path_remembering(
    path: &Path,
    policy: &ValidationPolicy,
    memory: &dyn Memory,
    progress: &mut dyn FnMut(u64),
) -> Validated {
    validate(path, policy, Some(memory), progress)
}

fn validate(
    path: &Path,
    policy: &ValidationPolicy,
    memory: Option<&dyn Memory>,
    progress: &mut dyn FnMut(u64),
) -> Validated {
    let shown = path.to_string_lossy().into_owned();
    let judged = disk::is_directory(path).and_then(|is_directory| {
        Ok(if is_directory {
            let tree = DiskTree::new(path)?;
            validate_files(Place { tree: &tree, trust: policy.trust(), memory }, &shown, policy, progress)
        } else {
            let (tree, name) = (DiskTree::around(path), disk::file_name(path)?);
            validate_file(
                Place { tree: &tree, trust: policy.trust(), memory },
                &name,
                &shown,
                policy,
                progress,
            )
        })
    });
    judged.unwrap_or_else(|error| unreadable(&shown, &error).into())
}

/// Judges all files of a tree as one artifact. `shown` is the path that the report carries; see [`validate_path`].
pub fn validate_tree(
    tree: &dyn Tree,
    shown: &str,
    policy: &ValidationPolicy,
    progress: &mut dyn FnMut(u64),
) -> ArtifactReport {
    validate_files(Place { tree, trust: policy.trust(), memory: None }, shown, policy, progress).report
}

fn validate_files(
    place: Place<'_>,
    shown: &str,
    policy: &ValidationPolicy,
    progress: &mut dyn FnMut(u64),
) -> Validated {
    let files = match place.tree.files() {
        Ok(files) => files,
        Err(error) => return unreadable(shown, &error).into(),
    };
    let mut whole = Findings::new();
    let mut paths = Vec::new();
    for file in files {
        match file {
            Ok(path) => paths.push(path),
            Err(error) => whole.about(rule_of(&error), None, path_of(&error), error.to_string()),
        }
    }
    let mut judged = several::judge(place, &paths, progress);
    let remembered = judged.iter().filter(|file| file.remembered).count();
    whole::check(&mut judged, &mut whole);
    for file in &mut judged {
        file.apply(policy);
    }
    check_size(judged.iter().map(|file| file.size).sum(), policy, &mut whole);
    let listing: Option<Vec<FileEntry>> = judged.iter().map(Judged::entry).collect();
    let complete_listing = listing.filter(|_| whole.outcome().0 != Status::Error);
    let signature = whole::signature(&judged);
    let facts = whole::facts(&judged);
    let size = judged.iter().map(|file| file.size).sum();
    let mut report = ArtifactReport {
        path: shown.to_owned(),
        format: "directory".to_owned(),
        size,
        sha256: complete_listing.map(|files| digest::of_listing(&files)),
        status: Status::Complete,
        verdict: Verdict::Pass,
        signature,
        facts: None,
        findings: Vec::new(),
        golden: None,
    };
    sum_up(&mut report, whole, None);
    for file in judged {
        sum_up(&mut report, file.findings, Some(&file.path));
    }
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    report.facts = told(facts, report.status);
    policy.apply(&mut report);
    Validated { report, remembered }
}

/// Judges one file that is an artifact by itself. `tree` is the directory around it, for files that it names.
fn validate_file(
    place: Place<'_>,
    name: &str,
    shown: &str,
    policy: &ValidationPolicy,
    progress: &mut dyn FnMut(u64),
) -> Validated {
    let mut file = place.judge(name, progress);
    whole::check_alone(place.tree, &mut file);
    file.apply(policy);
    check_size(file.size, policy, &mut file.findings);
    let facts = std::mem::take(&mut file.findings.facts);
    let mut report = ArtifactReport {
        path: shown.to_owned(),
        format: file.format.to_string(),
        size: file.size,
        sha256: file.digest,
        status: Status::Complete,
        verdict: Verdict::Pass,
        signature: file.signature,
        facts: None,
        findings: Vec::new(),
        golden: None,
    };
    sum_up(&mut report, file.findings, None);
    report.facts = told(facts, report.status);
    policy.apply(&mut report);
    Validated { report, remembered: usize::from(file.remembered) }
}

impl From<ArtifactReport> for Validated {
    /// A report of which nothing was remembered.
    fn from(report: ArtifactReport) -> Self {
        Self { report, remembered: 0 }
    }
}

/// What is stated, as the report has it. What was not read to its end was not counted to its end either.
fn told(facts: Facts, status: Status) -> Option<ModelFacts> {
    if status == Status::Complete { facts } else { facts.uncounted() }.report()
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
        facts: None,
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

//! The check over all test reports.

use serde_json::{Value, json};
use tagship_config::TestSettings;
use tagship_domain::gate::{CheckKind, GateCheck, Outcome};

use crate::{
    junit::{self, TestReport},
    plain::plain,
    request::ReportFile,
    text::{counted, shown},
};

/// What all reports say together.
pub(crate) struct Summary {
    report: TestReport,
    files: u64,
    /// Files that are not there, and why.
    missing: Vec<String>,
    /// Files that cannot be read as a report, and why.
    broken: Vec<String>,
    /// Files that claim other numbers than their cases have.
    disagreements: Vec<String>,
    /// Whether a file claims more failures than it lists.
    hides_failures: bool,
}

/// Reads all reports; `None` where none is asked for.
pub(crate) fn summarise(files: &[ReportFile]) -> Option<Summary> {
    if files.is_empty() {
        return None;
    }
    let mut summary = Summary {
        report: TestReport::default(),
        files: files.len() as u64,
        missing: Vec::new(),
        broken: Vec::new(),
        disagreements: Vec::new(),
        hides_failures: false,
    };
    for file in files {
        let path = shown(&file.path, 120);
        match &file.content {
            Err(reason) => summary.missing.push(format!("{path} ({})", shown(reason, 120))),
            Ok(bytes) => match junit::read(bytes) {
                Err(error) => summary.broken.push(format!("{path}: {error}")),
                Ok(report) => summary.add(&path, report),
            },
        }
    }
    Some(summary)
}

impl Summary {
    fn add(&mut self, path: &str, report: TestReport) {
        if let Some(claims) = report.claims {
            let counts = report.counts;
            self.hides_failures |= claims.bad > counts.bad();
            if claims.tests != counts.total() || claims.bad != counts.bad() {
                self.disagreements.push(format!(
                    "{path} claims {} of {} failed but lists {} of {}",
                    claims.bad,
                    counted(claims.tests, "test"),
                    counts.bad(),
                    counts.total(),
                ));
            }
        }
        self.report.add(report);
    }

    /// `tests` as rules see it; nothing where a report is missing or broken, because the rest would look better
    /// than it is.
    pub(crate) fn data(&self) -> Option<Value> {
        let counts = self.report.counts;
        (self.missing.is_empty() && self.broken.is_empty()).then(|| {
            json!({
                "total": counts.total(), "ran": counts.ran(), "passed": counts.passed(), "failed": counts.failed,
                "errors": counts.errors, "skipped": counts.skipped, "flaky": counts.flaky, "reports": self.files,
            })
        })
    }
}

/// Nothing failed, everything could be read, enough passed, not too much was flaky.
pub(crate) fn check(summary: &Summary, settings: &TestSettings) -> GateCheck {
    plain(CheckKind::Tests, "tests", judge(summary, settings))
}

fn judge(summary: &Summary, settings: &TestSettings) -> (Outcome, String) {
    let counts = summary.report.counts;
    if counts.bad() > 0 {
        let names = &summary.report.bad_names;
        let more = counts.bad() - names.len() as u64;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let ran = counted(counts.ran(), "test");
        let message = format!("{} of {ran} failed: {}{more}", counts.bad(), names.join(", "));
        return (Outcome::Failed, message);
    }
    if let Some(first) = summary.broken.first() {
        return (Outcome::Error, format!("{first}{}", others(&summary.broken)));
    }
    if let Some(first) = summary.missing.first() {
        return (Outcome::Inconclusive, format!("missing: {first}{}", others(&summary.missing)));
    }
    if summary.hides_failures {
        return (Outcome::Inconclusive, summary.disagreements.join("; "));
    }
    if counts.ran() == 0 {
        let found = if counts.skipped > 0 {
            format!("none of {} ran ({} skipped)", counted(counts.total(), "test"), counts.skipped)
        } else {
            format!("there is no test in {}", counted(summary.files, "report"))
        };
        return (Outcome::Inconclusive, format!("{found}, so nothing was shown"));
    }
    let passed = counted(counts.passed(), "test");
    if counts.flaky > settings.allow_flaky {
        let (flaky, allowed) = (counts.flaky, settings.allow_flaky);
        let message = format!("{flaky} of {passed} passed only when run again, {allowed} may");
        return (Outcome::Failed, message);
    }
    if counts.passed() < settings.min {
        return (Outcome::Failed, format!("{passed} passed, at least {} must", settings.min));
    }
    let mut parts = vec![format!("{passed} passed")];
    if counts.flaky > 0 {
        parts.push(format!("{} only when run again", counts.flaky));
    }
    if counts.skipped > 0 {
        parts.push(format!("{} skipped", counts.skipped));
    }
    if !summary.disagreements.is_empty() {
        parts.push(format!("though {}", shown(&summary.disagreements.join("; "), 400)));
    }
    (Outcome::Successful, parts.join(", "))
}

fn others(all: &[String]) -> String {
    match all.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    }
}

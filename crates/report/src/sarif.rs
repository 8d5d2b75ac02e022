//! A validation report as SARIF 2.1.0 (OASIS Standard, 27 March 2020), for places that show static analysis results.
//!
//! `partialFingerprints` are left out: they would be digests, and this crate computes none. A place that needs them
//! makes its own from rule and location. Texts are foreign and go in cleaned, as plain text, never as Markdown.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tagship_domain::validation::{ArtifactReport, Finding, Severity, Status, ValidationReport};

use crate::text::clean;

/// Most results of one log; readers refuse or cut files with more than 5,000 of one run.
const RESULTS: usize = 5_000;

/// The log, with one result per finding. `version` is the version of the program that made the report.
///
/// A run counts as successful only where every artifact was analysed completely: an absence of results means
/// nothing otherwise.
pub fn sarif(report: &ValidationReport, version: &str) -> Value {
    let found =
        || report.artifacts.iter().flat_map(|artifact| artifact.findings.iter().map(move |f| (artifact, f)));
    let results: Vec<Value> =
        found().take(RESULTS).map(|(artifact, finding)| result(artifact, finding)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tagship",
                "version": clean(version, 60),
                "rules": rules(found().take(RESULTS).map(|(_, finding)| finding)),
            } },
            "invocations": [{
                "executionSuccessful": !report.artifacts.is_empty() && report.status == Status::Complete,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Every rule that hit, once, with the worst severity it hit with.
fn rules<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Value> {
    let mut worst: BTreeMap<String, Severity> = BTreeMap::new();
    for finding in findings {
        let severity = worst.entry(clean(&finding.rule, 60)).or_insert(finding.severity);
        *severity = (*severity).max(finding.severity);
    }
    let rule = |(id, severity): (String, Severity)| {
        json!({
            "id": id,
            "defaultConfiguration": { "level": level(severity) },
            "properties": { "security-severity": security_severity(severity), "tags": ["security"] },
        })
    };
    worst.into_iter().map(rule).collect()
}

fn result(artifact: &ArtifactReport, finding: &Finding) -> Value {
    let mut message = clean(&finding.message, 1_000);
    if let Some(member) = &finding.member {
        message = format!("{message} (in {})", clean(member, 200));
    }
    let mut place = json!({ "artifactLocation": { "uri": uri(&artifact.path) } });
    // An offset inside a member says nothing about the file that contains it.
    if let Some(offset) = finding.offset.filter(|_| finding.member.is_none()) {
        place["region"] = json!({ "byteOffset": offset, "byteLength": 0 });
    }
    let mut location = json!({ "physicalLocation": place });
    if let Some(target) = &finding.target {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": clean(target, 200) }]);
    }
    json!({
        "ruleId": clean(&finding.rule, 60),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [location],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A severity on the scale of CVSS, as text.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low | Severity::Info => "3.0",
    }
}

/// A path as a relative URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded,
/// so that no path can pose as an address or leave the repository by its scheme.
fn uri(path: &str) -> String {
    use std::fmt::Write;
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(path: &str, status: &str, findings: &Value) -> ValidationReport {
        serde_json::from_value(json!({ "status": status, "verdict": "reject", "artifacts": [{
            "path": path, "format": "pickle", "size": 9, "status": status, "verdict": "reject", "findings": findings }] }))
        .unwrap()
    }

    #[test]
    fn a_finding_is_a_result_with_rule_level_and_place() {
        let findings = json!([
            { "rule": "PKL101", "severity": "critical", "offset": 17, "target": "posix.system", "message": "runs code" },
            { "rule": "PKL101", "severity": "medium", "member": "a.pkl", "offset": 3, "message": "odd" },
            { "rule": "INT120", "severity": "info", "message": "more" }]);
        let log = sarif(&report("models/m 1.pkl", "complete", &findings), "0.1.0");
        let run = &log["runs"][0];
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(run["results"].as_array().unwrap().len(), 3);
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 2, "a rule is described once");
        assert_eq!(rules[1]["properties"]["security-severity"], "9.5", "by its worst hit");
        let first = &run["results"][0];
        assert_eq!((&first["level"], &first["ruleId"]), (&json!("error"), &json!("PKL101")));
        let place = &first["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "models/m%201.pkl");
        assert_eq!(place["region"]["byteOffset"], 17);
        let second = &run["results"][1];
        assert_eq!(second["message"]["text"], "odd (in a.pkl)");
        assert!(
            second["locations"][0]["physicalLocation"]["region"].is_null(),
            "an offset in a member is not one in the file"
        );
    }

    #[test]
    fn what_was_not_analysed_completely_is_no_successful_run() {
        let successful =
            |report| sarif(&report, "1")["runs"][0]["invocations"][0]["executionSuccessful"] == true;
        assert!(successful(report("m", "complete", &json!([]))));
        assert!(!successful(report("m", "incomplete", &json!([]))));
        assert!(!successful(ValidationReport { status: Status::Complete, ..ValidationReport::of(vec![]) }));
    }

    #[test]
    fn a_path_cannot_become_an_address() {
        for (path, expected) in
            [("javascript:x", "javascript%3Ax"), ("//evil/x", "evil/x"), ("a\\b#?", "a%5Cb%23%3F")]
        {
            assert_eq!(uri(path), expected);
        }
    }
}

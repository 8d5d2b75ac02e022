//! A validation report as SARIF 2.1.0 (OASIS Standard, 27 March 2020), for places that show static analysis results.
//!
//! What GitHub's code scanning asks for beyond the standard is there too: a line for every place, though a model has
//! none, a severity on the scale of CVSS for every rule, and `primaryLocationLineHash`. Texts are foreign and go in
//! cleaned, as plain text, never as Markdown.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};
use tagship_domain::{
    Digest,
    rule::RuleDescription,
    validation::{ArtifactReport, Finding, Severity, Status, ValidationReport},
};

use crate::{excerpt, text::clean};

/// Most results of one log; readers refuse or cut files with more than 5,000 of one run.
const RESULTS: usize = 5_000;

/// What is known of rules and findings elsewhere.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    /// What a rule says, by its id.
    pub rule: &'a dyn Fn(&str) -> Option<RuleDescription>,
    /// What a finding of an artifact is recognised by from one run to the next.
    pub fingerprint: &'a dyn Fn(&ArtifactReport, &Finding) -> Digest,
    /// Where to read about the program.
    pub home: &'a str,
    /// Address below which a rule's page has the name `<id>.md`.
    pub pages: &'a str,
}

impl fmt::Debug for Knowledge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge").field("pages", &self.pages).finish_non_exhaustive()
    }
}

/// The log, with one result per finding. `version` is the version of the program that made the report.
///
/// A run counts as successful only where every artifact was analysed completely: an absence of results means
/// nothing otherwise.
pub fn sarif(report: &ValidationReport, version: &str, knowledge: Knowledge<'_>) -> Value {
    let found =
        || report.artifacts.iter().flat_map(|artifact| artifact.findings.iter().map(move |f| (artifact, f)));
    let shown = found().take(RESULTS);
    let results: Vec<Value> = shown.map(|(artifact, finding)| result(artifact, finding, knowledge)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tagship",
                "informationUri": knowledge.home,
                "version": clean(version, 60),
                "rules": rules(found().take(RESULTS).map(|(_, finding)| finding), knowledge),
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
fn rules<'a>(findings: impl Iterator<Item = &'a Finding>, knowledge: Knowledge<'_>) -> Vec<Value> {
    let mut worst: BTreeMap<String, Severity> = BTreeMap::new();
    for finding in findings {
        let severity = worst.entry(clean(&finding.rule, 60)).or_insert(finding.severity);
        *severity = (*severity).max(finding.severity);
    }
    let rule = |(id, severity): (String, Severity)| {
        let mut rule = json!({
            "id": id,
            "defaultConfiguration": { "level": level(severity) },
            "properties": { "security-severity": security_severity(severity), "tags": ["security"] },
        });
        if let Some(known) = (knowledge.rule)(&id) {
            rule["shortDescription"] = json!({ "text": known.title });
            rule["fullDescription"] = json!({ "text": known.why });
            rule["help"] = json!({ "text": known.remedy });
            rule["helpUri"] = json!(format!("{}/{id}.md", knowledge.pages));
        }
        rule
    };
    worst.into_iter().map(rule).collect()
}

fn result(artifact: &ArtifactReport, finding: &Finding, knowledge: Knowledge<'_>) -> Value {
    let (file, member) = place(artifact, finding);
    let mut message = clean(&finding.message, 1_000);
    if let Some(member) = member {
        message = format!("{message} (in {})", clean(member, 200));
    }
    // Code scanning shows no place without a line.
    let mut region = json!({ "startLine": 1 });
    // An offset inside a member says nothing about the file that contains it.
    if let Some(offset) = finding.offset.filter(|_| member.is_none()) {
        region["byteOffset"] = json!(offset);
        region["byteLength"] = json!(0);
    }
    // Of bytes that are no text, the standard's snippet has a rendered view only.
    if !finding.excerpt.is_empty() {
        region["snippet"] = json!({ "rendered": { "text": excerpt::lines(&finding.excerpt).join("\n") } });
    }
    let place = json!({ "artifactLocation": { "uri": uri(&file) }, "region": region });
    let mut location = json!({ "physicalLocation": place });
    if let Some(target) = &finding.target {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": clean(target, 200) }]);
    }
    let fingerprint = (knowledge.fingerprint)(artifact, finding);
    let fingerprint = fingerprint.hex();
    let mut result = json!({
        "ruleId": clean(&finding.rule, 60),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [location],
        "partialFingerprints": { "primaryLocationLineHash": fingerprint, "tagship/v1": fingerprint },
    });
    if let Some(reason) = &finding.suppressed {
        result["suppressions"] = json!([{ "kind": "external", "justification": clean(reason, 400) }]);
    }
    result
}

/// The file that a finding is about, and the member inside of it.
fn place<'a>(artifact: &ArtifactReport, finding: &'a Finding) -> (String, Option<&'a str>) {
    match finding.member.as_deref() {
        Some(member) if artifact.format == "directory" => {
            let (file, inside) =
                member.split_once("!/").map_or((member, None), |(file, inside)| (file, Some(inside)));
            (format!("{}/{file}", artifact.path.trim_end_matches('/')), inside)
        }
        member => (artifact.path.clone(), member),
    }
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
    use tagship_domain::validation::Verdict;

    use super::*;

    fn log(report: &ValidationReport) -> Value {
        let rule = |id: &str| {
            let (severity, verdict, status) = (Severity::Critical, Verdict::Reject, Status::Complete);
            let [id, title, why, remedy] = [id, "runs code", "It can.", "Do not."].map(str::to_owned);
            Some(RuleDescription { id, title, severity, verdict, status, why, remedy, references: vec![] })
        };
        let fingerprint = |_: &ArtifactReport, finding: &Finding| {
            Digest::from_bytes([u8::try_from(finding.offset.unwrap_or(0)).unwrap(); 32])
        };
        let (home, pages) = ("https://example.com", "https://example.com/rules");
        sarif(report, "0.1.0", Knowledge { rule: &rule, fingerprint: &fingerprint, home, pages })
    }

    fn report(path: &str, status: &str, findings: &Value) -> ValidationReport {
        serde_json::from_value(json!({ "status": status, "verdict": "reject", "artifacts": [{
            "path": path, "format": "pickle", "size": 9, "status": status, "verdict": "reject", "findings": findings }] }))
        .unwrap()
    }

    #[test]
    fn a_finding_is_a_result_with_rule_level_and_place() {
        let findings = json!([
            { "rule": "PKL101", "severity": "critical", "offset": 17, "target": "posix.system", "message": "runs code",
              "excerpt": [{ "offset": 11, "opcode": "GLOBAL", "argument": "posix system", "here": false },
                          { "offset": 17, "opcode": "REDUCE", "here": true }] },
            { "rule": "PKL101", "severity": "medium", "member": "a.pkl", "offset": 3, "message": "odd" },
            { "rule": "INT120", "severity": "info", "message": "more" }]);
        let log = log(&report("models/m 1.pkl", "complete", &findings));
        let run = &log["runs"][0];
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(run["results"].as_array().unwrap().len(), 3);
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 2, "a rule is described once");
        assert_eq!(rules[1]["properties"]["security-severity"], "9.5", "by its worst hit");
        assert_eq!(rules[1]["help"]["text"], "Do not.");
        assert_eq!(rules[1]["helpUri"], "https://example.com/rules/PKL101.md");
        let first = &run["results"][0];
        assert_eq!(first["partialFingerprints"]["primaryLocationLineHash"], "11".repeat(32));
        assert_eq!((&first["level"], &first["ruleId"]), (&json!("error"), &json!("PKL101")));
        let place = &first["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "models/m%201.pkl");
        assert_eq!(place["region"]["byteOffset"], 17);
        let around = &place["region"]["snippet"]["rendered"]["text"];
        assert_eq!(around, "  11: GLOBAL posix system\n> 17: REDUCE");
        let second = &run["results"][1];
        assert_eq!(second["message"]["text"], "odd (in a.pkl)");
        let region = &second["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region, &json!({ "startLine": 1 }), "an offset in a member is not one in the file");
    }

    #[test]
    fn what_was_not_analysed_completely_is_no_successful_run() {
        let successful = |report| log(&report)["runs"][0]["invocations"][0]["executionSuccessful"] == true;
        assert!(successful(report("m", "complete", &json!([]))));
        assert!(!successful(report("m", "incomplete", &json!([]))));
        assert!(!successful(ValidationReport { status: Status::Complete, ..ValidationReport::of(vec![]) }));
    }

    #[test]
    fn a_finding_in_a_folder_is_one_in_its_file() {
        let findings = json!([
            { "rule": "PKL101", "severity": "high", "member": "m/a.pt!/data.pkl", "offset": 3, "message": "odd" },
            { "rule": "PKL101", "severity": "high", "member": "b.pkl", "offset": 4, "message": "odd" }]);
        let mut report = report("models/churn/", "complete", &findings);
        "directory".clone_into(&mut report.artifacts[0].format);
        let log = log(&report);
        let at = |index: usize| log["runs"][0]["results"][index]["locations"][0]["physicalLocation"].clone();
        assert_eq!(at(0)["artifactLocation"]["uri"], "models/churn/m/a.pt");
        assert_eq!(at(0)["region"], json!({ "startLine": 1 }));
        assert_eq!(at(1)["artifactLocation"]["uri"], "models/churn/b.pkl");
        assert_eq!(at(1)["region"]["byteOffset"], 4);
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

//! What must hold for every page, whatever the documents say: nothing foreign leaves its place, and every page fits.

mod foreign;
mod size;

use serde_json::{Value, json};
use tagship_domain::report::{Section, StatusReport};

fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

fn release(version: &str) -> Value {
    json!({ "model": "churn", "version": version, "digest": digest('b'), "manifest": digest('c'),
            "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567" })
}

/// A page about one foreign text that is no web address: the address of a run is the one link that a page has.
fn report(foreign: &str, sections: Vec<Section>) -> StatusReport {
    let run = if foreign.to_ascii_lowercase().starts_with("http") { "word" } else { foreign };
    let mut report: StatusReport = serde_json::from_value(json!({
        "sha": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "written": "2026-11-24T03:45:00Z",
        "by": { "actor": foreign, "run": run }, "sections": [] }))
    .unwrap();
    report.sections = sections;
    report
}

fn metric(foreign: &str) -> Value {
    json!({ "name": foreign, "kind": "labelled-accuracy", "judge": "boundary-e", "tolerance": 1.0,
            "promote_margin": { "absolute": 0.02 }, "min_samples": 50, "label_delay": "30m", "on_no_data": "wait",
            "failure_limit": 0, "inconclusive_limit": 0, "consecutive_error_limit": 4 })
}

fn points() -> Vec<Value> {
    let point = |minute| {
        json!({ "at": format!("2026-11-24T03:{minute:02}:00Z"), "weight": 5, "phase": "Running",
                "value": 0.9, "stable": 0.921, "n": [90, 9], "e_value": 2.0 })
    };
    (0..60).map(point).collect()
}

/// A rejected or rolled-back section in which every text that comes from outside is `foreign`.
fn section(foreign: &str, with_rollout: bool) -> Section {
    let mut section = json!({
        "model": "churn", "environment": "production",
        "decision": { "model": "churn", "action": "deploy", "reason_code": "digest-changed", "sentence": foreign },
        "validation": { "status": "incomplete", "verdict": "reject", "artifacts": [{
            "path": foreign, "format": foreign, "size": 9, "sha256": digest('a'), "status": "incomplete", "verdict": "reject",
            "signature": { "inputs": [{ "name": foreign, "datatype": foreign, "shape": [-1, 4] }], "outputs": [] },
            "findings": [{ "rule": foreign, "severity": "critical", "member": foreign, "offset": 3, "target": foreign, "message": foreign }],
            "golden": { "status": "incomplete", "message": foreign, "cases": [
                { "name": foreign, "passed": false, "latency_ms": 1.0, "message": foreign },
                { "name": foreign, "passed": true, "latency_ms": 1.0, "max_difference": 0.0 }] } }] },
        "gate": { "stable": "v1.0.0", "outcome": "failed",
            "checks": [
                { "name": foreign, "kind": "rule", "outcome": "failed", "message": foreign, "expression": foreign,
                  "saw": [{ "path": foreign, "value": foreign }, { "path": foreign }] },
                { "name": foreign, "kind": "tests", "outcome": "successful", "message": foreign }],
            "metrics": [{ "name": foreign, "candidate": 0.5, "stable": 0.25 }] },
        "next": { "version": "v1.1.0", "because": foreign },
        "timeline": [{ "at": "2026-11-24T03:44:00Z", "phase": "RolledBack", "message": foreign, "weight": 0 }],
        "series": [{ "name": foreign, "looks": 900, "points": points() }],
    });
    if with_rollout {
        section["rollout"] = json!({ "id": foreign, "kind": "deploy", "model": "churn", "environment": "production",
            "candidate": release("v1.1.0"), "stable": release("v1.0.0"),
            "plan": { "strategy": { "canary": { "steps": [{ "set-weight": 5 }, { "pause": "10m" }] } },
                "smoke": { "check": "ready-only" }, "progress_deadline": "10m", "bake": "1h",
                "analysis": { "interval": "1m", "max_wait": "1h", "metrics": [metric(foreign)] } },
            "phase": "RolledBack", "reason": "AnalysisFailed", "cause": foreign, "message": foreign, "step": 0,
            "weight": { "desired": 0, "applied": 0 }, 
            "judges": { foreign: { "phase": "Failed", "n": 3, "message": foreign, "measurement": {
                "value": 0.872, "stable": 0.921, "n": [24870, 2310], "e_value": 24.1, "fails_at": 20.0 } } },
            "intended": [{ "seq": 1, "effect": { "effect": "promote" }, "attempts": 2, "error": foreign }],
            "assigned": false, "seq": 9, "started": "2026-11-24T03:44:00Z", "since": "2026-11-24T03:44:41Z",
            "deadline": null, "by": { "actor": foreign } });
    }
    // The address of an issue is a link by itself.
    let issue = if foreign.to_ascii_lowercase().starts_with("http") { "word" } else { foreign };
    let finding = |standing| {
        json!({ "topic": foreign, "standing": standing, "severity": "page", "value": 0.5, "threshold": foreign,
                "window": foreign, "sentence": foreign })
    };
    section["monitoring"] = json!({ "model": "churn", "environment": "production", "at": "2026-11-24T03:50:00Z",
        "look": { "model": "churn", "environment": "production", "version": "v1.1.0", "at": "2026-11-24T03:49:00Z",
            "findings": [finding("bad"), finding("unknown")], "good": false,
            "incidents": [{ "topic": foreign, "phase": "open", "looks": 0, "opened": [], "since": "2026-11-24T03:48:00Z",
                "told": null, "finding": finding("bad"), "issue": issue }] },
        "details": null, "rollout": null, "past": [], "complete": false, "unwatched": [] });
    serde_json::from_value(section).unwrap()
}

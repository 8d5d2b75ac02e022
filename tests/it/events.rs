//! What events lead to, through the program: a decision with a reason for each, and a run only where one is due.

use serde_json::{Value, json};
use tagship_testkit::Output;

use crate::workbench::Workbench;

fn decide(bench: &Workbench, name: &str, payload: &Value) -> Output {
    event(bench, &["decide", "--format", "json"], name, payload)
}

fn event(bench: &Workbench, verb: &[&str], name: &str, payload: &Value) -> Output {
    let path = bench.clone.write(".tagship/event.json", payload.to_string()).display().to_string();
    bench.run(&[verb, &["--event-name", name, "--event-path", &path]].concat())
}

#[track_caller]
fn check(bench: &Workbench, name: &str, payload: &Value, expected: (&str, &str)) -> Value {
    let done = decide(bench, name, payload);
    done.assert_code(0);
    let decision: Value = serde_json::from_str(&done.stdout).unwrap();
    let found = (decision["action"].as_str().unwrap(), decision["reason_code"].as_str().unwrap());
    assert_eq!(found, expected, "{decision:#}");
    decision
}

/// A payload about the checkout's commit on the default branch.
fn payload(event: Value) -> Value {
    let mut payload = json!({"repository": {"full_name": "o/r", "default_branch": "main"}});
    let Value::Object(fields) = event else { panic!("a payload is an object") };
    payload.as_object_mut().unwrap().extend(fields);
    payload
}

#[test]
fn each_event_has_its_decision() {
    let bench = Workbench::new();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    let first = ("deploy", "first-deployment");
    let suite = |conclusion: &str| {
        payload(json!({"action": "completed", "check_suite": {"head_sha": head, "head_branch": "main",
            "conclusion": conclusion, "app": {"name": "ci"}}}))
    };
    check(&bench, "check_suite", &suite("success"), first);
    check(&bench, "check_suite", &suite("failure"), ("skip", "checks-failed"));
    let group = |sha: &str| {
        payload(
            json!({"action": "checks_requested", "merge_group": {"head_sha": sha, "base_ref": "refs/heads/main"}}),
        )
    };
    check(&bench, "merge_group", &group(&head), ("validate-only", "merge-queue"));
    let elsewhere = event(&bench, &["run"], "merge_group", &group(&"b".repeat(40)));
    elsewhere.assert_code(3);
    let deployment = |state: &str| {
        payload(json!({"action": "created", "deployment_status": {"state": state},
            "deployment": {"sha": head, "ref": "main", "environment": "features", "payload": {}}}))
    };
    check(&bench, "deployment_status", &deployment("success"), first);
    check(&bench, "deployment_status", &deployment("pending"), ("skip", "event-ignored"));
    let release = payload(json!({"action": "published", "release": {"tag_name": "v1.0"}}));
    check(&bench, "release", &release, ("skip", "wrong-checkout"));
    let package =
        payload(json!({"action": "published", "registry_package": {"name": "web", "package_version": {}}}));
    check(&bench, "registry_package", &package, ("skip", "not-configured"));
    let dispatched = |name: &str| payload(json!({"action": name, "client_payload": {}}));
    check(&bench, "repository_dispatch", &dispatched("other"), ("skip", "event-ignored"));
    check(&bench, "repository_dispatch", &dispatched("tagship-continue"), ("skip", "nothing-to-do"));
    check(&bench, "star", &payload(json!({})), ("skip", "unknown-event"));
}

#[test]
fn a_release_deploys_the_version_of_its_tag() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let release = payload(json!({"action": "published", "release": {"tag_name": "churn@v0.1.0"}}));
    let decision = check(&bench, "release", &release, ("deploy", "version-published"));
    assert_eq!(decision["items"][0]["version"], "v0.1.0");
    assert_eq!(decision["sha"], bench.clone.git(&["rev-parse", "churn@v0.1.0^{commit}"]));
    let created = |version: &str| {
        let carried = json!({"model": "churn", "version": version});
        payload(json!({"action": "model-version-created", "client_payload": carried}))
    };
    check(&bench, "repository_dispatch", &created("0.1.0"), ("deploy", "model-version-created"));
    let unknown = decide(&bench, "repository_dispatch", &created("7"));
    unknown.assert_code(2);
}

#[test]
fn a_proposed_change_is_not_judged_with_secrets() {
    let bench = Workbench::new();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    let pull = |sha: &str| {
        payload(json!({"action": "opened", "pull_request": {"number": 3, "head": {"sha": sha, "repo":
            {"full_name": "fork/r"}}, "base": {"ref": "main", "repo": {"full_name": "o/r"}}}}))
    };
    check(&bench, "pull_request", &pull(&head), ("validate-only", "pull-request"));
    check(&bench, "pull_request_target", &pull(&head), ("skip", "untrusted-checkout"));
    check(&bench, "pull_request_target", &pull(&"b".repeat(40)), ("skip", "privileged-run"));
    assert!(bench.published().is_empty());
}

#[test]
fn a_comment_alone_starts_nothing() {
    let bench = Workbench::new();
    let comment = payload(json!({"action": "created", "issue": {"number": 3, "pull_request": {"url": "x"}},
        "comment": {"id": 1, "body": "/tagship retry", "created_at": "2026-11-24T12:00:00Z",
        "user": {"login": "mallory", "type": "User"}}}));
    let decision = check(&bench, "issue_comment", &comment, ("skip", "command-pending"));
    assert_eq!(decision["pull_request"], 3);
    assert!(decision["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_missing_field_is_a_usage_error_that_names_it() {
    let bench = Workbench::new();
    let done = decide(&bench, "merge_group", &payload(json!({"action": "checks_requested"})));
    done.assert_code(2);
    assert!(done.stderr.contains("merge_group.head_sha"), "{}", done.stderr);
}

#[test]
fn the_status_is_a_table_for_people_and_a_document_for_programs() {
    let bench = Workbench::new();
    let never = bench.run(&["status"]);
    assert!(never.assert_code(0).stdout.contains("never deployed"), "{}", never.stdout);
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    // Nothing serves at the configured address, so this rollout stays under way.
    bench.run(&["rollout", "--once"]).assert_code(6);
    let running = bench.run(&["status"]);
    for words in ["MODEL", "HOLDS", "SINCE", "churn", "production", "v0.1.0", "0% of traffic, since"] {
        assert!(running.assert_code(0).stdout.contains(words), "{words}: {}", running.stdout);
    }
    let json = bench.run(&["status", "--format", "json"]).assert_code(0).stdout.clone();
    let status: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status["schema"], "tagship/status/v1");
    assert_eq!(status["places"][0]["rollout"]["candidate"]["version"], "v0.1.0");
    assert_eq!(status["locks"], json!([]));
    let unknown = bench.run(&["status", "--environment", "qa"]);
    assert!(unknown.assert_code(2).stderr.contains("churn in production"), "{}", unknown.stderr);
}

#[test]
fn what_staging_holds_goes_to_production_by_hand() {
    let bench = Workbench::with_server();
    let config = std::fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let production = "\n      production:\n        target: { local: { url: \"http://127.0.0.1:9\", admin-url: \
                      \"http://127.0.0.1:9\", token-env: TOKEN } }\n";
    let both = format!("{}{production}", config.trim_end().replace("      production:", "      staging:"));
    bench.clone.write("tagship.yml", both);
    bench.push("Serve staging");
    bench.run(&["run", "--request", "deploy", "--environment", "staging"]).assert_code(0);
    // Whatever the checkout holds by then, staging's version is meant.
    bench.put("v2");
    bench.push("Add v2");
    let asked = json!({"inputs": {"command": "deploy", "from": "staging", "environment": "production"}});
    let decision = check(&bench, "workflow_dispatch", &payload(asked), ("deploy", "released-not-deployed"));
    assert_eq!(decision["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&decision["items"][0]["environment"], &decision["items"][0]["version"]),
        (&"production".into(), &"v0.1.0".into())
    );
    let same = bench.run(&["decide", "--request", "deploy", "--from", "staging", "--format", "json"]);
    let same: Value = serde_json::from_str(&same.assert_code(0).stdout).unwrap();
    assert_eq!(same["items"], decision["items"], "the same by hand");
    let nothing = bench.run(&["decide", "--request", "deploy", "--from", "qa"]);
    assert!(nothing.assert_code(2).stdout.contains("no environment qa"), "{nothing:?}");
}

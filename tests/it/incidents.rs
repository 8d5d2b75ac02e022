//! Incidents on GitHub: one issue for each, opened, kept up to date and closed by the looks of a scheduled workflow.

use serde_json::{Value, json};

use crate::{
    hosted::{Hosted, Step},
    watch::{phases, rows, watching},
};

/// Drift, of which every look tells again.
const WATCHED: &str = "
    monitor:
      drift: { reference: reference.csv, current: today.csv }
      alerts: { to: [github-issue], remind: 0s, runbook: https://wiki.example.org/churn }
";

/// A watched repository on a host, with rows that have not drifted.
fn hosted() -> Hosted {
    let bench = watching(WATCHED);
    rows(&bench, "reference.csv", [200, 200], 0);
    rows(&bench, "today.csv", [200, 200], 0);
    Hosted::of(bench)
}

/// A scheduled look that ends well, and what it remembers.
fn look(hosted: &Hosted) -> (Step, Value) {
    let payload = json!({ "schedule": "*/15 * * * *", "repository": { "default_branch": "main" } });
    let step = hosted.step(&["monitor", "check", "--format", "json"], "schedule", &payload);
    step.done.assert_code(0);
    let report = serde_json::from_str(&step.done.stdout).unwrap();
    (step, report)
}

fn issues(hosted: &Hosted) -> Vec<Value> {
    hosted.github.world(|world| world.issues.values().cloned().collect())
}

/// Number and state of every issue.
fn states(hosted: &Hosted) -> Vec<(u64, String)> {
    let of = |issue: &Value| (issue["number"].as_u64().unwrap(), issue["state"].as_str().unwrap().to_owned());
    issues(hosted).iter().map(of).collect()
}

fn open(number: u64) -> (u64, String) {
    (number, "open".to_owned())
}

fn closed(number: u64) -> (u64, String) {
    (number, "closed".to_owned())
}

#[test]
fn an_incident_is_one_issue_from_its_beginning_to_its_end() {
    let hosted = hosted();
    look(&hosted);
    assert!(issues(&hosted).is_empty(), "what is good is no issue");

    rows(&hosted.bench, "today.csv", [0, 400], 50);
    let (step, report) = look(&hosted);
    assert_eq!((step.output("decision"), &report["outbox"]), ("bad", &Value::Null), "nothing is owed");
    let issue = &issues(&hosted)[0];
    assert_eq!(
        (&issue["title"], &issue["labels"], &issue["state"]),
        (&json!("churn (production) drift/data: look at it"), &json!(["tagship"]), &json!("open")),
    );
    let body = issue["body"].as_str().unwrap();
    for words in [
        "2 of 3 columns (67%): country, amount",
        "0.6667",
        "drift of less than 50% of the columns",
        "400 current rows against 400 of the reference",
        "v0.1.0",
        "https://wiki.example.org/churn",
        "tagship monitor check --model churn --environment production --dry-run",
        "actions/runs/2",
    ] {
        assert!(body.contains(words), "{words}: {body}");
    }

    // It goes on, in the same issue and with other words.
    rows(&hosted.bench, "today.csv", [0, 500], 50);
    look(&hosted);
    assert_eq!(states(&hosted), [open(1)]);
    let body = issues(&hosted)[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("500 current rows") && !body.contains("400 current rows"), "{body}");

    // One good look is not its end, two are.
    rows(&hosted.bench, "today.csv", [200, 200], 0);
    look(&hosted);
    assert_eq!(states(&hosted), [open(1)]);
    let (_, report) = look(&hosted);
    assert_eq!(phases(&report), [("drift/data", "resolved")]);
    assert_eq!(states(&hosted), [closed(1)]);
    assert_eq!(issues(&hosted)[0]["state_reason"], "completed");
    look(&hosted);
    assert_eq!(states(&hosted), [closed(1)]);

    // What comes back is another one.
    rows(&hosted.bench, "today.csv", [0, 400], 50);
    look(&hosted);
    assert_eq!(states(&hosted), [closed(1), open(2)]);
}

#[test]
fn what_has_no_data_is_an_issue_of_its_own() {
    let hosted = hosted();
    rows(&hosted.bench, "today.csv", [0, 400], 50);
    look(&hosted);
    std::fs::remove_file(hosted.bench.clone.path().join("today.csv")).unwrap();
    let payload = json!({ "schedule": "*/15 * * * *", "repository": { "default_branch": "main" } });
    hosted.step(&["monitor", "check"], "schedule", &payload).done.assert_code(3);
    assert_eq!(states(&hosted), [open(1), open(2)], "the drift is not over");
    assert_eq!(issues(&hosted)[1]["title"], "churn (production) drift/data/no-data: no data");

    rows(&hosted.bench, "today.csv", [200, 200], 0);
    look(&hosted);
    look(&hosted);
    assert_eq!(states(&hosted), [closed(1), closed(2)]);
}

#[test]
fn what_could_not_be_told_is_told_by_the_next_look() {
    let hosted = hosted();
    hosted.github.world(|world| {
        world.lacks.insert("issues=write".to_owned());
    });
    rows(&hosted.bench, "today.csv", [0, 400], 50);
    let (step, report) = look(&hosted);
    assert!(step.done.stderr.contains("issues: write"), "{}", step.done.stderr);
    assert!(step.done.stderr.contains("sent by the next look"), "{}", step.done.stderr);
    assert_eq!((report["outbox"].as_array().map(Vec::len), issues(&hosted).len()), (Some(1), 0));

    hosted.github.world(|world| world.lacks.clear());
    let (_, report) = look(&hosted);
    assert_eq!((&report["outbox"], states(&hosted)), (&Value::Null, vec![open(1)]));
}

/// A host whose production serves what pull request 7 brought, and is watched.
fn brought() -> Hosted {
    let hosted = Hosted::new();
    let clone = &hosted.bench.clone;
    let config = std::fs::read_to_string(clone.path().join("tagship.yml")).unwrap();
    clone.write("tagship.yml", format!("{}{WATCHED}", config.trim_end()));
    rows(&hosted.bench, "reference.csv", [200, 200], 0);
    rows(&hosted.bench, "today.csv", [200, 200], 0);
    hosted.bench.push("Watch production");
    hosted.propose(false);
    hosted.push().done.assert_code(0);
    hosted
}

#[test]
fn the_pull_request_that_brought_what_serves_shows_what_monitoring_says() {
    let hosted = brought();
    let comment = hosted.comment();
    assert!(comment.contains("Nobody has looked yet"), "{comment}");

    look(&hosted);
    let comment = hosted.comment();
    assert!(comment.contains("**Monitoring**: ✅ All is well"), "{comment}");
    assert!(comment.contains("| drift/data | 0% of the columns drifted |"), "{comment}");
    assert!(comment.contains("live"), "what the rollout came to stays: {comment}");

    rows(&hosted.bench, "today.csv", [0, 400], 50);
    let (_, report) = look(&hosted);
    let issue = format!("{}/acme/shop/issues/8", hosted.github.server_url());
    assert_eq!(report["incidents"][0]["issue"], json!(issue));
    let comment = hosted.comment();
    assert!(comment.contains("❌") && comment.contains("66.7% of the columns drifted"), "{comment}");
    assert!(comment.contains(&format!("[issue]({issue})")), "{comment}");

    // What cannot be judged is not called well.
    std::fs::remove_file(hosted.bench.clone.path().join("today.csv")).unwrap();
    let payload = json!({ "schedule": "*/15 * * * *", "repository": { "default_branch": "main" } });
    hosted.step(&["monitor", "check"], "schedule", &payload).done.assert_code(3);
    let comment = hosted.comment();
    assert!(
        comment.contains("⚠️ Whether all is well cannot be said") && comment.contains("no data"),
        "{comment}"
    );
}

#[test]
fn a_look_writes_over_nothing_that_a_person_wrote_and_opens_no_comment() {
    let hosted = brought();
    let edited = format!("{}\n\nSeen by ada.", hosted.comment());
    hosted.github.world(|world| world.comments[0].1["body"] = json!(edited));
    look(&hosted);
    assert_eq!(hosted.comment(), edited);

    hosted.github.world(|world| world.comments.clear());
    rows(&hosted.bench, "today.csv", [0, 400], 50);
    look(&hosted);
    hosted.github.world(|world| assert!(world.comments.is_empty(), "{:?}", world.comments));
}

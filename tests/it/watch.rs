//! `tagship monitor check`: one look at what is configured, remembered in git, with incidents and the way back.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tagship_testkit::Output;

use crate::workbench::Workbench;

/// What is watched: labels beside predictions, and single values of a table.
const WATCHED: &str = "
        guard: 1h
    monitor:
      quality: { task: binary, predictions: [served.csv], version: by, at-least: { accuracy: 0.8 } }
      streams:
        - { name: latency, detector: robust-z, over: 1000d, source: { table: { files: [times.csv], value: ms, time: at } } }
      alerts: { to: [{ webhook: { url-env: NO_SUCH_HOOK } }] }
";

/// Only whether the inputs have drifted, as a whole and by country.
const DRIFT: &str = "
    monitor:
      drift: { reference: reference.csv, current: today.csv, slices: [country] }
";

/// A repository whose production serves v0.1.0, and is watched.
pub(crate) fn watching(settings: &str) -> Workbench {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let config = std::fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    bench.clone.write("tagship.yml", format!("{}{settings}", config.trim_end()));
    bench.push("Watch production");
    bench
}

/// The same, with labels and values that are as they should be.
fn bench() -> Workbench {
    let bench = watching(WATCHED);
    predictions(&bench, 9);
    times(&bench, 40, 10.0);
    bench
}

/// 500 labelled predictions of each of two versions, of ten so many right.
fn predictions_of(bench: &Workbench, versions: [(&str, u32); 2]) {
    let mut text = "by,prediction,label\n".to_owned();
    for (version, right) in versions {
        for row in 0..500 {
            let says = row % 2;
            let label = if row * 7919 % 10 < right { says } else { 1 - says };
            let _ = writeln!(text, "{version},{says},{label}");
        }
    }
    bench.clone.write("served.csv", text);
}

fn predictions(bench: &Workbench, right: u32) {
    predictions_of(bench, [("v0.1.0", right), ("0.2.0", right)]);
}

/// A value a minute, up to yesterday's noon; the last one as given.
fn times(bench: &Workbench, count: u32, last: f64) {
    let mut text = "at,ms\n".to_owned();
    for row in 0..count {
        let ms = if row + 1 == count { last } else { f64::from(10 + row % 5) };
        let _ = writeln!(text, "2026-01-01T12:{row:02}:00Z,{ms}");
    }
    bench.clone.write("times.csv", text);
}

/// Rows of two countries with amounts from 0 to 100; so many of each, and those of Denmark so much larger.
pub(crate) fn rows(bench: &Workbench, file: &str, [french, danish]: [u32; 2], larger: u32) {
    let mut text = "country,amount,weight\n".to_owned();
    for (country, count, larger) in [("FR", french, 0), ("DK", danish, larger)] {
        for row in 0..count {
            let _ = writeln!(text, "{country},{},{}", row * 37 % 101 + larger, row * 53 % 89);
        }
    }
    bench.clone.write(file, text);
}

/// The phase of every incident by its topic.
pub(crate) fn phases(report: &Value) -> Vec<(&str, &str)> {
    let incidents = report["incidents"].as_array().unwrap();
    incidents.iter().map(|one| (one["topic"].as_str().unwrap(), one["phase"].as_str().unwrap())).collect()
}

pub(crate) fn check(bench: &Workbench, more: &[&str]) -> (Output, Value) {
    let done = bench.run(&[&["monitor", "check", "--format", "json"], more].concat());
    let json = serde_json::from_str(&done.stdout).unwrap_or_default();
    (done, json)
}

fn history(bench: &Workbench) -> usize {
    let log = bench.clone.git(&["log", "--format=%s", "refs/tagship/monitor/churn/production"]);
    log.lines().count()
}

#[test]
fn a_look_is_remembered_and_an_incident_opens_once_and_closes() {
    let bench = bench();
    let (done, json) = check(&bench, &[]);
    done.assert_code(0);
    assert_eq!((&json["schema"], &json["good"]), (&json!("tagship/watch/v1"), &json!(true)), "{json:#}");
    assert_eq!((&json["streams"][0]["values"], history(&bench)), (&json!(40), 1));

    predictions(&bench, 5);
    times(&bench, 41, 900.0);
    let (done, json) = check(&bench, &["--dry-run", "--fail-on", "bad"]);
    done.assert_code(1);
    assert_eq!((history(&bench), json["findings"][1]["standing"].as_str()), (1, Some("bad")), "{json:#}");
    let (done, json) = check(&bench, &[]);
    done.assert_code(0);
    assert_eq!(json["streams"][0]["values"], json!(41), "only the new value was taken: {json:#}");
    let topics: Vec<&str> =
        json["incidents"].as_array().unwrap().iter().filter_map(|one| one["topic"].as_str()).collect();
    assert_eq!(topics, ["quality/accuracy", "stream/latency"]);
    assert_eq!(
        json["outbox"].as_array().unwrap().len(),
        2,
        "the hook is missing, so that they wait: {}",
        done.stderr
    );
    assert!(done.stderr.contains("NO_SUCH_HOOK"), "{}", done.stderr);

    let (_, json) = check(&bench, &[]);
    assert_eq!(json["findings"][1]["standing"], "bad", "a look between two values changes nothing: {json:#}");
    assert_eq!(json["outbox"].as_array().unwrap().len(), 2, "and is nothing to tell: {json:#}");
    predictions(&bench, 9);
    check(&bench, &[]);
    let (_, json) = check(&bench, &[]);
    let accuracy =
        json["incidents"].as_array().unwrap().iter().find(|one| one["topic"] == "quality/accuracy").unwrap();
    assert_eq!(accuracy["phase"], "resolved", "{json:#}");
    assert_eq!(json["trend"].as_array().unwrap().len(), 4);
}

#[test]
fn drift_alone_is_watched_and_its_incident_opens_and_closes() {
    let bench = watching(DRIFT);
    rows(&bench, "reference.csv", [200, 200], 0);
    rows(&bench, "today.csv", [200, 200], 0);
    let (done, report) = check(&bench, &["--fail-on", "bad"]);
    done.assert_code(0);
    assert_eq!((&report["good"], phases(&report)), (&json!(true), vec![]), "{report:#}");
    let topics: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|one| one["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, ["drift/data", "drift/country=DK", "drift/country=FR"]);

    // Of three columns two are others: the whole says it, and its parts say it no second time.
    rows(&bench, "today.csv", [0, 400], 50);
    let (done, report) = check(&bench, &["--fail-on", "bad"]);
    done.assert_code(1);
    assert_eq!(phases(&report), [("drift/data", "open")], "{report:#}");
    let sentence = report["findings"][0]["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("the data has drifted: 2 of 3 columns (67%): country, amount"),
        "{sentence}"
    );

    rows(&bench, "today.csv", [200, 200], 0);
    check(&bench, &[]);
    let (done, report) = check(&bench, &[]);
    done.assert_code(0);
    assert_eq!(phases(&report), [("drift/data", "resolved")], "{report:#}");
    assert_eq!(report["trend"][1]["values"]["drift/data"].as_f64().map(|share| share > 0.6), Some(true));
}

#[test]
fn drift_that_cannot_be_judged_is_missing_data_and_closes_nothing() {
    let bench = watching(DRIFT);
    rows(&bench, "reference.csv", [1000, 100], 0);
    rows(&bench, "today.csv", [1000, 100], 60);
    let (_, report) = check(&bench, &[]);
    assert_eq!(phases(&report), [("drift/country=DK", "open")], "a part of the rows: {report:#}");

    // Of Denmark there are too few rows to say that it is over.
    rows(&bench, "today.csv", [1000, 20], 0);
    for _ in 0..3 {
        let (done, report) = check(&bench, &[]);
        done.assert_code(3);
        assert_eq!(phases(&report), [("drift/country=DK", "open")], "{report:#}");
    }

    // Too few rows of all, then none, are no data and not good.
    rows(&bench, "today.csv", [3, 2], 0);
    let (done, report) = check(&bench, &[]);
    done.assert_code(3);
    assert_eq!(
        (&report["good"], &report["findings"][0]["standing"]),
        (&json!(null), &json!("no-data")),
        "{report:#}"
    );
    assert!(phases(&report).contains(&("drift/data/no-data", "open")), "{report:#}");
    std::fs::remove_file(bench.clone.path().join("today.csv")).unwrap();
    let (done, report) = check(&bench, &[]);
    done.assert_code(3);
    assert_eq!(report["findings"][0]["standing"], "no-data", "{report:#}");
    assert_eq!(phases(&report), [("drift/data/no-data", "open"), ("drift/country=DK", "open")]);

    rows(&bench, "today.csv", [1000, 100], 0);
    check(&bench, &[]);
    let (done, report) = check(&bench, &[]);
    done.assert_code(0);
    assert!(phases(&report).iter().all(|(_, phase)| *phase == "resolved"), "{report:#}");
}

#[test]
fn a_drift_that_is_asked_for_wrongly_is_a_mistake_of_the_configuration() {
    let bench = watching(&DRIFT.replace("slices: [country]", "critical: [no-such-column]"));
    rows(&bench, "reference.csv", [50, 50], 0);
    rows(&bench, "today.csv", [50, 50], 0);
    let (done, _) = check(&bench, &[]);
    done.assert_code(2);
    assert!(done.stderr.contains("neither table has a column \"no-such-column\""), "{}", done.stderr);
}

#[test]
fn what_cannot_be_judged_is_no_pass_and_nothing_watched_is_told() {
    let bench = bench();
    std::fs::remove_file(bench.clone.path().join("served.csv")).unwrap();
    let (done, json) = check(&bench, &[]);
    done.assert_code(3);
    assert_eq!(
        (&json["good"], &json["findings"][0]["standing"]),
        (&json!(null), &json!("no-data")),
        "{json:#}"
    );
    assert_eq!(json["incidents"][0]["topic"], "quality/predictions/no-data");
    let bare = Workbench::with_server();
    bare.run_push().assert_code(0);
    let (done, _) = check(&bare, &[]);
    done.assert_code(2);
    assert!(done.stderr.contains("nothing of churn is watched"), "{}", done.stderr);
}

/// A watched repository that brought v0.2.0 under guard and then finds that its accuracy is half of what it was.
fn regressed(settings: &str) -> (Workbench, Output) {
    let bench = watching(settings);
    bench.put("v2");
    bench.push("Bring v2");
    bench.run_push().assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    times(&bench, 40, 10.0);
    predictions(&bench, 5);
    let (done, _) = check(&bench, &[]);
    (bench, done)
}

#[test]
fn a_regression_freezes_where_that_is_configured_and_nothing_new_begins() {
    let (bench, done) = regressed(&WATCHED.replace("guard: 1h", "guard: 1h\n        on-failure: freeze"));
    done.assert_code(0);
    assert!(done.stdout.contains("\"tagship/watch/v1\""), "{}", done.stdout);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"), "what serves stays");
    assert!(bench.published().iter().any(|name| name.contains("refs/tagship/locks/production")));
    bench.put("v3");
    bench.push("Bring v3");
    let merged = bench.run_push();
    merged.assert_code(1);
    assert!(merged.stdout.contains("accuracy is 0.5"), "{}", merged.stdout);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));

    // The lock is there: the next look takes no second one, and a person who takes it away has decided.
    let locks = || bench.origin.git(&["log", "--format=%s", "refs/tagship/locks/production"]).lines().count();
    let (done, _) = check(&bench, &[]);
    done.assert_code(0);
    assert!(done.stderr.contains("left as it is"), "{}", done.stderr);
    assert_eq!(locks(), 1);
    bench.run(&["unlock", "--reason", "seen"]).assert_code(0);
    let (done, _) = check(&bench, &[]);
    done.assert_code(0);
    assert!(done.stderr.contains("never undoes what a person decided"), "{}", done.stderr);
    assert_eq!(locks(), 2);
    bench.run(&["rollout", "--dry-run"]).assert_code(0);
}

#[test]
fn a_regression_that_is_only_proposed_changes_nothing_and_says_the_command() {
    let (bench, done) = regressed(&WATCHED.replace("guard: 1h", "guard: 1h\n        on-failure: propose"));
    done.assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    assert!(!bench.published().iter().any(|name| name.contains("refs/tagship/locks")));
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let notice = &report["outbox"][0]["notice"];
    assert_eq!(
        (&notice["topic"], &notice["command"]),
        (&json!("quality/accuracy"), &json!("tagship rollback --model churn --environment production"))
    );
}

#[test]
fn a_confirmed_regression_under_guard_leads_back() {
    let (bench, done) = regressed(WATCHED);
    done.assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"), "{}", done.stderr);
    let state = bench.clone.git(&["show", "refs/tagship/rollouts/production/churn:rollout.json"]);
    assert!(state.contains("GuardFired") && state.contains("accuracy is 0.5"), "{state}");
}

#[test]
fn what_another_version_did_leads_nowhere() {
    let bench = watching(WATCHED);
    bench.put("v2");
    bench.push("Bring v2");
    bench.run_push().assert_code(0);
    times(&bench, 40, 10.0);
    predictions_of(&bench, [("v0.1.0", 5), ("v0.2.0", 9)]);
    let (done, json) = check(&bench, &[]);
    done.assert_code(0);
    assert_eq!((&json["good"], bench.production().as_deref()), (&json!(true), Some("v0.2.0")), "{json:#}");
    // And bad rows of the version that serves are not hidden by many good ones of another.
    predictions_of(&bench, [("v0.1.0", 10), ("v0.2.0", 5)]);
    check(&bench, &[]).0.assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn rows_that_name_no_version_lead_nowhere_either() {
    let (bench, done) = regressed(&WATCHED.replace(" version: by,", ""));
    done.assert_code(0);
    assert!(done.stdout.contains("quality/accuracy"), "{}", done.stdout);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
}

#[test]
fn a_version_that_is_bad_too_goes_back_although_the_incident_is_old() {
    let bench = watching(WATCHED);
    times(&bench, 40, 10.0);
    predictions_of(&bench, [("v0.1.0", 5), ("v0.2.0", 9)]);
    let (_, json) = check(&bench, &[]);
    assert_eq!(phases(&json)[0], ("quality/accuracy", "open"), "{json:#}");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"), "there is nothing to go back to");
    bench.put("v2");
    bench.push("Bring v2");
    bench.run_push().assert_code(0);
    predictions_of(&bench, [("v0.1.0", 9), ("v0.2.0", 5)]);
    check(&bench, &[]).0.assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn an_objective_that_was_broken_before_a_version_came_leads_nowhere() {
    let slow = "      slo:\n        - { name: slow, at-most: 5, over: 1000d, severity: page, source: { table: { files: [times.csv], value: ms, time: at } } }\n";
    let bench = watching(&WATCHED.replace("      streams:\n", &format!("{slow}      streams:\n")));
    times(&bench, 40, 10.0);
    predictions(&bench, 9);
    let (_, json) = check(&bench, &[]);
    assert!(phases(&json).contains(&("slo/slow", "open")), "{json:#}");
    bench.put("v2");
    bench.push("Bring v2");
    bench.run_push().assert_code(0);
    predictions_of(&bench, [("v0.1.0", 9), ("v0.2.0", 9)]);
    let (_, json) = check(&bench, &[]);
    assert!(phases(&json).contains(&("slo/slow", "open")), "its window reaches back: {json:#}");
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
}

#[test]
fn a_watch_without_a_pause_is_a_mistake() {
    let bench = watching(DRIFT);
    let done = bench.run(&["monitor", "watch", "--every", "0s"]);
    done.assert_code(2);
    assert!(done.stderr.contains("--every 1m"), "{}", done.stderr);
}

#[test]
fn predictions_without_a_time_are_in_no_window_and_are_told() {
    let bench = watching(&WATCHED.replace("version: by,", "version: by, time: at, window: 36500d,"));
    times(&bench, 40, 10.0);
    let mut text = "at,by,prediction,label\n".to_owned();
    for row in 0..500 {
        let at = if row % 5 == 0 { "" } else { "2026-01-01T00:00:00Z" };
        let _ = writeln!(text, "{at},v0.1.0,{},{}", row % 2, row % 2);
    }
    bench.clone.write("served.csv", text);
    let (_, json) = check(&bench, &[]);
    let sentence = json["findings"][0]["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("400 predictions") && sentence.contains("100 predictions have no time"),
        "{sentence}"
    );
}

#[test]
fn a_channel_that_does_not_exist_is_a_mistake_before_there_is_something_to_tell() {
    let bench = watching(&WATCHED.replace("[{ webhook: { url-env: NO_SUCH_HOOK } }]", "[slak]"));
    predictions(&bench, 9);
    times(&bench, 40, 10.0);
    let (done, _) = check(&bench, &[]);
    done.assert_code(2);
    assert!(done.stderr.contains("\"slak\" is no kind of alert"), "{}", done.stderr);
}

#[test]
fn rows_outside_of_the_window_do_not_count() {
    let windowed = WATCHED.replace("version: by,", "version: by, time: at, window: 365d,");
    let bench = watching(&windowed);
    times(&bench, 40, 10.0);
    let year = |at: &str| {
        let mut text = "at,by,prediction,label\n".to_owned();
        for row in 0..500 {
            let _ = writeln!(text, "{at},v0.1.0,{},{}", row % 2, row % 2);
        }
        bench.clone.write("served.csv", text);
        check(&bench, &[]).1
    };
    let old = year("2001-01-01T00:00:00Z");
    assert_eq!(old["findings"][0]["standing"], "no-data", "{old:#}");
    let bench = watching(&windowed.replace("time: at, ", ""));
    let (done, _) = check(&bench, &[]);
    done.assert_code(2);
    assert!(done.stderr.contains("`window` needs the key `time`"), "{}", done.stderr);
}

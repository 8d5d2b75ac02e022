//! `tagship monitor`: whether the data still looks like what the model was made with.

use std::fmt::Write as _;

use serde_json::Value;
use tagship_testkit::Output;

use crate::workbench::tagship;

/// People with an age, spread evenly and in no order, and a plan.
fn people(rows: u32, older: f64, plans: [&str; 2]) -> String {
    let mut text = "age,plan\n".to_owned();
    for row in 0..rows {
        let age = 20.0 + 50.0 * f64::from(row * 7919 % rows) / f64::from(rows) + older;
        let _ = writeln!(text, "{age},{}", plans[usize::from(row % 3 == 0)]);
    }
    text
}

fn drift(reference: &str, current: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("reference.csv"), reference).unwrap();
    std::fs::write(directory.path().join("current.csv"), current).unwrap();
    let tables = ["monitor", "drift", "--reference", "reference.csv", "--current", "current.csv"];
    tagship(directory.path(), &[&tables[..], more].concat()).run()
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn drift_is_named_by_column_and_fails_the_step_only_where_that_is_asked_for() {
    let (reference, current) = (people(900, 0.0, ["basic", "pro"]), people(600, 15.0, ["basic", "pro"]));
    let told = drift(&reference, &current, &[]);
    told.assert_code(0);
    assert!(told.stdout.contains("the data has drifted: 1 of 2 columns"), "{}", told.stdout);
    drift(&reference, &current, &["--fail-on", "drift"]).assert_code(1);
    let json = document(&drift(&reference, &current, &["--format", "json"]));
    assert_eq!((&json["schema"], &json["profile"]), (&"tagship/drift/v1".into(), &"default".into()));
    assert_eq!(json["rows"], serde_json::json!([900, 600]));
    let [age, plan] = json["columns"].as_array().unwrap().as_slice() else { panic!("{json:#}") };
    assert_eq!(
        (&age["kind"], &age["test"], &age["drifted"]),
        (&"numeric".into(), &"ks".into(), &true.into())
    );
    assert_eq!(age["findings"][0]["code"], "out-of-range");
    assert_eq!((&plan["kind"], &plan["drifted"]), (&"categorical".into(), &false.into()));
    drift(&reference, &reference, &["--fail-on", "drift"]).assert_code(0);
}

#[test]
fn what_cannot_be_judged_is_no_pass() {
    let reference = people(900, 0.0, ["basic", "pro"]);
    let empty = drift(&reference, "age,plan\n", &["--format", "json"]);
    empty.assert_code(3);
    assert!(document(&empty)["dataset"]["drifted"].is_null(), "{}", empty.stdout);
    let lacking = drift(&reference, "age\n33\n", &["--critical", "plan", "--format", "json"]);
    lacking.assert_code(3);
    assert_eq!(document(&lacking)["columns"][1]["findings"][0]["code"], "missing-column");
}

#[test]
fn one_test_or_the_rules_of_another_tool_can_be_asked_for() {
    let (reference, current) = (people(900, 0.0, ["basic", "pro"]), people(600, 1.0, ["basic", "pro"]));
    let json = document(&drift(&reference, &current, &["--test", "psi", "--format", "json"]));
    assert!(json["columns"].as_array().unwrap().iter().all(|column| column["test"] == "psi"), "{json:#}");
    let json = document(&drift(&reference, &current, &["--profile", "evidently", "--format", "json"]));
    assert_eq!((&json["columns"][0]["test"], &json["columns"][1]["test"]), (&"ks".into(), &"z".into()));
}

#[test]
fn mistakes_are_told_with_what_there_is() {
    let reference = people(90, 0.0, ["basic", "pro"]);
    for (arguments, words) in [
        (&["--test", "kolmogorov"][..], "there is ks, chisquare"),
        (&["--columns", "income"], "there is age, plan"),
    ] {
        let told = drift(&reference, &reference, arguments);
        told.assert_code(2);
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
    let broken = drift(&reference, "age,plan\n1\n", &[]);
    broken.assert_code(3);
    let words = ["read current.csv", "line: 2"];
    assert!(words.iter().all(|words| broken.stderr.contains(words)), "{}", broken.stderr);
}

/// Predictions by id with a score, and the labels of some of them; of ten, eight are right.
fn predictions(rows: u32, labelled: u32) -> (String, String) {
    let (mut served, mut labels) = ("id,prediction,score,plan\n".to_owned(), "id,label\n".to_owned());
    for row in 0..rows {
        let (says, is_right) = (row % 2, row * 7919 % 10 < 8);
        let score = if says == 1 { 0.8 } else { 0.2 };
        let _ = writeln!(served, "r{row},{says},{score},{}", ["basic", "pro"][usize::from(row % 3 == 0)]);
        if row < labelled {
            let _ = writeln!(labels, "r{row},{}", if is_right { says } else { 1 - says });
        }
    }
    (served, labels)
}

fn quality(served: &str, labels: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("served.csv"), served).unwrap();
    std::fs::write(directory.path().join("labels.csv"), labels).unwrap();
    let tables =
        ["monitor", "quality", "--predictions", "served.csv", "--labels", "labels.csv", "--task", "binary"];
    tagship(directory.path(), &[&tables[..], more].concat()).run()
}

#[test]
fn quality_is_judged_by_late_labels_and_fails_the_step_only_where_that_is_asked_for() {
    let (served, labels) = predictions(1000, 600);
    let good = ["--at-least", "accuracy=0.75", "--score", "score", "--slices", "plan"];
    let told = quality(&served, &labels, &good);
    told.assert_code(0);
    assert!(told.stdout.contains("600 of 1000 predictions have a label (60%)"), "{}", told.stdout);
    let json = document(&quality(&served, &labels, &[&good[..], &["--format", "json"]].concat()));
    assert_eq!((&json["schema"], &json["good"]), (&"tagship/quality/v1".into(), &true.into()));
    assert_eq!(
        (&json["scores"][0]["metric"], &json["scores"][0]["value"]),
        (&"accuracy".into(), &0.8.into())
    );
    assert_eq!(json["slices"].as_array().unwrap().len(), 2);
    let bad = ["--at-least", "accuracy=0.9"];
    quality(&served, &labels, &bad).assert_code(0);
    quality(&served, &labels, &[&bad[..], &["--fail-on", "bad"]].concat()).assert_code(1);
}

#[test]
fn too_few_labels_are_no_pass_and_mistakes_are_told() {
    let (served, labels) = predictions(1000, 60);
    let told = quality(&served, &labels, &["--at-least", "accuracy=0.5"]);
    told.assert_code(3);
    assert!(told.stdout.contains("60 predictions have a label; a verdict needs 100"), "{}", told.stdout);
    for (arguments, words) in [
        (&["--at-least", "accurracy=0.9"][..], "there is accuracy, precision"),
        (&["--at-most", "accuracy=0.9"], "by at least"),
        (&["--at-most", "rmse=2"], "no score of a binary model"),
    ] {
        let told = quality(&served, &labels, arguments);
        told.assert_code(2);
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
    let told = quality(&served, "id,label\nr1,0\nr1,1\n", &[]);
    assert!(told.stderr.contains("line 3 gives r1 the label 1, and another row 0"), "{}", told.stderr);
}

/// A row a minute; from the middle on, ages are others in one of two countries.
fn log(rows: u32) -> String {
    let mut text = "at,age,country\n".to_owned();
    for row in 0..rows {
        let (later, german) = (row >= rows / 2, row % 2 == 0);
        let age = 20.0 + 50.0 * f64::from(row * 7919 % rows) / f64::from(rows);
        let age = if later && german { age + 20.0 } else { age };
        let country = if german { "DE" } else { "FR" };
        let _ = writeln!(text, "2026-01-01T{:02}:{:02}:00Z,{age},{country}", row / 60, row % 60);
    }
    text
}

#[test]
fn one_log_is_compared_with_its_own_past_and_by_slices() {
    let log = log(1200);
    let window = ["--time-column", "at", "--window", "10h", "--until", "2026-01-01T20:00:00Z"];
    let arguments =
        [&window[..], &["--reference-window", "10h", "--slice", "country", "--format", "json"]].concat();
    let told = drift(&log, &log, &arguments);
    told.assert_code(0);
    let json = document(&told);
    assert_eq!(json["columns"].as_array().map(Vec::len), Some(2), "times are not compared: {json:#}");
    let slices: Vec<_> = json["slices"].as_array().unwrap().iter().collect();
    let seen = slices.iter().map(|slice| (&slice["value"], &slice["rows"], &slice["dataset"]["drifted"]));
    let expected = [("DE", true), ("FR", false)];
    for ((value, rows, drifted), (country, has)) in seen.zip(expected) {
        assert_eq!((value, rows, drifted), (&country.into(), &serde_json::json!([300, 300]), &has.into()));
    }
    let nothing =
        drift(&log, &log, &["--time-column", "at", "--window", "1h", "--until", "2027-01-01T00:00:00Z"]);
    nothing.assert_code(3);
}

#[test]
fn a_model_says_in_its_configuration_what_is_compared() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let git = |words: &[&str]| {
        let done =
            std::process::Command::new("git").args(words).current_dir(directory.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    std::fs::write(at("reference.csv"), people(900, 0.0, ["basic", "pro"])).unwrap();
    std::fs::create_dir_all(at("logs/dt=2026-01-01")).unwrap();
    std::fs::write(at("logs/dt=2026-01-01/a.csv"), people(600, 15.0, ["basic", "pro"])).unwrap();
    let drift = "{ reference: reference.csv, current: logs, columns: [age], fail-on: drift }";
    let text =
        format!("version: 1\nmodels:\n  churn:\n    artifact: m.onnx\n    monitor: {{ drift: {drift} }}\n");
    std::fs::write(at("tagship.yml"), text).unwrap();
    let told = tagship(directory.path(), &["monitor", "drift", "--model", "churn", "--format", "json"]).run();
    told.assert_code(1);
    assert_eq!(document(&told)["columns"][0]["name"], "age");
    tagship(directory.path(), &["monitor", "drift", "--model", "other"]).run().assert_code(2);
}

/// Compares a log with itself.
fn own_past(log: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("log.csv"), log).unwrap();
    let tables = ["monitor", "drift", "--reference", "log.csv", "--current", "./log.csv"];
    tagship(directory.path(), &[&tables[..], more].concat()).run()
}

#[test]
fn a_log_is_never_compared_with_the_rows_that_are_judged() {
    let log = log(1200);
    let told = own_past(&log, &[]);
    told.assert_code(2);
    assert!(told.stderr.contains("are one table"), "{}", told.stderr);
    let mixed = [
        "--time-column",
        "at",
        "--window",
        "600rows",
        "--reference-window",
        "10h",
        "--until",
        "2026-01-01T20:00:00Z",
    ];
    let told = own_past(&log, &mixed);
    told.assert_code(2);
    assert!(told.stderr.contains("may overlap"), "{}", told.stderr);
    let told = own_past(&log, &["--window", "600rows", "--columns", "age", "--format", "json"]);
    told.assert_code(0);
    let column = &document(&told)["columns"][0];
    assert_eq!(
        (&column["n"], &column["drifted"]),
        (&serde_json::json!([600, 600]), &true.into()),
        "{column}"
    );
}

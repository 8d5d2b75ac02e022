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
    assert!(broken.stdout.contains("current.csv"), "{}", broken.stdout);
    broken.assert_code(3);
}

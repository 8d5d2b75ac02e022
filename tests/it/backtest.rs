//! `tagship backtest`: recorded looks in, verdicts out, without a repository.

use std::fmt::Write as _;

use tagship_testkit::Output;

use crate::workbench::tagship;

const ANALYSIS: &str = "interval: 60s
metrics:
  - { name: errors, kind: error-ratio, judge: two-speed, promote-margin: { ratio: 1.5 } }
";

/// Looks at 5,400 requests of stable with 1 % errors and 600 of the candidate with `bad` errors.
fn recording(looks: u32, bad: u32) -> String {
    let mut text = String::new();
    for look in 1..=looks {
        let stable = r#""stable": {"n": 5400, "bad": 54}"#;
        let candidate = format!(r#""candidate": {{"n": 600, "bad": {bad}}}"#);
        let t = 60 * look;
        let _ = writeln!(
            text,
            r#"{{"t": {t}, "metric": "errors", "kind": "error-ratio", {stable}, {candidate}}}"#
        );
    }
    text
}

fn backtest(recording: &str, analysis: Option<&str>, format: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("looks.jsonl"), recording).unwrap();
    let mut arguments = vec!["backtest", "--measurements", "looks.jsonl", "--format", format];
    if let Some(analysis) = analysis {
        std::fs::write(directory.path().join("analysis.yml"), analysis).unwrap();
        arguments.extend(["--analysis", "analysis.yml"]);
    }
    tagship(directory.path(), &arguments).run()
}

#[test]
fn the_exit_code_is_the_decision_and_every_look_is_a_document() {
    for (looks, bad, code, decision) in
        [(30, 6, 0, "promote"), (30, 24, 1, "rollback"), (2, 6, 3, "inconclusive")]
    {
        for analysis in [None, Some(ANALYSIS)] {
            let done = backtest(&recording(looks, bad), analysis, "json");
            done.assert_code(code);
            let lines: Vec<serde_json::Value> =
                done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let (last, before) = lines.split_last().unwrap();
            assert!(before.iter().all(|line| line["decision"] == "continue"), "{}", done.stdout);
            assert_eq!(last["decision"], decision);
            assert!(lines.iter().all(|line| line["schema"] == "tagship/backtest/v1"));
            let metric = &last["metrics"][0];
            assert_eq!((&metric["name"], &metric["stable"]), (&"errors".into(), &0.01.into()));
            assert_eq!(metric["n"][1], 600 * lines.len());
            assert!(metric["p"].as_f64().unwrap() <= 1.0 && metric["ci"].is_array());
        }
    }
}

#[test]
fn people_get_a_table_and_a_sentence() {
    let done = backtest(&recording(30, 24), None, "text");
    done.assert_code(1);
    for words in ["METRIC", "errors", "4.00%", "rollback", "errors: 4.00% of", "stable 1.00% of"] {
        assert!(done.stdout.contains(words), "{words:?} is missing in\n{}", done.stdout);
    }
}

#[test]
fn a_thousand_looks_are_read_to_the_end() {
    // Worse than the margin allows, and not worse than tolerated.
    let done = backtest(
        &recording(1_000, 10),
        Some(&ANALYSIS.replace("two-speed", "two-speed, tolerance: 2")),
        "json",
    );
    done.assert_code(3);
    assert_eq!(done.stdout.lines().count(), 1_000);
}

#[test]
fn bad_input_is_told_with_its_place() {
    let good = recording(1, 6);
    for (recording, analysis, words) in [
        (format!("{good}nonsense\n"), None, &["looks.jsonl", "line 2"][..]),
        (good.replace("\"bad\": 6", "\"bad\": 601"), None, &["line 1", "601 bad of 600"]),
        (good.replace("error-ratio", "error-rate"), None, &["line 1", "error-rate", "error-ratio"]),
        (String::new(), None, &["there is no look"]),
        (good.clone(), Some(ANALYSIS.replace("judge", "jugde")), &["analysis.yml", "jugde"]),
        (
            good.clone(),
            Some(ANALYSIS.replace("name: errors", "name: latency")),
            &["latency", "recorded are errors"],
        ),
    ] {
        let done = backtest(&recording, analysis.as_deref(), "json");
        done.assert_code(2);
        assert!(done.stdout.is_empty(), "{}", done.stdout);
        for word in words {
            assert!(done.stderr.contains(word), "{word:?} is missing in\n{}", done.stderr);
        }
    }
    let nowhere = tempfile::tempdir().unwrap();
    let done = tagship(nowhere.path(), &["backtest", "--measurements", "none.jsonl"]).run();
    done.assert_code(2);
    assert!(done.stderr.contains("none.jsonl: it does not exist"), "{}", done.stderr);
}

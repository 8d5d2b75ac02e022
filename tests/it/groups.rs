//! Stages of the pipeline in the log of a host: each folded away under its name, each closed.

use serde_json::json;

use crate::hosted::{Hosted, Step};

/// Names of the groups of a log, none in another one and each closed; and the lines outside of all.
#[track_caller]
fn groups(step: &Step) -> (Vec<String>, Vec<String>) {
    let (mut names, mut outside, mut open) = (vec![], vec![], false);
    for line in step.done.stderr.lines() {
        if let Some(name) = line.strip_prefix("::group::") {
            assert!(!open, "groups do not nest: {}", step.done.stderr);
            names.push(name.to_owned());
            open = true;
        } else if line == "::endgroup::" {
            assert!(open, "nothing to close: {}", step.done.stderr);
            open = false;
        } else if !open {
            outside.push(line.to_owned());
        }
    }
    assert!(!open, "the last group is closed: {}", step.done.stderr);
    (names, outside)
}

#[test]
fn every_stage_is_a_group_and_what_it_came_to_stands_below() {
    let hosted = Hosted::new();
    let step = hosted.push();
    step.done.assert_code(0);
    let (names, _) = groups(&step);
    assert_eq!(names, ["validate churn", "gate churn", "release churn", "roll out churn to production"]);
    let folded = step.done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for report in ["accuracy floor", "v0.1.0 serves production"] {
        assert!(folded.contains(report), "{report}: {}", step.done.stderr);
    }
    assert!(step.done.stdout.contains("v0.1.0 is live in production"), "{}", step.done.stdout);
    assert!(!step.done.stdout.contains("accuracy floor"), "said once: {}", step.done.stdout);
}

#[test]
fn a_stage_that_fails_is_closed_and_its_error_stands_outside() {
    let hosted = Hosted::new();
    hosted.github.world(|world| _ = world.lacks.insert("contents=write".to_owned()));
    let step = hosted.push();
    step.done.assert_code(2);
    let (names, outside) = groups(&step);
    assert_eq!(names.last().unwrap(), "release churn");
    assert!(outside.iter().any(|line| line.starts_with("error: ")), "{outside:#?}");
    // A verdict is no error of the program, and as visible.
    hosted.bench.clone.write("reports/metrics.json", json!({ "accuracy": 0.1, "f1": 0.1 }).to_string());
    hosted.bench.push("Bring a worse one");
    let step = hosted.push();
    step.done.assert_code(1);
    assert_eq!(groups(&step).0, ["validate churn", "gate churn"]);
    assert!(step.done.stdout.contains("gate failed"), "{}", step.done.stdout);
}

#[test]
fn elsewhere_nothing_is_folded() {
    let hosted = Hosted::new();
    let done = hosted.bench.run_push();
    let done = done.assert_code(0);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains("group::"), "{done:?}");
    assert!(done.stdout.contains("accuracy floor"), "{}", done.stdout);
}

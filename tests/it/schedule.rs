//! A run by schedule over many rollouts: what it asks of the remote, and what one that fails does to the others.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use tagship_testkit::{Output, journals};

use crate::workbench::Workbench;

/// Notes the command of every call of git.
const COUNTING: &str =
    "#!/bin/sh\necho \"$9\" >>\"$(dirname \"$0\")/calls\"\nPATH=\"$SEARCH\"\nexec git \"$@\"\n";

/// A repository with so many models, whose rollouts all wait for a person. No target answers.
fn waiting(count: usize) -> (Workbench, Vec<String>) {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let path = bench.clone.path().join("tagship.yml");
    let config = fs::read_to_string(&path).unwrap();
    let pauses = "        strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} } ] } }\n";
    bench.clone.write("tagship.yml", format!("{config}{pauses}"));
    bench.put("v2");
    bench.push("Bring v2");
    bench.run_push().assert_code(4);

    let models: Vec<String> = (0..count).map(|number| format!("model-{number:03}")).collect();
    journals::copy(&bench.origin, "production", "churn", &models);
    let target =
        r#"{ local: { url: "http://127.0.0.1:9", admin-url: "http://127.0.0.1:9", token-env: TOKEN } }"#;
    let mut config = "version: 1\nmodels:\n".to_owned();
    for model in &models {
        let artifact = ["  ", model, ":\n    artifact: models/", model, ".onnx\n    environments:\n"];
        config += &[&artifact.concat(), "      production:\n        target: ", target, "\n"].concat();
    }
    bench.clone.write("tagship.yml", config);
    (bench, models)
}

/// Leads on all rollouts; answers what was said and the commands of git that spoke to the remote.
fn ticked(bench: &Workbench, arguments: &[&str]) -> (Output, Vec<String>) {
    let git = bench.clone.write(".tagship/counting/git", COUNTING);
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let calls = bench.clone.write(".tagship/counting/calls", "");
    let search = std::env::var_os("PATH").unwrap();
    let mut path = git.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(&search);
    let run = bench.cli(&[&["rollout", "--all", "--once"], arguments].concat());
    let done = run.env("PATH", path).env("SEARCH", search).run();
    let calls = fs::read_to_string(calls).unwrap();
    let spoke = |call: &&str| ["fetch", "push", "ls-remote"].contains(call);
    (done, calls.lines().filter(spoke).map(str::to_owned).collect())
}

#[test]
fn however_many_rollouts_there_are_their_newest_entries_are_read_at_once() {
    for count in [2, 50] {
        let (bench, models) = waiting(count);
        let (done, calls) = ticked(&bench, &["--format", "json"]);
        done.assert_code(4);
        assert_eq!(calls, ["fetch"], "{count} rollouts that stay as they are");
        let told: Value = serde_json::from_str(&done.stdout).unwrap();
        let told = told["rollouts"].as_array().unwrap();
        assert!(told.iter().all(|one| one["phase"] == "Paused" && one["exit"] == 4), "{told:#?}");
        let named: Vec<&str> = told.iter().map(|one| one["model"].as_str().unwrap()).collect();
        assert_eq!(named, models);
    }
}

#[test]
fn one_that_fails_keeps_no_other_from_going_on_and_is_told() {
    let (bench, models) = waiting(4);
    journals::spoil(&bench.origin, "production", &models[1]);
    let path = bench.clone.path().join("tagship.yml");
    let config = fs::read_to_string(&path).unwrap();
    // The last one's token is missing.
    let (before, last) = config.rsplit_once("TOKEN").unwrap();
    bench.clone.write("tagship.yml", format!("{before}ANOTHER{last}"));
    let (done, _) = ticked(&bench, &[]);
    done.assert_code(3);
    let lines: Vec<&str> = done.stdout.lines().collect();
    let of = |model: &str| *lines.iter().find(|line| line.starts_with(model)).unwrap();
    assert!(of(&models[0]).contains("Paused") && of(&models[2]).contains("Paused"), "{}", done.stdout);
    assert!(of(&models[1]).contains("not led on"), "{}", done.stdout);
    assert!(of(&models[3]).contains("not led on") && done.stdout.contains("ANOTHER"), "{}", done.stdout);

    // A dry run gets no further than the real one.
    let (done, _) = ticked(&bench, &["--dry-run"]);
    done.assert_code(3);
    assert_eq!(done.stdout.matches("would go on with").count(), 3, "{}", done.stdout);

    // What is not chosen is left alone.
    let (done, _) = ticked(&bench, &["--model", &models[0], "--dry-run"]);
    done.assert_code(0);
    assert_eq!(done.stdout.matches("would go on with").count(), 1, "{}", done.stdout);
}

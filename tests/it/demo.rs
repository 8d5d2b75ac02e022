//! The demo ends as told, fits a terminal, and leaves a repository that tells the same story, or nothing at all.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tagship_testkit::Cli;

use crate::workbench::tagship;

fn demo() -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_tagship")).arg("demo")
}

/// What git says about the journal at the origin, and nothing else: oldest entry first.
fn journal(origin: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(origin).args(["log", "--reverse"]).args(arguments);
    let log = git.arg("refs/tagship/rollouts/production/churn").output().unwrap();
    assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
    String::from_utf8(log.stdout).unwrap()
}

#[test]
fn every_act_ends_as_told() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("kept");
    let done = demo().arg("--keep").arg(&kept).current_dir(directory.path()).run();
    done.assert_code(0);
    assert!(!done.stdout.contains('\u{1b}'), "a pipe gets no escape sequences");
    // Commands to copy are as long as their paths.
    let (shown, commands) = done.stdout.split_once("Look around:").unwrap();
    let widest = shown.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 80, "{widest}");
    assert!(shown.contains("Every act ended as told"), "{shown}");
    assert!(shown.contains("kill -9: this runner is gone"), "{shown}");
    for command in ["git log -p refs/tagship/rollouts/production/churn", "tagship serve --state", "curl -d"] {
        assert!(commands.contains(command), "{commands}");
    }

    let clone = kept.join("clone");
    let registry = tagship(&clone, &["registry", "show", "--format", "json"]).run();
    registry.assert_code(0);
    let shown: Value = serde_json::from_str(&registry.stdout).unwrap();
    assert_eq!(shown["churn"]["stage"]["production"], "v0.2.0", "rolled back to the second version");
    assert_eq!(shown["churn"]["version"], "v0.4.0", "what was rolled back stays released");
    let status = tagship(&clone, &["status"]).run();
    status.assert_code(0);
    assert!(status.stdout.contains("instead of v0.3.0"), "{}", status.stdout);

    let origin = kept.join("origin.git");
    let story = journal(&origin, &["--format=%s"]);
    let ends: Vec<&str> = story.lines().filter(|line| line.contains("all done")).collect();
    let expected = [
        "production/churn v0.1.0: Succeeded, all done (deploy by demo)",
        "production/churn v0.2.0: Succeeded, all done (deploy by demo)",
        "production/churn v0.3.0: Succeeded, all done (deploy by demo)",
        "production/churn v0.4.0: RolledBack, all done (deploy by demo)",
        "production/churn v0.2.0: Succeeded, all done (rollback by demo)",
    ];
    assert_eq!(ends, expected, "{story}");
    earned_step_by_step(&story);
    says_why_it_went_back(&journal(&origin, &["-p"]));
}

/// The journal tells every share that the canary got, in order, up to all of it.
fn earned_step_by_step(story: &str) {
    let moves: Vec<&str> =
        story.lines().filter(|line| line.contains("v0.3.0") && line.contains(" -> ")).collect();
    let shares = ["0% -> 10%", "10% -> 50%", "50% -> 100%"];
    assert_eq!(moves.len(), shares.len(), "{moves:#?}");
    for (told, share) in moves.iter().zip(shares) {
        assert!(told.contains(share), "{moves:#?}");
    }
}

/// The entry that turned the canary back names the metric and both versions' numbers, and holds the look that they
/// come from.
fn says_why_it_went_back(log: &str) {
    let back = log.split("\ncommit ").find(|entry| entry.contains("v0.4.0: RollingBack")).unwrap();
    let (message, files) = back.split_once("\ndiff --git").unwrap();
    for words in ["accuracy: ", "labelled answers right, stable ", "evidence of a regression "] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let look = files.lines().find_map(|line| line.strip_prefix('+').filter(|line| line.contains("/look/v1")));
    let look: Value = serde_json::from_str(look.unwrap()).unwrap();
    let metrics = look["metrics"].as_array().unwrap();
    let accuracy = metrics.iter().find(|metric| metric["name"] == "accuracy").unwrap();
    assert_eq!(accuracy["phase"], "Failed");
    let (candidate, stable) = (accuracy["value"].as_f64().unwrap(), accuracy["stable"].as_f64().unwrap());
    assert!(candidate < 0.9 && stable > 0.9, "{accuracy}");
    assert!(accuracy["e_value"].as_f64() >= accuracy["fails_at"].as_f64(), "{accuracy}");
}

#[test]
fn a_demo_that_is_not_kept_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let here = tempfile::tempdir().unwrap();
    let done = demo().env("TMPDIR", temporary.path()).current_dir(here.path()).run();
    done.assert_code(0);
    for directory in [&temporary, &here] {
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_directory_that_is_in_use_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("mine"), "").unwrap();
    let refused = demo().arg("--keep").arg(directory.path()).run();
    refused.assert_code(2);
    assert!(refused.stderr.contains("is not empty"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn without_git_it_says_so() {
    let temporary = tempfile::tempdir().unwrap();
    let failed = demo().env("TMPDIR", temporary.path()).env("PATH", temporary.path()).run();
    failed.assert_code(3);
    assert!(failed.stderr.contains("git must be installed"), "{}", failed.stderr);
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

//! `tagship target check`: programs that break one rule each, and what their authors are told.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt as _, thread};

use serde_json::Value;
use tagship_testkit::Output;
use tempfile::TempDir;

use crate::workbench::tagship;

/// A program that breaks the rule that its argument names.
const HOOK: &str = include_str!("target_check/hook.sh");
const SECRET: &str = "a-value-that-nobody-may-see";

/// What a program breaks, and the rule that must be named for it.
const FAULTS: [(&str, &str); 40] = [
    ("killed", "runs"),
    ("in-time", "in-time"),
    ("output-garbage", "output"),
    ("output-none", "output"),
    ("output-endless", "output"),
    ("secrets", "secrets"),
    ("exit-codes", "exit-codes"),
    ("always-before", "exit-codes"),
    ("capabilities", "capabilities"),
    ("observe", "observe"),
    ("unknown-members", "unknown-members"),
    ("unknown-members-order", "unknown-members"),
    ("unknown-verb", "unknown-verb"),
    ("unsupported", "unsupported"),
    ("other-models", "other-models"),
    ("not-loaded", "not-loaded"),
    ("prepare", "prepare"),
    ("no-traffic", "no-traffic"),
    ("keeps-bytes", "keeps-bytes"),
    ("conflict", "conflict"),
    ("set-weight", "set-weight"),
    ("promote", "promote"),
    ("rollback", "rollback"),
    ("rollback-to-nothing", "rollback-to-nothing"),
    ("cleanup", "cleanup"),
    ("cleanup-twice", "cleanup"),
    ("cleanup-in-use", "cleanup-in-use"),
    ("route", "route"),
    ("repeatable", "repeatable"),
    ("equal-fence", "equal-fence"),
    ("lower-fence", "lower-fence"),
    ("fence-forgotten", "lower-fence"),
    ("interrupted", "interrupted"),
    ("at-once", "at-once"),
    ("counters", "counters"),
    ("endpoints", "endpoints"),
    ("match-nobody", "matches"),
    ("match-weight", "matches"),
    ("match-cleanup", "matches"),
    ("match-back", "matches"),
];

struct Author {
    directory: TempDir,
}

impl Author {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hook");
        fs::write(&path, HOOK).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    fn check(&self, options: &[&str], command: &[&str]) -> Output {
        let timeout = if command.contains(&"in-time") { "1s" } else { "30s" };
        let mut arguments = vec!["target", "check", "--timeout", timeout, "--patience", "300ms"];
        arguments.extend(options);
        arguments.push("--");
        arguments.extend(command);
        tagship(self.directory.path(), &arguments).env("SECRET", SECRET).env("COLUMNS", "200").run()
    }

    fn report(&self, fault: &str) -> (Output, Value) {
        let done = self.check(&["--format", "json", "--env", "SECRET"], &["./hook", fault]);
        let report = serde_json::from_str(&done.stdout).unwrap_or_default();
        (done, report)
    }
}

fn named<'a>(report: &'a Value, outcome: &str) -> Vec<&'a str> {
    let rules = report["rules"].as_array().unwrap();
    let rules = rules.iter().filter(|rule| rule["outcome"] == outcome);
    rules.map(|rule| rule["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_program_that_keeps_every_rule_passes_however_it_works() {
    for (fault, not_asked) in [
        ("", vec!["unsupported", "counters", "endpoints", "matches"]),
        ("pending", vec!["unsupported", "counters", "endpoints", "matches"]),
        ("flip", vec!["set-weight", "counters", "endpoints", "matches"]),
        ("match", vec!["unsupported", "counters", "endpoints"]),
    ] {
        let author = Author::new();
        let (done, report) = author.report(fault);
        assert_eq!(done.code, 0, "{fault}: {}{}", done.stdout, done.stderr);
        assert_eq!(report["schema"], "tagship/hook-check/v1");
        assert_eq!(named(&report, "not-applicable"), not_asked);
        assert_eq!(named(&report, "successful").len() + not_asked.len(), 31);
        assert_eq!(report["left"], serde_json::json!([]));
        // What an earlier check was told is no reason to refuse the next one.
        author.report(fault).0.assert_code(0);
    }
}

#[test]
fn every_broken_rule_is_named_and_no_value_of_a_variable_is_shown() {
    thread::scope(|scope| {
        for faults in FAULTS.chunks(FAULTS.len() / 2) {
            scope.spawn(move || faults.iter().for_each(|(fault, rule)| names(fault, rule)));
        }
    });
}

fn names(fault: &str, rule: &str) {
    let (done, report) = Author::new().report(fault);
    assert_eq!(done.code, 1, "{fault}: {}{}", done.stdout, done.stderr);
    assert_eq!(named(&report, "failed"), [rule], "{fault}: {}", done.stdout);
    let rules = report["rules"].as_array().unwrap();
    let broken = rules.iter().find(|broken| broken["rule"] == rule).unwrap();
    for member in ["promise", "message", "advice"] {
        assert!(!broken[member].as_str().unwrap().is_empty(), "{fault}: {broken}");
    }
    for text in [&done.stdout, &done.stderr] {
        assert!(!text.contains(SECRET) && !text.contains('\u{1b}'), "{fault}: {text}");
    }
}

#[test]
fn an_author_reads_what_was_sent_what_came_back_and_what_to_change() {
    let author = Author::new();
    let done = author.check(&[], &["./hook", "lower-fence"]);
    done.assert_code(1);
    for words in [
        "breaks 1 rule",
        "lower-fence",
        "\"verb\": \"set-weight\"",
        "exit code 0",
        "was asked to",
        "due is 14 (a newer fence was seen)",
        "keep the highest fence",
    ] {
        assert!(done.stdout.contains(words), "{words:?} is missing in\n{}", done.stdout);
    }
    assert!(!done.stdout.contains('\u{1b}'), "{}", done.stdout);
    assert!(done.stderr.contains("two versions of tagship-check"), "{}", done.stderr);
}

#[test]
fn where_a_model_is_served_nothing_is_ordered() {
    let author = Author::new();
    let served = author.directory.path().join("state/churn/v1.3.0");
    fs::create_dir_all(&served).unwrap();
    fs::write(served.join("digest"), format!("sha256:{}\n", "ab".repeat(32))).unwrap();
    fs::write(served.join("weight"), "100\n").unwrap();
    let done = author.check(&["--model", "churn"], &["./hook"]);
    done.assert_code(3);
    assert!(
        done.stdout.contains("nothing was ordered, for churn is served already: v1.3.0"),
        "{}",
        done.stdout
    );
    assert_eq!(fs::read_to_string(author.directory.path().join("state/churn/fence")).unwrap(), "0\n");
}

#[test]
fn what_an_interrupted_check_left_is_taken_away_by_the_next_one() {
    let author = Author::new();
    let (done, report) = author.report("cleanup");
    done.assert_code(1);
    assert_eq!(report["left"].as_array().unwrap().len(), 2, "{}", done.stdout);
    author.report("").0.assert_code(0);
}

#[test]
fn what_cannot_be_run_is_told_with_what_to_do() {
    let author = Author::new();
    let done = author.check(&[], &["./hok"]);
    done.assert_code(1);
    assert!(done.stdout.contains("there is no such program"), "{}", done.stdout);
    let done = author.check(&["--env", "NOT_SET"], &["./hook"]);
    done.assert_code(2);
    assert!(done.stderr.contains("NOT_SET"), "{}", done.stderr);
    let done = author.check(&["--artifact", "none.onnx"], &["./hook"]);
    done.assert_code(2);
    assert!(done.stderr.contains("none.onnx"), "{}", done.stderr);
}

#[test]
fn the_guide_lists_exactly_the_rules_that_are_checked() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/targets.md")).unwrap();
    let table = guide.split("| rule | asks |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
    let listed: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    let (_, report) = Author::new().report("");
    let rules = report["rules"].as_array().unwrap();
    let checked: Vec<&str> = rules.iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
    assert_eq!(listed, checked);
}

//! Actions as a workflow's step starts them: no arguments, but variables that `action.yml` hands over.

use std::{collections::BTreeSet, fs, path::Path};

use tagship_testkit::{Cli, Output, fixtures};
use tempfile::TempDir;

use crate::workbench::Workbench;

/// Every small program.
const PROGRAMS: [(&str, &str); 8] = [
    ("comment", env!("CARGO_BIN_EXE_tagship-comment")),
    ("decide", env!("CARGO_BIN_EXE_tagship-decide")),
    ("gate", env!("CARGO_BIN_EXE_tagship-gate")),
    ("monitor", env!("CARGO_BIN_EXE_tagship-monitor")),
    ("release", env!("CARGO_BIN_EXE_tagship-release")),
    ("rollback", env!("CARGO_BIN_EXE_tagship-rollback")),
    ("rollout", env!("CARGO_BIN_EXE_tagship-rollout")),
    ("validate", env!("CARGO_BIN_EXE_tagship-validate")),
];

fn program(verb: &str) -> &'static str {
    PROGRAMS.iter().find(|(name, _)| *name == verb).unwrap().1
}

/// A step in an empty directory.
struct Step(TempDir);

impl Step {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn of(&self, program: &str) -> Cli {
        Cli::new(program)
            .current_dir(self.0.path())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_OUTPUT", self.0.path().join("output"))
            .env("RUNNER_TEMP", self.0.path().join("temp"))
    }

    fn outputs(&self) -> String {
        fs::read_to_string(self.0.path().join("output")).unwrap_or_default()
    }
}

fn model(version: &str) -> String {
    fixtures::path(&format!("models/churn/{version}/model.onnx")).display().to_string()
}

/// Inputs, outputs and run line of a manifest.
fn manifest(verb: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path =
        if verb == "run" { root.join("action.yml") } else { root.join(format!("actions/{verb}/action.yml")) };
    fs::read_to_string(path).unwrap()
}

/// Names of the first level below a key of a manifest.
fn below(manifest: &str, key: &str) -> BTreeSet<String> {
    let lines = manifest.lines().skip_while(|line| *line != format!("{key}:")).skip(1);
    let lines = lines.take_while(|line| line.starts_with(' '));
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.trim().trim_end_matches(':').to_owned()).collect()
}

/// Options that a program's help lists.
fn options(help: &Output) -> BTreeSet<String> {
    let words = help.stdout.lines().filter_map(|line| {
        line.trim_start().split("--").nth(1).filter(|_| line.trim_start().starts_with('-'))
    });
    words.map(|rest| rest.split([' ', '=']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_manifest_has_the_options_of_its_program_and_no_other() {
    let whole = Cli::new(env!("CARGO_BIN_EXE_tagship")).args(["run", "--help"]).run();
    let question = |verb| if verb == "monitor" { &["check"][..] } else { &[] };
    let small =
        PROGRAMS.map(|(verb, program)| (verb, Cli::new(program).args(question(verb)).arg("--help").run()));
    for (verb, help) in [("run", whole)].iter().chain(&small) {
        help.assert_code(0);
        let mut expected = options(help);
        for none in ["explain", "help", "format", "no-cache", "verbose", "wait"] {
            expected.remove(none);
        }
        if *verb == "validate" {
            expected.insert("paths".to_owned());
        }
        for every in ["github-token", "binary-dir", "download-base", "build"] {
            expected.insert(every.to_owned());
        }
        assert_eq!(below(&manifest(verb), "inputs"), expected, "{verb}");
    }
}

#[test]
fn inputs_steer_a_step_and_nothing_else() {
    let step = Step::new();
    let paths = format!("{}\n{}\n", model("v1"), model("v2"));
    let done = step.of(program("validate")).env("TAGSHIP_PATHS", &paths).env("TAGSHIP_MODEL", "").run();
    done.assert_code(0);
    assert!(step.outputs().contains("validated"), "{}", step.outputs());
    let declared = below(&manifest("validate"), "outputs");
    for line in step.outputs().lines().filter_map(|line| line.split_once("<<tagship_")) {
        assert!(declared.contains(line.0), "{} is declared", line.0);
    }
    // The same variable on a laptop means nothing.
    let outside = step.of(program("validate")).env("GITHUB_ACTIONS", "").env("TAGSHIP_PATHS", &paths).run();
    outside.assert_code(2);
    assert!(outside.stderr.contains("not a git repository"), "{}", outside.stderr);
}

#[test]
fn golden_cases_run_from_a_small_program() {
    let step = Step::new();
    let cases = fixtures::path("models/churn/v1/golden.json");
    let done =
        step.of(program("validate")).env("TAGSHIP_PATHS", model("v1")).env("TAGSHIP_GOLDEN", cases).run();
    done.assert_code(0);
    assert!(step.outputs().contains("\"golden\""), "{}", step.outputs());
}

#[test]
fn a_wrong_input_is_told_by_name_and_later_steps_see_it() {
    for (verb, variable, value, told) in [
        ("rollout", "TAGSHIP_DRY_RUN", "maybe", "input dry-run: \"maybe\""),
        ("rollout", "TAGSHIP_VERSION", "latest", "--version"),
        ("gate", "TAGSHIP_MODEL", "no name", "--model"),
        ("rollback", "TAGSHIP_FAIL_ON", "tired", "paused, running"),
    ] {
        let step = Step::new();
        let done = step.of(program(verb)).env(variable, value).run();
        done.assert_code(2);
        assert!(done.stderr.contains(told) && done.stderr.contains("::error"), "{}", done.stderr);
        assert!(
            step.outputs().contains("\nerror\n") && step.outputs().contains("\nusage\n"),
            "{}",
            step.outputs()
        );
    }
}

#[test]
fn a_rollout_that_goes_on_later_is_green_unless_that_was_asked_for() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    // Its target is unreachable, so that it cannot end.
    let tick = |fail_on: &str| {
        let output = bench.clone.path().join(".tagship/output");
        let _ = fs::remove_file(&output);
        let cli = bench.cli(&["rollout"]).env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", &output);
        let done = cli.env("TAGSHIP_ONCE", "true").env("TAGSHIP_FAIL_ON", fail_on).run();
        (done, fs::read_to_string(output).unwrap())
    };
    for (fail_on, code) in [("", 0), ("paused", 0), ("paused, running", 6)] {
        let (done, outputs) = tick(fail_on);
        done.assert_code(code);
        assert!(!outputs.contains("\nSucceeded\n"), "{outputs}");
        assert!(outputs.contains("decision<<") && outputs.contains("reason-code<<"), "{outputs}");
    }
    bench.run(&["rollout", "--once"]).assert_code(6);
}

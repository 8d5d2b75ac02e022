//! `kill -9` of the real program at many points of a run: whatever the point, the next runs end where an undisturbed
//! one ends, and nothing is done twice.
//!
//! A `git` on the search path kills its caller before or after the k-th command, which are the moments at which
//! something becomes visible to others.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use tagship_testkit::Cli;

use crate::workbench::Workbench;

/// Points that are tried, spread over the whole run.
const POINTS: usize = 24;
/// Runs that may be needed to end a rollout that another one began.
const PATIENCE: usize = 10;

/// A `git` that counts its calls and kills its caller at one of them.
struct Killer {
    directory: PathBuf,
}

/// Point 2k is before the k-th call, point 2k + 1 after it.
const SCRIPT: &str = r#"#!/bin/sh
here="$(dirname "$0")"
echo x >> "$here/calls"
call=$(($(wc -l < "$here/calls") - 1))
point="$(cat "$here/point")"
PATH="$SEARCH"
if [ "$point" = $((2 * call)) ]; then kill -9 $PPID; exit 1; fi
git "$@"
code=$?
if [ "$point" = $((2 * call + 1)) ]; then kill -9 $PPID; fi
exit $code
"#;

impl Killer {
    fn new(bench: &Workbench, point: &str) -> Self {
        let directory = bench.clone.path().join(".tagship/killer");
        let git = bench.clone.write(".tagship/killer/git", SCRIPT);
        fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
        bench.clone.write(".tagship/killer/point", point);
        bench.clone.write(".tagship/killer/calls", "");
        Self { directory }
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.directory.join("calls")).unwrap().lines().count()
    }
}

/// A bench with a pull request for its head, so that a run comments.
fn bench() -> Workbench {
    let bench = Workbench::with_server();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    bench.clone.write(".tagship/forge/pull-requests/7.json", format!(r#"{{"head":"{head}"}}"#));
    bench
}

impl Killer {
    /// A program whose git may kill it.
    fn before(&self, cli: Cli) -> Cli {
        let search = std::env::var_os("PATH").unwrap();
        let mut path = self.directory.clone().into_os_string();
        path.push(":");
        path.push(&search);
        cli.env("PATH", &path).env("SEARCH", &search)
    }
}

/// Runs the pipeline with a git that may kill it, and answers its exit code.
fn disturbed(bench: &Workbench, killer: &Killer) -> i32 {
    bench.run_push_with(|cli| killer.before(cli)).code
}

/// What others see in the end: refs, files of the forge, phases of the journal.
#[derive(Debug, PartialEq, Eq)]
struct End {
    production: Option<String>,
    published: Vec<String>,
    forge: Vec<String>,
    last: String,
    live: bool,
}

fn end(bench: &Workbench) -> End {
    let forge = bench.clone.path().join(".tagship/forge");
    let comment = fs::read_to_string(forge.join("comments/7-status.md")).unwrap_or_default();
    let mut names = files(&forge);
    names.sort();
    End {
        production: bench.production(),
        published: bench.published(),
        // The identifier of a rollout holds its time.
        forge: names
            .into_iter()
            .map(|path| path.split("-20").next().unwrap_or_default().to_owned())
            .collect(),
        last: bench.origin.git(&["log", "-1", "--format=%s", "refs/tagship/rollouts/production/churn"]),
        live: comment.contains("churn v0.1.0 is live in production"),
    }
}

/// Names of the files below a directory, relative to it.
fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let inside = files(&path);
        if path.is_dir() { inside.iter().map(|file| format!("{name}/{file}")).collect() } else { vec![name] }
    });
    below.collect()
}

/// Kills a run at a point and lets later runs end it.
fn recovered(point: usize) -> End {
    let bench = bench();
    let killer = Killer::new(&bench, &point.to_string());
    let code = disturbed(&bench, &killer);
    assert_eq!(code, -1, "point {point} was reached");
    // The host runs the job again, then its schedule leads on what is left.
    let again = bench.run_push();
    assert!([0, 6].contains(&again.code), "point {point}: {}\n{}", again.stdout, again.stderr);
    let ended = (0..PATIENCE).any(|_| {
        let done = bench.run(&["rollout", "--all", "--once"]);
        assert!([0, 6].contains(&done.code), "point {point}: {}\n{}", done.stdout, done.stderr);
        done.code == 0
    });
    assert!(ended, "point {point}: the rollout does not end");
    end(&bench)
}

#[test]
fn a_run_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let undisturbed = bench();
    let killer = Killer::new(&undisturbed, "none");
    assert_eq!(disturbed(&undisturbed, &killer), 0);
    let (calls, expected) = (killer.calls(), end(&undisturbed));
    assert!(2 * calls >= POINTS, "{calls} calls of git are too few to be cut between");
    assert!(expected.live && expected.production.as_deref() == Some("v0.1.0"), "{expected:#?}");

    let points: Vec<usize> = (0..POINTS).map(|at| at * (2 * calls - 1) / (POINTS - 1)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    assert_eq!(recovered(*point), expected, "killed at point {point} of {}", 2 * calls);
                }
            });
        }
    });
}

#[test]
fn a_rollback_that_was_killed_is_gone_on_with_and_not_stopped() {
    let rolled_back = |point: &str| {
        let bench = Workbench::with_server();
        bench.run_push().assert_code(0);
        bench.put("v2");
        bench.push("Add v2");
        bench.run_push().assert_code(0);
        let killer = Killer::new(&bench, point);
        let code = killer.before(bench.cli(&["rollback"])).run().code;
        (bench, killer.calls(), code)
    };
    let (_, calls, code) = rolled_back("none");
    assert_eq!(code, 0);
    // In the middle of it, with the rollback in the journal and v0.2.0 in the registry.
    let (bench, _, code) = rolled_back(&calls.to_string());
    assert_eq!((code, bench.production().as_deref()), (-1, Some("v0.2.0")));
    bench.run(&["rollback"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let story = bench.origin.git(&["log", "--format=%s", "refs/tagship/rollouts/production/churn"]);
    let begun = story.lines().filter(|line| line.contains("Pending, holds the lock")).count();
    assert_eq!(begun, 3, "two deployments and one rollback: {story}");
}

#[test]
fn a_prerelease_that_becomes_final_survives_a_kill_at_every_call() {
    let release = |version: &'static str| ["release", "--version", version];
    let promoted = |point: &str| {
        let bench = Workbench::new();
        for verb in ["validate", "gate"] {
            bench.run(&[verb]).assert_code(0);
        }
        bench.run(&release("v2.0.0-rc.1")).assert_code(0);
        let killer = Killer::new(&bench, point);
        let code = killer.before(bench.cli(&release("v2.0.0"))).run().code;
        (bench, killer.calls(), code)
    };
    let (bench, calls, code) = promoted("none");
    let (expected, end) = (bench.published(), 2 * calls);
    assert_eq!(
        (code, expected.len()),
        (0, 4),
        "two tags, the claims of their numbers, the journal of a registration commit: {expected:?}"
    );
    for point in 0..end {
        let (bench, _, code) = promoted(&point.to_string());
        assert_eq!(code, -1, "point {point} was reached");
        bench.run(&release("v2.0.0")).assert_code(0);
        assert_eq!(bench.published(), expected, "killed at point {point} of {end}");
        let journal = bench.origin.git(&["rev-list", "--count", "refs/tagship/registry/churn"]);
        assert_eq!(journal, "1", "one registration commit, point {point}");
        let tags = |of: &tagship_testkit::Repository| of.git(&["for-each-ref", "refs/tags"]);
        assert_eq!(tags(&bench.clone), tags(&bench.origin), "no tag is here alone, point {point}");
        bench.run(&["pull", "churn@v2.0.0", "--output", ".tagship/pulled"]).assert_code(0);
    }
}

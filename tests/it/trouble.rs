//! GitHub with something wrong: many runs at once, a cancelled job, a repository that does not let us.

use std::{fs, thread};

use serde_json::json;
use tagship_testkit::{Repository, github::World};

use crate::{
    faults::shown,
    hosted::{Hosted, PULL},
};

#[test]
fn of_many_runs_on_one_commit_one_releases_and_all_show_the_same() {
    const RUNS: usize = 20;
    let hosted = Hosted::new();
    hosted.propose(false);
    let clones: Vec<Repository> = (0..RUNS).map(|_| Repository::clone_of(&hosted.bench.origin)).collect();
    let store = hosted.bench.clone.path().join("shared-store");
    let config = hosted.bench.clone.path().join("tagship.yml");
    let text = fs::read_to_string(&config).unwrap();
    let release = format!(
        "    release: {{ store: {{ file: {{ path: \"{}\" }} }} }}\n    environments:\n",
        store.display()
    );
    let text = text.replace("    environments:\n", &release);
    let payload = json!({ "ref": "refs/heads/main", "after": hosted.head(), "repository": { "default_branch": "main" } });
    let running: Vec<_> = clones
        .iter()
        .enumerate()
        .map(|(run, clone)| {
            clone.write(".tagship/event.json", payload.to_string());
            clone.write(".tagship/config.yml", &text);
            let cli = crate::workbench::tagship(clone.path(), &["run", "--config", ".tagship/config.yml"]);
            let cli = cli.env("TOKEN", crate::workbench::TOKEN);
            hosted.surround(cli, run + 1, "push", &clone.path().join(".tagship")).start()
        })
        .collect();
    let done: Vec<_> = running.into_iter().map(tagship_testkit::Running::wait).collect();
    let fine = |code: i32| [0, 6].contains(&code);
    assert!(done.iter().all(|done| fine(done.code)), "{:#?}", done.iter().find(|done| !fine(done.code)));
    let shown = shown(&hosted);
    assert_eq!(shown.comments, 1);
    // Runs that come at once may each make a deployment, for the host has no "create unless there is one"; the first
    // one stays.
    assert_eq!(shown.deployments, ["success"]);
    assert_eq!(shown.tags, ["refs/tags/churn#production#1", "refs/tags/churn@v0.1.0"]);
    assert_eq!(shown.releases.len(), 1);
    hosted.bench.clone.git(&["fetch", "--quiet", "origin", "+refs/tagship/*:refs/tagship/*"]);
    let journal = "refs/tagship/rollouts/production/churn";
    let merges = hosted.bench.clone.git(&["rev-list", "--merges", "--count", journal]);
    assert_eq!(merges, "0", "the journal is a line");
    let starts = hosted.bench.clone.git(&["log", "--format=%s", journal]);
    assert_eq!(
        starts.lines().filter(|line| line.contains("Pending")).count(),
        1,
        "one rollout began: {starts}"
    );
}

#[cfg(unix)]
#[test]
fn a_cancelled_job_says_so_and_the_next_tick_goes_on() {
    let hosted = Hosted::new();
    hosted.push().done.assert_code(0);
    let config = fs::read_to_string(hosted.bench.clone.path().join("tagship.yml")).unwrap();
    let strategy = "        strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 3s } ] } }\n";
    hosted.bench.clone.write("tagship.yml", config + strategy);
    hosted.bench.put("v2");
    hosted.bench.push("Bring v2");
    hosted.propose(false);
    let payload = json!({ "ref": "refs/heads/main", "after": hosted.head(), "repository": { "default_branch": "main" } });
    let directory = hosted.bench.clone.write(".tagship/cancelled/event.json", payload.to_string());
    let directory = directory.parent().unwrap();
    let cli = hosted.surround(hosted.bench.cli(&["run"]), 50, "push", directory);
    let running = cli.start();
    let shows = |words: &str| {
        hosted.github.world(|world| world.comment_bodies(PULL).iter().any(|body| body.contains(words)))
    };
    assert!(eventually(|| shows("10%") || shows("10 %")), "the canary gets its share");
    running.terminate();
    let cancelled = running.wait();
    cancelled.assert_code(0);
    assert!(cancelled.stderr.contains("was cancelled"), "{}", cancelled.stderr);
    assert!(hosted.comment().contains("was cancelled"), "{}", hosted.comment());
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));

    let tick = hosted.step(&["rollout", "--all"], "schedule", &json!({ "schedule": "*/5 * * * *" }));
    tick.done.assert_code(0);
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.2.0"));
    let comment = hosted.comment();
    assert!(
        comment.contains("v0.2.0 is live in production") && !comment.contains("was cancelled"),
        "{comment}"
    );
}

/// Waits, in bounded steps, for what other processes bring about.
#[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    (0..1200).any(|_| {
        let so = is_so();
        if !so {
            thread::sleep(std::time::Duration::from_millis(50));
        }
        so
    })
}

#[test]
fn a_repository_that_does_not_let_us_says_what_to_change() {
    type Case = (&'static str, fn(&mut World), i32, &'static str);
    let cases: [Case; 3] = [
        ("archived", |world| world.archived = true, 2, "unarchive"),
        ("locked", |world| _ = world.locked.insert(PULL), 0, "conversation is locked"),
        ("a rule for tags", |world| world.tag_rule = true, 2, "rulesets"),
    ];
    for (name, change, code, words) in cases {
        let hosted = Hosted::new();
        // Tags over the API, where the rule is the host's.
        if name == "a rule for tags" {
            hosted.bench.clone.git(&["remote", "set-url", "origin", "git@git.example.invalid:acme/shop.git"]);
        }
        hosted.propose(false);
        hosted.github.world(change);
        let step = hosted.push();
        assert_eq!(step.done.code, code, "{name}: {}", step.done.stderr);
        assert!(step.done.stderr.contains(words), "{name}: {}", step.done.stderr);
    }
}

#[test]
fn a_comment_that_somebody_deleted_comes_again() {
    let hosted = Hosted::new();
    hosted.propose(false);
    hosted.step(&["run"], "pull_request", &hosted.opened(false)).done.assert_code(0);
    hosted.github.world(|world| world.comments.clear());
    hosted.push().done.assert_code(0);
    assert!(hosted.comment().contains("v0.1.0 is live in production"));
}

#[test]
fn immutable_releases_are_published_whole_and_left_alone() {
    let hosted = Hosted::new();
    hosted.github.world(|world| world.immutable_releases = true);
    hosted.push().done.assert_code(0);
    hosted.push().done.assert_code(0);
    hosted.github.world(|world| {
        assert_eq!(world.releases.len(), 1);
        assert_eq!(world.releases[0]["draft"], false);
    });
}

//! Locks: a person lets nothing new into an environment, and everyone is told who, why, and how to go on.

use tagship_testkit::Repository;

use crate::workbench::{TOKEN, Workbench, tagship};

fn released(bench: &Workbench) {
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
}

#[test]
fn a_locked_environment_refuses_what_is_new_and_says_who_locked_it_and_why() {
    let bench = Workbench::new();
    released(&bench);
    let locked = bench.run(&["lock", "--environment", "production", "--reason", "incident 12"]);
    locked.assert_code(0);
    assert!(locked.stdout.contains("tagship unlock --environment production"), "{}", locked.stdout);
    assert!(bench.published().iter().any(|name| name.contains("refs/tagship/locks/production")));
    let published = bench.published();
    for arguments in [
        &["rollout"][..],
        &["rollout", "--dry-run"],
        &["rollout", "--retry"],
        &["lock", "--reason", "me too"],
    ] {
        let refused = bench.run(arguments);
        refused.assert_code(1);
        for words in ["production was locked by", "incident 12", "tagship unlock --environment production"] {
            assert!(refused.stderr.contains(words), "{arguments:?}: {words}: {}", refused.stderr);
        }
    }
    // A merge is decided, told, and not followed.
    let merged = bench.run_push();
    merged.assert_code(1);
    assert!(merged.stdout.contains("incident 12"), "{}", merged.stdout);
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    let payload =
        format!(r#"{{"ref":"refs/heads/main","after":"{head}","repository":{{"default_branch":"main"}}}}"#);
    let path = bench.clone.write(".tagship/push.json", payload).display().to_string();
    let decided = bench.run(&["decide", "--event-name", "push", "--event-path", &path, "--format", "json"]);
    decided.assert_code(0);
    let decision: serde_json::Value = serde_json::from_str(&decided.stdout).unwrap();
    assert_eq!(
        (&decision["action"], &decision["reason_code"]),
        (&"skip".into(), &"environment-locked".into())
    );
    assert_eq!(bench.published(), published, "nothing began");

    // Everyone sees it, and anyone can unlock it.
    let other = Repository::clone_of(&bench.origin);
    let status = tagship(other.path(), &["status"]).env("TOKEN", TOKEN).run();
    assert!(status.assert_code(0).stdout.contains("incident 12"), "{}", status.stdout);
    let unlocked = tagship(other.path(), &["unlock"]).env("TOKEN", TOKEN).run();
    assert!(unlocked.assert_code(0).stdout.contains("tagship run --request deploy"), "{}", unlocked.stdout);
    assert!(!bench.run(&["status"]).stdout.contains("incident 12"));
    bench.run(&["rollout", "--dry-run"]).assert_code(0);
    assert!(bench.run(&["unlock"]).assert_code(0).stdout.contains("is not locked"));
    let story = bench.origin.git(&["log", "--format=%s", "refs/tagship/locks/production"]);
    let lines: Vec<&str> = story.lines().collect();
    assert!(lines[0].contains("unlocked by") && lines[1].contains("incident 12"), "{story}");
}

#[test]
fn a_lock_never_stands_in_the_way_of_going_back() {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    bench.put("v2");
    bench.push("Add v2");
    bench.run_push().assert_code(0);
    bench.run(&["lock", "--reason", "v0.2.0 looks odd"]).assert_code(0);
    bench.run(&["rollback"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    bench.run(&["rollout", "--version", "v0.2.0", "--retry"]).assert_code(1);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn going_back_to_what_was_never_there_is_something_new() {
    let bench = Workbench::with_server();
    released(&bench);
    bench.put("v2");
    bench.push("Add v2");
    bench.run_push().assert_code(0);
    bench.run(&["lock"]).assert_code(0);
    let refused = bench.run(&["rollback", "--to", "v0.1.0"]);
    refused.assert_code(1);
    assert!(refused.stderr.contains("tagship unlock"), "{}", refused.stderr);
    bench.run(&["unlock"]).assert_code(0);
    bench.run(&["rollback", "--to", "v0.1.0"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn what_runs_when_the_lock_comes_goes_on() {
    let bench = Workbench::new();
    released(&bench);
    // Nothing serves at the configured address, so this rollout stays under way.
    bench.run(&["rollout", "--once"]).assert_code(6);
    bench.run(&["lock", "--reason", "audit"]).assert_code(0);
    for arguments in [
        &["rollout", "--once"][..],
        &["rollout", "--once", "--version", "v0.1.0"],
        &["rollout", "--all", "--once"],
    ] {
        let done = bench.run(arguments);
        assert_eq!(done.code, 6, "{arguments:?}: {done:?}");
    }
    bench.put("v2");
    bench.push("Add v2");
    bench.run_push().assert_code(1);
}

#[test]
fn of_two_who_lock_at_the_same_time_one_is_told_about_the_other() {
    let bench = Workbench::new();
    let other = Repository::clone_of(&bench.origin);
    let runs = [
        bench.cli(&["lock", "--reason", "first"]).start(),
        tagship(other.path(), &["lock", "--reason", "second"]).env("TOKEN", TOKEN).start(),
    ];
    let mut codes = runs.map(|run| run.wait().code);
    codes.sort_unstable();
    assert_eq!(codes, [0, 1]);
    assert_eq!(bench.origin.git(&["rev-list", "--count", "refs/tagship/locks/production"]), "1");
}

#[test]
fn a_dry_run_locks_nothing_and_mistakes_are_explained() {
    let bench = Workbench::new();
    bench.run(&["lock", "--dry-run"]).assert_code(0);
    assert!(bench.published().is_empty());
    let unknown = bench.run(&["lock", "--environment", "qa"]);
    assert!(unknown.assert_code(2).stderr.contains("there is production"), "{}", unknown.stderr);
    let model = bench.run(&["lock", "--model", "churn"]);
    assert!(model.assert_code(2).stderr.contains("every model"), "{}", model.stderr);
    bench.run(&["lock"]).assert_code(0);
    let dry = bench.run(&["unlock", "--dry-run"]);
    assert!(dry.assert_code(0).stdout.contains("would unlock production"), "{}", dry.stdout);
    assert!(bench.run(&["status"]).stdout.contains("production was locked by"));
}

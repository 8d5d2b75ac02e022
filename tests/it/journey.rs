//! Changes on their way: merged, proposed, refused, rolled back, retried.

use tagship_testkit::fixtures;

use crate::workbench::Workbench;

#[test]
fn a_merge_is_validated_gated_released_and_rolled_out() {
    let bench = Workbench::with_server();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    bench.clone.write(".tagship/forge/pull-requests/7.json", format!(r#"{{"head":"{head}"}}"#));
    bench.run_push().assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let story = bench.clone.git(&["log", "--format=%s", "refs/tagship/rollouts/production/churn"]);
    assert!(story.lines().next().unwrap().contains("Succeeded"), "{story}");
    let comment =
        std::fs::read_to_string(bench.clone.path().join(".tagship/forge/comments/7-status.md")).unwrap();
    assert!(comment.contains("churn v0.1.0 is live in production"), "{comment}");
    let published = bench.published();

    // The same bytes again: nothing happens, and nothing is written.
    bench.run_push().assert_code(0);
    assert_eq!(bench.published(), published);
}

#[test]
fn a_pull_request_is_judged_and_deploys_nothing() {
    let bench = Workbench::new();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    let payload = format!(
        r#"{{"action":"opened","repository":{{"default_branch":"main"}},"pull_request":{{"number":3,
            "head":{{"sha":"{head}","repo":{{"full_name":"o/r"}}}},"base":{{"ref":"main","repo":{{"full_name":"o/r"}}}}}}}}"#
    );
    let path = bench.clone.write(".tagship/pull.json", payload).display().to_string();
    bench.run(&["run", "--event-name", "pull_request", "--event-path", &path]).assert_code(0);
    assert!(bench.published().is_empty());
    let comment =
        std::fs::read_to_string(bench.clone.path().join(".tagship/forge/comments/3-status.md")).unwrap();
    assert!(comment.contains("v0.1.0"), "the version that a merge would make: {comment}");
}

#[test]
fn a_regression_stops_at_the_gate_and_stable_serves_on() {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let published = bench.published();
    bench.put("v3-regressed");
    bench.push("Train on new labels");
    let done = bench.run_push();
    done.assert_code(1);
    for words in ["accuracy floor", "metrics.accuracy = 0.83", "no regression"] {
        assert!(done.stdout.contains(words), "{words} is missing in\n{}", done.stdout);
    }
    assert_eq!(bench.published(), published, "nothing was tagged, nothing rolled out");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn a_hostile_pickle_is_rejected_by_a_named_rule_whatever_it_is_called() {
    let bench = Workbench::new();
    bench.clone.write("models/churn/model.onnx", fixtures::bytes("models/hostile/model.pkl"));
    bench.push("Swap the model");
    let done = bench.run_push();
    done.assert_code(1);
    assert!(done.stdout.contains("PKL101"), "{}", done.stdout);
    assert!(bench.published().is_empty());
}

#[test]
fn a_version_tag_of_another_tool_is_released_as_that_version() {
    let bench = Workbench::with_server();
    let message = "Registering artifact churn version v1.0.0";
    bench.clone.git(&["tag", "--annotate", "--message", message, "churn@v1.0.0"]);
    bench.clone.git(&["push", "--quiet", "origin", "churn@v1.0.0"]);
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    let payload = format!(
        r#"{{"ref":"refs/tags/churn@v1.0.0","after":"{head}","repository":{{"default_branch":"main"}}}}"#
    );
    let path = bench.clone.write(".tagship/tag.json", payload).display().to_string();
    bench.run(&["run", "--event-name", "push", "--event-path", &path]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v1.0.0"));
}

#[test]
fn a_rollback_is_a_fact_in_git_and_waits_for_a_retry() {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    bench.put("v2");
    bench.push("Add v2");
    bench.run_push().assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));

    bench.run(&["rollback"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let pushed = bench.run_push();
    pushed.assert_code(0);
    assert!(pushed.stdout.contains("retry it by hand"), "{}", pushed.stdout);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));

    bench.run(&["rollout", "--version", "v0.2.0"]).assert_code(1);
    bench.run(&["rollout", "--version", "v0.2.0", "--retry"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
}

#[test]
fn a_killed_rollout_is_finished_by_the_next_run() {
    let bench = Workbench::with_server();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let journal =
        || bench.origin.references().into_iter().find(|name| name.contains("refs/tagship/rollouts"));
    let running = bench.cli(&["rollout"]).start();
    // As soon as the first entry is there, the run dies.
    assert!((0..2000).any(|_| journal().is_some()), "the rollout begins");
    running.kill();
    bench.run(&["rollout", "--once"]);
    bench.run(&["rollout", "--all"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let assignments = bench.published().iter().filter(|name| name.contains("churn#production")).count();
    assert_eq!(assignments, 1, "nothing is done twice");
}

#[test]
fn of_two_runs_at_the_same_time_both_end_well_and_one_rolls_out() {
    let bench = Workbench::with_server();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let runs = [bench.cli(&["rollout"]).start(), bench.cli(&["rollout"]).start()];
    let done = runs.map(tagship_testkit::Running::wait);
    let codes = done.each_ref().map(|run| run.code);
    // A run that sees the other one lead the rollout on says so and leaves it to it: still running, 6.
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 6].contains(code)), "{done:#?}");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let assignments = bench.published().iter().filter(|name| name.contains("churn#production")).count();
    assert_eq!(assignments, 1, "nothing is done twice");
}

#[test]
fn a_dry_run_writes_nothing_whatever_is_running() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench.run(&["rollout", "--abort"]).assert_code(0);
    // Nothing serves at the configured address, so this rollout stays under way.
    bench.run(&["rollout", "--once"]).assert_code(6);
    let refs = || bench.origin.git(&["for-each-ref"]);
    let before = refs();
    for arguments in [
        &["rollout", "--dry-run", "--once"][..],
        &["rollout", "--dry-run", "--all"],
        &["rollout", "--dry-run", "--abort"],
        &["rollback", "--dry-run"],
    ] {
        let done = bench.run(arguments);
        done.assert_code(0);
        assert!(done.stdout.contains("would "), "{arguments:?}: {}", done.stdout);
        assert_eq!(refs(), before, "{arguments:?}");
    }
    bench.run(&["rollout", "--abort", "--once"]);
    assert_ne!(refs(), before, "without --dry-run it does something");
}

#[test]
fn what_was_released_can_be_fetched_again() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let out = bench.clone.path().join("out").display().to_string();
    bench.run(&["pull", "churn@v0.1.0", "--output", &out]).assert_code(0);
    let fetched = std::fs::read(bench.clone.path().join("out/model.onnx")).unwrap();
    assert_eq!(fetched, std::fs::read(bench.clone.path().join("models/churn/model.onnx")).unwrap());
}

//! The whole way on GitHub: one comment per pull request, tags, releases, deployments, statuses.

use serde_json::json;

use crate::hosted::{Hosted, PULL};

#[test]
fn a_change_has_one_comment_from_proposal_to_production() {
    let hosted = Hosted::new();
    hosted.propose(false);
    let proposed = hosted.step(&["run"], "pull_request", &hosted.opened(false));
    proposed.done.assert_code(0);
    let comment = hosted.comment();
    assert!(comment.contains("merging releases v0.1.0"), "{comment}");
    assert_eq!(proposed.output("decision"), "validate-only");
    assert!(proposed.summary.contains("merging releases v0.1.0"));
    assert_eq!(hosted.statuses("tagship / churn"), ["success"]);
    assert!(hosted.bench.published().is_empty(), "a proposal publishes nothing");

    let merged = hosted.push();
    merged.done.assert_code(0);
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));
    let comment = hosted.comment();
    assert!(comment.contains("v0.1.0 is live in production"), "{comment}");
    assert_eq!(hosted.statuses("tagship / production / churn"), ["pending", "success"]);
    hosted.github.world(|world| {
        assert_eq!(world.deployment_states(), ["success"]);
        let released: Vec<_> = world.releases.iter().map(|release| &release["tag_name"]).collect();
        assert_eq!(released, ["churn@v0.1.0"]);
        assert_eq!(world.releases[0]["draft"], false);
    });
    for text in [&merged.done.stdout, &merged.done.stderr, &merged.outputs, &merged.summary, &comment] {
        let mut shown = text.lines().filter(|line| !line.starts_with("::add-mask::"));
        assert!(shown.all(|line| !line.contains(hosted.github.token())), "{text}");
    }
}

#[test]
fn a_fork_is_judged_and_reported_without_a_token_that_may_write() {
    let hosted = Hosted::new();
    hosted.propose(true);
    hosted.github.world(|world| {
        for area in ["issues", "pull_requests", "statuses", "contents", "deployments"] {
            world.lacks.insert(format!("{area}=write"));
        }
    });
    let judged = hosted.step(&["run"], "pull_request", &hosted.opened(true));
    judged.done.assert_code(0);
    assert_eq!(judged.output("reason-code"), "fork-read-only");
    assert!(judged.summary.contains("merging releases v0.1.0"), "{}", judged.summary);
    assert!(judged.done.stderr.contains("workflow_run"), "{}", judged.done.stderr);
    let report = judged.output("report-file").to_owned();

    // A workflow with more rights writes the comment from the report.
    hosted.github.world(|world| world.lacks.clear());
    let home = hosted.github.repository();
    let finished = |sha: &str| {
        json!({
            "action": "completed", "repository": { "default_branch": "main", "full_name": home },
            "workflow_run": {
                "name": "validate", "conclusion": "success", "head_sha": sha, "head_branch": "change",
                "event": "pull_request", "head_repository": { "full_name": "someone/shop" },
                "pull_requests": [],
            },
        })
    };
    let arguments = ["comment", "--input", &report];
    let other = hosted.step(&arguments, "workflow_run", &finished(&"b".repeat(40)));
    other.done.assert_code(1);
    assert!(other.done.stderr.contains("but the workflow ran for bbbbbbb"), "{}", other.done.stderr);
    // What the fork hands over may be forged.
    let forged = std::fs::read_to_string(&report).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&forged).unwrap();
    forged["written"] = json!("2099-01-01T00:00:00Z");
    forged["by"] = json!({ "actor": "the owner", "run": "https://evil.example" });
    std::fs::write(&report, forged.to_string()).unwrap();
    hosted.step(&arguments, "workflow_run", &finished(&hosted.head())).done.assert_code(0);
    let comment = hosted.comment();
    assert!(
        comment.contains("merging releases v0.1.0") && comment.contains("could report anything"),
        "{comment}"
    );
    for word in ["2099", "the owner", "evil.example"] {
        assert!(!comment.contains(word), "{word}: {comment}");
    }
}

#[test]
fn what_the_token_may_not_show_is_left_out_and_said() {
    let hosted = Hosted::new();
    hosted.propose(false);
    hosted.github.world(|world| {
        for area in ["issues", "deployments", "statuses"] {
            world.lacks.insert(format!("{area}=write"));
        }
    });
    let merged = hosted.push();
    merged.done.assert_code(0);
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));
    for permission in ["issues: write", "statuses: write", "deployments: write"] {
        assert!(merged.done.stderr.contains(permission), "{permission}: {}", merged.done.stderr);
    }
    hosted.github.world(|world| assert!(world.comment_bodies(PULL).is_empty()));
}

#[test]
fn without_permission_to_write_contents_nothing_is_released_and_the_error_names_it() {
    let hosted = Hosted::new();
    hosted.github.world(|world| {
        world.lacks.insert("contents=write".to_owned());
    });
    let merged = hosted.push();
    merged.done.assert_code(2);
    assert!(merged.done.stderr.contains("contents: write"), "{}", merged.done.stderr);
    assert_eq!(hosted.bench.production(), None);
}

#[test]
fn a_step_without_a_token_says_which_input_to_pass() {
    let hosted = Hosted::new();
    hosted.propose(false);
    let opened = hosted.opened(false);
    let step = hosted.step_with(&["run"], "pull_request", &opened, |cli| cli.env("TAGSHIP_GITHUB_TOKEN", ""));
    step.done.assert_code(0);
    assert!(step.done.stderr.contains("pass `github-token"), "{}", step.done.stderr);
}

#[test]
fn a_comment_brings_no_configuration_of_its_own() {
    let hosted = Hosted::new();
    let payload = json!({
        "action": "opened", "repository": { "default_branch": "main", "full_name": "acme/shop" },
        "pull_request": hosted.opened(true)["pull_request"],
    });
    // The proposal's configuration is checked out, but what the default branch says counts.
    hosted.bench.clone.write("tagship.yml", "version: 1\nmodels: {}\nnonsense: true\n");
    let step = hosted.step(&["status"], "pull_request_target", &payload);
    step.done.assert_code(0);
    let step = hosted.step(&["status"], "pull_request", &payload);
    step.done.assert_code(2);
    assert!(step.done.stderr.contains("nonsense"), "{}", step.done.stderr);
}

#[test]
fn a_repository_that_git_reaches_by_key_is_tagged_over_the_api() {
    let hosted = Hosted::new();
    hosted.bench.clone.git(&["remote", "set-url", "origin", "git@git.example.invalid:acme/shop.git"]);
    hosted.propose(false);
    let merged = hosted.push();
    merged.done.assert_code(0);
    hosted.github.world(|world| {
        let made: Vec<_> = world.refs.keys().filter(|name| !name.starts_with("refs/heads/")).collect();
        assert_eq!(
            made,
            [
                "refs/tags/churn#production#1",
                "refs/tags/churn@v0.1.0",
                "refs/tagship/claims/churn",
                "refs/tagship/leases",
                "refs/tagship/rollouts/production/churn"
            ]
        );
        assert_eq!(world.deployment_states(), ["success"]);
    });
    assert!(hosted.comment().contains("v0.1.0 is live in production"));
}

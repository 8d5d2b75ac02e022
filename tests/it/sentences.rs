//! What stands in the way on the host, each in a sentence that says what to change.

use serde_json::json;
use tagship_testkit::github::Fault;

use crate::hosted::{Hosted, Step};

const WORKFLOW: &str =
    "on: { push: { branches: [main] } }\njobs: { run: { steps: [ { uses: acme/tagship@v1 } ] } }\n";

/// A push to a branch of a repository whose default branch has this name now.
fn pushed(hosted: &Hosted, branch: &str, default_branch: &str) -> Step {
    let payload = json!({
        "ref": format!("refs/heads/{branch}"), "after": hosted.head(),
        "repository": { "default_branch": default_branch },
    });
    hosted.step(&["run"], "push", &payload)
}

#[test]
fn a_push_to_the_earlier_default_branch_says_where_to_push_and_what_to_rename() {
    let hosted = Hosted::new();
    hosted.bench.clone.write(".github/workflows/deliver.yml", WORKFLOW);
    let skipped = pushed(&hosted, "main", "trunk");
    skipped.done.assert_code(0);
    assert_eq!((skipped.output("decision"), skipped.output("reason-code")), ("skip", "not-default-branch"));
    let said = skipped.done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["main is not the default branch trunk", "push to trunk", "`branches` and `ref`"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(hosted.bench.production(), None);
}

#[test]
fn a_workflow_that_waits_for_the_earlier_default_branch_is_pointed_out_by_any_run() {
    let hosted = Hosted::new();
    hosted.bench.clone.write(".github/workflows/deliver.yml", WORKFLOW);
    let tick = |default_branch: &str| {
        let payload =
            json!({ "schedule": "*/5 * * * *", "repository": { "default_branch": default_branch } });
        hosted.step(&["decide"], "schedule", &payload).done
    };
    let renamed = tick("trunk");
    let warning = renamed.assert_code(0).stderr.lines().find(|line| line.starts_with("::warning")).unwrap();
    for words in ["the default branch is trunk", "deliver.yml", "write `branches: [trunk]`"] {
        assert!(warning.contains(words), "{words}: {warning}");
    }
    assert!(!tick("main").stderr.contains("::warning"));
}

#[test]
fn a_checkout_of_another_branch_than_the_default_one_says_which_line_has_to_go() {
    let hosted = Hosted::new();
    let payload = json!({ "action": "created", "repository": { "default_branch": "trunk" } });
    let comment = |sha: &str| {
        hosted.step_with(&["status"], "issue_comment", &payload, |cli| cli.env("GITHUB_SHA", sha)).done
    };
    // The newest commit of the new default branch is not what the checkout's `ref` names.
    let elsewhere = comment(&"d".repeat(40));
    assert!(elsewhere.assert_code(2).stderr.contains("a `ref` of its that names a branch"), "{elsewhere:?}");
    hosted.bench.clone.git(&["rm", "--quiet", "--cached", "tagship.yml"]);
    hosted.bench.clone.git(&["commit", "--quiet", "--message", "Another history"]);
    let without = comment(&hosted.head());
    assert!(without.assert_code(2).stderr.contains("merge the file into the default branch"), "{without:?}");
}

#[test]
fn a_repository_of_another_name_says_that_a_new_run_knows_it() {
    let hosted = Hosted::new();
    hosted.propose(false);
    for moved in [301, 307] {
        hosted.github.fail_always("*", "/repos/", Fault::Status(moved));
        let step = hosted.push();
        step.done.assert_code(2);
        assert!(step.done.stderr.contains("start a new run"), "{moved}: {}", step.done.stderr);
        hosted.github.recover();
    }
}

#[test]
fn where_an_environment_is_reached_is_linked_from_deployment_comment_and_summary() {
    const URL: &str = "https://churn.example.org/v2/models";
    let hosted = Hosted::new();
    let config = std::fs::read_to_string(hosted.bench.clone.path().join("tagship.yml")).unwrap();
    hosted.bench.clone.write("tagship.yml", format!("{config}        environment-url: {URL}\n"));
    hosted.bench.push("Say where it is");
    hosted.propose(false);
    let step = hosted.push();
    step.done.assert_code(0);
    for text in [&hosted.comment(), &step.summary] {
        assert!(text.contains(&format!("production · [open]({URL})")), "{text}");
    }
    let urls = hosted.github.world(|world| {
        let statuses = world.deployment_statuses.iter();
        statuses.map(|(_, status)| json!([status["state"], status["environment_url"]])).collect::<Vec<_>>()
    });
    // While it is under way, an earlier version is reached there.
    assert_eq!(urls, [json!(["in_progress", null]), json!(["success", URL])]);
}

#[test]
fn a_merge_that_a_lock_keeps_out_is_told_on_its_pull_request() {
    let hosted = Hosted::new();
    hosted.bench.run(&["lock", "--environment", "production", "--reason", "incident 12"]).assert_code(0);
    hosted.propose(false);
    hosted.step(&["run"], "pull_request", &hosted.opened(false)).done.assert_code(0);
    assert!(hosted.comment().contains("merging releases v0.1.0"), "what is proposed is judged");
    hosted.push().done.assert_code(1);
    let comment = hosted.comment();
    for words in ["production was locked by", "incident 12", "tagship unlock"] {
        assert!(comment.contains(words), "{words}: {comment}");
    }
    assert_eq!(hosted.statuses("tagship / churn"), ["success", "pending"]);
}

/// The repository with pages in place of lines at its commits.
fn with_pages() -> Hosted {
    let hosted = Hosted::new();
    let config = std::fs::read_to_string(hosted.bench.clone.path().join("tagship.yml")).unwrap();
    let config = config.replace("    environments:", "    mark: check-run\n    environments:");
    hosted.bench.clone.write("tagship.yml", config);
    hosted.bench.push("Ask for pages");
    hosted.propose(false);
    hosted
}

#[test]
fn a_check_run_in_place_of_the_status_follows_the_rollout() {
    let hosted = with_pages();
    hosted.step(&["run"], "pull_request", &hosted.opened(false)).done.assert_code(0);
    hosted.push().done.assert_code(0);
    let sent = hosted.github.received();
    let pages = sent.iter().filter(|sent| sent.target.contains("/check-runs") && sent.method != "GET");
    let told: Vec<String> = pages
        .map(|page| format!("{} {} {}", page.body["name"], page.body["status"], page.body["conclusion"]))
        .collect();
    assert_eq!(told.first().unwrap(), r#""tagship / churn" "completed" "success""#);
    assert_eq!(told[1], r#""tagship / production / churn" "in_progress" null"#);
    assert_eq!(told.last().unwrap(), r#""tagship / production / churn" "completed" "success""#);
    hosted.github.world(|world| {
        assert!(world.statuses.is_empty(), "{:?}", world.statuses);
        let [judged, rolled] = world.check_runs.as_slice() else { panic!("{:?}", world.check_runs) };
        assert!(judged["output"]["summary"].as_str().unwrap().contains("merging releases v0.1.0"));
        assert!(rolled["output"]["title"].as_str().unwrap().contains("v0.1.0 is live in production"));
    });
}

#[test]
fn a_check_run_that_the_token_may_not_write_is_left_out_and_said_once() {
    let hosted = with_pages();
    hosted.github.world(|world| _ = world.lacks.insert("checks=write".to_owned()));
    let done = hosted.push().done;
    let said = done.assert_code(0).stderr.matches("checks: write").count();
    assert_eq!(said, 1, "{}", done.stderr);
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));
}

/// The repository with a staging environment before production, whose job waits for approval.
fn waiting() -> Hosted {
    let hosted = Hosted::new();
    let config = std::fs::read_to_string(hosted.bench.clone.path().join("tagship.yml")).unwrap();
    let target = config.lines().find(|line| line.contains("target:")).unwrap();
    let elsewhere = "        target: { local: { url: \"http://127.0.0.1:9\", admin-url: \"http://127.0.0.1:9\", token-env: TOKEN } }";
    let staging = format!("      staging:\n{target}\n      production:\n{elsewhere}\n");
    let before = config.split("      production:").next().unwrap();
    hosted.bench.clone.write("tagship.yml", format!("{before}{staging}"));
    hosted.bench.push("Add staging");
    hosted.propose(false);
    let head = hosted.head();
    hosted.github.world(|world| world.hold_back(77, &head, "production", &["ada", "bob"], Some("ml")));
    hosted
}

#[test]
fn whoever_asks_how_things_stand_is_told_who_may_approve_and_where() {
    let hosted = waiting();
    let address = format!("{}/acme/shop/actions/runs/77", hosted.github.server_url());
    let status = |arguments: &[&str]| {
        let done = hosted.step(arguments, "schedule", &json!({ "schedule": "0 * * * *" })).done;
        done.assert_code(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let shown = status(&["status"]);
    for words in ["production waits for approval: ada, bob or team ml may review it at", &address] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let json = status(&["status", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["approvals"][0]["reviewers"], json!(["ada", "bob", "team ml"]));
    assert!(!status(&["status", "--environment", "staging"]).contains("approval"));
    hosted.github.world(|world| _ = world.lacks.insert("actions=read".to_owned()));
    let unknown = status(&["status"]);
    assert!(unknown.contains("is unknown") && unknown.contains("actions: read"), "{unknown}");
}

#[test]
fn the_comment_of_another_job_says_what_waits_for_approval() {
    let run = |may_ask: bool| {
        let hosted = waiting();
        hosted.github.world(|world| world.lacks.extend((!may_ask).then(|| "actions=read".to_owned())));
        let payload = json!({ "ref": "refs/heads/main", "after": hosted.head(), "repository": { "default_branch": "main" } });
        let done = hosted.step(&["run", "--environment", "staging"], "push", &payload).done;
        done.assert_code(0);
        let comment = hosted.comment();
        assert!(comment.contains("v0.1.0 is live in staging"), "{comment}");
        (comment, done.stderr)
    };
    let (comment, _) = run(true);
    assert!(comment.contains("waits for approval") && comment.contains("ada, bob or team ml"), "{comment}");
    let (comment, said) = run(false);
    assert!(!comment.contains("waits for approval"), "{comment}");
    assert!(said.contains("`permissions: actions: read`"), "{said}");
}

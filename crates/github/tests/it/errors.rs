//! Refusals: what they say, and what was left.

use tagship_domain::rollout::DeploymentState::Success;
use tagship_ports::{
    Dispatcher as _, Forge as _, IssueTracker as _, PortError, Problem, Repo as _, StateStore as _,
    dispatcher::Dispatch, issue_tracker::Alert, repo::NewTag,
};
use tagship_testkit::github::Fault;

use crate::host::{Host, at, comment, commit, deployment, entry, note};

fn says<T: std::fmt::Debug>(answer: Result<T, PortError>, problem: Problem, words: &str) {
    let error = answer.expect_err(words);
    assert_eq!(error.problem, problem, "{error}");
    assert!(error.to_string().contains(words), "{error}\nlacks {words:?}");
}

fn lacking(permission: &str) -> Host {
    let host = Host::new();
    host.fake.world(|world| world.lacks.insert(permission.to_owned()));
    host
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    use Problem::Denied;
    let answer = lacking("issues=write").client().comment(&comment(1, "x")).await;
    says(answer, Denied, "add `permissions: issues: write`");
    let answer = lacking("deployments=write").client().deployment(&deployment("v1.0.0", Success, 1)).await;
    says(answer, Denied, "add `permissions: deployments: write`");
    let host = lacking("contents=write");
    says(host.client().release(&note()).await, Denied, "add `permissions: contents: write`");
    let tag = NewTag { name: "x@v1.0.0".to_owned(), commit: commit(), message: "m".to_owned(), at: at(0) };
    says(host.client().create_tag(&tag).await, Denied, "contents: write");
    let lost = host.client().append("a/b", None, &entry("x", 1)).await.map_err(|error| error.to_string());
    assert!(lost.unwrap_err().contains("contents: write"));
    let alert = Alert { topic: "t".to_owned(), title: "t".to_owned(), body: String::new(), labels: vec![] };
    says(lacking("issues=write").client().raise(&alert).await, Denied, "issues: write");
}

#[tokio::test]
async fn a_fork_is_told_what_to_do_instead() {
    let host = lacking("issues=write");
    let settings = tagship_github::Settings { from_fork: true, ..host.settings() };
    let answer = host.client_with(settings).comment(&comment(1, "x")).await;
    says(answer, Problem::Denied, "caused by a fork");
}

#[tokio::test]
async fn locked_archived_and_moved_are_told_apart() {
    let host = Host::new();
    host.fake.world(|world| world.locked.insert(7));
    says(host.client().comment(&comment(1, "x")).await, Problem::Denied, "the conversation is locked");
    host.fake.world(|world| world.archived = true);
    says(host.client().comment(&comment(1, "x")).await, Problem::Denied, "the repository is archived");
    host.fake.fail_always("*", "repos", Fault::Status(301));
    says(host.client().tip("a/b").await, Problem::NotFound, "has another name or place");
}

#[tokio::test]
async fn a_token_that_sees_nothing_is_not_an_empty_journal() {
    let host = Host::new();
    host.fake.world(|world| world.visible = false);
    says(host.client().tip("a/b").await, Problem::Denied, "the token cannot see acme/shop");
    says(host.client().checks(&commit()).await, Problem::Denied, "the token cannot see acme/shop");
    host.fake.world(|world| world.visible = true);
    assert_eq!(host.client().tip("a/b").await, Ok(None), "there is really none");
    let mut nowhere = comment(1, "x");
    nowhere.pull_request = 999;
    says(host.client().comment(&nowhere).await, Problem::NotFound, "there is none");
}

#[tokio::test]
async fn rules_for_tags_are_explained_and_leave_no_draft() {
    let host = Host::new();
    host.fake.world(|world| world.tag_rule = true);
    let tag = NewTag { name: "x@v1.0.0".to_owned(), commit: commit(), message: "m".to_owned(), at: at(0) };
    says(host.client().create_tag(&tag).await, Problem::Denied, "rulesets");
    says(host.client().release(&note()).await, Problem::Denied, "rulesets");
    host.fake.world(|world| assert_eq!(world.releases.len(), 0, "the draft is removed"));
}

#[tokio::test]
async fn an_immutable_release_is_not_touched_but_for_its_text() {
    let host = Host::new();
    host.fake.world(|world| world.immutable_releases = true);
    let client = host.client();
    client.release(&note()).await.unwrap();
    client.release(&note()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x");
    std::fs::write(&file, "x").unwrap();
    let digest = tagship_domain::Digest::from_bytes([1; 32]);
    let answer = client.attach_file("churn@v1.0.0", "x.bin", &file, &digest).await;
    says(answer, Problem::Conflict, "immutable");
}

#[tokio::test]
async fn what_the_host_does_not_know_is_not_found() {
    let host = Host::new();
    let client = host.client();
    let unknown = "d".repeat(40).parse().unwrap();
    says(client.checks(&unknown).await, Problem::NotFound, "push the commit first");
    let workflow = Dispatch::Workflow {
        file: "nope.yml".to_owned(),
        reference: "main".to_owned(),
        inputs: std::collections::BTreeMap::new(),
    };
    says(client.dispatch(&workflow).await, Problem::NotFound, "workflow_dispatch");
    let tag = NewTag { name: "x@v1.0.0".to_owned(), commit: unknown, message: "m".to_owned(), at: at(0) };
    says(client.create_tag(&tag).await, Problem::Invalid, "Object does not exist");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_success() {
    let host = Host::new();
    host.fake.fail_always("GET", "/check-runs", Fault::Garbage);
    says(host.client().checks(&commit()).await, Problem::Invalid, "not what it must be");
}

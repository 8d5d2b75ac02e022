//! Payloads as the host sends them: excerpts of published examples (tests/fixtures/README.md), and what they mean.

use proptest::prelude::*;
use serde_json::json;
use tagship_domain::event::{Asked, Command, Continuation, ModelVersion, PullRequest, Request};

use super::*;

const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const CHANGES: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";

/// Every event that is read.
const NAMES: [&str; 14] = [
    "push",
    "pull_request",
    "pull_request_target",
    "merge_group",
    "workflow_run",
    "check_suite",
    "check_run",
    "deployment_status",
    "release",
    "registry_package",
    "repository_dispatch",
    "workflow_dispatch",
    "issue_comment",
    "schedule",
];

#[track_caller]
fn event(name: &str, payload: &Value) -> Event {
    parse_event(name, payload).unwrap().event
}

/// An excerpt of a published example.
macro_rules! example {
    ($file:literal) => {{
        let text = include_str!(concat!("../../../../tests/fixtures/events/", $file, ".json"));
        serde_json::from_str::<Value>(text).unwrap()
    }};
}

#[track_caller]
fn why(name: &str, payload: &Value) -> String {
    match event(name, payload) {
        Event::Irrelevant { kind, why } => {
            assert_eq!(kind, name);
            why
        }
        other => panic!("{other:?}"),
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn pushes_of_branches_tags_and_deletions() {
    let branch = example!("push_branch");
    let after = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
    assert_eq!(event("push", &branch), Event::Push { branch: text("master"), after: after.parse().ok() });
    assert_eq!(parse_event("push", &branch).unwrap().default_branch.as_deref(), Some("master"));
    let tag = example!("push_tag");
    assert_eq!(event("push", &tag), Event::TagPush { tag: text("simple-tag"), after: after.parse().ok() });
    assert_eq!(
        event("push", &example!("push_deleted")),
        Event::TagPush { tag: text("simple-tag"), after: None }
    );
    // An annotated tag is an object of its own; the event is about the commit behind it.
    let annotated =
        json!({"ref": "refs/tags/churn@v1.0.0", "after": "b".repeat(40), "head_commit": {"id": SHA}});
    assert_eq!(
        event("push", &annotated),
        Event::TagPush { tag: text("churn@v1.0.0"), after: SHA.parse().ok() }
    );
}

#[test]
fn a_pull_request_is_about_its_head_never_the_merge_that_is_tried() {
    let opened = example!("pull_request_opened");
    let expected = PullRequest {
        number: 2,
        activity: text("opened"),
        head: CHANGES.parse().unwrap(),
        base: text("master"),
        merged: false,
        from_fork: false,
        privileged: false,
    };
    assert_eq!(event("pull_request", &opened), Event::PullRequest(expected.clone()));
    let target = event("pull_request_target", &opened);
    assert_eq!(target, Event::PullRequest(PullRequest { privileged: true, ..expected }));
    assert!(target.is_privileged());
    assert_eq!(target.sha().map(ToString::to_string).as_deref(), Some(CHANGES));
    for payload in [example!("pull_request_synchronize"), example!("pull_request_closed")] {
        assert!(matches!(event("pull_request", &payload), Event::PullRequest(pull) if !pull.merged));
    }
}

#[test]
fn a_pull_request_of_a_fork_is_told_from_one_of_our_own() {
    let fork = |head: Value| {
        let mut payload = example!("pull_request_opened");
        payload["pull_request"]["head"]["repo"] = head;
        match event("pull_request", &payload) {
            Event::PullRequest(pull) => pull.from_fork,
            other => panic!("{other:?}"),
        }
    };
    assert!(!fork(json!({"full_name": "Codertocat/Hello-World"})));
    assert!(fork(json!({"full_name": "evil/Hello-World"})));
    assert!(fork(Value::Null), "a deleted fork");
}

#[test]
fn a_merge_queue_asks_about_the_commit_that_it_made() {
    let sha = "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d".parse().unwrap();
    let mut payload = example!("merge_group");
    assert_eq!(event("merge_group", &payload), Event::MergeGroup { sha, base: text("main") });
    payload["action"] = json!("destroyed");
    assert!(why("merge_group", &payload).contains("destroyed"));
}

#[test]
fn what_finished_tells_how_and_for_which_commit() {
    let run = event("workflow_run", &example!("workflow_run_completed"));
    let Event::WorkflowRun { succeeded: false, from_fork: true, branch: Some(branch), .. } = &run else {
        panic!("{run:?}");
    };
    assert_eq!(branch, "main", "a fork's branch may have the name of ours");
    assert!(run.is_privileged());
    assert!(why("workflow_run", &example!("workflow_run_requested")).contains("requested"));
    let checks = |name: &str, succeeded| Event::Checks {
        checks: text(name),
        succeeded,
        sha: CHANGES.parse().unwrap(),
        branch: Some(text("changes")),
    };
    assert_eq!(event("check_suite", &example!("check_suite_completed")), checks("octocoders-linter", true));
    assert_eq!(event("check_run", &example!("check_run_completed")), checks("Octocoders-linter", false));
    assert!(why("check_suite", &example!("check_suite_requested")).contains("requested"));
}

#[test]
fn a_deployment_of_our_own_starts_nothing() {
    let mut payload = example!("deployment_status");
    let deployed = Event::Deployment {
        environment: text("production"),
        succeeded: true,
        sha: "f95f852bd8fca8fcc58a9a2d6c842781e32a215e".parse().unwrap(),
        reference: text("master"),
    };
    assert_eq!(event("deployment_status", &payload), deployed);
    payload["deployment_status"]["state"] = json!("in_progress");
    assert!(why("deployment_status", &payload).contains("in_progress"));
    payload["deployment_status"]["state"] = json!("success");
    payload["deployment"]["payload"] = json!({"tagship": {"rollout": "r1"}});
    assert!(why("deployment_status", &payload).contains("own"));
    // Whoever deploys may put a text there.
    payload["deployment"]["payload"] = json!("tagship");
    assert_eq!(event("deployment_status", &payload), deployed);
}

#[test]
fn only_published_releases_and_packages_count() {
    assert_eq!(
        event("release", &example!("release_published")),
        Event::ReleasePublished { tag: text("0.0.1"), at: None }
    );
    assert!(why("release", &example!("release_created")).contains("created"));
    let mut package = example!("registry_package");
    let published = |version: &str| Event::PackagePublished {
        package: text("hello-world-npm"),
        version: Some(text(version)),
    };
    assert_eq!(event("registry_package", &package), published("1.0.0"));
    package["registry_package"]["package_version"]["container_metadata"] =
        json!({"tag": {"name": "v1.4.0", "digest": "sha256:0"}});
    assert_eq!(event("registry_package", &package), published("v1.4.0"));
    package["action"] = json!("deleted");
    assert!(why("registry_package", &package).contains("deleted"));
}

#[test]
fn programs_ask_by_events_of_their_own() {
    assert!(why("repository_dispatch", &example!("repository_dispatch")).contains("on-demand-test"));
    let dispatched = |name: &str, payload: Value| {
        parse_event("repository_dispatch", &json!({"action": name, "client_payload": payload}))
            .map(|read| read.event)
    };
    let digest = format!("sha256:{}", "0".repeat(64));
    let created = dispatched(
        "model-version-created",
        json!({"model": "churn", "version": 7, "digest": digest, "environment": "", "more": true}),
    );
    assert_eq!(
        created.unwrap(),
        Event::ModelVersion(ModelVersion {
            model: "churn".parse().unwrap(),
            version: text("7"),
            digest: Some(digest.parse().unwrap()),
            uri: None,
            environment: None,
        })
    );
    let next = dispatched("tagship-continue", json!({"environment": "production", "version": "v1.0.0"}));
    let expected = Continuation {
        model: None,
        environment: Some("production".parse().unwrap()),
        version: Some("v1.0.0".parse().unwrap()),
    };
    assert_eq!(next.unwrap(), Event::Continue(expected));
    assert_eq!(
        dispatched("tagship-continue", Value::Null).unwrap(),
        Event::Continue(Continuation::default())
    );
    let error = dispatched("model-version-created", json!({"model": "churn"})).unwrap_err();
    assert!(error.message.contains("version"), "{error}");
    let error = dispatched("model-version-created", json!({"model": "a b", "version": "v1"})).unwrap_err();
    assert!(error.message.contains("a b"), "{error}");
}

#[test]
fn people_ask_by_inputs() {
    assert_eq!(event("workflow_dispatch", &example!("workflow_dispatch")), Event::Manual(Request::default()));
    assert_eq!(event("workflow_dispatch", &json!({"inputs": null})), Event::Manual(Request::default()));
    let asked = json!({"inputs": {"command": "deploy", "environment": "production", "from": "staging", "version": "",
        "other": "x"}});
    let expected = Request {
        environment: Some("production".parse().unwrap()),
        from: Some("staging".parse().unwrap()),
        command: Some(Command::Deploy),
        ..Request::default()
    };
    assert_eq!(event("workflow_dispatch", &asked), Event::Manual(expected));
    let both = json!({"inputs": {"from": "staging", "version": "v1.0.0"}});
    assert!(parse_event("workflow_dispatch", &both).unwrap_err().message.contains("from"));
}

#[test]
fn a_comment_is_a_command_only_where_a_person_just_wrote_it() {
    let chat = example!("issue_comment_created");
    assert!(why("issue_comment", &chat).contains("/tagship"));
    let command = |change: &dyn Fn(&mut Value)| {
        let mut payload = chat.clone();
        payload["comment"]["body"] = json!("/tagship pause\r\nwait");
        payload["issue"]["pull_request"] = json!({"url": "https://example.com"});
        change(&mut payload);
        payload
    };
    let Event::Comment(asked) = event("issue_comment", &command(&|_| {})) else { panic!() };
    assert_eq!(
        (asked.comment, asked.pull_request, asked.author.as_str()),
        (492_700_400, Some(1), "Codertocat")
    );
    assert_eq!(asked.created_at.to_string(), "2019-05-15T15:20:21Z");
    assert!(matches!(asked.asked, Asked::For(_)));
    let on_issue = command(&|payload| payload["issue"]["pull_request"] = Value::Null);
    assert!(
        matches!(event("issue_comment", &on_issue), Event::Comment(asked) if asked.pull_request.is_none())
    );
    for change in [
        &|payload: &mut Value| payload["action"] = json!("edited"),
        &|payload: &mut Value| payload["action"] = json!("deleted"),
        &|payload: &mut Value| payload["comment"]["user"]["type"] = json!("Bot"),
        &|payload: &mut Value| payload["comment"]["user"]["login"] = json!("github-actions[bot]"),
        &|payload: &mut Value| payload["comment"]["performed_via_github_app"] = json!({"id": 1}),
        &|payload: &mut Value| payload["comment"]["user"] = Value::Null,
    ] as [&dyn Fn(&mut Value); 6]
    {
        assert!(!why("issue_comment", &command(change)).is_empty());
    }
}

#[test]
fn a_missing_field_is_named() {
    let error = parse_event("push", &json!({"ref": "refs/heads/main"})).unwrap_err();
    assert!(error.message.contains("push payload has no after"), "{error}");
    let error = parse_event("workflow_dispatch", &json!({"inputs": {"command": "explode"}})).unwrap_err();
    assert!(error.message.contains("deploy, retry, rollback, abort"), "{error}");
    assert_eq!(event("watch", &json!({})), Event::Other { kind: text("watch") });
}

/// Any JSON, with the keys that are looked for among others.
fn any_payload() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "action",
        "ref",
        "after",
        "deleted",
        "pull_request",
        "head",
        "base",
        "sha",
        "repo",
        "full_name",
        "number",
        "merge_group",
        "head_sha",
        "base_ref",
        "workflow_run",
        "name",
        "check_suite",
        "check_run",
        "deployment",
        "deployment_status",
        "state",
        "payload",
        "release",
        "tag_name",
        "registry_package",
        "package_version",
        "client_payload",
        "version",
        "model",
        "inputs",
        "command",
        "comment",
        "body",
        "user",
        "login",
        "issue",
        "created_at",
        "id",
        "repository",
        "default_branch",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            SHA,
            "completed",
            "created",
            "published",
            "success",
            "model-version-created",
            "tagship-continue",
            "checks_requested",
            "/tagship promote",
            "refs/tags/x",
            "v1.0.0",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_payload_is_too_strange(name in prop::sample::select(NAMES.to_vec()), payload in any_payload()) {
        let _ = parse_event(name, &payload);
    }
}

//! From one environment to the next: a run that has brought a version to staging asks for the one that brings it to
//! production.

use serde_json::{Value, json};

use crate::{hosted::Hosted, workbench::Workbench};

/// A repository whose staging goes on to production, each with a server of its own.
fn chained() -> Hosted {
    let mut bench = Workbench::with_server();
    let [inference, admin] = bench.serve("production");
    let config = std::fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let (before, target) = config.split_once("      production:\n").unwrap();
    let [staged, admin_of_staged] = &bench.addresses;
    let production = target.replace(staged, &inference).replace(admin_of_staged, &admin);
    let chain = "        on-success: { dispatch: production }\n";
    bench.clone.write(
        "tagship.yml",
        format!("{before}      staging:\n{target}{chain}      production:\n{production}"),
    );
    bench.push("Go on from staging to production");
    Hosted::of(bench)
}

fn push(hosted: &Hosted) -> Value {
    json!({ "ref": "refs/heads/main", "after": hosted.head(), "repository": { "default_branch": "main" } })
}

#[test]
fn success_in_staging_asks_once_for_the_run_that_deploys_to_production() {
    let hosted = chained();
    let staging = ["run", "--environment", "staging"];
    hosted.step(&staging, "push", &push(&hosted)).done.assert_code(0);
    assert_eq!(hosted.bench.production(), None);
    let dispatched = || hosted.github.world(|world| world.dispatches.clone());
    let sent = dispatched();
    let [(None, event)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(
        *event,
        json!({
            "event_type": "tagship-continue",
            "client_payload": { "model": "churn", "environment": "production", "version": "v0.1.0" },
        })
    );
    hosted.step(&staging, "push", &push(&hosted)).done.assert_code(0);
    assert_eq!(dispatched().len(), 1, "what is there already goes nowhere again");

    // As the host hands the event over.
    let arrived = json!({
        "action": event["event_type"], "client_payload": event["client_payload"],
        "repository": { "default_branch": "main" },
    });
    let next = hosted.step(&["run"], "repository_dispatch", &arrived);
    next.done.assert_code(0);
    assert_eq!((next.output("decision"), next.output("reason-code")), ("deploy", "released-not-deployed"));
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));
    // The event may come twice, where a run died after it had asked.
    let again = hosted.step(&["run"], "repository_dispatch", &arrived);
    again.done.assert_code(0);
    assert_eq!(again.output("reason-code"), "already-deployed");
    assert_eq!(dispatched().len(), 1);
}

#[test]
fn a_token_that_may_not_ask_leaves_the_version_in_staging_and_says_why() {
    let hosted = chained();
    // Releases and tags go another way than the event, which the same permission covers.
    hosted.github.fail_always(
        "POST",
        "/dispatches",
        tagship_testkit::github::Fault::Forbidden("contents=write"),
    );
    let done = hosted.step(&["run", "--environment", "staging"], "push", &push(&hosted)).done;
    let said = done.assert_code(0).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("could not ask for the deployment to production"), "{said}");
    assert!(said.contains("contents: write"), "{said}");
}

//! What an `InferenceService` says, and what it does not.

use serde_json::{Value, json};
use tagship_ports::Problem;

use super::{
    super::view::{Newest, View},
    stage::{digest, version},
};

fn uri(number: u8) -> String {
    format!("s3://models/churn/{}", digest(number).hex())
}

/// Version 2 was written while version 1 served as `rev-1`.
fn notebook() -> Value {
    let known = |number: u8, since: Value, revision: Value| {
        let predictor = json!({ "model": { "storageUri": uri(number) } });
        json!({ "digest": digest(number).to_string(), "predictor": predictor, "since": since, "revision": revision })
    };
    let versions = json!({
        version(1).to_string(): known(1, Value::Null, json!("rev-1")),
        version(2).to_string(): known(2, json!("rev-1"), Value::Null),
    });
    let state =
        json!({ "model": "churn", "fence": 7, "stable": version(1).to_string(), "versions": versions });
    json!({ "metadata": { "name": "churn-tagship" }, "data": { "state": state.to_string() } })
}

/// `revisions`: created, ready, rolled out, and the one before.
fn seen(percent: &Value, revisions: [&str; 4], traffic: &[(&str, u8)], model: &Value) -> View {
    let shares: Vec<Value> =
        traffic.iter().map(|(name, percent)| json!({ "revisionName": name, "percent": percent })).collect();
    let service = json!({
        "metadata": { "name": "churn", "generation": 9 },
        "spec": { "predictor": { "canaryTrafficPercent": percent, "model": { "storageUri": uri(2) } } },
        "status": {
            // Both tell of the child, and of what served before.
            "observedGeneration": 9,
            "conditions": [{ "type": "Ready", "status": "True" }],
            "modelStatus": model,
            "components": { "predictor": {
                "latestCreatedRevision": revisions[0], "latestReadyRevision": revisions[1],
                "latestRolledoutRevision": revisions[2], "previousRolledoutRevision": revisions[3],
                "traffic": shares,
            } },
        },
    });
    let mut view = View::new(&"churn".parse().unwrap(), Some(service), Some(notebook())).unwrap();
    let uri = if revisions[0] == "rev-2" { uri(2) } else { uri(1) };
    view.said = Some(Newest { uri, answers: true });
    view
}

fn up_to_date() -> Value {
    json!({ "transitionStatus": "UpToDate" })
}

/// Share in force and readiness of versions 1 and 2.
fn arms(view: &View) -> [(u8, bool); 2] {
    let state = view.state().unwrap();
    [0, 1].map(|at: usize| (state.arms[at].weight.get(), state.arms[at].ready))
}

#[test]
fn counters_and_ready_do_not_make_a_version_ready() {
    let old = ["rev-1", "rev-1", "rev-1", ""];
    let view = seen(&json!(0), old, &[("rev-1", 0), ("rev-1", 100)], &up_to_date());
    assert_eq!(arms(&view), [(100, true), (0, false)], "there is no new revision yet");
    let made = ["rev-2", "rev-1", "rev-1", ""];
    let view = seen(&json!(10), made, &[("rev-1", 10), ("rev-1", 90)], &up_to_date());
    assert_eq!(arms(&view), [(100, true), (0, false)], "the latest ready one is the old one");
    assert_eq!((view.wanted(&version(1)), view.wanted(&version(2))), (90, 10));
    let ready = ["rev-2", "rev-2", "rev-1", ""];
    let loading = json!({ "transitionStatus": "InProgress" });
    let view = seen(&json!(10), ready, &[("rev-2", 10), ("rev-1", 90)], &loading);
    assert_eq!(arms(&view), [(90, true), (10, false)], "the model is not loaded");
    let view = seen(&json!(10), ready, &[("rev-2", 10), ("rev-1", 90)], &up_to_date());
    assert_eq!(arms(&view), [(90, true), (10, true)]);
    assert!(!view.is_at_rest());
}

#[test]
fn a_revision_is_of_a_version_only_if_it_says_so_and_its_server_says_that_the_model_is_loaded() {
    let ready = ["rev-2", "rev-2", "rev-1", ""];
    let mut view = seen(&json!(10), ready, &[("rev-2", 10), ("rev-1", 90)], &up_to_date());
    assert!(view.is_newest_ready() && view.must_answer());
    view.said = Some(Newest { uri: uri(2), answers: false });
    assert_eq!(arms(&view), [(90, true), (10, false)]);
    view.said = Some(Newest { uri: uri(1), answers: true });
    assert!(!view.is_newest_ready());
    let error = view.state().unwrap_err();
    assert!(
        error.message.contains("revision rev-2 has 10% of the traffic and is of no known version"),
        "{error}"
    );
    let all = ["rev-2", "rev-2", "rev-2", "rev-1"];
    let view = seen(&json!(100), all, &[("rev-2", 100)], &up_to_date());
    assert!(!view.must_answer(), "it has proven itself");
}

#[test]
fn what_is_written_is_not_told_before_it_is_in_force() {
    let ready = ["rev-2", "rev-2", "rev-1", ""];
    let view = seen(&json!(50), ready, &[("rev-2", 10), ("rev-1", 90)], &up_to_date());
    assert_eq!(view.wanted(&version(2)), 50);
    assert_eq!(arms(&view), [(90, true), (10, true)]);
    let all = ["rev-2", "rev-2", "rev-2", "rev-1"];
    let view = seen(&json!(100), all, &[("rev-2", 100)], &up_to_date());
    assert_eq!(arms(&view), [(0, true), (100, true)], "a share alone leads back to the version before");
    assert!(view.is_at_rest());
}

#[test]
fn the_version_before_is_ready_only_while_a_share_alone_leads_to_it() {
    let shares = [("rev-2", 10), ("rev-0", 0)];
    let moving = ["rev-2", "rev-2", "rev-0", "rev-1"];
    assert_eq!(arms(&seen(&json!(10), moving, &shares, &up_to_date()))[0], (0, false));
}

#[test]
fn without_a_revision_that_was_rolled_out_a_percent_means_nothing() {
    let first = ["rev-2", "rev-2", "", ""];
    let view = seen(&json!(10), first, &[("rev-2", 100)], &up_to_date());
    assert_eq!((view.wanted(&version(1)), view.wanted(&version(2))), (0, 100));
}

#[test]
fn traffic_of_an_unknown_revision_is_an_error() {
    let strange = ["rev-2", "rev-2", "rev-0", ""];
    let view = seen(&json!(10), strange, &[("rev-2", 10), ("rev-0", 90)], &up_to_date());
    let error = view.state().unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("revision rev-0 has 90% of the traffic"), "{error}");
}

#[test]
fn states_from_which_no_waiting_helps_are_told() {
    let made = ["rev-2", "rev-1", "rev-1", ""];
    let failure = json!({ "reason": "ModelLoadFailed", "message": "no such file" });
    let model = json!({ "transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": failure });
    let view = seen(&json!(0), made, &[("rev-1", 100)], &model);
    assert_eq!(view.failure(), Some("KServe says BlockedByFailedLoad: ModelLoadFailed no such file"));
    // What is over stays in the status.
    let model = json!({ "transitionStatus": "UpToDate", "lastFailureInfo": failure });
    assert_eq!(seen(&json!(0), made, &[("rev-1", 100)], &model).failure(), None);
}

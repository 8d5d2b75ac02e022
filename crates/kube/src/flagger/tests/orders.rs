//! What cannot be followed, and what is said about it; and how little is asked.

use serde_json::json;
use tagship_domain::{
    routing::{Routing, Shadow},
    traffic::Weight,
};
use tagship_ports::{
    Problem, Target,
    target::{Done, Needs},
};
use tagship_testkit::cluster::actors::Flagger;

use super::stage::{CANARY, Stage, open, settings};
use crate::played::{Orders as _, Played as _, digest, version};

#[tokio::test]
async fn every_question_is_three_reads() {
    let stage = Stage::sharing(Flagger::default()).await;
    stage.cluster.forget_requests();
    let before = stage.cluster.version();
    let orders = [
        stage.prepare(1, 2).await.map(|_| ()),
        stage.weight(2, 2, 100).await.map(|_| ()),
        stage.promote(3, 2).await.map(|_| ()),
        stage.rollback(4, 1).await.map(|_| ()),
        stage.cleanup(5, 2).await.map(|_| ()),
        stage.target.observe(stage.model()).await.map(|_| ()),
        stage.target.check(Needs::default()).await,
    ];
    let requests = stage.cluster.requests();
    assert_eq!(requests.len(), 3 * orders.len(), "{requests:?}");
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
    assert_eq!(stage.cluster.version(), before);
}

#[tokio::test]
async fn what_flagger_decides_is_refused_with_where_to_say_it() {
    let stage = Stage::sharing(Flagger::default()).await;
    let shadow = Shadow { version: version(2), share: Weight::percent(10).unwrap() };
    let routing = Routing { shadow: Some(shadow), ..Routing::default() };
    let needs = [
        Needs { weights: true, ..Needs::default() },
        Needs { counters: true, ..Needs::default() },
        Needs { endpoints: true, ..Needs::default() },
    ];
    let mut refused = vec![
        stage.weight(1, 2, 10).await.unwrap_err(),
        stage.target.route(&stage.order(2), &routing).await.unwrap_err(),
    ];
    for needs in needs {
        refused.push(stage.target.check(needs).await.unwrap_err());
    }
    for error in refused {
        assert_eq!(error.problem, Problem::Unsupported, "{error}");
        assert!(error.to_string().contains("`spec.analysis` of the Canary"), "{error}");
    }
    let plain = stage.target.route(&stage.order(3), &Routing::default()).await;
    assert_eq!(plain.unwrap(), Done::AlreadyThere);
}

#[tokio::test]
async fn a_template_that_does_not_say_its_version_is_told_as_it_is() {
    let stage = Stage::serving(Flagger::default());
    let write = |annotations| {
        stage.write(
            "churn",
            &json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } }),
        );
    };
    for (annotations, expected) in [
        (
            json!({ "tagship/digest": "latest" }),
            "`tagship/digest: \"latest\"`, which are no version and no digest",
        ),
        (json!(null), "without the annotations `tagship/version` and `tagship/digest`"),
    ] {
        write(annotations);
        let error = stage.prepare(1, 2).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unreachable, "it may still be written");
        assert!(error.message.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_version_with_other_bytes_is_refused_at_once() {
    let stage = Stage::serving(Flagger::default());
    stage.ship(2);
    let order = stage.order(1);
    let error = stage.target.prepare(&order, &version(2), &digest(9), "".as_ref()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
}

#[tokio::test]
async fn a_version_is_written_with_and_without_its_letter() {
    let stage = Stage::serving(Flagger::default());
    stage.ship(2);
    let metadata = json!({ "annotations": { "tagship/version": "2.0.0" } });
    stage.write("churn", &json!({ "spec": { "template": { "metadata": metadata } } }));
    stage.passes(2);
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
}

#[tokio::test]
async fn only_deployments_are_followed() {
    let stage = Stage::serving(Flagger::default());
    stage.change(CANARY, &json!({ "spec": { "targetRef": { "kind": "DaemonSet" } } }));
    let error = stage.target.check(Needs::default()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unsupported, "{error}");
    assert!(error.message.contains("is a DaemonSet, and only Deployments are followed"), "{error}");
}

#[tokio::test]
async fn a_canary_that_is_not_there_is_named() {
    let stage = Stage::serving(Flagger::default());
    stage.delete();
    let error = stage.prepare(1, 2).await.unwrap_err();
    assert_eq!((error.problem, error.message.as_str()), (Problem::NotFound, "Canary ml/churn is not there"));
}

#[test]
fn wrong_settings_are_named() {
    let cluster = tagship_testkit::cluster::FakeCluster::start();
    for (key, value, expected) in [
        ("manifest", json!("churn.yaml"), "unknown field `manifest`"),
        ("name", json!("Churn"), "`name` is no name"),
        ("namespace", json!(""), "`namespace` is no name"),
    ] {
        let mut settings = settings();
        settings.insert(key.to_owned(), value);
        let error = open(&cluster, &settings).unwrap_err();
        assert_eq!(error.problem, Problem::Invalid, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

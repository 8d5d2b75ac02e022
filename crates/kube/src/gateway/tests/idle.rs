//! Versions without traffic: what prepares them again leaves what answers, and makes anew what never did.

use serde_json::{Value, json};
use tagship_domain::{
    rollout::RolloutId,
    routing::{HeaderMatch, HeaderName, HeaderText, Routing},
};
use tagship_ports::{
    Target,
    target::{Done, Note, Order},
};
use tagship_testkit::cluster::{
    Fault,
    actors::{Deployments, Gateway},
};

use super::{
    findings::{MERGE, arrived, changed},
    stage::{MANIFEST, Stage, digest, named, version},
};
use crate::played::Orders as _;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/ml/deployments";

#[tokio::test]
async fn an_idle_version_keeps_the_port_that_it_listens_on() {
    let target = |stage: &Stage| {
        let service = stage.cluster.object("services", "ml", &named(2)).unwrap();
        service["spec"]["ports"][0]["targetPort"].clone()
    };
    for marks in [json!({}), json!({ "metadata": { "annotations": { "tagship/port": null } } })] {
        let mut stage = Stage::new().two_versions().await;
        let deployment = format!("{DEPLOYMENTS}/{}", named(2));
        assert_eq!(stage.cluster.act("PATCH", &deployment, MERGE, &marks).0, 200);
        let manifest = MANIFEST.replace("8080", "9090");
        let _directory = changed(&mut stage, &json!({ "port": 9090 }), &manifest);
        stage.prepare(5, 2).await.unwrap();
        assert_eq!(target(&stage), 8080, "its pods are the ones of before: {marks}");
    }
    let mut stage = Stage::new().two_versions().await;
    let _directory = changed(&mut stage, &json!({ "port": 9090 }), MANIFEST);
    let service = format!("/api/v1/namespaces/ml/services/{}", named(2));
    assert_eq!(stage.cluster.act("DELETE", &service, "application/json", &Value::Null).0, 200);
    stage.prepare(5, 2).await.unwrap();
    assert_eq!(target(&stage), 8080, "a Service that is made again leads there too");
}

#[tokio::test]
async fn a_version_that_is_made_anew_is_reached_on_its_new_port() {
    let mut stage = Stage::with(Deployments::failing(&named(1)), Gateway::named("public"));
    stage.prepare(1, 1).await.unwrap();
    stage.step();
    let _directory = changed(&mut stage, &json!({ "port": 9090 }), &MANIFEST.replace("8080", "9090"));
    assert_eq!(stage.prepare(2, 1).await, Ok(Done::Pending));
    let service = stage.cluster.object("services", "ml", &named(1)).unwrap();
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 9090);
    let deployment = stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap();
    assert_eq!(deployment["metadata"]["annotations"]["tagship/port"], "9090");
}

#[tokio::test]
async fn a_version_that_is_short_of_pods_is_not_made_anew() {
    let mut stage = Stage::new().two_versions().await;
    let uid = |stage: &Stage| {
        stage.cluster.object("deployments.apps", "ml", &named(2)).unwrap()["metadata"]["uid"].clone()
    };
    let first = uid(&stage);
    stage.play(vec![Box::new(Deployments::without_pods(&named(2), 1)), Box::new(Gateway::named("public"))]);
    stage.step();
    let _directory = changed(&mut stage, &json!({}), &MANIFEST.replace("server:1", "server:2"));
    stage.prepare(5, 2).await.unwrap();
    assert_eq!(uid(&stage), first, "one of two pods answers");
}

#[tokio::test]
async fn a_version_that_a_header_leads_to_is_not_made_anew() {
    let mut stage = Stage::new().two_versions().await;
    let before = stage.cluster.object("deployments.apps", "ml", &named(2)).unwrap();
    let rule =
        HeaderMatch { header: HeaderName::new("X-Cohort").unwrap(), exact: HeaderText::new("beta").unwrap() };
    let routing = Routing { matched: Some(rule.to(&version(2))), ..Routing::default() };
    stage.target.route(&stage.order(5), &routing).await.unwrap();
    stage.play(vec![Box::new(Deployments::without_pods(&named(2), 2)), Box::new(Gateway::named("public"))]);
    stage.step();
    let _directory = changed(&mut stage, &json!({}), &MANIFEST.replace("server:1", "server:2"));
    stage.prepare(6, 2).await.unwrap();
    let after = stage.cluster.object("deployments.apps", "ml", &named(2)).unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
}

#[tokio::test]
async fn a_version_that_comes_up_while_it_is_to_be_deleted_stays() {
    let mut stage = Stage::with(Deployments::failing(&named(1)), Gateway::named("public"));
    stage.prepare(1, 1).await.unwrap();
    stage.step();
    let before = stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap();
    let _directory = changed(&mut stage, &json!({ "port": 9090 }), &MANIFEST.replace("8080", "9090"));
    stage.play(vec![Box::new(Deployments::default()), Box::new(Gateway::named("public"))]);
    stage.cluster.fail_next("DELETE", "deployments", Fault::Slow(1));
    let coming = async {
        arrived(&stage.cluster, "DELETE").await;
        stage.step();
        stage.cluster.advance(1);
    };
    let (prepared, ()) = tokio::join!(stage.prepare(2, 1), coming);
    prepared.unwrap();
    let after = stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    let service = stage.cluster.object("services", "ml", &named(1)).unwrap();
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 8080, "it listens where it did");
}

#[tokio::test]
async fn a_service_that_a_run_left_behind_is_removed() {
    let service = |stage: &Stage, number: u8| stage.cluster.object("services", "ml", &named(number));
    let stage = Stage::new().two_versions().await;
    let note = Note {
        rollout: RolloutId("production-churn-7".to_owned()),
        candidate: digest(3),
        stable: Some(digest(1)),
        step: "validating 0".to_owned(),
        deadline: None,
        run: None,
    };
    let noted = |fence: u64| Order { note: Some(note.clone()), ..stage.order(fence) };
    // What comes first is a rehearsal.
    stage.cluster.fail_after("POST", "/deployments", 1, Fault::CutBefore);
    let bytes = std::path::Path::new("");
    assert!(stage.target.prepare(&noted(5), &version(3), &digest(3), bytes).await.is_err());
    assert!(service(&stage, 3).is_some());
    stage.target.rollback(&noted(6), Some(&version(1))).await.unwrap();
    stage.target.cleanup(&noted(7), &version(3)).await.unwrap();
    assert_eq!(service(&stage, 3), None);
    stage.step();
    assert_eq!(stage.target.cleanup(&noted(7), &version(3)).await, Ok(Done::AlreadyThere));
    assert!(service(&stage, 1).is_some(), "what is of another version stays");

    let deployment = format!("{DEPLOYMENTS}/{}", named(2));
    assert_eq!(stage.cluster.act("DELETE", &deployment, "application/json", &Value::Null).0, 200);
    stage.target.cleanup(&stage.order(8), &version(2)).await.unwrap();
    assert_eq!(service(&stage, 2), None, "the route remembers it");
}

//! What the account may do: exactly what is needed, and what is missing is named before anything is written.

use serde_json::{Value, json};
use tagship_ports::{Problem, Target, conformance, target::Needs};
use tagship_testkit::cluster::actors::InferenceServices;

use super::{
    super::{access, settings::Mode},
    stage::{Stage, loadable},
};
use crate::played::{Orders as _, ask, granted, without};

fn needs() -> Needs {
    Needs { weights: true, endpoints: true, ..Needs::default() }
}

fn role() -> Value {
    access("ml", "churn", Mode::Knative, true).role()
}

#[tokio::test]
async fn the_role_grants_what_is_done_and_nothing_else() {
    let stage = Stage::new(InferenceServices::slow(1));
    stage.cluster.grant(&role());
    stage.target.check(needs()).await.unwrap();
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    // Numbers of orders go on where the suite ended.
    stage.until(|| stage.prepare(20, 1)).await;
    ask(&stage, &stage.target, 1).await;
    let mut used = stage.cluster.uses();
    used.retain(|(_, kind)| !kind.starts_with("selfsubjectaccessreviews"));
    assert_eq!(used, granted(&role()));
}

#[tokio::test]
async fn every_right_that_is_missing_is_named() {
    for (verb, kind) in granted(&role()) {
        let stage = Stage::new(InferenceServices::default());
        let plural = kind.split('.').next().unwrap();
        stage.cluster.grant(&without(role(), &verb, plural));
        let error = stage.target.check(needs()).await.unwrap_err();
        assert_eq!(error.problem, Problem::Denied);
        assert_eq!(error.message, format!("the account may not {verb} {plural} in namespace ml"));
        assert!(error.to_string().contains("tagship init --target kserve --rbac"), "{error}");
    }
}

#[tokio::test]
async fn golden_cases_ask_the_revision_and_not_the_service() {
    let stage = Stage::sharing(InferenceServices::default(), 25).await;
    for (number, revision) in [(1, "churn-predictor-00001-private"), (2, "churn-predictor-00002-private")] {
        stage.cluster.forget_requests();
        ask(&stage, &stage.target, number).await;
        let requests = stage.cluster.requests();
        let asked = format!("services/http:{revision}:80/proxy/v2/models/churn/infer");
        assert!(requests.iter().any(|request| request.contains(&asked)), "{requests:?}");
    }
}

#[test]
fn the_manifests_are_yaml_of_one_role() {
    let settings = json!({ "namespace": "ml", "name": "churn", "context": "prod" });
    let rights = crate::rights("kserve", settings.as_object().unwrap(), true).unwrap();
    assert_eq!(rights.context.as_deref(), Some("prod"));
    let documents: Vec<Value> = rights
        .manifests
        .split("---\n")
        .skip(1)
        .map(|text| tagship_config::yaml::to_json(text).unwrap())
        .collect();
    assert_eq!(documents[0], role());
    assert_eq!(documents[1]["roleRef"]["name"], "tagship-kserve-churn");
    let wrong = json!({ "namespace": "ml", "name": "Churn\n---" });
    let error = crate::rights("kserve", wrong.as_object().unwrap(), true).unwrap_err();
    assert!(error.message.contains("`name` is no name"), "{error}");
}

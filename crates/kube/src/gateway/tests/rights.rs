//! What the account may do: exactly what is needed, and what is missing is named before anything is written.

use serde_json::{Value, json};
use tagship_ports::{
    Problem, Target,
    conformance::{self, Loadable},
    target::Needs,
};

use tagship_testkit::cluster::Fault;

use super::super::access;
use super::stage::{Stage, digest, version};
use crate::played::{Orders as _, ask, granted, without};

fn role(namespace: &str, route: &str, endpoints: bool) -> Value {
    access(namespace, route, endpoints).role()
}

const ALL: Needs =
    Needs { weights: true, endpoints: true, counters: false, sticky: false, shadow: false, matches: true };

fn loadable(number: u8) -> Loadable {
    Loadable { version: version(u64::from(number)), digest: digest(number), bytes: Stage::bytes() }
}

#[tokio::test]
async fn the_role_grants_what_is_done_and_nothing_else() {
    let stage = Stage::new();
    let role = role("ml", "churn", true);
    stage.cluster.grant(&role);
    stage.target.check(ALL).await.unwrap();
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    // Numbers of orders go on where the suite ended.
    stage.prepare(20, 1).await.unwrap();
    stage.step();
    stage.prepare(21, 1).await.unwrap();
    ask(&stage, &stage.target, 1).await;
    let mut used = stage.cluster.uses();
    used.retain(|(_, kind)| !kind.starts_with("selfsubjectaccessreviews"));
    assert_eq!(used, granted(&role));
}

#[tokio::test]
async fn every_right_that_is_missing_is_named() {
    for (at, (verb, kind)) in granted(&role("ml", "churn", true)).into_iter().enumerate() {
        let (stage, plural) = (Stage::new(), kind.split('.').next().unwrap());
        stage.cluster.grant(&without(role("ml", "churn", true), &verb, plural));
        let before = stage.cluster.version();
        let error = stage.target.check(ALL).await.unwrap_err();
        assert_eq!(error.problem, Problem::Denied, "{at}");
        assert_eq!(error.message, format!("the account may not {verb} {plural} in namespace ml"));
        assert!(error.to_string().contains("tagship init --target gateway-api --rbac"), "{error}");
        assert_eq!(stage.cluster.version(), before);
        assert!(stage.cluster.requests().len() <= 12, "{:?}", stage.cluster.requests());
    }
}

#[tokio::test]
async fn rights_on_versions_endpoints_are_asked_for_only_where_they_are_used() {
    let stage = Stage::new();
    stage.cluster.deny("create", "services/proxy");
    stage.target.check(Needs::default()).await.unwrap();
}

#[tokio::test]
async fn what_the_cluster_does_not_tell_is_not_missing() {
    let stage = Stage::new();
    stage.cluster.fail_next("POST", "selfsubjectaccessreviews", Fault::Status(403));
    let error = stage.target.check(ALL).await.unwrap_err();
    assert!(error.may_pass() && error.message.contains("is not known: planned by the test"), "{error}");
    stage.cluster.fail_next("POST", "selfsubjectaccessreviews", Fault::Status(401));
    assert_eq!(stage.target.check(ALL).await.unwrap_err().problem, Problem::Denied, "nobody knows us");
    stage.cluster.puzzle("no authorizer answers");
    let error = stage.target.check(ALL).await.unwrap_err();
    assert!(error.may_pass() && error.message.contains("proxy: no authorizer answers"), "{error}");
}

#[test]
fn the_manifests_are_yaml_of_one_role() {
    let rights = |settings: Value, endpoints: bool| {
        crate::rbac("gateway-api", settings.as_object().unwrap(), endpoints).unwrap()
    };
    let settings = json!({ "namespace": "ml", "route": "churn", "context": "prod" });
    for endpoints in [false, true] {
        let rights = rights(settings.clone(), endpoints).unwrap();
        assert_eq!(rights.context.as_deref(), Some("prod"));
        assert_eq!(rights.manifests.contains("services/proxy"), endpoints);
        let documents: Vec<Value> = rights
            .manifests
            .split("---\n")
            .skip(1)
            .map(|text| tagship_config::yaml::to_json(text).unwrap())
            .collect();
        assert_eq!(documents[0], role("ml", "churn", endpoints));
        assert_eq!(documents[1]["kind"], "RoleBinding");
        assert_eq!(documents[1]["roleRef"]["name"], "tagship-churn");
    }
    assert!(rights(json!({ "namespace": "ml" }), true).is_err());
    let error = rights(json!({ "namespace": "ml", "route": "Churn\n---" }), true).unwrap_err();
    assert!(error.message.contains("`route` is no name"), "{error}");
    assert!(crate::rbac("local", settings.as_object().unwrap(), true).is_none());
}

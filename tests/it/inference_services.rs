//! Rollouts with `KServe` on a played Kubernetes API, through the program and a kubeconfig.

use serde_json::{Value, json};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Actor, Gateway, InferenceServices, StandardServices},
};

use crate::on_cluster::Stage;

const MANIFEST: &str = "apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
spec:
  predictor:
    minReplicas: 1
    model:
      modelFormat: { name: onnx }
      protocolVersion: v2
      storageUri: pvc://models/{{digest-hex}}
";
fn in_mode(mode: &str, manifest: &str, actors: Vec<Box<dyn Actor>>) -> Stage {
    let target =
        format!("kserve: {{ namespace: ml, name: churn, mode: {mode}, manifest: deploy/churn.yaml }}");
    Stage::on(&target, manifest, actors)
}

fn knative(manifest: &str) -> Stage {
    in_mode("knative", manifest, vec![Box::new(InferenceServices::slow(1))])
}

/// In Standard mode, with a gateway that takes every route.
fn standard(controller: StandardServices) -> Stage {
    let gateway = Gateway::named("kserve-ingress-gateway");
    in_mode("standard", MANIFEST, vec![Box::new(controller), Box::new(gateway)])
}

/// Puts the times in the memory on the cluster back, so that nobody waits for a minute to pass.
fn turn_back(cluster: &FakeCluster) {
    let Some(notebook) = cluster.object("configmaps", "ml", "churn-tagship") else { return };
    let mut state: Value = serde_json::from_str(notebook["data"]["state"].as_str().unwrap()).unwrap();
    let times = state.as_object_mut().unwrap().iter_mut();
    for (_, time) in times.filter(|(key, _)| ["shown", "unlisted"].contains(&key.as_str())) {
        *time = json!("2026-01-01T00:00:00Z");
    }
    let change = json!({ "data": { "state": state.to_string() } });
    let target = "/api/v1/namespaces/ml/configmaps/churn-tagship?fieldManager=tagship";
    assert_eq!(cluster.act("PATCH", target, "application/merge-patch+json", &change).0, 200);
}

/// Shares by revision, the newest first, and the share that is written.
fn told(stage: &Stage) -> (Vec<(String, u64)>, Value) {
    let service = stage.cluster.object("inferenceservices.serving.kserve.io", "ml", "churn").unwrap();
    let traffic = service["status"]["components"]["predictor"]["traffic"].as_array().unwrap().clone();
    let share = |share: &Value| {
        (share["revisionName"].as_str().unwrap()[16..].to_owned(), share["percent"].as_u64().unwrap())
    };
    (traffic.iter().map(share).collect(), service["spec"]["predictor"]["canaryTrafficPercent"].clone())
}

fn shares(of: &[(&str, u64)]) -> Vec<(String, u64)> {
    of.iter().map(|(revision, percent)| ((*revision).to_owned(), *percent)).collect()
}

#[test]
fn versions_are_promoted_and_rolled_back_under_exactly_the_printed_role() {
    let mut stage = knative(MANIFEST);
    let printed = stage.run(&["init", "--target", "kserve", "--rbac"]);
    printed.assert_code(0);
    let role = printed.stdout.split("---\n").nth(1).unwrap();
    stage.cluster.grant(&tagship_config::yaml::to_json(role).unwrap());

    stage.lead(&["rollout", "--once"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    assert_eq!(told(&stage), (shares(&[("00001", 100)]), Value::Null));

    stage.next("v2");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    assert_eq!(told(&stage), (shares(&[("00002", 25), ("00001", 75)]), json!(25)));
    let notebook = stage.cluster.object("configmaps", "ml", "churn-tagship").unwrap();
    let notes = &notebook["metadata"]["annotations"];
    assert!(notes["tagship/rollout-id"].as_str().unwrap().starts_with("production-v0.2.0"), "{notes}");
    stage.lead(&["rollout", "--once", "--promote"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    assert_eq!(told(&stage), (shares(&[("00002", 100)]), Value::Null));

    // The node of the third version is lost while it has a quarter of the traffic.
    stage.next("v3");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    stage.cluster.serve("churn-predictor-00003-private", 503, json!({ "error": "no pod" }));
    let end = stage.lead(&["rollout", "--once"]);
    end.assert_code(1);
    assert!(end.stdout.contains("v0.2.0 serves again"), "{}", end.stdout);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    let (traffic, written) = told(&stage);
    assert_eq!((traffic, written), (shares(&[("00004", 100)]), Value::Null));

    stage.lead(&["rollback", "--once"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    let rights: Vec<String> =
        stage.cluster.uses().iter().map(|(verb, kind)| format!("{verb} {kind}")).collect();
    assert!(rights.contains(&"get revisions.serving.knative.dev".to_owned()), "{rights:?}");
}

#[test]
fn a_store_without_an_address_is_told_before_anything_is_written() {
    let mut stage = knative(&MANIFEST.replace("pvc://models/{{digest-hex}}", "'{{address}}'"));
    let end = stage.lead(&["rollout", "--once"]);
    end.assert_code(1);
    let said = format!("{}{}", end.stdout, end.stderr);
    assert!(said.contains("no address of the release"), "{said}");
    assert!(said.contains("modelcar: true"), "{said}");
    assert!(stage.cluster.object("inferenceservices.serving.kserve.io", "ml", "churn").is_none());
}

#[test]
fn what_the_account_may_not_do_is_told_before_a_rollout_begins() {
    let stage = knative(MANIFEST);
    stage.cluster.deny("get", "revisions.serving.knative.dev");
    let before = stage.cluster.version();
    let done = stage.run(&["rollout", "--once"]);
    done.assert_code(2);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("the account may not get revisions in namespace ml"), "{said}");
    assert!(said.contains("tagship init --target kserve --rbac"), "{said}");
    assert_eq!(stage.cluster.version(), before);
}

#[test]
fn in_standard_mode_versions_are_promoted_where_a_route_carries_their_share() {
    let mut stage = standard(StandardServices::splitting(1));
    let printed = stage.run(&["init", "--target", "kserve", "--rbac"]);
    printed.assert_code(0);
    let role = printed.stdout.split("---\n").nth(1).unwrap();
    stage.cluster.grant(&tagship_config::yaml::to_json(role).unwrap());
    stage.lead(&["rollout", "--once"]).assert_code(0);

    stage.next("v2");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    let route = stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").unwrap();
    let weights: Vec<u64> = route["spec"]["rules"][0]["backendRefs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|backend| backend["weight"].as_u64().unwrap())
        .collect();
    assert_eq!(weights, [75, 25]);
    stage.lead(&["rollout", "--once", "--promote"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    stage.lead(&["rollback", "--once"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn in_standard_mode_a_version_whose_share_no_route_carries_gets_none_and_the_reason_is_told() {
    let mut stage = standard(StandardServices::ignoring());
    stage.lead_through(&["rollout", "--once"], turn_back).assert_code(0);
    stage.next("v2");
    let end = stage.lead_through(&["rollout", "--once"], turn_back);
    end.assert_code(1);
    // On the screen it is broken into lines.
    let said = format!("{} {}", end.stdout, end.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("no HTTPRoute carries its share"), "{said}");
    assert!(said.contains("use target gateway-api"), "{said}");
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    let service = stage.cluster.object("inferenceservices.serving.kserve.io", "ml", "churn").unwrap();
    assert_eq!(service["spec"].get("canary"), None, "it is taken away again");
}

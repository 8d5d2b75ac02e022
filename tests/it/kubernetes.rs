//! Rollouts behind a gateway on a played Kubernetes API, through the program and a kubeconfig.

use std::fs;

use tagship_testkit::cluster::actors::{Deployments, Gateway};

use crate::{
    on_cluster::{Stage, TICKS},
    workbench::CONFIG,
};

const MANIFEST: &str = "apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: server
        image: registry.example.org/server:1
        args: [\"--digest={{digest}}\"]
";
/// Version v0.1.0 is released, and nothing serves.
fn stage() -> Stage {
    let target = "gateway-api: { namespace: ml, route: churn, gateways: [ { name: public } ], manifest: deploy/churn.yaml }";
    Stage::on(target, MANIFEST, vec![Box::new(Deployments::default()), Box::new(Gateway::named("public"))])
}

/// Weights of the route, in the order of the versions' digests.
fn weights(stage: &Stage) -> Vec<u64> {
    let route = stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").unwrap();
    let backends = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap().clone();
    let mut weights: Vec<u64> = backends.iter().map(|backend| backend["weight"].as_u64().unwrap()).collect();
    weights.sort_unstable();
    weights
}

#[test]
fn versions_are_promoted_and_rolled_back() {
    let mut stage = stage();
    // The account has exactly the rights that the program prints.
    let printed = stage.run(&["init", "--target", "gateway-api", "--rbac"]);
    printed.assert_code(0);
    let role = printed.stdout.split("---\n").nth(1).unwrap();
    stage.cluster.grant(&tagship_config::yaml::to_json(role).unwrap());

    stage.lead(&["rollout", "--once"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    assert_eq!(weights(&stage), [100]);

    stage.next("v2");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    assert_eq!(weights(&stage), [25, 75]);
    let route = stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").unwrap();
    let notes = &route["metadata"]["annotations"];
    assert!(notes["tagship/rollout-id"].as_str().unwrap().starts_with("production-v0.2.0"), "{notes}");
    stage.lead(&["rollout", "--once", "--promote"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    assert_eq!(weights(&stage), [100]);

    stage.next("v3");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    let candidate = route_candidate(&stage);
    stage.actors =
        vec![Box::new(Deployments::without_pods(&candidate, 1)), Box::new(Gateway::named("public"))];
    stage.cluster.step(&mut stage.actors);
    let end = stage.lead(&["rollout", "--once"]);
    end.assert_code(1);
    assert!(end.stdout.contains("v0.2.0 serves again"), "{}", end.stdout);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    assert_eq!(weights(&stage), [100]);
}

/// Name of the objects of the version with a quarter of the traffic.
fn route_candidate(stage: &Stage) -> String {
    let route = stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").unwrap();
    let backends = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap().clone();
    let candidate = backends.iter().find(|backend| backend["weight"] == 25).unwrap();
    candidate["name"].as_str().unwrap().to_owned()
}

#[test]
fn what_the_account_may_not_do_is_told_before_anything_is_written() {
    let stage = stage();
    stage.cluster.deny("create", "deployments.apps");
    let before = stage.cluster.version();
    let done = stage.run(&["rollout", "--once"]);
    done.assert_code(2);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("the account may not create deployments in namespace ml"), "{said}");
    assert!(said.contains("tagship init --target gateway-api --rbac"), "{said}");
    assert_eq!(stage.cluster.version(), before);
    assert!(!stage.bench.published().iter().any(|name| name.contains("rollouts")), "no rollout was begun");
}

#[test]
fn a_right_that_is_missing_does_not_block_the_way_back() {
    let mut stage = stage();
    stage.lead(&["rollout", "--once"]).assert_code(0);
    stage.next("v2");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    stage.lead(&["rollout", "--once", "--promote"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    stage.cluster.deny("delete", "services");
    let mut done = stage.run(&["rollback", "--once"]);
    for _ in 0..TICKS {
        if done.code != 6 {
            break;
        }
        stage.cluster.step(&mut stage.actors);
        done = stage.run(&["rollout", "--once"]);
    }
    let said = format!("{}{}", done.stdout, done.stderr);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"), "{}: {said}", done.code);
    assert_eq!(weights(&stage), [100]);
}

#[test]
fn rights_are_printed_for_targets_that_need_some() {
    let stage = stage();
    let role = stage.run(&["init", "--target", "local", "--rbac"]);
    role.assert_code(2);
    assert!(
        role.stderr.contains("kinds that do are argo-rollouts, flagger, gateway-api, kserve"),
        "{}",
        role.stderr
    );
    stage.run(&["init", "--rbac"]).assert_code(2);
    let printed = stage.run(&["init", "--target", "gateway-api", "--rbac"]).stdout;
    assert!(printed.starts_with("# For the current context of the kubeconfig\n---\n"), "{printed}");
    assert!(!printed.contains("services/proxy"), "no golden cases are configured: {printed}");
    let config = fs::read_to_string(stage.bench.clone.path().join("tagship.yml")).unwrap();
    assert!(config.contains("gateway-api"));
    stage.bench.clone.write("tagship.yml", CONFIG);
    let none = stage.run(&["init", "--target", "gateway-api", "--rbac"]);
    none.assert_code(2);
    assert!(none.stderr.contains("no environment of tagship.yml"), "{}", none.stderr);
}

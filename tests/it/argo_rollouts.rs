//! Rollouts with Argo Rollouts on a played Kubernetes API, through the program and a kubeconfig.

use serde_json::json;
use tagship_testkit::cluster::actors::Rollouts;

use crate::on_cluster::Stage;

const MANIFEST: &str = "apiVersion: argoproj.io/v1alpha1
kind: Rollout
spec:
  replicas: 2
  selector: { matchLabels: { app: churn } }
  template:
    metadata: { labels: { app: churn } }
    spec:
      containers:
      - { name: server, image: registry.example.org/server, args: [--model, 's3://models/{{digest-hex}}'] }
  strategy:
    canary:
      trafficRouting: { nginx: { stableIngress: churn } }
";

fn stage(manifest: &str) -> Stage {
    let target = "argo-rollouts: { namespace: ml, name: churn, manifest: deploy/churn.yaml }";
    Stage::on(target, manifest, vec![Box::new(Rollouts::slow(1))])
}

/// The version that is written, and the canary's share as the status tells it.
fn told(stage: &Stage) -> (String, u64) {
    let rollout = stage.cluster.object("rollouts.argoproj.io", "ml", "churn").unwrap();
    let version = &rollout["spec"]["template"]["metadata"]["annotations"]["tagship/version"];
    let weight = &rollout["status"]["canary"]["weights"]["canary"]["weight"];
    (version.as_str().unwrap().to_owned(), weight.as_u64().unwrap())
}

#[test]
fn versions_are_promoted_and_rolled_back_under_exactly_the_printed_role() {
    let mut stage = stage(MANIFEST);
    let printed = stage.run(&["init", "--target", "argo-rollouts", "--rbac"]);
    printed.assert_code(0);
    let role = printed.stdout.split("---\n").nth(1).unwrap();
    stage.cluster.grant(&tagship_config::yaml::to_json(role).unwrap());

    stage.lead(&["rollout", "--once"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    assert_eq!(told(&stage), ("v0.1.0".to_owned(), 0));

    stage.next("v2");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    assert_eq!(told(&stage), ("v0.2.0".to_owned(), 25));
    let rollout = stage.cluster.object("rollouts.argoproj.io", "ml", "churn").unwrap();
    let notes = &rollout["metadata"]["annotations"];
    assert!(notes["tagship/rollout-id"].as_str().unwrap().starts_with("production-v0.2.0"), "{notes}");
    stage.lead(&["rollout", "--once", "--promote"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    assert_eq!(told(&stage), ("v0.2.0".to_owned(), 0));

    // The node of the third version is lost while it has a quarter of the traffic.
    stage.next("v3");
    stage.lead(&["rollout", "--once"]).assert_code(4);
    stage.cluster.serve("churn-canary", 503, json!({ "error": "no pod" }));
    let end = stage.lead(&["rollout", "--once"]);
    end.assert_code(1);
    assert!(end.stdout.contains("v0.2.0 serves again"), "{}", end.stdout);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    // Both Services lead to it already, and the router's weights follow.
    for _ in 0..3 {
        stage.cluster.step(&mut stage.actors);
    }
    assert_eq!(told(&stage), ("v0.2.0".to_owned(), 0));

    stage.lead(&["rollback", "--once"]).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    assert_eq!(told(&stage).0, "v0.1.0");
}

#[test]
fn what_cannot_be_served_truthfully_is_told_before_anything_is_written() {
    let stage = stage(&MANIFEST.replace("{ nginx: { stableIngress: churn } }", "{}"));
    let before = stage.cluster.version();
    let done = stage.run(&["rollout", "--once"]);
    done.assert_code(2);
    // On the screen it is broken into lines.
    let said = format!("{} {}", done.stdout, done.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("shares traffic by the number of pods"), "{said}");
    assert_eq!(stage.cluster.version(), before);
}

#[test]
fn what_the_account_may_not_do_is_told_before_a_rollout_begins() {
    let stage = stage(MANIFEST);
    stage.cluster.deny("get", "replicasets.apps");
    let before = stage.cluster.version();
    let done = stage.run(&["rollout", "--once"]);
    done.assert_code(2);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("the account may not get replicasets in namespace ml"), "{said}");
    assert!(said.contains("tagship init --target argo-rollouts --rbac"), "{said}");
    assert_eq!(stage.cluster.version(), before);
}

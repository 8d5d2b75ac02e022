//! Settings and manifests that are no good, and what is said about them.

use std::path::Path;

use serde_json::{Map, Value, json};
use tagship_ports::{Problem, Target};
use tagship_testkit::cluster::{FakeCluster, actors::Rollouts};

use super::stage::{MANIFEST, Stage, digest, open, settings, version};
use crate::played::Orders as _;

fn check(change: impl Fn(&mut Map<String, Value>), manifest: &str, expected: &str) {
    let mut settings = settings();
    change(&mut settings);
    let error = open(&FakeCluster::start(), &settings, manifest).map(|_| ()).unwrap_err();
    assert_eq!(error.problem, Problem::Invalid, "{error}");
    assert!(error.to_string().contains(expected), "{error}\nshould contain: {expected}");
}

#[test]
fn wrong_settings_are_named() {
    let with = |key: &'static str, value: Value| {
        move |settings: &mut Map<String, Value>| {
            settings.insert(key.to_owned(), value.clone());
        }
    };
    check(with("nam", json!("x")), MANIFEST, "unknown field `nam`");
    check(with("name", json!("Churn")), MANIFEST, "`name` is no name");
    check(with("name", json!("a".repeat(53))), MANIFEST, "1 to 52");
    check(with("namespace", json!("")), MANIFEST, "`namespace` is no name");
    check(with("manifest", json!("../churn.yaml")), MANIFEST, "no file of the repository");
}

#[test]
fn manifests_that_could_not_be_served_truthfully_are_named() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(MANIFEST.contains(from), "{from}");
        check(|_| {}, &MANIFEST.replace(from, to), expected);
    };
    let canary = |field: &str| format!("    canary:\n      {field}\n");
    check("{{digest-hex}}", "latest", "uses none of {{address}}, {{digest}} and {{digest-hex}}");
    check("kind: Rollout", "kind: Deployment", "no Rollout");
    check("\nspec:", "\nmetadata: [a]\nspec:", "`metadata` is no mapping");
    check("{ nginx: { stableIngress: churn } }", "{}", "shares traffic by the number of pods");
    check("replicas: 2", "replicas: 0", "`spec.replicas` must be 1 or more");
    check("replicas: 2", "paused: true", "`spec.paused`");
    check("replicas: 2", "rollbackWindow: { revisions: 3 }", "everything at once");
    check("replicas: 2", "workloadRef: { kind: Deployment, name: churn }", "`spec.workloadRef`");
    check("    canary:\n", "    blueGreen: {}\n    canary:\n", "led through blue-green too");
    check("    canary:\n", &canary("steps: [{ setWeight: 20 }]"), "steps are Tagship's");
    check("    canary:\n", &canary("stableService: mine"), "Tagship makes the Services");
    check("    canary:\n", &canary("dynamicStableScale: true"), "could not take the traffic back");
    check(
        "labels: { app: churn } }\n    spec",
        "labels: { app: other } }\n    spec",
        "label \"app\" of `spec.selector`",
    );
    check("{ matchLabels: { app: churn } }", "{}", "of `matchLabels` alone");
}

#[tokio::test]
async fn another_selector_is_told_before_anything_is_written() {
    let stage = Stage::serving(Rollouts::default()).await;
    let manifest = MANIFEST.replace("app: churn", "app: other");
    let (target, _directory) = open(&stage.cluster, &settings(), &manifest).unwrap();
    let before = stage.cluster.version();
    let order = stage.order(3);
    let error = target.prepare(&order, &version(2), &digest(2), Path::new("")).await.unwrap_err();
    assert!(error.message.contains("`spec.selector` of the manifest is not the Rollout's"), "{error}");
    assert_eq!(stage.cluster.version(), before);
}

#[tokio::test]
async fn a_manifest_with_an_address_gets_the_one_of_the_release() {
    let manifest = MANIFEST.replace("'{{digest-hex}}'", "'{{address}}'");
    let stage = Stage::on(FakeCluster::start(), Rollouts::default(), &manifest);
    stage.prepare(1, 1).await.unwrap();
    let argument = stage.rollout()["spec"]["template"]["spec"]["containers"][0]["args"][1].clone();
    assert!(argument.as_str().unwrap().starts_with("registry.example.org/churn@sha256:"), "{argument}");
}

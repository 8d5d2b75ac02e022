//! Settings and manifests that are no good, and what is said about them.

use serde_json::{Map, Value, json};
use tagship_ports::Problem;
use tagship_testkit::cluster::FakeCluster;

use super::{
    super::GatewayApiTarget,
    stage::{MANIFEST, open, settings},
};

fn check(change: impl Fn(&mut Map<String, Value>), manifest: &str, expected: &str) {
    let mut settings = settings();
    change(&mut settings);
    let error = open(&FakeCluster::start(), &settings, manifest).map(|_| ()).unwrap_err();
    assert_eq!(error.problem, Problem::Invalid, "{error}");
    assert!(error.to_string().contains(expected), "{error}\nshould contain: {expected}");
}

fn with(key: &str, value: Value) -> impl Fn(&mut Map<String, Value>) {
    move |settings| {
        settings.insert(key.to_owned(), value.clone());
    }
}

#[test]
fn wrong_settings_are_named() {
    check(with("rout", json!("x")), MANIFEST, "unknown field `rout`");
    check(with("route", json!("Churn")), MANIFEST, "`route` is no name");
    check(with("route", json!("a".repeat(55))), MANIFEST, "1 to 54");
    check(with("namespace", json!("")), MANIFEST, "`namespace` is no name");
    check(with("gateways", json!([])), MANIFEST, "`gateways` is empty");
    check(with("path", json!("v2")), MANIFEST, "`path` does not begin with `/`");
    check(with("manifest", json!("other.yaml")), MANIFEST, "no file of the repository");
    check(with("manifest", json!("../churn.yaml")), MANIFEST, "no file of the repository");
    check(
        |settings| {
            settings.remove("gateways");
        },
        MANIFEST,
        "missing field `gateways`",
    );
}

#[test]
fn wrong_manifests_are_named() {
    let same = |_: &mut Map<String, Value>| {};
    check(same, &MANIFEST.replace("{{digest}}", "x"), "every version would run the same");
    check(same, &MANIFEST.replace("kind: Deployment", "kind: StatefulSet"), "no Deployment of apps/v1");
    check(same, "kind: Deployment\napiVersion: apps/v1\nspec: {{version}}\n", "containers");
    check(same, "a: [{{version}}", "churn.yaml: ");
    check(
        same,
        &MANIFEST.replace("spec:\n  replicas", "metadata: [a]\nspec:\n  replicas"),
        "`metadata` is no mapping",
    );
    let in_pod = MANIFEST.replace("    spec:\n", "    metadata: text\n    spec:\n");
    check(same, &in_pod, "`spec.template.metadata` is no mapping");
    let labels = MANIFEST.replace("spec:\n  replicas", "metadata: { labels: 7 }\nspec:\n  replicas");
    check(same, &labels, "`metadata.labels` is no mapping");
    let comment =
        MANIFEST.replace("{{digest}}", "x").replace("replicas: 2", "replicas: 2 # {{version}} {{digest}}");
    check(same, &comment, "every version would run the same");
    let named = MANIFEST.replace("{{digest}}", "{{name}}");
    check(same, &named, "every version would run the same");
}

#[test]
fn without_a_way_to_a_cluster_it_says_what_to_set() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("churn.yaml"), MANIFEST).unwrap();
    let error = GatewayApiTarget::from_settings(&settings(), directory.path(), &|_| None).unwrap_err();
    assert_eq!(error.problem, Problem::Denied);
    assert!(error.to_string().contains("set KUBECONFIG"), "{error}");
}

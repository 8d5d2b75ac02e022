//! Settings and manifests that are no good, and what is said about them.

use serde_json::{Map, Value, json};
use tagship_ports::Problem;
use tagship_testkit::cluster::FakeCluster;

use super::stage::{MANIFEST, open, settings};

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
    check(with("name", json!("a".repeat(40))), MANIFEST, "1 to 39");
    check(with("namespace", json!("")), MANIFEST, "`namespace` is no name");
    check(with("manifest", json!("../churn.yaml")), MANIFEST, "no file of the repository");
}

#[test]
fn wrong_manifests_are_named() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(MANIFEST.contains(from));
        check(|_| {}, &MANIFEST.replace(from, to), expected);
    };
    check("{{digest-hex}}", "latest", "uses none of {{address}}, {{digest}} and {{digest-hex}}");
    check(
        "s3://models",
        "oci://registry.example.org",
        "an image, whose digest is another one than the model's; write {{address}}",
    );
    check("s3://models", "/models", "begins with none of s3://");
    check("protocolVersion: v2", "protocolVersion: v1", "`spec.predictor.model.protocolVersion` is not v2");
    check("minReplicas: 1", "minReplicas: 0", "`minReplicas` must be 1 or more");
    check("minReplicas: 1", "canaryTrafficPercent: 5", "`canaryTrafficPercent` is Tagship's");
    check("kind: InferenceService", "kind: Deployment", "no InferenceService");
    check("\nspec:", "\nmetadata: [a]\nspec:", "`metadata` is no mapping");
    let mode = "\nmetadata: { annotations: { serving.kserve.io/deploymentMode: RawDeployment } }\nspec:";
    check("\nspec:", mode, "use target gateway-api for other modes");
}

//! Modelcars in a registry into which others may push: nothing that it says is believed without the files.

use std::{collections::BTreeMap, sync::Arc};

use tagship_domain::{
    FileEntry, Provenance, Timestamp,
    gate::{GateReport, Outcome},
    validation::ValidationReport,
};
use tagship_ports::ArtifactStore as _;

use super::{
    super::{Opening, memory::MemoryRegistry, open},
    *,
};

const WEIGHTS: &[u8] = b"weights";
const EVIL: &[u8] = b"planted";

fn store(registry: &MemoryRegistry) -> OciStore {
    let repository = format!("{}/churn", registry.url.trim_start_matches("http://"));
    let settings = json!({ "repository": repository, "modelcar": true });
    let (variable, moved): (_, super::super::Moved) = (|_: &str| None, Arc::new(|_| {}));
    open(&Opening { settings: settings.as_object().unwrap(), variable: &variable, moved: &moved }).unwrap()
}

fn made(version: &str, previous: Option<&str>) -> (Release, Manifest) {
    let file = FileEntry { path: "a/model.onnx".to_owned(), size: 7, sha256: digest_of(WEIGHTS) };
    let manifest = Manifest {
        model: "churn".parse().unwrap(),
        version: version.parse().unwrap(),
        digest: digest_of(WEIGHTS),
        format: "onnx".to_owned(),
        size: 7,
        files: vec![file],
        single_file: false,
        signature: None,
        metrics: BTreeMap::new(),
        evidence: BTreeMap::new(),
        attachments: BTreeMap::new(),
        validation: ValidationReport::of(vec![]),
        gate: GateReport {
            model: None,
            digest: None,
            stable: None,
            outcome: Outcome::Successful,
            checks: vec![],
            metrics: vec![],
        },
        commit: "c".repeat(40).parse().unwrap(),
        origin: None,
        by: Provenance::default(),
        created: Timestamp::from_seconds(1_900_000_000).unwrap(),
        previous: previous.map(|version| version.parse().unwrap()),
    };
    let release = Release {
        model: manifest.model.clone(),
        version: manifest.version.clone(),
        digest: manifest.digest.clone(),
        manifest: digest_of(version.as_bytes()),
        commit: manifest.commit.clone(),
    };
    (release, manifest)
}

fn key() -> Digest {
    layers::of(&made("v1.0.0", None).1.files)[0].key()
}

/// The bytes of the only layer of a release's image.
fn layer_of(registry: &MemoryRegistry, version: &str) -> Vec<u8> {
    registry.held(|held| {
        let index = held.tagged(&tags::of_modelcar(&made(version, None).0)).expect("the image is there");
        let image = held.tagged(index["manifests"][0]["digest"].as_str().unwrap()).unwrap();
        let digest: Digest = image["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
        held.blobs[&digest].clone()
    })
}

/// A registry with the weights in it, and bytes that somebody else put there.
async fn begun() -> (MemoryRegistry, OciStore) {
    let registry = MemoryRegistry::start().await;
    let store = store(&registry);
    store.put_bytes(&digest_of(WEIGHTS), WEIGHTS).await.unwrap();
    registry.held(|held| held.blobs.insert(digest_of(EVIL), EVIL.to_vec()));
    (registry, store)
}

fn sent(registry: &MemoryRegistry) -> usize {
    registry.held(|held| held.asked.iter().filter(|asked| asked.starts_with("PATCH")).count())
}

fn holds_the_weights(layer: &[u8]) -> bool {
    layer.len().is_multiple_of(512) && layer.windows(WEIGHTS.len()).any(|part| part == WEIGHTS)
}

#[tokio::test]
async fn a_layer_that_did_not_change_is_not_sent_again() {
    let (registry, store) = begun().await;
    for (version, previous) in [("v1.0.0", None), ("v1.1.0", Some("v1.0.0"))] {
        let (release, manifest) = made(version, previous);
        store.publish(&release, &manifest).await.unwrap();
        assert!(holds_the_weights(&layer_of(&registry, version)), "{version}");
        assert_eq!(sent(&registry), 1, "{version}");
        let before = registry.held(|held| held.manifests.len());
        store.publish(&release, &manifest).await.unwrap();
        assert_eq!((sent(&registry), registry.held(|held| held.manifests.len())), (1, before), "{version}");
    }
}

#[tokio::test]
async fn a_planted_holder_of_a_layer_is_not_believed() {
    let (registry, store) = begun().await;
    let holder = manifests::holder(&digest_of(EVIL), EVIL.len() as u64, store.clock.now());
    registry.held(|held| held.push(&tags::of_layer(&key()), manifests::MANIFEST, holder.as_bytes()));
    let (release, manifest) = made("v1.0.0", None);
    store.publish(&release, &manifest).await.unwrap();
    assert!(holds_the_weights(&layer_of(&registry, "v1.0.0")));
}

#[tokio::test]
async fn a_planted_layer_of_the_version_before_is_not_believed() {
    let (registry, store) = begun().await;
    let layer = described(&key(), &digest_of(EVIL), EVIL.len() as u64);
    let image = manifests::image(&json!({}), &[layer]);
    let descriptor =
        manifests::descriptor(manifests::MANIFEST, &digest_of(image.as_bytes()), image.len() as u64);
    let (before, _) = made("v1.0.0", None);
    let index = manifests::index(&[descriptor], &json!({ SHOWS: before.manifest }));
    registry.held(|held| {
        held.push("planted", manifests::MANIFEST, image.as_bytes());
        held.push(&tags::of_modelcar(&before), manifests::INDEX, index.as_bytes());
    });
    let (release, manifest) = made("v1.1.0", Some("v1.0.0"));
    store.publish(&release, &manifest).await.unwrap();
    assert!(holds_the_weights(&layer_of(&registry, "v1.1.0")));
}

#[tokio::test]
async fn a_planted_image_is_refused_whatever_it_says_of_itself() {
    let (registry, store) = begun().await;
    let (release, manifest) = made("v1.0.0", None);
    let index = manifests::index(&[], &json!({ SHOWS: release.manifest }));
    registry.held(|held| held.push(&tags::of_modelcar(&release), manifests::INDEX, index.as_bytes()));
    let refused = store.publish(&release, &manifest).await.unwrap_err();
    assert_eq!(refused.problem, Problem::Conflict, "{refused}");
    assert!(refused.to_string().contains("find out who pushed it"), "{refused}");
}

#[tokio::test]
async fn weights_that_are_damaged_in_the_registry_make_no_image() {
    let (registry, store) = begun().await;
    registry.held(|held| held.blobs.insert(digest_of(WEIGHTS), b"weightz".to_vec()));
    let (release, manifest) = made("v1.0.0", None);
    assert_eq!(store.publish(&release, &manifest).await.unwrap_err().problem, Problem::Invalid);
    assert!(registry.held(|held| held.tagged(&tags::of_modelcar(&release))).is_none());
}

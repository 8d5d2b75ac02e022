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
    store_on(registry, None)
}

fn store_on(registry: &MemoryRegistry, base: Option<&str>) -> OciStore {
    let repository = format!("{}/churn", registry.url.trim_start_matches("http://"));
    let settings = json!({ "repository": repository, "modelcar": true, "modelcar-base": base });
    let (variable, moved): (_, super::super::Moved) = (|_: &str| None, Arc::new(|_| {}));
    open(&Opening { settings: settings.as_object().unwrap(), variable: &variable, moved: &moved }).unwrap()
}

pub(in super::super) fn made(version: &str, previous: Option<&str>) -> (Release, Manifest) {
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
    let evil = digest_of(EVIL);
    let holder = manifests::holder(&evil, &Layout::whole(&evil, EVIL.len() as u64), store.clock.now());
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

#[tokio::test]
async fn parts_that_an_image_has_lost_are_sent_again() {
    let (registry, store) = begun().await;
    let (release, manifest) = made("v1.0.0", None);
    store.publish(&release, &manifest).await.unwrap();
    let whole = registry.held(|held| (held.blobs.clone(), held.manifests.clone()));
    let index = registry.held(|held| held.tagged(&tags::of_modelcar(&release)).unwrap());
    let image = index["manifests"][1]["digest"].as_str().unwrap().to_owned();
    let described = registry.held(|held| held.tagged(&image).unwrap());
    let blob = |value: &Value| value["digest"].as_str().unwrap().parse::<Digest>().unwrap();
    let (layer, config) = (blob(&described["layers"][0]), blob(&described["config"]));
    for what in 0..4 {
        registry.held(|held| match what {
            0 => drop(held.manifests.remove(&image)),
            1 => drop(held.blobs.remove(&layer)),
            2 => drop(held.blobs.remove(&config)),
            // Of another size: somebody wrote into the registry's own storage.
            _ => drop(held.blobs.insert(layer.clone(), EVIL.to_vec())),
        });
        store.publish(&release, &manifest).await.unwrap();
        let now = registry.held(|held| (held.blobs.clone(), held.manifests.clone()));
        assert!(now == whole, "part {what} is there again");
    }
}

#[tokio::test]
async fn places_tell_what_tags_name_and_what_they_have_to() {
    let (registry, store) = begun().await;
    let (release, manifest) = made("v1.0.0", None);
    let shown = store.publish(&release, &manifest).await.unwrap();
    let places = store.places(&release, &manifest).await.unwrap();
    assert_eq!(shown, places);
    assert_eq!(
        places.iter().map(|place| place.layout.as_str()).collect::<Vec<_>>(),
        ["modelpack", "modelcar"]
    );
    assert_eq!(places[0].now, places[0].derived);
    registry.held(|held| held.push(&tags::of_release(&release), manifests::MANIFEST, b"{}"));
    let moved = store.places(&release, &manifest).await.unwrap();
    assert_eq!(moved[0].derived, places[0].derived);
    assert_eq!(moved[0].now, Some(format!("{}@{}", store.place, digest_of(b"{}"))));
}

const SHELL: &[u8] = b"a layer with sh, ln and sleep";

/// An image of two kinds of processors, which share a layer, in a registry of its own.
async fn base() -> (MemoryRegistry, String) {
    let registry = MemoryRegistry::start().await;
    let mut images = vec![];
    for (architecture, own) in [("amd64", b"for amd64".as_slice()), ("arm64", b"for arm64".as_slice())] {
        let config = json!({
            "os": "linux", "architecture": architecture, "config": { "Cmd": ["/bin/sh"], "Labels": { "base": "yes" } },
            "rootfs": { "type": "layers", "diff_ids": ["sha256:of-the-shell", format!("sha256:of-{architecture}")] },
            "history": [{ "created_by": "the base" }],
        })
        .to_string();
        let layer = |bytes: &[u8]| {
            let kind = "application/vnd.docker.image.rootfs.diff.tar.gzip";
            manifests::descriptor(kind, &digest_of(bytes), bytes.len() as u64)
        };
        let described = manifests::descriptor(CONFIG, &digest_of(config.as_bytes()), config.len() as u64);
        let image = manifests::image(&described, &[layer(SHELL), layer(own)]);
        registry.held(|held| {
            for bytes in [SHELL, own, config.as_bytes()] {
                held.blobs.insert(digest_of(bytes), bytes.to_vec());
            }
            held.push(architecture, manifests::MANIFEST, image.as_bytes());
        });
        let mut descriptor =
            manifests::descriptor(manifests::MANIFEST, &digest_of(image.as_bytes()), image.len() as u64);
        descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
        images.push(descriptor);
    }
    let index = manifests::index(&images, &json!({}));
    registry.held(|held| held.push("latest", manifests::INDEX, index.as_bytes()));
    let place = registry.url.trim_start_matches("http://");
    let base = format!("{place}/churn@{}", digest_of(index.as_bytes()));
    (registry, base)
}

#[tokio::test]
async fn the_base_comes_first_and_keeps_its_settings_on_every_platform() {
    let (_base_registry, base) = base().await;
    let (registry, _) = begun().await;
    let store = store_on(&registry, Some(&base));
    let (release, manifest) = made("v1.0.0", None);
    store.publish(&release, &manifest).await.unwrap();
    let index = registry.held(|held| held.tagged(&tags::of_modelcar(&release)).unwrap());
    let images = index["manifests"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    for (image, (architecture, own)) in
        images.iter().zip([("amd64", b"for amd64".as_slice()), ("arm64", b"for arm64".as_slice())])
    {
        assert_eq!(image["platform"], json!({ "os": "linux", "architecture": architecture }));
        let (described, config) = registry.held(|held| {
            let image = held.tagged(image["digest"].as_str().unwrap()).unwrap();
            let config: Digest = image["config"]["digest"].as_str().unwrap().parse().unwrap();
            let config: Value = serde_json::from_slice(&held.blobs[&config]).unwrap();
            (image, config)
        });
        let layers = described["layers"].as_array().unwrap();
        let digests: Vec<&str> = layers.iter().map(|layer| layer["digest"].as_str().unwrap()).collect();
        assert_eq!(digests[..2], [digest_of(SHELL).to_string(), digest_of(own).to_string()]);
        assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
        assert_eq!((digests.len(), layers[2]["mediaType"].as_str()), (3, Some(LAYER)));
        registry.held(|held| {
            assert!(held.blobs[&digest_of(SHELL)] == SHELL && held.blobs[&digest_of(own)] == own);
            assert!(holds_the_weights(&held.blobs[&digests[2].parse().unwrap()]));
        });
        let unpacked = ["sha256:of-the-shell", &format!("sha256:of-{architecture}"), digests[2]];
        assert_eq!(config["rootfs"]["diff_ids"], json!(unpacked), "in the order of the layers");
        assert_eq!(config["architecture"], architecture);
        assert_eq!(
            (&config["config"]["Cmd"], &config["config"]["Labels"]["base"]),
            (&json!(["/bin/sh"]), &json!("yes"))
        );
        assert_eq!(config["config"]["Labels"]["org.opencontainers.image.version"], "v1.0.0");
        assert_eq!(config["history"].as_array().unwrap().len(), 2);
        assert_eq!(config["history"][0]["created_by"], "the base");
    }
}

#[tokio::test]
async fn a_layer_of_the_base_that_is_damaged_makes_no_image() {
    let (base_registry, base) = base().await;
    base_registry.held(|held| held.blobs.insert(digest_of(SHELL), vec![b'x'; SHELL.len()]));
    let (registry, _) = begun().await;
    let (release, manifest) = made("v1.0.0", None);
    let error = store_on(&registry, Some(&base)).publish(&release, &manifest).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid, "{error}");
    assert!(registry.held(|held| held.tagged(&tags::of_modelcar(&release))).is_none());
}

#[tokio::test]
async fn a_layer_of_the_base_that_is_there_with_another_size_is_replaced() {
    let (_base_registry, base) = base().await;
    let (registry, _) = begun().await;
    registry.held(|held| held.blobs.insert(digest_of(SHELL), b"short".to_vec()));
    let (release, manifest) = made("v1.0.0", None);
    store_on(&registry, Some(&base)).publish(&release, &manifest).await.unwrap();
    registry.held(|held| assert!(held.blobs[&digest_of(SHELL)] == SHELL));
}

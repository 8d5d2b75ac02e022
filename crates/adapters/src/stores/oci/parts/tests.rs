//! Files in parts, in a registry into which others may push.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use tagship_domain::Manifest;
use tagship_ports::{ArtifactStore as _, Inventory as _, conformance};

use super::{
    super::{manifests, memory::MemoryRegistry, modelcar::tests::made, tags, tests},
    *,
};
use crate::{disk::digest_of, taking::Taking};

/// What [`made`] makes a release of.
const WEIGHTS: &[u8] = b"weights";
const PARTS: [&[u8]; 3] = [b"wei", b"ght", b"s"];

fn store(registry: &MemoryRegistry, most: u64) -> OciStore {
    counting(registry, most, &Arc::default())
}

fn counting(registry: &MemoryRegistry, most: u64, count: &Arc<AtomicU64>) -> OciStore {
    let count = count.clone();
    let moved: crate::stores::Moved = Arc::new(move |more| {
        count.fetch_add(more, Ordering::SeqCst);
    });
    OciStore { max_layer: Some(most), ..tests::store(&registry.url, false, &moved) }
}

/// A registry, a store with parts of three bytes, and the weights in a file.
async fn begun() -> (MemoryRegistry, OciStore, tempfile::TempDir, PathBuf) {
    let registry = MemoryRegistry::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("weights");
    std::fs::write(&file, WEIGHTS).unwrap();
    let store = store(&registry, 3);
    (registry, store, directory, file)
}

fn blobs(registry: &MemoryRegistry) -> BTreeMap<Digest, Vec<u8>> {
    registry.held(|held| {
        held.blobs
            .iter()
            .filter(|(_, bytes)| *bytes != b"{}")
            .map(|(digest, bytes)| (digest.clone(), bytes.clone()))
            .collect()
    })
}

fn sent(registry: &MemoryRegistry) -> usize {
    registry.held(|held| held.asked.iter().filter(|asked| asked.contains("digest=")).count())
}

#[tokio::test]
async fn a_store_in_parts_behaves_like_every_store() {
    for most in [1, 2, 3] {
        let (registry, scratch) = (MemoryRegistry::start().await, tempfile::tempdir().unwrap());
        conformance::artifact_store(&store(&registry, most), scratch.path()).await;
    }
}

#[tokio::test]
async fn parts_that_a_killed_run_sent_are_not_sent_again() {
    let (registry, _, directory, file) = begun().await;
    let count = Arc::new(AtomicU64::new(0));
    let store = counting(&registry, 3, &count);
    let digest = digest_of(WEIGHTS);
    registry.held(|held| {
        for part in &PARTS[..2] {
            held.blobs.insert(digest_of(part), part.to_vec());
        }
    });
    assert!(!store.has(&digest).await.unwrap(), "nothing of it is visible");
    store.put(&digest, &file).await.unwrap();
    assert_eq!(sent(&registry), 2, "the last part, and what every holder needs");
    assert_eq!(count.swap(0, Ordering::SeqCst), 7, "all of it is told, once");
    assert_eq!(blobs(&registry), PARTS.map(|part| (digest_of(part), part.to_vec())).into());

    let to = directory.path().join("back");
    store.get(&digest, &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), WEIGHTS);
    assert_eq!(store.get_bytes(&digest, 7).await.unwrap(), WEIGHTS);
    assert_eq!(count.load(Ordering::SeqCst), 7);
    let listed: Vec<_> =
        store.list().await.unwrap().into_iter().map(|file| (file.digest, file.size)).collect();
    assert_eq!(listed, [(digest.clone(), 7)], "it is one file");
    // Another size of parts changes nothing of what is there.
    let before = blobs(&registry);
    self::store(&registry, 2).put(&digest, &file).await.unwrap();
    assert_eq!(blobs(&registry), before);
    store.remove(&digest).await.unwrap();
    assert!(!store.has(&digest).await.unwrap());
}

#[tokio::test]
async fn a_lost_part_is_missing_and_a_damaged_one_is_sent_again() {
    let (registry, store, directory, file) = begun().await;
    let (digest, to) = (digest_of(WEIGHTS), directory.path().join("back"));
    store.put(&digest, &file).await.unwrap();
    registry.held(|held| held.blobs.insert(digest_of(PARTS[1]), b"xxx".to_vec()));
    let error = store.get(&digest, &to).await.unwrap_err();
    assert_eq!((error.problem, to.exists()), (Problem::Invalid, false), "{error}");
    store.put(&digest, &file).await.unwrap();
    store.get(&digest, &to).await.unwrap();

    registry.held(|held| held.blobs.remove(&digest_of(PARTS[2])));
    assert!(!store.has(&digest).await.unwrap());
    assert_eq!(store.get_bytes(&digest, 7).await.unwrap_err().problem, Problem::NotFound);
    store.put(&digest, &file).await.unwrap();
    assert_eq!(store.get_bytes(&digest, 7).await.unwrap(), WEIGHTS);
}

#[tokio::test]
async fn a_planted_holder_is_not_believed() {
    let (registry, store, directory, file) = begun().await;
    let (digest, evil) = (digest_of(WEIGHTS), b"evil!!!");
    let parts = [&evil[..4], &evil[4..]];
    let layout =
        Layout::of(parts.map(|part| Part { digest: digest_of(part), size: part.len() as u64 }).into());
    let holder = manifests::holder(&digest, &layout.unwrap(), store.clock.now());
    registry.held(|held| {
        held.blobs.extend(parts.map(|part| (digest_of(part), part.to_vec())));
        held.push(&tags::of_blob(&digest), manifests::MANIFEST, holder.as_bytes());
    });
    let to = directory.path().join("back");
    for error in [store.get(&digest, &to).await.unwrap_err(), store.get_bytes(&digest, 99).await.unwrap_err()]
    {
        assert_eq!((error.problem, to.exists()), (Problem::Invalid, false), "{error}");
    }
    store.put(&digest, &file).await.unwrap();
    assert_eq!(store.get_bytes(&digest, 7).await.unwrap(), WEIGHTS);
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_judged_is_never_shown() {
    let (registry, store, _directory, file) = begun().await;
    for bytes in [&b"weighty"[..], b"weight", b""] {
        std::fs::write(&file, bytes).unwrap();
        let error = InParts { store: &store, digest: &digest_of(WEIGHTS), file: &file, size: 7, part: 3 };
        let error = error.send().await.unwrap_err();
        assert!(matches!(error.problem, Problem::Invalid | Problem::Local), "{error}");
    }
    std::fs::write(&file, b"weighty").unwrap();
    let error = store.put(&digest_of(WEIGHTS), &file).await.unwrap_err();
    assert!(error.to_string().contains("changed since it was judged; run again"), "{error}");
    assert!(!store.has(&digest_of(WEIGHTS)).await.unwrap());
    assert!(registry.held(|held| held.manifests.is_empty()));
    let many = InParts { store: &store, digest: &digest_of(WEIGHTS), file: &file, size: 7 * MOST, part: 1 };
    assert!(many.send().await.unwrap_err().to_string().contains("raise `max-layer-size`"));
}

#[tokio::test]
async fn what_was_kept_in_parts_is_one_blob_where_it_may_be() {
    let (registry, store, _directory, file) = begun().await;
    let digest = digest_of(WEIGHTS);
    store.put(&digest, &file).await.unwrap();
    let whole = OciStore { max_layer: None, ..store };
    whole.put(&digest, &file).await.unwrap();
    assert_eq!(blobs(&registry)[&digest], WEIGHTS);
    let holder = registry.held(|held| held.tagged(&tags::of_blob(&digest)).unwrap());
    assert_eq!(holder["layers"][0]["digest"], digest.to_string());
}

#[tokio::test]
async fn a_release_in_parts_is_a_model_whose_layers_say_so() {
    let (registry, store, directory, file) = begun().await;
    store.put(&digest_of(WEIGHTS), &file).await.unwrap();
    let (release, manifest) = made("v1.0.0", None);
    let places = store.publish(&release, &manifest).await.unwrap();
    assert_eq!((places.len(), &places[0].derived), (1, &None), "what its tag names is recorded");
    assert_eq!(store.places(&release, &manifest).await.unwrap(), places);

    let model = registry.held(|held| held.tagged(&tags::of_release(&release)).unwrap());
    let layers = model["layers"].as_array().unwrap();
    let named: Vec<_> = layers
        .iter()
        .map(|layer| {
            (layer["digest"].as_str().unwrap(), layer["annotations"][manifests::FILEPATH].as_str().unwrap())
        })
        .collect();
    let digests = PARTS.map(|part| digest_of(part).to_string());
    let names = [1, 2, 3].map(|number| format!("a/model.onnx.{number:05}-of-00003"));
    assert_eq!(named, [0, 1, 2].map(|at| (digests[at].as_str(), names[at].as_str())));
    let described: Digest = model["config"]["digest"].as_str().unwrap().parse().unwrap();
    let config: serde_json::Value = serde_json::from_slice(&blobs(&registry)[&described]).unwrap();
    assert_eq!(config["modelfs"]["diffIds"], serde_json::json!(digests));

    let taking = Taking::new("take it", directory.path(), 1 << 20);
    let error = store.take("take it", &tags::of_release(&release), taking).await.unwrap_err();
    assert!(error.to_string().contains("is a part of \"a/model.onnx\""), "{error}");

    // Without the setting it would be another one.
    let whole = OciStore { max_layer: None, ..store.clone() };
    let error = whole.publish(&release, &manifest).await.unwrap_err();
    assert!(error.to_string().contains("set `max-layer-size` again"), "{error}");

    // Whole, it is a model like any other, and its tag follows from the manifest.
    let whole = |manifest: &Manifest| super::super::model_digest(manifest);
    let place = store.modelpack(&manifest, Some(b"{}"));
    assert_eq!(place.derived, Some(store.at(&whole(&manifest))));
}

#[tokio::test]
async fn parts_that_are_larger_than_a_manifest_says_are_not_read_into_memory() {
    let (registry, store, _directory, _file) = begun().await;
    let (digest, large) = (digest_of(WEIGHTS), vec![7; 64]);
    let part = Part { digest: digest_of(&large), size: 1 };
    let holder = manifests::holder(&digest, &Layout::of(vec![part; 3]).unwrap(), store.clock.now());
    registry.held(|held| {
        held.blobs.insert(digest_of(&large), large);
        held.push(&tags::of_blob(&digest), manifests::MANIFEST, holder.as_bytes());
    });
    let error = store.get_bytes(&digest, 99).await.unwrap_err();
    assert!(error.to_string().contains("more than 1 bytes came"), "{error}");
}

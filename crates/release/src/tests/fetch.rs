//! Getting releases again, from a store that may have been tampered with.

use std::fs;

use tagship_domain::{Manifest, Release, schema};
use tagship_ports::{Problem, ReleaseSource};

use super::World;
use crate::{
    ReleaseError, StoredReleases,
    fetch::{artifact_digest, digest_of},
    fetch_release, read_manifest,
};

/// A world with one release of the bytes `one`.
async fn released() -> (World, Release, Manifest) {
    let world = World::new();
    let release = world.maker().make(&world.draft(b"one", 10)).await.unwrap().release;
    let manifest = read_manifest(&world.store, &release).await.unwrap();
    (world, release, manifest)
}

#[tokio::test]
async fn a_release_comes_back_as_it_was() {
    let (world, release, manifest) = released().await;
    let to = world.scratch.path().join("out");
    let artifact = fetch_release(&world.store, &manifest, &to).await.unwrap();
    assert_eq!(artifact, to.join("model.onnx"));
    assert_eq!(fs::read(artifact).unwrap(), b"one");
    let source = StoredReleases { store: &world.store, signed_by: None };
    assert_eq!(
        source.fetch(&release, &to).await.unwrap(),
        to.join("model.onnx"),
        "again, over the old files"
    );
    assert_eq!(source.golden_cases(&release).await.unwrap(), None);
}

#[tokio::test]
async fn damaged_bytes_are_not_handed_out() {
    let (world, release, manifest) = released().await;
    world.store.damage(&manifest.digest, b"evil");
    let to = world.scratch.path().join("out");
    let error = fetch_release(&world.store, &manifest, &to).await.unwrap_err();
    assert!(matches!(&error, ReleaseError::Port(error) if error.problem == Problem::Invalid), "{error}");
    assert!(!to.join("model.onnx").exists());
    let error =
        StoredReleases { store: &world.store, signed_by: None }.fetch(&release, &to).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
}

#[tokio::test]
async fn a_damaged_manifest_is_not_read() {
    let (world, release, _) = released().await;
    world.store.damage(&release.manifest, b"{}");
    let error = read_manifest(&world.store, &release).await.unwrap_err();
    assert!(matches!(&error, ReleaseError::Port(error) if error.problem == Problem::Invalid), "{error}");
}

#[tokio::test]
async fn a_manifest_about_something_else_is_refused() {
    type Change = fn(&mut Manifest);
    let changes: [(&str, Change); 6] = [
        ("it describes other@v0.1.0", |manifest| manifest.model = "other".parse().unwrap()),
        ("it describes churn@v9.0.0", |manifest| manifest.version = "v9.0.0".parse().unwrap()),
        ("it describes churn@v0.1.0", |manifest| manifest.digest = digest_of(b"evil")),
        ("does not have the digest", |manifest| manifest.files[0].sha256 = digest_of(b"evil")),
        ("does not have the digest", |manifest| manifest.files.clear()),
        ("does not have the digest", |manifest| manifest.single_file = false),
    ];
    let (world, release, manifest) = released().await;
    for (why, change) in changes {
        let mut forged = manifest.clone();
        change(&mut forged);
        // The pointer leads to the forged manifest, as a forged tag would.
        let digest = world.store.hold(schema::to_json(&forged).unwrap().as_bytes());
        let error =
            read_manifest(&world.store, &Release { manifest: digest, ..release.clone() }).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error} does not say {why:?}");
    }
}

#[tokio::test]
async fn a_manifest_writes_nowhere_but_below_its_directory() {
    let (world, release, manifest) = released().await;
    for path in ["../evil", "/tmp/evil", "a/../../evil"] {
        let mut forged = manifest.clone();
        forged.single_file = false;
        path.clone_into(&mut forged.files[0].path);
        forged.digest = artifact_digest(&forged.files, false).unwrap();
        let manifest = world.store.hold(schema::to_json(&forged).unwrap().as_bytes());
        let forged = Release { manifest, digest: forged.digest, ..release.clone() };
        let error = read_manifest(&world.store, &forged).await.unwrap_err();
        assert!(error.to_string().contains("is no path inside the artifact"), "{path}: {error}");
    }
}

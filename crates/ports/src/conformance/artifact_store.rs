//! What every store of artifacts must do.

use std::{fs, path::Path};

use tagship_domain::Digest;

use crate::{ArtifactStore, Problem};

/// sha256 of `abc`, the one-block example of FIPS 180-4.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// sha256 of nothing.
const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Bytes come back under their digest only, and nothing half-written or wrong is ever found. The store must be
/// empty; `scratch` is an empty directory for files of the suite.
pub async fn artifact_store(store: &dyn ArtifactStore, scratch: &Path) {
    let (abc, empty) = (digest(ABC), digest(EMPTY));
    missing(store, &abc, scratch).await;
    wrong_bytes(store, &abc, scratch).await;

    let file = scratch.join("abc");
    fs::write(&file, b"abc").expect("the scratch directory can be written");
    for _ in 0..2 {
        store.put(&abc, &file).await.expect("storing is repeatable");
    }
    store.put_bytes(&abc, b"abc").await.expect("storing what is there is no error");
    store.put_bytes(&empty, b"").await.expect("an empty file is a file");
    assert!(store.has(&abc).await.expect("has answers"), "what was stored is there");

    let to = scratch.join("not/yet/there/abc");
    for _ in 0..2 {
        store.get(&abc, &to).await.expect("makes missing directories, replaces what is there");
        assert_eq!(fs::read(&to).expect("the file was written"), b"abc");
    }
    assert_eq!(store.get_bytes(&abc, 3).await.expect("as large as the limit"), b"abc");
    assert_eq!(store.get_bytes(&empty, 0).await.expect("as large as the limit"), b"");
    let large = store.get_bytes(&abc, 2).await.expect_err("more than the limit");
    assert_eq!(large.problem, Problem::Invalid, "{large}");
    assert!(!store.location().is_empty(), "messages need a place");
}

async fn missing(store: &dyn ArtifactStore, digest: &Digest, scratch: &Path) {
    assert!(!store.has(digest).await.expect("has answers"), "the store must start empty");
    let to = scratch.join("missing");
    let error = store.get(digest, &to).await.expect_err("it is not there");
    assert_eq!(error.problem, Problem::NotFound, "{error}");
    assert!(!to.exists(), "a failed get leaves no file");
    let error = store.get_bytes(digest, 10).await.expect_err("it is not there");
    assert_eq!(error.problem, Problem::NotFound, "{error}");
}

async fn wrong_bytes(store: &dyn ArtifactStore, digest: &Digest, scratch: &Path) {
    let file = scratch.join("wrong");
    fs::write(&file, b"abd").expect("the scratch directory can be written");
    for error in [
        store.put(digest, &file).await.expect_err("the file has another digest"),
        store.put_bytes(digest, b"abd").await.expect_err("the bytes have another digest"),
    ] {
        assert_eq!(error.problem, Problem::Invalid, "{error}");
    }
    assert!(!store.has(digest).await.expect("has answers"), "refused bytes are not found");
}

fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}

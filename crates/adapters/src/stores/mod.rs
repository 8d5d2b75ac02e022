//! Stores of release bytes.

mod bucket;
mod file;
mod oci;
mod ranges;
mod remembering;

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value};
use tagship_config::AdapterSpec;
use tagship_ports::{ArtifactStore, Inventory, PortError, Problem};

pub use bucket::BucketStore;
pub(crate) use bucket::Object;
#[cfg(test)]
pub(crate) use bucket::holding;
pub use file::FileStore;
pub use oci::OciStore;
pub use remembering::Remembering;

/// The kinds of stores that a configuration may name.
pub const KINDS: [&str; 5] = ["file", "s3", "gcs", "azure", "oci"];
/// Those of cloud providers.
const HEAVY: [&str; 3] = ["s3", "gcs", "azure"];

/// Hears how many more bytes of a transfer are done.
pub type Moved = Arc<dyn Fn(u64) + Send + Sync>;

/// What stores are opened with.
#[allow(missing_debug_implementations, reason = "it holds functions")]
pub struct Opener<'a> {
    /// The repository; relative paths are relative to it.
    pub root: &'a Path,
    /// Answers the value of an environment variable, which is a secret.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Hears how transfers go on.
    pub moved: Moved,
}

/// What one store is opened with.
struct Opening<'a> {
    settings: &'a Map<String, Value>,
    variable: &'a dyn Fn(&str) -> Option<String>,
    moved: &'a Moved,
}

/// The store of a repository that says nothing about one.
pub fn embedded(root: &Path) -> Box<dyn ArtifactStore> {
    Box::new(FileStore::embedded(root))
}

/// Opens the store that a configuration names.
///
/// # Errors
/// For an unknown kind, settings that it does not have, or a secret that is not set.
pub fn open(spec: &AdapterSpec, opener: &Opener<'_>) -> Result<Box<dyn ArtifactStore>, PortError> {
    let opening = Opening { settings: &spec.settings, variable: opener.variable, moved: &opener.moved };
    match spec.kind.as_str() {
        "s3" => Ok(remembering(bucket::s3(&opening)?)),
        "gcs" => Ok(remembering(bucket::gcs(&opening)?)),
        "azure" => Ok(remembering(bucket::azure(&opening)?)),
        _ => open_light(spec, opener),
    }
}

/// Opens a store to list and remove what is in it; the embedded one where none is named.
///
/// # Errors
/// As [`open`].
pub fn inventory(spec: Option<&AdapterSpec>, opener: &Opener<'_>) -> Result<Box<dyn Inventory>, PortError> {
    let Some(spec) = spec else { return Ok(Box::new(FileStore::embedded(opener.root))) };
    let opening = Opening { settings: &spec.settings, variable: opener.variable, moved: &opener.moved };
    match spec.kind.as_str() {
        "file" => Ok(Box::new(FileStore::from_settings(&spec.settings, opener.root, &opener.moved)?)),
        "s3" => Ok(Box::new(bucket::s3(&opening)?)),
        "gcs" => Ok(Box::new(bucket::gcs(&opening)?)),
        "azure" => Ok(Box::new(bucket::azure(&opening)?)),
        "oci" => Ok(Box::new(oci::open(&opening)?)),
        other => Err(unknown(other)),
    }
}

/// Manifests are read again and again, and each time is a call.
fn remembering(store: impl ArtifactStore + 'static) -> Box<dyn ArtifactStore> {
    Box::new(Remembering::new(Arc::new(store)))
}

/// A bucket whose objects are no blobs of ours, by the settings of its kind of store.
///
/// # Errors
/// As [`open`].
pub(crate) fn bucket_by(
    kind: &str,
    settings: &Map<String, Value>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<BucketStore, PortError> {
    let moved: Moved = Arc::new(|_| {});
    let opening = Opening { settings, variable, moved: &moved };
    match kind {
        "s3" => bucket::s3(&opening),
        "gcs" => bucket::gcs(&opening),
        _ => bucket::azure(&opening),
    }
}

/// A repository whose manifests are none of ours, by the settings of the store `oci`.
///
/// # Errors
/// As [`open`].
pub(crate) fn oci_by(
    settings: &Map<String, Value>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<OciStore, PortError> {
    let moved: Moved = Arc::new(|_| {});
    oci::open(&Opening { settings, variable, moved: &moved })
}

/// Whether a kind of store is one that small programs leave out.
pub fn is_heavy(kind: &str) -> bool {
    HEAVY.contains(&kind)
}

/// The same for programs that are kept small: without the stores of cloud providers.
///
/// # Errors
/// As [`open`]; [`Problem::Unsupported`] for a kind that it leaves out.
pub fn open_light(spec: &AdapterSpec, opener: &Opener<'_>) -> Result<Box<dyn ArtifactStore>, PortError> {
    let opening = Opening { settings: &spec.settings, variable: opener.variable, moved: &opener.moved };
    match spec.kind.as_str() {
        "file" => Ok(Box::new(FileStore::from_settings(&spec.settings, opener.root, &opener.moved)?)),
        "oci" => Ok(remembering(oci::open(&opening)?)),
        known if is_heavy(known) => Err(PortError::new(
            Problem::Unsupported,
            "open the store",
            format!("this program has no store {known}"),
        )
        .hint("run the same verb of the program `tagship`")),
        other => Err(unknown(other)),
    }
}

fn unknown(kind: &str) -> PortError {
    PortError::new(Problem::Unsupported, "open the store", format!("{kind:?} is no kind of store"))
        .hint(format!("known kinds are github, {}", KINDS.join(", ")))
}

#[cfg(test)]
mod tests {
    use tagship_ports::conformance;

    use super::*;
    use crate::disk::copy_hashing;

    /// `TAGSHIP_TEST_STORE` holds `{"KIND": {settings}}` of an empty store.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs a service that runs; `cargo xtask e2e stores` starts them"]
    #[allow(clippy::disallowed_methods, reason = "a test that is told where its counterpart is")]
    async fn a_real_service_behaves_like_every_store() {
        let variable = |name: &str| std::env::var(name).ok();
        let told = variable("TAGSHIP_TEST_STORE").expect("TAGSHIP_TEST_STORE is set");
        let told: Map<String, Value> = serde_json::from_str(&told).unwrap();
        let (kind, settings) = told.iter().next().unwrap();
        let spec =
            AdapterSpec { settings: settings.as_object().unwrap().clone(), ..AdapterSpec::of_kind(kind) };
        let scratch = tempfile::tempdir().unwrap();
        let opener = Opener { root: scratch.path(), variable: &variable, moved: Arc::new(|_| {}) };
        let store: Arc<dyn ArtifactStore> = Arc::from(open(&spec, &opener).unwrap());
        conformance::artifact_store(store.as_ref(), scratch.path()).await;

        // Larger than a part, and not a multiple of one; twenty write it at once.
        let (large, back) = (scratch.path().join("large"), scratch.path().join("back"));
        let bytes: Vec<u8> =
            (0..35_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        std::fs::write(&large, &bytes).unwrap();
        let digest = copy_hashing(&mut bytes.as_slice(), &mut std::io::sink()).unwrap();
        let small = copy_hashing(&mut &bytes[..100_000], &mut std::io::sink()).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for turn in 0..20 {
            let (store, large, bytes) = (store.clone(), large.clone(), bytes[..100_000].to_vec());
            let (digest, small) = (digest.clone(), small.clone());
            tasks.spawn(async move {
                if turn < 3 {
                    store.put(&digest, &large).await
                } else {
                    store.put_bytes(&small, &bytes).await
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        store.get(&digest, &back).await.unwrap();
        assert!(std::fs::read(&back).unwrap() == bytes, "the same bytes come back");
        assert_eq!(store.get_bytes(&small, 100_000).await.unwrap(), bytes[..100_000]);

        // What is taken away is gone, and can be stored again.
        let inventory = inventory(Some(&spec), &opener).unwrap();
        let sizes = async || {
            let listed = inventory.list().await.unwrap();
            listed.into_iter().find(|file| file.digest == digest).map(|file| file.size)
        };
        store.put(&digest, &large).await.unwrap();
        assert_eq!(sizes().await, Some(bytes.len() as u64));
        for _ in 0..2 {
            inventory.remove(&digest).await.unwrap();
        }
        assert_eq!((sizes().await, store.has(&digest).await.unwrap()), (None, false));
        store.put(&digest, &large).await.unwrap();
        assert_eq!(sizes().await, Some(bytes.len() as u64));
    }
}

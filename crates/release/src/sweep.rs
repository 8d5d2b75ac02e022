//! What a store holds that no release refers to. Whatever is not known for certain stays.

use std::collections::BTreeSet;

use tagship_domain::{Digest, Duration, Manifest, ModelName, Timestamp, schema};
use tagship_ports::{ArtifactStore, inventory::Stored};
use tagship_registry::{Event, Model, ModelVersion, Registry, Trailer};

use crate::{error::ReleaseError, fetch::IN_MEMORY};

/// Every digest that a tag refers to, of whatever model, withdrawn versions among them: manifests, and the files and the
/// evidence that they list. Releases of the models `elsewhere` lie in another store.
///
/// # Errors
/// When a tag's manifest is not there or cannot be read, or no tag names one at all: then nothing is known of what may go.
pub async fn referenced(
    registry: &Registry,
    elsewhere: &BTreeSet<ModelName>,
    store: &dyn ArtifactStore,
) -> Result<BTreeSet<Digest>, ReleaseError> {
    let is_here = |model: &&Model| elsewhere.iter().all(|name| name.as_str() != model.name());
    let events = registry.models().filter(is_here).flat_map(Model::versions);
    let events = events.flat_map(ModelVersion::registrations);
    let manifests: BTreeSet<Digest> = events.filter_map(manifest_of).collect();
    if manifests.is_empty() {
        return Err(ReleaseError::NothingReferenced);
    }
    let mut referenced = BTreeSet::new();
    for digest in manifests {
        let bytes = store.get_bytes(&digest, IN_MEMORY).await?;
        let bad = |why: String| ReleaseError::BadManifest { digest: digest.clone(), why };
        let text = String::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
        let manifest: Manifest = schema::from_json(&text)?;
        let files =
            manifest.files.iter().chain(manifest.evidence.values()).chain(manifest.attachments.values());
        referenced.extend(files.map(|file| file.sha256.clone()));
        referenced.insert(digest);
    }
    Ok(referenced)
}

fn manifest_of(event: &Event) -> Option<Digest> {
    event.trailers().get(Trailer::Manifest)?.parse().ok()
}

/// What may go: neither referred to nor written within `grace` before `now`, when a release may still be in the making.
pub fn unreferenced(
    stored: Vec<Stored>,
    referenced: &BTreeSet<Digest>,
    now: Timestamp,
    grace: Duration,
) -> Vec<Stored> {
    stored
        .into_iter()
        .filter(|file| !referenced.contains(&file.digest) && file.written.after(grace) <= now)
        .collect()
}

//! What a store holds that no release refers to. Whatever is not known for certain stays.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::{Digest, Duration, Manifest, ModelName, Timestamp, schema};
use tagship_ports::{
    ArtifactStore, Problem,
    inventory::{Begun, Stored},
};
use tagship_registry::{Event, ModelVersion, Registry, Trailer};

use crate::{error::ReleaseError, fetch::IN_MEMORY};

/// Every digest that a tag refers to, of whatever model, withdrawn versions among them: manifests, and the files and the
/// evidence that they list. Manifests of the models that `may_lie_elsewhere` need not be here; where one is, it counts.
///
/// # Errors
/// When a tag makes no sense, a tag's manifest is not there or cannot be read, or no tag names one at all: then nothing is
/// known of what may go.
pub async fn referenced(
    registry: &Registry,
    may_lie_elsewhere: &BTreeSet<ModelName>,
    store: &dyn ArtifactStore,
) -> Result<BTreeSet<Digest>, ReleaseError> {
    // What a tag that was left out would have referred to is not known.
    if let Some(finding) = registry.tag_findings().iter().find(|finding| finding.kind.hides_a_tag()) {
        return Err(ReleaseError::UnclearTags { what: finding.to_string() });
    }
    if let Some(model) = registry.quarantined().next() {
        return Err(ReleaseError::UnclearTags {
            what: format!("the tags of {} contradict each other", model.name()),
        });
    }
    let mut manifests: BTreeMap<Digest, bool> = BTreeMap::new();
    for model in registry.models() {
        let must_be_here = may_lie_elsewhere.iter().all(|name| name.as_str() != model.name());
        for event in model.versions().flat_map(ModelVersion::registrations) {
            if let Some(digest) = manifest_of(event)? {
                *manifests.entry(digest).or_default() |= must_be_here;
            }
        }
    }
    let mut referenced = BTreeSet::new();
    for (digest, must_be_here) in manifests {
        let bytes = match store.get_bytes(&digest, IN_MEMORY).await {
            Err(error) if error.problem == Problem::NotFound && !must_be_here => continue,
            read => read?,
        };
        let bad = |why: String| ReleaseError::BadManifest { digest: digest.clone(), why };
        let text = String::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
        let manifest: Manifest = schema::from_json(&text)?;
        let files =
            manifest.files.iter().chain(manifest.evidence.values()).chain(manifest.attachments.values());
        referenced.extend(files.map(|file| file.sha256.clone()));
        referenced.insert(digest);
    }
    if referenced.is_empty() {
        return Err(ReleaseError::NothingReferenced);
    }
    Ok(referenced)
}

/// Absent where the tag names none, as those of other tools.
fn manifest_of(event: &Event) -> Result<Option<Digest>, ReleaseError> {
    let digest = event.trailers().get(Trailer::Manifest).map(str::parse).transpose();
    digest.map_err(|error| ReleaseError::UnclearTags {
        what: format!("the manifest that a tag names: {error}"),
    })
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

/// Unfinished uploads that nobody goes on with: written to no later than `grace` before `now`, and without a whole file that is
/// referred to. What an upload has sent of a file that is not whole may go whatever refers to that: the file lies there whole.
pub fn abandoned(
    begun: Vec<Begun>,
    referenced: &BTreeSet<Digest>,
    now: Timestamp,
    grace: Duration,
) -> Vec<Begun> {
    let is_old = |begun: &Begun| begun.stored.written.after(grace) <= now;
    begun.into_iter().filter(|begun| is_old(begun) && begun.holds.is_disjoint(referenced)).collect()
}

//! Getting a release again: from a reference to verified bytes in a directory.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

use sha2::{Digest as _, Sha256};
use tagship_domain::{
    Digest, Environment, FileEntry, Manifest, ModelName, Release, Version,
    digest::directory_listing,
    release::{Attachment, Evidence},
    schema,
};
use tagship_ports::ArtifactStore;

use crate::error::ReleaseError;

/// Manifests and evidence are read into memory; larger ones are refused.
pub(crate) const IN_MEMORY: u64 = 64 << 20;

/// What a person calls a release: `churn@v1.4.0` or `churn#production`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A version.
    Version(ModelName, Version),
    /// What an environment holds now.
    Environment(ModelName, Environment),
}

impl FromStr for Reference {
    type Err = ReleaseError;
    fn from_str(text: &str) -> Result<Self, ReleaseError> {
        let bad = || ReleaseError::BadReference { text: text.to_owned() };
        let name = |name: &str| ModelName::new(name).ok();
        let parsed = if let Some((model, version)) = text.split_once('@') {
            name(model).zip(version.parse().ok()).map(|(model, version)| Self::Version(model, version))
        } else if let Some((model, environment)) = text.split_once('#') {
            name(model)
                .zip(Environment::new(environment).ok())
                .map(|(model, environment)| Self::Environment(model, environment))
        } else {
            None
        };
        parsed.ok_or_else(bad)
    }
}

/// Reads and checks a release's manifest.
///
/// # Errors
/// When the store does not have it, it is damaged, or it is about other bytes than the tag says.
pub async fn read_manifest(store: &dyn ArtifactStore, release: &Release) -> Result<Manifest, ReleaseError> {
    let bytes = store.get_bytes(&release.manifest, IN_MEMORY).await?;
    let bad = |why: String| ReleaseError::BadManifest { digest: release.manifest.clone(), why };
    let text = String::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
    let manifest: Manifest = schema::from_json(&text)?;
    if manifest.digest != release.digest
        || manifest.version != release.version
        || manifest.model != release.model
    {
        return Err(bad(format!(
            "it describes {}@{}, the tag says {release}",
            manifest.model, manifest.version
        )));
    }
    if artifact_digest(&manifest.files, manifest.single_file).as_ref() != Some(&manifest.digest) {
        return Err(bad("its list of files does not have the digest that it states".to_owned()));
    }
    if let Some(file) = manifest.files.iter().find(|file| !is_inside(&file.path)) {
        return Err(bad(format!("{:?} is no path inside the artifact", file.path)));
    }
    let mut paths = BTreeSet::new();
    if let Some(file) = manifest.files.iter().find(|file| !paths.insert(&file.path)) {
        return Err(bad(format!("{:?} is listed twice", file.path)));
    }
    Ok(manifest)
}

/// Fetches every file of a release into `directory`, verified, and answers where the artifact lies: the file
/// itself for a single-file artifact, else the directory.
///
/// # Errors
/// When a file is missing or damaged in the store, or cannot be written.
pub async fn fetch_release(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    directory: &Path,
) -> Result<PathBuf, ReleaseError> {
    for file in &manifest.files {
        store.get(&file.sha256, &directory.join(&file.path)).await?;
    }
    Ok(artifact_in(manifest, directory))
}

/// Where the artifact lies once all files are in `directory`: the file itself for a single-file artifact, else the directory.
pub fn artifact_in(manifest: &Manifest, directory: &Path) -> PathBuf {
    match manifest.files.as_slice() {
        [only] if manifest.single_file => directory.join(&only.path),
        _ => directory.to_owned(),
    }
}

/// Reads a file of evidence; absent where the release has none of this kind.
///
/// # Errors
/// When the store does not have it, or it is damaged or too large.
pub async fn read_evidence(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    kind: Evidence,
) -> Result<Option<Vec<u8>>, ReleaseError> {
    match manifest.evidence.get(&kind) {
        None => Ok(None),
        Some(file) => Ok(Some(store.get_bytes(&file.sha256, IN_MEMORY).await?)),
    }
}

/// Reads a document that lies beside a release; absent where it has none of this kind.
///
/// # Errors
/// When the store does not have it, or it is damaged or too large.
pub async fn read_attachment(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    kind: Attachment,
) -> Result<Option<Vec<u8>>, ReleaseError> {
    match manifest.attachments.get(&kind) {
        None => Ok(None),
        Some(file) => Ok(Some(store.get_bytes(&file.sha256, IN_MEMORY).await?)),
    }
}

/// The digest of an artifact with these files; absent where there are none, or several of a single one.
pub fn artifact_digest(files: &[FileEntry], single_file: bool) -> Option<Digest> {
    match files {
        [] => None,
        [only] if single_file => Some(only.sha256.clone()),
        _ if single_file => None,
        files => Some(digest_of(directory_listing(files).as_bytes())),
    }
}

/// sha256 of bytes in memory.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// A relative path without `..`, a root or a backslash: the manifest decides where files are written.
fn is_inside(path: &str) -> bool {
    let mut components = Path::new(path).components().peekable();
    components.peek().is_some()
        && components.all(|component| matches!(component, Component::Normal(_)))
        && !path.contains(['\\', '\0', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_a_version_or_an_environment() {
        assert!(matches!("churn@v1.4.0".parse(), Ok(Reference::Version(..))));
        assert!(matches!("a/b:churn#production".parse(), Ok(Reference::Environment(..))));
        for bad in ["churn", "churn@1.4.0", "churn@latest", "#production", "churn#", "@v1.0.0"] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_stay_inside() {
        for good in ["model.onnx", "a/b.bin"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "C:\\x", "a\\b", "./a/.."] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}

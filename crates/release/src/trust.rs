//! Whether a release was signed by a key that is trusted.

use tagship_domain::{Manifest, release::Attachment};
use tagship_ports::ArtifactStore;

use crate::{
    error::ReleaseError,
    fetch::read_attachment,
    signing::{PublicKey, Verified, verify_bundle},
};

/// Verifies the signature of a release against its name, its files and the trusted keys.
///
/// # Errors
/// When it has none, the store does not have it, or it is not believed.
pub async fn check_signature(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    trusted: &[PublicKey],
) -> Result<Verified, ReleaseError> {
    let (model, version) = (&manifest.model, &manifest.version);
    let bundle = read_attachment(store, manifest, Attachment::Signature)
        .await?
        .ok_or_else(|| ReleaseError::Unsigned { model: model.clone(), version: version.clone() })?;
    let checked = verify_bundle(&bundle, trusted).and_then(|verified| {
        let name = format!("{model}@{version}");
        verified.check_release(&name, &manifest.files, manifest.single_file).map(|()| verified)
    });
    checked.map_err(|source| ReleaseError::Signature {
        model: model.clone(),
        version: version.clone(),
        source: Box::new(source),
    })
}

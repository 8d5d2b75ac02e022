//! The documents that lie beside a release, made from its manifest.

use tagship_domain::{Digest, FileEntry, Manifest, release::Attachment};

use crate::{
    bom::bill_of_materials,
    card::{Readme, model_card},
    error::ReleaseError,
    fetch::digest_of,
    signing::{SigningKey, sign_release},
};

/// A manifest that names its documents, and these.
pub(crate) struct Attached {
    pub(crate) manifest: Manifest,
    /// Their bytes, by digest.
    pub(crate) files: Vec<(Digest, Vec<u8>)>,
}

/// Makes the documents of a release. The same manifest and key give the same bytes.
///
/// # Errors
/// When the key does not sign.
pub(crate) fn attached(
    manifest: Manifest,
    readme: &Readme,
    signing: Option<&SigningKey>,
) -> Result<Attached, ReleaseError> {
    let mut attached = Attached { manifest, files: vec![] };
    if let Some(key) = signing {
        let Manifest { model, version, files, single_file, .. } = &attached.manifest;
        let bundle =
            sign_release(&format!("{model}@{version}"), files, *single_file, key).map_err(|source| {
                ReleaseError::Signature {
                    model: model.clone(),
                    version: version.clone(),
                    source: Box::new(source),
                }
            })?;
        attached.add(Attachment::Signature, bundle.into_bytes());
    }
    // They state who signed, so that they come after.
    let card = model_card(readme, &attached.manifest);
    let bom = bill_of_materials(readme, &attached.manifest)?;
    attached.add(Attachment::ModelCard, card.into_bytes());
    attached.add(Attachment::BillOfMaterials, bom.into_bytes());
    Ok(attached)
}

impl Attached {
    fn add(&mut self, kind: Attachment, bytes: Vec<u8>) {
        let sha256 = digest_of(&bytes);
        let entry =
            FileEntry { path: kind.file_name().to_owned(), size: bytes.len() as u64, sha256: sha256.clone() };
        self.manifest.attachments.insert(kind, entry);
        self.files.push((sha256, bytes));
    }
}

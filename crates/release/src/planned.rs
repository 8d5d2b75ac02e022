//! What a release would consist of, without making it.

use tagship_domain::{Manifest, Version};
use tagship_registry::Registry;

use crate::{
    bom::bill_of_materials, card::model_card, claim::Claim, draft::Draft, error::ReleaseError,
    judged::Judged, make::ReleaseMaker, note::release_note, since::since,
};

/// What a release would consist of, but for its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Its manifest.
    pub manifest: Manifest,
    /// The text for people on the forge, as Markdown.
    pub note: String,
    /// Its model card.
    pub model_card: String,
    /// Its bill of materials, as JSON.
    pub bill_of_materials: String,
}

impl ReleaseMaker<'_> {
    /// Says what releasing a draft as this version would write, and writes nothing.
    ///
    /// # Errors
    /// When validation or the gate did not pass these very bytes, or the newest release cannot be read.
    pub async fn plan(
        &self,
        draft: &Draft,
        version: Version,
        registry: &Registry,
    ) -> Result<Planned, ReleaseError> {
        let judged = Judged::of(draft)?;
        let newest = self.newest_manifest(registry, &draft.model).await?;
        let claim = Claim { version, by: draft.by.clone(), at: draft.now, commit: draft.commit.clone() };
        let manifest = judged.manifest(draft, &claim, newest.map(|newest| newest.version));
        let since = since(self.repo, self.store, registry, &manifest).await?;
        Ok(Planned {
            note: release_note(&manifest, &since),
            model_card: model_card(&draft.readme, &manifest),
            bill_of_materials: bill_of_materials(&draft.readme, &manifest)?,
            manifest,
        })
    }
}

//! Showing releases that exist: where readers of the store look, and on the forge.

use tagship_domain::{Manifest, Release, schema};
use tagship_ports::forge::ReleaseNote;
use tagship_registry::Registry;

use crate::{
    error::ReleaseError, fetch::read_manifest, find::tag_of, make::ReleaseMaker, note::release_note, places,
    since::since,
};

impl ReleaseMaker<'_> {
    /// Shows a release that an earlier run made: it may have ended between the tag and the forge.
    ///
    /// # Errors
    /// When the manifest cannot be read, or the forge fails.
    pub async fn show_again(&self, registry: &Registry, release: &Release) -> Result<(), ReleaseError> {
        let manifest = read_manifest(self.store, release).await?;
        match tag_of(registry, release)? {
            Some(tag) => self.show(registry, &tag, release, &manifest).await,
            None => Ok(()),
        }
    }

    /// Shows a release by its tag; doing it again changes nothing.
    pub(crate) async fn show(
        &self,
        registry: &Registry,
        tag: &str,
        release: &Release,
        manifest: &Manifest,
    ) -> Result<(), ReleaseError> {
        let since = since(self.repo, self.store, registry, manifest).await?;
        let places = self.store.publish(release, manifest).await?;
        let who = (&manifest.by, self.clock.now());
        places::record(self.journals, self.clock, release, &places, who).await?;
        let note = ReleaseNote {
            tag: tag.to_owned(),
            model: release.model.clone(),
            release: release.clone(),
            body: release_note(manifest, &since),
            manifest: schema::to_json(manifest)?,
        };
        Ok(self.forge.release(&note).await?)
    }
}

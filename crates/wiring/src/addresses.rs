//! Where servers find the releases of a model that fetch the bytes themselves: the image or the file that the model's store has.

use std::sync::Arc;

use async_trait::async_trait;
use tagship_config::ModelConfig;
use tagship_domain::{
    Digest, Manifest, ModelName, Release, Version,
    chain::{PlaceLink, PlaceTag},
};
use tagship_ports::{ArtifactStore, PortError, Problem, ReleaseAddresses, Repo, StateStore};
use tagship_registry::Options;
use tagship_release::{
    ReleaseError, check_places, compared, read_manifest, read_registry, release_of_version,
};
use tagship_runner::Failure;

use crate::workspace::Workspace;

/// What lies in a registry for servers that run images.
const IMAGE: &str = "modelcar";

/// Releases of a model in its store.
pub(crate) struct StoredAddresses {
    store: Arc<dyn ArtifactStore>,
    journals: Arc<dyn StateStore>,
    repo: Arc<dyn Repo>,
    options: Options,
}

impl StoredAddresses {
    /// # Errors
    /// When the store cannot be opened, or settings of the registry are wrong.
    pub(crate) fn open(workspace: &Workspace, model: &ModelConfig) -> Result<Self, Failure> {
        Ok(Self {
            store: workspace.store(model)?,
            journals: workspace.host.journals.clone(),
            repo: workspace.host.repo.clone(),
            options: workspace.registry_options()?,
        })
    }

    async fn release(
        &self,
        operation: &str,
        model: &ModelName,
        version: &Version,
        digest: &Digest,
    ) -> Result<Release, PortError> {
        let plain = |error: ReleaseError| plain(operation, error);
        let registry = read_registry(self.repo.as_ref(), self.options.clone()).await.map_err(plain)?;
        let release = release_of_version(&registry, model, version).map_err(plain)?;
        if release.digest != *digest {
            let message = format!("{release} is of {}, not of {digest}", release.digest);
            return Err(PortError::new(Problem::Conflict, operation, message));
        }
        Ok(release)
    }

    /// Where other tools find a release, and whether that is what the release put there.
    async fn links(
        &self,
        operation: &str,
        release: &Release,
        manifest: &Manifest,
    ) -> Result<Vec<PlaceLink>, PortError> {
        let places = self.store.places(release, manifest).await?;
        let location = self.store.location();
        let links = compared(self.journals.as_ref(), release, &location, places).await;
        links.map_err(|error| plain(operation, error))
    }
}

#[async_trait]
impl ReleaseAddresses for StoredAddresses {
    async fn address(
        &self,
        model: &ModelName,
        version: &Version,
        digest: &Digest,
    ) -> Result<String, PortError> {
        let operation = format!("find the address of {model} {version} in its store");
        let release = self.release(&operation, model, version, digest).await?;
        let manifest = read_manifest(self.store.as_ref(), &release).await;
        let manifest = manifest.map_err(|error| plain(&operation, error))?;
        if let Some(image) = image(&operation, self.links(&operation, &release, &manifest).await?)? {
            return Ok(image);
        }
        // Of several files no one address is known.
        let is_one = manifest.files.len() == 1 && manifest.files[0].sha256 == *digest;
        self.store.address(digest).filter(|_| is_one).ok_or_else(|| without(operation, self.store.as_ref()))
    }
}

/// The image of a release, if the store makes any. Who may push to the registry may move its tag: what is there now has to be what
/// the release put there.
fn image(operation: &str, links: Vec<PlaceLink>) -> Result<Option<String>, PortError> {
    let Some(link) = links.into_iter().find(|link| link.layout == IMAGE) else { return Ok(None) };
    if link.tag == PlaceTag::AsReleased {
        return Ok(Some(link.reference));
    }
    let problem = if link.tag == PlaceTag::Moved { Problem::Conflict } else { Problem::Invalid };
    Err(PortError::new(problem, operation, check_places(&[link]).sentence))
}

fn plain(operation: &str, error: ReleaseError) -> PortError {
    match error {
        ReleaseError::Port(error) => error,
        other => PortError::new(Problem::Invalid, operation, other.to_string()),
    }
}

fn without(operation: String, store: &dyn ArtifactStore) -> PortError {
    let message =
        format!("{} has no address of the release from which a model server loads it", store.location());
    PortError::new(Problem::Unsupported, operation, message).hint(
        "use the store oci with `modelcar: true`, or s3 or gcs for a model of one file; or write the address into the \
         manifest, with {{digest-hex}} in it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(layout: &str, tag: PlaceTag) -> PlaceLink {
        let reference = format!("oci://registry.example.org/churn@sha256:{}", "a".repeat(64));
        PlaceLink { layout: layout.to_owned(), reference, tag, found: None }
    }

    #[test]
    fn the_image_is_the_one_that_the_release_put_there() {
        let links = vec![link("modelpack", PlaceTag::Moved), link(IMAGE, PlaceTag::AsReleased)];
        let found = image("find it", links).unwrap().unwrap();
        assert!(found.starts_with("oci://registry.example.org/churn@sha256:"), "{found}");
        assert_eq!(image("find it", vec![link("modelpack", PlaceTag::AsReleased)]), Ok(None));
        for (tag, problem, said) in [
            (PlaceTag::Moved, Problem::Conflict, "find out who moved it"),
            (PlaceTag::NotRecorded, Problem::Invalid, "run `tagship release` on its commit again"),
            (PlaceTag::Absent, Problem::Invalid, "run `tagship release` on its commit again"),
            (PlaceTag::Gone, Problem::Invalid, "has lost its tag"),
        ] {
            let error = image("find it", vec![link(IMAGE, tag)]).unwrap_err();
            assert_eq!(error.problem, problem, "{error}");
            assert!(error.message.contains(said), "{error}");
        }
    }
}

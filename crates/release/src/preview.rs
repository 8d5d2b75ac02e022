//! Which version a release would be, without making it.

use tagship_domain::{CommitId, Digest, FileEntry, ModelName, Release, Signature, Timestamp, Version};
use tagship_ports::{ArtifactStore, Repo};
use tagship_registry::{
    ModelVersion, Number, Options, Registration, RegistrationRequest, RegistryError, Trailers,
};

use crate::{
    bump::next_bump,
    error::ReleaseError,
    fetch::read_manifest,
    find::{known, read_registry, release_of_version, releases},
    request::chosen,
};

/// Bytes that may become a release.
#[derive(Debug, Clone)]
pub struct PreviewRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The commit that would be tagged.
    pub commit: &'a CommitId,
    /// Digest of the bytes.
    pub digest: &'a Digest,
    /// Their interface, where it is known.
    pub signature: Option<&'a Signature>,
    /// Their files.
    pub files: &'a [FileEntry],
    /// Which number it takes; the next one by comparison with the newest release where absent.
    pub number: Option<Number>,
    /// The time.
    pub now: Timestamp,
    /// What `.gto` says.
    pub options: Options,
}

/// What a release would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// These bytes are released already.
    Existing(Release),
    /// A new version.
    New {
        /// Which.
        version: Version,
        /// Why that part is raised.
        because: String,
    },
}

/// Says which version a release would be. Another run may take that version first.
///
/// # Errors
/// When tags or the newest manifest cannot be read.
pub async fn preview(
    repo: &dyn Repo,
    store: &dyn ArtifactStore,
    request: &PreviewRequest<'_>,
) -> Result<Preview, ReleaseError> {
    let registry = read_registry(repo, request.options.clone()).await?;
    let newest = match releases(&registry, request.model)?.first() {
        None => None,
        Some(newest) => Some(read_manifest(store, newest).await?),
    };
    let auto = next_bump(newest.as_ref(), request.signature, request.files);
    let (number, because) = chosen(request.number.as_ref(), auto);
    let registration = RegistrationRequest {
        model: request.model.clone(),
        commit: request.commit.clone(),
        digest: request.digest.clone(),
        number: number.clone(),
        trailers: Trailers::new(),
    };
    match registry.plan_registration(&registration, request.now) {
        Ok(Registration::Existing { version, .. }) => {
            release_of_version(&registry, request.model, &version).map(Preview::Existing)
        }
        Ok(Registration::New { version, .. }) => Ok(Preview::New { version, because }),
        // A commit of its own will be made for it; the number does not depend on the commit.
        Err(RegistryError::CommitTaken { version, .. }) => {
            let bump = match number {
                Number::Exactly(version) => return Ok(Preview::New { version, because }),
                Number::Next(bump) => bump,
            };
            let model = known(&registry, request.model)?;
            let highest = model.and_then(|model| model.versions().filter_map(ModelVersion::version).max());
            Ok(Preview::New { version: highest.unwrap_or(&version).next(bump), because })
        }
        Err(error) => Err(error.into()),
    }
}

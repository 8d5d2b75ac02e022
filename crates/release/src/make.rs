//! Making a release.

use std::collections::BTreeSet;

use tagship_domain::{Bump, CommitId, Manifest, ModelName, Release, Version, schema};
use tagship_ports::{ArtifactStore, Clock, Forge, PortError, Problem, Repo, StateStore, repo::NewTag};
use tagship_registry::{Number, PlannedTag, Registration, Registry, RegistryError};

use crate::{
    attach::attached,
    claim::{Claim, Claims},
    draft::{Draft, Made},
    error::ReleaseError,
    fetch::{digest_of, read_manifest},
    find::{read_registry, release_of_version, releases},
    judged::Judged,
    lease::{Held, Lessor},
    race::{ATTEMPTS, Race},
    request::{is_asked_for, next_number, request},
    signing::SigningKey,
};

/// How often everything is stored at most because a lease ended.
const ROUNDS: u32 = 3;

/// Makes releases in one repository and store.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "it holds nothing but seams")]
pub struct ReleaseMaker<'a> {
    /// The repository that is tagged.
    pub repo: &'a dyn Repo,
    /// Where the bytes go.
    pub store: &'a dyn ArtifactStore,
    /// Where a second version of one commit is recorded.
    pub journals: &'a dyn StateStore,
    /// Where the release is shown.
    pub forge: &'a dyn Forge,
    /// When a lease is taken: a release may take hours.
    pub clock: &'a dyn Clock,
    /// The key that signs what is made; absent where releases are not signed.
    pub signing: Option<&'a SigningKey>,
}

impl ReleaseMaker<'_> {
    /// Makes the release, or finds the one that these bytes already have.
    ///
    /// # Errors
    /// When validation or the gate did not pass these very bytes, files changed meanwhile, the store or the
    /// repository fails. Nothing is visible as a release then. Where only the forge fails, the release exists and the
    /// next run shows it.
    pub async fn make(&self, draft: &Draft) -> Result<Made, ReleaseError> {
        let judged = Judged::of(draft)?;
        let changed = match &draft.artifact {
            Some(path) => self.repo.uncommitted(path, 3).await?,
            None => vec![],
        };
        if !changed.is_empty() {
            return Err(ReleaseError::Uncommitted { model: draft.model.clone(), paths: changed });
        }
        let mut lease = self.stored(draft, &judged).await?;
        if let Some(known) = self.known(draft, &judged).await? {
            return Ok(known);
        }
        let mut commit = draft.commit.clone();
        let mut race = Race::new(self.clock, &draft.by, &judged.digest);
        loop {
            let goes_on = match self.attempt(draft, &judged, &commit, lease.as_mut()).await {
                Ok(Attempt::Made(made)) if is_asked_for(draft, &made) => return Ok(made),
                // What another run had begun with these bytes is finished; the number that was asked for comes after it.
                Ok(Attempt::Made(_)) => {
                    commit.clone_from(&draft.commit);
                    race.at_once()
                }
                Ok(Attempt::LostRace) => race.again().await,
                Ok(Attempt::Elsewhere { why, wanted }) => {
                    commit = self.registration_commit(draft, &judged.digest, &why, wanted.as_ref()).await?;
                    race.at_once()
                }
                // Storing took longer than the lease, and others have forgotten it: bytes may be gone.
                Err(ReleaseError::LeaseEnded) => {
                    lease = self.stored(draft, &judged).await?;
                    race.at_once()
                }
                Err(error) => return Err(error),
            };
            if !goes_on {
                return Err(ReleaseError::Contended { model: draft.model.clone(), attempts: ATTEMPTS });
            }
        }
    }

    /// The release that these bytes have by the tags that are here. Tags stay, so that nobody has to be asked.
    async fn known(&self, draft: &Draft, judged: &Judged<'_>) -> Result<Option<Made>, ReleaseError> {
        let registry = read_registry(self.repo, draft.options.clone()).await?;
        match registered(draft, judged, &registry)? {
            Some(version) => self.existing(draft, &registry, &version).await.map(Some),
            None => Ok(None),
        }
    }

    async fn existing(
        &self,
        draft: &Draft,
        registry: &Registry,
        version: &Version,
    ) -> Result<Made, ReleaseError> {
        let release = release_of_version(registry, &draft.model, version)?;
        self.show_again(registry, &release).await?;
        Ok(Made { release, new: false, because: None })
    }

    /// Keeps what the release needs from being removed as garbage until its tag refers to it. What a tag refers to already
    /// needs no lease.
    async fn lease(&self, draft: &Draft, judged: &Judged<'_>) -> Result<Option<Held>, ReleaseError> {
        let registry = read_registry(self.repo, draft.options.clone()).await?;
        if registered(draft, judged, &registry)?.is_some() {
            return Ok(None);
        }
        let files = draft.files.iter().chain(draft.evidence.iter().map(|(_, file)| file));
        let needed = files.map(|file| file.entry.sha256.clone()).collect();
        self.lessor(draft).take(&needed).await.map(Some)
    }

    fn lessor<'b>(&'b self, draft: &'b Draft) -> Lessor<'b> {
        Lessor { journals: self.journals, clock: self.clock, by: &draft.by }
    }

    /// Sees that everything is stored under a lease that holds. Where one ends meanwhile, all is looked at again: what is there
    /// already costs no second transfer.
    async fn stored(&self, draft: &Draft, judged: &Judged<'_>) -> Result<Option<Held>, ReleaseError> {
        let mut rounds = 1;
        loop {
            let mut lease = self.lease(draft, judged).await?;
            match self.store_files(draft, lease.as_mut()).await {
                Err(ReleaseError::LeaseEnded) if rounds < ROUNDS => rounds += 1,
                stored => return stored.map(|()| lease),
            }
        }
    }

    async fn store_files(&self, draft: &Draft, mut lease: Option<&mut Held>) -> Result<(), ReleaseError> {
        let evidence = draft.evidence.iter().map(|(_, file)| file);
        for file in draft.files.iter().chain(evidence) {
            if let Some(lease) = lease.as_deref_mut() {
                lease.renew_in_time(self.lessor(draft)).await?;
            }
            self.store.put(&file.entry.sha256, &file.path).await?;
        }
        Ok(())
    }

    /// One race for the next version. Claims and registry are read anew each time, in this order.
    async fn attempt(
        &self,
        draft: &Draft,
        judged: &Judged<'_>,
        commit: &CommitId,
        lease: Option<&mut Held>,
    ) -> Result<Attempt, ReleaseError> {
        let mut claims = Claims::read(self.journals, &draft.model).await?;
        self.repo.refresh().await?;
        let registry = read_registry(self.repo, draft.options.clone()).await?;
        claims.settle(&registry)?;
        let newest = self.newest_manifest(&registry, &draft.model).await?;
        let claimed = claims.of(&judged.digest).cloned();
        if let (Some(Claim { version: begun, .. }), Some(Number::Exactly(wanted))) = (&claimed, &draft.number)
            && begun != wanted
            && !begun.leads_to(wanted)
        {
            let (model, begun, wanted) = (draft.model.clone(), begun.clone(), wanted.clone());
            return Err(ReleaseError::Begun { model, begun, wanted });
        }
        let (number, because) = match &claimed {
            Some(claim) => {
                (Number::Exactly(claim.version.clone()), "an earlier run took it for these bytes".to_owned())
            }
            None => next_number(draft, judged, newest.as_ref()),
        };
        let planned = request(draft, judged, commit, number.clone(), None)?;
        // Planned twice: the version is in the manifest, and the manifest's digest is in the tag.
        let version = match registry.plan_registration(&planned, draft.now) {
            Ok(Registration::Existing { version, .. }) => {
                return self.existing(draft, &registry, &version).await.map(Attempt::Made);
            }
            // No commit of the repository holds these bytes: the version gets one of its own.
            Ok(Registration::New { .. }) if draft.origin.is_some() && *commit == draft.commit => {
                let why = format!("They lie in no commit of the repository{}.", draft.from());
                return Ok(Attempt::Elsewhere { why, wanted: draft.given(number) });
            }
            Ok(Registration::New { version, .. }) => match number {
                Number::Next(bump) => claims.free(version, bump),
                Number::Exactly(_) => version,
            },
            Err(RegistryError::CommitTaken { version: holder, .. }) => {
                let why = format!("That commit is {holder} already{}.", draft.from());
                return Ok(Attempt::Elsewhere { why, wanted: draft.given(number) });
            }
            Err(error) => return Err(error.into()),
        };
        let claim = match claimed {
            Some(claim) => claim,
            None => {
                let claim =
                    Claim { version, by: draft.by.clone(), at: draft.now, commit: draft.commit.clone() };
                if !claims.add(&judged.digest, &claim).await? {
                    return Ok(Attempt::LostRace);
                }
                claim
            }
        };
        let previous = before(&registry, &draft.model, &claim.version)?;
        let manifest = judged.manifest(draft, &claim, previous);
        let attached = attached(manifest, &draft.readme, self.signing)?;
        let manifest = attached.manifest;
        let planned = request(draft, judged, commit, Number::Exactly(claim.version), Some(&manifest))?;
        let Registration::New { tag, .. } = registry.plan_registration(&planned, draft.now)? else {
            return Ok(Attempt::LostRace);
        };
        let json = schema::to_json(&manifest)?;
        let mut documents: BTreeSet<_> = attached.files.iter().map(|(digest, _)| digest.clone()).collect();
        documents.insert(digest_of(json.as_bytes()));
        if let Some(lease) = lease {
            self.lessor(draft).renew(lease, &documents).await?;
        }
        for (digest, bytes) in &attached.files {
            self.store.put_bytes(digest, bytes).await?;
        }
        self.publish(draft, &registry, &manifest, &tag, because).await
    }

    pub(crate) async fn newest_manifest(
        &self,
        registry: &Registry,
        model: &ModelName,
    ) -> Result<Option<Manifest>, ReleaseError> {
        match releases(registry, model)?.first() {
            None => Ok(None),
            Some(newest) => read_manifest(self.store, newest).await.map(Some),
        }
    }

    /// Stores the manifest, then creates the tag that makes the release visible, then shows it.
    async fn publish(
        &self,
        draft: &Draft,
        registry: &Registry,
        manifest: &Manifest,
        tag: &PlannedTag,
        because: String,
    ) -> Result<Attempt, ReleaseError> {
        let json = schema::to_json(manifest)?;
        let digest = digest_of(json.as_bytes());
        self.store.put_bytes(&digest, json.as_bytes()).await?;
        let new_tag = NewTag {
            name: tag.name.clone(),
            commit: tag.target.clone(),
            message: tag.message.clone(),
            at: tag.time,
        };
        match self.repo.create_tag(&new_tag).await {
            Ok(()) => {}
            Err(PortError { problem: Problem::Conflict, .. }) => return Ok(Attempt::LostRace),
            Err(error) => return Err(error.into()),
        }
        let release = Release {
            model: draft.model.clone(),
            version: manifest.version.clone(),
            digest: manifest.digest.clone(),
            manifest: digest,
            commit: tag.target.clone(),
        };
        self.show(registry, &tag.name, &release, manifest).await?;
        Ok(Attempt::Made(Made { release, new: true, because: Some(because) }))
    }
}

enum Attempt {
    Made(Made),
    LostRace,
    /// The version needs a commit of its own.
    Elsewhere {
        /// Why.
        why: String,
        /// The number that needs it, where it is a given one.
        wanted: Option<Version>,
    },
}

/// The version that these bytes have by the tags that are here.
fn registered(
    draft: &Draft,
    judged: &Judged<'_>,
    registry: &Registry,
) -> Result<Option<Version>, ReleaseError> {
    let number = draft.number.clone().unwrap_or(Number::Next(Bump::Minor));
    let request = request(draft, judged, &draft.commit, number, None)?;
    match registry.plan_registration(&request, draft.now) {
        Ok(Registration::Existing { version, .. }) => Ok(Some(version)),
        _ => Ok(None),
    }
}

/// The newest version below one: what it comes after.
fn before(
    registry: &Registry,
    model: &ModelName,
    version: &Version,
) -> Result<Option<Version>, ReleaseError> {
    let mut versions = releases(registry, model)?.into_iter().map(|release| release.version);
    Ok(versions.find(|there| there < version))
}

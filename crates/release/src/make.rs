//! Making a release.

use std::{collections::BTreeSet, path::PathBuf};

use tagship_domain::{
    Bump, CommitId, Digest, FileEntry, Manifest, ModelName, Provenance, Release, Timestamp, Version,
    gate::GateReport,
    release::{Evidence, Origin},
    schema,
    validation::ValidationReport,
};
use tagship_ports::{
    ArtifactStore, Clock, Forge, PortError, Problem, Repo, StateStore,
    forge::ReleaseNote,
    journal_ref::part,
    repo::NewTag,
    state_store::{AppendError, Files, NewEntry},
};
use tagship_registry::{Number, Options, PlannedTag, Registration, Registry, RegistryError};

use crate::{
    attach::attached,
    card::Readme,
    claim::{Claim, Claims},
    error::ReleaseError,
    fetch::{digest_of, read_manifest},
    find::{read_registry, release_of_version, releases, tag_of},
    judged::Judged,
    lease::Held,
    note::release_note,
    request::{is_asked_for, next_number, request},
    signing::SigningKey,
    since::since,
};

/// How often a lost race for the tag is run again.
const ATTEMPTS: u32 = 40;

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

/// A file on disk with the digest it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it lies.
    pub path: PathBuf,
    /// How it stands in the manifest.
    pub entry: FileEntry,
}

/// What is to be released.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The model.
    pub model: ModelName,
    /// Path of the artifact in the repository, for the check for uncommitted changes; absent where it lies elsewhere.
    pub artifact: Option<String>,
    /// Where the bytes were taken from; absent for those of the repository.
    pub origin: Option<Origin>,
    /// Its files.
    pub files: Vec<SourceFile>,
    /// Whether it is one file rather than a directory.
    pub single_file: bool,
    /// The README beside it; empty where there is none.
    pub readme: Readme,
    /// Files for later judgements.
    pub evidence: Vec<(Evidence, SourceFile)>,
    /// What validation said.
    pub validation: ValidationReport,
    /// What the gate said.
    pub gate: GateReport,
    /// Which number it takes; the next one by comparison with the newest release where absent.
    pub number: Option<Number>,
    /// The commit that was checked out.
    pub commit: CommitId,
    /// Who releases it.
    pub by: Provenance,
    /// The time.
    pub now: Timestamp,
    /// What `.gto` says.
    pub options: Options,
}

/// A release that exists now.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The release.
    pub release: Release,
    /// Whether it was made now; false where these bytes were released before.
    pub new: bool,
    /// Which part was raised and why, where it was made now.
    pub because: Option<String>,
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
        let lease = self.lease(draft, &judged).await?;
        self.store_files(draft).await?;
        if let Some(known) = self.known(draft, &judged).await? {
            return Ok(known);
        }
        let mut commit = draft.commit.clone();
        for _ in 0..ATTEMPTS {
            match self.attempt(draft, &judged, &commit, lease).await? {
                Attempt::Made(made) if is_asked_for(draft, &made) => return Ok(made),
                // What another run had begun with these bytes is finished; the number that was asked for comes after it.
                Attempt::Made(_) => commit.clone_from(&draft.commit),
                Attempt::LostRace => {}
                Attempt::Elsewhere { why, wanted } => {
                    commit = self.registration_commit(draft, &judged.digest, &why, wanted.as_ref()).await?;
                }
            }
        }
        Err(ReleaseError::Contended { model: draft.model.clone(), attempts: ATTEMPTS })
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
        if !self.store.is_collected() || registered(draft, judged, &registry)?.is_some() {
            return Ok(None);
        }
        let files = draft.files.iter().chain(draft.evidence.iter().map(|(_, file)| file));
        let needed = files.map(|file| file.entry.sha256.clone()).collect();
        Held::take(self.journals, &needed, &draft.by, self.clock.now()).await.map(Some)
    }

    async fn store_files(&self, draft: &Draft) -> Result<(), ReleaseError> {
        let evidence = draft.evidence.iter().map(|(_, file)| file);
        for file in draft.files.iter().chain(evidence) {
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
        lease: Option<Held>,
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
                let why = format!("They lie in no commit of the repository{}.", from(draft));
                return Ok(Attempt::Elsewhere { why, wanted: given(draft, number) });
            }
            Ok(Registration::New { version, .. }) => match number {
                Number::Next(bump) => claims.free(version, bump),
                Number::Exactly(_) => version,
            },
            Err(RegistryError::CommitTaken { version: holder, .. }) => {
                let why = format!("That commit is {holder} already{}.", from(draft));
                return Ok(Attempt::Elsewhere { why, wanted: given(draft, number) });
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
            lease.renew(self.journals, &documents, self.clock.now()).await?;
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

    async fn show(
        &self,
        registry: &Registry,
        tag: &str,
        release: &Release,
        manifest: &Manifest,
    ) -> Result<(), ReleaseError> {
        let since = since(self.repo, self.store, registry, manifest).await?;
        self.store.publish(release, manifest).await?;
        let note = ReleaseNote {
            tag: tag.to_owned(),
            model: release.model.clone(),
            release: release.clone(),
            body: release_note(manifest, &since),
            manifest: schema::to_json(manifest)?,
        };
        Ok(self.forge.release(&note).await?)
    }

    /// A commit of its own for a second version of one source commit, or for bytes that no commit holds: GTO knows a
    /// version by its commit, so two versions must not share one.
    async fn registration_commit(
        &self,
        draft: &Draft,
        digest: &Digest,
        why: &str,
        wanted: Option<&Version>,
    ) -> Result<CommitId, ReleaseError> {
        let journal = format!("registry/{}", part(draft.model.as_str()));
        let (model, built) = (&draft.model, draft.commit.short());
        let mut files = Files::from([("digest".to_owned(), format!("{digest}\n").into_bytes())]);
        if let Some(origin) = &draft.origin {
            files.insert("origin".to_owned(), format!("{} {}\n", origin.place, origin.version).into_bytes());
        }
        let what = match wanted {
            // A prerelease and what it becomes have the same bytes, and are two versions.
            Some(wanted) => {
                files.insert("version".to_owned(), format!("{wanted}\n").into_bytes());
                wanted.to_string()
            }
            None => "other bytes".to_owned(),
        };
        let message =
            format!("Register {what} of {model} built at {built}\n\n{why} The bytes are {digest}.\n");
        let entry = NewEntry { message, files: files.clone(), at: draft.now };
        for _ in 0..ATTEMPTS {
            let tip = self.journals.tip(&journal).await?;
            // An earlier run may have ended before it tagged its commit.
            if let Some(tip) = tip.as_ref().filter(|tip| tip.files == files) {
                return Ok(tip.id.clone());
            }
            match self.journals.append(&journal, tip.as_ref().map(|tip| &tip.id), &entry).await {
                Ok(id) => return Ok(id),
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Port(error)) => return Err(error.into()),
            }
        }
        Err(ReleaseError::Contended { model: draft.model.clone(), attempts: ATTEMPTS })
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

/// The number that was given by a person.
fn given(draft: &Draft, number: Number) -> Option<Version> {
    match (&draft.number, number) {
        (Some(Number::Exactly(_)), Number::Exactly(version)) => Some(version),
        _ => None,
    }
}

/// Where the bytes come from, for the end of a sentence.
fn from(draft: &Draft) -> String {
    let origin = draft.origin.as_ref();
    origin.map_or_else(String::new, |origin| {
        format!("; they come from {}, version {}", origin.place, origin.version)
    })
}

//! Making a release.

use std::{collections::BTreeMap, path::PathBuf};

use tagship_domain::{
    CommitId, Digest, FileEntry, Manifest, ModelName, Provenance, Release, Timestamp, Version,
    gate::{GateReport, Outcome},
    release::{Evidence, Origin},
    schema,
    validation::{ArtifactReport, ValidationReport},
};
use tagship_ports::{
    ArtifactStore, Forge, PortError, Problem, Repo, StateStore,
    forge::ReleaseNote,
    repo::NewTag,
    state_store::{AppendError, Files, NewEntry},
};
use tagship_registry::{
    Number, Options, PlannedTag, Registration, RegistrationRequest, Registry, RegistryError, Trailer,
    Trailers,
};

use crate::{
    attach::attached,
    bump::{NextBump, next_bump},
    card::Readme,
    error::ReleaseError,
    fetch::{artifact_digest, digest_of, read_manifest},
    find::{read_registry, release_of_version, releases, tag_of},
    note::release_note,
    signing::SigningKey,
    since::since,
};

/// How often a lost race for the tag is run again.
const ATTEMPTS: u32 = 20;

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
        self.store_files(draft).await?;
        let mut commit = draft.commit.clone();
        for _ in 0..ATTEMPTS {
            match self.attempt(draft, &judged, &commit).await? {
                Attempt::Made(made) => return Ok(made),
                Attempt::LostRace => {}
                Attempt::Elsewhere(why) => {
                    commit = self.registration_commit(draft, &judged.digest, &why).await?;
                }
            }
        }
        Err(ReleaseError::Contended { model: draft.model.clone(), attempts: ATTEMPTS })
    }

    async fn store_files(&self, draft: &Draft) -> Result<(), ReleaseError> {
        let evidence = draft.evidence.iter().map(|(_, file)| file);
        for file in draft.files.iter().chain(evidence) {
            self.store.put(&file.entry.sha256, &file.path).await?;
        }
        Ok(())
    }

    /// One race for the next version. The registry is read anew each time.
    async fn attempt(
        &self,
        draft: &Draft,
        judged: &Judged<'_>,
        commit: &CommitId,
    ) -> Result<Attempt, ReleaseError> {
        let registry = read_registry(self.repo, draft.options.clone()).await?;
        let newest = self.newest_manifest(&registry, &draft.model).await?;
        let files: Vec<FileEntry> = draft.files.iter().map(|file| file.entry.clone()).collect();
        let auto = next_bump(newest.as_ref(), judged.artifact.signature.as_ref(), &files);
        let (number, because) = chosen(draft.number.as_ref(), auto);
        let request = |manifest: Option<&Manifest>| -> Result<_, ReleaseError> {
            Ok(RegistrationRequest {
                model: draft.model.clone(),
                commit: commit.clone(),
                digest: judged.digest.clone(),
                number: number.clone(),
                trailers: trailers(draft, manifest)?,
            })
        };
        // Planned twice: the version is in the manifest, and the manifest's digest is in the tag.
        let version = match registry.plan_registration(&request(None)?, draft.now) {
            Ok(Registration::Existing { version, .. }) => {
                let release = release_of_version(&registry, &draft.model, &version)?;
                self.show_again(&registry, &release).await?;
                return Ok(Attempt::Made(Made { release, new: false, because: None }));
            }
            // No commit of the repository holds these bytes: the version gets one of its own.
            Ok(Registration::New { .. }) if draft.origin.is_some() && *commit == draft.commit => {
                return Ok(Attempt::Elsewhere(format!(
                    "They lie in no commit of the repository{}.",
                    from(draft)
                )));
            }
            Ok(Registration::New { version, .. }) => version,
            Err(RegistryError::CommitTaken { version, .. }) => {
                let why = format!("That commit is {version} already{}.", from(draft));
                return Ok(Attempt::Elsewhere(why));
            }
            Err(error) => return Err(error.into()),
        };
        let manifest = judged.manifest(draft, version, newest.map(|newest| newest.version));
        let attached = attached(manifest, &draft.readme, self.signing)?;
        let manifest = attached.manifest;
        let Registration::New { tag, .. } =
            registry.plan_registration(&request(Some(&manifest))?, draft.now)?
        else {
            return Ok(Attempt::LostRace);
        };
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
    ) -> Result<CommitId, ReleaseError> {
        let journal = format!("registry/{}", draft.model);
        let (model, built) = (&draft.model, draft.commit.short());
        let mut files = Files::from([("digest".to_owned(), format!("{digest}\n").into_bytes())]);
        if let Some(origin) = &draft.origin {
            files.insert("origin".to_owned(), format!("{} {}\n", origin.place, origin.version).into_bytes());
        }
        let what = match &draft.number {
            // A prerelease and what it becomes have the same bytes, and are two versions.
            Some(Number::Exactly(wanted)) => {
                files.insert("version".to_owned(), format!("{wanted}\n").into_bytes());
                wanted.to_string()
            }
            _ => "other bytes".to_owned(),
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

/// The number that a release asks for and why: what was said, else what the comparison says.
pub(crate) fn chosen(said: Option<&Number>, auto: NextBump) -> (Number, String) {
    match said {
        None => (Number::Next(auto.bump), auto.because),
        Some(number @ Number::Next(_)) => (number.clone(), "as configured".to_owned()),
        Some(number @ Number::Exactly(_)) => (number.clone(), "the number was given".to_owned()),
    }
}

enum Attempt {
    Made(Made),
    LostRace,
    /// The version needs a commit of its own; why.
    Elsewhere(String),
}

/// Where the bytes come from, for the end of a sentence.
fn from(draft: &Draft) -> String {
    let origin = draft.origin.as_ref();
    origin.map_or_else(String::new, |origin| {
        format!("; they come from {}, version {}", origin.place, origin.version)
    })
}

/// A draft whose bytes passed validation and the gate.
pub(crate) struct Judged<'a> {
    artifact: &'a ArtifactReport,
    digest: Digest,
}

impl<'a> Judged<'a> {
    pub(crate) fn of(draft: &'a Draft) -> Result<Self, ReleaseError> {
        let no = |why: String| ReleaseError::NotJudged { model: draft.model.clone(), why };
        let files: Vec<FileEntry> = draft.files.iter().map(|file| file.entry.clone()).collect();
        let digest =
            artifact_digest(&files, draft.single_file).ok_or_else(|| no("there are no files".to_owned()))?;
        let [artifact] = draft.validation.artifacts.as_slice() else {
            return Err(no(format!("validation judged {} artifacts", draft.validation.artifacts.len())));
        };
        if !draft.validation.passed() {
            return Err(no(format!("validation said {}", draft.validation.verdict)));
        }
        if artifact.sha256.as_ref() != Some(&digest) {
            return Err(no(format!("validation judged other bytes than {}", digest.short())));
        }
        if draft.gate.outcome != Outcome::Successful {
            return Err(no(format!("the gate is {}", draft.gate.outcome)));
        }
        if draft.gate.digest.as_ref() != Some(&digest) {
            return Err(no(format!("the gate judged other bytes than {}", digest.short())));
        }
        Ok(Self { artifact, digest })
    }

    pub(crate) fn manifest(&self, draft: &Draft, version: Version, previous: Option<Version>) -> Manifest {
        let number =
            |metric: &tagship_domain::gate::MetricDiff| Some((metric.name.clone(), metric.candidate?));
        Manifest {
            model: draft.model.clone(),
            version,
            digest: self.digest.clone(),
            format: self.artifact.format.clone(),
            size: draft.files.iter().map(|file| file.entry.size).sum(),
            files: draft.files.iter().map(|file| file.entry.clone()).collect(),
            single_file: draft.single_file,
            signature: self.artifact.signature.clone(),
            metrics: draft.gate.metrics.iter().filter_map(number).collect(),
            evidence: draft.evidence.iter().map(|(kind, file)| (*kind, file.entry.clone())).collect(),
            attachments: BTreeMap::new(),
            validation: draft.validation.clone(),
            gate: draft.gate.clone(),
            commit: draft.commit.clone(),
            origin: draft.origin.clone(),
            by: draft.by.clone(),
            created: draft.now,
            previous,
        }
    }
}

fn trailers(draft: &Draft, manifest: Option<&Manifest>) -> Result<Trailers, ReleaseError> {
    let trailers = Trailers::new()
        .with(Trailer::Actor, &draft.by.actor)
        .with(Trailer::Run, draft.by.run.as_deref().unwrap_or_default());
    Ok(match manifest {
        None => trailers,
        Some(manifest) => {
            let digest = digest_of(schema::to_json(manifest)?.as_bytes());
            trailers.with(Trailer::Manifest, &digest.to_string())
        }
    })
}

//! The chain of a release: what `tagship registry explain` shows and `tagship verify` checks.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tagship_config::ModelConfig;
use tagship_domain::{
    CommitId, Environment, Exit, Manifest, Release,
    chain::{
        Attested, Chain, ChainCheck, ChainOutcome, ChainPart, PlaceLink, RolloutLink, SourceLink, StageLink,
        TagLink,
    },
    rollout::RolloutState,
    schema,
};
use tagship_ports::{ArtifactStore, Problem, attestations::Kept};
use tagship_registry::{Event, ModelVersion, Registry, Trailer};
use tagship_release::{
    Reference, SCRATCH, Trust, check_bytes, check_manifest, check_places, check_signed, check_verdicts,
    compared, read_manifest, signing::PublicKey,
};
use tagship_report::terminal;
use tagship_rollout::{check_stage, journal_name, state_of};
use tagship_runner::{Failure, args::ExplainReleaseArgs};

use crate::{
    answer::Answer,
    attestations::{kept_attestations, verified},
    failure::failed,
    signatures::{readable_keys, trusted_keys},
    state::unusable_journal,
    verbs::pull::find,
    workspace::Workspace,
};

/// A release, and what its chain is read from.
struct Subject<'a> {
    workspace: &'a Workspace,
    settings: &'a ModelConfig,
    store: Arc<dyn ArtifactStore>,
    release: Release,
    /// The environment that was asked about.
    environment: Option<Environment>,
}

/// `tagship registry explain`.
pub(crate) async fn explain(args: &ExplainReleaseArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let subject = Subject::of(workspace, &args.reference).await?;
    // What can be explained without a key is.
    let (keys, unread) = readable_keys(workspace, subject.settings);
    let unread = unread.first().map(|why| why.message.as_str());
    let trust = Trust { keys: &keys, required: subject.requires_signature(), unread };
    let (mut chain, checks, _) = subject.links(trust).await?;
    // What does not hold is told here too; the rest is not checked whole.
    chain.checks = checks.into_iter().filter(|check| check.outcome > ChainOutcome::Holds).collect();
    let mut text = terminal::chain(&chain, &workspace.style());
    if let Some(directory) = &args.documents {
        let manifest = read_manifest(subject.store.as_ref(), &subject.release).await.map_err(failed)?;
        for path in save_documents(subject.store.as_ref(), &manifest, directory).await? {
            let _ = write!(text, "\nwritten to {}", path.display());
        }
    }
    let json = schema::to_json(&chain).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, "explained", "done", text, json))
}

/// Writes the documents of a release, verified by their digests; existing files are replaced.
async fn save_documents(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    directory: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let mut written = vec![];
    for (kind, file) in &manifest.attachments {
        // The name is ours, whatever the manifest says.
        let path = directory.join(kind.file_name());
        store.get(&file.sha256, &path).await.map_err(failed)?;
        written.push(path);
    }
    Ok(written)
}

/// `tagship verify` of a release. The given keys are trusted instead of the configured ones, where there are any.
pub(crate) async fn verify(
    workspace: &Workspace,
    reference: &str,
    given: Vec<PublicKey>,
) -> Result<Answer, Failure> {
    let subject = Subject::of(workspace, reference).await?;
    // Who names a key wants to know that it signed.
    let required = !given.is_empty() || subject.requires_signature();
    let keys = if given.is_empty() { trusted_keys(workspace, subject.settings)? } else { given };
    let trust = Trust { keys: &keys, required, unread: None };
    let (mut chain, checks, kept) = subject.links(trust).await?;
    chain.checks = checks;
    if let Some(manifest) = &chain.manifest {
        let scratch = tempfile::tempdir()
            .map_err(|error| Failure::unwritable("create a temporary directory", &error))?;
        let bytes = check_bytes(subject.store.as_ref(), manifest, scratch.path()).await;
        if let Some(kept) = kept {
            let is_there = bytes
                .iter()
                .any(|check| check.link == ChainPart::Bytes && check.outcome == ChainOutcome::Holds);
            let file = Some(scratch.path().join(SCRATCH)).filter(|_| is_there);
            let (attested, checked) = verified(workspace, manifest, &kept, file.as_deref()).await;
            chain.attested = Some(attested);
            chain.checks.push(checked);
        }
        chain.checks.extend(bytes);
        chain.checks.extend(check_verdicts(manifest));
    }
    let text = terminal::chain(&chain, &workspace.style());
    let json = schema::to_json(&chain).map_err(Failure::incomplete)?;
    let (decision, reason) = match chain.outcome() {
        ChainOutcome::Broken => ("refused", "broken"),
        ChainOutcome::Unknown => ("incomplete", "unchecked"),
        ChainOutcome::Holds | ChainOutcome::NotApplicable => ("verified", "verified"),
    };
    Ok(Answer::plain(chain.exit(), decision, reason, text, json))
}

impl<'a> Subject<'a> {
    async fn of(workspace: &'a Workspace, reference: &str) -> Result<Self, Failure> {
        let release = find(workspace, reference).await?;
        let settings = workspace.config.models.get(&release.model).ok_or_else(|| {
            Failure::usage(format!("model {} is not configured, so its store is unknown", release.model))
        })?;
        let environment = match reference.parse::<Reference>().map_err(failed)? {
            Reference::Version(..) => None,
            Reference::Environment(_, environment) => Some(environment),
        };
        Ok(Self { workspace, settings, store: workspace.store(settings)?, release, environment })
    }

    /// The links, what was found about those that are read on the way, and attestations that are still to be verified.
    async fn links(&self, trust: Trust<'_>) -> Result<(Chain, Vec<ChainCheck>, Option<Kept>), Failure> {
        let registry = self.workspace.registry().await?;
        let tag = self.tag(&registry)?;
        let (manifest, checked) = check_manifest(self.store.as_ref(), &self.release).await;
        let (mut checks, mut kept) = (vec![checked], None);
        let mut chain = Chain {
            release: self.release.clone(),
            tag,
            store: self.store.location(),
            places: vec![],
            source: None,
            signature: None,
            attested: None,
            stage: None,
            checks: vec![],
            manifest,
        };
        if let Some(manifest) = &chain.manifest {
            let (places, checked) = self.places(manifest).await;
            chain.places = places;
            checks.extend(checked);
            let (signature, checked) = check_signed(self.store.as_ref(), manifest, trust).await;
            chain.signature = signature;
            checks.push(checked);
            let (found, checked) = kept_attestations(self.workspace, manifest).await;
            chain.attested = found.as_ref().map(|kept| Attested { kept: kept.number, verified: vec![] });
            kept = found;
            checks.extend(checked);
            let (source, checked) = self.source(&manifest.commit).await?;
            chain.source = source;
            checks.push(checked);
        }
        if let Some(environment) = &self.environment {
            let (stage, checked) = self.stage(&registry, environment).await?;
            chain.stage = stage;
            checks.push(checked);
        }
        Ok((chain, checks, kept))
    }

    /// Where other tools find it, and whether that is what the release put there.
    async fn places(&self, manifest: &Manifest) -> (Vec<PlaceLink>, Option<ChainCheck>) {
        let unknown = |error: &dyn std::fmt::Display| {
            let sentence = format!("where other tools find it is unknown: {error}");
            (vec![], Some(ChainCheck::of(ChainPart::Places, ChainOutcome::Unknown, sentence)))
        };
        let places = match self.store.places(&self.release, manifest).await {
            Ok(places) => places,
            Err(error) => return unknown(&error),
        };
        let (journals, location) = (self.workspace.host.journals.as_ref(), self.store.location());
        match compared(journals, &self.release, &location, places).await {
            Err(error) => unknown(&error),
            Ok(links) if links.is_empty() => (links, None),
            Ok(links) => {
                let checked = check_places(&links);
                (links, Some(checked))
            }
        }
    }

    /// Whether the environment that was asked about lets nothing else in.
    fn requires_signature(&self) -> bool {
        let here = self.environment.as_ref().and_then(|name| self.settings.environments.get(name));
        here.is_some_and(|here| here.require_signature)
    }

    fn version<'r>(&self, registry: &'r Registry) -> Result<&'r ModelVersion, Failure> {
        let model = registry.model(&self.release.model).map_err(failed)?;
        model
            .version(&self.release.version)
            .ok_or_else(|| Failure::incomplete(format!("{} is not registered any more", self.release)))
    }

    fn tag(&self, registry: &Registry) -> Result<TagLink, Failure> {
        let registrations = self.version(registry)?.registrations();
        let complete = registrations.filter(|event| event.trailers().get(Trailer::Manifest).is_some());
        complete
            .last()
            .map(link)
            .ok_or_else(|| Failure::incomplete(format!("the tag of {} is gone", self.release)))
    }

    async fn source(&self, id: &CommitId) -> Result<(Option<SourceLink>, ChainCheck), Failure> {
        let check = |outcome, sentence: String| ChainCheck::of(ChainPart::Commit, outcome, sentence);
        let host = &self.workspace.host;
        let commit = match host.repo.commit(id).await {
            Ok(commit) => commit,
            Err(error) if error.problem == Problem::NotFound => {
                let sentence = format!("this clone does not have the commit {}", id.short());
                return Ok((None, check(ChainOutcome::Unknown, sentence)));
            }
            Err(error) => return Err(failed(error)),
        };
        let asked = host.forge.pull_requests_of(id).await;
        let pull_requests = asked.map_err(|error| {
            self.workspace
                .tell_once(&format!("which pull request brought {} is unknown: {error}", id.short()));
        });
        let source = SourceLink {
            commit: id.clone(),
            author: commit.author.name,
            at: commit.author.time,
            subject: commit.message.lines().next().unwrap_or_default().to_owned(),
            pull_requests: pull_requests.ok(),
        };
        let sentence = format!("the commit {} that it was built from is there", id.short());
        Ok((Some(source), check(ChainOutcome::Holds, sentence)))
    }

    async fn stage(
        &self,
        registry: &Registry,
        environment: &Environment,
    ) -> Result<(Option<StageLink>, ChainCheck), Failure> {
        let version = self.version(registry)?;
        let assigned = version
            .stages()
            .find(|stage| stage.stage() == environment.as_str())
            .and_then(tagship_registry::StageRecord::active_since);
        let journal = journal_name(environment, &self.release.model);
        let tip = self.workspace.host.journals.tip(&journal).await.map_err(failed)?;
        let state =
            tip.as_ref().map(state_of).transpose().map_err(|error| unusable_journal(&journal, &error))?;
        let named = assigned.map(Event::trailers);
        let named = named.as_ref().and_then(|trailers| trailers.get(Trailer::Rollout));
        let check = check_stage(state.as_ref(), &self.release, named);
        let stage = assigned.map(|event| StageLink {
            environment: environment.clone(),
            tag: link(event),
            rollout: state.map(rollout),
        });
        Ok((stage, check))
    }
}

fn link(event: &Event) -> TagLink {
    let trailers = event.trailers();
    let text = |trailer| trailers.get(trailer).filter(|text| !text.is_empty()).map(str::to_owned);
    TagLink {
        name: event.tag.clone(),
        by: tagship_domain::Provenance {
            actor: text(Trailer::Actor).unwrap_or_else(|| event.tagger.name.clone()),
            run: text(Trailer::Run),
        },
        at: event.time(),
        reason: text(Trailer::Reason),
    }
}

fn rollout(state: RolloutState) -> RolloutLink {
    RolloutLink {
        id: state.id,
        kind: state.kind,
        candidate: state.candidate,
        phase: state.phase,
        message: state.message,
        by: state.by,
        started: state.started,
        since: state.since,
        waived: state.waived,
    }
}

//! Artifacts that come from elsewhere: fetching them into the job's directory, and finding out what is new there.
//!
//! What one step of a job has fetched is what later steps judge and release, whatever the place holds by then.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    pin::Pin,
};

use serde::{Deserialize, Serialize};
use tagship_adapters::{
    model_registries::Wanted,
    places::{self, Opened, Opener},
};
use tagship_config::{Address, ModelConfig};
use tagship_decide::Arrival;
use tagship_domain::{
    ByteSize, Digest, Document, Environment, ModelName, Release,
    event::{Command, Event},
    release::Origin,
    signature::Signature,
};
use tagship_ports::{ModelRegistry, PortError, Problem, model_registry::Fetched};
use tagship_release::artifact_digest;
use tagship_runner::{Context, Failure};

use crate::{cursor::Cursor, failure::failed, pipeline::Place, project::Project, workspace::Workspace};

/// Most bytes of an artifact where `validate.max-size` says nothing.
const LIMIT: u64 = 100 << 30;
/// Folder of the job's directory that fetched artifacts lie in.
const FOLDER: &str = "sources";

/// What was fetched in this job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// The address that it was fetched from, as it is configured.
    address: String,
    /// Where it comes from, for the record.
    pub(crate) origin: Origin,
    /// Its digest, from the same pass that wrote it.
    pub(crate) digest: Digest,
    /// Where it lies.
    path: PathBuf,
    /// The interface that the place says it has.
    pub(crate) signature: Option<Signature>,
}

impl Document for Taken {
    const SCHEMA: &'static str = "tagship/source/v1";
}

/// What was found in the places that artifacts come from.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    arrivals: BTreeMap<ModelName, Arrival>,
}

impl Looked {
    /// What is new of a model.
    pub(crate) fn arrival(&self, model: &ModelName) -> Option<&Arrival> {
        self.arrivals.get(model)
    }
}

/// [`look`], for a verb that may not name it, lest it become part of a small program.
pub(crate) type Look =
    for<'a> fn(&'a Workspace, &'a Event) -> Pin<Box<dyn Future<Output = Result<Looked, Failure>> + 'a>>;

/// [`look`] as a [`Look`].
pub(crate) fn looking<'a>(
    workspace: &'a Workspace,
    event: &'a Event,
) -> Pin<Box<dyn Future<Output = Result<Looked, Failure>> + 'a>> {
    Box::pin(look(workspace, event))
}

/// What an event needs of the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// What is new there, with its bytes.
    Arrivals,
    /// The bytes, new or not.
    Bytes,
    Nothing,
}

fn need(event: &Event, model: &ModelName) -> Need {
    match event {
        Event::Schedule => Need::Arrivals,
        Event::ModelVersion(created) if created.model == *model => Need::Arrivals,
        Event::Manual(request) => {
            let begins = matches!(request.command, None | Some(Command::Deploy | Command::Retry));
            let is_meant = request.model.as_ref().is_none_or(|wanted| wanted == model);
            let named = request.version.is_some() || request.from.is_some();
            if begins && is_meant && !named { Need::Bytes } else { Need::Nothing }
        }
        Event::Push { after: Some(_), .. }
        | Event::PullRequest(_)
        | Event::MergeGroup { .. }
        | Event::WorkflowRun { succeeded: true, from_fork: false, .. }
        | Event::Checks { succeeded: true, .. }
        | Event::Deployment { succeeded: true, .. } => Need::Bytes,
        _ => Need::Nothing,
    }
}

/// Looks at the places of the chosen models, as far as an event needs it. A place that cannot be read is part of the answer:
/// the others go on.
///
/// # Errors
/// For an address or settings that are wrong, and where what was decided before cannot be read.
pub(crate) async fn look(workspace: &Workspace, event: &Event) -> Result<Looked, Failure> {
    let mut looked = Looked::default();
    for (name, model) in workspace.models()? {
        let Some(address) = model.artifact.elsewhere() else { continue };
        let found = match need(event, name) {
            Need::Nothing => continue,
            Need::Bytes => fetch(workspace, name, model).await.map(|_| None),
            Need::Arrivals => arrival(workspace, name, model, address).await?.map(Some),
        };
        let unknown = match found {
            Ok(arrival) => arrival,
            Err(error) if is_mistake(&error) => return Err(mistaken(name, &error)),
            Err(error) => Some(Arrival::Unknown(error.to_string())),
        };
        looked.arrivals.extend(unknown.map(|arrival| (name.clone(), arrival)));
    }
    Ok(looked)
}

/// What somebody has to mend in the configuration, rather than something outside that may pass.
fn is_mistake(error: &PortError) -> bool {
    error.problem == Problem::Unsupported
}

fn mistaken(name: &ModelName, error: &PortError) -> Failure {
    let failure = failed(error.clone());
    Failure { message: format!("models.{name}.artifact: {}", failure.message), ..failure }
}

/// What is new in the place of a model.
async fn arrival(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    address: &Address,
) -> Result<Result<Arrival, PortError>, Failure> {
    let cursor = Cursor::read(workspace, name).await?;
    Ok(arrived(workspace, name, model, address, &cursor).await)
}

async fn arrived(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    address: &Address,
    cursor: &Cursor,
) -> Result<Arrival, PortError> {
    let environments: Vec<_> = model.environments.keys().filter(|name| workspace.chooses(name)).collect();
    let opened = open(workspace, address)?;
    let (version, passed_over, place) = match &opened {
        Opened::Place(place) => {
            let taken = take(workspace, name, model, address, &opened, None).await?;
            (taken.digest.to_string(), vec![], place.location())
        }
        Opened::Registry(registry, wanted) => {
            let place = registry.location();
            let Some((number, passed_over)) = newest(registry.as_ref(), wanted, cursor, &place).await? else {
                return Ok(Arrival::Known { version: None });
            };
            (number.to_string(), passed_over, place)
        }
    };
    let has_seen = |seen: Option<&str>| match &opened {
        // Where the newest was removed, the one before is not new again.
        Opened::Registry(_, Wanted::Newest) => {
            seen.and_then(|seen| seen.parse::<u64>().ok()) >= version.parse().ok()
        }
        _ => seen == Some(version.as_str()),
    };
    let seen_by: BTreeSet<_> = environments
        .iter()
        .filter(|environment| has_seen(cursor.seen(&place, Some(environment))))
        .map(|environment| (*environment).clone())
        .collect();
    let all = match environments.as_slice() {
        [] => has_seen(cursor.seen(&place, None)),
        all => all.len() == seen_by.len(),
    };
    if all {
        return Ok(Arrival::Known { version: Some(version) });
    }
    if let Opened::Registry(..) = &opened {
        take(workspace, name, model, address, &opened, version.parse().ok()).await?;
    }
    Ok(Arrival::New { version, passed_over, seen_by })
}

/// The version of a registry that is meant, with those that nobody has decided about and that are older; absent where there
/// is none.
async fn newest(
    registry: &dyn ModelRegistry,
    wanted: &Wanted,
    cursor: &Cursor,
    place: &str,
) -> Result<Option<(u64, Vec<String>)>, PortError> {
    match wanted {
        Wanted::Number(number) => Ok(Some((*number, vec![]))),
        Wanted::Alias(alias) => Ok(registry.aliased(alias).await?.map(|number| (number, vec![]))),
        Wanted::Newest => {
            let known = cursor.oldest(place).unwrap_or_default();
            let new = registry.versions(known).await?;
            let numbers: Vec<u64> = new.iter().map(|version| version.number).collect();
            match numbers.split_first() {
                Some((newest, older)) => Ok(Some((*newest, older.iter().map(u64::to_string).collect()))),
                None if known == 0 => Ok(None),
                None => Ok(Some((known, vec![]))),
            }
        }
    }
}

/// Fetches a model's artifact into the job's directory.
///
/// # Errors
/// As its place.
pub(crate) async fn fetch(
    project: &Project,
    name: &ModelName,
    model: &ModelConfig,
) -> Result<Option<Taken>, PortError> {
    let Some(address) = model.artifact.elsewhere() else { return Ok(None) };
    let opened = open(project, address)?;
    let number = match &opened {
        Opened::Place(_) => None,
        Opened::Registry(registry, wanted) => {
            let place = registry.location();
            let found = newest(registry.as_ref(), wanted, &Cursor::default(), &place).await?;
            let none = || {
                PortError::new(Problem::NotFound, format!("fetch {address}"), "there is no such version")
                    .hint("register one, or check the name and the alias")
            };
            Some(found.ok_or_else(none)?.0)
        }
    };
    take(project, name, model, address, &opened, number).await.map(Some)
}

/// The same, for a verb that may not name it, lest it become part of a small program.
pub(crate) fn fetching<'a>(
    project: &'a Project,
    name: &'a ModelName,
    model: &'a ModelConfig,
) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>> {
    Box::pin(async move { fetch(project, name, model).await.map(|_| ()).map_err(failed) })
}

fn open(project: &Project, address: &Address) -> Result<Opened, PortError> {
    let opener = Opener { root: &project.root, secret: &Context::secret, variable: &Context::inherited };
    places::open(address, &opener)
}

/// Fetches into a directory beside, which gets its name when all is there.
async fn take(
    project: &Project,
    name: &ModelName,
    model: &ModelConfig,
    address: &Address,
    opened: &Opened,
    number: Option<u64>,
) -> Result<Taken, PortError> {
    let limit = model.validate.max_size.map_or(LIMIT, ByteSize::as_bytes);
    let job = project.context.job_directory.clone().unwrap_or_else(std::env::temp_dir);
    let folder = job.join(FOLDER).join(name.as_str().replace(['/', ':'], "_"));
    let here = |path: &Path, error: &std::io::Error| {
        PortError::new(Problem::Local, format!("write {}", path.display()), error.to_string())
    };
    fs::create_dir_all(&folder).map_err(|error| here(&folder, &error))?;
    let beside = tempfile::tempdir_in(&folder).map_err(|error| here(&folder, &error))?;
    let (fetched, place, version) = match (opened, number) {
        (Opened::Place(place), _) => (place.fetch(beside.path(), limit).await?, place.location(), None),
        (Opened::Registry(registry, _), number) => {
            let number = number.unwrap_or_default();
            let fetched = registry.fetch(number, beside.path(), limit).await?;
            (fetched, registry.location(), Some(number.to_string()))
        }
    };
    let Fetched { path, files, single_file, signature } = fetched;
    let nothing = || PortError::new(Problem::NotFound, format!("fetch {address}"), "there are no files");
    let digest = artifact_digest(&files, single_file).ok_or_else(nothing)?;
    let to = folder.join(digest.hex());
    let below = path.strip_prefix(beside.path()).unwrap_or(Path::new("")).to_owned();
    for earlier in fs::read_dir(&folder).map_err(|error| here(&folder, &error))?.flatten() {
        // One artifact of a model at a time; what another step reads is the same one.
        if earlier.path() != beside.path() {
            fs::remove_dir_all(earlier.path()).map_err(|error| here(&earlier.path(), &error))?;
        }
    }
    fs::rename(beside.keep(), &to).map_err(|error| here(&to, &error))?;
    let taken = Taken {
        address: address.as_str().to_owned(),
        origin: Origin { place, version: version.unwrap_or_else(|| digest.to_string()) },
        path: if below.as_os_str().is_empty() { to } else { to.join(below) },
        digest,
        signature,
    };
    let kept = project.handover.put(Some(name), &taken);
    kept.map_err(|failure| {
        PortError::new(Problem::Local, format!("remember what was fetched of {name}"), failure.message)
    })?;
    Ok(taken)
}

/// What an earlier step of this job, or this one, fetched of a model.
///
/// # Errors
/// Where it is remembered and cannot be read.
pub(crate) fn taken(
    project: &Project,
    name: &ModelName,
    address: &Address,
) -> Result<Option<Taken>, Failure> {
    let taken: Option<Taken> = project.handover.get(Some(name), None)?;
    Ok(taken.filter(|taken| taken.address == address.as_str() && taken.path.exists()))
}

/// Where a model's artifact lies: in the repository, or where it was fetched to.
///
/// # Errors
/// Where it lies elsewhere and was not fetched in this job.
pub(crate) fn artifact_path(
    project: &Project,
    name: &ModelName,
    model: &ModelConfig,
) -> Result<PathBuf, Failure> {
    let Some(address) = model.artifact.elsewhere() else {
        return Ok(project.root.join(model.artifact.as_str()));
    };
    taken(project, name, address)?.map(|taken| taken.path).ok_or_else(|| {
        Failure::incomplete(format!(
            "the artifact of {name} comes from {address} and was not fetched in this job"
        ))
        .hint("run `tagship validate` first, which fetches it")
    })
}

/// Remembers that a version was decided about for an environment.
///
/// # Errors
/// Where that cannot be written; then it is decided about again.
pub(crate) async fn settle(
    workspace: &Workspace,
    name: &ModelName,
    environment: Option<&Environment>,
) -> Result<(), Failure> {
    let Some(address) = workspace.config.models.get(name).and_then(|model| model.artifact.elsewhere()) else {
        return Ok(());
    };
    match taken(workspace, name, address)? {
        Some(taken) => Cursor::advance(workspace, name, &taken.origin, environment).await,
        None => Ok(()),
    }
}

/// The same for a release that goes somewhere, where it is what this job fetched.
///
/// # Errors
/// As [`settle`].
pub(crate) async fn settle_release(
    workspace: &Workspace,
    place: Place<'_>,
    release: &Release,
) -> Result<(), Failure> {
    let Some(address) = place.model.artifact.elsewhere() else { return Ok(()) };
    match taken(workspace, place.name, address)?.filter(|taken| taken.digest == release.digest) {
        Some(taken) => Cursor::advance(workspace, place.name, &taken.origin, Some(place.environment)).await,
        None => Ok(()),
    }
}

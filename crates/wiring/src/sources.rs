//! Artifacts that come from elsewhere: fetching them into the job's directory, and finding out what is new there.
//!
//! What one step of a job has fetched is what later steps judge and release, whatever the place holds by then.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tagship_adapters::{
    SystemClock,
    model_registries::Wanted,
    places::{self, Opened, Opener, RUN_ARTIFACT, Runs},
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

use crate::{
    cursor::{Course, Cursor},
    failure::failed,
    host::github,
    pipeline::Place,
    project::Project,
    workspace::Workspace,
};

/// Most bytes of an artifact where `validate.max-size` says nothing.
const LIMIT: u64 = 100 << 30;
/// Folder of the job's directory that fetched artifacts lie in.
const FOLDER: &str = "sources";
/// Digits of a digest, which an artifact's directory is named by.
const HEX: usize = 64;

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
    /// Which way what is meant there can go.
    #[serde(default)]
    course: Course,
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
        let need = match need(event, name) {
            // A run keeps what is made in it, and nothing is made where the clock asks.
            Need::Arrivals if address.kind() == RUN_ARTIFACT => Need::Nothing,
            need => need,
        };
        if need == Need::Nothing {
            continue;
        }
        let source = Source { name, model, address };
        let found = match open(workspace, address) {
            Err(error) if is_mistake(&error) => return Err(mistaken(name, &error)),
            Err(error) => Err(error),
            Ok(opened) if need == Need::Bytes => source.meant(workspace, &opened).await.map(|_| None),
            Ok(opened) => {
                let cursor = Cursor::read(workspace, name).await?;
                source.arrived(workspace, &opened, &cursor).await.map(Some)
            }
        };
        // What is wrong with one version or its files, whatever it is, concerns this model only.
        let arrival = found.unwrap_or_else(|error| Some(Arrival::Unknown(error.to_string())));
        looked.arrivals.extend(arrival.map(|arrival| (name.clone(), arrival)));
    }
    Ok(looked)
}

/// What somebody has to mend in the configuration, where a place cannot be opened, rather than something outside that may
/// pass.
fn is_mistake(error: &PortError) -> bool {
    error.problem == Problem::Unsupported
}

fn mistaken(name: &ModelName, error: &PortError) -> Failure {
    let failure = failed(error.clone());
    Failure { message: format!("models.{name}.artifact: {}", failure.message), ..failure }
}

/// A model whose artifact comes from elsewhere.
#[derive(Clone, Copy)]
struct Source<'a> {
    name: &'a ModelName,
    model: &'a ModelConfig,
    address: &'a Address,
}

impl Source<'_> {
    /// What is new in the place of the model.
    async fn arrived(
        self,
        workspace: &Workspace,
        opened: &Opened,
        cursor: &Cursor,
    ) -> Result<Arrival, PortError> {
        let environments: Vec<_> =
            self.model.environments.keys().filter(|name| workspace.chooses(name)).collect();
        let (version, passed_over, place) = match opened {
            Opened::Place(place) => {
                let taken = self.take(workspace, opened, None).await?;
                (taken.digest.to_string(), vec![], place.location())
            }
            Opened::Registry(registry, wanted) => {
                let place = registry.location();
                let Some((number, passed_over)) = newest(registry.as_ref(), wanted, cursor, &place).await?
                else {
                    return Ok(Arrival::Known { version: None });
                };
                (number.to_string(), passed_over, place)
            }
        };
        let has_seen = |seen: Option<&str>| match opened {
            // A number that lies behind is not new again.
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
        if let Opened::Registry(..) = opened {
            self.take(workspace, opened, version.parse().ok()).await?;
        }
        Ok(Arrival::New { version, passed_over, seen_by })
    }

    /// Fetches what the address means now, new or not.
    async fn meant(self, project: &Project, opened: &Opened) -> Result<Taken, PortError> {
        let number = match opened {
            Opened::Place(_) => None,
            Opened::Registry(registry, wanted) => {
                let place = registry.location();
                let found = newest(registry.as_ref(), wanted, &Cursor::default(), &place).await?;
                let none = || {
                    let operation = format!("fetch {}", self.address);
                    PortError::new(Problem::NotFound, operation, "there is no such version")
                        .hint("register one, or check the name and the alias")
                };
                Some(found.ok_or_else(none)?.0)
            }
        };
        self.take(project, opened, number).await
    }
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
                None => still_there(registry, known).await.map(|()| Some((known, vec![]))),
            }
        }
    }
}

/// That nothing is newer than what was decided about means something only while that is there: a registry that was set up
/// anew counts from one again, and gives the number of a version that was removed to the next one.
async fn still_there(registry: &dyn ModelRegistry, known: u64) -> Result<(), PortError> {
    if !registry.versions(known - 1).await?.is_empty() {
        return Ok(());
    }
    let about = format!("look for a new version of {}", registry.location());
    let message = format!("version {known} was decided about and is not there any more, nor is a later one");
    Err(PortError::new(Problem::NotFound, about, message)
        .hint("register a version with a larger number, or name the one that is meant in `artifact`"))
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
    Source { name, model, address }.meant(project, &opened).await.map(Some)
}

/// The same, for a verb that may not name it, lest it become part of a small program.
pub(crate) fn fetching<'a>(
    project: &'a Project,
    name: &'a ModelName,
    model: &'a ModelConfig,
) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>> {
    Box::pin(async move { fetch(project, name, model).await.map(|_| ()).map_err(failed) })
}

/// Opens the place that an address names.
///
/// # Errors
/// As [`places::open`].
pub(crate) fn open(project: &Project, address: &Address) -> Result<Opened, PortError> {
    let opener = Opener {
        root: &project.root,
        secret: &Context::secret,
        variable: &Context::inherited,
        runs: &|| runs(project),
    };
    places::open(address, &opener)
}

/// This run, and the one that it follows.
fn runs(project: &Project) -> Result<Runs, PortError> {
    let context = &project.context;
    let own = Context::inherited("GITHUB_RUN_ID").and_then(|run| run.parse().ok());
    let host = context.host.as_ref().and_then(|host| host.token.as_ref().map(|token| (host, token)));
    let (Some((addresses, token)), Some(own)) = (host, own) else {
        let message = "there is no workflow's run with a token here";
        return Err(PortError::new(Problem::Denied, "open an artifact of a run", message).hint(
            "in a workflow, give the step a token with `actions: read`; elsewhere, name a file instead",
        ));
    };
    let host = github(addresses, token, context, Arc::new(SystemClock));
    let host = host
        .map_err(|failure| PortError::new(Problem::Invalid, "open an artifact of a run", failure.message))?;
    Ok(Runs { host: Arc::new(host), runs: [Some(own), context.follows].into_iter().flatten().collect() })
}

impl Source<'_> {
    /// Fetches into a directory beside, which gets its name when all is there.
    async fn take(self, project: &Project, opened: &Opened, number: Option<u64>) -> Result<Taken, PortError> {
        let Self { name, model, address } = self;
        let limit = model.validate.max_size.map_or(LIMIT, ByteSize::as_bytes);
        let job = project.context.job_directory.clone().unwrap_or_else(std::env::temp_dir);
        let folder = job.join(FOLDER).join(name.file_form());
        fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        let beside = tempfile::tempdir_in(&folder).map_err(|error| unwritable(&folder, &error))?;
        let (fetched, place, version) = match (opened, number) {
            (Opened::Place(place), _) => (place.fetch(beside.path(), limit).await?, place.location(), None),
            (Opened::Registry(registry, _), number) => {
                let number = number.unwrap_or_default();
                let fetched = registry.fetch(number, beside.path(), limit).await?;
                (fetched, registry.location(), Some(number.to_string()))
            }
        };
        let Fetched { path, files, single_file, signature, run } = fetched;
        let nothing = || PortError::new(Problem::NotFound, format!("fetch {address}"), "there are no files");
        let digest = artifact_digest(&files, single_file).ok_or_else(nothing)?;
        let to = folder.join(digest.hex());
        let below = path.strip_prefix(beside.path()).unwrap_or(Path::new("")).to_owned();
        remove_earlier(&folder)?;
        fs::rename(beside.keep(), &to).map_err(|error| unwritable(&to, &error))?;
        let taken = Taken {
            address: address.as_str().to_owned(),
            origin: Origin { place, version: version.unwrap_or_else(|| digest.to_string()), run },
            path: if below.as_os_str().is_empty() { to } else { to.join(below) },
            digest,
            course: match opened {
                Opened::Registry(_, Wanted::Newest) => Course::Forward,
                _ => Course::Anywhere,
            },
            signature,
        };
        let kept = project.handover.put(Some(name), &taken);
        kept.map_err(|failure| {
            PortError::new(Problem::Local, format!("remember what was fetched of {name}"), failure.message)
        })?;
        Ok(taken)
    }
}

/// Removes what was fetched before: one artifact of a model at a time, for what another step reads is the same one.
fn remove_earlier(folder: &Path) -> Result<(), PortError> {
    for earlier in fs::read_dir(folder).map_err(|error| unwritable(folder, &error))?.flatten() {
        let name = earlier.file_name();
        let is_artifact = |name: &str| name.len() == HEX && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if name.to_str().is_some_and(is_artifact) {
            fs::remove_dir_all(earlier.path()).map_err(|error| unwritable(&earlier.path(), &error))?;
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> PortError {
    PortError::new(Problem::Local, format!("write {}", path.display()), error.to_string())
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
        Some(taken) => Cursor::advance(workspace, name, (&taken.origin, taken.course), environment).await,
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
        Some(taken) => {
            let seen = (&taken.origin, taken.course);
            Cursor::advance(workspace, place.name, seen, Some(place.environment)).await
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

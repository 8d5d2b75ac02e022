//! The project that a verb works on, with everything that stands behind its ports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use tagship_adapters::{SystemClock, stores};
use tagship_config::{AdapterSpec, ModelConfig};
use tagship_git::GitRepo;
use tagship_ports::{ArtifactStore, Clock, Inventory, PortError, Problem};
use tagship_registry::Registry;
use tagship_runner::{Context, Failure, args::Common};

use crate::{
    failure::failed,
    host::Host,
    project::{OWN_DIRECTORY, Project, discover},
    transfers::Transfers,
};

/// How a program opens the stores that a configuration may name: all of them, or those that fit a small program.
pub(crate) type OpenStore =
    fn(&AdapterSpec, &stores::Opener<'_>) -> Result<Box<dyn ArtifactStore>, PortError>;

/// The kind of the store that the host is.
const GITHUB: &str = "github";
/// A project with all that it is connected to.
pub(crate) struct Workspace {
    /// What lies here.
    project: Project,
    /// The clone that is worked in.
    pub(crate) clone: Arc<GitRepo>,
    /// Where it is hosted: tags and journals, comments, deployments, releases.
    pub(crate) host: Host,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// How transfers between here and stores go on.
    pub(crate) transfers: Arc<Transfers>,
    open_store: OpenStore,
    /// Stores that are open, by how they are configured: each has a client of its own, which is dear to make.
    opened: Mutex<BTreeMap<String, Arc<dyn ArtifactStore>>>,
    /// What was left out and told already.
    told: Mutex<BTreeSet<String>>,
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace")
            .field("project", &self.project)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// A workspace is a project, and more.
impl Deref for Workspace {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

impl DerefMut for Workspace {
    fn deref_mut(&mut self) -> &mut Project {
        &mut self.project
    }
}

impl Workspace {
    /// Opens the repository around the working directory, reads its configuration, and finds its host.
    ///
    /// # Errors
    /// Outside a repository, or when the configuration is missing or wrong.
    pub(crate) fn open(common: &Common, context: Context, open_store: OpenStore) -> Result<Self, Failure> {
        Self::open_by(common, context, Arc::new(SystemClock), open_store)
    }

    /// The same by a clock.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub(crate) fn open_by(
        common: &Common,
        context: Context,
        clock: Arc<dyn Clock>,
        open_store: OpenStore,
    ) -> Result<Self, Failure> {
        let repo = discover()?;
        let local = repo.root().join(OWN_DIRECTORY).join("forge");
        let (host, clone) = Host::of(&context, repo, &local, clock.clone())?;
        let project = Project::of(&clone, common, context)?;
        Ok(Self {
            project,
            clone,
            host,
            clock,
            transfers: Arc::default(),
            open_store,
            opened: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// Goes on without something that people would have been shown, where the token may not show it. What, why and what to do is told once.
    ///
    /// # Errors
    /// Every other problem.
    pub(crate) fn leave_out<T>(&self, error: PortError, instead: T) -> Result<T, PortError> {
        if error.problem != Problem::Denied {
            return Err(error);
        }
        self.tell_once(&format!("left out: {error}"));
        Ok(instead)
    }

    /// Says something that would be repeated at every step of a rollout.
    pub(crate) fn tell_once(&self, text: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(text.to_owned()) {
            self.screen.say(text);
        }
    }

    /// The store of a model.
    ///
    /// # Errors
    /// For an unknown kind or wrong settings.
    pub(crate) fn store(&self, settings: &ModelConfig) -> Result<Arc<dyn ArtifactStore>, Failure> {
        match (&settings.release.store, &self.host.store) {
            (None, Some(hosted)) => Ok(hosted.clone()),
            (None, None) => Ok(Arc::from(stores::embedded(&self.root))),
            (Some(spec), Some(github)) if spec.kind == GITHUB && spec.settings.is_empty() => {
                Ok(github.clone())
            }
            (Some(spec), _) if spec.kind == GITHUB => Err(located(&unreachable_store(spec), spec)),
            (Some(spec), _) => self.opened(spec),
        }
    }

    /// The store of a model, to list and remove what is in it.
    ///
    /// # Errors
    /// As [`Workspace::store`].
    pub(crate) fn inventory(&self, settings: &ModelConfig) -> Result<Arc<dyn Inventory>, Failure> {
        let spec = settings.release.store.as_ref();
        let is_hosted = spec.is_none_or(|spec| spec.kind == GITHUB && spec.settings.is_empty());
        match (&self.host.github, spec) {
            (Some(github), _) if is_hosted => return Ok(github.clone()),
            (_, Some(spec)) if spec.kind == GITHUB => return Err(located(&unreachable_store(spec), spec)),
            _ => {}
        }
        let opener = stores::Opener { root: &self.root, variable: &Context::secret, moved: Arc::new(|_| {}) };
        stores::inventory(spec, &opener).map(Arc::from).map_err(|error| match spec {
            Some(spec) => located(&error, spec),
            None => failed(error),
        })
    }

    fn opened(&self, spec: &AdapterSpec) -> Result<Arc<dyn ArtifactStore>, Failure> {
        let key = serde_json::json!([spec.kind, spec.settings]).to_string();
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = opened.get(&key) {
            return Ok(store.clone());
        }
        let transfers = self.transfers.clone();
        let opener = stores::Opener {
            root: &self.root,
            variable: &Context::secret,
            moved: Arc::new(move |bytes| transfers.advance(bytes)),
        };
        let store = (self.open_store)(spec, &opener).map_err(|error| located(&error, spec))?;
        let store: Arc<dyn ArtifactStore> = Arc::from(store);
        opened.insert(key, store.clone());
        Ok(store)
    }

    /// The registry as the tags have it now.
    ///
    /// # Errors
    /// When the tags cannot be read.
    pub(crate) async fn registry(&self) -> Result<Registry, Failure> {
        tagship_release::read_registry(self.host.repo.as_ref(), self.registry_options()?)
            .await
            .map_err(failed)
    }
}

/// Why the store `github` cannot be opened.
fn unreachable_store(spec: &AdapterSpec) -> PortError {
    let operation = "open the store github";
    match spec.settings.keys().next() {
        Some(setting) => PortError::new(Problem::Invalid, operation, format!("it has no setting {setting:?}"))
            .hint("write `store: github`"),
        None => PortError::new(Problem::Denied, operation, "which repository and with which token is unknown").hint(
            "in a workflow pass `github-token: ${{ github.token }}`; elsewhere set GITHUB_TOKEN, GITHUB_REPOSITORY, \
             GITHUB_API_URL, GITHUB_SERVER_URL and GITHUB_GRAPHQL_URL",
        ),
    }
}

/// An adapter's error with the place in the configuration that named the adapter.
pub(crate) fn located(error: &PortError, spec: &AdapterSpec) -> Failure {
    let mut failure = failed(error.clone());
    if matches!(error.problem, Problem::Unsupported | Problem::Invalid | Problem::Denied) {
        failure.exit = tagship_domain::Exit::Usage;
    }
    if let Some(location) = &spec.location {
        failure.message = format!("{location}: {}", failure.message);
    }
    failure
}

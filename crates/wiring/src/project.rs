//! What a verb works on before it asks anybody else: the clone, its configuration, and what the arguments choose of it.

use std::path::{Path, PathBuf};

use tagship_config::{Config, EnvironmentConfig, GtoSettings, ModelConfig, parse_gto_settings};
use tagship_domain::{Environment, ModelName};
use tagship_git::GitRepo;
use tagship_registry::Options;
use tagship_runner::{Context, Failure, Screen, args::Common, handover::Handover};

use crate::failure::failed;

/// Directory of everything that tagship keeps in a repository without a host.
pub(crate) const OWN_DIRECTORY: &str = ".tagship";

/// Where the configuration lies.
pub(crate) const CONFIG_FILE: &str = "tagship.yml";

/// A clone with its configuration.
#[derive(Debug)]
pub(crate) struct Project {
    /// Top directory of the work tree.
    pub(crate) root: PathBuf,
    /// What is configured.
    pub(crate) config: Config,
    /// The environment of the run.
    pub(crate) context: Context,
    /// Where answers are printed.
    pub(crate) screen: Screen,
    /// Documents of earlier steps.
    pub(crate) handover: Handover,
    common: Common,
}

impl Project {
    /// Finds the repository around the working directory and reads its configuration.
    ///
    /// # Errors
    /// Outside a repository, or when the configuration is missing or wrong.
    pub(crate) fn open(common: &Common, context: Context) -> Result<Self, Failure> {
        Self::of(&discover()?, common, context)
    }

    /// The project in a clone.
    ///
    /// # Errors
    /// When the configuration is missing or wrong.
    pub(crate) fn of(clone: &GitRepo, common: &Common, mut context: Context) -> Result<Self, Failure> {
        let root = clone.root().to_owned();
        let config = if context.is_privileged() {
            trusted_config(&common.config, clone, &context)?
        } else {
            read_config(&common.config, &root)?
        };
        context.by.actor = actor(clone, &context);
        context.job_directory.get_or_insert_with(|| root.join(OWN_DIRECTORY).join("job"));
        Ok(Self {
            screen: Screen::of(&context, common.verbose),
            handover: Handover::of(&context),
            root,
            config,
            context,
            common: common.clone(),
        })
    }

    /// The models that the arguments choose: the named one, else all.
    ///
    /// # Errors
    /// When the named one is not configured.
    pub(crate) fn models(&self) -> Result<Vec<(&ModelName, &ModelConfig)>, Failure> {
        match &self.common.model {
            None => Ok(self.config.models.iter().collect()),
            Some(name) => Ok(vec![self.named(name)?]),
        }
    }

    /// The one model that the arguments choose.
    ///
    /// # Errors
    /// When several are configured and none is named.
    pub(crate) fn model(&self) -> Result<(&ModelName, &ModelConfig), Failure> {
        match self.models()?.as_slice() {
            [only] => Ok(*only),
            several => {
                let names = several.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
                Err(Failure::usage("several models are configured")
                    .hint(format!("pass --model: {}", names.join(", "))))
            }
        }
    }

    fn named(&self, name: &ModelName) -> Result<(&ModelName, &ModelConfig), Failure> {
        self.config.models.get_key_value(name).ok_or_else(|| {
            let names = self.config.models.keys().map(ToString::to_string).collect::<Vec<_>>();
            Failure::usage(format!("no model {name} is configured"))
                .hint(format!("there is {}", names.join(", ")))
        })
    }

    /// The one environment of a model that the arguments choose.
    ///
    /// # Errors
    /// When it is not configured, or several are and none is named.
    pub(crate) fn environment<'a>(
        &self,
        model: &ModelName,
        settings: &'a ModelConfig,
    ) -> Result<(&'a Environment, &'a EnvironmentConfig), Failure> {
        let names = || settings.environments.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (&self.common.environment, settings.environments.len()) {
            (_, 0) => Err(Failure::usage(format!("model {model} has no environments"))
                .hint(format!("add models.{model}.environments to {}", self.common.config.display()))),
            (Some(wanted), _) => settings.environments.get_key_value(wanted).ok_or_else(|| {
                Failure::usage(format!("model {model} has no environment {wanted}"))
                    .hint(format!("there is {}", names()))
            }),
            (None, 1) => settings.environments.iter().next().ok_or_else(|| Failure::usage("no environment")),
            (None, _) => Err(Failure::usage(format!("model {model} has several environments"))
                .hint(format!("pass --environment: {}", names()))),
        }
    }

    /// The environment that a candidate is compared in: as [`Workspace::environment`], but none at all is fine.
    ///
    /// # Errors
    /// As [`Workspace::environment`].
    pub(crate) fn environment_if_any<'a>(
        &self,
        model: &ModelName,
        settings: &'a ModelConfig,
    ) -> Result<Option<&'a Environment>, Failure> {
        if settings.environments.is_empty() && self.common.environment.is_none() {
            return Ok(None);
        }
        self.environment(model, settings).map(|(name, _)| Some(name))
    }

    /// The same workspace with another choice of model and environment.
    pub(crate) fn choose(&mut self, model: &ModelName, environment: Option<&Environment>) {
        self.common.model = Some(model.clone());
        self.common.environment = environment.cloned();
    }

    /// What the arguments choose, whatever was chosen since.
    pub(crate) fn choose_as(&mut self, common: &Common) {
        self.common.model.clone_from(&common.model);
        self.common.environment.clone_from(&common.environment);
    }

    /// Whether the arguments are about an environment: about all where they name none.
    pub(crate) fn chooses(&self, environment: &Environment) -> bool {
        self.common.environment.as_ref().is_none_or(|chosen| chosen == environment)
    }

    /// How the screen wants things rendered.
    pub(crate) fn style(&self) -> tagship_report::terminal::Style {
        crate::style(&self.screen)
    }

    /// What the repository's `.gto` file says.
    ///
    /// # Errors
    /// When it is no YAML.
    pub(crate) fn registry_options(&self) -> Result<Options, Failure> {
        registry_options(&self.root)
    }

    /// Every environment of every model.
    pub(crate) fn places(
        &self,
    ) -> impl Iterator<Item = (&ModelName, &ModelConfig, &Environment, &EnvironmentConfig)> {
        self.config.models.iter().flat_map(|(name, model)| {
            model.environments.iter().map(move |(environment, settings)| (name, model, environment, settings))
        })
    }
}

/// Who acts: whom the host names, else the person that git is set up for.
pub(crate) fn actor(clone: &GitRepo, context: &Context) -> String {
    let named = Some(context.by.actor.clone()).filter(|actor| !actor.is_empty());
    named.or_else(|| clone.user_name()).unwrap_or_else(|| "unknown".to_owned())
}

/// The repository around the working directory.
///
/// # Errors
/// Where there is none.
pub(crate) fn discover() -> Result<GitRepo, Failure> {
    GitRepo::discover(Path::new(".")).map_err(failed)
}

/// What a `.gto` file says about the registry.
///
/// # Errors
/// As [`gto_settings`].
pub(crate) fn registry_options(root: &Path) -> Result<Options, Failure> {
    gto_settings(root).map(|settings| Options { stages: settings.stages, types: settings.types })
}

/// What a `.gto` file says.
///
/// # Errors
/// When GTO would refuse it.
pub(crate) fn gto_settings(root: &Path) -> Result<GtoSettings, Failure> {
    let path = root.join(".gto");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(GtoSettings::default()),
        Err(error) => return Err(Failure::usage(format!("read {}: {error}", path.display()))),
    };
    parse_gto_settings(&text).map_err(|error| Failure::usage(format!("read {}: {error}", path.display())))
}

/// The configuration as the default branch has it, whatever was checked out: a comment or a fork's proposal must not
/// bring its own.
fn trusted_config(path: &Path, clone: &GitRepo, context: &Context) -> Result<Config, Failure> {
    let event = context.event_name.as_deref().unwrap_or_default();
    let refuse = |message: String| {
        Failure::usage(format!(
            "read {} of the default branch, as {event} demands: {message}",
            path.display()
        ))
    };
    let failed = |message: String| {
        refuse(message).hint(
            "check out the default branch, which actions/checkout does for this event by itself; a `ref` of its that names \
             a branch, perhaps one that is not the default any more, has to go",
        )
    };
    let commit = context.sha.as_ref().ok_or_else(|| failed("GITHUB_SHA is not set".to_owned()))?;
    if path.is_absolute() {
        return Err(failed("its path must be relative to the repository".to_owned()));
    }
    let name = path.to_string_lossy().replace('\\', "/");
    let bytes = clone.read_file(commit, &name).map_err(|error| failed(error.to_string()))?;
    let bytes = bytes.ok_or_else(|| {
        refuse(format!("commit {} has no such file", commit.short())).hint(
            "merge the file into the default branch; where the default branch has changed, it may lie on the earlier one only",
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|_not_text| failed("it is not UTF-8".to_owned()))?;
    parse_config(path, &text)
}

fn parse_config(path: &Path, text: &str) -> Result<Config, Failure> {
    Config::parse(&path.display().to_string(), text)
        .map_err(|errors| Failure::usage(errors.to_string().trim_end().trim_start_matches("error: ")))
}

pub(crate) fn read_config(path: &Path, root: &Path) -> Result<Config, Failure> {
    // A relative path is looked for where the user stands, then at the top of the repository.
    let found = [path.to_owned(), root.join(path)].into_iter().find(|path| path.is_file());
    let Some(found) = found else {
        return Err(Failure::usage(format!(
            "read {}: there is no such file here or at {}",
            path.display(),
            root.display()
        ))
        .hint("pass --config FILE, or write a tagship.yml; the README shows one"));
    };
    let text = std::fs::read_to_string(&found)
        .map_err(|error| Failure::usage(format!("read {}: {error}", found.display())))?;
    parse_config(path, &text)
}

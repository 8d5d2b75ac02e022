//! Where the cluster is and who we are there: the kubeconfig that is named, that of the home directory, or the account of
//! the pod that this runs in.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kube::{
    Client, Config,
    config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use tagship_ports::{PortError, Problem};
use tokio::sync::OnceCell;

use crate::failure::{Refusal, login};

/// Variables that say where the cluster is; nothing in them is secret.
pub const PLAIN_VARIABLES: [&str; 4] =
    ["KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"];

/// Longest wait for a connection, and for an answer.
const ANSWER: Duration = Duration::from_secs(30);
const OPERATION: &str = "connect to the cluster";

/// A connection that is made when it is needed.
#[derive(Clone)]
pub(crate) struct Connection {
    place: Place,
    context: Option<String>,
    client: Arc<OnceCell<Client>>,
    /// Longest wait for an answer.
    pub(crate) answer: Duration,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("place", &self.place).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Place {
    Files(Vec<PathBuf>),
    Pod,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is written for a path may be the content of a kubeconfig.
        f.write_str(match self {
            Self::Files(_) => "Files",
            Self::Pod => "Pod",
        })
    }
}

impl Connection {
    /// Finds out where the cluster is.
    ///
    /// # Errors
    /// When neither a kubeconfig is named, nor one lies in the home directory, nor this runs in a pod.
    pub(crate) fn find(
        context: Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let at_home =
            || set("HOME").map(|home| Path::new(&home).join(".kube/config")).filter(|file| file.is_file());
        let place = if let Some(named) = set("KUBECONFIG") {
            Place::Files(std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect())
        } else if let Some(file) = at_home() {
            Place::Files(vec![file])
        } else if set("KUBERNETES_SERVICE_HOST").is_some() {
            Place::Pod
        } else {
            let message = "KUBECONFIG is not set, there is no ~/.kube/config, and this is no pod";
            return Err(PortError::new(Problem::Denied, OPERATION, message)
                .hint("set KUBECONFIG to the path of a kubeconfig for the cluster"));
        };
        Ok(Self { place, context, client: Arc::default(), answer: ANSWER })
    }

    pub(crate) async fn client(&self) -> Result<&Client, PortError> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    /// Waits for an answer, but not for ever.
    pub(crate) async fn in_time<T>(
        &self,
        operation: &str,
        call: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        tokio::time::timeout(self.answer, call).await.unwrap_or_else(|_elapsed| {
            let message = format!("the cluster did not answer within {} seconds", self.answer.as_secs());
            Err(PortError::new(Problem::Unreachable, operation, message).into())
        })
    }

    async fn connect(&self) -> Result<Client, PortError> {
        let mut config = match &self.place {
            Place::Files(files) => self.read(files).await?,
            Place::Pod => Config::incluster()
                .map_err(|_said| unusable("the account of this pod cannot be read".to_owned()))?,
        };
        refuse_malformed(&config)?;
        config.connect_timeout = Some(ANSWER);
        config.write_timeout = Some(ANSWER);
        // The rollout repeats what may be repeated, when it is time for that.
        config.default_retry = false;
        if let Some(exec) = &mut config.auth_info.exec {
            // Nobody is there to answer, and what a program says aside may be secret.
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
        self.make(config).await
    }

    /// Makes the client, which may run a login's program: on a thread of its own, for that program may stand still.
    async fn make(&self, config: Config) -> Result<Client, PortError> {
        let made = tokio::task::spawn_blocking(move || Client::try_from(config));
        let late = || format!("the login did not end within {} seconds", self.answer.as_secs());
        let made = match tokio::time::timeout(self.answer, made).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => return Err(unusable("it cannot be used".to_owned())),
            Err(_elapsed) => return Err(PortError::new(Problem::Unreachable, OPERATION, late())),
        };
        made.map_err(|error| {
            login(OPERATION, &error)
                .unwrap_or_else(|| unusable("certificates or keys in it cannot be used".to_owned()))
        })
    }

    async fn read(&self, files: &[PathBuf]) -> Result<Config, PortError> {
        let mut all: Option<Kubeconfig> = None;
        // One that is not there is passed over, as kubectl does.
        for file in files.iter().filter(|file| file.exists()) {
            let one = Kubeconfig::read_from(file).map_err(|error| unreadable(file, &error))?;
            all = Some(match all {
                None => one,
                Some(all) => all.merge(one).map_err(|error| unreadable(file, &error))?,
            });
        }
        let all = all.ok_or_else(|| {
            let message = "KUBECONFIG names no file that exists; its value is not repeated here";
            PortError::new(Problem::Denied, OPERATION, message)
                .hint("set KUBECONFIG to the path of a kubeconfig; its content belongs into that file")
        })?;
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let named = |context: &Option<String>| context.clone().unwrap_or_default();
        let context = named(&options.context.clone().or_else(|| all.current_context.clone()));
        Config::from_custom_kubeconfig(all, &options).await.map_err(|error| {
            let why = match error {
                KubeconfigError::CurrentContextNotSet => "no context is chosen in it".to_owned(),
                KubeconfigError::LoadContext(_) => format!("it has no context {context:?}"),
                KubeconfigError::LoadClusterOfContext(_) => {
                    format!("it has no cluster for context {context:?}")
                }
                KubeconfigError::MissingClusterUrl | KubeconfigError::ParseClusterUrl(_) => {
                    format!("the cluster of context {context:?} has no usable address")
                }
                _ => format!("context {context:?} cannot be used: its certificates, keys or login are wrong"),
            };
            unusable(why)
        })
    }
}

/// The client cannot be made with a token that no header takes, and does not say so either.
fn refuse_malformed(config: &Config) -> Result<(), PortError> {
    let login = serde_json::to_value(&config.auth_info).unwrap_or_default();
    let is_plain = |token: &str| token.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if login["token"].as_str().is_none_or(is_plain) {
        return Ok(());
    }
    Err(unusable(
        "the token of its context has characters that no header takes, e.g. a line break".to_owned(),
    ))
}

/// Only where and of which kind: what a parser says may quote what it read.
fn unreadable(file: &Path, error: &KubeconfigError) -> PortError {
    let why = match error {
        KubeconfigError::ReadConfig(error, _) => error.kind().to_string(),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "it is of another kind than the one before".to_owned()
        }
        _ => "it is no kubeconfig".to_owned(),
    };
    unusable(format!("kubeconfig {}: {why}", file.display()))
}

fn unusable(message: String) -> PortError {
    PortError::new(Problem::Denied, OPERATION, message)
        .hint("check it with `kubectl config view` and `kubectl auth whoami`")
}

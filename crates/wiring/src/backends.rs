//! What the target of an environment calls the versions of a model, for sources whose series have those names.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use tagship_config::{EnvironmentConfig, ModelConfig};
use tagship_domain::{ModelName, Timestamp, Version};
use tagship_ports::{Backend, Backends, PortError, Problem, Target};
use tagship_runner::Failure;
use tokio::sync::Mutex;

use crate::{targets::open_target, workspace::Workspace};

/// What knows how the target of an environment calls versions; nothing where it is no target whose platform has names for them.
///
/// # Errors
/// For a target that cannot be opened.
pub(crate) fn target_backends(
    workspace: &Workspace,
    model: &ModelConfig,
    name: &ModelName,
    settings: &EnvironmentConfig,
) -> Result<Option<Arc<dyn Backends>>, Failure> {
    if !tagship_kube::KINDS.contains(&settings.target.kind.as_str()) {
        return Ok(None);
    }
    let target = open_target(workspace, model, settings)?.target;
    Ok(Some(Arc::new(PerLook::new(TargetBackends { target, model: name.clone() }))))
}

/// Asks the target itself.
struct TargetBackends {
    target: Box<dyn Target>,
    model: ModelName,
}

#[async_trait]
impl Backends for TargetBackends {
    async fn backend(&self, version: &Version, _at: Timestamp) -> Result<Backend, PortError> {
        let backend = self.target.backend(&self.model, version).await?;
        backend.ok_or_else(|| {
            let message = "the target has no names for versions that others could count by";
            PortError::new(Problem::Unsupported, format!("look for {} {version}", self.model), message)
                .hint("write queries with {{arm}} instead")
        })
    }
}

/// Asks once per look: every metric of it wants to know the same, and each answer costs the cluster some requests.
struct PerLook<B> {
    backends: B,
    said: Mutex<Said>,
}

/// The backends of versions at a time.
#[derive(Default)]
struct Said {
    at: Option<Timestamp>,
    backends: BTreeMap<Version, Backend>,
}

impl<B> PerLook<B> {
    fn new(backends: B) -> Self {
        Self { backends, said: Mutex::default() }
    }
}

#[async_trait]
impl<B: Backends> Backends for PerLook<B> {
    async fn backend(&self, version: &Version, at: Timestamp) -> Result<Backend, PortError> {
        let mut said = self.said.lock().await;
        if said.at != Some(at) {
            *said = Said { at: Some(at), ..Said::default() };
        }
        if let Some(known) = said.backends.get(version) {
            return Ok(known.clone());
        }
        let backend = self.backends.backend(version, at).await?;
        said.backends.insert(version.clone(), backend.clone());
        Ok(backend)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Another name each time; an error for the first one.
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Backends for Counting {
        async fn backend(&self, _: &Version, _: Timestamp) -> Result<Backend, PortError> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Err(PortError::new(Problem::Unreachable, "look", "no answer")),
                number => Ok(Backend { namespace: "ml".to_owned(), name: format!("churn-{number}") }),
            }
        }
    }

    #[tokio::test]
    async fn one_look_asks_once_for_each_version_and_the_next_one_anew() {
        let backends = PerLook::new(Counting(AtomicUsize::new(0)));
        let ask = async |major, seconds| {
            let at = Timestamp::from_seconds(seconds).unwrap();
            backends.backend(&Version::new(major, 0, 0), at).await.map(|backend| backend.name)
        };
        ask(1, 0).await.expect_err("what failed is asked again");
        assert_eq!(
            (ask(1, 0).await.unwrap(), ask(2, 0).await.unwrap()),
            ("churn-1".into(), "churn-2".into())
        );
        assert_eq!(
            (ask(1, 0).await.unwrap(), ask(2, 0).await.unwrap()),
            ("churn-1".into(), "churn-2".into())
        );
        assert_eq!(ask(1, 60).await.unwrap(), "churn-3");
    }
}

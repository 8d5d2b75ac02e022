//! Looking: the `Canary`, the Deployment that it names, and the primary one. Three reads, and nothing else is ever asked.

use std::sync::{Mutex, PoisonError};

use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use super::{
    FlaggerTarget,
    canary::Canary,
    view::View,
    workload::{Mark, Workload},
};
use crate::cluster::Kind;

/// Flagger's hash of the template as it was when that was seen first.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<Option<(Digest, String)>>);

impl Watched {
    /// Whether the hash has changed since the template is the one that it is now.
    fn has_moved(&self, tried: Option<&Mark>, applied: &str) -> bool {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*watched, tried) {
            (Some((digest, first)), Some(tried)) if *digest == tried.digest => first != applied,
            (_, tried) => {
                *watched = tried.map(|tried| (tried.digest.clone(), applied.to_owned()));
                false
            }
        }
    }
}

impl FlaggerTarget {
    /// What there is.
    pub(super) async fn look(&self, operation: &str) -> Result<View, PortError> {
        self.read(operation).await.map_err(|error| match error.problem {
            Problem::Denied => error.hint(
                "the account has to read the Canary and the Deployments: bind it to the Role that `tagship init --target flagger \
                 --rbac` prints",
            ),
            _ => error,
        })
    }

    async fn read(&self, operation: &str) -> Result<View, PortError> {
        let (namespace, name) = (&self.namespace, &self.settings.name);
        let canary = namespace.get(Kind::Canary, name).await?.ok_or_else(|| {
            let message = format!("Canary {}/{name} is not there", namespace.name);
            PortError::new(Problem::NotFound, operation, message)
                .hint("name the Canary that Flagger leads in `name` of the target")
        })?;
        let canary = Canary::read(operation, &canary)?;
        let deployment = async |name: &str| {
            let object = namespace.get(Kind::Deployment, name).await?;
            Ok::<_, PortError>(Workload::read(name, object.as_ref()))
        };
        let tried = deployment(&canary.target).await?;
        let primary = deployment(&format!("{}-primary", canary.target)).await?;
        let has_moved = self.watched.has_moved(tried.mark.as_ref(), &canary.applied);
        Ok(View { canary, tried, primary, has_moved })
    }
}

//! Which kinds of targets there are, and where each is opened.
//!
//! Only what leads rollouts opens one, so that the linker leaves the Kubernetes client out of all other programs.

use std::sync::Arc;

use tagship_adapters::targets::{self, INHERITED, Opened};
use tagship_config::{AdapterSpec, EnvironmentConfig, ModelConfig};
use tagship_kube::PLAIN_VARIABLES;
use tagship_ports::{PortError, Problem, ReleaseAddresses};
use tagship_runner::{Context, Failure};

use crate::{
    addresses::StoredAddresses,
    workspace::{Workspace, located},
};

/// The target of an environment of a model.
///
/// # Errors
/// For an unknown kind, wrong settings or a missing secret.
pub(crate) fn open_target(
    workspace: &Workspace,
    model: &ModelConfig,
    settings: &EnvironmentConfig,
) -> Result<Opened, Failure> {
    let spec = &settings.target;
    // What every program needs, and where a cluster is, is no secret: hiding it would blot out the log.
    let variable = |name: &str| {
        let is_plain = INHERITED.contains(&name) || PLAIN_VARIABLES.contains(&name);
        if is_plain { Context::inherited(name) } else { Context::secret(name) }
    };
    let addresses = || match StoredAddresses::open(workspace, model) {
        Ok(addresses) => Ok(Arc::new(addresses) as Arc<dyn ReleaseAddresses>),
        Err(failure) => Err(PortError::new(Problem::Invalid, "open the store", failure.to_string())),
    };
    let (root, clock) = (&workspace.root, Arc::clone(&workspace.clock));
    let on_cluster = tagship_kube::open(&spec.kind, &spec.settings, root, &variable, &addresses, clock);
    let opened = match on_cluster {
        Some(opened) => opened.map(|(target, runner)| Opened { target, runner }),
        None if targets::KINDS.contains(&spec.kind.as_str()) => {
            targets::open(spec, &workspace.root, &variable)
        }
        None => Err(unknown(spec)),
    };
    opened.map_err(|error| located(&error, spec))
}

fn unknown(spec: &AdapterSpec) -> PortError {
    let mut known: Vec<&str> = targets::KINDS.into_iter().chain(tagship_kube::KINDS).collect();
    known.sort_unstable();
    PortError::new(Problem::Unsupported, "open the target", format!("{:?} is no kind of target", spec.kind))
        .hint(format!("known kinds are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_lists_all_that_are_known() {
        let error = unknown(&AdapterSpec::of_kind("kserv"));
        assert_eq!(
            error.hint.as_deref(),
            Some("known kinds are argo-rollouts, exec, flagger, gateway-api, kserve, local")
        );
    }
}

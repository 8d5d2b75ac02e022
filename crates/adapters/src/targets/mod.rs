//! Targets: where traffic lives.

pub(crate) mod exec;
mod local;

use std::path::Path;

use tagship_config::AdapterSpec;
use tagship_ports::{ModelRunner, PortError, Problem, Target};

pub use exec::{ExecSettings, ExecTarget, HookPlan, INHERITED, Specimen};
pub use local::{LocalSettings, LocalTarget};

/// The kinds of targets that a configuration may name.
pub const KINDS: [&str; 2] = ["exec", "local"];

/// A target and the runner that reaches its prepared versions.
pub struct Opened {
    /// The target.
    pub target: Box<dyn Target>,
    /// Runs golden cases against versions that it has loaded.
    pub runner: Box<dyn ModelRunner>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// Opens the target that a configuration names; relative paths are relative to `root`, the repository. `secret` answers
/// the value of an environment variable.
///
/// # Errors
/// For an unknown kind, settings that it does not have, or a secret that is not set.
pub fn open(
    spec: &AdapterSpec,
    root: &Path,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<Opened, PortError> {
    match spec.kind.as_str() {
        "exec" => {
            let target = ExecTarget::from_settings(&spec.settings, root, secret)?;
            Ok(Opened { runner: Box::new(target.clone()), target: Box::new(target) })
        }
        "local" => {
            let target = LocalTarget::from_settings(&spec.settings, secret)?;
            Ok(Opened { runner: Box::new(target.clone()), target: Box::new(target) })
        }
        other => {
            let message = format!("{other:?} is no kind of target");
            Err(PortError::new(Problem::Unsupported, "open the target", message)
                .hint(format!("known kinds are {}", KINDS.join(", "))))
        }
    }
}

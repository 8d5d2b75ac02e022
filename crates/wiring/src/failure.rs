//! From the errors of the libraries to a failure with an exit code.

use tagship_domain::Exit;
use tagship_ports::{PortError, Problem};
use tagship_registry::RegistryError;
use tagship_release::{ReleaseError, signing::SignatureError};
use tagship_rollout::{LockError, RolloutError};
use tagship_runner::Failure;

/// An error that ends a run.
pub(crate) trait Ending: std::fmt::Display {
    /// The exit code.
    fn exit(&self) -> Exit {
        Exit::Incomplete
    }
    /// Stable word for workflows.
    fn reason_code(&self) -> &'static str {
        "incomplete"
    }
    /// What to do next, where the text does not say it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// The failure that an error is.
#[allow(clippy::needless_pass_by_value, reason = "it stands in `map_err(failed)`")]
pub(crate) fn failed(error: impl Ending) -> Failure {
    let failure = Failure::new(error.exit(), error.reason_code(), &error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

impl Ending for PortError {
    fn exit(&self) -> Exit {
        match self.problem {
            Problem::Denied | Problem::NotFound | Problem::Unsupported => Exit::Usage,
            _ => Exit::Incomplete,
        }
    }
    fn reason_code(&self) -> &'static str {
        match self.problem {
            Problem::Unreachable => "unreachable",
            Problem::Denied => "denied",
            Problem::NotFound => "not-found",
            Problem::Conflict => "conflict",
            Problem::Unsupported => "unsupported",
            Problem::Fenced => "fenced",
            Problem::Superseded => "superseded",
            Problem::Invalid => "invalid",
            Problem::Local => "local-files",
        }
    }
}

impl Ending for ReleaseError {
    fn exit(&self) -> Exit {
        match self {
            Self::Port(error) => Ending::exit(error),
            error => ReleaseError::exit(error),
        }
    }
    fn reason_code(&self) -> &'static str {
        match self {
            Self::Port(error) => error.reason_code(),
            Self::NotJudged { .. } => "not-judged",
            Self::Uncommitted { .. } => "uncommitted",
            Self::UnknownVersion { .. } => "unknown-version",
            Self::RolledOut { .. } => "rolled-out",
            Self::Unsigned { .. } => "unsigned",
            Self::Signature { .. } => "bad-signature",
            _ => "release-failed",
        }
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint().map(str::to_owned),
            Self::RolledOut { model, environment } => Some(format!(
                "use `tagship rollout --model {model} --environment {environment} --version VERSION`, or \
                 `tagship rollback` to leave a version"
            )),
            _ => None,
        }
    }
}

impl Ending for SignatureError {
    fn exit(&self) -> Exit {
        SignatureError::exit(self)
    }
    fn reason_code(&self) -> &'static str {
        match self {
            Self::Key { .. } => "bad-key",
            Self::Unsupported { .. } => "unsupported",
            Self::Unreadable { .. } => "local-files",
            _ => "bad-signature",
        }
    }
}

impl Ending for RegistryError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
    fn reason_code(&self) -> &'static str {
        "registry"
    }
    fn hint(&self) -> Option<String> {
        RegistryError::hint(self).map(str::to_owned)
    }
}

impl Ending for LockError {
    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => Ending::exit(error),
            _ => Exit::Incomplete,
        }
    }
    fn reason_code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.reason_code(),
            _ => "unreadable-lock",
        }
    }
}

impl Ending for RolloutError {
    fn exit(&self) -> Exit {
        RolloutError::exit(self)
    }
    fn reason_code(&self) -> &'static str {
        "rollout-failed"
    }
}

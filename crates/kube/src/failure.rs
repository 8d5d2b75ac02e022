//! What a Kubernetes API's refusals mean: two kinds of 409, schema errors that come as 500, and what may pass.

use kube::{Error, core::Status};
use tagship_ports::{PortError, Problem};

/// A call that failed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Somebody wrote in between: read again and decide again.
    Stale,
    /// Everything else.
    Failed(PortError),
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

/// Reads a failure of the client.
pub(crate) fn refusal(operation: &str, error: &Error) -> Refusal {
    match error {
        Error::Api(status) => of_status(operation, status),
        Error::SerdeError(_) | Error::FromUtf8(_) => {
            let message = format!("the cluster answered something else than an object: {error}");
            PortError::new(Problem::Invalid, operation, message).into()
        }
        Error::Auth(_) => PortError::new(Problem::Denied, operation, chain(error))
            .hint("check the credentials of the current context of the kubeconfig")
            .into(),
        _ => PortError::new(Problem::Unreachable, operation, chain(error))
            .hint("check that the address of the kubeconfig reaches the cluster from here")
            .into(),
    }
}

fn of_status(operation: &str, status: &Status) -> Refusal {
    let error = |problem: Problem| PortError::new(problem, operation, status.message.clone());
    match status.code {
        401 => error(Problem::Denied)
            .hint("the cluster does not know these credentials, or they have expired")
            .into(),
        403 => {
            error(Problem::Denied).hint("give the account this permission, in a Role of the namespace").into()
        }
        404 => error(Problem::NotFound).into(),
        409 => match owners(status) {
            Some(owners) => error_of_owners(operation, &owners),
            None => Refusal::Stale,
        },
        429 => {
            let wait = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
            let error = error(Problem::Unreachable);
            if wait > 0 { error.hint(format!("it asks to wait for {wait} seconds")) } else { error }.into()
        }
        // An apply that does not fit the schema fails so, however often it is sent.
        500 if status.message.starts_with("failed to create typed patch object") => {
            error(Problem::Invalid).into()
        }
        code if code >= 500 => error(Problem::Unreachable).into(),
        _ => error(Problem::Invalid).into(),
    }
}

/// Fields that others own, each with what is said about the owner; absent where the conflict is another.
fn owners(status: &Status) -> Option<Vec<String>> {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let owned: Vec<String> = causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| format!("{} ({})", cause.field, cause.message.trim_start_matches("conflict with ")))
        .collect();
    (!owned.is_empty()).then_some(owned)
}

fn error_of_owners(operation: &str, owners: &[String]) -> Refusal {
    let message = format!("others own what would be written: {}", owners.join(", "));
    PortError::new(Problem::Conflict, operation, message)
        .hint("let Tagship alone write these fields: take them out of the other's manifests, or have it ignore them")
        .into()
}

/// An error with its causes: the outermost one alone rarely says what is wrong.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

//! What a Kubernetes API's refusals mean: two kinds of 409, schema errors that come as 500, what is not there, and what may
//! pass.
//!
//! Words of the client itself reach no message: those of a login plugin or of a kubeconfig can hold credentials.

use std::error::Error as StdError;

use kube::{Error, client::AuthError, core::Status};
use tagship_ports::{PortError, Problem};

/// A call that failed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Somebody wrote in between: read again and decide again.
    Stale,
    /// What was to be made is there already.
    Exists,
    /// The object that was named is not there.
    Absent,
    /// Everything else.
    Failed(PortError),
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

impl Refusal {
    /// An error, where none can be decided anew.
    pub(crate) fn into_error(self, operation: &str) -> PortError {
        let passing = |message: &str| PortError::new(Problem::Unreachable, operation, message);
        match self {
            Self::Failed(error) => error,
            Self::Stale => passing("somebody else writes at the same time"),
            Self::Exists => passing("somebody else has made it at the same time"),
            Self::Absent => PortError::new(Problem::NotFound, operation, "it is not there"),
        }
    }
}

/// Reads a failure of the client. `plural` and `name` are of the object that was asked for; empty where there is none.
pub(crate) fn refusal(operation: &str, plural: &str, name: &str, error: &Error) -> Refusal {
    match error {
        Error::Api(status) => of_status(operation, plural, name, status),
        Error::SerdeError(_) | Error::FromUtf8(_) => {
            let message = "the cluster answered something else than an object";
            PortError::new(Problem::Invalid, operation, message).into()
        }
        _ => login(operation, error)
            .unwrap_or_else(|| {
                PortError::new(Problem::Unreachable, operation, connection(error))
                    .hint("check that the address of the kubeconfig reaches the cluster from here")
            })
            .into(),
    }
}

fn of_status(operation: &str, plural: &str, name: &str, status: &Status) -> Refusal {
    let error = |problem: Problem| PortError::new(problem, operation, status.message.clone());
    match status.code {
        401 => error(Problem::Denied)
            .hint("the cluster does not know these credentials, or they have expired")
            .into(),
        403 => {
            error(Problem::Denied).hint("give the account this permission, in a Role of the namespace").into()
        }
        404 => of_missing(operation, plural, name, status),
        409 if status.reason == "AlreadyExists" => Refusal::Exists,
        409 => match owners(status) {
            Some(owners) => foreign(operation, &owners),
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

/// Only a 404 that names the very object says that it is not there. Others come from a namespace that is not there, from
/// kinds that the cluster does not know, and from whatever stands between it and us.
fn of_missing(operation: &str, plural: &str, name: &str, status: &Status) -> Refusal {
    let is_ours = status.reason == "NotFound";
    let names = status.details.as_ref().filter(|_| is_ours);
    if !name.is_empty() && names.is_some_and(|details| details.name == name && details.kind == plural) {
        return Refusal::Absent;
    }
    if let Some(details) = names.filter(|details| details.kind == "namespaces" && !details.name.is_empty()) {
        let message = format!("namespace {} is not there", details.name);
        return PortError::new(Problem::NotFound, operation, message)
            .hint("create it, or name another one in `namespace` of the target")
            .into();
    }
    if is_ours && names.is_none_or(|details| details.name.is_empty()) {
        let message = format!("the cluster knows no {plural} in this version");
        let missing = match plural {
            "inferenceservices" => "KServe",
            "revisions" => "Knative Serving",
            "rollouts" => "Argo Rollouts",
            "canaries" => "Flagger",
            _ => "the Gateway API's `HTTPRoute` in version v1",
        };
        return PortError::new(Problem::Unsupported, operation, message)
            .hint(format!("install {missing}, or check where the kubeconfig leads to"))
            .into();
    }
    let message = format!("something that is not the object answered 404: {}", status.message);
    PortError::new(Problem::Unreachable, operation, message)
        .hint("check what stands between here and the cluster")
        .into()
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

fn foreign(operation: &str, owners: &[String]) -> Refusal {
    let message = format!("others own what would be written: {}", owners.join(", "));
    PortError::new(Problem::Conflict, operation, message)
        .hint("let Tagship alone write these fields: take them out of the other's manifests, or have it ignore them")
        .into()
}

/// How a login failed; absent where the error is no login's. What asks for a credential may fail once and not again, so that
/// nothing ends for it; what can never be a credential is refused.
pub(crate) fn login(operation: &str, error: &Error) -> Option<PortError> {
    let auth = match error {
        Error::Auth(auth) => auth,
        _ => causes(error).find_map(|cause| cause.downcast_ref::<AuthError>())?,
    };
    let never = [std::io::ErrorKind::NotFound, std::io::ErrorKind::PermissionDenied];
    let (problem, why) = match auth {
        AuthError::AuthExecStart(error) if never.contains(&error.kind()) => {
            (Problem::Denied, "its program cannot be started")
        }
        AuthError::AuthExecStart(_) => (Problem::Unreachable, "its program cannot be started"),
        AuthError::AuthExecRun { .. } | AuthError::AuthExec(_) => {
            (Problem::Unreachable, "its program ended with an error")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            (Problem::Unreachable, "its program gave no credential")
        }
        AuthError::ReadTokenFile(..) => (Problem::Unreachable, "the token's file cannot be read"),
        AuthError::InvalidBearerToken(_) | AuthError::InvalidBasicAuth(_) => {
            (Problem::Denied, "the credential is malformed")
        }
        _ => (Problem::Unreachable, "no credential could be had"),
    };
    let error = PortError::new(problem, operation, format!("the login failed: {why}"));
    Some(
        error.hint(
            "try `kubectl auth whoami` with the same kubeconfig; what the login says is not repeated here",
        ),
    )
}

/// Why no connection came about, in words of the operating system or our own.
fn connection(error: &Error) -> String {
    let words: Vec<String> = causes(error).map(ToString::to_string).collect();
    if words.iter().any(|words| words.contains("invalid peer certificate")) {
        return "the cluster's certificate is not one that the kubeconfig trusts".to_owned();
    }
    let kinds = causes(error).filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    match kinds.last() {
        Some(kind) => format!("the cluster does not answer: {}", kind.kind()),
        None => "the cluster does not answer: the connection ended".to_owned(),
    }
}

/// The error and what caused it, the outermost first.
fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next = Some(error as &(dyn StdError + 'static));
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;

    use super::*;

    fn of(reason: &str, kind: &str, name: &str) -> Refusal {
        let details = StatusDetails {
            name: name.to_owned(),
            kind: kind.to_owned(),
            group: String::new(),
            uid: String::new(),
            causes: vec![],
            retry_after_seconds: 0,
        };
        let mut status = Status::failure("said", reason);
        (status.code, status.details) = (404, Some(details));
        refusal("read", "httproutes", "churn", &Error::Api(Box::new(status)))
    }

    fn problem(refusal: Refusal) -> Option<Problem> {
        match refusal {
            Refusal::Failed(error) => Some(error.problem),
            _ => None,
        }
    }

    #[test]
    fn only_a_404_that_names_the_object_says_that_it_is_not_there() {
        assert!(matches!(of("NotFound", "httproutes", "churn"), Refusal::Absent));
        assert_eq!(problem(of("NotFound", "", "")), Some(Problem::Unsupported), "the kind is unknown");
        let unknown =
            |plural: &str| match of_missing("read", plural, "churn", &Status::failure("said", "NotFound")) {
                Refusal::Failed(error) => error.hint.unwrap_or_default(),
                _ => String::new(),
            };
        assert!(unknown("httproutes").starts_with("install the Gateway API's"));
        assert!(unknown("inferenceservices").starts_with("install KServe"));
        assert!(unknown("rollouts").starts_with("install Argo Rollouts"));
        let Refusal::Failed(error) = of("NotFound", "namespaces", "ml") else { panic!() };
        assert_eq!((error.problem, error.message.as_str()), (Problem::NotFound, "namespace ml is not there"));
        for (reason, kind, name) in
            [("NotFound", "httproutes", "other"), ("NotFound", "pods", "churn"), ("", "httproutes", "churn")]
        {
            assert_eq!(problem(of(reason, kind, name)), Some(Problem::Unreachable), "{reason} {kind} {name}");
        }
    }

    #[test]
    fn what_a_login_says_reaches_no_message() {
        let said = || AuthError::AuthExec("token=s3cret".to_owned());
        for error in [Error::Auth(said()), Error::Service(Box::new(said()))] {
            let Refusal::Failed(error) = refusal("read", "httproutes", "churn", &error) else { panic!() };
            assert_eq!(error.problem, Problem::Unreachable, "it may pass");
            assert!(!format!("{error:?} {error}").contains("s3cret"), "{error}");
            assert!(error.message.contains("its program ended with an error"), "{error}");
        }
    }

    #[test]
    fn only_what_can_never_be_a_credential_is_denied() {
        let io = |kind: std::io::ErrorKind| std::io::Error::new(kind, "x");
        let malformed = http::HeaderValue::from_str("a\nb").unwrap_err();
        for (auth, problem) in [
            (
                AuthError::ReadTokenFile(io(std::io::ErrorKind::NotFound), "token".into()),
                Problem::Unreachable,
            ),
            (AuthError::AuthExecStart(io(std::io::ErrorKind::NotFound)), Problem::Denied),
            (AuthError::AuthExecStart(io(std::io::ErrorKind::OutOfMemory)), Problem::Unreachable),
            (AuthError::ExecPluginFailed, Problem::Unreachable),
            (AuthError::InvalidBearerToken(malformed), Problem::Denied),
        ] {
            let error = login("read", &Error::Auth(auth)).unwrap();
            assert_eq!(error.problem, problem, "{error}");
        }
        assert!(login("read", &Error::LinesCodecMaxLineLengthExceeded).is_none());
    }

    #[test]
    fn what_a_connection_says_is_told_by_its_kind() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "https://me:s3cret@host");
        let Refusal::Failed(error) = refusal("read", "x", "y", &Error::Service(Box::new(refused))) else {
            panic!()
        };
        assert_eq!(error.message, "the cluster does not answer: connection refused");
    }
}

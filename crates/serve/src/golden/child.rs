//! What the process does: bind itself, read, run, write.

use std::io::{self, Read, Write};

use tagship_domain::{
    golden::{GoldenAnswer, GoldenRequest, MAX_GOLDEN_DOCUMENT},
    schema::{self, DocumentError},
};
use tagship_ports::model_runner::GoldenBounds;

use super::execute::execute;

/// Why a child ends without a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// The request could not be read.
    #[error(
        "read the request from standard input: {source}; this command is started by `validate`, not by hand"
    )]
    Read {
        /// The operating system's reason.
        source: io::Error,
    },
    /// The request is none.
    #[error("understand the request: {source}; this command is started by `validate`, not by hand")]
    Request {
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A limit could not be set: the model is not run without.
    #[error("limit the {limit} of this process: {source}; ask for a lower limit")]
    Limit {
        /// Which limit.
        limit: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The report could not be written.
    #[error("write the report to standard output: {source}; keep standard output open")]
    Write {
        /// The operating system's reason.
        source: io::Error,
    },
}

/// Runs the request on `stdin` within its limits and writes the report to `stdout`.
///
/// The limits bind the whole process and can't be lifted again: for a process that does nothing else, before it
/// starts threads.
///
/// # Errors
/// When there is no report to write, or it can't be written.
pub fn child_main(stdin: impl Read, stdout: impl Write) -> Result<(), ChildError> {
    let request = read(stdin)?;
    limit(&request)?;
    answer(&request, stdout)
}

fn read(stdin: impl Read) -> Result<GoldenRequest, ChildError> {
    let mut text = String::new();
    stdin
        .take(MAX_GOLDEN_DOCUMENT)
        .read_to_string(&mut text)
        .map_err(|source| ChildError::Read { source })?;
    schema::from_json(&text).map_err(|source| ChildError::Request { source })
}

fn answer(request: &GoldenRequest, mut stdout: impl Write) -> Result<(), ChildError> {
    let bounds = GoldenBounds { tolerance: request.tolerance, max_latency: request.max_latency };
    let report = execute(&request.model, &request.cases, bounds);
    let text = schema::to_json(&GoldenAnswer { report }).map_err(|source| ChildError::Request { source })?;
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|source| ChildError::Write { source })
}

#[cfg(unix)]
fn limit(request: &GoldenRequest) -> Result<(), ChildError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = [
        ("memory", Resource::As, request.memory.as_bytes()),
        // Whole seconds, and not fewer than asked for.
        ("CPU time", Resource::Cpu, request.cpu_time.std().as_secs() + 1),
        ("core dumps", Resource::Core, 0),
    ];
    for (limit, resource, wanted) in limits {
        // A limit that holds already can only be lowered.
        let most = getrlimit(resource).maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let both = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, both).map_err(|error| ChildError::Limit { limit, source: error.into() })?;
    }
    Ok(())
}

/// Elsewhere only the parent's time limit holds.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature on every system")]
fn limit(_request: &GoldenRequest) -> Result<(), ChildError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_told() {
        for text in ["", "{}", r#"{"schema":"tagship/golden-request/v2"}"#] {
            let mut out = Vec::new();
            let error = child_main(text.as_bytes(), &mut out).unwrap_err();
            assert!(matches!(error, ChildError::Request { .. }), "{text:?}: {error}");
            assert!(out.is_empty());
        }
    }
}

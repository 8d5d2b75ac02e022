//! The environment of a run, read once.

use std::path::PathBuf;

use tagship_domain::Provenance;

/// What the environment says about this run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Whether a CI host runs this step.
    pub hosted: bool,
    /// Who caused the run (empty where the host does not say), and where it can be looked at.
    pub by: Provenance,
    /// Name of the event that started it.
    pub event_name: Option<String>,
    /// File with the event's payload.
    pub event_path: Option<PathBuf>,
    /// Name of the branch or tag that was checked out.
    pub ref_name: Option<String>,
    /// File that takes the step's outputs.
    pub output_file: Option<PathBuf>,
    /// File that takes the step's summary.
    pub summary_file: Option<PathBuf>,
    /// Directory that steps of one job share.
    pub job_directory: Option<PathBuf>,
    /// Width of the terminal as it says itself.
    pub columns: Option<usize>,
    /// Whether colours are unwelcome.
    pub no_color: bool,
    /// Whether the host asks for more log lines.
    pub debug: bool,
}

impl Context {
    /// Reads the environment. An empty variable counts as unset.
    pub fn read() -> Self {
        let server = variable("GITHUB_SERVER_URL");
        let repository = variable("GITHUB_REPOSITORY");
        let run = match (server, repository, variable("GITHUB_RUN_ID")) {
            (Some(server), Some(repository), Some(run)) => {
                Some(format!("{server}/{repository}/actions/runs/{run}"))
            }
            _ => None,
        };
        let actor = variable("GITHUB_ACTOR").unwrap_or_default();
        Self {
            hosted: variable("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            by: Provenance { actor, run },
            event_name: variable("GITHUB_EVENT_NAME"),
            event_path: variable("GITHUB_EVENT_PATH").map(PathBuf::from),
            ref_name: variable("GITHUB_REF_NAME"),
            output_file: variable("GITHUB_OUTPUT").map(PathBuf::from),
            summary_file: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            job_directory: variable("RUNNER_TEMP").map(|temp| PathBuf::from(temp).join("tagship")),
            columns: variable("COLUMNS").and_then(|columns| columns.parse().ok()),
            no_color: variable("NO_COLOR").is_some(),
            debug: variable("RUNNER_DEBUG").is_some_and(|value| value == "1"),
        }
    }

    /// The value of a variable that a configuration names, e.g. a token.
    pub fn secret(name: &str) -> Option<String> {
        variable(name)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment for everyone else"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

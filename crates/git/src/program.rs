//! Running the `git` program: never prompts, never waits without a limit, never follows a repository named in
//! the environment.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tagship_ports::{PortError, Problem};
use tokio::{process::Command, time};

use crate::{
    credential::{Credential, HEADER_VARIABLE},
    error::local_remedy,
};

/// Variables that would point git at another repository than ours; the others, which may carry credentials,
/// stay.
const REPOSITORY_VARIABLES: [&str; 11] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
];

/// Nothing in the background, and as long as it takes for another run in this clone to let go of a ref (in
/// milliseconds; git's own default is a tenth of a second, too short on a busy machine).
const SETTINGS: [&str; 6] =
    ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.filesRefLockTimeout=5000"];

/// The longest that a command on this machine may take.
pub(crate) const LOCAL_LIMIT: Duration = Duration::from_mins(1);
/// The longest that a command that talks to a remote may take.
pub(crate) const REMOTE_LIMIT: Duration = Duration::from_mins(3);

/// The `git` program in one repository.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The repository's own directory (`.git`).
    pub(crate) git_dir: PathBuf,
    /// Where to run: the work tree, or the repository itself where it is bare.
    pub(crate) directory: PathBuf,
    /// What the remote is told, where git has nothing of its own to tell it.
    pub(crate) credential: Option<Credential>,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Runs a command to its end, successful or not.
    pub(crate) async fn try_run(
        &self,
        operation: &str,
        limit: Duration,
        arguments: &[&str],
    ) -> Result<Said, PortError> {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(&self.git_dir).args(SETTINGS);
        if let Some(credential) = &self.credential {
            command.arg(format!("--config-env={}={HEADER_VARIABLE}", credential.setting));
            command.env(HEADER_VARIABLE, credential.header.expose());
        }
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null()).kill_on_drop(true);
        for variable in REPOSITORY_VARIABLES {
            command.env_remove(variable);
        }
        // Messages in English, because a few of them are told apart by their words.
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        let output = match time::timeout(limit, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => {
                return Err(PortError::new(Problem::Local, operation, format!("run git: {error}"))
                    .hint("the git program must be installed and on the PATH"));
            }
            Err(_elapsed) => {
                let message = format!("git gave no answer within {} s", limit.as_secs());
                return Err(PortError::new(Problem::Unreachable, operation, message));
            }
        };
        Ok(Said {
            status: output.status,
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: without_credentials(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// Runs a command that must succeed and returns what it printed.
    pub(crate) async fn run(
        &self,
        operation: &str,
        limit: Duration,
        arguments: &[&str],
    ) -> Result<String, PortError> {
        let said = self.try_run(operation, limit, arguments).await?;
        if said.status.success() { Ok(said.out) } else { Err(said.failure(operation)) }
    }
}

impl Said {
    /// The error that a failed command stands for.
    pub(crate) fn failure(&self, operation: &str) -> PortError {
        let any = |words: &[&str]| words.iter().any(|word| self.err.contains(word));
        let message = self.summary();
        // Before the words about credentials: a lock that cannot be written says "Permission denied" too.
        if let Some(remedy) = local_remedy(&self.err) {
            return PortError::new(Problem::Local, operation, message).hint(remedy);
        }
        if any(&["Authentication failed", "could not read Username", "could not read Password"])
            || any(&["Permission denied", "error: 403", "error: 401", "denied to"])
        {
            PortError::new(Problem::Denied, operation, message)
                .hint("the job's credentials must allow it; in a workflow: `permissions: contents: write`")
        } else if any(&["unable to access", "Could not resolve", "Connection", "does not appear to be a git"])
            || any(&["Could not read from remote", "hung up", "early EOF", "timed out"])
        {
            PortError::new(Problem::Unreachable, operation, message)
        } else {
            PortError::new(Problem::Local, operation, message)
        }
    }

    /// Whether a ref of this clone moved under the command: another run was faster to write the same ref.
    pub(crate) fn lost_to_a_neighbour(&self) -> bool {
        self.err.lines().any(|line| {
            line.contains("cannot lock ref")
                && (line.contains("but expected") || line.contains("reference already exists"))
        })
    }

    /// What the remote told beside its verdict, as an appendix to that; empty where it told nothing.
    pub(crate) fn of_the_remote(&self) -> String {
        let lines = self.err.lines().filter_map(|line| line.strip_prefix("remote:"));
        let told = lines.map(str::trim).filter(|line| !line.is_empty());
        told.take(5).flat_map(|line| ["; ", line]).collect()
    }

    /// The lines that tell the cause, shortened.
    fn summary(&self) -> String {
        let telling = |line: &&str| {
            line.starts_with("fatal:") || line.starts_with("error:") || line.contains("remote:")
        };
        let mut lines: Vec<&str> = self.err.lines().filter(telling).take(5).collect();
        if lines.is_empty() {
            lines = self.err.lines().rev().take(1).collect();
        }
        if lines.is_empty() { format!("git ended with {}", self.status) } else { lines.join("; ") }
    }
}

/// Takes user names and passwords out of addresses: `https://user:secret@host` becomes `https://***@host`.
fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(|c: char| c == '/' || c.is_whitespace() || c == '\'').unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rfind('@') {
            Some(sign) => {
                out.push_str("***");
                out.push_str(&authority[sign..]);
            }
            None => out.push_str(authority),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_full_disk_is_no_question_of_credentials() {
        use std::os::unix::process::ExitStatusExt;
        let failed = |err: &str| {
            let said =
                Said { status: ExitStatus::from_raw(128 << 8), out: String::new(), err: err.to_owned() };
            said.failure("push")
        };
        for (words, remedy) in [
            ("error: file write error: No space left on device", "free some space"),
            ("remote: fatal: sha1 file write error: Disk quota exceeded", "free some space"),
            ("fatal: sha1 file '<stdout>' write error: File too large", "ulimit -f"),
            ("fatal: Unable to create '/r/.git/x.lock': Permission denied", "writable"),
        ] {
            let error = failed(words);
            assert_eq!(error.problem, Problem::Local, "{error}");
            assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(remedy)), "{error}");
        }
        assert_eq!(failed("fatal: Authentication failed for 'x'").problem, Problem::Denied);
    }

    #[test]
    fn secrets_in_addresses_are_not_repeated() {
        let text = "fatal: unable to access 'https://x:ghs_secret@host/a.git/': 403\nTo https://host/a@b\n";
        assert_eq!(
            without_credentials(text),
            "fatal: unable to access 'https://***@host/a.git/': 403\nTo https://host/a@b\n"
        );
        assert_eq!(without_credentials("no address"), "no address");
    }
}

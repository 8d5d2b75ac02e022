//! Child processes: this very program with a verb, and `git`.
//!
//! They see a clean environment: no settings of the user, no repository or workflow that the demo runs inside of,
//! no terminal to ask at. None outlives the demo.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tagship_domain::Exit;
use tagship_runner::{Context, Failure};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{directory::Directory, fixtures::TOKEN_VARIABLE, stage::broken};

/// Variables that programs need to start and to find a place for temporary files.
const KEPT: [&str; 6] = ["PATH", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH"];
/// The longest that a child may take.
const LIMIT: Duration = Duration::from_secs(90);
/// Lines of a child's error output that are repeated when it did not do what it should.
const TOLD_LINES: usize = 12;

/// How children are started.
#[derive(Debug, Clone)]
pub(super) struct Children {
    program: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

/// A child that was started.
#[derive(Debug)]
pub(super) struct Running {
    command: String,
    started: Instant,
    child: Child,
}

/// A child that has ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// What was run.
    pub(super) command: String,
    /// Its exit code; absent where a signal ended it.
    pub(super) code: Option<i32>,
    /// Its answer.
    pub(super) out: String,
    /// What else it said.
    pub(super) err: String,
    /// How long it took.
    pub(super) took: Duration,
}

impl Children {
    /// Children that work in a directory and know the server's token.
    ///
    /// # Errors
    /// When this program's own file cannot be found.
    pub(super) fn new(directory: &Directory, token: &str, width: usize) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::incomplete(format!("find the file of this program: {error}")))?;
        let kept = KEPT.into_iter().filter_map(|name| Some((name, Context::inherited(name)?.into())));
        let home = directory.at("home");
        let set: [(&'static str, OsString); 8] = [
            ("HOME", home.clone().into()),
            ("XDG_CONFIG_HOME", home.into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("LC_ALL", "C".into()),
            ("USER", "demo".into()),
            ("COLUMNS", width.to_string().into()),
            (TOKEN_VARIABLE, token.into()),
        ];
        Ok(Self { program, environment: kept.chain(set).collect() })
    }

    /// The file of this program.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// This program, to be run with more arguments.
    pub(super) fn tagship(&self, directory: &Path) -> Command {
        self.command(self.program.as_os_str().to_owned(), directory)
    }

    fn command(&self, program: OsString, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a verb of this program to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub(super) async fn verb(&self, directory: &Path, arguments: &[&str]) -> Result<Ran, Failure> {
        self.start(directory, arguments)?.end().await
    }

    /// Starts a verb of this program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(&self, directory: &Path, arguments: &[&str]) -> Result<Running, Failure> {
        Running::start(self.tagship(directory), format!("tagship {}", arguments.join(" ")), arguments)
    }

    /// Runs git and answers what it printed.
    ///
    /// # Errors
    /// When it is not there or fails.
    pub(super) async fn git(&self, directory: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let command = self.command("git".into(), directory);
        let ran = Running::start(command, format!("git {}", arguments.join(" ")), arguments)?.end().await?;
        match ran.code {
            Some(0) => Ok(ran.out.trim_end().to_owned()),
            _ => Err(Failure::incomplete(ran.told())),
        }
    }
}

impl Running {
    fn start(mut command: Command, told: String, arguments: &[&str]) -> Result<Self, Failure> {
        let started = Instant::now();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| failed(&told, &error).hint("git must be installed and on the PATH"))?;
        Ok(Self { command: told, started, child })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub(super) async fn end(self) -> Result<Ran, Failure> {
        let Self { command, started, child } = self;
        let output = match timeout(LIMIT, child.wait_with_output()).await {
            Ok(output) => output.map_err(|error| failed(&command, &error))?,
            Err(_elapsed) => {
                return Err(failed(&command, &format!("it did not end within {} s", LIMIT.as_secs())));
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran {
            took: started.elapsed(),
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
            command,
        })
    }

    /// Whether it is over.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as `kill -9` does: it can do nothing about it, and nothing more.
    ///
    /// # Errors
    /// When that is not possible.
    pub(super) async fn kill(mut self) -> Result<Ran, Failure> {
        self.child.start_kill().map_err(|error| failed(&self.command, &format!("kill it: {error}")))?;
        self.end().await
    }
}

fn failed(command: &str, why: &dyn fmt::Display) -> Failure {
    Failure::incomplete(format!("run `{command}`: {why}"))
}

impl Ran {
    /// Itself, if it ended with this exit code.
    ///
    /// # Errors
    /// When it ended otherwise.
    pub(super) fn must_end(self, exit: Exit) -> Result<Self, Failure> {
        if self.code == Some(i32::from(exit.code())) {
            return Ok(self);
        }
        Err(broken(format!("exit code {} of `{}`", exit.code(), self.command), self.told()))
    }

    /// How it ended, in words, with the last that it said.
    pub(super) fn told(&self) -> String {
        let ended = match self.code {
            Some(code) => format!("`{}` ended with exit code {code}", self.command),
            None => format!("`{}` was ended by a signal", self.command),
        };
        let said = if self.err.trim().is_empty() { &self.out } else { &self.err };
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(TOLD_LINES)..];
        last.iter().fold(ended, |told, line| format!("{told}\n  | {line}"))
    }
}

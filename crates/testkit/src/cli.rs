//! Programs as a person or a workflow runs them.

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::environment;

/// A program about to be run. Its environment holds what [`Cli::env`] adds and next to nothing else.
#[derive(Debug)]
pub struct Cli {
    command: Command,
    home: TempDir,
    stdin: Vec<u8>,
    hidden: Vec<(String, String)>,
}

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; -1 where a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Cli {
    /// A program by its path, usually `env!("CARGO_BIN_EXE_tagship")`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let home = environment::home();
        let mut command = Command::new(program);
        environment::scrub(&mut command, &home);
        Self { command, home, stdin: vec![], hidden: vec![] }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in a directory, which is written `[DIR]` in the output.
    #[must_use]
    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self.hide(directory, "[DIR]")
    }

    /// What it reads from its standard input; nothing where this is not called.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Writes `name` for a path wherever it occurs in the output, so that the output is the same everywhere.
    #[must_use]
    pub fn hide(mut self, path: &Path, name: &str) -> Self {
        if let Ok(real) = path.canonicalize() {
            self.hidden.push((real.display().to_string(), name.to_owned()));
        }
        self.hidden.push((path.display().to_string(), name.to_owned()));
        // Long paths first: one may begin with another.
        self.hidden.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.start().wait()
    }

    /// Starts it. It is killed when the answer is dropped.
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().unwrap_or_else(|error| panic!("start {:?}: {error}", self.command));
        let mut input = child.stdin.take().expect("its input is a pipe");
        // A program that does not read its input may have closed it.
        let _ = input.write_all(&self.stdin);
        Running { child: Some(child), hidden: self.hidden, _home: self.home }
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    hidden: Vec<(String, String)>,
    _home: TempDir,
}

impl Running {
    /// Waits for its end.
    pub fn wait(mut self) -> Output {
        let child = self.child.take().expect("it is waited for once");
        let done = child.wait_with_output().expect("a child can be waited for");
        Output {
            code: done.status.code().unwrap_or(-1),
            stdout: self.shown(&done.stdout),
            stderr: self.shown(&done.stderr),
        }
    }

    /// The system's number of it.
    pub fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Whether it has ended by now.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Asks it to stop, as a cancelled job does.
    #[cfg(unix)]
    pub fn terminate(&self) {
        if let Some(child) = &self.child {
            let done = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            assert!(done.is_ok_and(|status| status.success()), "a running program can be asked to stop");
        }
    }

    /// Kills it as a lost machine would, and answers what it had printed.
    pub fn kill(mut self) -> Output {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
        self.wait()
    }

    fn shown(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.hidden.iter().fold(text, |text, (path, name)| text.replace(path, name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Output {
    /// Panics with everything the program said unless it ended with this code.
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "\n-- stdout\n{}\n-- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Cli {
        Cli::new("sh").args(["-c", script])
    }

    #[test]
    fn nothing_of_the_callers_environment_is_seen() {
        let names = shell("env").env("GITHUB_SHA", "abc").run();
        let seen: Vec<&str> = names.stdout.lines().filter_map(|line| line.split('=').next()).collect();
        assert!(seen.contains(&"GITHUB_SHA"), "what the test sets is there");
        for name in ["CARGO_MANIFEST_DIR", "CI", "GITHUB_ACTIONS", "NO_COLOR", "RUST_LOG", "USER"] {
            assert!(!seen.contains(&name), "{name}");
        }
    }

    #[test]
    fn code_output_and_input_come_through() {
        let done = shell("cat; echo oops >&2; exit 3").stdin("hello").run();
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (3, "hello", "oops\n"));
        done.assert_code(3);
    }

    #[test]
    fn paths_of_the_machine_get_names() {
        let directory = tempfile::tempdir().unwrap();
        let done = shell("pwd; echo $0/x").current_dir(directory.path()).run();
        assert!(done.stdout.starts_with("[DIR]\n"), "{}", done.stdout);
    }

    #[test]
    fn a_killed_program_has_no_code() {
        assert_eq!(shell("exec sleep 600").start().kill().code, -1);
    }
}

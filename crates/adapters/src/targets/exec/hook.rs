//! Running a hook: one process per question, JSON in, JSON out, an end in any case.
//!
//! The program is started by itself, never through a shell, with the variables that are allowed and nothing else. What it
//! prints is kept up to a limit and read to the end, so that it never waits for us. When its time is over, it is ended
//! together with everything that it started.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tagship_domain::Duration as Length;
use tagship_ports::{PortError, Problem};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

/// Most bytes of an answer.
pub(super) const MAX_ANSWER: usize = 1 << 20;
/// Most bytes of what a hook says about itself that are kept.
const MAX_LOG: usize = 64 << 10;
/// Most characters of it that an error shows; the end says most.
const SHOWN: usize = 1000;
/// How long output is awaited after a hook has ended: what it started may hold the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How a hook is run.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Where it runs.
    pub(crate) directory: PathBuf,
    /// Everything that is in its environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// When it is ended.
    pub(crate) timeout: Length,
}

/// What a hook answered.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// The end of what it said about itself, cleaned; empty where it said nothing.
    pub(crate) log: String,
}

/// One run of a hook.
#[derive(Debug)]
pub(crate) struct Run {
    /// How it ended.
    pub(crate) ended: Ended,
    /// What it printed, up to the limit.
    pub(crate) stdout: Vec<u8>,
    /// What it said about itself, up to the limit.
    pub(crate) stderr: Vec<u8>,
}

/// How a hook ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// From outside.
    Killed(ExitStatus),
    /// By us, with everything it had started, for its time was over.
    TimedOut,
    /// By itself, having printed more than an answer may have.
    TooMuch,
}

impl Hook {
    /// Asks once.
    pub(crate) async fn ask(&self, operation: &str, question: &[u8]) -> Result<Answered, PortError> {
        let run = self.run(operation, question).await?;
        let program = &self.command[0];
        let log = shown(&run.stderr);
        match run.ended {
            Ended::Code(code) => Ok(Answered { code, stdout: run.stdout, log }),
            Ended::Killed(status) => {
                let message = format!("{program} was ended from outside ({status}){}", said(&log));
                Err(PortError::new(Problem::Unreachable, operation, message))
            }
            Ended::TimedOut => {
                let message = format!(
                    "{program} gave no answer within {} and was ended with everything it started{}",
                    self.timeout,
                    said(&log)
                );
                Err(PortError::new(Problem::Unreachable, operation, message)
                    .hint("have it answer 11 (pending) and go on by itself, or raise `timeout`"))
            }
            Ended::TooMuch => {
                let message = format!("{program} printed more than {MAX_ANSWER} bytes");
                Err(PortError::new(Problem::Invalid, operation, message)
                    .hint("print the answer alone on stdout, and everything else on stderr"))
            }
        }
    }

    /// Runs it once.
    pub(crate) async fn run(&self, operation: &str, question: &[u8]) -> Result<Run, PortError> {
        let mut child = self.start(operation)?;
        let group = child.id();
        if let Some(mut stdin) = child.stdin.take() {
            let question = question.to_vec();
            // A hook that answers without reading the question is no reason to fail.
            tokio::spawn(async move {
                let _ = stdin.write_all(&question).await;
            });
        }
        let stdout = Output::of(child.stdout.take(), MAX_ANSWER);
        let stderr = Output::of(child.stderr.take(), MAX_LOG);
        let ended = timeout(self.timeout.std(), child.wait()).await;
        if ended.is_err() {
            end(group, &mut child).await;
        }
        let (stdout, stderr) = (stdout.collect().await, stderr.collect().await);
        let ended = match ended {
            Err(_) => Ended::TimedOut,
            Ok(Err(error)) => return Err(PortError::new(Problem::Local, operation, error.to_string())),
            Ok(Ok(_)) if stdout.is_cut => Ended::TooMuch,
            Ok(Ok(status)) => status.code().map_or(Ended::Killed(status), Ended::Code),
        };
        Ok(Run { ended, stdout: stdout.kept, stderr: stderr.kept })
    }

    fn start(&self, operation: &str) -> Result<Child, PortError> {
        let mut program = PathBuf::from(&self.command[0]);
        // A path is one from the repository; a bare name is looked for as usual.
        if program.components().count() > 1 {
            program = self.directory.join(program);
        }
        let mut command = Command::new(&program);
        command.args(&self.command[1..]).current_dir(&self.directory).env_clear().envs(&self.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|error| {
            let message = format!("{}: {error}", self.command[0]);
            let failed = PortError::new(Problem::Invalid, operation, message);
            match error.kind() {
                io::ErrorKind::NotFound => failed.hint(format!(
                    "there is no such program, or the interpreter in its first line is missing; a path is taken from {}",
                    self.directory.display()
                )),
                io::ErrorKind::PermissionDenied => {
                    failed.hint("make it executable: `git update-index --chmod=+x FILE` and commit")
                }
                _ => failed,
            }
        })
    }
}

/// Ends a hook and everything in its process group.
async fn end(group: Option<u32>, child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = group;
    let _ = child.kill().await;
}

/// What a hook prints, read while it runs.
struct Output {
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    kept: Vec<u8>,
    is_cut: bool,
}

impl Output {
    fn of(stream: Option<impl AsyncRead + Unpin + Send + 'static>, limit: usize) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            let Some(mut stream) = stream else { return };
            let mut buffer = vec![0; 16 << 10];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                let mut kept = lock(&shared);
                let room = limit.saturating_sub(kept.kept.len()).min(read);
                kept.kept.extend_from_slice(&buffer[..room]);
                kept.is_cut |= room < read;
            }
        });
        Self { kept, task }
    }

    /// What was printed until the end, or until nothing more is waited for.
    async fn collect(mut self) -> Kept {
        if timeout(LAST_WORDS, &mut self.task).await.is_err() {
            self.task.abort();
        }
        std::mem::take(&mut *lock(&self.kept))
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of a log, on one line, without characters that steer a terminal.
pub(crate) fn shown(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    let text = words.collect::<Vec<_>>().join(" ");
    let skipped = text.chars().count().saturating_sub(SHOWN);
    if skipped == 0 { text } else { format!("... {}", text.chars().skip(skipped).collect::<String>()) }
}

/// A log as the end of a sentence.
pub(crate) fn said(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!("; it said: {log}") }
}

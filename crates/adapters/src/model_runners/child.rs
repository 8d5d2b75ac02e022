//! Golden cases in a child process: start it, give it the cases, believe nothing but a whole report.
//!
//! A model file may be hostile or merely too much for this machine, and an inference library that meets one may abort
//! or never return. So another process runs it, with nothing of this one's environment; it binds itself, reads one
//! request from standard input, and writes one answer to standard output. Whatever else happens to it, the report is
//! incomplete and says why.

use std::{
    ffi::OsString,
    path::{self, Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use async_trait::async_trait;
use tagship_domain::{
    ByteSize, Duration,
    golden::{GoldenAnswer, GoldenCases, GoldenRequest, MAX_GOLDEN_DOCUMENT},
    schema,
    validation::{GoldenReport, Status},
};
use tagship_ports::{
    ModelRunner,
    model_runner::{GoldenBounds, Subject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    time::timeout,
};

/// How much of what a child complains about is read, in bytes.
const MAX_COMPLAINT: u64 = 16 << 10;

/// Runs golden cases on a file in a child process.
#[derive(Debug, Clone)]
pub struct ChildRunner {
    /// The program, whose `args` lead it to run one [`GoldenRequest`].
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// How long the child may take, and how much CPU time it may use; then it is killed.
    pub time_limit: Duration,
    /// How much address space the child may use.
    pub memory_limit: ByteSize,
}

#[async_trait]
impl ModelRunner for ChildRunner {
    async fn run(&self, subject: &Subject, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let Subject::File(file) = subject else {
            let message =
                "a child process runs model files; ask the target about a loaded version".to_owned();
            return GoldenReport::unfinished(Status::Incomplete, message);
        };
        match self.ask(file, cases, bounds).await {
            Ok(report) => believable(report, cases),
            Err(message) => GoldenReport::unfinished(
                Status::Incomplete,
                format!("golden cases could not be run: {message}"),
            ),
        }
    }
}

impl ChildRunner {
    async fn ask(
        &self,
        file: &Path,
        cases: &GoldenCases,
        bounds: GoldenBounds,
    ) -> Result<GoldenReport, String> {
        let request = GoldenRequest {
            model: path::absolute(file).map_err(|error| format!("find {}: {error}", file.display()))?,
            cases: cases.clone(),
            tolerance: bounds.tolerance,
            max_latency: bounds.max_latency,
            memory: self.memory_limit,
            cpu_time: self.time_limit,
        };
        let request = schema::to_json(&request).map_err(|error| error.to_string())?;
        let mut child = self.start()?;
        let spoken = timeout(self.time_limit.std(), converse(&mut child, request.as_bytes())).await;
        let Ok(spoken) = spoken else {
            // Dropping the child would kill it too, but leave it unreaped for a while.
            let _ = child.kill().await;
            return Err(format!(
                "the model took longer than {} and was stopped; raise the time limit or use fewer cases",
                self.time_limit
            ));
        };
        let (status, answer, complaint) =
            spoken.map_err(|error| format!("talk to the child process: {error}"))?;
        if !status.success() {
            return Err(self.ending(status, &complaint));
        }
        let answer: GoldenAnswer = schema::from_json(&answer).map_err(|error| error.to_string())?;
        Ok(answer.report)
    }

    fn start(&self) -> Result<Child, String> {
        Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("start {}: {error}", self.program.display()))
    }

    /// Why a child ended badly.
    fn ending(&self, status: ExitStatus, complaint: &str) -> String {
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        format!(
            "the child process ended with {status} ({last}); the model may need more than {} of memory or {} of CPU time, or crash the inference library",
            self.memory_limit, self.time_limit
        )
    }
}

/// Sends the request and collects all that the child says until it ends.
async fn converse(child: &mut Child, request: &[u8]) -> std::io::Result<(ExitStatus, String, String)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ask = async {
        if let Some(mut stdin) = stdin {
            // A child that ends before it has read everything is judged by how it ended.
            let _ = stdin.write_all(request).await;
        }
    };
    let ((), answer, complaint) =
        tokio::join!(ask, everything(stdout, MAX_GOLDEN_DOCUMENT), everything(stderr, MAX_COMPLAINT));
    Ok((child.wait().await?, answer?, complaint?))
}

async fn everything(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(limit).read_to_end(&mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A complete report must answer for every case, in order: a shorter one would pass by leaving cases out.
fn believable(report: GoldenReport, cases: &GoldenCases) -> GoldenReport {
    let asked = cases.cases.iter().map(|case| &case.name);
    if report.status == Status::Complete && !asked.eq(report.cases.iter().map(|case| &case.name)) {
        let message =
            format!("the child process answered for {} of {} cases", report.cases.len(), cases.cases.len());
        return GoldenReport::unfinished(Status::Incomplete, message);
    }
    report
}

//! Golden cases in a real child process: this program starts itself again as the child.
//!
//! Not libtest's harness, whose own output would be in the way of the child's.

#![allow(clippy::unwrap_used, reason = "clippy knows tests of libtest's harness only")]

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use tagship_adapters::model_runners::ChildRunner;
use tagship_domain::{
    ByteSize, Duration,
    golden::{GoldenCases, Tolerance},
    schema,
    validation::{GoldenReport, Status},
};
use tagship_ports::{
    ModelRunner as _,
    model_runner::{GoldenBounds, Subject},
};
use tagship_serve::golden::child_main;

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("child") => match child_main(io::stdin(), io::stdout()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Some("hang") => loop {
            thread::park();
        },
        Some("abort") => std::process::abort(),
        Some("talk") => {
            while io::stdout().write_all(&[b'x'; 1 << 12]).is_ok() {}
            ExitCode::SUCCESS
        }
        Some("forget-a-case") => {
            let report = r#"{"schema":"tagship/golden-answer/v1","report":{"status":"complete","cases":[]}}"#;
            drop(io::stdout().write_all(report.as_bytes()));
            ExitCode::SUCCESS
        }
        Some("environment") => {
            let message = format!("{} variables", env::vars_os().count());
            let report = format!(
                r#"{{"schema":"tagship/golden-answer/v1","report":{{"status":"incomplete","cases":[],"message":"{message}"}}}}"#
            );
            drop(io::stdout().write_all(report.as_bytes()));
            ExitCode::SUCCESS
        }
        _ => {
            check();
            ExitCode::SUCCESS
        }
    }
}

fn check() {
    let report = run("child", |_| ());
    assert_eq!(report.status, Status::Complete, "{report:?}");
    assert!(!report.cases.is_empty() && report.cases.iter().all(|case| case.passed), "{report:?}");

    incomplete("hang", "took longer", |runner| runner.time_limit = Duration::from_millis(50));
    incomplete("abort", "ended with", |_| ());
    incomplete("talk", "golden cases could not be run", |_| ());
    incomplete("forget-a-case", "answered for 0 of", |_| ());
    incomplete("environment", "0 variables", |_| ());
    incomplete("child", "start", |runner| runner.program = PathBuf::from("/nowhere/tagship"));
    if cfg!(target_os = "linux") {
        incomplete("child", "64 MiB of memory", |runner| runner.memory_limit = ByteSize::bytes(64 << 20));
    }
}

fn incomplete(child: &str, reason: &str, change: impl FnOnce(&mut ChildRunner)) {
    let report = run(child, change);
    assert_eq!(report.status, Status::Incomplete, "{child}: {report:?}");
    assert!(report.cases.is_empty(), "{child}: {report:?}");
    assert!(report.message.as_ref().is_some_and(|message| message.contains(reason)), "{child}: {report:?}");
}

fn run(child: &str, change: impl FnOnce(&mut ChildRunner)) -> GoldenReport {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/wine-logreg");
    let text = fs::read_to_string(home.join("golden.json")).unwrap();
    let cases: GoldenCases = schema::from_json(&text).unwrap();
    let mut runner = ChildRunner {
        program: env::current_exe().unwrap(),
        args: vec![child.into()],
        time_limit: Duration::from_secs(60),
        memory_limit: ByteSize::bytes(4 << 30),
    };
    change(&mut runner);
    let bounds = GoldenBounds { tolerance: Tolerance { absolute: 1e-4, relative: 1e-4 }, max_latency: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(runner.run(&Subject::File(home.join("model.onnx")), &cases, bounds))
}

//! The protocol, with programs of a few lines: what each answer means, and that every one of them ends.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use serde_json::json;
use tagship_domain::golden::Tolerance;
use tagship_ports::conformance::{self, Loadable};
use tempfile::TempDir;

use super::*;
use crate::{SystemClock, canned::Server};

/// A program that keeps what it serves in a file beside it, as a hook of a person would.
const MODEL_HOOK: &str = include_str!("model_hook.py");

struct Bench {
    directory: TempDir,
}

impl Bench {
    fn with(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hook");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    /// A script of a shell that answers its abilities, and does this for every other question.
    fn shell(body: &str) -> Self {
        Self::with(&format!(
            "#!/bin/sh\nquestion=$(cat)\ncase $question in *'\"verb\":\"capabilities\"'*) echo '{{\"weights\":true}}'; exit 0;; esac\n{body}\n"
        ))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, more: &Value) -> Result<ExecTarget, PortError> {
        let mut settings = json!({ "command": ["./hook"] });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let variable = |name: &str| match name {
            "PATH" => Some("/usr/local/bin:/usr/bin:/bin".to_owned()),
            "GIVEN" => Some("given value".to_owned()),
            "HIDDEN" => Some("hidden value".to_owned()),
            _ => None,
        };
        ExecTarget::from_settings(settings.as_object().unwrap(), self.directory.path(), &variable)
    }

    fn target(&self) -> ExecTarget {
        self.open(&json!({})).unwrap()
    }
}

fn churn() -> ModelName {
    "churn".parse().unwrap()
}

fn order() -> Order {
    Order::new(churn(), 7)
}

fn v1() -> Version {
    "v1.0.0".parse().unwrap()
}

#[tokio::test]
async fn a_program_keeps_the_promises_of_the_port() {
    let bench = Bench::with(MODEL_HOOK);
    let bytes = bench.path("model.onnx");
    fs::write(&bytes, "bytes").unwrap();
    let loadable = |version: &str, digit: u8| Loadable {
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([digit; 32]),
        bytes: bytes.clone(),
    };
    let (one, two) = (loadable("v1.0.0", 1), loadable("v1.1.0", 2));
    conformance::target(&bench.target(), &SystemClock, &churn(), &one, &two).await;
}

#[tokio::test]
async fn every_exit_code_has_its_meaning() {
    for (code, expected) in [
        (0, Ok(Done::Applied)),
        (10, Ok(Done::AlreadyThere)),
        (11, Ok(Done::Pending)),
        (12, Err(Problem::Conflict)),
        (13, Err(Problem::Unsupported)),
        (14, Err(Problem::Fenced)),
        (15, Err(Problem::NotFound)),
        (1, Err(Problem::Unreachable)),
        (127, Err(Problem::Unreachable)),
    ] {
        let bench = Bench::shell(&format!("exit {code}"));
        let answer = bench.target().promote(&order(), &v1()).await;
        assert_eq!(answer.map_err(|error| error.problem), expected, "{code}");
    }
}

#[tokio::test]
async fn a_refusal_says_who_and_why_and_what_the_program_said() {
    let bench = Bench::shell(
        "echo '{\"message\": \"the route belongs to somebody\", \"owner\": \"helm\"}'; printf 'Trace\\033[31mback\\nKeyError\\n' >&2; exit 12",
    );
    let error = bench.target().set_weight(&order(), &v1(), Weight::ALL).await.unwrap_err();
    assert_eq!(
        error.message,
        "./hook is in conflict with helm (exit code 12): the route belongs to somebody; it said: Trace [31mback KeyError"
    );
}

#[tokio::test]
async fn a_question_is_one_document_and_the_environment_what_was_allowed() {
    let bench = Bench::shell("printf '%s' \"$question\" > question.json; env > environment");
    let target = bench.open(&json!({ "env": ["GIVEN"] })).unwrap();
    target.rollback(&order(), None).await.unwrap();
    let question: Value =
        serde_json::from_str(&fs::read_to_string(bench.path("question.json")).unwrap()).unwrap();
    let expected =
        json!({ "schema": "tagship/hook/v1", "verb": "rollback", "model": "churn", "fence": 7, "to": null });
    assert_eq!(question, expected);
    let digest = Digest::from_bytes([3; 32]);
    target.prepare(&order(), &v1(), &digest, Path::new("/data/model.onnx")).await.unwrap();
    let question: Value =
        serde_json::from_str(&fs::read_to_string(bench.path("question.json")).unwrap()).unwrap();
    assert_eq!((&question["version"], &question["bytes"]), (&json!("v1.0.0"), &json!("/data/model.onnx")));
    let environment = fs::read_to_string(bench.path("environment")).unwrap();
    assert!(environment.contains("GIVEN=given value"), "{environment}");
    assert!(!environment.contains("HIDDEN") && !environment.contains("CARGO"), "{environment}");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_with_its_children() {
    // The child would write its mark if it outlived the program.
    let bench =
        Bench::shell("mkfifo never; (read x < never; touch outlived) & echo $! > child; read x < never");
    let target = bench.open(&json!({ "timeout": "500ms" })).unwrap();
    target.abilities().await.unwrap();
    let error = target.promote(&order(), &v1()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.to_string().contains("no answer within 500ms"), "{error}");
    let child = fs::read_to_string(bench.path("child")).unwrap();
    // A process that was killed is there until the kernel comes to end it.
    for _ in 0..1000 {
        if !runs(child.trim()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the child still runs");
}

/// Whether a process is there and not dead already.
fn runs(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    let state =
        stat.ok().and_then(|stat| stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next()));
    !matches!(state, None | Some('Z' | 'X'))
}

#[tokio::test]
async fn what_a_program_leaves_running_holds_nobody_up() {
    let bench = Bench::shell("mkfifo never; (read x < never) & echo '{}'");
    let target = bench.target();
    assert_eq!(target.promote(&order(), &v1()).await, Ok(Done::Applied));
    // Ends what was left.
    let _ = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(bench.path("never"))
        .map(|mut pipe| std::io::Write::write_all(&mut pipe, b"x\n"));
}

#[tokio::test]
async fn an_answer_has_a_limit_and_must_be_one() {
    let endless = Bench::shell("head -c 3000000 /dev/zero | tr '\\0' x");
    let error = endless.target().observe(&churn()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.to_string().contains("printed more than"), "{error}");
    for (answer, words) in [
        ("echo starting", "printed something else"),
        ("true", "printed something else"),
        ("echo '{\"arms\": [{\"version\": \"v1\"}]}'", "printed something else"),
        (
            "echo '{\"arms\": [{\"version\": \"v1.0.0\", \"digest\": \"x\", \"ready\": true, \"weight\": 101}]}'",
            "printed something else",
        ),
    ] {
        let error = Bench::shell(answer).target().observe(&churn()).await.unwrap_err();
        assert_eq!(error.problem, Problem::Invalid);
        assert!(error.to_string().contains(words), "{answer}: {error}");
    }
}

#[tokio::test]
async fn what_a_program_cannot_do_is_refused_before_anything_is_written() {
    let bench = Bench::with("#!/bin/sh\ncat > /dev/null\necho '{}'\n");
    let target = bench.target();
    for (needs, words) in [
        (Needs { weights: true, ..Needs::default() }, "cannot share it"),
        (Needs { counters: true, ..Needs::default() }, "does not count"),
        (Needs { endpoints: true, ..Needs::default() }, "names no endpoint"),
    ] {
        let error = target.check(needs).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unsupported);
        assert!(error.to_string().contains(words), "{error}");
    }
    target.check(Needs::default()).await.unwrap();
    let able = bench.open(&json!({ "model-url": "http://m.example/{{version}}" })).unwrap();
    able.check(Needs { endpoints: true, ..Needs::default() }).await.unwrap();
}

#[tokio::test]
async fn counts_that_were_promised_are_never_a_zero() {
    let digest = Digest::from_bytes([1; 32]);
    let arms = json!({ "arms": [{ "version": "v1.0.0", "digest": digest, "ready": true, "weight": 100 }] });
    let bench = Bench::with(&format!(
        "#!/bin/sh\nif grep -q capabilities; then echo '{{\"counters\": true}}'; else echo '{arms}'; fi\n"
    ));
    let error = bench.target().observe(&churn()).await.unwrap_err();
    assert!(error.to_string().contains("no `counters` of v1.0.0"), "{error}");
}

#[tokio::test]
async fn golden_cases_go_to_the_endpoint_that_the_program_names() {
    let tensor =
        |name: &str, value: f64| json!({ "name": name, "datatype": "FP64", "shape": [1], "data": [value] });
    let case = json!({ "name": "first", "inputs": [tensor("x", 1.0)], "expected": [tensor("y", 2.0)] });
    let cases: GoldenCases = serde_json::from_value(json!({ "cases": [case] })).unwrap();
    let answer = json!({ "outputs": [tensor("y", 2.0)] }).to_string();
    let server = Server::with(vec![(200, answer.clone()), (200, answer)]).await;
    let digest = Digest::from_bytes([1; 32]);
    let arm = json!({ "version": "v1.0.0", "digest": digest, "ready": true, "weight": 0 });
    let mut named = arm.clone();
    named["endpoint"] = json!(format!("{}/v2/models/m/", server.url));
    let run = async |arm: &Value| {
        let bench = Bench::shell(&format!("echo '{}'", json!({ "arms": [arm] })));
        let subject = Subject::Endpoint { model: churn(), version: v1() };
        let bounds =
            GoldenBounds { tolerance: Tolerance { absolute: 1e-6, relative: 0.0 }, max_latency: None };
        bench.target().run(&subject, &cases, bounds).await
    };
    let report = run(&named).await;
    assert_eq!((report.status, report.cases.len(), report.cases[0].passed), (Status::Complete, 1, true));
    assert_eq!(server.seen()[1].line, "POST /v2/models/m/infer");
    let unnamed = run(&arm).await;
    assert_eq!((unnamed.status, unnamed.cases.len()), (Status::Incomplete, 0));
    assert!(unnamed.message.unwrap().contains("names no endpoint of v1.0.0"));
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_told_with_what_to_do() {
    let bench = Bench::shell("true");
    let missing = bench.open(&json!({ "command": ["./hok"] })).unwrap();
    let error = missing.observe(&churn()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.to_string().contains("./hok") && error.to_string().contains("no such program"), "{error}");
    fs::set_permissions(bench.path("hook"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = bench.target().observe(&churn()).await.unwrap_err();
    assert!(error.to_string().contains("make it executable"), "{error}");
}

#[test]
fn mistakes_in_settings_are_told() {
    let bench = Bench::shell("true");
    for (settings, words) in [
        (json!({ "command": [] }), "names no program"),
        (json!({ "command": "./hook" }), "invalid type"),
        (json!({ "timeout": "0s" }), "no time"),
        (json!({ "timeout": 60 }), "60"),
        (json!({ "env": ["UNSET"] }), "UNSET is not set"),
        (json!({ "model-url": "models.example/{{version}}" }), "no http or https address"),
        (json!({ "model-url": "http://models.example" }), "has no `{{version}}`"),
        (json!({ "shell": true }), "unknown field `shell`"),
    ] {
        let error = bench.open(&settings).unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
}

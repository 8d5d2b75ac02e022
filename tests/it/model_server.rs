//! The model server as a process of its own: on a full disk, and what its page of counters says.
//!
//! As in `full_disk`, a limit on file sizes stands for the disk. The server is started again with the limit on a state
//! that is larger already, so that every write of state, upload and prediction log fails.
#![cfg(unix)]

use std::{fs, path::Path};

use serde_json::Value;
use tagship_adapters::{SystemClock, metric_sources::MetricsPage, targets::LocalTarget};
use tagship_domain::{
    ModelName, Version,
    golden::{GoldenCases, Tolerance},
    schema,
    serving::LogLine,
    traffic::{TargetState, Weight},
    validation::Status,
};
use tagship_ports::{
    Clock as _, MetricSource as _, ModelRunner as _, Problem, Target,
    model_runner::{GoldenBounds, Subject},
    target::Order,
};
use tagship_testkit::{Cli, Running, fixtures};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::workbench::{TOKEN, appears};

/// One block of 512 bytes: room for the file with the addresses, and for nothing else.
const NOTHING: &str = "1";

struct Server {
    process: Running,
    url: String,
    target: LocalTarget,
}

impl Server {
    /// Starts a server on a directory, where no file may become longer than this many blocks of 512 bytes.
    fn start(home: &Path, blocks: &str) -> Self {
        let addresses = home.join("addresses.json");
        let _ = fs::remove_file(&addresses);
        let script = r#"trap "" XFSZ; ulimit -f "$0" && exec "$@""#;
        let serve = Cli::new("sh").args(["-c", script, blocks, env!("CARGO_BIN_EXE_tagship-serve")]);
        let serve = serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state"]);
        let serve = serve.arg(home.join("state")).arg("--addresses-file").arg(&addresses);
        let process = serve.env("TAGSHIP_SERVE_TOKEN", TOKEN).start();
        let bound: Value = serde_json::from_str(&appears(&addresses)).unwrap();
        let url = |plane: &str| format!("http://{}", bound[plane].as_str().unwrap());
        let target = LocalTarget::new(&url("inference"), &url("admin"), TOKEN).unwrap();
        Self { process, url: url("inference"), target }
    }

    async fn prepare(&self, fence: u64, version: &str, bytes: &Path) -> Result<(), tagship_ports::PortError> {
        let digest = tagship_artifact::digest_path(bytes).unwrap().0;
        let version = version.parse().unwrap();
        self.target.prepare(&order(fence), &version, &digest, bytes).await.map(|_| ())
    }

    async fn observe(&self) -> TargetState {
        let mut state = self.target.observe(&model()).await.unwrap();
        for arm in &mut state.arms {
            arm.counters = tagship_domain::traffic::Counters::default();
        }
        state
    }

    /// Asks a version as often as there are golden cases, and expects the right answers.
    async fn answers(&self, version: &str) {
        let cases = fs::read_to_string(fixtures::path("models/churn/v1/golden.json")).unwrap();
        let cases: GoldenCases = schema::from_json(&cases).unwrap();
        let subject = Subject::Endpoint { model: model(), version: version.parse().unwrap() };
        let tolerance = Tolerance { absolute: 1e-4, relative: 1e-4 };
        let report = self.target.run(&subject, &cases, GoldenBounds { tolerance, max_latency: None }).await;
        assert!(report.status == Status::Complete && report.cases.len() == cases.cases.len(), "{report:?}");
    }

    /// Lines of the prediction log that came to this end, once there are any.
    async fn log_lines(&self, fate: &str) -> u64 {
        let series = format!("tagship_prediction_log_lines_total{{fate=\"{fate}\"}} ");
        for _ in 0..600 {
            let page = page(&self.url).await;
            let count = page.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap();
            if count > 0 {
                return count;
            }
            SystemClock.sleep(tagship_domain::Duration::from_millis(50)).await;
        }
        panic!("no line of the prediction log was {fate}");
    }
}

/// The server's page of counters.
async fn page(url: &str) -> String {
    ask(url, "GET", "/metrics", "").await
}

/// Sends one request and answers the body of what comes back.
async fn ask(url: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head = format!("{method} {path} HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn model() -> ModelName {
    ModelName::new("churn").unwrap()
}

fn order(fence: u64) -> Order {
    Order::new(model(), fence)
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn churn(variant: &str) -> std::path::PathBuf {
    fixtures::path(&format!("models/churn/{variant}/model.onnx"))
}

#[tokio::test]
async fn a_full_disk_changes_nothing_and_stops_nothing() {
    let home = tempfile::Builder::new().prefix("disk").tempdir().unwrap();
    let state_file = home.path().join("state/state.json");
    let quarter = Weight::percent(25).unwrap();

    let server = Server::start(home.path(), "unlimited");
    for (fence, name, variant) in [(1, "v1.0.0", "v1"), (2, "v1.1.0", "v2"), (3, "v1.2.0", "v3")] {
        server.prepare(fence, name, &churn(variant)).await.unwrap();
    }
    server.target.promote(&order(4), &version("v1.0.0")).await.unwrap();
    server.answers("v1.0.0").await;
    server.log_lines("written").await;
    let before = server.observe().await;
    server.process.kill();
    let on_disk = fs::read(&state_file).unwrap();
    assert!(on_disk.len() > 1024, "the state is larger than any limit below");

    let server = Server::start(home.path(), NOTHING);
    assert_eq!(server.observe().await, before, "it starts on a full disk");
    let (candidate, stable) = (version("v1.1.0"), version("v1.0.0"));
    // Larger than what sockets hold: the sender is still sending when the write fails.
    let large = home.path().join("large.onnx");
    fs::write(&large, vec![b'x'; 8 << 20]).unwrap();
    for (what, refused) in [
        ("weight", server.target.set_weight(&order(5), &candidate, quarter).await.map(|_| ())),
        ("promote", server.target.promote(&order(5), &candidate).await.map(|_| ())),
        ("rollback", server.target.rollback(&order(5), None).await.map(|_| ())),
        ("unload", server.target.cleanup(&order(5), &candidate).await.map(|_| ())),
        ("load", server.prepare(5, "v1.3.0", &churn("v4")).await),
        ("load a large file", server.prepare(5, "v1.3.0", &large).await),
        ("load bytes that are here", server.prepare(5, "v1.4.0", &churn("v1")).await),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.problem, Problem::Local, "{what}: {error}");
        let text = error.to_string();
        assert!(text.contains("ulimit -f") && !text.contains(".tmp"), "{what}: {text}");
    }
    assert_eq!(server.observe().await, before, "what was in force is in force");
    server.answers("v1.0.0").await;
    server.answers("v1.1.0").await;
    assert!(server.log_lines("failed").await > 0, "lines that could not be written are counted");
    let state = home.path().join("state");
    assert_eq!(fs::read(&state_file).unwrap(), on_disk);
    assert_eq!(fs::read_dir(state.join("uploads")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(state.join("artifacts")).unwrap().count(), 3);
    let names = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["artifacts", "lock", "predictions", "state.json", "uploads"]);
    let log = fs::read_to_string(state.join("predictions/predictions.jsonl")).unwrap();
    assert!(log.lines().all(|line| serde_json::from_str::<LogLine>(line).is_ok()), "no half of a line");
    server.process.kill();

    let server = Server::start(home.path(), "unlimited");
    assert_eq!(server.observe().await, before, "the next start finds the same");
    server.prepare(5, "v1.3.0", &churn("v4")).await.unwrap();
    server.target.set_weight(&order(6), &candidate, quarter).await.unwrap();
    let after = server.observe().await;
    assert_eq!(after.arm(&candidate).unwrap().weight, quarter);
    assert_eq!(after.arm(&stable).unwrap().weight, Weight::percent(75).unwrap());
}

#[tokio::test]
async fn the_page_says_what_the_control_interface_says() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), "unlimited");
    server.prepare(1, "v1.0.0", &churn("v1")).await.unwrap();
    server.prepare(1, "v1.1.0", &churn("v2")).await.unwrap();
    server.target.promote(&order(2), &version("v1.0.0")).await.unwrap();
    let cases = fs::read_to_string(fixtures::path("models/churn/v1/golden.json")).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let body = serde_json::json!({ "id": "a", "inputs": cases["cases"][0]["inputs"] }).to_string();
    ask(&server.url, "POST", "/v2/models/churn/infer", &body).await;
    ask(&server.url, "POST", "/v2/models/churn/infer", "{}").await;
    ask(&server.url, "POST", "/feedback", r#"{"model":"churn","id":"a","correct":true}"#).await;
    let told = server.target.observe(&model()).await.unwrap();
    let told = told.arms.into_iter().map(|arm| (arm.version, arm.counters)).collect();
    let source = MetricsPage::new(&format!("{}/metrics", server.url)).unwrap();
    let read = source.counters(&model()).await.unwrap();
    assert_eq!(read, told);
    let stable = &read[&version("v1.0.0")];
    assert_eq!((stable.requests, stable.correct), (2, 1));
    assert_eq!(stable.latency.as_ref().unwrap().total(), 2);
    let nobody = source.counters(&ModelName::new("nobody").unwrap()).await.unwrap();
    assert!(nobody.is_empty());
}

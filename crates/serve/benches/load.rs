//! Requests per second of the whole server over loopback, with a model that takes no time.
//!
//! `cargo bench -p tagship-serve --bench load` prints, for the best of several runs, requests per second, CPU time per
//! request (server and client together: both live in this process) and the tail of the latency. CPU time is the
//! figure to compare on a machine that others use too.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::expect_used, reason = "a bench that cannot run has no answer to give")]

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, FileEntry, Timestamp, serving::LoadOrder};
use tagship_ports::fake::FakeClock;
use tagship_serve::{
    Inference, Loader,
    engine::{Datatype, EngineError, Signature, Tensor, TensorData, TensorSpec},
    server::{self, AdminToken, BoundAddresses, Limits, LogBounds, ServerSettings},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream},
    net::TcpStream,
    sync::oneshot,
};

const TOKEN: &str = "a token of the bench";
const CONNECTIONS: usize = 32;
const REQUESTS: usize = 1_000;
const RUNS: usize = 7;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("start the runtime");
    runtime.block_on(bench());
}

async fn bench() {
    let state = tempfile::tempdir().expect("make a state directory");
    let (ready, bound) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let tell = move |addresses: BoundAddresses| {
        let _ = ready.send(addresses);
    };
    let stop_when = async move { drop(stopped.await) };
    let server = tokio::spawn(server::run(settings(state.path()), Arc::new(Labels), tell, stop_when));
    let addresses = bound.await.expect("the server starts");
    let mut admin = Client::connect(addresses.admin).await;
    for (version, content) in [("v1.0.0", &b"0"[..]), ("v1.1.0", b"1")] {
        admin.load(version, content).await;
    }
    admin
        .ok("POST", "/admin/models/m/promote", &json!({ "fence": 2, "version": "v1.0.0" }).to_string())
        .await;
    let half = json!({ "fence": 3, "version": "v1.1.0", "weight": 50 }).to_string();
    admin.ok("POST", "/admin/models/m/weight", &half).await;

    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..RUNS {
        runs.push(run(addresses.inference).await);
    }
    let rate = runs.iter().map(|run| run.rate).fold(0.0, f64::max);
    let cpu = runs.iter().map(|run| run.cpu_us).fold(f64::INFINITY, f64::min);
    let p99 = runs.iter().map(|run| run.p99_ms).fold(f64::INFINITY, f64::min);
    println!("{rate:.0} requests/s, {cpu:.1} us CPU per request, p99 {p99:.2} ms");
    drop(stop);
    server.await.expect("the server ends").expect("the server drains");
}

struct Run {
    rate: f64,
    cpu_us: f64,
    p99_ms: f64,
}

#[allow(clippy::cast_precision_loss, reason = "counts of a bench fit")]
async fn run(address: SocketAddr) -> Run {
    let (begin, cpu) = (Instant::now(), cpu_time());
    let mut askers = Vec::new();
    for _ in 0..CONNECTIONS {
        askers.push(tokio::spawn(ask(address)));
    }
    let mut times = Vec::new();
    for asker in askers {
        times.extend(asker.await.expect("an asker ends"));
    }
    times.sort();
    let (took, spent, count) = (begin.elapsed(), cpu_time().saturating_sub(cpu), times.len() as f64);
    let p99 = times[times.len() * 99 / 100];
    Run {
        rate: count / took.as_secs_f64(),
        cpu_us: spent.as_secs_f64() * 1e6 / count,
        p99_ms: p99.as_secs_f64() * 1e3,
    }
}

async fn ask(address: SocketAddr) -> Vec<Duration> {
    let mut client = Client::connect(address).await;
    let body = r#"{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1.0,2.0]}]}"#;
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let begin = Instant::now();
        client.ok("POST", "/v2/models/m/infer", body).await;
        times.push(begin.elapsed());
    }
    times
}

fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("CPU time is not negative")
}

fn settings(state_dir: &Path) -> ServerSettings {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    ServerSettings {
        listen: any,
        admin_listen: any,
        token: AdminToken::new(TOKEN).expect("the token is long"),
        state_dir: state_dir.to_owned(),
        addresses_file: None,
        limits: Limits::default(),
        prediction_log: Some(LogBounds::default()),
        clock: Arc::new(FakeClock::at(Timestamp::from_seconds(1_800_000_000).expect("a time"))),
    }
}

/// Loads models that answer one label of three, whatever the file holds.
#[derive(Debug)]
struct Labels;

#[derive(Debug)]
struct Labelling(Signature);

impl Loader for Labels {
    fn load(&self, _file: &Path) -> Result<Arc<dyn Inference>, EngineError> {
        let spec = |name: &str, datatype, dims| TensorSpec {
            name: name.to_owned(),
            datatype,
            dims,
            class_names: vec![],
        };
        Ok(Arc::new(Labelling(Signature {
            inputs: vec![spec("x", Datatype::Fp32, vec![None, Some(2)])],
            outputs: vec![spec("label", Datatype::Int64, vec![None])],
        })))
    }
}

impl Inference for Labelling {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn infer(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        let rows = inputs.first().and_then(Tensor::rows).unwrap_or(0);
        let label = i64::try_from(inputs.len()).unwrap_or(0);
        Ok(vec![Tensor::new("label", vec![rows], TensorData::Int64(vec![label; rows]))?])
    }
}

/// As much HTTP as the bench needs.
struct Client(BufStream<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connect");
        stream.set_nodelay(true).expect("set an option");
        Self(BufStream::new(stream))
    }

    async fn load(&mut self, version: &str, content: &[u8]) {
        let digest = Digest::from_bytes(Sha256::digest(content).into());
        let text = String::from_utf8_lossy(content);
        self.ok("PUT", &format!("/admin/uploads/{digest}"), &text).await;
        let file =
            FileEntry { path: "model.onnx".to_owned(), size: content.len() as u64, sha256: digest.clone() };
        let order = serde_json::to_string(&LoadOrder { fence: 1, digest, files: vec![file] }).expect("JSON");
        self.ok("PUT", &format!("/admin/models/m/versions/{version}"), &order).await;
    }

    /// Sends a request, reads the answer and expects it to be a success.
    async fn ok(&mut self, method: &str, path: &str, body: &str) {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {length}\r\n\r\n"
        );
        self.0.write_all(head.as_bytes()).await.expect("write");
        self.0.write_all(body.as_bytes()).await.expect("write");
        self.0.flush().await.expect("write");
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("read");
        assert!(line.starts_with("HTTP/1.1 200"), "{method} {path}: {line}");
        let mut length = 0;
        while line.trim_end() != "" {
            line.clear();
            self.0.read_line(&mut line).await.expect("read");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        self.0.read_exact(&mut vec![0; length]).await.expect("read");
    }
}

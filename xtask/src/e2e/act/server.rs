//! The target of a stage: `tagship-serve` on this machine, and clients that ask it about live rows and bring the labels.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tagship_testkit::{Cli, Running, fixtures};
use tempfile::TempDir;

/// What the server and the workflow's secret share.
pub(super) const TOKEN: &str = "a-token-of-the-model-server";
/// How many clients ask at once.
const CLIENTS: usize = 4;
/// How long each of them waits between two rows.
const PACE: Duration = Duration::from_millis(25);
/// How often a file is looked for, twenty times a second.
const READY: usize = 1200;

/// A running model server.
pub(super) struct ModelServer {
    /// Address of the inference interface.
    pub(super) inference: String,
    /// Address of the control interface.
    pub(super) admin: String,
    _running: Running,
    _state: TempDir,
}

/// Clients at work, until they are dropped.
pub(super) struct Traffic {
    stopped: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Result<()>>>,
}

impl ModelServer {
    /// Starts one without a model.
    pub(super) fn start(program: &Path) -> Result<Self> {
        let state = tempfile::tempdir()?;
        let addresses = state.path().join("addresses.json");
        let serve = Cli::new(program).env("TAGSHIP_SERVE_TOKEN", TOKEN);
        let serve = serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state"]);
        let running = serve.arg(state.path().join("state")).arg("--addresses-file").arg(&addresses).start();
        let bound: Value = serde_json::from_str(&appears(&addresses)?)?;
        let address = |plane: &str| bound[plane].as_str().map(str::to_owned).context("an address is missing");
        Ok(Self {
            inference: address("inference")?,
            admin: address("admin")?,
            _running: running,
            _state: state,
        })
    }

    /// Lets clients ask it.
    pub(super) fn traffic(&self) -> Traffic {
        let stopped = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (address, stopped) = (self.inference.clone(), Arc::clone(&stopped));
            thread::spawn(move || ask(&address, number, &stopped))
        };
        Traffic { clients: (0..CLIENTS).map(client).collect(), stopped }
    }
}

impl Traffic {
    /// Stops the clients.
    ///
    /// # Errors
    /// When a request of theirs was not answered well.
    pub(super) fn stop(mut self) -> Result<()> {
        self.stopped.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            let Ok(ended) = client.join() else { bail!("a client crashed") };
            ended.context("live traffic")?;
        }
        Ok(())
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

#[allow(clippy::disallowed_methods, reason = "clients ask in their own time, as people do")]
fn ask(address: &str, number: usize, stopped: &AtomicBool) -> Result<()> {
    let text = fixtures::text("models/churn/live.csv");
    let rows: Vec<(Vec<f64>, i64)> = text.lines().skip(1).filter_map(row).collect();
    let mut connection = BufReader::new(TcpStream::connect(address)?);
    // Clients begin at different rows.
    for (features, label) in rows.iter().cycle().skip(rows.len() * number / CLIENTS) {
        if stopped.load(Ordering::SeqCst) {
            break;
        }
        thread::sleep(PACE);
        let input =
            json!({ "name": "features", "datatype": "FP32", "shape": [1, features.len()], "data": features });
        let answer = post(&mut connection, "/v2/models/churn/infer", &json!({ "inputs": [input] }))?;
        let id = answer["id"].as_str().context("an answer without an id")?;
        post(&mut connection, "/feedback", &json!({ "model": "churn", "id": id, "label": label }))?;
    }
    Ok(())
}

fn row(line: &str) -> Option<(Vec<f64>, i64)> {
    let (_, rest) = line.split_once(',')?;
    let (features, label) = rest.rsplit_once(',')?;
    let features: Option<Vec<f64>> = features.split(',').map(|number| number.parse().ok()).collect();
    Some((features?, label.parse().ok()?))
}

/// One request on a connection that stays open.
fn post(connection: &mut BufReader<TcpStream>, path: &str, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: model\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.get_mut().write_all(format!("{head}{body}").as_bytes())?;
    let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
    while connection.read_line(&mut line)? > 2 {
        if status.is_empty() {
            status.clone_from(&line);
        } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        line.clear();
    }
    let mut bytes = vec![0; length];
    connection.read_exact(&mut bytes)?;
    if !status.contains(" 20") {
        bail!("{path}: {status}{}", String::from_utf8_lossy(&bytes));
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

/// The content of a file that another process is about to write.
#[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
fn appears(path: &Path) -> Result<String> {
    for _ in 0..READY {
        match fs::read_to_string(path) {
            Ok(text) if !text.is_empty() => return Ok(text),
            _ => thread::sleep(Duration::from_millis(50)),
        }
    }
    bail!("{} did not appear", path.display())
}

//! The server from outside: real sockets, models that do what a test needs.

mod admin;
mod client;
mod counters;
mod fake_model;
mod inference;
mod lifecycle;
mod routing;
mod shares;
mod switching;

use std::{fs::File, net::SocketAddr, path::Path, sync::Arc};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, FileEntry, Timestamp, serving::LoadOrder};
use tagship_ports::fake::FakeClock;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
};

use self::{
    client::Client,
    fake_model::{FakeLoader, Gate, Release},
};
use super::{AdminToken, BoundAddresses, Limits, LogBounds, ServeError, ServerSettings, run};
use crate::Loader;

const TOKEN: &str = "a token of the tests";

/// A running server.
struct Running {
    addresses: BoundAddresses,
    gate: Arc<Gate>,
    /// A test that fails must not leave a `wait` model waiting: its runtime would wait for it.
    _release: Release,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

fn settings(state_dir: &Path) -> ServerSettings {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    ServerSettings {
        listen: any,
        admin_listen: any,
        token: AdminToken::new(TOKEN).unwrap(),
        state_dir: state_dir.to_owned(),
        addresses_file: None,
        limits: Limits::default(),
        prediction_log: Some(LogBounds::default()),
        clock: Arc::new(FakeClock::at(Timestamp::from_seconds(1_800_000_000).unwrap())),
    }
}

async fn start(state_dir: &Path) -> Running {
    start_with(settings(state_dir)).await
}

async fn start_with(settings: ServerSettings) -> Running {
    let loader = FakeLoader::default();
    let gate = Arc::clone(&loader.gate);
    start_loading(settings, Arc::new(loader), gate).await
}

async fn start_loading(settings: ServerSettings, loader: Arc<dyn Loader>, gate: Arc<Gate>) -> Running {
    wait_unlocked(&settings.state_dir).await;
    let (ready, bound) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let run = run(settings, loader, move |addresses| ready.send(addresses).unwrap(), async move {
        drop(stopped.await);
    });
    let task = tokio::spawn(run);
    let addresses = bound.await.expect("the server starts");
    Running { addresses, _release: Release(Arc::clone(&gate)), gate, stop, task }
}

/// Waits for a server before this one to let go of the directory: its process does not end here, and its connections
/// end a moment after it.
async fn wait_unlocked(state_dir: &Path) {
    let Ok(lock) = File::open(state_dir.join("lock")) else { return };
    spawn_blocking(move || lock.lock()).await.unwrap().unwrap();
}

impl Running {
    async fn client(&self) -> Client {
        Client::connect(self.addresses.inference).await
    }

    async fn admin(&self) -> Client {
        let mut client = Client::connect(self.addresses.admin).await;
        client.token = Some(TOKEN.to_owned());
        client
    }

    /// Stops the server and waits for its end.
    async fn stop(self) -> Result<(), ServeError> {
        let _ = self.stop.send(());
        self.task.await.unwrap()
    }

    /// Uploads a model and loads it.
    async fn load(&self, version: &str, content: impl AsRef<[u8]>, fence: u64) -> (u16, Value) {
        let content = content.as_ref();
        let mut admin = self.admin().await;
        let digest = digest(content);
        let (status, _) = admin.send("PUT", &format!("/admin/uploads/{digest}"), content).await;
        assert_eq!(status, 200);
        admin
            .json("PUT", &format!("/admin/models/churn/versions/{version}"), &load_order(content, fence))
            .await
    }

    /// Sends an order and expects it to be accepted.
    async fn order(&self, what: &str, order: Value) -> Value {
        let (status, answer) =
            self.admin().await.json("POST", &format!("/admin/models/churn/{what}"), &order).await;
        assert_eq!(status, 200, "{what}: {answer}");
        answer
    }

    async fn promote(&self, version: &str, fence: u64) -> Value {
        self.order("promote", json!({ "fence": fence, "version": version })).await
    }

    async fn status(&self) -> Value {
        self.admin().await.get("/admin/models/churn").await.1
    }
}

fn load_order(content: impl AsRef<[u8]>, fence: u64) -> Value {
    let content = content.as_ref();
    let digest = digest(content);
    let file =
        FileEntry { path: "model.onnx".to_owned(), size: content.len() as u64, sha256: digest.clone() };
    serde_json::to_value(LoadOrder { fence, digest, files: vec![file] }).unwrap()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// A request with one row of two values.
fn request(id: &str) -> Value {
    json!({ "id": id, "inputs": [{ "name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0] }] })
}

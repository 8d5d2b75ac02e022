//! The connection to an API server, by the client that ships: its reading of kubeconfigs, its logins, its TLS.

use std::{
    path::Path,
    sync::{OnceLock, mpsc},
};

use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::runtime::Runtime;

/// The status of a gateway that does not reach what is behind it.
const UNREACHED: u16 = 502;

/// Threads of all connections. They stay: a test may drop its cluster where nothing may wait for threads.
static THREADS: OnceLock<Runtime> = OnceLock::new();

/// A connection. Whoever calls waits, on whatever thread that is.
#[allow(missing_debug_implementations, reason = "it holds a client")]
pub(super) struct Link {
    client: Client,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    /// Logs in with a kubeconfig.
    pub(super) fn open(kubeconfig: &Path) -> Self {
        let read = Kubeconfig::read_from(kubeconfig);
        let read = read.unwrap_or_else(|error| panic!("{} is no kubeconfig: {error}", kubeconfig.display()));
        let client = waited(async {
            let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
            Client::try_from(config.expect("the kubeconfig is complete")).expect("the kubeconfig can be used")
        });
        Self { client }
    }

    /// Asks, and answers status and body; [`UNREACHED`] where no answer came.
    pub(super) fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> (u16, Vec<u8>) {
        let request =
            http::Request::builder().method(method).uri(target).header("accept", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = request.body(Body::from(body)).expect("a request");
        let client = self.client.clone();
        waited(async move {
            let answered = async {
                let answer = client.send(request).await?;
                let status = answer.status().as_u16();
                Ok::<_, kube::Error>((status, answer.into_body().collect_bytes().await?.to_vec()))
            };
            answered.await.unwrap_or_else(|error| (UNREACHED, error.to_string().into_bytes()))
        })
    }
}

/// Waits for what happens on threads of our own; the caller may be on a thread of another runtime.
fn waited<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let threads = THREADS.get_or_init(|| {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        threads.expect("a runtime starts")
    });
    let (sender, receiver) = mpsc::channel();
    threads.spawn(async move {
        let _ = sender.send(work.await);
    });
    receiver.recv().expect("what was waited for did not panic")
}

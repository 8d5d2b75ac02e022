//! The model server: `tagship serve` as a child that ends with the demo.

use std::{
    fs::File,
    hash::{BuildHasher as _, RandomState},
    process::Stdio,
    time::Duration,
};

use tagship_runner::Failure;
use tagship_serve::server::BoundAddresses;
use tokio::{
    process::Child,
    time::{sleep, timeout},
};

use super::{child::Children, directory::Directory};

/// The longest that the server may take to start.
const START: Duration = Duration::from_secs(30);
/// How often is looked whether it has started.
const LOOK: Duration = Duration::from_millis(10);
/// Where it writes its addresses.
const ADDRESSES: &str = "addresses.json";
/// Where its output goes.
const LOG: &str = "server.log";

/// A running server. Dropping it kills it; its state survives that.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    addresses: BoundAddresses,
}

impl Server {
    /// Starts the server on free ports and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) async fn start(directory: &Directory, children: &Children) -> Result<Self, Failure> {
        let log = directory.write(LOG, b"")?;
        let open = || File::options().append(true).open(&log);
        let failed = |error| Failure::incomplete(format!("start `tagship serve`: {error}"));
        let mut command = children.tagship(&directory.at(""));
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        command.args(["--state", "server", "--addresses-file", ADDRESSES]);
        command.stdout(Stdio::from(open().map_err(failed)?)).stderr(Stdio::from(open().map_err(failed)?));
        let mut child = command.spawn().map_err(failed)?;
        let waited = timeout(START, bound(&mut child, directory)).await;
        let addresses =
            waited.unwrap_or_else(|_elapsed| Err(not_started("it gave no addresses in time", directory)))?;
        Ok(Self { child, addresses })
    }

    /// Where it listens.
    pub(super) fn addresses(&self) -> BoundAddresses {
        self.addresses
    }

    /// Stops the server and waits for its end.
    ///
    /// # Errors
    /// When it ended before, which it should not have.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(Failure::incomplete(format!(
                "`tagship serve` ended before it was stopped: {status}"
            )));
        }
        self.child.kill().await.map_err(|error| Failure::incomplete(format!("stop `tagship serve`: {error}")))
    }
}

/// The addresses, once the server has written them.
async fn bound(child: &mut Child, directory: &Directory) -> Result<BoundAddresses, Failure> {
    loop {
        if let Ok(text) = std::fs::read_to_string(directory.at(ADDRESSES)) {
            return serde_json::from_str(&text).map_err(|error| not_started(&error.to_string(), directory));
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(not_started(&status.to_string(), directory));
        }
        sleep(LOOK).await;
    }
}

fn not_started(why: &str, directory: &Directory) -> Failure {
    let log = directory.read(LOG).unwrap_or_default();
    Failure::incomplete(format!("`tagship serve` did not start: {why}\n{}", log.trim_end()))
}

/// A token that nobody can guess: the standard library's hash keys come from the system's source of randomness.
pub(super) fn random_token() -> String {
    let random = || RandomState::new().hash_one(ADDRESSES);
    format!("{:016x}{:016x}", random(), random())
}

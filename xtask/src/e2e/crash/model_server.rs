//! `tagship-serve` as a stage has it: with a proxy before its control interface.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tagship_testkit::{Cli, Running};

use super::{http, points::Switch, proxy::Proxy};

/// What the server and its clients share.
pub(super) const TOKEN: &str = "a-token-of-the-crash-campaign";
/// The longest that anything on this machine is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
pub(super) struct ModelServer {
    _running: Running,
    proxy: Proxy,
    inference: String,
    admin: String,
}

impl ModelServer {
    /// Starts it with the state of a directory.
    pub(super) fn start(program: &Path, state: &Path, switch: Arc<Switch>) -> Result<Self> {
        let addresses = state.with_extension("json");
        let _ = std::fs::remove_file(&addresses);
        let cli = Cli::new(program).env("TAGSHIP_SERVE_TOKEN", TOKEN);
        let cli = cli.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        let running = cli.arg("--state").arg(state).arg("--addresses-file").arg(&addresses).start();
        let bound: Value = until("the model server", || {
            serde_json::from_str(&std::fs::read_to_string(&addresses).ok()?).ok()
        })?;
        let at = |plane: &str| bound[plane].as_str().map(str::to_owned).context("it says where it listens");
        let (inference, admin) = (at("inference")?, at("admin")?);
        Ok(Self { _running: running, proxy: Proxy::before(&admin, switch)?, inference, admin })
    }

    /// Settings of the target.
    pub(super) fn target(&self) -> String {
        let (url, admin) = (&self.inference, &self.proxy.address);
        format!(r#"{{ local: {{ url: "http://{url}", admin-url: "http://{admin}", token-env: TOKEN }} }}"#)
    }

    /// Versions that are loaded, with their shares of traffic.
    pub(super) fn weights(&self) -> Result<BTreeMap<String, u64>> {
        let status = http::ask(&self.admin, "GET /admin/models/churn", TOKEN, "")?;
        let status: Value = serde_json::from_str(&status).context("the status is JSON")?;
        let arms = status["arms"].as_array().with_context(|| format!("no arms in {status}"))?;
        let arm = |arm: &Value| Some((arm["version"].as_str()?.to_owned(), arm["weight"].as_u64()?));
        arms.iter().map(|one| arm(one).with_context(|| format!("no share in {one}"))).collect()
    }

    /// Clients ask for a prediction so often.
    pub(super) fn ask(&self, inputs: &str, times: usize) -> Result<()> {
        for _ in 0..times {
            http::ask(&self.inference, "POST /v2/models/churn/infer", "", inputs)?;
        }
        Ok(())
    }
}

/// Looks until there is an answer.
#[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
pub(super) fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> Result<T> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("{what} did not come up within {} s", PATIENCE.as_secs())
}

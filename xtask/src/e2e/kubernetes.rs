//! A real `kube-apiserver` with etcd, on this machine alone: what was said about the API of the tests, and the targets
//! on Kubernetes, hold there too. Controllers stay played, as clients of that server.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::{Ending, Subject, system};
use crate::process;

/// How the script says that the packages of this system do not carry a server.
const NOT_CARRIED: i32 = 3;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let Some(tools) = server(subject)? else {
        let missing = "the packages of this system carry no source of kube-apiserver, or no etcd";
        return Ok(Ending::NotRun(missing.to_owned()));
    };
    system::demand("openssl", "openssl")?;
    let directory = tempfile::tempdir()?;
    let mut python = subject.workspace.command("python3");
    python.arg(subject.workspace.path("tests/e2e/kube_apiserver.py")).arg(&tools).arg(directory.path());
    python.args(["cargo", "test", "--locked", "-p", "tagship-testkit", "-p", "tagship-kube", "--lib"]);
    python.args(["--no-fail-fast", "--", "--test-threads", "4"]);
    process::run(python)?;
    Ok(Ending::Passed)
}

/// Where the programs lie; absent where this system's packages do not carry them.
fn server(subject: &Subject<'_>) -> Result<Option<PathBuf>> {
    let tools = subject.workspace.path("target/tools/kube-apiserver");
    if system::find("apt-get").is_none() {
        return Ok(None);
    }
    let mut build = subject.workspace.command("sh");
    build.arg(subject.workspace.path("tests/e2e/kube_apiserver.sh")).arg(&tools);
    let shown = process::shown(&build);
    println!("$ {shown}");
    let status = build.status().with_context(|| format!("start {shown}"))?;
    match status.code() {
        Some(0) => Ok(Some(tools)),
        Some(NOT_CARRIED) => Ok(None),
        _ => bail!("{shown}: {status}"),
    }
}

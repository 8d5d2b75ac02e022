//! The Kubernetes API of the tests, and the targets on it, with the custom resource definitions of `KServe`, Gateway API,
//! Argo Rollouts, Flagger and Istio themselves. `TAGSHIP_CRDS` names a folder that holds them.

use anyhow::Result;

use super::{Ending, Subject};
use crate::process;

const FOLDER: &str = "TAGSHIP_CRDS";

#[allow(
    clippy::disallowed_methods,
    reason = "which folder holds them is known outside of the repository only"
)]
pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    if std::env::var_os(FOLDER).is_none_or(|folder| folder.is_empty()) {
        let files = "the files that crates/testkit/src/cluster/tests/real_definitions.rs names";
        return Ok(Ending::NotRun(format!("{FOLDER} names no folder with {files}; no package carries them")));
    }
    let mut cargo = subject.workspace.command("cargo");
    cargo.args([
        "test",
        "-p",
        "tagship-testkit",
        "-p",
        "tagship-kube",
        "--lib",
        "--",
        "definition",
        "--ignored",
    ]);
    process::tests(cargo)?;
    Ok(Ending::Passed)
}

//! A real `kube-apiserver` with etcd, on this machine alone: what was said about the API of the tests, and the targets
//! on Kubernetes, hold there too, and so does every command of the guide. Controllers stay played, as clients of that server.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Ending, Subject, system};
use crate::process;

/// Tests that are about the double alone: its clock, its kinds, its rights, what it refuses to play; and one that makes a
/// definition which a server does not take.
const OF_THE_DOUBLE: [&str; 9] = [
    "a_conflict_with_an_update_says_with_what_and_when",
    "a_new_object_gets_what_the_server_sets",
    "it_says_which_kinds_there_are",
    "a_fresh_definition_is_established_after_a_while",
    "what_is_denied_is_said_beforehand_and_refused",
    "lists_select_by_namespace_label_and_name",
    "a_watch_sees_every_later_write_once",
    "a_spec_without_schema_is_one_field",
    "a_run_that_saw_nothing_before_knows_a_failure_by_its_time",
];
/// Tests of what servers do since 1.25 at the latest: strict validation of fields, places with their numbers in a list, other codes,
/// the time of an owner that gives a field of its own another value.
/// The server of the packages is older.
const OF_NEWER_SERVERS: [&str; 8] = [
    "an_unknown_field_is_dropped_silently_unless_strict",
    "strict_creation_refuses_unknown_fields",
    "a_manifest_that_does_not_fit_is_refused_before_anything_is_written",
    "a_server_refuses_what_does_not_fit",
    "unknown_and_mistyped_fields_are_failures_of_the_server",
    "applies_need_a_name_and_are_never_forced",
    "the_status_has_a_path_of_its_own",
    "the_time_of_an_owner_is_that_of_its_newest_value",
];

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
    for name in OF_THE_DOUBLE.iter().chain(&OF_NEWER_SERVERS) {
        python.args(["--skip", name]);
    }
    process::tests(python)?;
    follow_the_guide(subject, &tools)?;
    Ok(Ending::Passed)
}

/// Follows the guide as a reader would, on a server of its own for each section, or on the cluster that somebody gives.
fn follow_the_guide(subject: &Subject<'_>, tools: &Path) -> Result<()> {
    for (program, package) in
        [("kubectl", "kubernetes-client"), ("docker-registry", "docker-registry"), ("jq", "jq")]
    {
        system::demand(program, package)?;
    }
    let controllers = "played_controllers";
    // The packages of the tests, so that nothing is built with other features.
    let packages = ["--package", "tagship-testkit", "--package", "tagship-kube"];
    let mut build = subject.workspace.cargo(&["build", "--locked", "--features", "tagship-testkit/real"]);
    build.args(packages).args(["--example", controllers]);
    process::run(build)?;
    let controllers = subject.workspace.built()?.join("examples").join(controllers);
    system::play(subject, "kubernetes_walk.py", &[tools, &controllers])
}

/// Whether the script that follows the guide knows each of its commands. No cluster is needed for that.
pub(super) fn guide(subject: &Subject<'_>) -> Result<Ending> {
    let mut python = subject.workspace.command("python3");
    python.arg(subject.workspace.path("tests/e2e/kubernetes_walk.py"));
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

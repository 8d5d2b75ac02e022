//! Kubeconfigs and logins: what they hold reaches no message, and what a login's program may do.

use serde_json::{Value, json};
use tagship_domain::{ModelName, traffic::TargetState};
use tagship_ports::{PortError, Problem, Target};
use tagship_testkit::cluster::FakeCluster;

use super::{
    super::GatewayApiTarget,
    stage::{MANIFEST, open, settings},
};

/// What a target says that is opened with this value of `KUBECONFIG`.
async fn observed(kubeconfig: &str) -> Result<TargetState, PortError> {
    let (_, directory) = open(&FakeCluster::start(), &settings(), MANIFEST).unwrap();
    let variable = |name: &str| (name == "KUBECONFIG").then(|| kubeconfig.to_owned());
    let target = GatewayApiTarget::from_settings(&settings(), directory.path(), &variable).unwrap();
    assert!(!format!("{target:?}").contains("s3cret"));
    target.observe(&ModelName::new("churn").unwrap()).await
}

#[tokio::test]
async fn what_logins_and_kubeconfigs_hold_reaches_no_message() {
    let (_, directory) = open(&FakeCluster::start(), &settings(), MANIFEST).unwrap();
    let program = directory.path().join("login.sh");
    std::fs::write(&program, "#!/bin/sh\necho s3cret >&2\nexit 1\n").unwrap();
    let config = |user: Value| {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": { "server": "http://me:s3cret@127.0.0.1:1" } }],
            "users": [{ "name": "test", "user": user }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        })
        .to_string()
    };
    let login = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
        "args": [program.display().to_string()], "interactiveMode": "Never",
    });
    for text in [
        config(json!({ "exec": login })),
        config(json!({ "token": "s3cret" })),
        config(json!({ "token": "s3cret\nline" })),
        config(json!({ "client-certificate-data": "s3cret", "client-key-data": "s3cret" })),
        "users: [s3cret".to_owned(),
        "users: s3cret".to_owned(),
    ] {
        let path = directory.path().join("config");
        std::fs::write(&path, &text).unwrap();
        let variable = |name: &str| (name == "KUBECONFIG").then(|| path.display().to_string());
        let target = GatewayApiTarget::from_settings(&settings(), directory.path(), &variable).unwrap();
        let model = ModelName::new("churn").unwrap();
        let error = target.observe(&model).await.unwrap_err();
        assert!(!format!("{error} {error:?} {target:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_kubeconfig_that_is_not_there_is_not_quoted() {
    for value in ["users: [{ name: me, user: { token: s3cret } }]", "czNjcmV0:s3cret", "/nowhere/s3cret"] {
        let error = observed(value).await.unwrap_err();
        assert_eq!(error.problem, Problem::Denied);
        assert!(error.message.contains("names no file that exists"), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_kubeconfig_of_a_list_that_is_not_there_is_passed_over() {
    let cluster = FakeCluster::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("kubeconfig");
    std::fs::write(&file, cluster.kubeconfig()).unwrap();
    let missing = directory.path().join("nowhere");
    let list = std::env::join_paths([&missing, &file]).unwrap();
    assert_eq!(observed(list.to_str().unwrap()).await, Ok(TargetState::default()));
}

/// Writes a kubeconfig whose login is this shell script.
fn with_login(cluster: &FakeCluster, directory: &std::path::Path, script: &str) -> String {
    let mut config: Value = serde_json::from_str(&cluster.kubeconfig()).unwrap();
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "IfAvailable",
    });
    config["users"][0]["user"] = json!({ "exec": exec });
    let file = directory.join("kubeconfig");
    std::fs::write(&file, config.to_string()).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn a_login_asks_nobody_and_one_that_fails_may_be_tried_again() {
    let cluster = FakeCluster::start();
    let directory = tempfile::tempdir().unwrap();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": { "token": serde_json::from_str::<Value>(&cluster.kubeconfig()).unwrap()["users"][0]["user"]["token"] },
    });
    // It ends only where its input does, and only one that is told that nobody is there gets on.
    let script = format!(
        "cat >&2; case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":false'*) echo '{credential}';; *) exit 1;; esac"
    );
    let file = with_login(&cluster, directory.path(), &script);
    assert_eq!(observed(&file).await, Ok(TargetState::default()));
    let error = observed(&with_login(&cluster, directory.path(), "exit 1")).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("the login failed: its program ended with an error"), "{error}");
}

//! The adapter speaks as the server does: answers are those of `MLflow` 3.17.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tagship_ports::{ModelRegistry as _, PortError, Problem, conformance};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{Mlflow, Wanted};
use crate::{canned::Server, places::Opener};

fn opened(rest: &str, variables: &[(&str, &str)]) -> Result<(Mlflow, Wanted), PortError> {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let root = std::path::Path::new(".");
    let runs = || Err(PortError::new(Problem::Unsupported, "open", "there are no runs"));
    super::mlflow(rest, &Opener { root, secret: &variable, variable: &variable, runs: &runs })
}

fn problem<T>(result: Result<T, PortError>) -> Option<Problem> {
    result.err().map(|error| error.problem)
}

/// A server with two versions of `churn`, and what is kept of aliases.
async fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let aliases: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, aliases.clone()));
        }
    });
    url
}

async fn serve(mut stream: TcpStream, aliases: Arc<Mutex<BTreeMap<String, String>>>) {
    let mut reader = BufReader::new(&mut stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).await.unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).await.unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let (status, text) = answer(&line, &body, &aliases);
    let length = text.len();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{text}").as_bytes()).await.unwrap();
}

fn answer(line: &str, body: &[u8], aliases: &Mutex<BTreeMap<String, String>>) -> (u16, String) {
    let missing = || (404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"not found"}"#.to_owned());
    let path = line.split(' ').nth(1).unwrap_or_default().trim_start_matches("/api/2.0/");
    let mut aliases = aliases.lock().unwrap_or_else(PoisonError::into_inner);
    let version = |number| format!(r#"{{"name":"churn","version":"{number}","status":"READY"}}"#);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match path {
        "mlflow/model-versions/search" => {
            let pending = r#"{"version":"3","status":"PENDING_REGISTRATION"}"#;
            let listed = if query.contains("page_token") {
                format!(r#"{{"model_versions":[{}]}}"#, version(1))
            } else {
                format!(r#"{{"model_versions":[{pending},{}],"next_page_token":"n"}}"#, version(2))
            };
            (200, listed)
        }
        "mlflow/registered-models/get" => {
            let named =
                aliases.iter().map(|(alias, to)| format!(r#"{{"alias":"{alias}","version":"{to}"}}"#));
            let named = named.collect::<Vec<_>>().join(",");
            (200, format!(r#"{{"registered_model":{{"name":"churn","aliases":[{named}]}}}}"#))
        }
        "mlflow/registered-models/alias" => {
            let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
            let word = |key: &str| asked[key].as_str().unwrap().to_owned();
            aliases.insert(word("alias"), word("version"));
            (200, "{}".to_owned())
        }
        "mlflow/model-versions/get" | "mlflow/model-versions/get-download-uri"
            if query.contains("version=99") =>
        {
            missing()
        }
        "mlflow/model-versions/get" => (200, r#"{"model_version":{}}"#.to_owned()),
        "mlflow/model-versions/get-download-uri" => (200, r#"{"artifact_uri":"runs:/abc/model"}"#.to_owned()),
        "mlflow/runs/get" => {
            (200, r#"{"run":{"info":{"artifact_uri":"mlflow-artifacts:/1/abc/artifacts"}}}"#.to_owned())
        }
        "mlflow-artifacts/artifacts" if query.ends_with("model%2Fdeep") => {
            (200, r#"{"files":[{"path":"x","is_dir":false,"file_size":1}]}"#.to_owned())
        }
        "mlflow-artifacts/artifacts" => {
            let files = r#"{"files":[{"path":"model.onnx","is_dir":false,"file_size":3},{"path":"deep","is_dir":true}]}"#;
            (200, files.to_owned())
        }
        "mlflow-artifacts/artifacts/1/abc/artifacts/model/model.onnx" => (200, "abc".to_owned()),
        "mlflow-artifacts/artifacts/1/abc/artifacts/model/deep/x" => (200, "x".to_owned()),
        _ => missing(),
    }
}

#[tokio::test]
async fn it_behaves_like_every_model_registry() {
    let url = registry().await;
    let (model, wanted) = opened("churn", &[("MLFLOW_TRACKING_URI", &url)]).unwrap();
    assert_eq!(wanted, Wanted::Newest);
    let scratch = tempfile::tempdir().unwrap();
    conformance::model_registry(&model, scratch.path()).await;
    let whole = std::fs::read(scratch.path().join("one/deep/x")).unwrap();
    assert_eq!(whole, b"x");
    let one = scratch.path().join("file");
    std::fs::create_dir(&one).unwrap();
    let (file, _) = opened("churn#model.onnx", &[("MLFLOW_TRACKING_URI", &url)]).unwrap();
    let fetched = file.fetch(1, &one, 100).await.unwrap();
    assert!(fetched.single_file && fetched.path.ends_with("file/model.onnx"));
    let (none, _) = opened("churn#other", &[("MLFLOW_TRACKING_URI", &url)]).unwrap();
    let none = none.fetch(1, &one, 100).await.unwrap_err();
    assert!(none.to_string().contains("deep/x, model.onnx"), "{none}");
}

#[tokio::test]
async fn credentials_are_sent_and_a_refusal_is_told() {
    let denied = r#"{"error_code":"PERMISSION_DENIED","message":"Permission denied"}"#.to_owned();
    let server = Server::with(vec![(403, denied)]).await;
    let variables = [("MLFLOW_TRACKING_URI", server.url.as_str()), ("MLFLOW_TRACKING_TOKEN", "secret")];
    let (model, _) = opened("churn", &variables).unwrap();
    let refused = model.versions(0).await.unwrap_err();
    assert_eq!(refused.problem, Problem::Denied);
    assert!(
        refused.to_string().contains("Permission denied") && !refused.to_string().contains("secret"),
        "{refused}"
    );
    assert_eq!(server.seen()[0].authorization, "Bearer secret");
}

#[tokio::test]
async fn credentials_follow_no_redirect() {
    let server = Server::redirecting("http://127.0.0.1:9/login").await;
    let (model, _) = opened("churn", &[("MLFLOW_TRACKING_URI", &server.url)]).unwrap();
    assert_eq!(problem(model.versions(0).await), Some(Problem::Invalid));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn what_is_missing_or_unsafe_is_refused_before_anything_is_sent() {
    let server = ("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000");
    assert_eq!(problem(opened("churn", &[])), Some(Problem::Denied), "no server");
    let user = ("MLFLOW_TRACKING_USERNAME", "ada");
    assert_eq!(problem(opened("churn", &[server, user])), Some(Problem::Denied), "half of the credentials");
    for bad in ["sqlite:///m.db", "./mlruns", "http://ada:pw@127.0.0.1"] {
        assert_eq!(
            problem(opened("churn", &[("MLFLOW_TRACKING_URI", bad)])),
            Some(Problem::Invalid),
            "{bad}"
        );
    }
    let plain = [("MLFLOW_TRACKING_URI", "http://mlflow.example.org"), ("MLFLOW_TRACKING_TOKEN", "t")];
    assert_eq!(problem(opened("churn", &plain)), Some(Problem::Invalid), "a token without encryption");
}

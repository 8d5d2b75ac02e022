//! The client against a server whose answers are written down.

use serde_json::json;
use tagship_domain::{golden::Tolerance, routing::Shadow, validation::Status as RunStatus};
use tagship_ports::target::Order;

use super::*;
use crate::canned::Server;

fn target(server: &Server) -> LocalTarget {
    LocalTarget::new(&server.url, &format!("{}/", server.url), "s3cret").unwrap()
}

fn order() -> Order {
    Order::new("pricing/eu:churn".parse().unwrap(), 7)
}

fn v1() -> Version {
    "v1.0.0".parse().unwrap()
}

fn applied() -> (u16, String) {
    (200, json!({ "result": "applied" }).to_string())
}

fn one_case() -> GoldenCases {
    let tensor =
        |name: &str, value: f64| json!({ "name": name, "datatype": "FP64", "shape": [1], "data": [value] });
    let case = json!({ "name": "first", "inputs": [tensor("x", 1.0)], "expected": [tensor("y", 2.0)] });
    serde_json::from_value(json!({ "cases": [case] })).unwrap()
}

fn answer(value: f64) -> (u16, String) {
    let output = json!({ "name": "y", "datatype": "FP64", "shape": [1], "data": [value] });
    (200, json!({ "model_name": "churn", "outputs": [output] }).to_string())
}

async fn run(answers: Vec<(u16, String)>) -> GoldenReport {
    let server = Server::with(answers).await;
    let subject = Subject::Endpoint { model: order().model, version: v1() };
    let bounds = GoldenBounds { tolerance: Tolerance { absolute: 1e-6, relative: 0.0 }, max_latency: None };
    target(&server).run(&subject, &one_case(), bounds).await
}

#[tokio::test]
async fn orders_carry_token_path_and_fence() {
    let server = Server::with(vec![applied(), applied(), applied(), applied(), applied()]).await;
    let target = target(&server);
    target.set_weight(&order(), &v1(), Weight::percent(25).unwrap()).await.unwrap();
    target.promote(&order(), &v1()).await.unwrap();
    target.rollback(&order(), None).await.unwrap();
    target.cleanup(&order(), &v1()).await.unwrap();
    let shadow = Shadow { version: v1(), share: Weight::percent(5).unwrap() };
    target.route(&order(), &Routing { shadow: Some(shadow), ..Routing::default() }).await.unwrap();
    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|request| request.line.as_str()).collect();
    let model = "/admin/models/pricing%2Feu%3Achurn";
    assert_eq!(
        lines,
        [
            format!("POST {model}/weight"),
            format!("POST {model}/promote"),
            format!("POST {model}/rollback"),
            format!("DELETE {model}/versions/v1.0.0?fence=7"),
            format!("POST {model}/routing"),
        ]
    );
    assert!(seen.iter().all(|request| request.authorization == "Bearer s3cret"));
    assert_eq!(seen[0].json(), json!({ "fence": 7, "version": "v1.0.0", "weight": 25 }));
    assert_eq!(seen[2].json(), json!({ "fence": 7, "to": null }));
    let shadow = json!({ "version": "v1.0.0", "share": 5 });
    assert_eq!(seen[4].json(), json!({ "fence": 7, "sticky": null, "shadow": shadow }));
}

#[tokio::test]
async fn each_refusal_is_told_apart() {
    let refused = json!({ "error": "number 9 was seen" }).to_string();
    for (status, problem) in [
        (401, Problem::Denied),
        (403, Problem::Denied),
        (404, Problem::NotFound),
        (409, Problem::Conflict),
        (412, Problem::Fenced),
        (422, Problem::Invalid),
        (429, Problem::Unreachable),
        (500, Problem::Unreachable),
        (503, Problem::Unreachable),
        (507, Problem::Local),
    ] {
        let server = Server::with(vec![(status, refused.clone())]).await;
        let error = target(&server).promote(&order(), &v1()).await.unwrap_err();
        assert_eq!(error.problem, problem, "{status}: {error}");
        assert_eq!(error.message, "number 9 was seen", "{status}");
        assert_eq!(error.operation, "promote pricing/eu:churn v1.0.0");
    }
}

#[tokio::test]
async fn something_else_than_a_model_server_is_not_believed() {
    let server = Server::with(vec![(200, "<html>hello</html>".to_owned()), (404, "<html>".to_owned())]).await;
    let target = target(&server);
    let error = target.observe(&order().model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("something else than a model server"), "{error}");
    let error = target.observe(&order().model).await.unwrap_err();
    assert_eq!(error.message, "the server answered 404 Not Found");
}

#[tokio::test]
async fn a_redirect_takes_the_token_nowhere() {
    let elsewhere = Server::with(vec![applied()]).await;
    let server = Server::redirecting(&elsewhere.url).await;
    target(&server).promote(&order(), &v1()).await.unwrap_err();
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn nobody_there_is_unreachable_with_what_to_do() {
    let server = Server::with(vec![]).await;
    let target = target(&server);
    server.close().await;
    let error = target.observe(&order().model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.to_string().contains("check that `tagship serve` runs there"), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test]
async fn missing_files_are_uploaded_and_the_load_repeated() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("sub")).unwrap();
    fs::write(directory.path().join("model.onnx"), b"weights").unwrap();
    fs::write(directory.path().join("sub/vocab.txt"), b"words").unwrap();
    let files = list_files(directory.path()).unwrap();
    let names: Vec<&str> = files.iter().map(|(_, entry)| entry.path.as_str()).collect();
    assert_eq!(names, ["model.onnx", "sub/vocab.txt"]);
    let missing = json!({ "error": "a file is missing", "missing": [files[1].1.sha256] }).to_string();
    let server = Server::with(vec![(409, missing), applied(), applied()]).await;
    let digest = Digest::from_bytes([3; 32]);
    let done = target(&server).prepare(&order(), &v1(), &digest, directory.path()).await;
    assert_eq!(done, Ok(Done::Applied));
    let seen = server.seen();
    let load = "PUT /admin/models/pricing%2Feu%3Achurn/versions/v1.0.0";
    assert_eq!(seen[0].line, load);
    assert_eq!(seen[0].json()["digest"], json!(digest));
    assert_eq!(seen[0].json()["files"][0]["size"], 7);
    assert_eq!(seen[1].line, format!("PUT /admin/uploads/{}", files[1].1.sha256));
    assert_eq!(seen[1].body, b"words");
    assert_eq!(seen[2].line, load);
}

#[tokio::test]
async fn a_server_that_never_has_enough_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("model.onnx");
    fs::write(&file, b"weights").unwrap();
    let missing =
        json!({ "error": "a file is missing", "missing": [list_files(&file).unwrap()[0].1.sha256] });
    let refused = (409, missing.to_string());
    let answers = [refused.clone(), applied(), refused.clone(), applied(), refused, applied()];
    let server = Server::with(answers.to_vec()).await;
    let error =
        target(&server).prepare(&order(), &v1(), &Digest::from_bytes([3; 32]), &file).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("keeps asking"), "{error}");
}

#[tokio::test]
async fn golden_cases_are_judged_after_a_first_call_that_does_not_count() {
    let report = run(vec![answer(9.0), answer(2.0)]).await;
    assert_eq!((report.status, report.cases.len()), (RunStatus::Complete, 1));
    assert!(report.cases[0].passed, "{report:?}");
    let report = run(vec![answer(2.0), answer(9.0)]).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert!(!report.cases[0].passed && report.cases[0].message.is_some(), "{report:?}");
}

#[tokio::test]
async fn an_answer_that_says_no_fails_the_case_and_no_answer_is_an_error() {
    let refusal = (400, json!({ "error": "input x has the wrong shape" }).to_string());
    let report = run(vec![refusal.clone(), refusal]).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert!(report.cases[0].message.as_ref().unwrap().contains("wrong shape"), "{report:?}");
    for status in [404, 503] {
        let gone = (status, json!({ "error": "not loaded" }).to_string());
        let report = run(vec![gone.clone(), gone]).await;
        assert_eq!((report.status, report.cases.len()), (RunStatus::Error, 0), "{report:?}");
        assert!(report.message.unwrap().contains("not loaded"));
    }
}

#[tokio::test]
async fn no_case_proves_nothing() {
    let server = Server::with(vec![]).await;
    let subject = Subject::Endpoint { model: order().model, version: v1() };
    let bounds = GoldenBounds { tolerance: Tolerance { absolute: 0.0, relative: 0.0 }, max_latency: None };
    let target = target(&server);
    let report = target.run(&subject, &GoldenCases { cases: vec![] }, bounds).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    let report = target.run(&Subject::File("model.onnx".into()), &one_case(), bounds).await;
    assert_eq!(report.status, RunStatus::Incomplete, "it runs no files");
}

#[test]
fn settings_name_the_variable_of_the_token() {
    let settings = |json: Value| json.as_object().unwrap().clone();
    let none = LocalTarget::from_settings(&settings(json!({})), &|_| None).unwrap_err();
    assert!(none.to_string().contains("TAGSHIP_SERVE_TOKEN is not set"), "{none}");
    let chosen = settings(json!({ "token-env": "MY_TOKEN", "admin-url": "http://127.0.0.1:9/" }));
    let target =
        LocalTarget::from_settings(&chosen, &|name| (name == "MY_TOKEN").then(|| "s3cret".to_owned()))
            .unwrap();
    assert_eq!(target.admin_url, "http://127.0.0.1:9");
    assert!(!format!("{target:?}").contains("s3cret"));
    let unknown = LocalTarget::from_settings(&settings(json!({ "token": "x" })), &|_| None).unwrap_err();
    assert_eq!(unknown.problem, Problem::Invalid);
}

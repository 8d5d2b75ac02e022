//! Strategies that need more of a server than shares: copies of requests, and clients that stay on their side.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use tagship_testkit::{Output, fixtures};

use crate::workbench::{Workbench, appears};

/// A row that both versions call the same.
const AGREED: usize = 0;
/// A row that they do not.
const DISPUTED: usize = 1;

/// A repository whose production serves v0.1.0, with this strategy and a second version released.
fn bench(settings: &str) -> Workbench {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let settings = settings.replace('\n', "\n        ");
    bench.clone.write("tagship.yml", format!("{config}        {settings}\n"));
    bench.put("v2");
    bench.push("Bring v2");
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench
}

/// Rolls out while clients ask about one row, and no others.
fn under_load(bench: &Workbench, row: usize, arguments: &[&str]) -> Output {
    let (done, server) = (AtomicBool::new(false), bench.addresses[0].as_str());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                ask(server, row, "");
            }
        });
        let output = bench.run(arguments);
        done.store(true, Ordering::Relaxed);
        output
    })
}

/// Asks the model about a golden case's row, with a header more. Answers the version that answered.
fn ask(server: &str, row: usize, header: &str) -> String {
    let cases = fs::read_to_string(fixtures::path("models/churn/v1/golden.json")).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let body = json!({ "inputs": cases["cases"][row]["inputs"] }).to_string();
    let length = body.len();
    let request =
        format!("POST /v2/models/churn/infer HTTP/1.0\r\n{header}content-length: {length}\r\n\r\n{body}");
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let answer: Value = serde_json::from_str(body).unwrap();
    answer["model_version"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn state(bench: &Workbench) -> Value {
    let state = bench.clone.git(&["show", "refs/tagship/rollouts/production/churn:rollout.json"]);
    serde_json::from_str(&state).unwrap()
}

const SHADOW: &str = "strategy: { shadow: { mirror: 100, for: 3s } }\n\
    analysis: { interval: 1s, metrics: [ { name: disagreement, kind: disagreement, bound: { max: 20% } } ] }";

#[test]
fn a_shadow_that_agrees_takes_over() {
    let bench = bench(SHADOW);
    under_load(&bench, AGREED, &["rollout"]).assert_code(0);
    let state = state(&bench);
    assert_eq!((&state["phase"], &state["weight"]["applied"]), (&json!("Succeeded"), &json!(100)));
    assert!(state["judges"]["disagreement"]["n"].as_u64().unwrap() >= 50, "{state}");
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    assert_eq!(ask(&bench.addresses[0], AGREED, ""), "v0.2.0");
}

#[test]
fn a_shadow_that_disagrees_goes_back_without_ever_having_answered_anyone() {
    let bench = bench(SHADOW);
    let back = under_load(&bench, DISPUTED, &["rollout"]);
    back.assert_code(1);
    let said = back.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("copied requests answered differently from stable, at most 20.0% allowed"),
        "{said}"
    );
    let state = state(&bench);
    assert_eq!((&state["phase"], &state["reason"]), (&json!("RolledBack"), &json!("AnalysisFailed")));
    let cause = state["cause"].as_str().unwrap();
    assert!(cause.starts_with("on copies of 100% of the requests: disagreement: "), "{cause}");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let story = bench.clone.git(&["log", "--format=%s", "refs/tagship/rollouts/production/churn"]);
    assert!(!story.contains("v0.2.0: Progressing, OnTrack at 100%"), "{story}");
}

#[test]
fn clients_of_an_ab_test_stay_on_their_side() {
    let bench = bench("strategy: { a-b: { share: 50, sticky: x-user, for: 1h } }");
    bench.run(&["rollout", "--once"]).assert_code(6);
    let side = |user: usize| ask(&bench.addresses[0], AGREED, &format!("x-user: user-{user}\r\n"));
    let sides: Vec<String> = (0..40).map(side).collect();
    assert!((0..40).all(|user| side(user) == sides[user]), "a client changed its side");
    let new = sides.iter().filter(|version| *version == "v0.2.0").count();
    assert!((4..=36).contains(&new), "half of the clients have the new version, not {new} of 40");

    bench.run(&["rollout", "--abort"]).assert_code(1);
    assert!((0..40).all(|user| side(user) == "v0.1.0"));
    let routing = appears(&bench.clone.path().join(".tagship/serve/state.json"));
    assert!(!routing.contains("x-user"), "{routing}");
}

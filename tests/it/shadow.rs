//! Strategies that need more of a server than shares: copies of requests, clients that stay on their side, and requests that
//! are led by a header.

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

/// Copies whose labels agree, with scores that are 0.089 apart.
fn with_scores(distance: f64) -> Workbench {
    bench(&format!(
        "strategy: {{ shadow: {{ mirror: 100, for: 3s }} }}\n\
         analysis: {{ interval: 1s, metrics: [ {{ name: scores, kind: score-distance, \
         bound: {{ beyond: {{ distance: {distance}, max: 20% }} }} }} ] }}"
    ))
}

#[test]
fn a_shadow_whose_scores_stay_near_takes_over() {
    let bench = with_scores(0.1);
    under_load(&bench, AGREED, &["rollout"]).assert_code(0);
    let state = state(&bench);
    assert_eq!(state["phase"], json!("Succeeded"));
    assert!(state["judges"]["scores"]["n"].as_u64().unwrap() >= 50, "{state}");
}

#[test]
fn a_shadow_whose_scores_are_far_goes_back_though_its_labels_agree() {
    let bench = with_scores(0.05);
    let back = under_load(&bench, AGREED, &["rollout"]);
    back.assert_code(1);
    let said = back.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("copied requests have scores more than 0.05 from stable's, at most 20.0% allowed"),
        "{said}"
    );
    assert_eq!(state(&bench)["phase"], json!("RolledBack"));
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
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

/// Two in three clients are of the cohort `beta`.
fn with_cohort(bench: &Workbench, arguments: &[&str]) -> Output {
    let (done, server) = (AtomicBool::new(false), bench.addresses[0].as_str());
    thread::scope(|scope| {
        for cohort in ["beta", "beta", "Beta"] {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    ask(server, AGREED, &format!("X-Cohort: {cohort}\r\n"));
                }
            });
        }
        let output = bench.run(arguments);
        done.store(true, Ordering::Relaxed);
        output
    })
}

#[test]
fn an_ab_test_by_header_is_judged_by_what_its_cohort_got() {
    let bench = bench(
        "strategy: { a-b: { match: { header: X-Cohort, exact: beta }, for: 3s } }\n\
         analysis: { interval: 1s, metrics: [ { name: errors, kind: error-ratio, promote-margin: { absolute: 10% } } ] }",
    );
    let planned = bench.run(&["plan"]).stdout;
    assert!(
        planned.contains("as an A/B test by a header") && planned.contains("x-cohort: beta"),
        "{planned}"
    );
    assert!(planned.contains("how many requests carry `x-cohort: beta` is not known"), "{planned}");
    with_cohort(&bench, &["rollout"]).assert_code(0);
    let state = state(&bench);
    assert_eq!((&state["phase"], &state["weight"]["applied"]), (&json!("Succeeded"), &json!(100)));
    let n = state["judges"]["errors"]["measurement"]["n"].clone();
    assert!(n[0].as_u64().unwrap() > 0 && n[1].as_u64().unwrap() >= 50, "both sides are evidence: {n}");
    let story = bench.clone.git(&["log", "--format=%B", "refs/tagship/rollouts/production/churn"]);
    assert!(story.contains("answers the requests with `x-cohort: beta`"), "{story}");
    let routing = appears(&bench.clone.path().join(".tagship/serve/state.json"));
    assert!(!routing.contains("x-cohort"), "nobody is led any more: {routing}");
}

#[test]
fn requests_with_the_header_and_no_others_reach_the_candidate_until_it_is_stopped() {
    let bench = bench("strategy: { a-b: { match: { header: X-Cohort, exact: beta }, for: 1h } }");
    let begun = bench.run(&["rollout", "--once"]);
    begun.assert_code(6);
    let server = bench.addresses[0].as_str();
    for _ in 0..20 {
        assert_eq!(ask(server, AGREED, "x-cohort: beta\r\n"), "v0.2.0");
        for other in ["", "x-cohort: Beta\r\n", "x-cohort: beta2\r\n", "x-cohort: beta\r\nx-cohort: beta\r\n"]
        {
            assert_eq!(ask(server, AGREED, other), "v0.1.0", "{other:?}");
        }
    }
    bench.run(&["rollout", "--abort"]).assert_code(1);
    assert_eq!(ask(server, AGREED, "x-cohort: beta\r\n"), "v0.1.0");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}
